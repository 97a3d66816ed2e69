"""How the weights in this folder were made: real pairs to the lite grid, training, the card.

    python assets/weights/make.py prepare OPEN_MS_FOLDER real
    dcamsr train --data simulated --data real/train.csv --validation real/held_out.csv ... --out RUN
    python assets/weights/make.py card RUN lite-4x real/held_out.csv --command "dcamsr train ..."

The real pairs are the open MS data of the Laboratory of Imaging Technologies, University of Ljubljana
(CC-BY; see README.md), as .npz files with arrays T1W, T2W (slice, row, column) and spacing (mm).
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
from dcamsr_lite.baselines import METHODS
from dcamsr_lite.checkpoints import read_header
from dcamsr_lite.data import load_pair, read_pairs_csv
from dcamsr_lite.evaluation import evaluate
from dcamsr_lite.kspace import center_crop, center_pad, fft2c, ifft2c
from dcamsr_lite.metrics import CONVENTION
from dcamsr_lite.simulated import VALIDATION_SEED, simulated_pair

HELD_OUT = "longitudinal_p03"  # a patient, in no training file
FIELD_OF_VIEW, MATRIX = 240.0, 128  # the lite grid: mm, pixels


def to_lite_grid(volume: Tensor, spacing: float) -> Tensor:
    """Zero-pad or cut to a field of view of 240 mm, then crop k-space to 128 x 128."""
    side = round(FIELD_OF_VIEW / spacing)
    rows, columns = (min(side, n) for n in volume.shape[-2:])
    square = center_pad(center_crop(volume, (rows, columns)), (side, side))
    return ifft2c(center_crop(fft2c(square), (MATRIX, MATRIX))).abs() * MATRIX / side


def prepare(source: Path, out: Path) -> None:
    """Write .npy volumes and the lists train.csv and held_out.csv."""
    out.mkdir(parents=True, exist_ok=True)
    rows: dict[str, list] = {"train": [], "held_out": []}
    for path in sorted(source.glob("*.npz")):
        with np.load(path, allow_pickle=False) as arrays:
            spacing = float(arrays["spacing"][0])
            t1, t2 = (
                to_lite_grid(torch.from_numpy(arrays[name].astype(np.float32)), spacing)
                for name in ("T1W", "T2W")
            )
        brightness = t2.mean((-2, -1))
        keep = brightness > brightness.max() / 4
        names = [f"{path.stem}_{contrast}.npy" for contrast in ("T1", "T2")]
        for name, volume in zip(names, (t1, t2), strict=True):
            np.save(out / name, volume[keep].numpy())
        rows["held_out" if HELD_OUT in path.stem else "train"].append(names)
    for name, listed in rows.items():
        with open(out / f"{name}.csv", "w", newline="") as file:
            csv.writer(file).writerows(listed)


def card(run: Path, name: str, held_out: Path, command: str) -> None:
    """Copy the weights of a finished run here and write down what they can do."""
    folder = Path(__file__).parent
    weights = folder / f"{name}.safetensors"
    weights.write_bytes((run / "last.safetensors").read_bytes())
    model = dl.load(weights)
    scale = model.config.scale
    pairs = {
        "real, held out": [load_pair(r, t, scale) for r, t, _ in read_pairs_csv(held_out)],
        "simulated, held out": [simulated_pair(VALIDATION_SEED + i, scale)[0] for i in range(4)],
    }
    numbers = {}
    for data, listed in pairs.items():
        results = {m: evaluate(listed, scale, m) for m in METHODS}
        results["dcamsr"] = evaluate(listed, scale, model=model)
        numbers[data] = {
            method: {m: round(result[m], 4) for m in ("psnr", "ssim", "nmse")}
            for method, result in results.items()
        }
    header = read_header(weights)
    content = {
        "name": name,
        "what": f"{model.config.variant}, {model.config.preset}, {scale}x, T1 guides T2,"
        f" {MATRIX} x {MATRIX} at {FIELD_OF_VIEW:.0f} mm; {sum(p.numel() for p in model.parameters())}"
        " parameters, float16",
        "trained_on": "16 simulated subjects (seeds 0 to 15; real anatomy, simulated contrasts) and"
        " open MS patients longitudinal p01 (two sessions), MNI p07 and p19 (CC-BY), each slice also"
        " mirrored",
        "kept_out": "open MS patient longitudinal p03 (one session); simulated seeds from 900000",
        "selection": "none: the last step",
        "steps": int(header["steps"]),
        "seed": int(header["seed"]),
        "command": command,
        "log": f"{name}.csv",
        "numbers": numbers,
        "convention": CONVENTION,
        "credit": "Lesjak et al., Neuroinformatics 14 (2016) and 16 (2017); Colin27, McGill University",
        "licence": "MIT (weights); data as named in README.md",
        "sha256": sha256(weights.read_bytes()).hexdigest(),
        "note": "Not for clinical use.",
    }
    (folder / f"{name}.json").write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    (folder / f"{name}.csv").write_bytes((run / "log.csv").read_bytes())
    print(json.dumps(numbers, indent=1))


if __name__ == "__main__":
    top = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    steps = top.add_subparsers(dest="step", required=True)
    first = steps.add_parser("prepare")
    first.add_argument("source", type=Path)
    first.add_argument("out", type=Path)
    last = steps.add_parser("card")
    last.add_argument("run", type=Path)
    last.add_argument("name")
    last.add_argument("held_out", type=Path)
    last.add_argument("--command", required=True)
    chosen = top.parse_args()
    if chosen.step == "prepare":
        prepare(chosen.source, chosen.out)
    else:
        card(chosen.run, chosen.name, chosen.held_out, chosen.command)
