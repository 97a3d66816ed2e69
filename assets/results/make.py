"""`make results`: score what ships on simulated heads that no training has seen -> floors.csv.

Another CSV of pairs (reference,target) can be named: python assets/results/make.py pairs.csv
"""

import csv
import sys
from pathlib import Path

import dcamsr_lite as dl
from dcamsr_lite.baselines import METHODS
from dcamsr_lite.data import load_pair, read_pairs_csv
from dcamsr_lite.errors import atomic_path
from dcamsr_lite.metrics import CONVENTION
from dcamsr_lite.simulated import VALIDATION_SEED, simulated_pair

SUBJECTS = 4
COLUMNS = ["data", "scale", "method", "volumes", "psnr", "ssim", "nmse", "convention"]


def rows(data: str, pairs: dict[int, list]) -> list[list]:
    """One row per scale and method."""
    table = []
    for scale, listed in pairs.items():
        model = dl.load(f"lite-{scale}x")
        for method in [*METHODS, "dcamsr"]:
            result = dl.evaluate(listed, scale, method, model if method == "dcamsr" else None)
            numbers = [f"{result[name]:.4f}" for name in ("psnr", "ssim", "nmse")]
            table.append([data, scale, method, result["volumes"], *numbers, CONVENTION])
            print(*table[-1][:-1], sep="\t")
    return table


def main(arguments: list[str]) -> None:
    seeds = range(VALIDATION_SEED, VALIDATION_SEED + SUBJECTS)
    pairs = {s: [simulated_pair(seed, s)[0] for seed in seeds] for s in (4, 2)}
    table = rows(f"simulated heads, seeds {seeds[0]} to {seeds[-1]}, 128 x 128", pairs)
    for name in arguments:
        listed = read_pairs_csv(name)
        pairs = {s: [load_pair(r, t, s) for r, t, _ in listed] for s in (4, 2)}
        table += rows(Path(name).stem, pairs)
    out = Path(__file__).parent / "floors.csv"
    with atomic_path(out) as temporary, open(temporary, "w", newline="") as file:
        csv.writer(file).writerows([COLUMNS, *table])
    print(f"wrote {out.name}")


if __name__ == "__main__":
    main(sys.argv[1:])
