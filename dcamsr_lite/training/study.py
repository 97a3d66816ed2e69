"""The comparison behind the project's claims: one network per row and seed, trained alike.

>>> [*ROWS][:3]
['released', 'unscrambled', 'paper']
>>> study = Study(size=32, steps=2, subjects=1, tests=1, slices=2, network={})
>>> result = run(study, "no_spatial", seed=0, folder="work")
>>> [subject["data"] for subject in result["subjects"]]
['simulated']
"""

import csv
import json
import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from math import inf
from pathlib import Path

import torch
from torch import Tensor, nn

from ..data.pairs import Pair, load_pair, read_pairs_csv
from ..errors import ASSETS, InputError, atomic_path
from ..evaluation import super_resolve
from ..interpret.tracing import trace
from ..metrics import ceiling_from_repetitions, score
from ..network.model import DCAMSR
from ..phantom.subjects import (
    VALIDATION_SEED,
    simulated_pair,
    simulated_repetitions,
    simulated_volumes,
)
from .loop import slices as training_slices
from .loop import train

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
    "edsr": "edsr",
    "swinir": "swinir",
    "elan": "elan",
    "minet": "minet",
    "ttsr": "ttsr",
    "masa": "masa",
    "mcmrsr": "mcmrsr",
}
MUST = tuple(ROWS)[:8]  # the rows that answer questions 1 to 3 of the results page


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


# The paper's size: the same command, on a GPU.
FULL = Study(
    size=256, steps=100_000, batch=4, rate=2e-4, schedule="paper", subjects=128, tests=30,
    network={}, preset="full", device="cuda",
)  # fmt: skip


def network(study: Study, row: str) -> nn.Module:
    """The untrained network of a row.

    >>> network(Study(size=32), "no_channel").config.channel
    False

    Raises InputError for an unknown row.
    """
    if row not in ROWS:
        raise InputError("row", repr(row), f"one of {', '.join(ROWS)}")
    size = {"scale": study.scale, "image_size": study.size}
    if isinstance(ROWS[row], str):
        from ..network.baselines import baseline

        own = {"start": study.network.get("start", "he")}  # otherwise the baseline's own sizes
        if row == "concatenation" and study.preset == "lite":  # DCAMSR's trunk, as many parameters
            own = study.network | {"blocks": (1, 10, 20)}
        return baseline(ROWS[row], preset=study.preset, **size, **own)
    return DCAMSR(preset=study.preset, **size, **(study.network | ROWS[row]))


def training_volumes(study: Study, real: Iterable[tuple]) -> list[tuple]:
    """Simulated subjects from seed 0 on, and the real pairs of a list."""
    seeds = range(study.subjects)
    simulated = [simulated_volumes(s, size=study.size, slices=study.slices) for s in seeds]
    return simulated + [(reference, target) for reference, target, *_ in real]


def held_out_pairs(study: Study, real: Iterable[tuple]) -> list[tuple[str, str, Pair]]:
    """(data, subject, pair) of every subject that no row trains on."""
    seeds = range(VALIDATION_SEED, VALIDATION_SEED + study.tests)
    pairs = []
    for seed in seeds:
        pair = simulated_pair(seed, study.scale, size=study.size, slices=study.slices)
        pairs.append(("simulated", str(seed), pair))
    for reference, target, *_ in real:
        pairs.append(("real", Path(target).stem, load_pair(reference, target, study.scale)))
    return pairs


def ceilings(study: Study) -> dict[str, float]:
    """The noise ceiling of each simulated test subject, in dB, from two repetitions of its target.

    >>> len(ceilings(Study(size=32, tests=2, slices=2)))
    2
    """
    found = {}
    for seed in range(VALIDATION_SEED, VALIDATION_SEED + study.tests):
        repetitions = simulated_repetitions(seed, study.size, study.slices)
        found[str(seed)] = ceiling_from_repetitions(*repetitions, study.scale)
    return found


