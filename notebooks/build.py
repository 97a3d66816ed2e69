"""`make notebooks`: percent-format sources -> student and solved notebooks, executed and checked.

Every source/NN_name.py becomes NN_name.ipynb, where a stub stands in place of each solution, and
solutions/NN_name.ipynb. Both run from top to bottom here. What depends on the run (times, widget
state, cells tagged "varies") is left out, so that regenerating without a change changes nothing.

    python notebooks/build.py [--measure] [NAME ...]

``--measure`` also writes the minutes that each took into minutes.json, whence its first cell quotes:
processor time of the kernel on one thread, which other work on the machine hardly changes and an idle
machine with two cores does not exceed.
"""

import argparse
import ast
import base64
import io
import json
import os
import re
import sys
import textwrap
from math import ceil
from pathlib import Path

import jupytext
import nbformat
from nbclient import NotebookClient
from PIL import Image, ImageChops
from predictions import fold_answers, with_places_to_write
from quality import problems

from dcamsr_lite.course import staged_help

HERE = Path(__file__).resolve().parent
sys.path.append(str(HERE.parent / "scripts"))
from links import offer, repository  # noqa: E402

MINUTES = HERE / "minutes.json"
WIDGET = "application/vnd.jupyter.widget-view+json"
SOLUTION = re.compile(
    r"^(?P<indent> *)### BEGIN SOLUTION\n(?P<body>.*?)^ *### END SOLUTION\n?", re.M | re.S
)
EXPLAIN = re.compile(r'^course\.answer\("([\w.]+)"', re.M)
CHECK = re.compile(r'^course\.check\("([\w.]+)"', re.M)
ON_TWO_CORES = re.compile(r"\{\{MINUTES\}\}\s+(# )?minutes on two CPU cores")
SETUP = """\
# Installs only when the package is missing; never replaces torch or numpy.
import importlib.util
import sys

if importlib.util.find_spec("dcamsr_lite") is None:
    %pip install --quiet "dcamsr-lite @ git+{repository}"
if "google.colab" in sys.modules:
    sys.modules["google.colab"].output.enable_custom_widget_manager()"""


def stub(cell: str) -> str:
    """The cell without its solution: a function raises NotImplementedError, a value becomes `...`."""
    return SOLUTION.sub(_stub, cell).rstrip("\n")


def _stub(found: re.Match) -> str:
    indent = found["indent"]
    if indent:
        return f"{indent}# your code here\n{indent}raise NotImplementedError\n"
    statements = ast.parse(textwrap.dedent(found["body"])).body
    names = [node.targets[0].id for node in statements if isinstance(node, ast.Assign)]
    if not names:
        raise SystemExit(f"a solution at the top level assigns nothing:\n{found[0]}")
    return "".join(f"{name} = ...  # your answer here\n" for name in names)


def _with_hints(cells: list):
    """The cells, and before each check one that opens help step by step."""
    for cell in cells:
        check = CHECK.search(cell.source) if cell.cell_type == "code" else None
        if check:
            yield nbformat.v4.new_code_cell(f'course.hint("{check[1]}")')
        yield cell


def _grading(cell) -> dict:
    """nbgrader's metadata: which cell holds a solution, which one is worth a point."""
    check = CHECK.search(cell.source)
    solution = SOLUTION.search(cell.source)
    if not (check or solution):
        return {}
    if check and solution:
        raise SystemExit(f"a cell has a solution and its check, expected two:\n{cell.source}")
    wanted = {"grade": bool(check), "solution": bool(solution), "locked": bool(check)}
    wanted |= {"schema_version": 3, "task": False, "cell_type": "code"}
    if check:  # a dot is no part of nbgrader's names
        wanted |= {"points": 1, "grade_id": f"check-{check[1].replace('.', '-')}"}
    return wanted


def _slide_type(number: int, cell) -> str:
    """How a lecture shows the cell: a heading begins a slide, code comes at the speaker's key."""
    unseen = ("import ", "from ", "course.report", "course.progress", "course.hint")
    if number in (0, 2) or cell.source.startswith(unseen):
        return "skip"  # badges, set-up, imports, help
    if cell.cell_type == "code":
        return "fragment"
    return "slide" if re.search("^##? ", cell.source, re.M) else "subslide"


