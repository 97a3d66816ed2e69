"""The course's notebooks: built from their sources, whole, executed; and the pipeline that does it."""

import base64
import io
import json
import re

import pytest
from helpers import ROOT

pytest.importorskip("jupytext", reason="jupytext (the extra 'lab') is not installed")

import build
import grade
import nbformat
import quality
from PIL import Image

from dcamsr_lite import course

FOLDER = ROOT / "notebooks"
SOURCES = sorted((FOLDER / "source").glob("*.py"))
STUDENT = sorted(FOLDER.glob("*.ipynb"))
SOLVED = sorted((FOLDER / "solutions").glob("*.ipynb"))
NOT_YET = re.compile(r"^([\w.]+): not attempted yet\.$", re.M)
RIGHT = re.compile(r"^([\w.]+): right\.", re.M)


def name(path):
    return f"{path.parent.name}/{path.stem}"


def printed(path) -> str:
    cells = nbformat.read(path, as_version=4).cells
    outputs = [output for cell in cells for output in cell.get("outputs", [])]
    return "".join(output.text for output in outputs if output.output_type == "stream")


def checks(path) -> list[str]:
    return re.findall(r'^course\.check\("([\w.]+)"', path.read_text(encoding="utf-8"), re.M)


def test_every_source_has_both_notebooks():
    stems = [path.stem for path in SOURCES]
    assert [path.stem for path in STUDENT] == stems
    assert [path.stem for path in SOLVED] == stems


@pytest.mark.parametrize("path", [*STUDENT, *SOLVED], ids=name)
def test_a_notebook_keeps_the_courses_rules(path):
    assert quality.problems(path) == []


@pytest.mark.parametrize("source", SOURCES, ids=name)
@pytest.mark.parametrize("solved", [False, True], ids=["student", "solved"])
def test_a_committed_notebook_is_that_of_its_source(source, solved):
    """Cells and metadata; the slow tests run them."""
    committed = FOLDER / ("solutions" if solved else "") / f"{source.stem}.ipynb"
    committed = nbformat.read(committed, as_version=4)
    converted = build.convert(source, solved)
    assert committed.metadata == nbformat.from_dict(converted.metadata)
    for old, new in zip(committed.cells, converted.cells, strict=True):
        assert (old.id, old.source, old.metadata) == (new.id, new.source, new.metadata)


@pytest.mark.parametrize("source", SOURCES, ids=name)
def test_stubs_say_not_attempted_and_solutions_are_right(source):
    """Read off the outputs that the committed notebooks hold."""
    wanted = checks(source)
    assert NOT_YET.findall(printed(FOLDER / f"{source.stem}.ipynb")) == wanted
    assert RIGHT.findall(printed(FOLDER / "solutions" / f"{source.stem}.ipynb")) == wanted


def test_every_exercise_is_in_one_notebook():
    used = [check for source in SOURCES for check in checks(source)]
    assert sorted(used) == sorted(course.EXERCISES)


@pytest.mark.parametrize("source", SOURCES, ids=name)
def test_no_solution_is_left_in_the_students_notebook(source):
    student = build.convert(source, solved=False)
    program = "\n".join(cell.source for cell in student.cells if cell.cell_type == "code")
    assert "SOLUTION" not in program
    solutions = [
        cell for cell in student.cells if cell.metadata.get("nbgrader", {}).get("solution")
    ]
    assert len(solutions) == len(checks(source))
    for cell in solutions:
        assert "raise NotImplementedError" in cell.source or " = ..." in cell.source


@pytest.mark.parametrize("source", SOURCES, ids=name)
def test_nbgrader_can_read_the_metadata(source):
    cells = build.convert(source, solved=True).cells
    marked = [cell.metadata["nbgrader"] for cell in cells if "nbgrader" in cell.metadata]
    assert len({mark["grade_id"] for mark in marked}) == len(marked)
    for mark in marked:
        assert re.fullmatch(r"[a-zA-Z0-9_-]+", mark["grade_id"])  # as its schema asks
        assert mark["schema_version"] == 3 and mark["grade"] != mark["solution"]
        assert mark["locked"] == mark["grade"] and ("points" in mark) == mark["grade"]


