"""DCAMSR-lite: an interactive laboratory for cross-attention in multi-contrast MRI super-resolution.

>>> import dcamsr_lite as dl
>>> dl.DCAMSR(scale=4, image_size=64).config.variant
'corrected'

Names load when they are first used, so that ``import dcamsr_lite`` stays quick. Not for clinical use.
"""

from importlib import import_module
from pkgutil import iter_modules
from typing import TYPE_CHECKING, Any

__version__ = "0.2.0.dev0"

_HOMES = {
    name: home
    for home, names in {
        "data.pairs": "Pair find_pairs load_input load_pair read_pairs_csv",
        "errors": "InputError",
        "evaluation": "evaluate super_resolve",
        "interpret.image_edits": "Lesion",
        "interpret.interventions": "Cut Intervention run_intervention",
        "interpret.record": "Record",
        "interpret.tracing": "intervene trace",
        "metrics": "nmse psnr ssim",
        "network.baselines": "baseline",
        "network.checkpoints": "load load_released save weights",
        "network.config": "Config",
        "network.model": "DCAMSR",
        "phantom.subjects": "DEMO_SEED VALIDATION_SEED simulated_pair simulated_volumes",
        "widgets": "explore explore_attribution explore_kspace intervention_lab save_gallery",
    }.items()
    for name in names.split()
}
if TYPE_CHECKING:  # the same for those who read types only
    from .data.pairs import Pair, find_pairs, load_input, load_pair, read_pairs_csv
    from .errors import InputError
    from .evaluation import evaluate, super_resolve
    from .interpret.image_edits import Lesion
    from .interpret.interventions import Cut, Intervention, run_intervention
    from .interpret.record import Record
    from .interpret.tracing import intervene, trace
    from .metrics import nmse, psnr, ssim
    from .network.baselines import baseline
    from .network.checkpoints import load, load_released, save, weights
    from .network.config import Config
    from .network.model import DCAMSR
    from .phantom.subjects import DEMO_SEED, VALIDATION_SEED, simulated_pair, simulated_volumes
    from .widgets import (
        explore,
        explore_attribution,
        explore_kspace,
        intervention_lab,
        save_gallery,
    )
__all__ = ["Config", "Cut", "DCAMSR", "DEMO_SEED", "InputError", "Intervention", "Lesion", "Pair"]
__all__ += ["Record", "VALIDATION_SEED", "baseline", "evaluate", "explore", "explore_attribution"]
__all__ += ["explore_kspace", "find_pairs", "intervene", "intervention_lab", "load", "load_input"]
__all__ += ["load_pair", "load_released", "nmse", "psnr", "read_pairs_csv", "run_intervention"]
__all__ += ["save", "save_gallery", "simulated_pair", "simulated_volumes", "ssim", "super_resolve"]
__all__ += ["trace", "weights"]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        value = getattr(import_module(f".{_HOMES[name]}", __name__), name)
    elif name in _submodules():
        value = import_module(f".{name}", __name__)
    else:
        raise AttributeError(f"module 'dcamsr_lite' has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*_HOMES, *_submodules()})


def _submodules() -> set[str]:
    return {module.name for module in iter_modules(__path__) if module.name != "__main__"}