def convert(source: Path, solved: bool):
    """The notebook of one source, not yet executed."""
    minutes = json.loads(MINUTES.read_text(encoding="utf-8")) if MINUTES.exists() else {}
    text = source.read_text(encoding="utf-8")
    text = ON_TWO_CORES.sub(
        rf"\g<0> (of yours for the exercises: about {_learners_minutes(text)})", text
    )
    text = text.replace("{{MINUTES}}", str(minutes.get(source.stem, "?")))
    notebook = jupytext.reads(text, fmt="py:percent")
    extra = {k: v for k, v in notebook.metadata.items() if k in ("accelerator", "colab")}
    # of the student's notebook in both: what nbgrader releases is made from the solved one
    top = offer(f"notebooks/{source.stem}.ipynb")
    notebook.cells.insert(0, nbformat.v4.new_markdown_cell(top))
    setup = nbformat.v4.new_code_cell(SETUP.format(repository=repository()))
    notebook.cells.insert(2, setup)
    notebook.cells = list(_with_hints(notebook.cells))
    graded = 0
    for number, cell in enumerate(notebook.cells):
        tags = cell.metadata.get("tags")
        cell.id = f"cell-{number:03d}"
        slide = cell.metadata.get("slideshow", {"slide_type": _slide_type(number, cell)})
        cell.metadata = {"slideshow": slide} | ({"tags": tags} if tags else {})
        if cell.cell_type != "code":
            if solved:  # a folder further down; the notebooks themselves are there, too
                cell.source = cell.source.replace("](../", "](../../")
            continue
        if grading := _grading(cell):
            graded += grading["solution"]
            cell.metadata["nbgrader"] = {"grade_id": f"solution-{graded}"} | grading
        if not solved:
            cell.source = stub(cell.source)
    fold_answers(notebook.cells)
    notebook.cells = list(with_places_to_write(notebook.cells))
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    notebook.metadata = extra | {"kernelspec": kernel, "language_info": {"name": "python"}}
    return notebook


def _learners_minutes(text: str) -> int:
    """Of all the exercises that a source has, as their helps say."""
    known = staged_help.read_words("help.json")
    return sum(known[name]["minutes"] for name in CHECK.findall(text))


def execute(notebook, solved: bool = False) -> float:
    """Run all cells in a kernel of its own; seconds of processor time. Solved: with model answers."""
    kept = dict(notebook.metadata)
    # this checkout's package, whatever is installed
    paths = [str(HERE.parent), os.environ.get("PYTHONPATH", "")]
    own = {"PYTHONPATH": os.pathsep.join(filter(None, paths)), "OMP_NUM_THREADS": "1"}
    own["DCAMSR_SOLVED"] = "1" if solved else ""
    before = os.times()
    place = {"metadata": {"path": HERE}}
    client = NotebookClient(notebook, timeout=1800, startup_timeout=300, resources=place)
    client.execute(env=os.environ | own)
    notebook.metadata = kept
    after = os.times()
    return sum(after[2:4]) - sum(before[2:4])  # of the children: the kernel


def strip(notebook) -> None:
    """Leave out what another run would change: widget state, times, outputs of "varies" cells."""
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
        if cell.cell_type != "code":
            continue
        if "varies" in cell.metadata.get("tags", []):
            cell.outputs = []
        kept = [o for o in cell.outputs if not (_is_twin(o) or _is_empty(o))]
        cell.outputs = _joined(kept)
        for output in cell.outputs:
            if "image/png" in output.get("data", {}):
                output.data.pop(WIDGET, None)
                words = {"alt": output.data.get("text/plain", "")}
                output.metadata = {"image/png": words | output.metadata.get("image/png", {})}


def _is_twin(output) -> bool:
    """Whether it is an explorer's picture a second time, for exports with the state of widgets."""
    return "dcamsr-twin" in output.get("data", {}).get("text/html", "")


def _is_empty(output) -> bool:
    """Whether it is what a bar leaves behind (`course.watch`)."""
    return output.output_type == "display_data" and output.data == {"text/plain": ""}


