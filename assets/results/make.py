"""`make results`: what ships, the study of the claims, and the page that says what they show.

    python assets/results/make.py floors [PAIRS.csv ...]      -> floors.csv
    python assets/results/make.py study --real FOLDER         -> study.csv, runs.csv; resumes row by row
    python assets/results/make.py study --scale 2 ...         -> study-2x.csv, runs-2x.csv
    python assets/results/make.py speed                       -> speed.csv
    python assets/results/make.py page                        -> README.md and its figures

FOLDER holds train.csv and held_out.csv: `python assets/weights/make.py prepare OPEN_MS FOLDER
--matrix 96 --keep-out p03 p19`; without it the study is on simulated heads alone. `--full` is the
paper's size, on a GPU. A row that was not run says so on the page; no number is filled in any other
way.
"""

import argparse
import csv
import json
import os
import platform
import time
from pathlib import Path

import torch
from tqdm import tqdm

import dcamsr_lite as dl
from dcamsr_lite.baselines import METHODS
from dcamsr_lite.data import load_pair, read_pairs_csv
from dcamsr_lite.errors import atomic_path
from dcamsr_lite.metrics import CONVENTION, score
from dcamsr_lite.simulated import VALIDATION_SEED, simulated_pair
from dcamsr_lite.study import (
    FULL,
    MUST,
    ROWS,
    Study,
    ceilings,
    held_out_pairs,
    network,
    read_lists,
    run,
    training_volumes,
)
from dcamsr_lite.train import slices as training_slices

HERE = Path(__file__).parent
SUBJECTS = 4
FLOORS = ["data", "scale", "method", "volumes", "psnr", "ssim", "nmse", "convention"]
SCORES = ["psnr", "ssim", "nmse", "measured", "removed"]  # the last two: NMSE by band
LEVELS = (1, 2, 4)


def write(name: str, rows: list[list]) -> None:
    with atomic_path(HERE / name) as temporary, open(temporary, "w", newline="") as file:
        csv.writer(file).writerows(rows)
    print(f"wrote {name}")


def floors(arguments: argparse.Namespace) -> None:
    """Score what ships on simulated heads that no training has seen, and on the named pairs."""
    seeds = range(VALIDATION_SEED, VALIDATION_SEED + SUBJECTS)
    data = {f"simulated heads, seeds {seeds[0]} to {seeds[-1]}, 128 x 128": None}
    data |= {Path(name).stem: name for name in arguments.pairs}
    table = [FLOORS]
    for title, name in data.items():
        for scale in (4, 2):
            if name is None:
                pairs = [simulated_pair(seed, scale)[0] for seed in seeds]
            else:
                pairs = [load_pair(r, t, scale) for r, t, _ in read_pairs_csv(name)]
            model = dl.load(f"lite-{scale}x")
            for method in [*METHODS, "dcamsr"]:
                result = dl.evaluate(pairs, scale, method, model if method == "dcamsr" else None)
                numbers = [f"{result[name]:.4f}" for name in ("psnr", "ssim", "nmse")]
                table.append([title, scale, method, result["volumes"], *numbers, CONVENTION])
                print(*table[-1][:-1], sep="\t")
    write("floors.csv", table)


def untrained(study: Study, tests: list) -> list[list]:
    """The floors and the noise ceiling of every test subject, in the rows of study.csv."""
    rows, limits = [], ceilings(study)
    for data, subject, pair in tests:
        for method, image in METHODS.items():
            scores = score(pair.target_image, image(pair), study.scale)
            scores |= scores["error_by_band"]
            rows.append([method, "", data, subject, *(round(scores[n], 5) for n in SCORES)])
        if data == "simulated":
            rows.append(["ceiling", "", data, subject, round(limits[subject], 5), "", "", "", ""])
    return rows


