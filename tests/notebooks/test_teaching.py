"""The teacher's page: its commands, links and numbers hold; the students' set gives nothing away."""

import html
import json
import re
import subprocess
import sys

import pytest
from helpers import ROOT

pytest.importorskip("jupytext", reason="jupytext (the extra 'lab') is not installed")

import build

from dcamsr_lite.course import staged_help

FOLDER = ROOT / "notebooks"
PAGE = (FOLDER / "TEACHING.md").read_text(encoding="utf-8")
STUDENT = sorted(FOLDER.glob("*.ipynb"))


def test_the_rubric_has_every_explain_in_the_order_of_the_notebooks():
    page = (FOLDER / "solutions" / "RUBRIC.md").read_text(encoding="utf-8")
    assert page == build.rubric()
    answers = staged_help.read_words("explanations.json")
    assert sorted(re.findall(r"^\*\*([\w.]+)\*\*", page, re.M)) == sorted(answers)
    assert page.count("\n- ") == sum(len(entry["points"]) for entry in answers.values())


@pytest.mark.parametrize("path", STUDENT, ids=lambda path: path.stem)
def test_no_model_answer_and_no_help_is_in_a_students_notebook(path):
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    outputs = [output for cell in cells for output in cell.get("outputs", [])]
    shown = ["".join(output.get("text", "")) for output in outputs]
    shown += ["".join(v) for o in outputs for k, v in o.get("data", {}).items() if "text" in k]
    text = "\n".join(shown + ["".join(cell["source"]) for cell in cells])
    for entry in staged_help.read_words("explanations.json").values():
        assert entry["answer"] not in text and html.escape(entry["answer"]) not in text
    for name, entry in staged_help.read_words("help.json").items():
        assert entry["idea"] not in text, name
        if len(entry["code"]) > 1 or "return" in entry["code"][0]:
            assert "\n".join(f"    {line}" for line in entry["code"]) not in text, name


def test_a_solved_notebook_has_each_model_answer_folded():
    answers = staged_help.read_words("explanations.json")
    for path in STUDENT:
        cells = json.loads((FOLDER / "solutions" / path.name).read_text(encoding="utf-8"))["cells"]
        for cell in cells:
            for name in build.EXPLAIN.findall("".join(cell["source"])):
                page = "".join(cell["outputs"][0]["data"]["text/html"])
                assert page.startswith("<details><summary>A model answer</summary>")
                assert html.escape(answers[name]["answer"]) in page


def test_every_link_and_make_target_of_the_page_is_there():
    for link in re.findall(r"\]\((?!http)([^)#]+)\)", PAGE):
        assert (FOLDER / link).exists(), link
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    named = set(re.findall(r"`make ([a-z-]+)", PAGE))
    assert named and named <= set(targets)
    for path in re.findall(r"`((?:dcamsr_lite|notebooks|tests)/[\w/.]+)`", PAGE):
        assert (ROOT / path).exists(), path


def test_the_memory_of_every_notebook_is_said_and_the_first_five_stay_below_a_gigabyte():
    rows = re.findall(r"^\| (\w+) \| ([\d.]+) \| ([\d.]+) \|$", PAGE, re.M)
    assert [name for name, *_ in rows] == [path.stem for path in STUDENT]
    for place, (name, peak, resting) in enumerate(rows):
        assert float(resting) <= float(peak) < (1.0 if place < 5 else 2.0), name


@pytest.mark.slow
def test_the_command_of_the_page_exports_slides_of_two_notebooks(tmp_path):
    pytest.importorskip("nbconvert")
    found = re.search(r"```\n\.venv/bin/jupyter (nbconvert --to slides .*?)\n```", PAGE, re.S)
    arguments = found[1].replace("\\\n", " ").split()
    out = arguments.index("--output-dir") + 1
    arguments[out] = str(tmp_path)
    command = [sys.executable, "-m", "jupyter", *arguments]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    made = sorted(tmp_path.glob("*.slides.html"))
    assert [path.name for path in made] == [
        "01_kspace.slides.html",
        "03_dcamsr_in_einops.slides.html",
    ]
    for path in made:
        page = path.read_text(encoding="utf-8")
        assert page.count("<section>") > 20 and "A model answer" in page
        assert "course.hint" not in page and "%pip" not in page
