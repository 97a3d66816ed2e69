"""The results page: every sentence with a number in it is computed from the tables beside it."""

import csv
import json
from collections import defaultdict
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from dcamsr_lite.errors import atomic_path
from dcamsr_lite.study import ROWS

NAMES = {
    "released": "released network",
    "unscrambled": "released, heads merged aligned",
    "paper": "the paper's equations",
    "corrected": "corrected (ours)",
    "no_spatial": "corrected, no spatial branch",
    "no_channel": "corrected, no channel branch",
    "no_reference": "corrected, no reference",
    "concatenation": "concatenation in the same trunk",
    "scrambled": "corrected, heads scrambled",
    "no_multiscale": "corrected, coarsest level only",
    "uniform_spatial": "corrected, released spatial logits",
    "scaled_dot_product": "corrected, scaled dot product",
    "one_hot_channel": "corrected, the paper's channel logits",
    "pooled_tokens": "corrected, pooled tokens",
    "local_window": "corrected, local window",
}
QUESTIONS = {
    "Does the scramble cost anything? Do uniform spatial or one-hot channel attention?": [
        ("unscrambled", "released"),
        ("corrected", "scrambled"),
        ("corrected", "uniform_spatial"),
        ("corrected", "one_hot_channel"),
        ("corrected", "released"),
        ("corrected", "paper"),
    ],
    "Which spatial attention pays?": [
        ("corrected", "no_spatial"),
        ("corrected", "scaled_dot_product"),
        ("corrected", "pooled_tokens"),
        ("corrected", "local_window"),
        ("corrected", "no_multiscale"),
    ],
    "How much of the gain is the reference, how much the network?": [
        ("corrected", "no_reference"),
        ("corrected", "concatenation"),
        ("corrected", "no_channel"),
        ("no_reference", "zero-fill"),
    ],
}
DATA = {"simulated": "simulated heads", "real": "real patients"}


def read(path: Path) -> list[dict]:
    if not path.is_file():
        return []
    with open(path, newline="", encoding="utf-8") as file:
        return [*csv.DictReader(file)]


class Table:
    """study.csv as psnr[data][row][subject] -> one value per seed."""

    def __init__(self, rows: list[dict]):
        self.rows = rows
        self.psnr: dict = defaultdict(lambda: defaultdict(lambda: defaultdict(list)))
        for r in rows:
            self.psnr[r["data"]][r["row"]][r["subject"]].append(float(r["psnr"]))

    def mean(self, data: str, row: str, column: str) -> float | None:
        found = [r for r in self.rows if (r["data"], r["row"]) == (data, row) and r[column]]
        return float(np.mean([float(r[column]) for r in found])) if found else None

    def difference(self, data: str, better: str, than: str) -> dict | None:
        """Mean dB, its 95 % interval over subjects (paired bootstrap), and the mean of each seed."""
        a, b = self.psnr[data].get(better), self.psnr[data].get(than)
        if not a or not b:
            return None
        subjects = sorted(set(a) & set(b))
        paired = np.array([np.mean(a[s]) - np.mean(b[s]) for s in subjects])
        seeds = min(len(a[subjects[0]]), len(b[subjects[0]]))
        by_seed = [float(np.mean([a[s][i] - b[s][i] for s in subjects])) for i in range(seeds)]
        low = high = None
        if len(subjects) > 2:
            from scipy.stats import bootstrap

            interval = bootstrap(
                (paired,), np.mean, n_resamples=10_000, method="percentile", rng=0
            ).confidence_interval
            low, high = float(interval.low), float(interval.high)
        return {"mean": float(paired.mean()), "low": low, "high": high, "seeds": by_seed}


def verdict(difference: dict) -> str:
    """A difference is claimed only where the interval leaves zero out and every seed agrees."""
    signs = {np.sign(x) for x in difference["seeds"]}
    seeds = len(difference["seeds"])
    if difference["low"] is None:
        return "too few subjects for an interval"
    if seeds < 2:
        return "one seed, no claim"
    clear = difference["low"] > 0 or difference["high"] < 0
    return "a difference" if clear and len(signs) == 1 else "no difference shown"


def sentence(table: Table, data: str, better: str, than: str) -> str:
    names = [NAMES.get(row, row) for row in (better, than)]
    found = table.difference(data, better, than)
    if found is None:
        return f"- {names[0]} against {names[1]}, {DATA[data]}: not run."
    interval = ""
    if found["low"] is not None:
        interval = f" (95 % interval over subjects {found['low']:+.2f} to {found['high']:+.2f})"
    seeds = ", ".join(f"{x:+.2f}" for x in found["seeds"])
    return (
        f"- {names[0]} against {names[1]}, {DATA[data]}: **{found['mean']:+.2f} dB**{interval};"
        f" seed by seed {seeds}: {verdict(found)}."
    )


def figure(table: Table, pairs: list, path: Path) -> None:
    """Differences in dB with their intervals, one line per pair of rows, both data sets."""
    drawing = Figure(figsize=(7.5, 0.55 * len(pairs) + 1.3), layout="constrained", dpi=120)
    axis = drawing.subplots()
    for data, colour, shift in (("simulated", "#0072b2", -0.12), ("real", "#d55e00", 0.12)):
        points = [(i, table.difference(data, *pair)) for i, pair in enumerate(pairs)]
        points = [(i, found) for i, found in points if found]
        for i, found in points:
            if found["low"] is not None:
                axis.plot([found["low"], found["high"]], [i + shift] * 2, color=colour, lw=2)
            axis.plot(found["seeds"], [i + shift] * len(found["seeds"]), "|", color=colour, ms=7)
        at = [[found["mean"] for _, found in points], [i + shift for i, _ in points]]
        axis.plot(*at, "o", color=colour, label=DATA[data])
    axis.axvline(0, color="0.5", lw=1)
    labels = [f"{NAMES.get(a, a)}\nminus {NAMES.get(b, b)}" for a, b in pairs]
    axis.set_yticks(range(len(pairs)), labels, fontsize=8)
    axis.set_ylim(len(pairs) - 0.5, -0.5)
    axis.set_xlabel("difference of PSNR in dB; bar: 95 % over subjects, ticks: seeds")
    axis.legend(fontsize=8)
    with atomic_path(path) as temporary:
        drawing.savefig(temporary, metadata={"Software": None})


