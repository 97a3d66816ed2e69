"""The course's helpers: checks that know typical mistakes, staged help, pictures with alt text.

>>> from dcamsr_lite import course
>>> course.check("kspace.noise", ...)
kspace.noise: not attempted yet.
>>> course.check("kspace.noise", lambda sigma, scale: sigma)
kspace.noise: not yet. The crop keeps fewer noisy samples: the noise of a pixel becomes smaller.

No exercise needs a network connection, and no module knows of a notebook. Not for clinical use.
"""

import json
import os
from dataclasses import replace
from functools import cache
from importlib import import_module
from pathlib import Path

from .drawings import show_part
from .exercise import Exercise, Question, Result, examine, read_questions
from .pictures import compare, picture, show
from .report import release_after_cells, report, results
from .small_example import by_hand
from .staged_help import answer, hint, progress
from .waiting import watch

__all__ = ["EXERCISES", "Exercise", "Question", "Result", "check", "examine", "picture", "report"]
__all__ += [
    "answer",
    "budget",
    "by_hand",
    "hint",
    "progress",
    "results",
    "show",
    "show_part",
    "use",
    "watch",
]

# One module of exercises per notebook, in their order; the words of all stand in hints.json,
# questions.json and help.json.
HOMES = ["start", "kspace", "contrasts", "attention", "microscope", "training", "ablations"]
HOMES += ["reliance", "failures", "realdata"]


release_after_cells()


def __getattr__(name: str):
    if name != "EXERCISES":
        raise AttributeError(f"module 'dcamsr_lite.course' has no attribute {name!r}")
    return _load_exercises()


@cache
def _load_exercises() -> dict[str, Exercise | Question]:
    words = Path(__file__).parent
    hints = json.loads((words / "hints.json").read_text(encoding="utf-8"))
    exercises: dict[str, Exercise | Question] = {
        f"{home}.{name}": replace(exercise, hints=hints[f"{home}.{name}"])
        for home in HOMES
        for name, exercise in import_module(f".exercises.{home}", __name__).EXERCISES.items()
    }
    return exercises | read_questions(words / "questions.json")


def budget(whole: int, fast: int) -> int:
    """``whole``, or ``fast`` where the environment has DCAMSR_FAST=1: how much of a long cell to run.

    >>> budget(400, fast=5)
    400

    So that tests run every notebook in seconds; what is printed is then of the short run.
    """
    return fast if os.environ.get("DCAMSR_FAST") == "1" else whole


def is_graded() -> bool:
    """Whether a failed check has to stop the cell: nbgrader says so.

    >>> is_graded()
    False
    """
    return "NBGRADER_EXECUTION" in os.environ


def check(name: str, attempt: object) -> None:
    """Say whether ``attempt`` solves the exercise ``name``; if not, which mistake it looks like.

    >>> check("kspace.brightness", 16)
    kspace.brightness: not yet. That is the share of samples, 1 / scale^2; the orthonormal transform
    divides by the root of their number, once on each grid.

    Functions are called with random inputs of several sizes. An untouched stub is "not attempted
    yet" and stops nothing. While a notebook is graded, everything but a pass raises AssertionError.
    Raises ValueError for an exercise that is not there.
    """
    exercises = _load_exercises()
    if name not in exercises:
        raise ValueError(f"no exercise {name!r}; expected one of {[*exercises]}")
    result = examine(exercises[name], attempt)
    results[name] = result
    print(f"{name}: {result.message}")
    compare(result)
    if is_graded() and result.state != "passed":
        raise AssertionError(f"{name}: {result.message}")


def use(name: str, attempt: object) -> object:
    """The learner's own function where it passes its check, the package's solution otherwise.

    >>> use("kspace.noise", ...)(8.0, 4)
    kspace.noise: not attempted yet, so the package's solution is used here.
    2.0

    So that the cells after an unsolved exercise still run.
    """
    exercise = _load_exercises()[name]
    state = examine(exercise, attempt).state
    if state == "passed":
        print(f"{name}: your own is used here.")
        return attempt
    reason = "not attempted yet" if state == "not attempted" else "not right yet"
    print(f"{name}: {reason}, so the package's solution is used here.")
    return exercise.solution
