"""Runs a submission apart, and judges what it wrote down. Never runs a line of it in this process."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dcamsr_lite
from dcamsr_lite.course.exercise import Exercise, Question, examine
from dcamsr_lite.errors import ASSETS

from .plain import unpack
from .submission import Check

HERE = Path(__file__).resolve().parent
PACKAGE = Path(dcamsr_lite.__file__).resolve().parent
# Of the environment what Python needs to start; keys and passwords are no business of a submission.
PASSED = ("PATH", "HOME", "LANG", "LC_ALL", "LC_CTYPE", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")
PASSED += ("SYSTEMROOT", "USERPROFILE", "DCAMSR_FAST", "MPLCONFIGDIR", "XDG_CACHE_HOME")
MOST_RESULTS = 10**7  # bytes that are read of what a submission wrote
GRACE = 30  # seconds until the keeper itself is given up
_running: set[subprocess.Popen] = set()  # the keepers


@dataclass(frozen=True)
class Bounds:
    """What one submission may take."""

    seconds: float = 600
    megabytes: int = 3000


@dataclass(frozen=True)
class Ran:
    """What a submission wrote down, and in words how it ended: "" where it came to its end."""

    records: list[dict]
    stopped: str


@dataclass(frozen=True)
class Verdict:
    points: int
    note: str


def run_apart(steps: list[dict], bounds: Bounds) -> Ran:
    """Run the steps in a fresh process, in an empty folder, with a copy of the package of its own."""
    with tempfile.TemporaryDirectory(prefix="grading-", ignore_cleanup_errors=True) as name:
        folder = Path(name).resolve()
        desk, results, job = folder / "desk", folder / "results.jsonl", folder / "job.json"
        desk.mkdir()
        _copy_package(folder / "package")
        for module in ("keeper.py", "runner.py", "plain.py"):
            shutil.copy(HERE / module, folder)
        closed = [str(HERE.parents[1]), str(PACKAGE)]
        plan = {"steps": steps, "results": str(results), "closed": closed}
        job.write_text(json.dumps(plan), encoding="utf-8")
        ended = _keep(folder, desk, bounds)
        records = list(_read_records(results))
        if records and records[-1].get("end") is True and ended == 0:
            return Ran(records, "")
        return Ran(records, _say_end(ended, records, bounds))


def _copy_package(to: Path) -> None:
    """With its weights and its head, which a checkout has beside it and an installation inside."""
    unwanted = shutil.ignore_patterns("__pycache__")
    shutil.copytree(PACKAGE, to / PACKAGE.name, ignore=unwanted)
    if PACKAGE not in ASSETS.parents:
        shutil.copytree(ASSETS, to / ASSETS.name)


def _keep(folder: Path, desk: Path, bounds: Bounds) -> object:
    keeper_, runner, job = (str(folder / x) for x in ("keeper.py", "runner.py", "job.json"))
    limits = [str(bounds.seconds), str(bounds.megabytes)]
    command = [sys.executable, keeper_, *limits, sys.executable, runner, job]
    keeper = subprocess.Popen(
        command,
        cwd=desk,
        env=_make_environment(folder),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,  # so that one signal ends it and what stayed with it
    )
    _running.add(keeper)
    try:
        said, _ = keeper.communicate(timeout=bounds.seconds + GRACE)
        return json.loads(said)
    except (ValueError, subprocess.TimeoutExpired):  # the submission ended or held up its keeper
        return "its keeper was ended"
    finally:
        _running.discard(keeper)
        _end(keeper)


def end_all() -> None:
    """End what is running now: its time is not waited for."""
    for keeper in list(_running):
        _signal(keeper)


def _end(keeper: subprocess.Popen) -> None:
    _signal(keeper)
    keeper.wait()
    if keeper.stdout:
        keeper.stdout.close()


def _signal(keeper: subprocess.Popen) -> None:
    """To all that stayed in its session."""
    try:
        if os.name == "posix":
            os.killpg(keeper.pid, signal.SIGKILL)
        else:
            keeper.kill()
    except OSError:  # it has ended
        pass


def _make_environment(folder: Path) -> dict[str, str]:
    kept = {name: os.environ[name] for name in PASSED if name in os.environ}
    paths = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    paths = [path for path in paths if path and not (Path(path) / PACKAGE.name).exists()]
    own = {
        "PYTHONPATH": os.pathsep.join([str(folder / "package"), *paths]),
        "PYTHONDONTWRITEBYTECODE": "1",
        "IPYTHONDIR": str(folder / "ipython"),
        "TMPDIR": str(folder),
        "MPLBACKEND": "Agg",
        "OMP_NUM_THREADS": "1",  # as many submissions as cores run at once
        "CUDA_VISIBLE_DEVICES": "",
        "PIP_NO_INDEX": "1",  # no submission installs anything here
    }
    return kept | own


def _read_records(results: Path) -> Iterator[dict]:
    """The lines that can be read: a submission may have written there, too."""
    if not results.is_file():
        return
    with results.open("rb") as page:
        for line in page.read(MOST_RESULTS).splitlines():
            try:
                record = json.loads(line)
            except (ValueError, RecursionError):
                continue
            if isinstance(record, dict):
                yield record


def _say_end(ended: object, records: list[dict], bounds: Bounds) -> str:
    at = [record["at"] for record in records if isinstance(record.get("at"), int)]
    where = f"in code cell {at[-1]}" if at else "before its first cell"
    why = {
        "time": f"it was still running after {bounds.seconds:g} s",
        "memory": f"it took more than {bounds.megabytes} MB",
        "processes": "it started too many processes",
    }.get(str(ended), f"its process ended ({ended})")
    return f"stopped {where}: {why}"


def judge(checks: list[Check], ran: Ran, exercises: dict[str, Any]) -> dict[str, Verdict]:
    """Points by grade_id. A submission that did not come to its end has none."""
    if ran.stopped:
        return refuse(checks, ran.stopped)
    recorded = {r["check"]: r for r in ran.records if isinstance(r.get("check"), str)}
    return {
        check.grade_id: _judge_one(exercises[check.exercise], recorded.get(check.grade_id), ran)
        for check in checks
    }


def refuse(checks: list[Check], why: str) -> dict[str, Verdict]:
    """No point for any check, and why."""
    return {check.grade_id: Verdict(0, why) for check in checks}


def _judge_one(exercise: Exercise | Question, record: dict | None, ran: Ran) -> Verdict:
    if record is None:
        errors = [str(r["why"]) for r in ran.records if "why" in r]
        return Verdict(
            0, f"no attempt; the first error was {errors[0]}" if errors else "no attempt"
        )
    try:
        attempt = Replay(record["returned"]) if "returned" in record else unpack(record["answer"])
        result = examine(exercise, attempt)
    except Exception as error:  # only what the submission wrote can be at fault
        return Verdict(0, f"not readable: {type(error).__name__}: {error}"[:300])
    passed = result.state == "passed"
    return Verdict(int(passed), "" if passed else result.message)


class Replay:
    """A function that returns, call by call, what the submission's returned for the same inputs."""

    def __init__(self, returned: list[dict]):
        self._returned = iter(returned)

    def __call__(self, *inputs: Any) -> Any:
        record = next(self._returned)
        if "error" in record:
            kind, words = map(str, record["error"])
            if kind == "NotImplementedError":
                raise NotImplementedError
            raise type(kind[:80], (Exception,), {})(words)
        return unpack(record["result"])
