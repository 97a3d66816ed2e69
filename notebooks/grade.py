"""Points of submitted notebooks: `python notebooks/grade.py submissions --out points.csv`.

Each submission's name has to contain that of its notebook (anna_01_kspace.ipynb). It runs in a
process of its own, in an empty folder, several at a time, each with bounds on time and memory; the
learner's functions and answers are judged by another process, which runs no line of it. One that
cannot be read, or does not come to its end, has no points, a note says why, and the next one follows.
The table grows with every submission; started again with the same --out, what it holds is skipped.
README.md says what this does not prevent.
"""

import argparse
import os
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

import psutil
from grading.judge import Bounds, Ran, Verdict, end_all, judge, refuse, run_apart
from grading.submission import Check, plan_steps, read_cells, read_checks
from grading.table import Table, compute_checksum, keep_finished, make_printable

from dcamsr_lite import course
from dcamsr_lite.training.memory import measure_memory

HERE = Path(__file__).resolve().parent
USUAL_MEMORY = 1.2e9  # bytes: the most that a notebook of the course takes, and the judge's share


def notebook_of(submission: Path) -> Path:
    """The student's notebook that a submission is an edited copy of."""
    known = sorted(HERE.glob("[0-9]*.ipynb"))
    for path in known:
        if path.stem in submission.stem:
            return path
    names = ", ".join(path.stem for path in known)
    raise SystemExit(f"{submission.name}: found no notebook's name in it; expected one of {names}")


def grade(submission: Path, bounds: Bounds = Bounds()) -> dict[str, int]:  # noqa: B008
    """Points by check of one submission."""
    [(_, verdicts)] = grade_all([submission], 1, bounds)
    return {check: verdict.points for check, verdict in verdicts.items()}


def grade_all(
    submissions: list[Path], jobs: int, bounds: Bounds
) -> Iterator[tuple[Path, dict[str, Verdict]]]:
    """Each submission with its verdicts, as they are ready; ``jobs`` run at once.

    One of an unknown notebook has a single verdict, under the name "".
    """
    exercises = dict(course.EXERCISES)  # before any submission has run
    checks: dict[Path, list[Check]] = {}
    for path in submissions:
        try:
            checks[path] = read_checks(notebook_of(path))
        except SystemExit as error:
            yield path, {"": Verdict(0, str(error))}
    pool = ThreadPoolExecutor(jobs)
    try:
        running = {pool.submit(_run, path, own, bounds): path for path, own in checks.items()}
        for future in as_completed(running):
            path = running.pop(future)  # what it wrote down is not kept
            try:
                verdicts = judge(checks[path], future.result(), exercises)
            except Exception as error:  # of one submission: the others are graded all the same
                verdicts = refuse(checks[path], f"not graded: {type(error).__name__}: {error}")
            yield path, verdicts
    finally:  # also when the grader is interrupted
        pool.shutdown(wait=False, cancel_futures=True)
        end_all()
        pool.shutdown()


def _run(submission: Path, checks: list[Check], bounds: Bounds) -> Ran:
    try:
        steps = plan_steps(read_cells(submission), checks)
    except (ValueError, OSError) as error:
        return Ran([], f"not readable: {error}")
    return run_apart(steps, bounds)


def _count_checks(submission: Path) -> int:
    try:
        return len(read_checks(notebook_of(submission)))
    except SystemExit:
        return 1


def find_submissions(given: list[Path]) -> list[Path]:
    """Files as they are, of folders every notebook below, without Jupyter's checkpoints."""
    found: list[Path] = []
    for path in given:
        below = sorted(path.rglob("*.ipynb")) if path.is_dir() else [path]
        found += [p for p in below if ".ipynb_checkpoints" not in p.parts]
    return list(dict.fromkeys(found))


def name_submissions(paths: list[Path]) -> dict[str, Path]:
    """Files by their names; by their places where two have one name, as in nbgrader's folders."""
    names = [make_printable(path.name) for path in paths]
    if len(set(names)) == len(names):
        return dict(zip(names, paths, strict=True))
    whole = [path.absolute() for path in paths]
    shared = Path(os.path.commonpath(whole))
    names = [make_printable(path.relative_to(shared).as_posix()) for path in whole]
    return dict(zip(names, paths, strict=True))


def choose_jobs(bounds: Bounds) -> int:
    """As many as there are cores, and as the memory holds at a notebook's usual size."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    free = min(psutil.virtual_memory().available, 1e9 * measure_memory("cpu"))
    usual = min(USUAL_MEMORY, 1e6 * bounds.megabytes)
    return max(1, min(cores or 1, int(free / usual)))


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("submissions", nargs="+", type=Path, help="notebooks, or folders of them")
    parser.add_argument("--out", type=Path, help="the table; what it holds is not graded again")
    parser.add_argument("--jobs", type=int, help="at once; default: by cores and memory")
    parser.add_argument("--seconds", type=float, default=600, help="for each submission")
    parser.add_argument("--megabytes", type=int, default=3000, help="for each submission")
    asked = parser.parse_args(arguments)
    bounds = Bounds(asked.seconds, asked.megabytes)
    named = name_submissions(find_submissions(asked.submissions))
    if not asked.out:
        _grade_into(Table(sys.stdout, head=True), named, asked.jobs, bounds)
        return 0
    whole = {name: (compute_checksum(path), _count_checks(path)) for name, path in named.items()}
    done = keep_finished(asked.out, whole)
    if done:
        print(f"{len(done)} of {len(named)} are in {asked.out} already", file=sys.stderr)
    left = {name: path for name, path in named.items() if name not in done}
    with asked.out.open("a", encoding="utf-8", newline="") as stream:
        _grade_into(Table(stream), left, asked.jobs, bounds)
    return 0


def _grade_into(table: Table, named: dict[str, Path], jobs: int | None, bounds: Bounds) -> None:
    names = {path: name for name, path in named.items()}
    checksums = {
        name: compute_checksum(path) for name, path in named.items()
    }  # of what is read now
    graded = grade_all([*named.values()], jobs or choose_jobs(bounds), bounds)
    for number, (path, verdicts) in enumerate(graded, 1):
        name, points = names[path], sum(verdict.points for verdict in verdicts.values())
        table.add(name, verdicts, checksums[name])
        said = f"{number}/{len(named)} {name}: {points} of {len(verdicts)}"
        print(said, file=sys.stderr, flush=True)


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit("stopped; with --out the same command goes on from here")
