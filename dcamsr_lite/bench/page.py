"""The results page of ``dcamsr bench``: bench.md, its numbers in bench.json, and the plot.

Every number of the page comes from the measurement; the goals are the only ones that were typed.
"""

import json
from pathlib import Path

from ..errors import atomic_path
from ..figures import write_png
from ..panels import WARNING, default_style
from .networks import KEYS, PASSES, PATHS

EXPONENTS = (0.95, 1.1)  # goal: cost grows as the pixels do
GOALS = {  # of `full` released at 256 x 256, one image
    "forward pass, times as fast as plain": (PASSES[0], "times_plain", 1.5),
    "forward and backward pass, times as fast": (PASSES[1], "times_plain", 2.0),
    "memory of forward and backward pass, of plain's": (PASSES[1], "memory", 0.5),
}


def write_page(folder: Path, result: dict) -> None:
    """bench.json, bench.md and bench.png in ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    texts = {"bench.json": json.dumps(result, indent=1) + "\n", "bench.md": write_text(result)}
    for name, text in texts.items():
        with atomic_path(folder / name) as temporary:
            temporary.write_text(text, encoding="utf-8")
    draw_costs(result["rows"], folder / "bench.png")


def read_result(folder: Path) -> dict:
    """What a page in this folder was written from; empty where there is none.

    >>> read_result(Path("nowhere"))
    {}
    """
    path = folder / "bench.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}


def join_rows(old: dict, new: dict) -> list[dict]:
    """New rows in the place of old ones; those of another machine go.

    >>> known = {"machine": {"torch": "2"}, "rows": [{"size": 8, "ms": 1}, {"size": 16, "ms": 4}]}
    >>> join_rows(known, {"machine": {"torch": "2"}, "rows": [{"size": 16, "ms": 5}]})
    [{'size': 8, 'ms': 1}, {'size': 16, 'ms': 5}]
    """

    def name(row: dict) -> tuple:
        return tuple(row.get(key) for key in (*KEYS, "size"))

    def describe(result: dict) -> dict:
        return {k: v for k, v in result["machine"].items() if k != "load"}

    if not old or describe(old) != describe(new):
        return new["rows"]
    measured = {name(row) for row in new["rows"]}
    rows = [row for row in old["rows"] if name(row) not in measured] + new["rows"]
    return sorted(rows, key=lambda row: row["size"])


def write_text(result: dict) -> str:
    """The page from the content of bench.json.

    >>> "0.100 float32 TFLOP/s" in write_text(
    ...     {"machine": {"processor": "P", "threads": 1, "torch": "2", "load": 0.0, "gpu": None},
    ...      "rates": {"float32 TFLOP/s": 0.1}, "rows": [], "exponents": []})
    True
    """
    machine = result["machine"]
    reached = ", ".join(f"{value:.3f} {name}" for name, value in result["rates"].items())
    lines = [
        "# Plain and fast, side by side",
        "",
        f"Written by `dcamsr bench --out`. {WARNING}",
        "",
        f"{machine['gpu'] or machine['processor']}, {machine['threads']} threads, torch"
        f" {machine['torch']}; it reached {reached}. {tell_load(result['rows'])}",
        "",
        *tell_goals(result["rows"]),
        *(f"- **{name}**: {words}" for name, words in PATHS.items()),
        "",
        "Times are medians of calls in turns, quartiles in brackets; ratios are medians over neighbours"
        " of plain's time to this path's, by the clock and in processor time of all threads. Memory is"
        " what torch held at most beyond the weights and inputs. Arithmetic counts convolutions as"
        " direct sums and takes the rate of a large matrix product: no direct convolution is quicker;"
        " Winograd's, which the fast path takes where it pays, needs less. Traffic is every byte that"
        " an operation reads or writes, at the rate of a copy, as if no cache kept any.",
        "",
    ]
    head = [
        "network", "size", "batch", "pass", "path", "ms", "times plain", "in processor time",
        "memory, GB", "of plain's", "arithmetic, ms", "traffic, ms", "operations", "difference",
    ]  # fmt: skip
    table: list[list] = []
    plain: dict[tuple, dict] = {}
    for row in result["rows"]:
        which = (row["preset"], row["variant"], row["size"], row["batch"], row["pass"])
        plain.setdefault(which, row)
        share = row["peak_gb"] / plain[which]["peak_gb"] if plain[which]["peak_gb"] else 0.0
        table.append([
            f"`{row['preset']}` {row['variant']}", row["size"], row["batch"], row["pass"],
            row["path"], f"{row['median_ms']:.1f} ({row['q25_ms']:.1f} to {row['q75_ms']:.1f})",
            f"{row['times_plain']:.2f}", f"{row['times_plain_busy']:.2f}", f"{row['peak_gb']:.3f}",
            f"{share:.2f}", f"{row['arithmetic_ms']:.1f}", f"{row['traffic_ms']:.1f}",
            row["operations"], f"{row['difference']:.1e}",
        ])  # fmt: skip
    return "\n".join(lines + draw_table(head, table) + tell_exponents(result["exponents"])) + "\n"


def tell_load(rows: list[dict]) -> str:
    """How busy the machine was.

    >>> tell_load([{"load": 2.0}, {"load": 3.5}])
    'Load average while it was measured: 2.0 to 3.5.'
    """
    loads = [row["load"] for row in rows if row.get("load") is not None]
    return f"Load average while it was measured: {min(loads)} to {max(loads)}." if loads else ""


def tell_goals(rows: list[dict]) -> list[str]:
    """What was wanted, and what each path reached; the floor beside it."""
    which = {"preset": "full", "variant": "released", "size": 256, "batch": 1}
    there = [row for row in rows if all(row[k] == v for k, v in which.items())]
    if not there:
        return []
    plain = {row["pass"]: row for row in there if row["path"] == "plain"}
    table = []
    for name, (kind, key, goal) in GOALS.items():
        for row in (row for row in there if row["pass"] == kind and row["path"] != "plain"):
            share = row["peak_gb"] / plain[kind]["peak_gb"]
            value = share if key == "memory" else row[key]
            reached = value <= goal if key == "memory" else value >= goal
            table.append([name, row["path"], f"{value:.2f}", goal, "yes" if reached else "no"])
    told = ["## Goals", "", "`full` released, 256 x 256, one image:", ""]
    told += [*draw_table(["of what", "path", "found", "goal", "reached"], table), ""]
    for kind, row in plain.items():
        least = row["arithmetic_ms"]
        took = {r["path"]: r["median_ms"] for r in there if r["pass"] == kind}
        words = ", ".join(f"{path} {ms / least:.2f}" for path, ms in took.items())
        told.append(
            f"- {kind}: the direct sums alone would take {least:.0f} ms at the rate of a large"
            f" matrix product; times of that: {words}."
        )
    return [*told, "", "## All", ""]


def tell_exponents(entries: list[dict]) -> list[str]:
    found = [
        [f"`{e['preset']}` {e['variant']}", e["batch"], e["pass"], e["path"], name, f"{value:.2f}"]
        for e in entries
        for name, value in e.items()
        if " from " in name
    ]
    if not found:
        return []
    low, high = EXPONENTS
    told = ["", "## Cost against pixels", "", "![cost against pixels](bench.png)", ""]
    told += [f"Fitted exponents; {low} to {high} is the goal.", ""]
    return told + draw_table(["network", "batch", "pass", "path", "cost", "exponent"], found)


def draw_table(head: list[str], rows: list[list]) -> list[str]:
    """Markdown.

    >>> draw_table(["a"], [[1]])
    ['| a |', '|---|', '| 1 |']
    """
    body = [f"| {' | '.join(map(str, row))} |" for row in [head, *rows]]
    return [body[0], "|" + "---|" * len(head), *body[1:]]


def draw_costs(rows: list[dict], path: Path) -> None:
    """Time and memory against pixels on logarithmic scales, a line for each network and path."""
    from matplotlib.figure import Figure

    with default_style():
        figure = Figure(figsize=(11, 4.5), layout="constrained")
        for axes, key, label in zip(
            figure.subplots(1, 2), ("median_ms", "peak_gb"), ("time, ms", "memory, GB"), strict=True
        ):
            lines: dict[tuple, list] = {}
            for row in rows:
                which = (row["preset"], row["variant"], row["batch"], row["pass"], row["path"])
                lines.setdefault(which, []).append((row["size"] ** 2, row[key]))
            colours = {
                which: f"C{n}" for n, which in enumerate(dict.fromkeys(k[:4] for k in lines))
            }
            for (*network, way), points in lines.items():
                style = {"plain": ":", "fast": "-", "lean": "--"}[way] + colours[tuple(network)]
                name = "{} {}, batch {}, {}, {}".format(*network, way)
                axes.plot(*zip(*sorted(points), strict=True), style, marker=".", label=name)
            if rows:  # a line whose slope is 1: as the pixels grow
                ends = [min(r["size"] for r in rows) ** 2, max(r["size"] for r in rows) ** 2]
                low = min(row[key] for row in rows) / 2
                axes.plot(ends, [low, low * ends[1] / ends[0]], "0.6", label="as the pixels grow")
            axes.set(xscale="log", yscale="log", xlabel="pixels", ylabel=label)
            axes.grid(True, which="both", alpha=0.3)
        if rows:
            axes.legend(fontsize=6, loc="center left", bbox_to_anchor=(1, 0.5))
        write_png(figure, path)