@torch.inference_mode()
def entropies(model: nn.Module, pair: Pair) -> dict[str, list[float]]:
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


def about(study: Study, train_real: Sequence[tuple] = (), test_real: Sequence[tuple] = ()) -> dict:
    """What all rows share, as it stands beside every result: two that differ are never compared.

    >>> about(Study())["real"]
    [0, 0]
    """
    return json.loads(json.dumps(asdict(study) | {"real": [len(train_real), len(test_real)]}))


def run(
    study: Study,
    row: str,
    seed: int,
    folder: str | Path,
    train_real: Sequence[tuple] = (),
    test_real: Sequence[tuple] = (),
    tensors: tuple | None = None,
    tests: list | None = None,
) -> dict:
    """Train one row with one seed, score it on every test subject; ``folder``/row-seed resumes.

    ``tensors`` and ``tests`` may be given ready, when many rows share them. Returns row, seed, study,
    parameters, minutes, seconds_per_slice, entropy, loss, and ``subjects``: the scores of each. A row
    that is finished in ``folder`` is read, not run again; raises InputError where it was run with
    another study.
    """
    folder = Path(folder)
    result_file = folder / f"{row}-{seed}.json"
    shared = about(study, train_real, test_real)
    if result_file.is_file():
        result = json.loads(result_file.read_text(encoding="utf-8"))
        if result["study"] != shared:
            raise InputError(
                result_file, f"a run of {result['study']}", f"{shared}; another folder"
            )
        return result
    torch.manual_seed(seed)
    model = network(study, row)
    if tensors is None:
        tensors = training_slices(training_volumes(study, train_real), study.scale)
    if tests is None:
        tests = held_out_pairs(study, test_real)
    work = folder / f"{row}-{seed}"
    recipe = {n: getattr(study, n) for n in ("steps", "batch", "rate", "schedule", "device")}
    trained = train(
        model, tensors, work, **recipe, seed=seed, every=250, resume=True, bf16=True, progress=False
    )
    rows = (work / "log.csv").read_text(encoding="utf-8").splitlines()
    last = dict(zip(rows[0].split(","), rows[-1].split(","), strict=True))
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
        "minutes": round(float(last["seconds"]) / 60, 2),
        "seconds_per_slice": round(seconds, 4),
        "loss": float(last["loss"]),
        "entropy": entropies(trained, tests[0][2]),
        "threads": torch.get_num_threads(),
        "subjects": subjects,
    }
    with atomic_path(result_file) as temporary:
        temporary.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    return result


def read_lists(folder: str | Path | None) -> tuple[list, list]:
    """train.csv and held_out.csv of a folder that scripts/weights/make.py prepared; without one, none.

    >>> read_lists(None)
    ([], [])
    """
    if folder is None:
        return [], []
    names = ("train.csv", "held_out.csv")
    return tuple([*read_pairs_csv(Path(folder) / name)] for name in names)


def tables(folder: str | Path = ASSETS / "results") -> tuple[list[dict], list[dict]]:
    """study.csv (a line per row, seed and subject) and runs.csv (one per trained network).

    >>> tables("a folder without results")
    ([], [])

    The default is what ships, in a checkout and in an installed package; ``scripts/results/make.py
    study`` writes both. What is not there was not run: no lines.
    """
    found = []
    for name in ("study.csv", "runs.csv"):
        file = Path(folder) / name
        lines = file.read_text(encoding="utf-8").splitlines() if file.is_file() else []
        found.append([*csv.DictReader(lines)])
    return tuple(found)


def psnr_of(lines: Iterable[dict], row: str, data: str = "simulated") -> Tensor | None:
    """PSNR in dB (seed, subject) of one row of study.csv, in order of seeds and of subjects' names.

    >>> line = {"row": "edsr", "data": "real", "subject": "p19", "seed": "0", "psnr": "27.5"}
    >>> psnr_of([line], "edsr", "real"), psnr_of([line], "edsr")
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