@pytest.mark.parametrize("source", SOURCES, ids=name)
def test_what_nbgrader_releases_of_a_solved_notebook_leads_to_no_solution(source):
    """It takes the solutions' code and all outputs out, and leaves everything else."""
    for cell in build.convert(source, solved=True).cells:
        released = build.stub(cell.source)
        assert not re.search(r"solutions|\*\*solved|SOLUTION", released), released
    student = (FOLDER / f"{source.stem}.ipynb").read_text(encoding="utf-8")
    assert "solutions/" not in student and "`solutions`" not in student


@pytest.mark.parametrize("source", SOURCES, ids=name)
def test_a_lecture_shows_a_slide_for_every_heading_and_no_setup(source):
    cells = build.convert(source, solved=True).cells
    types = [cell.metadata["slideshow"]["slide_type"] for cell in cells]
    assert set(types) <= {
        "slide",
        "subslide",
        "fragment",
        "skip",
    }  # as nbconvert and RISE know them
    headed = [cell.cell_type == "markdown" and "# " in cell.source for cell in cells]
    assert [kind == "slide" for kind in types] == headed and sum(headed) > 5
    shown = [cell.source for cell, kind in zip(cells, types, strict=True) if kind != "skip"]
    assert not any("%pip" in source or "Open in Colab" in source for source in shown)


@pytest.mark.slow
@pytest.mark.parametrize("source", SOURCES, ids=name)
def test_regenerating_without_a_change_changes_nothing(source, tmp_path, monkeypatch):
    """Both notebooks run from top to bottom in real kernels, twice, to the same bytes.

    Long cells cut short; test_executed.py runs them whole.
    """
    monkeypatch.setenv("DCAMSR_FAST", "1")
    first, second = (build.build(source, tmp_path / turn) for turn in ("a", "b"))
    for one, other in zip(first, second, strict=True):
        assert one.read_bytes() == other.read_bytes()
        assert [p for p in quality.problems(one) if "link" not in p] == []


@pytest.mark.slow
def test_grading_counts_what_passes_and_puts_the_checks_back(tmp_path):
    """One answer wrong, one check made toothless by the learner: no point for either of them."""
    submission = tmp_path / "anna_02_two_contrasts.ipynb"
    notebook = nbformat.read(FOLDER / "solutions" / "02_two_contrasts.ipynb", as_version=4)
    for cell in notebook.cells:
        cell.source = cell.source.replace('fine = "less"', 'fine = "more"')
        if cell.source.startswith('course.check("contrasts.fine"'):
            cell.source = "print('passed')"
    nbformat.write(notebook, submission)
    points = grade.grade(submission)
    assert points.pop("check-contrasts-fine") == 0
    assert set(points.values()) == {1}
    assert len(points) == 4


def test_a_submission_of_unknown_origin_is_refused(tmp_path):
    with pytest.raises(SystemExit, match="expected one of 00_start_here"):
        grade.notebook_of(tmp_path / "homework.ipynb")


# --- the pipeline itself


def test_a_stub_keeps_the_head_of_a_function_and_names_of_values():
    function = "def f(x):\n    ### BEGIN SOLUTION\n    return x\n    ### END SOLUTION"
    assert build.stub(function).endswith("# your code here\n    raise NotImplementedError")
    values = "### BEGIN SOLUTION\na = [1,\n     2]\nb = 3\n### END SOLUTION"
    assert build.stub(values) == "a = ...  # your answer here\nb = ...  # your answer here"
    with pytest.raises(SystemExit, match="assigns nothing"):
        build.stub("### BEGIN SOLUTION\nprint(1)\n### END SOLUTION")


def test_what_depends_on_the_run_is_left_out():
    png = {"image/png": "iVBO", "text/plain": "A head, sharp.", build.WIDGET: {"model_id": "x"}}
    output = nbformat.v4.new_output
    cell = nbformat.v4.new_code_cell(
        "show()",
        outputs=[
            output("stream", name="stdout", text="a"),
            output("stream", name="stdout", text="b"),
            output("display_data", data=png),
        ],
    )
    varies = nbformat.v4.new_code_cell("report()", outputs=[output("stream", text="3 minutes")])
    varies.metadata["tags"] = ["varies"]
    notebook = nbformat.v4.new_notebook(cells=[cell, varies])
    build.strip(notebook)
    assert [o.get("text") for o in cell.outputs] == ["ab", None]
    assert build.WIDGET not in cell.outputs[1].data
    assert cell.outputs[1].metadata["image/png"]["alt"] == "A head, sharp."
    assert varies.outputs == []


