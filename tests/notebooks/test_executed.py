"""The course's notebooks in real kernels: no error, no warning, little memory, no file left.

The quick test runs one with DCAMSR_FAST=1; the slow one runs every notebook whole, as a learner does.
test_colab.py runs the student's with Colab's versions, fast; `make bench` measures the minutes.
"""

import json
import os
import re
from importlib.util import find_spec

import pytest
from helpers import ROOT
from kernels import run

# not imported before a test runs: it takes seconds, in every process that collects tests
pytestmark = pytest.mark.skipif(
    not find_spec("nbclient"), reason="nbclient (the extra 'lab') is not installed"
)

FOLDER = ROOT / "notebooks"
STUDENT = sorted(FOLDER.glob("*.ipynb"))
SOLVED = sorted((FOLDER / "solutions").glob("*.ipynb"))
MINUTES = json.loads((FOLDER / "minutes.json").read_text(encoding="utf-8"))
# this checkout's package, whatever is installed
PATH = {"PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])}
MEMORY = 1.5e9  # bytes; Binder gives 1 GB for sure and 2 GB at most,
RESTING = 0.75e9  # where one that runs and one that rests fit


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


def runs_clean(path, folder, **environment) -> None:
    """Restart and run all in an empty folder: as on Colab, no file is near."""
    ran = run(path, folder, **environment, **PATH)
    assert ran.warned == ""
    message = "right" if path in SOLVED else "not attempted yet"
    assert missing(path, message, ran.printed) == []
    assert ran.peak < MEMORY
    assert ran.resting < RESTING
    assert [left.name for left in folder.iterdir()] == []


@pytest.mark.slow
def test_the_first_notebook_runs_fast(tmp_path):
    runs_clean(STUDENT[0], tmp_path, DCAMSR_FAST="1")


@pytest.mark.slow
@pytest.mark.parametrize("path", [*STUDENT, *SOLVED], ids=name)
def test_a_notebook_runs_whole(path, tmp_path):
    runs_clean(path, tmp_path, DCAMSR_FAST="0")


def test_every_notebook_states_its_minutes():
    assert sorted(MINUTES) == [path.stem for path in STUDENT]
    for path in [*STUDENT, *SOLVED]:
        assert f"{MINUTES[path.stem]} minutes" in " ".join(source(path).split()), name(path)