def cell(value: float | None, digits: int = 2) -> str:
    return "not run" if value is None else f"{value:.{digits}f}"


def main_table(table: Table, runs: list[dict]) -> list[str]:
    head = "| row | PSNR simulated | SSIM | error measured / removed | PSNR real | SSIM real |"
    head += " entropy spatial | entropy channel | parameters | ms per slice | minutes | seeds |"
    lines = [head, "|---" * 12 + "|"]
    for row in ["zero-fill", "bicubic", *ROWS, "ceiling"]:
        of_row = [r for r in runs if r["row"] == row]

        def average(prefix: str, of_row=of_row) -> list[float]:
            columns = [[r[k] for k in r if k.startswith(prefix) and r[k]] for r in of_row]
            return [
                float(np.mean([float(x) for x in level])) for level in zip(*columns, strict=True)
            ]

        entropy = [
            " ".join(f"{x:.3f}" for x in average(f"entropy_{b}")) for b in ("spatial", "channel")
        ]
        numbers = [average(name) for name in ("parameters", "seconds_per_slice", "minutes")]
        bands = [table.mean("simulated", row, band) for band in ("measured", "removed")]
        measured = table.mean("simulated", row, "psnr") is not None
        cells = [
            NAMES.get(row, {"ceiling": "noise ceiling"}.get(row, row)),
            cell(table.mean("simulated", row, "psnr")),
            cell(table.mean("simulated", row, "ssim"), 3) if row != "ceiling" else "",
            " / ".join(cell(b, 4) for b in bands) if measured and row != "ceiling" else "",
            cell(table.mean("real", row, "psnr")) if row != "ceiling" else "",
            cell(table.mean("real", row, "ssim"), 3) if row != "ceiling" else "",
            *entropy,
            f"{numbers[0][0]:.0f}" if numbers[0] else "",
            f"{1000 * numbers[1][0]:.0f}" if numbers[1] else "",
            f"{numbers[2][0]:.1f}" if numbers[2] else "",
            str(len(of_row)) if of_row else "",
        ]
        lines.append("| " + " | ".join(cells) + " |")
    return lines


def write_page(folder: Path) -> None:
    """README.md and question-N.png from study.csv and runs.csv."""
    table, runs = Table(read(folder / "study.csv")), read(folder / "runs.csv")
    lines = [
        "# Results",
        "",
        "Written by `python assets/results/make.py page` from `study.csv` and",
    ]
    lines += ["`runs.csv`; no number here was typed. Not for clinical use.", ""]
    for shared in sorted({r["study"] for r in runs}):
        s = json.loads(shared)
        train, test = s["real"]
        lines.append(
            f"Every row: {s['scale']}x, {s['size']} x {s['size']} at 240 mm, {s['steps']} steps of"
            f" batch {s['batch']}, Adam at {s['rate']} ({s['schedule']}), L1; {s['subjects']} simulated"
            f" subjects and {train} real sessions in training; scored on {s['tests']} simulated"
            f" subjects and {test} real patients that no row trains on. {s['network'] or s['preset']}."
        )
    lines += [f"Run on: {where}." for where in sorted({r["where"] for r in runs})]
    lines += ["", "Command: `python assets/results/make.py study --real FOLDER`, then `page`.", ""]
    lines += ["## All rows", "", *main_table(table, runs), ""]
    lines += [
        "Entropy: mean over heads and queries, 1 is uniform; levels 1, 2, 4. Error by band: share"
    ]
    lines += [
        "of the target's energy inside (measured) and outside (removed) of the kept k-space.",
        "",
    ]
    for number, (question, pairs) in enumerate(QUESTIONS.items(), 1):
        known = [p for p in pairs if any(table.difference(data, *p) for data in DATA)]
        lines += [f"## {number}. {question}", ""]
        lines += [sentence(table, data, *pair) for pair in pairs for data in DATA]
        if known:
            figure(table, known, folder / f"question-{number}.png")
            described = "; ".join(f"{NAMES.get(a, a)} minus {NAMES.get(b, b)}" for a, b in known)
            lines += [
                "",
                f"![Differences of PSNR with intervals: {described}](question-{number}.png)",
            ]
        lines.append("")
    lines += ["## 4. How close is everything to the noise ceiling?", ""]
    ceiling, best = (table.mean("simulated", row, "psnr") for row in ("ceiling", "corrected"))
    if ceiling and best:
        floor = table.mean("simulated", "zero-fill", "psnr")
        lines.append(
            f"On simulated heads zero-fill reaches {floor:.2f} dB, the corrected network {best:.2f} dB,"
            f" and no method could pass {ceiling:.2f} dB: the target is one noisy repetition. The"
            f" network covers {100 * (best - floor) / (ceiling - floor):.0f} % of that way, in dB."
        )
    else:
        lines.append("Not run.")
    with atomic_path(folder / "README.md") as temporary:
        temporary.write_text("\n".join(lines) + "\n", encoding="utf-8")
    print("wrote README.md")
