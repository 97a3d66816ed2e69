"""study.csv and runs.csv: differences with their intervals, and the page's two tables."""

import csv
from collections import defaultdict
from pathlib import Path

import numpy as np

from dcamsr_lite.training.study import seed_interval

NAMES = {
    "released": "released network",
    "unscrambled": "released, heads merged aligned",
    "paper": "the paper's equations",
    "corrected": "corrected (ours)",
    "no_spatial": "corrected, no spatial branch",
    "no_channel": "corrected, no channel branch",
    "no_reference": "corrected, no reference",
    "concatenation": "concatenation in the same trunk",
    "concatenation_shallow": "concatenation, no extra depth",
    "released_no_channel": "released, no channel branch",
    "released_no_spatial": "released, no spatial branch",
    "paper_no_channel": "the paper's equations, no channel branch",
    "paper_no_spatial": "the paper's equations, no spatial branch",
    "scrambled": "corrected, heads scrambled",
    "no_multiscale": "corrected, coarsest level only",
    "uniform_spatial": "corrected, released spatial logits",
    "scaled_dot_product": "corrected, scaled dot product",
    "one_hot_channel": "corrected, the paper's channel logits",
    "pooled_tokens": "corrected, pooled tokens",
    "local_window": "corrected, local window",
    "no_spatial_deep": "corrected, no spatial branch but deeper",
    "local_window_deep": "corrected, local window and deeper",
    "as_large": "corrected, as large as the baselines",
    "bilinear": "corrected, bilinear upsampling",
    "torch_start": "corrected, torch's own start",
    "edsr": "EDSR-like",
    "swinir": "SwinIR-like",
    "elan": "ELAN-like",
    "minet": "MINet/SANet-like",
    "ttsr": "TTSR-like",
    "masa": "MASA-like",
    "mcmrsr": "McMRSR-like",
    "ceiling": "noise ceiling",
    "aligned": "aligned (ours)",
    "aligned_displaced": "aligned, trained displaced",
    "corrected_displaced": "corrected, trained displaced",
    "concatenation_displaced": "concatenation, trained displaced",
    "minet_displaced": "MINet/SANet-like, trained displaced",
}
# Table 1: (row, the paper's PSNR on M4Raw at 2x and 4x, where it has one)
METHODS = {
    "zero-fill": None,
    "bicubic": None,
    "edsr": None,
    "swinir": ("32.08", "29.42"),
    "elan": ("31.71", "28.70"),
    "no_reference": ("32.19", "29.74"),
    "concatenation": None,
    "concatenation_shallow": None,
    "minet": ("32.06", "29.48"),
    "ttsr": ("", "29.84"),
    "masa": ("", "29.52"),
    "mcmrsr": None,
    "corrected": ("32.31", "30.48"),
    "as_large": None,
    "ceiling": None,
}
# Table 2 and ours: (row, the paper's PSNR on M4Raw at 4x)
ABLATIONS = {
    "corrected": "30.48",
    "no_reference": "29.74",
    "no_multiscale": "30.40",
    "no_channel": "29.79",
    "no_spatial": "",
    "released": "",
    "unscrambled": "",
    "paper": "",
    "scrambled": "",
    "uniform_spatial": "",
    "one_hot_channel": "",
    "scaled_dot_product": "",
    "pooled_tokens": "",
    "local_window": "",
    "no_spatial_deep": "",
    "local_window_deep": "",
    "bilinear": "",
    "torch_start": "",
    "released_no_channel": "",
    "released_no_spatial": "",
    "paper_no_channel": "",
    "paper_no_spatial": "",
    "aligned": "",
    "aligned_displaced": "",
    "corrected_displaced": "",
    "concatenation_displaced": "",
    "minet_displaced": "",
}


def name(row: str) -> str:
    return NAMES.get(row, row)


def read(path: Path) -> list[dict]:
    if not path.is_file():
        return []
    with open(path, newline="", encoding="utf-8") as file:
        return [*csv.DictReader(file)]


