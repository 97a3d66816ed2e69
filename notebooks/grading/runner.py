"""Runs a submission's cells, and writes down what its answers and functions are worth judging by.

    python runner.py JOB.json

In this process the submission may do as it likes: it can reach neither the judge nor a solution in
it. Copied into a folder of its own, beside `plain.py` and a copy of the package. Every line written to
the job's "results" is one JSON object: where it is, what failed, what an attempt gave, the end.
"""

import json
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

from IPython.core.interactiveshell import InteractiveShell
from plain import pack
from traitlets.config import Config

from dcamsr_lite import course
from dcamsr_lite.course.exercise import Exercise, Question, draw_inputs, examine

LONGEST = 300  # characters of an error that are told


class Shell(InteractiveShell):
    """IPython without a front end: magics and `display` work, nothing is drawn."""

    def enable_gui(self, gui=None):
        """`%matplotlib inline` asks for it."""

    def showtraceback(self, *args, **kwargs):
        """Nobody reads it: `run` tells the error."""


def make_shell() -> Shell:
    quiet = Config()
    quiet.HistoryManager.enabled = False
    shell = Shell.instance(config=quiet)
    shell.display_formatter.active_types = ["text/plain"]  # no picture is encoded for nobody
    return shell


class Attempts:
    """The exercises, without a way to their solutions: what is examined may not ask for its own."""

    def __init__(self, exercises: dict[str, Exercise | Question]):
        self.exercises = exercises
        self.examined = ""

    def use(self, name: str, attempt: object) -> object:
        """`course.use`: the learner's function, or the solution, for all exercises but this one."""
        exercise = self.exercises[name]
        if examine(exercise, attempt).state == "passed":
            return attempt

        def solution(*arguments):
            if self.examined == name:
                raise PermissionError("the package's solution is no attempt")
            return exercise.solution(*arguments)

        return solution

    def record(self, name: str, attempt: object) -> dict:
        """What the judge needs: the answer, or what the function returns for each of the inputs."""
        exercise = self.exercises[name]
        if isinstance(exercise, Question) or not callable(attempt):
            return {"answer": pack(attempt)}
        self.examined = name
        returned = [_call(attempt, inputs) for inputs in draw_inputs(exercise)]
        self.examined = ""
        return {"returned": returned}


def _call(attempt: Callable, inputs: tuple) -> dict:
    try:
        return {"result": pack(attempt(*inputs))}
    except BaseException as error:  # SystemExit, too, is the learner's
        return {"error": [type(error).__name__, str(error)[:LONGEST]]}


def take_solutions_away() -> Attempts:
    """From the copy of the package, in memory and on disk: only what is returned here knows them."""
    attempts = Attempts(course.EXERCISES)
    folder = Path(course.__file__).parent
    shutil.rmtree(folder / "exercises")
    for page in folder.glob("*.json"):
        page.unlink()
    for name in [name for name in sys.modules if name.startswith(f"{course.__name__}.exercises")]:
        del sys.modules[name]
    del course.exercises

    def refuse() -> dict:
        raise PermissionError("a submission is graded without the solutions")

    course._load_exercises = refuse
    course.check = lambda name, attempt: None  # the judge's are what counts
    course.use = attempts.use
    # their words went with the solutions
    course.hint = course.answer = course.progress = lambda *asked: None
    return attempts


def close_folders(closed: list[str], but: list[str]) -> None:
    """No file under ``closed``, those under ``but`` aside, opens from Python any more."""
    closed, but = (tuple(os.path.join(os.path.realpath(x), "") for x in y) for y in (closed, but))

    def refuse(event: str, arguments: tuple) -> None:
        if event == "open" and isinstance(arguments[0], str | bytes | os.PathLike):
            path = os.path.realpath(os.fsdecode(arguments[0]))
            if path.startswith(closed) and not path.startswith(but):
                raise PermissionError("a submission is graded alone: this file is not for it")

    sys.addaudithook(refuse)


def run(job: dict) -> None:
    attempts, shell = take_solutions_away(), make_shell()
    results = Path(job["results"])
    close_folders(job["closed"], [sys.prefix, sys.base_prefix, str(results.parent)])
    with results.open("w", encoding="utf-8") as page:

        def tell(**what) -> None:
            page.write(json.dumps(what) + "\n")
            page.flush()

        for step in job["steps"]:
            tell(at=step["cell"])
            error = _take(step, attempts, shell, tell)
            if error is not None:
                tell(failed=step["cell"], why=f"{type(error).__name__}: {error}"[:LONGEST])
        tell(end=True)
        os._exit(0)  # without the submission's own farewells: threads, atexit


def _take(step: dict, attempts: Attempts, shell: Shell, tell: Callable) -> BaseException | None:
    """Run one cell, or record one attempt; the error that stopped it, if any."""
    try:
        if "source" in step:
            done = shell.run_cell(step["source"])
            return done.error_before_exec or done.error_in_exec
        attempt = eval(step["attempt"], shell.user_ns)
        tell(check=step["check"], **attempts.record(step["exercise"], attempt))
    except BaseException as error:
        return error
    return None


if __name__ == "__main__":
    run(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")))
