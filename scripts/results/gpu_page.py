"""The page of the GPU run: every number but the goals is read from the files of the run."""

import json
from pathlib import Path
from statistics import mean

from tables import read, table_of

import dcamsr_lite as dl
from dcamsr_lite.errors import ASSETS

SHIPPED = "lite-4x-footprints"
TIMES_AS_FAST = 3  # the goals that were set before the run
EXPONENTS = (0.95, 1.1)
PASSES = ("forward", "forward + backward")
PATHS = ("plain", "fast")
METHODS = {"dcamsr": "full-4x"}  # its name in the tables of the run


def write_text(folder: Path) -> str:
    """The whole page."""
    about = {
        name: json.loads((folder / f"{name}.json").read_text())
        for name in ("correct", "bench", "profile", "equal", "train")
    }
    rows = {name: read(folder / f"{name}.csv") for name in (*about, "full-4x", "compare")}
    machine = about["bench"]["machine"]
    lines = [
        "# One run on a GPU",
        "",
        "Written by `python scripts/results/gpu_run.py page` from the files in [gpu](gpu); no number",
        "of ours was typed but the goals. Not for clinical use.",
        "",
        f"{machine['gpu']}, {machine['cores']} cores of a CPU, torch {machine['torch']}, TF32 off; one",
        f"run of `scripts/gpu.py`, seed {about['bench']['seed']}: **no number here has an interval.**",
        f'"Plain" is {about["bench"]["paths"]["plain"]}; "fast" is {about["bench"]["paths"]["fast"]}.',
        f"The machine reached {tell_floor(about['bench']['floor'])}.",
        "",
        *tell_checks(about["correct"], rows["correct"]),
        *tell_bench(about["bench"], rows["bench"]),
        *tell_profile(about["profile"]),
        *tell_equal_steps(about["equal"], rows["equal"]),
        *tell_steps(about, rows["bench"]),
        *tell_training(about["train"], rows["full-4x"], rows["train"]),
        *tell_comparison(rows["compare"]),
    ]
    return "\n".join(lines).rstrip() + "\n"


def tell_floor(floor: dict[str, float]) -> str:
    kinds = {"bfloat16 TFLOP/s": "bfloat16", "float32 TFLOP/s": "float32"}
    products = [f"{floor[key]:.0f} TFLOP/s in {kind}" for key, kind in kinds.items()]
    return f"{' and '.join(products)} matrix products, and {floor['copy GB/s']:.0f} GB/s in a copy"


def tell_checks(about: dict, rows: list[dict]) -> list[str]:
    bounded = [r for r in rows if r["bound"]]
    good = sum(r["good"] == "True" for r in bounded)
    table = [[r["check"], f"{float(r['value']):.2g}", show_bound(r["bound"])] for r in rows]
    return [
        "## Correctness on the device",
        "",
        f"{good} of {len(bounded)} checks are within their bounds. Numbers are norms of differences,"
        " relative; goldens are the released network's own outputs. On a GPU two trainings that are",
        "started alike differ, because sums are added in another order: the line without a bound says",
        "how much, and three times as much is the bound of a resumed one.",
        "",
        *table_of(["check", "difference", "bound"], table),
        "",
    ]


def show_bound(bound: str) -> str:
    return f"{float(bound):.2g}" if bound else ""


def tell_bench(about: dict, rows: list[dict]) -> list[str]:
    measured = [r for r in rows if r["status"] == "measured"]
    fast = [r for r in measured if r["path"] == "fast"]
    slower = [r for r in fast if float(r["times_plain"]) < 1]
    best = max(fast, key=lambda r: float(r["times_plain"]))
    repeats = sorted({int(r["repeats"]) for r in measured})
    lines = [
        "## Plain and fast, side by side",
        "",
        f"Medians of {repeats[0]} to {repeats[-1]} interleaved repeats, random images; quartiles stand"
        " in [bench.csv](gpu/bench.csv). Memory is what forward and backward need beyond"
        " what was held before them. The fast path",
        f"is the slower one in {len(slower)} of {len(fast)} pairs, mostly small ones, and at best"
        f" {float(best['times_plain']):.1f} times as fast ({name(best)}, {best['size']} x"
        f" {best['size']}, batch {best['batch']}, {best['pass']}).",
        "",
    ]
    for batch in sorted({int(r["batch"]) for r in measured}, reverse=True):
        lines += [*bench_table([r for r in measured if int(r["batch"]) == batch], batch), ""]
    if failed := len(rows) - len(measured):
        lines += [f"{failed} rows were not measured.", ""]
    if "status" in about["compile"]:
        lines += [f"torch.compile: {about['compile']['status']}, the part's time was over.", ""]
    return lines + tell_exponents(about["exponents"])