class Table:
    """study.csv as psnr[data][row][subject][seed]; what was not trained has the seed ""."""

    def __init__(self, rows: list[dict]):
        self.rows = rows
        self.psnr: dict = defaultdict(lambda: defaultdict(lambda: defaultdict(dict)))
        for r in rows:
            self.psnr[r["data"]][r["row"]][r["subject"]][str(r["seed"])] = float(r["psnr"])

    def mean(self, data: str, row: str, column: str) -> float | None:
        found = [r for r in self.rows if (r["data"], r["row"]) == (data, row) and r[column]]
        return float(np.mean([float(r[column]) for r in found])) if found else None

    def difference(self, data: str, better: str, than: str) -> dict | None:
        """Mean dB, its 95 % interval over subjects (paired bootstrap), and the mean of each seed.

        Only seeds that both rows have; None where one of them was not run.
        """
        a, b = self.psnr[data].get(better), self.psnr[data].get(than)
        if not a or not b:
            return None
        subjects = sorted(set(a) & set(b))
        of_a, of_b = set(a[subjects[0]]), set(b[subjects[0]])
        seeds = sorted(of_b if of_a == {""} else of_a if of_b == {""} else of_a & of_b)
        if not seeds:
            return None
        pairs = np.array(
            [
                [a[s].get(n, a[s].get("")) - b[s].get(n, b[s].get("")) for n in seeds]
                for s in subjects
            ]
        )
        paired, low, high = pairs.mean(1), None, None
        if len(subjects) > 2:
            from scipy.stats import bootstrap

            interval = bootstrap(
                (paired,), np.mean, n_resamples=10_000, method="percentile", rng=0
            ).confidence_interval
            low, high = float(interval.low), float(interval.high)
        by_seed = [float(x) for x in pairs.mean(0)]
        return {"mean": float(paired.mean()), "low": low, "high": high, "seeds": by_seed}


def verdict(difference: dict | None) -> str:
    """A difference is claimed only where both intervals, over heads and over seeds, leave zero out."""
    if difference is None:
        return "not run"
    if difference["low"] is None:
        return "too few subjects for an interval"
    if len(difference["seeds"]) < 2:
        return "one seed, no claim"
    intervals = [(difference["low"], difference["high"]), seed_interval(difference["seeds"])]
    clear = all(low > 0 or high < 0 for low, high in intervals)
    return "a difference" if clear else "no difference shown"


def find_deciding(difference: dict) -> tuple[float, float] | None:
    """The wider of the intervals over subjects and over seeds: it decides. None where one lacks."""
    if difference["low"] is None or len(difference["seeds"]) < 2:
        return None
    intervals = [(difference["low"], difference["high"]), seed_interval(difference["seeds"])]
    return max(intervals, key=lambda ends: ends[1] - ends[0])


def find_smallest_effect(table: Table, pairs: list) -> tuple[int, float, float, float] | None:
    """Number, least, median and largest half width of the deciding intervals, in dB.

    A mean difference has to be about as large as the half width before this design can show it.
    """
    found = [table.difference("simulated", *pair) for pair in pairs]
    ends = [find_deciding(one) for one in found if one]
    widths = sorted((high - low) / 2 for low, high in filter(None, ends))
    if not widths:
        return None
    return len(widths), widths[0], float(np.median(widths)), widths[-1]


def tell_share(table: Table) -> str:
    """How much of what the corrected network gains on simulated heads is the reference's."""
    rows = ("corrected", "no_reference", "zero-fill")
    whole, alone, floor = (table.mean("simulated", row, "psnr") for row in rows)
    if whole is None or alone is None or floor is None:
        return ""
    gain, reference = whole - floor, whole - alone
    return (
        f" Of the {gain:.2f} dB of {name('corrected')} over zero-fill {reference:.2f} dB"
        f" ({100 * reference / gain:.0f} %) are the reference's."
    )


def simulate_false_alarms(
    heads: int = 8, seeds: int = 3, trials: int = 2000
) -> tuple[float, float]:
    """How often two equally good rows differ: by the interval over heads alone, and by both.

    Alone: heads that scatter about zero and seeds that do not, as in notebook 06. Both: heads and
    seeds that scatter alike. The bootstrap draws 400 times, as there. Normal numbers, seed 0.
    """
    random, alone, both = np.random.default_rng(0), 0, 0
    for _ in range(trials):
        of_heads = random.normal(size=heads)
        of_seeds = random.normal(size=seeds)
        draws = random.choice(of_heads, (400, heads)).mean(1)
        low, high = np.quantile(draws, (0.025, 0.975))
        alone += low > 0 or high < 0
        low, high = low + of_seeds.mean(), high + of_seeds.mean()
        first, last = seed_interval((of_seeds + of_heads.mean()).tolist())
        both += (low > 0 or high < 0) and (first > 0 or last < 0)
    return alone / trials, both / trials


