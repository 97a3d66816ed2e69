"""A part's clock, and its result files, which are written anew with every number."""

import csv
import json
import os
import platform
import shlex
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch

from dcamsr_lite.errors import atomic_path
from dcamsr_lite.metrics import CONVENTION

from .plan import SEED, Plan


class OutOfTime(Exception):
    """A part's clock has run out."""


class Clock:
    """How many seconds are left."""

    def __init__(self, seconds: float):
        self.end = time.monotonic() + seconds

    def left(self) -> float:
        return self.end - time.monotonic()


@contextmanager
def alarm(seconds: float, interrupt: bool = False) -> Iterator[None]:
    """Raise OutOfTime in the block after ``seconds``; or ask as Ctrl-C does, so that train() saves."""

    def ring(number, frame):
        if interrupt:
            os.kill(os.getpid(), signal.SIGINT)
        else:
            raise OutOfTime(f"after {seconds:.0f} s")

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, max(seconds, 0.1))
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


class Record:
    """The result file of a part, written anew with every number that is added."""

    def __init__(self, plan: Plan, name: str):
        self.file, self.rows = plan.out / f"{name}.json", []
        machine = {"device": plan.device, "torch": torch.__version__, "cuda": torch.version.cuda}
        machine |= {"gpu": torch.cuda.get_device_name()} if plan.device == "cuda" else {}
        machine |= {"python": platform.python_version(), "cores": os.cpu_count()}
        self.content = {"part": name, "complete": False, "command": shlex.join(sys.argv)}
        self.content |= {"machine": machine, "seed": SEED, "convention": CONVENTION}
        self.content |= {"tf32": False, "date": time.strftime("%Y-%m-%d %H:%M:%S"), "failed": []}
        self.add()

    def add(self, **fields) -> None:
        self.content |= fields
        write(self.file, json.dumps(self.content, indent=1, default=str) + "\n")

    def row(self, **fields) -> None:
        """Another line of the table: in the JSON file, and in a CSV beside it."""
        self.rows.append(fields)
        print("  " + ", ".join(f"{v:.4g}" if type(v) is float else str(v) for v in fields.values()))
        write_table(self.file.with_suffix(".csv"), self.rows)
        self.add(rows=self.rows)

    def check(self, name: str, value: float, bound: float | None = None) -> None:
        """A number that must not pass its bound; nan does."""
        good = bound is None or value <= bound
        self.content["failed"] += [] if good else [name]
        self.row(check=name, value=value, bound=bound, good=good)


def write(path: Path, text: str) -> None:
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_table(path: Path, rows: list[dict]) -> None:
    names = list(dict.fromkeys(name for row in rows for name in row))
    with atomic_path(path) as temporary, open(temporary, "w", newline="") as file:
        writer = csv.DictWriter(file, names)
        writer.writeheader()
        writer.writerows(rows)


def read_table(path: Path) -> list[dict]:
    """Its rows; none where there is no such file."""
    if not path.is_file():
        return []
    with open(path, newline="") as file:
        return [*csv.DictReader(file)]
