"""How the weights in assets/weights were made: real pairs to the lite grid, training, the card.

    python scripts/weights/make.py prepare OPEN_MS_FOLDER FOLDER [--keep-out PATIENT ...] [--matrix N]
    python scripts/weights/make.py sharpen WEIGHTS EVERY NEAR OUT
    python scripts/weights/make.py carry ALIGNED BEFORE WEIGHTS SHARE OUT
    python scripts/weights/make.py mix WEIGHTS OTHERS SHARE OUT
    python scripts/weights/make.py card NAME FOLDER/held_out.csv RUN [RUN ...] [--at FOLDER ...]

`train.sh` is the whole recipe. The real pairs are the open MS data of the Laboratory of Imaging
Technologies, University of Ljubljana (CC-BY; see README.md), as .npz files with arrays T1W, T2W
(slice, row, column) and spacing (mm).
"""

import argparse
import csv
import json
from hashlib import sha256
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

import dcamsr_lite as dl
from dcamsr_lite.data.file_lists import read_pairs_csv
from dcamsr_lite.data.pairs import load_pair
from dcamsr_lite.errors import ASSETS
from dcamsr_lite.evaluation import METHODS, evaluate
from dcamsr_lite.kspace import center_crop, center_pad, fft2c, ifft2c
from dcamsr_lite.metrics import CONVENTION
from dcamsr_lite.network.checkpoints import read_header
from dcamsr_lite.phantom.subjects import VALIDATION_SEED, simulated_pair, simulated_volumes
from dcamsr_lite.training.run import LOG

HELD_OUT = "p19"  # a patient, in no training file
FIELD_OF_VIEW, MATRIX = 240.0, 128  # the lite grid: mm, pixels


def to_grid(volume: Tensor, spacing: float, matrix: int = MATRIX) -> Tensor:
    """Zero-pad or cut to a field of view of 240 mm, then crop k-space to matrix x matrix.

    Where the grid is finer than the voxels, k-space is padded with zeros instead: the image is
    interpolated, and holds nothing beyond what was measured.
    """
    side = round(FIELD_OF_VIEW / spacing)
    rows, columns = (min(side, n) for n in volume.shape[-2:])
    square = center_pad(center_crop(volume, (rows, columns)), (side, side))
    kept = min(side, matrix)
    kspace = center_crop(fft2c(square), (kept, kept))
    return ifft2c(center_pad(kspace, (matrix, matrix))).abs() * matrix / side


def real_volumes(path: Path, matrix: int) -> tuple[Tensor, Tensor]:
    """T1 and T2 of an .npz file on the grid, slices brighter than a quarter of the brightest."""
    with np.load(path, allow_pickle=False) as arrays:
        spacing = float(arrays["spacing"][0])
        t1, t2 = (
            to_grid(torch.from_numpy(arrays[name].astype(np.float32)), spacing, matrix)
            for name in ("T1W", "T2W")
        )
    brightness = t2.mean((-2, -1))
    keep = brightness > brightness.max() / 4
    return t1[keep], t2[keep]


def prepare(source: Path, out: Path, keep_out: list[str], matrix: int) -> None:
    """Write .npy volumes and lists: train.csv, its parts whole.csv and brain.csv, held_out.csv."""
    out.mkdir(parents=True, exist_ok=True)
    rows: dict[str, list] = {"train": [], "whole": [], "brain": [], "held_out": []}
    for path in sorted(source.glob("*.npz")):
        names = [f"{path.stem}_{contrast}.npy" for contrast in ("T1", "T2")]
        for name, volume in zip(names, real_volumes(path, matrix), strict=True):
            np.save(out / name, volume.numpy())
        kept_out = any(patient in path.stem.split("_") for patient in keep_out)
        rows["held_out" if kept_out else "train"].append(names)
        if not kept_out:
            rows["whole" if "longitudinal" in path.stem else "brain"].append(names)
    for name, listed in rows.items():
        with open(out / f"{name}.csv", "w", newline="") as file:
            csv.writer(file).writerows(listed)


