"""The comparison behind the project's claims: one network per row and seed, trained alike.

>>> [*ROWS][:3]
['released', 'unscrambled', 'paper']
>>> study = Study(size=32, steps=2, subjects=1, tests=1, slices=2, network={})
>>> data = make_training_slices(study), make_test_pairs(study)
>>> result = train_row(study, "no_spatial", 0, "work", *data)
>>> [subject["data"] for subject in result["subjects"]]
['simulated']
"""

import csv
import json
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from math import inf
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from ..data.pairs import Pair, load_pair
from ..data.volume import refuse_errors
from ..errors import ASSETS, InputError, atomic_path
from ..evaluation import super_resolve
from ..global_state import keep_generators
from ..interpret.tracing import trace
from ..metrics import score
from ..network.baselines import NETWORKS, baseline
from ..network.model import DCAMSR
from ..network.super_resolver import SuperResolver
from ..phantom.subjects import VALIDATION_SEED, simulated_pair, simulated_volumes
from .dataset import Slices, cut_slices
from .loop import backpropagate, train
from .recipe import Recipe
from .run import read_log

# Options of DCAMSR, or the name of a baseline: everything else is the same in every row.
ROWS: dict[str, dict | str] = {
    "released": {"variant": "released"},
    "unscrambled": {"variant": "released", "merge": "aligned"},
    "paper": {"variant": "paper"},
    "corrected": {},
    "no_spatial": {"spatial": False},
    "no_channel": {"channel": False},
    "no_reference": {"reference": False},
    "concatenation": "concatenation",
    "scrambled": {"merge": "scrambled"},
    "no_multiscale": {"multiscale": False},
    "uniform_spatial": {"spatial_attention": "token_cosine"},
    "scaled_dot_product": {"spatial_attention": "scaled_dot_product"},
    "one_hot_channel": {"channel_logits": "scaled_dot_product"},
    "pooled_tokens": {"spatial_attention": "pooled"},
    "local_window": {"spatial_attention": "window"},
    # what learned footprints cost in parameters, spent on depth: as many as "corrected" has
    "no_spatial_deep": {"spatial": False, "decoder_blocks": (1, 1, 1, 23, 11, 2)},
    "local_window_deep": {"spatial_attention": "window", "decoder_blocks": (1, 1, 1, 23, 11, 2)},
    "as_large": {"channels": 32, "heads": 8},  # lite itself: as many parameters as the baselines
    "bilinear": {"upsampling": "bilinear"},
    "torch_start": {"start": "torch"},
    # through which branch the reference comes in, where the attention is another
    "released_no_channel": {"variant": "released", "channel": False},
    "released_no_spatial": {"variant": "released", "spatial": False},
    "paper_no_channel": {"variant": "paper", "channel": False},
    "paper_no_spatial": {"variant": "paper", "spatial": False},
    "concatenation_shallow": "concatenation",  # as deep as the trunk, with fewer parameters
    **{name: name for name in NETWORKS if name != "concatenation"},
    "aligned": {"variant": "aligned"},
}
# the same networks, trained with references that lie elsewhere: augmentation.draw_misalignment
DISPLACED = "_displaced"
ROWS |= {row + DISPLACED: ROWS[row] for row in ("aligned", "corrected", "concatenation", "minet")}
FINDING = 0.1  # weight of the error of what is found, as the shipped weights have it


@dataclass(frozen=True)
class Study:
    """What every row shares. The default is the small one: some minutes a row on a CPU.

    >>> Study().size
    96
    """

    scale: int = 4
    size: int = 96
    steps: int = 1000
    batch: int = 2
    rate: float = 1e-3
    schedule: str = "cosine"
    subjects: int = 8  # simulated, for training
    tests: int = 8  # simulated, never trained on
    slices: int = 18
    network: dict = field(default_factory=lambda: {"channels": 24, "heads": 4, "start": "he"})
    preset: str = "lite"
    device: str = "cpu"


def build_network(study: Study, row: str) -> SuperResolver:
    """The untrained network of a row.

    >>> build_network(Study(size=32), "no_channel").config.channel
    False

    Raises InputError for an unknown row.
    """
    if row not in ROWS:
        raise InputError("row", repr(row), f"one of {', '.join(ROWS)}")
    shared: dict[str, Any] = {
        "preset": study.preset,
        "scale": study.scale,
        "image_size": study.size,
    }
    if isinstance(chosen := ROWS[row], dict):
        return DCAMSR(**shared, **(study.network | chosen))
    own = {"start": study.network.get("start", "he")}  # otherwise the baseline's own sizes
    if chosen == "concatenation" and study.preset == "lite":  # DCAMSR's trunk
        own = study.network | {"blocks": (1, 10, 20)}  # as many parameters
    if row == "concatenation_shallow":
        own |= {"blocks": (0, 0, 0)}
    return baseline(chosen, **shared, **own)