def name(row: dict) -> str:
    return f"`{row['preset']}` {row['variant']}"


def bench_table(rows: list[dict], batch: int) -> list[str]:
    """Networks and sizes of one batch: time of both passes, memory of the second."""
    found = {
        (name(r), int(r["size"]), r["pass"], r["path"]): (r["median_ms"], r["peak_gb"])
        for r in rows
    }
    table = []
    for network, size in sorted({key[:2] for key in found}):
        cells = []
        for kind in PASSES:
            plain, fast = (float(found[network, size, kind, p][0]) for p in PATHS)
            cells += [f"{plain:.1f}", f"{fast:.1f}", f"{plain / fast:.2f}"]
        cells += [f"{float(found[network, size, PASSES[1], p][1]):.2f}" for p in PATHS]
        table.append([network, str(size), *cells])
    times = [f"{kind}: {x}" for kind in PASSES for x in ("plain, ms", "fast, ms", "ratio")]
    return table_of(
        [f"batch {batch}", "size", *times, "memory: plain, GB", "memory: fast, GB"], table
    )


def tell_exponents(entries: list[dict]) -> list[str]:
    low, high = EXPONENTS
    kinds = {"time": "median_ms from 128", "memory": "peak_gb from 128"}
    lines = [
        "### Cost against pixels",
        "",
        f"Fitted exponents from 128 x 128 on; {low} to {high} was the goal.",
        "",
    ]
    for kind, key in kinds.items():
        found = [entry[key] for entry in entries]
        within = sum(low <= x <= high for x in found)
        lines.append(
            f"- {kind}: {within} of {len(found)} within the goal ({min(found):.2f} to {max(found):.2f})"
        )
    found = {(name(e), e["batch"], e["pass"], e["path"]): e for e in entries}
    table = [
        [network, str(batch), kind]
        + [f"{found[network, batch, kind, p][k]:.2f}" for k in kinds.values() for p in PATHS]
        for network, batch, kind in dict.fromkeys(key[:3] for key in found)
    ]
    head = ["network", "batch", "pass", *(f"{kind}, {path}" for kind in kinds for path in PATHS)]
    return lines + [
        "",
        "An exponent of time below the goal is no gain: at these sizes the GPU is not full, and small",
        "images take nearly as long as larger ones.",
        "",
        *table_of(head, table),
        "",
    ]


def tell_profile(about: dict) -> list[str]:
    shares = [[kind, f"{share:.1%}"] for kind, share in about["kinds"].items()]
    return [
        "## Where one fast training step goes",
        "",
        f"`{about['setting'].split(',')[0]}`,{about['setting'].partition(',')[2]}: kernels of"
        f" {about['kernels_ms']:.0f} ms in a step of {about['step_ms']:.0f} ms, in"
        f" {about['launches']} launches: the GPU computes during {about['busy']:.0%} of the step, and"
        f" waits for launches in the rest (kernels from one profiled step, the step's time from"
        f" others). {about['tflop_per_s']:.0f} TFLOP/s are"
        f" {about['of_bf16_peak']:.1%} of what its bfloat16 products reached. Shares of the kernels'"
        " time; the single kernels stand in [profile.txt](gpu/profile.txt).",
        "",
        *table_of(["kind", "share"], shares),
        "",
    ]


def tell_equal_steps(about: dict, rows: list[dict]) -> list[str]:
    last = {r["run"]: r for r in rows if r["status"] == "measured"}
    data = [key for key in rows[0] if key.startswith("psnr ")]

    def differences(one: str, other: str) -> list[float]:
        return [float(last[one][d]) - float(last[other][d]) for d in data]

    ratio = about["times_as_fast"]
    goal = "reached" if ratio >= TIMES_AS_FAST else "**not reached**"
    path, order = differences("fast", "plain"), differences("fast, other order", "fast")
    table = [
        [r["run"], r["step"], f"{float(r['step_ms']):.0f}", *(f"{float(r[d]):.2f}" for d in data)]
        for r in rows
        if r["status"] == "measured"
    ]
    return [
        "## Equal steps from one start",
        "",
        f"`full`, {about['size']} x {about['size']}, batch {about['batch']}, {about['steps']} steps,"
        f" rate {about['rate']}: the fast step is **{ratio:.2f} times as fast**; {TIMES_AS_FAST} times"
        f" was the goal, and is {goal}. PSNR after as many steps, a few slices of each held-out volume:"
        f" fast minus plain {mean(path):+.2f} dB in the mean ({min(path):+.2f} to {max(path):+.2f});"
        f" another order of the same slices changes {min(order):+.2f} to {max(order):+.2f} dB, so that"
        " so short a training does not tell the two paths apart.",
        "",
        *table_of(["run", "step", "ms", *data], table),
        "",
    ]