def study(arguments: argparse.Namespace) -> None:
    """Train and score every asked row and seed; what is finished in the work folder is kept."""
    chosen = FULL if arguments.full else Study(scale=arguments.scale)
    train_real, test_real = read_lists(arguments.real)
    tests = held_out_pairs(chosen, test_real)
    tensors = training_slices(training_volumes(chosen, train_real), chosen.scale)
    plan = [(row, seed) for seed in range(arguments.seeds) for row in arguments.rows]
    work = arguments.work / f"{chosen.scale}x"
    for row, seed in tqdm(plan, desc="study"):
        run(chosen, row, seed, work, train_real, test_real, tensors, tests)
    collect(chosen, tests, work)


def machine(device: str = "cpu") -> str:
    """Where a number was measured."""
    if device == "cuda":
        return f"{torch.cuda.get_device_name()}, torch {torch.__version__}"
    return f"{platform.machine()}, {os.cpu_count()} cores, torch {torch.__version__}"


def speed(arguments: argparse.Namespace) -> None:
    """Time a forward pass of every row's network on one slice: one thread, the median of seven."""
    torch.set_num_threads(1)
    table = [["row", "scale", "milliseconds", "size", "threads", "where"]]
    for scale, row in [(scale, row) for scale in (4, 2) for row in ROWS]:
        chosen = Study(scale=scale)
        model = network(chosen, row).eval()
        lr = torch.randn(1, 1, chosen.size // scale, chosen.size // scale)
        ref = torch.randn(1, 1, chosen.size, chosen.size)
        seconds = []
        with torch.inference_mode():
            for _ in range(8):
                started = time.perf_counter()
                model(lr, ref)
                seconds.append(time.perf_counter() - started)
        middle = sorted(seconds[1:])[3]  # the first one warms up
        table.append([row, scale, round(1000 * middle, 1), chosen.size, 1, machine()])
    write("speed.csv", table)


def collect(chosen: Study, tests: list, work: Path) -> None:
    """All finished rows of the work folder -> study.csv (per subject) and runs.csv (per network)."""
    suffix = "" if chosen.scale == 4 else f"-{chosen.scale}x"
    subjects = [["row", "seed", "data", "subject", *SCORES], *untrained(chosen, tests)]
    columns = ["row", "seed", "parameters", "minutes", "threads", "loss"]
    attention = [f"entropy_{b}_{n}" for b in ("spatial", "channel") for n in LEVELS]
    runs = [[*columns, *attention, "study", "where"]]
    where = machine(chosen.device)
    finished = [json.loads(path.read_text()) for path in sorted(Path(work).glob("*.json"))]
    for result in sorted(finished, key=lambda r: ([*ROWS].index(r["row"]), r["seed"])):
        for s in result["subjects"]:
            scores = [round(s[n], 5) for n in SCORES]
            subjects.append([result["row"], result["seed"], s["data"], s["subject"], *scores])
        entropy = []
        for branch in ("spatial", "channel"):
            found = result["entropy"].get(branch, [])
            entropy += [""] * (len(LEVELS) - len(found)) + found  # one level alone is the coarsest
        shared = json.dumps(result["study"], separators=(",", ":"))
        runs.append([*(result[n] for n in columns), *entropy, shared, where])
    write(f"study{suffix}.csv", subjects)
    write(f"runs{suffix}.csv", runs)


def main() -> None:
    top = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parts = top.add_subparsers(dest="part", required=True)
    part = parts.add_parser("floors")
    part.add_argument("pairs", nargs="*", help="CSV of reference,target")
    part.set_defaults(do=floors)
    part = parts.add_parser("study")
    part.add_argument("--real", type=Path, help="a folder with train.csv and held_out.csv")
    part.add_argument("--rows", nargs="+", choices=ROWS, default=MUST)
    part.add_argument("--seeds", type=int, default=3)
    part.add_argument("--scale", type=int, choices=(2, 4), default=4)
    part.add_argument("--full", action="store_true", help="the paper's size, on a GPU")
    part.add_argument("--work", type=Path, default=HERE / "work")
    part.set_defaults(do=study)
    part = parts.add_parser("speed")
    part.set_defaults(do=speed)
    part = parts.add_parser("page")
    part.set_defaults(do=page)
    arguments = top.parse_args()
    arguments.do(arguments)


def page(arguments: argparse.Namespace) -> None:
    import report

    report.write_page(HERE)


if __name__ == "__main__":
    main()