def list_training_pairs(study: Study, real: Iterable[tuple] = ()) -> Iterator[tuple]:
    """What every row trains on: simulated subjects from seed 0 on, and the real pairs of a list.

    >>> pairs = list_training_pairs(Study(size=32, slices=2, subjects=1), [("t1.npy", "t2.npy", "p7")])
    >>> [type(reference).__name__ for reference, target in pairs]
    ['Volume', 'str']

    One after the other: all volumes of a large study need more memory than their slices.
    """
    for seed in range(study.subjects):
        yield simulated_volumes(seed, size=study.size, slices=study.slices)
    yield from (pair[:2] for pair in real)


def make_training_slices(study: Study, real: Iterable[tuple] = ()) -> tuple[Tensor, Tensor, Tensor]:
    """The slices of ``list_training_pairs`` in memory."""
    return cut_slices(list_training_pairs(study, real), study.scale)


def make_test_pairs(study: Study, real: Iterable[tuple] = ()) -> list[tuple[str, str, Pair]]:
    """(data, subject, pair) of every subject that no row trains on."""
    pairs = []
    for seed in range(VALIDATION_SEED, VALIDATION_SEED + study.tests):
        pair = simulated_pair(seed, study.scale, size=study.size, slices=study.slices)
        pairs.append(("simulated", str(seed), pair))
    for reference, target, *_ in real:
        pairs.append(("real", Path(target).stem, load_pair(reference, target, study.scale)))
    return pairs


@torch.inference_mode()
def measure_entropies(model: nn.Module, pair: Pair) -> dict[str, list[float]]:
    """Mean entropy per level of both branches after training; empty for networks without attention."""
    if not isinstance(model, DCAMSR):
        return {}
    middle, device = len(pair.lr) // 2, next(model.parameters()).device
    with trace(model.eval()) as record:
        model(*(x[middle : middle + 1].to(device) for x in (pair.lr, pair.ref)))
    levels = sorted({*record.spatial, *record.channel})
    found: dict[str, list[float]] = {}
    for level in levels:
        for branch, heads in record.entropy(level).items():
            found.setdefault(branch, []).append(round(heads.mean().item(), 5))
    return found


def describe_study(study: Study, real: Sequence[int] = (0, 0)) -> dict:
    """What all rows share, as it stands beside every result: two that differ are never compared.

    >>> describe_study(Study(), real=(4, 1))["real"]
    [4, 1]
    """
    return json.loads(json.dumps(asdict(study) | {"real": real}))


def _choose_recipe(study: Study, row: str) -> dict[str, Any]:
    shared = ("steps", "batch", "rate", "schedule", "device")
    recipe = {name: getattr(study, name) for name in shared} | {"bf16": True}
    if row.endswith(DISPLACED):
        recipe["vary"] = "misalignment"
        if row.startswith("aligned"):
            recipe["finding"] = FINDING
    return recipe


