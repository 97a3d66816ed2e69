"""`make results`: what ships, the study of the claims, and the page that says what they show.

    python scripts/results/make.py floors [PAIRS.csv ...] -> floors.csv
    python scripts/results/make.py study --real FOLDER  -> study.csv, runs.csv; resumes row by row
    python scripts/results/make.py study --scale 2 ...  -> study-2x.csv, runs-2x.csv
    python scripts/results/make.py shifts -> shift.csv, of what the study trained
    python scripts/results/make.py speed -> speed.csv
    python scripts/results/make.py page -> README.md and its figures

FOLDER holds train.csv and held_out.csv: `python scripts/weights/make.py prepare OPEN_MS FOLDER
--matrix 96 --keep-out p03 p19`; without it the study is on simulated heads alone, another one than
the published, and goes to a folder of your own (`--out`). `--full` is the paper's size, on a GPU;
`--subjects 0 --tests 0` leaves the simulated heads out. A
row that was not run says so on the page; no number is filled in any other way.
"""

import argparse
import csv
import json
import os
import platform
import time
from dataclasses import replace
from pathlib import Path

import torch
from tables import read
from tqdm import tqdm

import dcamsr_lite as dl
from dcamsr_lite.data.file_lists import read_pairs_csv
from dcamsr_lite.data.pairs import Pair, load_pair
from dcamsr_lite.errors import ASSETS, InputError, atomic_path, check_writable
from dcamsr_lite.evaluation import METHODS
from dcamsr_lite.kspace import shift
from dcamsr_lite.metrics import CONVENTION, ceiling_from_repetitions, psnr, score
from dcamsr_lite.phantom.subjects import VALIDATION_SEED, simulated_pair, simulated_repetitions
from dcamsr_lite.training.dataset import collect_slices
from dcamsr_lite.training.memory import measure_memory
from dcamsr_lite.training.recipe import make_reader, positive
from dcamsr_lite.training.study import (
    DISPLACED,
    ROWS,
    Study,
    build_network,
    describe_study,
    list_training_pairs,
    make_test_pairs,
    measure_step,
    train_row,
)
from dcamsr_lite.training.survey import survey_sources

HERE = ASSETS / "results"
# The paper's size: the same command, on a GPU.
FULL = Study(
    size=256, steps=100_000, batch=4, rate=2e-4, schedule="paper", subjects=128, tests=30,
    network={}, preset="full", device="cuda",
)  # fmt: skip
MUST = tuple(ROWS)[:8]  # the rows that answer questions 1 to 3 of the page
SUBJECTS = 4
FLOORS = ["data", "scale", "method", "volumes", "psnr", "ssim", "nmse", "convention"]
SCORES = ["psnr", "ssim", "nmse", "measured", "removed"]  # the last two: NMSE by band
RUNS = ["row", "seed", "parameters", "minutes", "threads", "loss"]
LEVELS = (1, 2, 4)
PIXELS = (0.0, 0.5, 1.0, 2.0, 3.0)  # how far the reference is moved to the right
MOVED = ["corrected", "no_spatial", "local_window", "no_spatial_deep", "local_window_deep"]
MOVED += ["released", "paper", "concatenation", "minet", "ttsr", "masa", "mcmrsr"]
MOVED += [row for row in ROWS if row.startswith("aligned") or row.endswith(DISPLACED)]


def write(path: Path, rows: list[list]) -> None:
    with atomic_path(path) as temporary, open(temporary, "w", newline="") as file:
        csv.writer(file).writerows(rows)
    print(f"wrote {path}")


def floors(arguments: argparse.Namespace) -> None:
    """Score what ships on simulated heads that no training has seen, and on the named pairs."""
    seeds = range(VALIDATION_SEED, VALIDATION_SEED + SUBJECTS)
    data = {f"simulated heads, seeds {seeds[0]} to {seeds[-1]}, 128 x 128": None}
    data |= {Path(name).stem: name for name in arguments.pairs}
    table = [FLOORS]
    for title, name in data.items():
        for scale in (4, 2):
            if name is None:
                pairs = [simulated_pair(seed, scale) for seed in seeds]
            else:
                pairs = [load_pair(r, t, scale) for r, t, _ in read_pairs_csv(name)]
            model = dl.load(f"lite-{scale}x")
            for method in [*METHODS, model]:
                result = dl.evaluate(method, pairs)
                numbers = [f"{result[name]:.4f}" for name in ("psnr", "ssim", "nmse")]
                table.append(
                    [title, scale, result["method"], result["volumes"], *numbers, CONVENTION]
                )
                print(*table[-1][:-1], sep="\t")
    write(arguments.out / "floors.csv", table)


