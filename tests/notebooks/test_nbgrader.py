"""The real nbgrader, from the solved notebook to the feedback, and its marks beside `grade.py`'s."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("nbgrader", reason="nbgrader (the extra 'grading') is not installed")

import grade
from grading.judge import Bounds
from grading.submission import read_checks
from helpers import ROOT

pytestmark = pytest.mark.slow
FOLDER = ROOT / "notebooks"
NAME = "01_kspace.ipynb"
CORNER = "def crop(k, scale):\n    return k[..., : k.shape[-2] // scale, : k.shape[-1] // scale]"
NO_CHECK = "from dcamsr_lite import course\ncourse.check = lambda *a, **k: None"
MARKS = """import json
from nbgrader.api import Gradebook
with Gradebook("sqlite:///gradebook.db") as book:
    marks = {
        one.student.id: {mark.name: mark.score for page in one.notebooks for mark in page.grades}
        for one in book.assignment_submissions("week1")
    }
print(json.dumps(marks))"""
CHECKS = [check.grade_id for check in read_checks(FOLDER / NAME)]
MISSED = ("check-kspace-crop", "check-kspace-brightness")


def read(path: Path) -> dict:
    return json.loads(path.read_text(encoding="utf-8"))


def nbgrader(folder: Path, *arguments: str) -> str:
    """What it says; of a file that is torn it tells a traceback, and goes on."""
    programs = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"  # it calls alembic
    own = {"PATH": programs, "PYTHONPATH": str(ROOT), "DCAMSR_FAST": "1", "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "nbgrader", *arguments]
    done = subprocess.run(command, cwd=folder, env=os.environ | own, capture_output=True, text=True)
    assert not done.returncode or "for student 'torn'" in done.stderr, done.stderr[-3000:]
    return done.stderr


@pytest.fixture(scope="module")
def released(tmp_path_factory):
    """The folder of a course, where one solved notebook was made an assignment."""
    folder = tmp_path_factory.mktemp("course")
    (folder / "nbgrader_config.py").symlink_to(FOLDER / "nbgrader_config.py")
    source = folder / "source" / "week1"
    source.mkdir(parents=True)
    (source / NAME).write_bytes((FOLDER / "solutions" / NAME).read_bytes())
    nbgrader(folder, "generate_assignment", "week1")
    return folder


def test_what_is_released_is_the_students_notebook_with_its_marks(released):
    page, ours = read(released / "release" / "week1" / NAME), read(FOLDER / NAME)
    assert len(page["cells"]) == len(ours["cells"])
    for cell, own in zip(page["cells"], ours["cells"], strict=True):
        source = "".join(cell["source"]).replace("](../../", "](../")  # a folder further down
        assert source == "".join(own["source"]) and not cell.get("outputs")
        cell["metadata"].get("nbgrader", {}).pop("checksum", None)
        assert own["metadata"].items() <= cell["metadata"].items()  # by which cells are coloured
        assert cell["metadata"].get("editable", True) != bool(
            own["metadata"].get("nbgrader", {}).get("locked")
        )
    assert "solutions/" not in json.dumps(page)


def answer(released: Path, wrong: dict[str, str]) -> str:
    """The released notebook with the solved one's answers, but for those that are ``wrong``."""
    page, solved = read(released / "release" / "week1" / NAME), read(FOLDER / "solutions" / NAME)
    for cell, own in zip(page["cells"], solved["cells"], strict=True):
        mark = own["metadata"].get("nbgrader", {})
        if mark.get("solution"):
            cell["source"] = wrong.get(mark["grade_id"], own["source"])
    return json.dumps(page)


@pytest.fixture(scope="module")
def graded(released):
    """The folder where five submissions were handed in, graded, and answered."""
    stubs = (released / "release" / "week1" / NAME).read_text(encoding="utf-8")
    cheat = json.loads(stubs)
    cheat["cells"][2]["source"] = NO_CHECK
    right = answer(released, {})
    submissions = {
        "right": right,
        "wrong": answer(released, {"solution-2": CORNER, "solution-3": "factor = 16"}),
        "untouched": stubs,
        "cheat": json.dumps(cheat),
        "torn": right[:3000],
    }
    for student, page in submissions.items():
        path = released / "submitted" / student / "week1" / NAME
        path.parent.mkdir(parents=True)
        path.write_text(page, encoding="utf-8")
    nbgrader(released, "autograde", "week1")
    nbgrader(released, "generate_feedback", "week1")
    return released


def test_its_marks_are_ours_but_for_the_one_that_replaces_the_check(graded, monkeypatch):
    told = subprocess.check_output([sys.executable, "-c", MARKS], cwd=graded, text=True)
    theirs = json.loads(told)
    monkeypatch.setenv("DCAMSR_FAST", "1")
    handed_in = sorted((graded / "submitted").rglob(NAME))
    found = {
        path.parents[1].name: {check: verdict.points for check, verdict in verdicts.items()}
        for path, verdicts in grade.grade_all(handed_in, 1, Bounds())
    }
    none = dict.fromkeys(CHECKS, 0)
    assert found == dict.fromkeys(("untouched", "cheat", "torn"), none) | {
        "right": dict.fromkeys(CHECKS, 1),
        "wrong": dict.fromkeys(CHECKS, 1) | dict.fromkeys(MISSED, 0),
    }
    assert sum(theirs.pop("cheat").values()) == len(CHECKS)  # so marks come from grade.py
    assert theirs == {student: found[student] for student in theirs} and len(theirs) == 4


def test_an_unanswered_notebook_runs_to_its_end(graded):
    """Only the checks fail: no name is missing, and no stub is an error."""
    page = read(graded / "autograded" / "untouched" / "week1" / NAME)
    failed = {
        cell["metadata"].get("nbgrader", {}).get("grade_id"): output["ename"]
        for cell in page["cells"]
        for output in cell.get("outputs", [])
        if output["output_type"] == "error"
    }
    assert failed == dict.fromkeys(CHECKS, "AssertionError")


def test_feedback_says_what_was_wrong_and_no_solution(graded):
    def feed(student: str) -> str:
        path = graded / "feedback" / student / "week1" / NAME
        return path.with_suffix(".html").read_text(encoding="utf-8")

    assert "kept the corner" in feed("wrong") and "5.0 / 7.0" in feed("wrong")
    assert "7.0 / 7.0" in feed("right")
    for solution in ("ifftshift(image", "SOLUTION"):
        assert solution not in feed("untouched")