OPEN_MS = {
    "trained_on": "simulated subjects (real anatomy, simulated contrasts; seeds 0 to 5) and the open MS"
    " patients longitudinal p01 (two sessions) and p03 and MNI p07 (CC-BY), each slice also mirrored",
    "selection": "no checkpoint was selected: the last step; recipe and patient were chosen after"
    " shorter runs (see README.md), so the patient's number is a little optimistic",
    "command": "sh scripts/weights/train.sh OPEN_MS_FOLDER WORK_FOLDER",
}


def alike(option: str) -> dict[str, str]:
    """Trained alike, on simulated heads alone: anybody can repeat them."""
    return {
        "trained_on": "simulated subjects (real anatomy, simulated contrasts; seeds 0 to 15), each"
        " slice also mirrored; no real patient",
        "steps": "1000 of batch 2, L1, Adam at 1e-3 (cosine): the defaults of the preset",
        "selection": "no checkpoint was selected: the last step",
        "command": "dcamsr train --preset lite --data simulated --validation simulated"
        f" {option} --scale 4 --out RUN",
    }


CARDS = {
    "lite-4x-footprints": OPEN_MS
    | {
        "steps": "4000 with slices varied in geometry, contrast and shading, whole heads twice as"
        " often; 800 varied, MNI p07 three times as often; 800 as measured; L1, moving average of"
        " the weights"
    },
    "lite-2x-footprints": OPEN_MS
    | {
        "steps": "from the second stage of lite-4x-footprints, 800 with slices as measured, then 400"
        " with half of them in varied contrast; L1, moving average"
    },
    "lite-4x": OPEN_MS
    | {
        "steps": "from lite-4x-footprints, 703, 770 and 800 with slices varied in geometry, contrast,"
        " shading and misalignment, MNI p07 twice as often; 600 as measured, the references misaligned;"
        " then 900 varied and 700 as measured, with the error of what is found as a second loss; then,"
        " with votes that elect a motion, on squares of 128 pixels of heads at 128 to 320 pixels, 800"
        " varied and 500 as measured, the references misaligned, with that loss; 600 as measured with"
        " places read by a spline, and 400 without the votes at the border; L1, moving average."
        " Three stages were stopped while the recipe was being found; votes were made sharper by hand"
        " between the first four and before the seventh (see README.md)",
        "command": "sh scripts/weights/train_aligned.sh OPEN_MS_FOLDER WORK_FOLDER",
    },
    "lite-2x": OPEN_MS
    | {
        "steps": "from lite-2x-footprints, plus 0.7 of what aligning had changed in"
        " lite-4x-footprints (seven stages of lite-4x); on squares of 128 pixels of heads at 128 to"
        " 320 pixels, the references misaligned: 700, half of them in varied contrast; then a fifth"
        " of lite-2x-footprints mixed in, and 350 as measured, MNI p07 twice as often; 500 with"
        " magnitude images of simulated heads, half of them in varied contrast, of whose change two"
        " fifths are kept; 300 as measured; 450 as measured with places read by a spline and without"
        " the votes at the border; the error of what is found as a second loss; L1, moving average",
        "command": "sh scripts/weights/train_aligned.sh OPEN_MS_FOLDER WORK_FOLDER",
    },
} | {f"lite-4x-{v}": alike(f"--variant {v}") for v in ("released", "paper", "corrected")}
# the fairer floor: the corrected network that never saw a reference (interpret/floors.py)
CARDS["lite-4x-no-reference"] = OPEN_MS | {
    "steps": "as lite-4x-footprints, with reference=false and fewer: 1203 of 2400 (stopped half-way,"
    " the rate at half of its first) with slices varied in geometry, contrast and shading, 300 varied,"
    " MNI p07 three times as often, 400 as measured; L1, moving average of the weights"
}


