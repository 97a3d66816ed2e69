"""DCAMSR-lite: an interactive laboratory for cross-attention in multi-contrast MRI super-resolution.

>>> import dcamsr_lite as dl
>>> dl.DCAMSR(scale=4, image_size=64).config.variant
'corrected'

Names load when they are first used, so that ``import dcamsr_lite`` stays quick. Not for clinical use.
"""

from importlib import import_module

__version__ = "0.2.0.dev0"

_HOMES = {
    "DCAMSR": "network.model",
    "Config": "network.config",
    "InputError": "errors",
    "baseline": "network.baselines",
    "load": "network.checkpoints",
    "load_released": "network.checkpoints",
    "save": "network.checkpoints",
    "weights": "network.checkpoints",
    "trace": "interpret.tracing",
    "intervene": "interpret.tracing",
    "Pair": "data.pairs",
    "load_pair": "data.pairs",
    "load_input": "data.pairs",
    "psnr": "metrics",
    "super_resolve": "evaluation",
    "evaluate": "evaluation",
    "explore": "widgets",
    "intervention_lab": "widgets",
    "explore_kspace": "widgets",
    "save_gallery": "widgets",
    "explore_attribution": "widgets",
}
__all__ = [*_HOMES]


def __getattr__(name: str):
    if name not in _HOMES:
        raise AttributeError(f"module 'dcamsr_lite' has no attribute {name!r}")
    value = getattr(import_module(f".{_HOMES[name]}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOMES])
