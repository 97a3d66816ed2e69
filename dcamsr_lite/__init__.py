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
    from .data.pairs import Pair as Pair
    from .data.pairs import find_pairs as find_pairs
    from .data.pairs import load_input as load_input
    from .data.pairs import load_pair as load_pair
    from .data.pairs import read_pairs_csv as read_pairs_csv
    from .errors import InputError as InputError
    from .evaluation import evaluate as evaluate
    from .evaluation import super_resolve as super_resolve
    from .interpret.image_edits import Lesion as Lesion
    from .interpret.interventions import Cut as Cut
    from .interpret.interventions import Intervention as Intervention
    from .interpret.interventions import run_intervention as run_intervention
    from .interpret.record import Record as Record
    from .interpret.tracing import intervene as intervene
    from .interpret.tracing import trace as trace
    from .metrics import nmse as nmse
    from .metrics import psnr as psnr
    from .metrics import ssim as ssim
    from .network.baselines import baseline as baseline
    from .network.checkpoints import load as load
    from .network.checkpoints import load_released as load_released
    from .network.checkpoints import save as save
    from .network.checkpoints import weights as weights
    from .network.config import Config as Config
    from .network.model import DCAMSR as DCAMSR
    from .phantom.subjects import DEMO_SEED as DEMO_SEED
    from .phantom.subjects import VALIDATION_SEED as VALIDATION_SEED
    from .phantom.subjects import simulated_pair as simulated_pair
    from .phantom.subjects import simulated_volumes as simulated_volumes
    from .widgets import explore as explore
    from .widgets import explore_attribution as explore_attribution
    from .widgets import explore_kspace as explore_kspace
    from .widgets import intervention_lab as intervention_lab
    from .widgets import save_gallery as save_gallery
__all__ = sorted(_HOMES)


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