def measure_ceilings(study: Study) -> dict[str, float]:
    """The noise ceiling of each simulated test subject, in dB, from two repetitions of its target."""
    found = {}
    for seed in range(VALIDATION_SEED, VALIDATION_SEED + study.tests):
        repetitions = simulated_repetitions(seed, study.size, study.slices)
        found[str(seed)] = ceiling_from_repetitions(*repetitions, study.scale)
    return found


def score_untrained(study: Study, tests: list) -> list[list]:
    """The floors and the noise ceiling of every test subject, in the rows of study.csv."""
    rows, limits = [], measure_ceilings(study)
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
    chosen = choose_study(arguments)
    work = arguments.work / f"{chosen.scale}x"
    train_real, test_real = read_lists(arguments.real)
    real = (len(train_real), len(test_real))
    # all that can be refused is, before anything is read
    read_kept_runs(arguments.out, chosen, describe_study(chosen, real))
    check_writable(arguments.out)
    check_writable(work)
    slices = count_slices(chosen, arguments.real)
    limit = measure_memory("cpu") * 1e9 / 4
    print(describe_size(chosen, real, slices, limit, work / "slices"))
    hours = estimate_hours(chosen, arguments.rows, arguments.seeds, work)
    print(describe_hours(hours, chosen.steps, describe_machine(chosen.device)), flush=True)
    tests = make_test_pairs(chosen, test_real)
    total = chosen.subjects + real[0]
    pairs = tqdm(list_training_pairs(chosen, train_real), "reading", total, unit="pair")
    data = collect_slices(pairs, chosen.scale, work / "slices", limit)
    plan = [(row, seed) for seed in range(arguments.seeds) for row in arguments.rows]
    # a row counts as much as it was estimated to take: what is left follows from what it took
    form = "{desc}: {percentage:3.0f}% {bar} {elapsed} past, {remaining} to go"
    seconds = {key: round(3600 * each) for key, each in hours.items()}  # whole: sums are exact
    with tqdm(desc="study", total=sum(seconds.values()), bar_format=form) as bar:
        for row, seed in plan:
            bar.set_description(f"study, {row} {seed}")
            train_row(chosen, row, seed, work, data, tests, real)
            bar.update(seconds.get((row, seed), 0))
    collect_rows(chosen, tests, work, arguments.out)


def estimate_hours(
    chosen: Study, rows: list[str], seeds: int, work: Path
) -> dict[tuple[str, int], float]:
    """(row, seed) -> hours of its training on this machine, by some real steps; none where finished."""
    left = [(r, s) for r in rows for s in range(seeds) if not (work / f"{r}-{s}.json").is_file()]
    measured = {row: measure_step(chosen, row) for row in dict(left)}
    return {(row, seed): chosen.steps * measured[row] / 3600 for row, seed in left}


def describe_hours(hours: dict[tuple[str, int], float], steps: int, where: str) -> str:
    """How long each row and all will take: a line for each, before anything is trained."""
    if not hours:
        return "every row is finished"
    rows: dict[str, list[float]] = {}
    for (row, _), each in hours.items():
        rows.setdefault(row, []).append(each)
    lines = [
        f"  {row:<20}{3600 * each[0] / steps:>9.3f} s a step, {name_time(each[0])}"
        + f" x {len(each)} = {name_time(sum(each))}"
        for row, each in rows.items()
    ]
    every = f"in all {name_time(sum(hours.values()))} of training, and reading and scoring besides"
    return "\n".join([f"{steps} steps a row, measured here ({where}):", *lines, every])


def name_time(hours: float) -> str:
    return f"{hours:.1f} hours" if hours >= 1 else f"{60 * hours:.1f} minutes"


def choose_study(arguments: argparse.Namespace) -> Study:
    """The asked study; InputError where this machine cannot run it, or where it has no data."""
    chosen = replace(FULL if arguments.full else Study(), scale=arguments.scale)
    asked = {name: getattr(arguments, name) for name in ("subjects", "tests")}
    chosen = replace(chosen, **{name: n for name, n in asked.items() if n is not None})
    if chosen.device == "cuda" and not torch.cuda.is_available():
        expected = "a GPU build and a GPU; without --full it runs on a CPU"
        raise InputError("--full", "no CUDA device in torch", expected)
    if arguments.real is None and not (chosen.subjects and chosen.tests):
        raise InputError(
            "study", "no simulated heads and no --real", "data to train and to test on"
        )
    return chosen


