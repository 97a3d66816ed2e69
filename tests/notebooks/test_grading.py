"""Grading: what a submission cannot reach, what it cannot end, and a table that can be taken up again.

The classes here hand in a small notebook of three checks; `test_sources.py` grades a real one.
"""

import csv
import doctest
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("psutil", reason="psutil (the extra 'lab') is not installed")

import grade
import numpy as np
import torch
from grading import judge, plain, submission, table
from grading.plain import pack, unpack
from grading.submission import Cell
from helpers import ROOT

from dcamsr_lite import course

SOLVED = sorted((ROOT / "notebooks" / "solutions").glob("*.ipynb"))
IMPORTS = "import torch\nfrom dcamsr_lite import course"
CROP = """def crop(k, scale):
    rows, columns = (n // scale for n in k.shape[-2:])
    top, left = k.shape[-2] // 2 - rows // 2, k.shape[-1] // 2 - columns // 2
    return k[..., top : top + rows, left : left + columns]"""
CORNER = "def crop(k, scale):\n    return k[..., : k.shape[-2] // scale, : k.shape[-1] // scale]"
STUB = "def crop(k, scale):\n    raise NotImplementedError"
RIGHT = {"crop": CROP, "factor": "factor = 4", "width": "width = 8"}
NAMES = {"crop": "kspace.crop", "factor": "kspace.brightness", "width": "kspace.width"}
IDS = [f"check-{name.replace('.', '-')}" for name in NAMES.values()]


def code(source: str, **marked) -> dict:
    metadata = {"nbgrader": marked} if marked else {}
    return {"cell_type": "code", "source": source, "metadata": metadata, "outputs": []}


def notebook(first: str = "", check: str = 'course.check("{}", {})', **answers: str) -> dict:
    cells = [code(IMPORTS), code(first)]
    for (attempt, name), grade_id in zip(NAMES.items(), IDS, strict=True):
        cells.append(code((RIGHT | answers)[attempt]))
        cells.append(code(check.format(name, attempt), grade=True, grade_id=grade_id))
    return {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}


@pytest.fixture
def hand_in(tmp_path, monkeypatch):
    """Writes submissions, and what was handed out: "01_small" is the only notebook that is known."""
    originals = tmp_path / "originals"
    originals.mkdir()
    stubs = notebook(crop=STUB, factor="factor = ...", width="width = ...")
    (originals / "01_small.ipynb").write_text(json.dumps(stubs), encoding="utf-8")
    (originals / "solutions").mkdir()
    (originals / "solutions" / "01_small.ipynb").write_text(json.dumps(notebook()))
    monkeypatch.setattr(grade, "HERE", originals)
    desk = tmp_path / "submissions"
    desk.mkdir()

    def write(**submissions):
        for student, pages in submissions.items():
            text = pages if isinstance(pages, str) else json.dumps(pages)
            (desk / f"{student}_01_small.ipynb").write_text(text, encoding="utf-8")
        return desk

    return write


def marks(path) -> dict[str, list[int]]:
    by_student: dict[str, list[int]] = {}
    with path.open(encoding="utf-8", newline="") as page:
        for row in csv.DictReader(page):
            student = row["submission"].split("_01")[0]
            by_student.setdefault(student, []).append(int(row["points"]))
    return by_student


def notes(path, student: str) -> str:
    with path.open(encoding="utf-8", newline="") as page:
        return " ".join(
            r["note"] for r in csv.DictReader(page) if r["submission"][:3] == student[:3]
        )


NO_CHECK = "course.check = lambda *a, **k: None"
NOT_MINE = "crop = course.use('kspace.crop', ...)"
LIES = """import dcamsr_lite.course.exercise as exercise, sys, builtins, json
exercise.examine = exercise.agree = lambda *a, **k: exercise.Result("passed", "right.")
exercise._run = exercise._judge_answer = exercise.examine
torch.Tensor.__eq__ = lambda *a: True
class factor(float):
    __eq__ = lambda *a: True
    __sub__ = __rsub__ = lambda *a: 0.0"""


@pytest.mark.slow
def test_a_small_class_is_graded_and_one_bad_submission_ends_nothing(hand_in, tmp_path):
    wrong = {"crop": CORNER, "factor": "factor = 2 * two"}  # the first alone
    desk = hand_in(
        anna=notebook("import dcamsr_lite as dl; dl.load('lite-4x'); two = 2", **wrong),
        cheat=notebook(NO_CHECK, crop=NOT_MINE, factor="factor = ...", width="width = 7"),
        torn=json.dumps(notebook())[:400],
    )
    out = tmp_path / "points.csv"
    assert grade.main([str(desk), "--out", str(out), "--jobs", "2"]) == 0
    found = marks(out)
    assert found == {"anna": [0, 1, 1], "cheat": [0] * 3, "torn": [0] * 3}
    assert "kept the corner" in notes(out, "anna")
    assert "the package's solution is no attempt" in notes(out, "cheat")
    assert "not readable: found no notebook" in notes(out, "torn")