@keep_generators()
def measure_step(study: Study, row: str, count: int = 3) -> float:
    """Seconds that a step of this row takes here: the least of ``count``, after one that warms up.

    >>> measure_step(Study(size=32, network={}), "no_spatial", count=1) > 0
    True

    Real steps of the study's batch and size, on noise. Raises InputError for an unknown row.
    """
    recipe = Recipe(**_choose_recipe(study, row))
    model = build_network(study, row).train()
    model.to(recipe.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    optimizer = torch.optim.Adam(model.parameters(), lr=recipe.rate)
    sides = (study.size // study.scale, study.size, study.size)
    batch = [torch.randn(study.batch, 1, side, side) for side in sides]
    seconds = []
    for _ in range(count + 1):
        started = time.perf_counter()
        optimizer.zero_grad(set_to_none=True)
        backpropagate(model, batch, True, study.batch, recipe)
        optimizer.step()
        float(next(model.parameters()).detach().sum())  # a GPU has finished when it can say this
        seconds.append(time.perf_counter() - started)
    return min(seconds[1:])


@keep_generators()
def train_row(
    study: Study,
    row: str,
    seed: int,
    folder: str | Path,
    tensors: tuple | Slices,
    tests: list,
    real: Sequence[int] = (0, 0),
) -> dict:
    """Train one row with one seed, score it on every test subject; ``folder``/row-seed resumes.

    ``tensors`` (or what ``collect_slices`` gives) and ``tests`` are what the functions above make,
    ``real`` counts the real pairs in them. Returns row, seed, study, parameters, minutes,
    seconds_per_slice, entropy, loss, and
    ``subjects``: the scores of each. A row that is finished in ``folder`` is read, not trained again;
    raises InputError where it was trained in another study.
    """
    work = Path(folder) / f"{row}-{seed}"
    result_file = work.with_suffix(".json")
    shared = describe_study(study, real)
    if result_file.is_file():
        with refuse_errors(result_file, "a result of this study: without the file it is made anew"):
            result = json.loads(result_file.read_text(encoding="utf-8"))
            found = f"a run of {result['study']}"
            if result["study"] != shared:
                raise InputError(result_file, found, f"{shared}; another folder")
        return result
    torch.manual_seed(seed)
    recipe = _choose_recipe(study, row) | {"seed": seed, "resume": True}
    trained = train(build_network(study, row), tensors, work, progress=False, **recipe)
    log = read_log(work / "log.csv")
    started = time.perf_counter()
    subjects = []
    for data, subject, pair in tests:
        scores = score(pair.target_image, super_resolve(trained, pair), study.scale)
        scores |= scores.pop("error_by_band")
        subjects.append({"data": data, "subject": subject} | scores)
    seconds = (time.perf_counter() - started) / sum(len(pair.lr) for *_, pair in tests)
    result = {
        "row": row,
        "seed": seed,
        "study": shared,
        "parameters": sum(p.numel() for p in trained.parameters()),
        "minutes": round(log["seconds"][-1] / 60, 2),
        "seconds_per_slice": round(seconds, 4),
        "loss": log["loss"][-1],
        "entropy": measure_entropies(trained, tests[0][2]),
        "threads": torch.get_num_threads(),
        "subjects": subjects,
    }
    with atomic_path(result_file) as temporary:
        temporary.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    return result


def read_tables(folder: str | Path = ASSETS / "results") -> tuple[list[dict], list[dict]]:
    """study.csv (a line per row, seed and subject) and runs.csv (one per trained network).

    >>> study, runs = read_tables()
    >>> len({line["row"] for line in study}) > 20, runs[0]["row"]
    (True, 'released')

    The default is what ships, in a checkout and in an installed package; ``scripts/results/make.py
    study`` writes both. What is not there was not run: no lines.
    """
    found = []
    for name in ("study.csv", "runs.csv"):
        file = Path(folder) / name
        with refuse_errors(file, "a table of a study"):
            lines = file.read_text(encoding="utf-8").splitlines() if file.is_file() else []
            found.append([*csv.DictReader(lines, strict=True)])
    study, runs = found
    return study, runs


def select_psnr(lines: Iterable[dict], row: str, data: str = "simulated") -> Tensor | None:
    """PSNR in dB (seed, subject) of one row of study.csv, in order of seeds and of subjects' names.

    >>> line = {"row": "edsr", "data": "real", "subject": "p19", "seed": "0", "psnr": "27.5"}
    >>> select_psnr([line], "edsr", "real"), select_psnr([line], "edsr")
    (tensor([[27.5000]]), None)

    None where the row was not run.
    """
    of_row = [line for line in lines if (line["row"], line["data"]) == (row, data)]
    found = {(line["seed"], line["subject"]): float(line["psnr"]) for line in of_row}
    seeds, subjects = (sorted({key[axis] for key in found}) for axis in (0, 1))
    return torch.tensor([[found[a, b] for b in subjects] for a in seeds]) if found else None


def seed_interval(differences: Tensor | Sequence[float]) -> tuple[float, float]:
    """The 95 % interval of a mean over seeds: how another training could have come out.

    >>> "%.2f to %.2f" % seed_interval([0.5, 0.6, 0.7])
    '0.35 to 0.85'
    >>> seed_interval([0.5])
    (-inf, inf)

    Student's t, since there are few seeds: what equal rows give by chance leaves zero out in one case
    of twenty, while three seeds have one sign in one case of four.
    """
    values = torch.as_tensor(differences, dtype=torch.float64)
    if len(values) < 2:
        return -inf, inf
    from scipy.stats import t  # loads when first used

    half = float(t.ppf(0.975, len(values) - 1) * values.std() / len(values) ** 0.5)
    return float(values.mean()) - half, float(values.mean()) + half