def sharpen(weights: Path, every: float, near: float, out: Path) -> None:
    """Set how sharp the votes of an ``aligned`` network are: of all queries, and of those near by.

    They are learned, but a training of some hundred steps hardly moves them.
    """
    model = dl.load(weights)
    with torch.no_grad():
        for branch in model.spatial_branches():
            branch.attention.sharpness.copy_(torch.tensor([every, near]).log())
    dl.save(model, out, dtype=torch.float32)


def carry(aligned: Path, before: str, weights: str, share: float, out: Path) -> None:
    """What learning to align has changed (from ``before`` to ``aligned``), added to other ``weights``.

    To those of another scale from the same start: a network that finds, before it has learned there.
    """
    after, start, own = (dl.load(name) for name in (aligned, before, weights))
    model = dl.DCAMSR(own.config.scale, MATRIX, variant=after.config.variant)
    learned = after.state_dict()
    base, given = start.state_dict(), own.state_dict()
    model.load_state_dict(
        {
            name: given[name] + share * (learned[name] - base[name]) if name in given else found
            for name, found in learned.items()
        }
    )
    dl.save(model, out, dtype=torch.float32)


def mix(weights: Path, others: str, share: float, out: Path) -> None:
    """Between two networks of one start: weights, and ``share`` of the others' where they have them."""
    model, theirs = dl.load(weights), dl.load(others).state_dict()
    own = model.state_dict()
    mixed = {k: torch.lerp(x, theirs[k], share) if k in theirs else x for k, x in own.items()}
    model.load_state_dict(mixed)
    dl.save(model, out, dtype=torch.float32)


def write_magnitudes(out: Path) -> None:
    """Simulated heads as files of magnitude images, as most people's are: train.csv lists them.

    Seeds 0 to 5, as ``--data simulated`` has; from its coil data a training crops k-space.
    """
    out.mkdir(parents=True, exist_ok=True)
    with open(out / "train.csv", "w", newline="") as file:
        for seed in range(6):
            names = [f"{seed}_{contrast}.npy" for contrast in ("T1", "T2")]
            for name, volume in zip(names, simulated_volumes(seed), strict=True):
                np.save(out / name, volume.images.numpy())
            csv.writer(file).writerow(names)


def numbers_of(model: dl.DCAMSR, pairs: list) -> dict:
    """Mean PSNR, SSIM and NMSE of the network and of the floors."""
    results = {method: evaluate(method, pairs) for method in METHODS}
    results["dcamsr"] = evaluate(model, pairs)
    return {
        method: {m: round(result[m], 4) for m in ("psnr", "ssim", "nmse")}
        for method, result in results.items()
    }


def measure_at(model: dl.DCAMSR, folders: list[Path]) -> dict:
    """PSNR of zero-fill and of the network for each patient in each folder's held_out.csv.

    The folders are what ``prepare`` has written, at several matrices.
    """
    found: dict[str, dict] = {}
    for folder in folders:
        for reference, target, _ in read_pairs_csv(folder / "held_out.csv"):
            pair = load_pair(reference, target, model.config.scale)
            side = pair.shape[0]
            patient = Path(target).stem.split("_")[2]
            floor, own = (evaluate(x, [pair])["psnr"] for x in ("zero-fill", model))
            numbers = {"zero-fill": round(floor, 2), "dcamsr": round(own, 2)}
            voxel = f"{side} x {side}, {FIELD_OF_VIEW / side:.2f} mm"
            found.setdefault(voxel, {})[patient] = numbers
    return found