def tell_steps(about: dict, rows: list[dict]) -> list[str]:
    """The same fast step in three parts of the run."""
    equal = about["equal"]
    like = {"preset": "full", "variant": "corrected", "pass": PASSES[1], "path": "fast"}
    like |= {"size": str(equal["size"]), "batch": str(equal["batch"])}
    found = next(r for r in rows if like.items() <= r.items())
    return [
        f"The ratio is not the bench's {float(found['times_plain']):.2f}: the fast step, bound by its"
        f" launches, took {float(found['median_ms']):.0f} ms in the bench (without the optimizer) and"
        f" {about['profile']['step_ms']:.0f} ms in the profile, on the same machine.",
        "",
    ]


def tell_training(about: dict, log: list[dict], scores: list[dict]) -> list[str]:
    """What was trained and how far; its scores on whole volumes that it never saw."""
    data, planned = about["data"], []
    real = "".join(c for c in data["real"] if c not in "[]'")
    for number, key in enumerate((k for k in about if k.startswith("stage ")), 1):
        done = [r for r in log if r["stage"] == str(number)]
        steps = about[key].get("planned", about[key])["steps"]
        seconds = float(done[-1]["seconds"])
        rates = f"{float(done[0]['learning_rate']):.2g} to {float(done[-1]['learning_rate']):.2g}"
        every, end = int(done[0]["step"]), int(done[-1]["step"])
        after = f", none at {end + every}" if end < steps else ""
        planned.append(
            f"- stage {number}, {key.removeprefix('stage ')}: {steps} steps planned; last line of the"
            f" log at step {end}, after {seconds:.0f} s"
            f" ({1e3 * seconds / end:.0f} ms a step){after}; rates at its first and last line {rates}"
        )
    table = [
        [r["data"], METHODS.get(r["method"], r["method"]), r["slices"], *show_scores(r)]
        for r in scores
    ]
    stopped = ""
    if "stopped" in about:
        said = about["stopped"].partition(": ")[2]
        stopped = f' It was stopped by the clock ("{said}"): the script planned both stages ahead;'
        stopped += " today it plans the second from what the first took."
    return [
        "## The training of `full` at 256 x 256, 4x",
        "",
        f"{about['parameters']} parameters, batch {about['batch']}, Adam at {about['rate']}, cosine,"
        f" bf16, weights averaged. Data: {data['simulated']}; real: {real};"
        f" {data['slices']} slices in all.{stopped}",
        "",
        *planned,
        "",
        "On what it never saw, whole volumes:",
        "",
        *table_of(["data", "method", "slices", "PSNR", "SSIM", "NMSE"], table),
        "",
    ]


def show_scores(row: dict) -> list[str]:
    digits = {"psnr": 2, "ssim": 3, "nmse": 4}
    return [f"{float(row[key]):.{n}f}" for key, n in digits.items()]


def tell_comparison(rows: list[dict]) -> list[str]:
    psnr: dict[str, dict[str, float]] = {}
    for r in rows:
        psnr.setdefault(r["data"], {})[r["method"]] = float(r["psnr"])
    ours = METHODS["dcamsr"]
    gains = [
        f"{data}: {of[ours]:.2f} dB against {of[SHIPPED]:.2f} dB ({of[ours] - of[SHIPPED]:+.2f})"
        for data, of in psnr.items()
    ]
    stages = {r["stage"]: int(r["step"]) for r in read(ASSETS / "weights" / f"{SHIPPED}.csv")}
    size = " x ".join(map(str, dl.load(SHIPPED).config.image_size))
    return [
        f"## Beside `{SHIPPED}`, and why it is not shipped",
        "",
        f"The same slices at full size, `{ours}` against `{SHIPPED}`: {'; '.join(gains)}.",
        f"`{SHIPPED}` was trained at {size}, for {sum(stages.values())} steps, so that heads of"
        f" this size are new to it; the patient was looked at while its recipe was chosen."
        f" **`{ours}` is not shipped:** on the patient it is no better than the network that is there."
        " Its gain on a simulated head says little about patients. This was a training of minutes,"
        " and the released variant with the paper's schedule was not run.",
        "",
        *table_of(
            ["data", "method", "slices", "PSNR", "SSIM", "NMSE"],
            [[r["data"], r["method"], r["slices"], *show_scores(r)] for r in rows],
        ),
        "",
    ]