READS = """import os, pathlib, dcamsr_lite
for place in (pathlib.Path.cwd(), pathlib.Path(dcamsr_lite.__file__)):
    for folder in place.parents:
        for page in (*folder.glob("solutions/*.ipynb"), *folder.glob("notebooks/solutions/*.ipynb")):
            raise SystemExit(page.read_text())
crop = course.EXERCISES["kspace.crop"].solution"""
IMPORTS_THEM = "from dcamsr_lite.course.exercises.kspace import EXERCISES\ncrop = EXERCISES['crop']"
OPENS = "crop = eval(open({!r}).read() and {!r})"
KILLS = "import os, signal; os.kill(os.getppid(), signal.SIGKILL)"
FORKS = """import os, time
if os.fork() == 0:
    os.setsid()
    time.sleep(600)"""
GIANT = "for _ in range(2000): print('x' * 10**5)"
MERGED = {"cells": [code(IMPORTS), code("\n".join(RIGHT.values()))], "metadata": {}}


@pytest.mark.slow
def test_a_class_of_twenty_is_graded_in_one_command(hand_in, tmp_path):
    solutions = str(judge.HERE.parent / "solutions" / "01_kspace.ipynb")
    broken = {
        "torn": json.dumps(notebook())[:700],
        "dead": notebook(width="import os; os._exit(0)"),
        "loop": notebook(factor="while True:\n    pass"),
        "cheat": notebook(NO_CHECK, "pass", crop=STUB, factor="factor = ...", width="width = ..."),
        "lies": notebook(LIES, crop=CORNER, factor="factor = factor()", width="width = 7"),
        "reads": notebook(crop=READS),
        "imports": notebook(crop=IMPORTS_THEM),
        "opens": notebook(crop=OPENS.format(solutions, "torch.Tensor")),
        "kills": notebook(KILLS) if os.name == "posix" else "",
        "large": notebook(crop="x = bytearray(10**10); x[::4096] = b'1' * len(x[::4096])"),
    }
    wrong = {
        "zero": notebook(crop=STUB, factor="factor = ...", width="width = ..."),
        "one": notebook(crop=CORNER, factor="factor = 16"),
        "two": notebook(width="width = 4"),
        "error": notebook(crop="crop = undefined"),
    }
    right = {
        "right": notebook(),
        "forks": notebook(FORKS) if os.name == "posix" else notebook(),
        "giant": notebook(GIANT),
        "magic": notebook("%matplotlib inline\n!true"),
        "merged": MERGED,  # no check cell, no metadata
        "helper": notebook("half = 2", factor="factor = 2 * half"),
    }
    desk = hand_in(**broken, **wrong, **right)
    out = tmp_path / "points.csv"
    limits = ["--seconds", "120", "--megabytes", "1500"]
    assert grade.main([str(desk), "--out", str(out), "--jobs", "2", *limits]) == 0
    found = marks(out)
    assert len(found) == 20
    ended = {"torn", "dead", "loop", "cheat", "lies", "kills"}
    assert {s: found[s] for s in ended} == dict.fromkeys(ended, [0, 0, 0])
    others = dict.fromkeys(("reads", "imports", "opens", "large", "error"), [0, 1, 1])
    others |= {"zero": [0, 0, 0], "one": [0, 0, 1], "two": [1, 1, 0]}
    assert {s: found[s] for s in others} == others
    assert {s: found[s] for s in right} == dict.fromkeys(right, [1, 1, 1])
    assert "stopped in code cell 5: it was still running after 120 s" in notes(out, "loop")
    assert "stopped in code cell 7: its process ended" in notes(out, "dead")
    assert "this file is not for it" in notes(out, "opens")


@pytest.mark.slow
@pytest.mark.parametrize("solved", SOLVED, ids=lambda path: path.stem)
def test_a_solved_notebook_has_all_points_and_no_cell_of_it_fails(solved):
    checks = submission.read_checks(grade.notebook_of(solved))
    steps = submission.plan_steps(submission.read_cells(solved), checks)
    ran = judge.run_apart(steps, judge.Bounds(seconds=1800))
    assert [record for record in ran.records if "why" in record] == []
    found = judge.judge(checks, ran, course.EXERCISES)
    assert found == dict.fromkeys(found, judge.Verdict(1, "")) and len(found) == len(checks) > 3


