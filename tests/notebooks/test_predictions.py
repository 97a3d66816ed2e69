"""A prediction can be written down, and its answer is not the next thing that one sees."""

import re

import pytest
from helpers import ROOT

pytest.importorskip("jupytext", reason="jupytext (the extra 'lab') is not installed")

import build
import nbformat
import predictions

FOLDER = ROOT / "notebooks"
STUDENT = sorted(FOLDER.glob("*.ipynb"))
# what the first printed line of an answer begins with, in the notebooks where it stood open
ANSWERS = {
    "00_start_here": ["zero-fill  25", "zero-fill  measured", "as trained"],
    "01_kspace": ["kspace.crop: not attempted yet, so", " 4x: overshoot"],
    "02_two_contrasts": ["T1 {"],
    "03_dcamsr_in_einops": ["spatial attention of level 1, mean entropy"],
    "04_attention_microscope": ["absolute ", "spatial, level 1: off", "disc at positive", "put "],
}


def folded(cell) -> bool:
    return cell.metadata.get("jupyter", {}).get("outputs_hidden", False)


@pytest.mark.parametrize("name", ANSWERS)
def test_the_output_that_answers_a_prediction_is_folded_and_there(name):
    """It stood open below the question."""
    cells = nbformat.read(FOLDER / f"{name}.ipynb", as_version=4).cells
    for answer in ANSWERS[name]:
        saying = [
            cell
            for cell in cells
            if any(o.get("text", "").startswith(answer) for o in cell.get("outputs", []))
        ]
        assert saying and all(map(folded, saying)), answer
        assert all("hide-output" in cell.metadata.tags for cell in saying)


@pytest.mark.parametrize("path", STUDENT, ids=lambda path: path.stem)
def test_no_explorer_check_or_help_is_folded(path):
    for cell in nbformat.read(path, as_version=4).cells:
        if re.search(r"dl\.explore|^course\.(check|hint|answer)", cell.source, re.M):
            assert not folded(cell), cell.source


@pytest.mark.parametrize("path", STUDENT, ids=lambda path: path.stem)
def test_every_explain_and_every_prediction_has_a_cell_to_write_in(path):
    cells = nbformat.read(path, as_version=4).cells
    for before, cell in zip(cells, cells[1:], strict=False):
        if build.EXPLAIN.search(cell.source):
            assert before.source.startswith("*Your answer"), cell.source
        if before.cell_type == "markdown" and predictions.PREDICT.search(before.source):
            assert cell.source.startswith("*Your prediction") or "# your answer here" in cell.source


def test_the_minutes_of_the_learner_stand_beside_those_of_the_machine():
    for path in STUDENT:
        words = " ".join(nbformat.read(path, as_version=4).cells[1].source.split())
        found = re.search(r"two CPU cores \(of yours for the exercises: about (\d+)\)", words)
        assert found and 10 <= int(found[1]) <= 120, path.stem
