"""What of a submitted notebook is to run, and where in it which attempt is judged."""

import ast
import json
import re
from dataclasses import dataclass
from pathlib import Path

LARGEST = 10**8  # bytes of a submitted file
CHECK = re.compile(r'^course\.check\("([\w.]+)"', re.M)


@dataclass(frozen=True)
class Check:
    """A cell of the original that is worth a point: ``attempt`` is the expression that it judges."""

    grade_id: str
    exercise: str
    attempt: str


@dataclass(frozen=True)
class Cell:
    """One code cell; ``grade_id`` only where nbgrader's metadata say that it holds a check."""

    source: str
    grade_id: str | None


def read_cells(path: Path) -> list[Cell]:
    """The code cells of a notebook file; ValueError for what is none."""
    if not path.is_file():
        raise ValueError("found no such file")
    if path.stat().st_size > LARGEST:
        raise ValueError(f"found {path.stat().st_size / 1e6:.0f} MB, expected {LARGEST / 1e6:.0f}")
    try:
        notebook = json.loads(path.read_text(encoding="utf-8-sig"))
        cells = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
        return [Cell(_join(cell["source"]), _find_grade_id(cell)) for cell in cells]
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError(
            f"found no notebook in the file ({type(error).__name__}: {error})"
        ) from error


def _join(source: str | list[str]) -> str:
    return source if isinstance(source, str) else "".join(source)


def _find_grade_id(cell: dict) -> str | None:
    marked = cell.get("metadata", {}).get("nbgrader", {})
    return marked.get("grade_id") if marked.get("grade") else None


def read_checks(original: Path) -> list[Check]:
    """The checks of a student's notebook as it was handed out, in their order."""
    return [find_check(cell) for cell in read_cells(original) if cell.grade_id]


def find_check(cell: Cell) -> Check:
    """Of an original's check cell: which exercise is judged, and what is handed over.

    >>> find_check(Cell('course.check("kspace.crop", crop)', "check-kspace-crop"))
    Check(grade_id='check-kspace-crop', exercise='kspace.crop', attempt='crop')
    """
    for node in ast.walk(ast.parse(cell.source)):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "course.check":
            name, attempt = node.args
            return Check(cell.grade_id or "", ast.literal_eval(name), ast.unparse(attempt))
    raise ValueError(f"found no course.check in the cell {cell.grade_id}")


def plan_steps(cells: list[Cell], checks: list[Check]) -> list[dict]:
    """Cells to run and attempts to judge. A check stands where the submission has its cell.

    That is by its grade_id, else behind the cell that calls it, else at the end: a submission whose
    metadata were lost, or whose check was deleted, is judged all the same. What stands in a check's
    cell is not run.
    """
    known = {check.grade_id: check for check in checks}
    marked = {cell.grade_id for cell in cells}
    called = {check.exercise: check for check in checks if check.grade_id not in marked}
    steps, met = [], set()
    for number, cell in enumerate(cells, 1):
        here = [known[cell.grade_id]] if cell.grade_id in known else []
        if not here:
            steps.append({"cell": number, "source": cell.source})
            here = [called[name] for name in CHECK.findall(cell.source) if name in called]
        steps += [_judge_at(number, check) for check in here]
        met |= {check.grade_id for check in here}
    left = [check for check in checks if check.grade_id not in met]
    return steps + [_judge_at(len(cells), check) for check in left]


def _judge_at(cell: int, check: Check) -> dict:
    names = {"check": check.grade_id, "exercise": check.exercise, "attempt": check.attempt}
    return {"cell": cell} | names