def card(name: str, runs: list[Path], held_out: Path, at: list[Path]) -> None:
    """Copy the weights of the last run here, and write down how they were made and what they can do."""
    folder = ASSETS / "weights"
    weights = folder / f"{name}.safetensors"
    trained = runs[-1] / "last.safetensors"
    model, header = dl.load(trained), read_header(trained)
    scale = model.config.scale
    dl.save(model, weights, **{key: header[key] for key in ("seed", "batch", "rate", "loss")})
    model = dl.load(weights)
    parameters = sum(p.numel() for p in model.parameters())
    sides = f"{MATRIX} x {MATRIX}"
    if model.sides:
        sides = "{0} x {0} to {1} x {1}".format(*model.sides)
    guide = "T1 guides T2" if model.config.reference else "no reference"
    real = [load_pair(r, t, scale) for r, t, _ in read_pairs_csv(held_out)]
    simulated = [simulated_pair(VALIDATION_SEED + i, scale) for i in range(4)]
    content = {
        "name": name,
        "what": f"{model.config.variant}, {model.config.preset}, {scale}x, {guide}, {sides}"
        f" at {FIELD_OF_VIEW:.0f} mm; {parameters} parameters, float16",
        **CARDS[name],
        "kept_out": "open MS patient MNI p19; simulated seeds from 900000",
        "seed": int(header["seed"]),
        "log": f"{name}.csv",
        "numbers": {
            "real, p19, held out": numbers_of(model, real),
            "simulated, seeds 900000 to 900003": numbers_of(model, simulated),
        },
        **({"psnr_by_resolution": measure_at(model, at)} if at else {}),
        "convention": CONVENTION,
        "credit": "Lesjak et al., Neuroinformatics 14 (2016) and 16 (2017); Colin27, McGill University",
        "licence": "MIT (weights); data as named in README.md",
        "sha256": sha256(weights.read_bytes()).hexdigest(),
        "note": "Not for clinical use.",
    }
    (folder / f"{name}.json").write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    with open(folder / f"{name}.csv", "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["stage", *LOG])
        for stage, run in enumerate(runs, 1):
            with open(run / "log.csv", newline="") as log:
                writer.writerows([stage, *row] for row in [*csv.reader(log)][1:])
    print(json.dumps(content["numbers"], indent=1))


if __name__ == "__main__":
    top = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parts = top.add_subparsers(dest="part", required=True)
    first = parts.add_parser("prepare")
    first.add_argument("source", type=Path)
    first.add_argument("out", type=Path)
    first.add_argument("--keep-out", nargs="+", default=[HELD_OUT], metavar="PATIENT")
    first.add_argument("--matrix", type=int, default=MATRIX)
    middle = parts.add_parser("sharpen")
    middle.add_argument("weights", type=Path)
    middle.add_argument("every", type=float)
    middle.add_argument("near", type=float)
    middle.add_argument("out", type=Path)
    across = parts.add_parser("carry")
    across.add_argument("aligned", type=Path)
    across.add_argument("before")
    across.add_argument("weights")
    across.add_argument("share", type=float)
    across.add_argument("out", type=Path)
    between = parts.add_parser("mix")
    between.add_argument("weights", type=Path)
    between.add_argument("others")
    between.add_argument("share", type=float)
    between.add_argument("out", type=Path)
    images = parts.add_parser("magnitudes")
    images.add_argument("out", type=Path)
    last = parts.add_parser("card")
    last.add_argument("name", choices=CARDS)
    last.add_argument("held_out", type=Path)
    last.add_argument("runs", type=Path, nargs="+")
    last.add_argument("--at", type=Path, nargs="+", default=[], help="folders of other matrices")
    chosen = top.parse_args()
    if chosen.part == "prepare":
        prepare(chosen.source, chosen.out, chosen.keep_out, chosen.matrix)
    elif chosen.part == "sharpen":
        sharpen(chosen.weights, chosen.every, chosen.near, chosen.out)
    elif chosen.part == "carry":
        carry(chosen.aligned, chosen.before, chosen.weights, chosen.share, chosen.out)
    elif chosen.part == "mix":
        mix(chosen.weights, chosen.others, chosen.share, chosen.out)
    elif chosen.part == "magnitudes":
        write_magnitudes(chosen.out)
    else:
        card(chosen.name, chosen.runs, chosen.held_out, chosen.at)
