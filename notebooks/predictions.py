"""What a prediction asks of a notebook: a place to write it, and its answer folded below it.

A committed notebook has its outputs, so that it can be read without a kernel: an output that
answers a "Predict" would be read before the prediction was made. It is folded, in JupyterLab
(metadata `jupyter.outputs_hidden`; running the cell opens it) and on the site (tag `hide-output`).
"""

import re
from collections.abc import Iterator
from typing import Any

import nbformat

PREDICT = re.compile(r"^\*\*Predict\b|\*\*Predict\.\*\*", re.M)
END = re.compile(r"^##? |\*\*Explain\.\*\*", re.M)
ANSWER = re.compile(r'^course\.answer\("([\w.]+)"', re.M)
AIDS = re.compile(r"^course\.(check|hint|answer|progress|report)\(", re.M)
WIDGET = re.compile(r"\bdl\.(explore\w*|compare_images|intervention_lab)\(|^display\(", re.M)
VALUE = re.compile(r"^### BEGIN SOLUTION|^\w+ = \.\.\.  # your answer here", re.M)  # no function


def with_places_to_write(cells: list[Any]) -> Iterator[Any]:
    """The cells, with one to write in for each "Explain", and each "Predict" that no check asks for.

    Their ids are their own, so that the cells behind them keep theirs.
    """
    count = 0
    for number, cell in enumerate(cells):
        explain = ANSWER.search(cell.source) if cell.cell_type == "code" else None
        if explain:
            yield _place(f"write-{explain[1].replace('.', '-')}", "Your answer")
        yield cell
        if cell.cell_type == "markdown" and PREDICT.search(cell.source):
            following = cells[number + 1].source if number + 1 < len(cells) else ""
            if not VALUE.search(following):
                count += 1
                yield _place(f"write-prediction-{count}", "Your prediction")


def _place(name: str, title: str) -> Any:
    cell = nbformat.v4.new_markdown_cell(f"*{title} (double-click to write):*", id=name)
    cell.metadata = {"slideshow": {"slide_type": "skip"}}
    return cell


def fold_answers(cells: list[Any]) -> None:
    """Fold the outputs between a "Predict" and the next heading or "Explain".

    Neither those of checks, help and solutions, nor explorers, which are there to be used.
    """
    folding = False
    for cell in cells:
        if cell.cell_type == "markdown":
            if PREDICT.search(cell.source):
                folding = True
            elif END.search(cell.source):
                folding = False
        elif folding and not any(p.search(cell.source) for p in (AIDS, WIDGET)):
            if "nbgrader" not in cell.metadata:
                tags = cell.metadata.get("tags", [])
                cell.metadata["jupyter"] = {"outputs_hidden": True}
                cell.metadata["tags"] = [*tags, "hide-output"]
