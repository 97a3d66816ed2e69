"""The course's notebooks in real kernels: no error, little memory, within the minutes they state.

The quick test runs the student's notebooks with DCAMSR_FAST=1, in seconds; the slow one runs every
notebook whole, as a learner does. test_colab.py runs the student's with Colab's versions.
"""

import json
import os
import re

import pytest
from helpers import ROOT

pytest.importorskip("nbclient", reason="nbclient (the extra 'lab') is not installed")

from kernels import run

FOLDER = ROOT / "notebooks"
STUDENT = sorted(FOLDER.glob("*.ipynb"))
SOLVED = sorted((FOLDER / "solutions").glob("*.ipynb"))
MINUTES = json.loads((FOLDER / "minutes.json").read_text(encoding="utf-8"))
# this checkout's package, whatever is installed
PATH = {"PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])}
MEMORY = 1.5e9  # bytes; Binder gives 1 GB for sure and 2 GB at most
FAST, SHORT = 45, 90  # seconds: any notebook in fast mode, the first five whole
BUSY = 1.5  # processor time on a machine where other work fills the caches, over an idle one's


def name(path):
    return f"{path.parent.name}/{path.stem}"


def source(path) -> str:
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return "\n".join("".join(cell["source"]) for cell in cells)


def missing(path, message, printed) -> list[str]:
    """Which of the notebook's checks did not say so."""
    checks = re.findall(r'^course\.check\("([\w.]+)"', source(path), re.M)
    assert len(checks) >= 3
    return [check for check in checks if f"{check}: {message}." not in printed]


@pytest.mark.parametrize("path", STUDENT, ids=name)
def test_a_students_notebook_runs_in_seconds(path, tmp_path, record_property):
    """Restart and run all, nothing attempted, in an empty folder: as on Colab, no file is near."""
    ran = run(path, tmp_path, DCAMSR_FAST="1", **PATH)
    record_property("notebook", f"{name(path)}, fast: {ran}")
    assert ran.warned == ""
    assert missing(path, "not attempted yet", ran.printed) == []
    assert ran.peak < MEMORY and ran.seconds < FAST
    assert [left.name for left in tmp_path.iterdir()] == []


@pytest.mark.slow
@pytest.mark.parametrize("path", [*STUDENT, *SOLVED], ids=name)
def test_a_notebook_takes_the_minutes_that_it_states(path, tmp_path, record_property):
    ran = run(path, tmp_path, DCAMSR_FAST="0", **PATH)
    record_property("notebook", f"{name(path)}, whole: {ran}")
    assert ran.warned == ""
    message = "right" if path in SOLVED else "not attempted yet"
    assert missing(path, message, ran.printed) == []
    assert ran.peak < MEMORY
    assert ran.seconds < BUSY * 60 * (MINUTES[path.stem] + 0.05)  # stated to a tenth
    if path.stem < "05":
        assert ran.seconds < SHORT


def test_every_notebook_states_its_minutes():
    assert sorted(MINUTES) == [path.stem for path in STUDENT]
    for path in [*STUDENT, *SOLVED]:
        assert f"{MINUTES[path.stem]} minutes" in " ".join(source(path).split()), name(path)
