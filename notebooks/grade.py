"""Points of submitted notebooks: `python notebooks/grade.py submissions/*.ipynb > points.csv`.

Each submission's name has to contain that of its notebook (anna_01_kspace.ipynb). Its check cells are
replaced by those of this folder, all cells run, and every check that passes is a point. A submission
runs with your rights: grade in a container or on a machine that holds nothing else.
"""

import csv
import sys
from pathlib import Path

import nbformat
from build import HERE, execute


def notebook_of(submission: Path) -> Path:
    """The student's notebook that a submission is an edited copy of."""
    known = sorted(HERE.glob("[0-9]*.ipynb"))
    for path in known:
        if path.stem in submission.stem:
            return path
    names = ", ".join(path.stem for path in known)
    raise SystemExit(f"{submission.name}: found no notebook's name in it; expected one of {names}")


def _graded(notebook) -> dict:
    """Check cells by their grade_id."""
    marked = (cell for cell in notebook.cells if cell.metadata.get("nbgrader", {}).get("grade"))
    return {cell.metadata["nbgrader"]["grade_id"]: cell for cell in marked}


def grade(submission: Path) -> dict[str, int]:
    """Points by check; a check that was deleted or did not run has none."""
    original = _graded(nbformat.read(notebook_of(submission), as_version=4))
    notebook = nbformat.read(submission, as_version=4)
    checks = _graded(notebook)
    for name, cell in checks.items():
        cell.source = original[name].source if name in original else ""
    execute(notebook, graded=True)
    return {name: int(name in checks and _passed(checks[name])) for name in original}


def _passed(cell) -> bool:
    ran = cell.execution_count is not None
    return ran and not any(output.output_type == "error" for output in cell.outputs)


def main(paths: list[str]) -> None:
    table = csv.writer(sys.stdout)
    table.writerow(["submission", "check", "points"])
    for path in map(Path, paths):
        for check, points in grade(path).items():
            table.writerow([path.name, check, points])


if __name__ == "__main__":
    main(sys.argv[1:])