@pytest.mark.parametrize(("by", "kept"), [(1, True), (2, False)])
def test_a_picture_whose_rounding_alone_differs_stays_as_it_was(by, kept, tmp_path):
    """Three pixels of a slice flipped by one grey level from run to run: a change that says nothing."""

    def picture(level):
        stream = io.BytesIO()
        Image.new("RGB", (4, 4), (level, 90, 90)).save(stream, "PNG")
        data = {"image/png": base64.b64encode(stream.getvalue()).decode()}
        outputs = [nbformat.v4.new_output("display_data", data)]
        return nbformat.v4.new_notebook(
            cells=[nbformat.v4.new_code_cell("show()", outputs=outputs)]
        )

    before, after = picture(90), picture(90 + by)
    nbformat.write(before, tmp_path / "before.ipynb")
    build.keep_alike(after, tmp_path / "before.ipynb")
    assert (after.cells[0].outputs == before.cells[0].outputs) is kept


def spoiled(tmp_path, change) -> str:
    notebook = json.loads(STUDENT[0].read_text(encoding="utf-8"))
    code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    change(notebook, code)
    path = tmp_path / "spoiled.ipynb"
    path.write_text(json.dumps(notebook), encoding="utf-8")
    links = "a link to"
    return "\n".join(p for p in quality.problems(path) if not p.startswith(links))


def picture_of(code: list[dict]) -> dict:
    outputs = (output for cell in code for output in cell["outputs"])
    return next(output for output in outputs if "image/png" in output.get("data", {}))


@pytest.mark.parametrize(
    "change, named",
    [
        (lambda n, c: n["metadata"].update(widgets={}), "metadata 'widgets'"),
        (lambda n, c: c[0]["metadata"].update(execution={}), "metadata 'execution'"),
        (lambda n, c: c[1].update(execution_count=None), "not executed"),
        (lambda n, c: picture_of(c).update(metadata={}), "without alt text"),
        (lambda n, c: picture_of(c)["data"].update({quality.WIDGET: {}}), "widget view"),
        (lambda n, c: c[1].update(source="plt.imshow(x, cmap='jet')"), "colour map 'jet'"),
        (lambda n, c: c[1].update(source="\n" * 40), "of 41 lines"),
        (lambda n, c: [x.update(source="\n" * 6) for x in c], "median of 7"),
        (lambda n, c: c[1].update(source='course.check("start.none", x)'), "no exercise has"),
        (lambda n, c: [x.update(source="x = 1") for x in c], "0 exercises"),
        (lambda n, c: n["cells"].pop(-1), "no '## References'"),
        (lambda n, c: c[1].update(source="#" * 10**6), "bytes, expected below"),
        (
            lambda n, c: c[1].update(
                outputs=[{"output_type": "stream", "name": "stderr", "text": "Warning"}]
            ),
            "stderr: Warning",
        ),
    ],
)
def test_a_spoiled_notebook_is_told_from_a_good_one(tmp_path, change, named):
    assert spoiled(tmp_path, lambda notebook, code: None) == ""
    assert named in spoiled(tmp_path, change)


def test_a_dead_link_is_found(tmp_path):
    path = tmp_path / "alone.ipynb"
    path.write_bytes(STUDENT[0].read_bytes())
    assert any("01_kspace.ipynb, which is not there" in p for p in quality.problems(path))


def test_the_address_stands_in_one_place():
    owner = build.repository().removeprefix("https://github.com/")
    for path in [*STUDENT, *SOLVED]:
        inside = f"notebooks/{path.name}"
        page = path.read_text(encoding="utf-8")
        assert f"colab.research.google.com/github/{owner}/blob/main/{inside}" in page
        assert f"git+{build.repository()}" in page
    for source in SOURCES:
        assert owner not in source.read_text(encoding="utf-8")