def count_slices(chosen: Study, real: Path | None) -> int | None:
    """Slices to train on before dark ones go, mirrored ones too; None where a header does not say.

    Raises InputError for volumes that do not have the study's size, or unlike ones in a pair.
    """
    names = [] if real is None else [str(real / name) for name in ("train.csv", "held_out.csv")]
    for name in names:
        found = survey_sources([name], chosen.size, 0)
        if found.size not in (None, (chosen.size, chosen.size)):
            expected = (
                f"{chosen.size} x {chosen.size}, as the study: prepare --matrix {chosen.size}"
            )
            raise InputError(name, f"volumes of {found.size}", expected)
    counted = survey_sources(names[:1], chosen.size, 0).slices if names else 0
    return None if counted is None else 2 * (counted + chosen.subjects * chosen.slices)


def describe_size(
    chosen: Study, real: tuple[int, int], slices: int | None, limit: float, folder: Path
) -> str:
    """What will be read, and where it will be held."""
    pairs = f"{chosen.subjects} simulated heads and {real[0]} real pairs"
    if slices is None:
        return f"{pairs}; a header does not say how many slices"
    size = 4 * slices * (2 * chosen.size**2 + (chosen.size // chosen.scale) ** 2)
    where = "in memory" if size <= limit else f"on disk where they need {limit / 1e9:.1f}: {folder}"
    return f"{pairs}: at most {slices} slices, {size / 1e9:.2f} GB, {where}"


def read_lists(folder: Path | None) -> tuple[list, list]:
    """train.csv and held_out.csv of a folder that scripts/weights/make.py prepared, or none."""
    if folder is None:
        return [], []
    return tuple([*read_pairs_csv(folder / name)] for name in ("train.csv", "held_out.csv"))


def move_reference(pair: Pair, pixels: float) -> Pair:
    """The pair whose reference lies ``pixels`` to the right of where it was."""
    moved = torch.stack([shift(image, 0, pixels) for image in pair.ref[:, 0]])
    return replace(pair, ref=moved[:, None])


def shifts(arguments: argparse.Namespace) -> None:
    """Score what the study trained at 4x with references out of place; resumes network by network.

    Rows that shift.csv has already, of networks that are not in the work folder, stay.
    """
    chosen, work = Study(), arguments.work / "4x"
    tests = make_test_pairs(chosen, read_lists(arguments.real)[1])
    sets = {x: [move_reference(pair, x) for *_, pair in tests] for x in PIXELS}
    finished = [json.loads(path.read_text()) for path in sorted(work.glob("*.json"))]
    finished = [result for result in finished if result["row"] in MOVED]
    new = {(result["row"], str(result["seed"])) for result in finished}
    published = read(arguments.out / "shift.csv")
    table = [[*line.values()] for line in published if (line["row"], line["seed"]) not in new]
    for result in tqdm(finished):
        folder = work / f"{result['row']}-{result['seed']}"
        if not (known := folder / "shift.csv").is_file():
            lines = score_moved(dl.load(folder / "last.safetensors"), sets, result)
            write(known, lines)
        with open(known, newline="") as file:
            table += csv.reader(file)
    table.sort(key=lambda line: (MOVED.index(line[0]), int(line[1])))
    write(arguments.out / "shift.csv", [["row", "seed", "subject", "pixels", "psnr"], *table])


def score_moved(model: torch.nn.Module, sets: dict, result: dict) -> list[list]:
    """Lines of shift.csv of one network; raises InputError where it is not the one of the study."""
    heads, lines = result["subjects"], []
    for x, pairs in sets.items():
        for head, pair in zip(heads, pairs, strict=False):  # simulated first, real where asked
            db = float(psnr(pair.target_image, dl.super_resolve(model, pair)))
            if x == 0 and abs(db - head["psnr"]) > 0.01:  # weights are stored in half precision
                raise InputError("weights", f"{db} dB", f"{head['psnr']} dB, as in the study")
            lines.append([result["row"], result["seed"], head["subject"], x, round(db, 5)])
    return lines


def describe_machine(device: str = "cpu") -> str:
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
        model = build_network(chosen, row).eval()
        lr = torch.randn(1, 1, chosen.size // scale, chosen.size // scale)
        ref = torch.randn(1, 1, chosen.size, chosen.size)
        seconds = []
        with torch.inference_mode():
            for _ in range(8):
                started = time.perf_counter()
                model(lr, ref)
                seconds.append(time.perf_counter() - started)
        middle = sorted(seconds[1:])[3]  # the first one warms up
        table.append([row, scale, round(1000 * middle, 1), chosen.size, 1, describe_machine()])
    write(arguments.out / "speed.csv", table)


def name_suffix(chosen: Study) -> str:
    return "" if chosen.scale == 4 else f"-{chosen.scale}x"


def read_kept_runs(out: Path, chosen: Study, shared: dict) -> list[dict]:
    """The rows that runs.csv in ``out`` has; raises InputError where they are of another study."""
    path = out / f"runs{name_suffix(chosen)}.csv"
    rows = read(path)
    for row in rows:
        if json.loads(row["study"]) != shared:
            raise InputError(path, row["study"], f"{json.dumps(shared)}, or another folder: --out")
    return rows


def collect_rows(chosen: Study, tests: list, work: Path, out: Path) -> None:
    """Finished rows of the work folder -> study.csv (per subject), runs.csv (per network) in ``out``.

    Rows that are there already, of the same study, stay.
    """
    finished = [json.loads(path.read_text()) for path in sorted(Path(work).glob("*.json"))]
    if len({json.dumps(r["study"]) for r in finished}) > 1:
        raise InputError(work, "runs of several studies", "those of one; another folder: --work")
    new = {(r["row"], str(r["seed"])) for r in finished}
    kept = [
        r
        for r in read_kept_runs(out, chosen, finished[0]["study"])
        if (r["row"], r["seed"]) not in new
    ]
    old = {(r["row"], r["seed"]) for r in kept}
    scored = read(out / f"study{name_suffix(chosen)}.csv")
    subjects = [[*r.values()] for r in scored if (r["row"], r["seed"]) in old]
    runs = [[*r.values()] for r in kept]
    where = describe_machine(chosen.device)
    for result in finished:
        for s in result["subjects"]:
            scores = [round(s[n], 5) for n in SCORES]
            subjects.append([result["row"], result["seed"], s["data"], s["subject"], *scores])
        entropy = []
        for branch in ("spatial", "channel"):
            found = result["entropy"].get(branch, [])
            entropy += [""] * (len(LEVELS) - len(found)) + found  # one level alone is the coarsest
        shared = json.dumps(result["study"], separators=(",", ":"))
        runs.append([*(result[n] for n in RUNS), *entropy, shared, where])
    attention = [f"entropy_{b}_{n}" for b in ("spatial", "channel") for n in LEVELS]
    first = [["row", "seed", "data", "subject", *SCORES], *score_untrained(chosen, tests)]
    write(out / f"study{name_suffix(chosen)}.csv", first + sorted(subjects, key=find_place))
    write(
        out / f"runs{name_suffix(chosen)}.csv",
        [[*RUNS, *attention, "study", "where"], *sorted(runs, key=find_place)],
    )


def find_place(line: list) -> tuple[int, int]:
    """Rows in the order of ROWS, then seeds."""
    return [*ROWS].index(line[0]), int(line[1])


def main() -> None:
    top = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parts = top.add_subparsers(dest="part", required=True)
    for do in (floors, study, shifts, speed, page):
        part = parts.add_parser(do.__name__, help=(do.__doc__ or "").split("\n")[0])
        part.add_argument("--out", type=Path, default=HERE, help="where tables and page are")
        part.set_defaults(do=do)
        if do in (study, shifts):
            part.add_argument("--work", type=Path, default=HERE / "work", help="finished runs")
            part.add_argument("--real", type=Path, help="folder with train.csv and held_out.csv")
    part = parts.choices["floors"]
    part.add_argument("pairs", nargs="*", help="CSV of reference,target")
    part = parts.choices["study"]
    part.add_argument("--rows", nargs="+", choices=ROWS, default=MUST)
    part.add_argument("--seeds", type=positive, default=3)
    for name, words in (("subjects", "train"), ("tests", "test")):
        text = f"simulated heads to {words} on, 0 for --real alone (default: the study's)"
        part.add_argument(f"--{name}", type=make_reader("count", int, lambda n: n >= 0, "a count"),
                          help=text)  # fmt: skip
    part.add_argument("--scale", type=int, choices=(2, 4), default=4)
    part.add_argument("--full", action="store_true", help="the paper's size, on a GPU")
    arguments = top.parse_args()
    try:
        arguments.do(arguments)
    except InputError as error:
        top.exit(2, f"{error}\n")


def page(arguments: argparse.Namespace) -> None:
    """Write README.md and its figures from the tables in --out."""
    import report

    report.write_page(arguments.out)


if __name__ == "__main__":
    main()