# --- its keeper

FORKS_AWAY = """import os, time
child = os.fork()
if child == 0:
    os.setsid()
    time.sleep(600)
open("child", "w").write(str(child))"""


def kept(program: str, seconds: float = 300, megabytes: int = 100):
    """How its keeper says that the program ended; the keeper is a process of its own, as always."""
    command = [sys.executable, judge.HERE / "keeper.py", seconds, megabytes]
    command = [*map(str, command), sys.executable, "-S", "-c", program]
    return json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout)


def test_a_submission_is_ended_at_its_bounds():
    assert kept("import os; os._exit(3)") == 3
    assert kept("while True: pass", seconds=0.2) == "time"
    holds = "import time; x = b'1' * (80 * 10**6); time.sleep(600)"
    assert kept(holds, megabytes=60) == "memory"


@pytest.mark.skipif(sys.platform != "linux", reason="memory is bound on Linux alone")
def test_more_memory_at_once_than_twice_the_bound_is_an_error_of_the_cell():
    assert kept("try: b'1' * 10**9\nexcept MemoryError: raise SystemExit(7)") == 7


@pytest.mark.skipif(sys.platform != "linux", reason="orphans are found on Linux alone")
def test_what_a_submission_started_ends_with_it(tmp_path):
    assert kept(FORKS_AWAY) == 0
    assert not Path(f"/proc/{(tmp_path / 'child').read_text()}").exists()


# --- the table


def test_what_is_in_the_table_is_not_graded_again(hand_in, tmp_path, monkeypatch):
    """Killed in the middle of a row: that submission and the changed one are graded, no other."""
    desk = hand_in(anna=notebook(), bob=notebook(), cleo=notebook())
    asked = []

    def run_apart(steps, bounds):
        asked.append(len(steps))
        return judge.Ran([], "stopped")

    monkeypatch.setattr(grade, "run_apart", run_apart)
    out = tmp_path / "points.csv"
    command = [str(desk), "--out", str(out), "--jobs", "1"]
    grade.main(command)
    whole = out.read_text(encoding="utf-8")
    assert len(asked) == 3 and len(whole.splitlines()) == 10
    grade.main(command)
    assert len(asked) == 3 and out.read_text(encoding="utf-8") == whole
    hand_in(anna=notebook(width="width = 9"))
    out.write_text(whole[: whole.rfind("_01") + 20], encoding="utf-8")
    grade.main(command)
    assert len(asked) == 5
    assert sorted(marks(out)) == ["anna", "bob", "cleo"]
    assert len(out.read_text(encoding="utf-8").splitlines()) == 10


def test_whatever_an_error_says_is_one_row_that_can_be_read_again(tmp_path):
    out = tmp_path / "points.csv"
    table.keep_finished(out, {})
    with out.open("a", encoding="utf-8", newline="") as stream:
        said = judge.Verdict(0, 'a "word",\nmore,\r\x00\x1b[31m \ud800 \u2028 é')
        table.Table(stream).add("anna", {"check-a": said}, "1f")
    [row] = table.read_rows(out)
    assert row == ["anna", "check-a", "0", 'a "word", more, ??[31m ? é', "1f"]
    assert table.keep_finished(out, {"anna": ("1f", 1)}) == {"anna"}


def test_a_table_of_another_kind_is_refused(tmp_path):
    (tmp_path / "points.csv").write_text("name,mark\nanna,1\n")
    with pytest.raises(SystemExit, match="expected .*submission.*name another file"):
        table.read_rows(tmp_path / "points.csv")


def test_a_submission_of_no_known_notebook_is_a_row_with_a_note(hand_in, tmp_path, capsys):
    stray = tmp_path / "homework.ipynb"
    stray.write_text(json.dumps(notebook()))
    grade.main([str(stray)])
    head, row = csv.reader(capsys.readouterr().out.splitlines())
    assert head[:4] == ["submission", "check", "points", "note"]
    assert row[:3] == ["homework.ipynb", "", "0"] and "expected one of 01_small" in row[3]


def test_files_of_one_name_are_told_apart_by_their_folders(tmp_path):
    for student in ("anna", "bob"):
        (tmp_path / student / ".ipynb_checkpoints").mkdir(parents=True)
        (tmp_path / student / "01_small.ipynb").touch()
        (tmp_path / student / ".ipynb_checkpoints" / "01_small.ipynb").touch()
    found = grade.name_submissions(grade.find_submissions([tmp_path]))
    assert [*found] == ["anna/01_small.ipynb", "bob/01_small.ipynb"]


