"""The names of the package and where they live; `__init__.py` loads each when it is first used."""

# ruff: isort: skip_file
from . import (
    cli as cli,
    bench as bench,
    cohort as cohort,
    commands as commands,
    course as course,
    data as data,
    errors as errors,
    evaluation as evaluation,
    export as export,
    extras as extras,
    figures as figures,
    global_state as global_state,
    interpret as interpret,
    kspace as kspace,
    metrics as metrics,
    network as network,
    overlays as overlays,
    panels as panels,
    phantom as phantom,
    protocols as protocols,
    training as training,
    widgets as widgets,
)
from .data.file_lists import (
    find_pairs as find_pairs,
    read_pairs_csv as read_pairs_csv,
)
from .data.pairs import (
    Pair as Pair,
    load_input as load_input,
    load_pair as load_pair,
)
from .errors import InputError as InputError
from .evaluation import evaluate as evaluate, super_resolve as super_resolve
from .export.onnx_file import export_onnx as export_onnx
from .interpret.image_edits import Lesion as Lesion
from .interpret.cuts import Cut as Cut
from .interpret.interventions import (
    Intervention as Intervention,
    run_intervention as run_intervention,
)
from .interpret.record import Record as Record
from .interpret.tracing import intervene as intervene, trace as trace
from .metrics import nmse as nmse, psnr as psnr, ssim as ssim
from .network.baselines import baseline as baseline
from .network.checkpoints import (
    load as load,
    load_released as load_released,
    save as save,
    weights as weights,
)
from .network.config import Config as Config
from .network.model import DCAMSR as DCAMSR
from .overlays import draw_overlays as draw_overlays
from .phantom.subjects import (
    DEMO_SEED as DEMO_SEED,
    VALIDATION_SEED as VALIDATION_SEED,
    simulated_pair as simulated_pair,
    simulated_volumes as simulated_volumes,
)
from .widgets import (
    compare_images as compare_images,
    explore as explore,
    explore_attribution as explore_attribution,
    explore_contrasts as explore_contrasts,
    explore_displacement as explore_displacement,
    explore_kspace as explore_kspace,
    intervention_lab as intervention_lab,
    save_gallery as save_gallery,
)

__version__: str