def cell(value: float | None, digits: int = 2) -> str:
    return "not run" if value is None else f"{value:.{digits}f}"


def scores(table: Table, data: str, row: str) -> str:
    """PSNR / SSIM / NMSE of one row, or that it was not run; the ceiling is of PSNR alone."""
    digits = {"psnr": 2, "ssim": 3, "nmse": 4}
    found = {c: table.mean(data, row, c) for c in digits}
    if found["psnr"] is None:
        return "" if row == "ceiling" else "not run"
    return " / ".join(f"{x:.{digits[c]}f}" for c, x in found.items() if x is not None)


def seeds_of(runs: list[dict], row: str) -> str:
    return str(len([r for r in runs if r["row"] == row])) if row in {r["row"] for r in runs} else ""


def average(runs: list[dict], row: str, prefix: str) -> list[float]:
    """The mean over seeds of the columns with this prefix."""
    of_row = [r for r in runs if r["row"] == row]
    columns = [[r[k] for k in r if k.startswith(prefix) and r[k]] for r in of_row]
    return [float(np.mean([float(x) for x in level])) for level in zip(*columns, strict=True)]


def table_of(head: list[str], rows: list[list[str]]) -> list[str]:
    lines = ["| " + " | ".join(head) + " |", "|---" * len(head) + "|"]
    return lines + ["| " + " | ".join(row) + " |" for row in rows]


def first_table(tables: dict, runs: dict, speed: list[dict]) -> list[str]:
    """All methods at 4x and 2x, with the paper's numbers on its own data beside them."""
    time = {r["row"]: r["milliseconds"] for r in speed if r["scale"] == "4"}
    head = ["method", "parameters", "ms per slice, 4x"]
    for scale in tables:
        head += [f"{scale}x simulated", f"{scale}x real", f"seeds {scale}x"]
    rows = []
    for row, paper in METHODS.items():
        cells = [name(row)]
        known = next((p for r in runs.values() if (p := average(r, row, "parameters"))), None)
        cells += [f"{known[0]:,.0f}" if known else "", time.get(row, "")]
        for scale, table in tables.items():
            cells += [scores(table, "simulated", row), scores(table, "real", row)]
            cells.append(seeds_of(runs[scale], row))
        rows.append([*cells, " / ".join(reversed(paper)) if paper else ""])
    return table_of([*head, "the paper's PSNR, M4Raw 4x / 2x"], rows)


def second_table(table: Table, runs: list[dict]) -> list[str]:
    """What single switches do, at 4x."""
    head = ["row", "simulated", "error by band: measured / removed", "real", "entropy, spatial"]
    head += ["entropy, channel", "parameters", "minutes", "seeds", "the paper's PSNR"]
    rows = []
    for row, paper in ABLATIONS.items():
        bands = [table.mean("simulated", row, band) for band in ("measured", "removed")]
        entropy = [
            " ".join(f"{x:.3f}" for x in average(runs, row, f"entropy_{b}"))
            for b in ("spatial", "channel")
        ]
        size, minutes = (average(runs, row, column) for column in ("parameters", "minutes"))
        rows.append(
            [
                name(row),
                scores(table, "simulated", row),
                "" if None in bands else " / ".join(f"{b:.4f}" for b in bands),
                scores(table, "real", row),
                *entropy,
                f"{size[0]:,.0f}" if size else "",
                f"{minutes[0]:.1f}" if minutes else "",
                seeds_of(runs, row),
                paper,
            ]
        )
    return table_of(head, rows)


def average_moved(lines: list[dict]) -> dict[str, dict[float, float]]:
    """Mean PSNR of each row over the shift of the reference."""
    found: dict = defaultdict(lambda: defaultdict(list))
    for r in lines:
        found[r["row"]][float(r["pixels"])].append(float(r["psnr"]))
    return {row: {x: sum(v) / len(v) for x, v in of.items()} for row, of in found.items()}
