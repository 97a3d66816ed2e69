"""The tables of the study: PSNR by row, seed and subject; paired differences; what may be claimed.

>>> scores = {"a": 30.0, "b": 29.0}
>>> rows = [{"data": "simulated", "row": r, "subject": "1", "psnr": x} for r, x in scores.items()]
>>> Table(rows).difference("simulated", "a", "b")["mean"]
1.0
>>> Table(rows).difference("simulated", "a", "never run") is None
True
"""

import csv
from collections import defaultdict
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from .errors import ASSETS


def read(path: Path) -> list[dict]:
    """The rows of a CSV, or none where there is no such file."""
    if not path.is_file():
        return []
    with open(path, newline="", encoding="utf-8") as file:
        return [*csv.DictReader(file)]


def tables(folder: str | Path = ASSETS / "results") -> tuple[list[dict], list[dict]]:
    """study.csv (one line per row, seed and subject) and runs.csv (one per trained network).

    >>> tables("a folder without results")
    ([], [])

    The default is what ships: in a checkout, and inside an installed package. ``assets/results/make.py
    study`` writes both.
    """
    return read(Path(folder) / "study.csv"), read(Path(folder) / "runs.csv")


class Table:
    """study.csv as psnr[data][row][subject] -> one value per seed."""

    def __init__(self, rows: list[dict]):
        self.rows = rows
        self.psnr: dict = defaultdict(lambda: defaultdict(lambda: defaultdict(list)))
        for r in rows:
            self.psnr[r["data"]][r["row"]][r["subject"]].append(float(r["psnr"]))

    def scores(self, data: str, row: str) -> Tensor | None:
        """PSNR in dB (seed, subject), subjects in order of their names; None where it was not run."""
        found = self.psnr[data].get(row)
        if not found:
            return None
        return torch.tensor([found[subject] for subject in sorted(found)]).T

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
            drawn = np.random.default_rng(0).integers(len(paired), size=(10_000, len(paired)))
            low, high = map(float, np.percentile(paired[drawn].mean(1), [2.5, 97.5]))
        return {"mean": float(paired.mean()), "low": low, "high": high, "seeds": by_seed}


def verdict(difference: dict) -> str:
    """A difference is claimed only where the interval leaves zero out and every seed agrees.

    >>> verdict({"low": 0.1, "high": 0.3, "seeds": [0.1, 0.3]})
    'a difference'
    >>> verdict({"low": 0.1, "high": 0.3, "seeds": [0.2]})
    'one seed, no claim'
    """
    signs = {np.sign(x) for x in difference["seeds"]}
    seeds = len(difference["seeds"])
    if difference["low"] is None:
        return "too few subjects for an interval"
    if seeds < 2:
        return "one seed, no claim"
    clear = difference["low"] > 0 or difference["high"] < 0
    return "a difference" if clear and len(signs) == 1 else "no difference shown"