def _joined(outputs: list) -> list:
    """Neighbouring pieces of one stream as one: where a kernel cuts them is chance."""
    joined: list = []
    for output in outputs:
        if joined and output.output_type == "stream" == joined[-1].output_type:
            if output.name == joined[-1].name:
                joined[-1].text += output.text
                continue
        joined.append(output)
    return joined


def build(source: Path, out: Path = HERE, measure: bool = False) -> dict[str, float]:
    """Write the student's and the solved notebook of one source; seconds by path."""
    notebooks = {solved: convert(source, solved) for solved in (False, True)}
    seconds = {solved: execute(notebook, solved) for solved, notebook in notebooks.items()}
    if measure:
        _write_minutes(source.stem, max(seconds.values()))
    by_path = {}
    for solved, notebook in notebooks.items():
        strip(notebook)
        for cell, quoting in zip(notebook.cells, convert(source, solved).cells, strict=True):
            cell.source = quoting.source  # with the minutes just measured
        path = out / ("solutions" if solved else "") / f"{source.stem}.ipynb"
        path.parent.mkdir(parents=True, exist_ok=True)
        keep_alike(notebook, path)
        nbformat.write(notebook, path)
        by_path[path] = seconds[solved]
    return by_path


def keep_alike(notebook, path: Path) -> None:
    """Take a picture from the file of before where no value differs by more than one of 255.

    Sums of floats depend on where in memory they lie, so that a grey level may flip from run to run.
    """
    before = nbformat.read(path, as_version=4).cells if path.exists() else []
    known = {cell.source: cell.outputs for cell in before if cell.cell_type == "code"}
    for cell in notebook.cells:
        for new, old in zip(cell.get("outputs", []), known.get(cell.source, []), strict=False):
            pictures = [output.get("data", {}).get("image/png") for output in (old, new)]
            if all(pictures) and pictures[0] != pictures[1] and _are_alike(*pictures):
                new.data["image/png"] = old.data["image/png"]


def _are_alike(one: str, other: str) -> bool:
    images = [Image.open(io.BytesIO(base64.b64decode(png))).convert("RGBA") for png in (one, other)]
    if images[0].size != images[1].size:
        return False
    return max(most for _, most in ImageChops.difference(*images).getextrema()) <= 1


def rubric() -> str:
    """The page for who reads the answers to "Explain": for each its question, and a point a line."""
    lines = ['# Rubric: what a full answer to each "Explain" says', ""]
    lines += ["A point for each line. Made by `notebooks/build.py` from the course's words.", ""]
    answers = staged_help.read_words("explanations.json")
    for source in sorted((HERE / "source").glob("*.py")):
        lines += [f"## {source.stem}", ""]
        for name in EXPLAIN.findall(source.read_text(encoding="utf-8")):
            lines += [f"**{name}** {answers[name]['question']}", ""]
            lines += [f"- {point}" for point in answers[name]["points"]] + [""]
    return "\n".join(lines)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("names", nargs="*", help="for example 01_kspace; default: all")
    parser.add_argument("--measure", action="store_true", help="also write minutes.json")
    asked = parser.parse_args(arguments)
    names = asked.names or [path.stem for path in sorted((HERE / "source").glob("*.py"))]
    found = []
    for name in names:
        source = HERE / "source" / f"{name}.py"
        for path, seconds in build(source, measure=asked.measure).items():
            size = path.stat().st_size / 1e6
            print(f"{path.relative_to(HERE)}: {seconds:.0f} s, {size:.2f} MB", flush=True)
            found += [f"{path.relative_to(HERE)}: {problem}" for problem in problems(path)]
    (HERE / "solutions" / "RUBRIC.md").write_text(rubric(), encoding="utf-8")
    for line in found:
        print(line, file=sys.stderr)
    return 1 if found else 0


def _write_minutes(name: str, seconds: float) -> None:
    known = json.loads(MINUTES.read_text(encoding="utf-8")) if MINUTES.exists() else {}
    known[name] = ceil(seconds / 6) / 10  # a tenth up: what is stated is not exceeded
    text = json.dumps(dict(sorted(known.items())), indent=1) + "\n"
    MINUTES.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