# --- a submission's cells


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", '{"cells": 1}', '{"cells": [1]}', "[" * 10**5, '{"cells": [{}]}', "\x00"],
)
def test_a_file_that_is_no_notebook_is_told(tmp_path, text):
    path = tmp_path / "torn.ipynb"
    path.write_text(text)
    with pytest.raises(ValueError, match="found no notebook in the file"):
        submission.read_cells(path)
    with pytest.raises(ValueError, match="no such file"):
        submission.read_cells(tmp_path)


def order(cells: list[Cell]) -> list[str]:
    checks = [submission.Check("a", "kspace.a", "x"), submission.Check("b", "kspace.b", "y")]
    return [s.get("check") or s["source"] for s in submission.plan_steps(cells, checks)]


def test_a_check_stands_where_the_submission_has_its_cell_and_what_is_in_it_is_not_run():
    assert order([Cell("x = 1", None), Cell("rm", "a"), Cell("y", "b")]) == ["x = 1", "a", "b"]
    unmarked = [Cell('course.check("kspace.a", 1)', None), Cell("y = 2", "c")]
    assert order(unmarked) == ['course.check("kspace.a", 1)', "a", "y = 2", "b"]
    assert order([]) == ["a", "b"]


# --- what comes back, and what is made of it


@pytest.mark.parametrize("module", [plain, submission, table], ids=lambda module: module.__name__)
def test_the_examples_run(module):
    failed, tried = doctest.testmod(module)
    assert failed == 0 < tried


@pytest.mark.parametrize(
    "x",
    [
        *(None, True, 3, 2.5, "word", (1, "a"), [1, 2], 1 + 2j, ...),
        *(torch.tensor(1.5), torch.zeros(0, 3), torch.eye(3, dtype=torch.bool)),
        *(torch.complex(torch.eye(2, 3), torch.ones(2, 3)).mH, torch.ones(2, dtype=torch.bfloat16)),
    ],
    ids=repr,
)
def test_a_result_comes_back_as_it_was(x):
    back = unpack(json.loads(json.dumps(pack(x))))
    same = (
        torch.equal(back, x) and back.dtype == x.dtype if isinstance(x, torch.Tensor) else back == x
    )
    assert type(back) is type(x) and same


def test_an_object_comes_back_as_nothing_but_the_name_of_its_type():
    class Solved:
        def __eq__(self, other):
            return True

    back = unpack(json.loads(json.dumps(pack(Solved()))))
    assert type(back).__name__ == "Solved" and back != 1
    assert unpack(pack(np.ones(2))).tolist() == [1, 1]
    for wrong in ({"code": "1"}, {"tensor": ["float32", [2], ""]}, {"tensor": ["load", [0], ""]}):
        with pytest.raises(ValueError):
            unpack(wrong)


def verdict(exercise: str, *records: dict) -> judge.Verdict:
    check = submission.Check("c", exercise, "x")
    [found] = judge.judge([check], judge.Ran([*records], ""), course.EXERCISES).values()
    return found


def test_only_results_that_are_right_are_worth_a_point():
    noise = course.EXERCISES["kspace.noise"]
    inputs = course.exercise.draw_inputs(noise)
    right = [{"result": sigma / scale} for sigma, scale in inputs]
    assert verdict("kspace.noise", {"check": "c", "returned": right}) == judge.Verdict(1, "")
    off = [{"result": sigma} for sigma, scale in inputs]
    assert "fewer noisy samples" in verdict("kspace.noise", {"check": "c", "returned": off}).note
    for broken in (
        {"returned": right[:3]},
        {"returned": "passed"},
        {"returned": [{"error": ["KeyError", "'x'"]}]},
        {"returned": [{"error": ["NotImplementedError", ""]}] * 4},
        {"answer": True},
        {"answer": {"other": "function"}},
        {"passed": True},
    ):
        assert verdict("kspace.noise", {"check": "c", **broken}).points == 0, broken
    assert verdict("kspace.noise").note == "no attempt"
    assert verdict("kspace.brightness", {"check": "c", "answer": 4}).points == 1
    assert verdict("kspace.brightness", {"check": "c", "returned": right}).points == 0


def test_a_submission_that_did_not_reach_its_end_has_no_points():
    check = submission.Check("c", "kspace.brightness", "x")
    ran = judge.Ran([{"check": "c", "answer": 4}], "stopped in code cell 2: it was still running")
    assert judge.judge([check], ran, course.EXERCISES)["c"] == judge.Verdict(0, ran.stopped)
