"""What every notebook of the course has to keep: `problems(path)` lists what one does not.

Size, metadata, no widget state, alt text, colour maps, links, cell lengths, the parts that each
notebook has, and checks that exist.
"""

import json
import re
from pathlib import Path
from statistics import median

from dcamsr_lite import course

MAX_BYTES = 10**6
MEDIAN_LINES = 6
LONGEST = 24
COLOURS = {"gray", "viridis", "cividis"}  # and the signed map, by its function
PARTS = (
    "Open in Colab",
    "Open in Binder",
    "You will be able to",
    "You need",
    "minutes on two CPU cores",
    "**Predict.**",
    "**Explain.**",
    "## References",
    "Not for clinical use",
)
NOTEBOOK_METADATA = {"kernelspec", "language_info", "accelerator", "colab"}
CELL_METADATA = {"jupyter", "nbgrader", "slideshow", "tags"}
WIDGET = "application/vnd.jupyter.widget-view+json"


def problems(path: Path) -> list[str]:
    """Everything wrong with one notebook file, in words; an empty list when nothing is."""
    notebook = json.loads(path.read_text(encoding="utf-8"))
    cells = [cell | {"source": "".join(cell["source"])} for cell in notebook["cells"]]
    code = [cell for cell in cells if cell["cell_type"] == "code"]
    words = "\n".join(cell["source"] for cell in cells if cell["cell_type"] == "markdown")
    program = "\n".join(cell["source"] for cell in code)
    return [
        *_size(path),
        *_metadata(notebook, cells),
        *_cells(code),
        *_outputs(code),
        *_colours(program),
        *_links(words, path),
        *_parts(words),
        *_checks(program),
    ]


def _size(path: Path) -> list[str]:
    size = path.stat().st_size
    return [f"{size} bytes, expected below {MAX_BYTES}"] if size >= MAX_BYTES else []


def _metadata(notebook: dict, cells: list[dict]) -> list[str]:
    found = [f"metadata {key!r}" for key in set(notebook["metadata"]) - NOTEBOOK_METADATA]
    for number, cell in enumerate(cells):
        found += [f"cell {number}: metadata {k!r}" for k in set(cell["metadata"]) - CELL_METADATA]
    return found


def _cells(code: list[dict]) -> list[str]:
    lengths = [cell["source"].count("\n") + 1 for cell in code]
    found = []
    if median(lengths) > MEDIAN_LINES:
        found.append(f"median of {median(lengths)} lines in a code cell, expected {MEDIAN_LINES}")
    if max(lengths) > LONGEST:
        found.append(f"a code cell of {max(lengths)} lines, expected {LONGEST} at most")
    if not all(cell["execution_count"] for cell in code):
        found.append("a code cell was not executed")
    return found


def _outputs(code: list[dict]) -> list[str]:
    found = []
    for cell in code:
        for output in cell["outputs"]:
            data = output.get("data", {})
            if output["output_type"] == "error":
                found.append(f"an error: {output['ename']}")
            if output.get("name") == "stderr":
                found.append(f"stderr: {''.join(output['text'])[:80]}")
            if WIDGET in data:
                found.append("a widget view, which no reader without a kernel can see")
            if "image/png" in data:
                alt = output["metadata"].get("image/png", {}).get("alt", "")
                if len(alt) < 20 or alt.startswith("<"):
                    found.append(f"a picture without alt text: {alt!r}")
            if " at 0x" in str(data.get("text/plain", "")) + str(output.get("text", "")):
                found.append("an address in memory, which changes from run to run")
    return found


def _colours(program: str) -> list[str]:
    used = set(re.findall(r"cmap=[\"']([\w]+)", program))
    return [f"colour map {name!r}, expected one of {sorted(COLOURS)}" for name in used - COLOURS]


def _links(words: str, path: Path) -> list[str]:
    found = [f"a picture without alt text: {link}" for link in re.findall(r"!\[\]\(([^)]+)", words)]
    for link in re.findall(r"\]\(([^)#\s]+)[^)]*\)", words):
        if link.startswith("https://"):
            continue
        if link.startswith("http:") or not (path.parent / link).exists():
            found.append(f"a link to {link}, which is not there")
    return found


def _parts(words: str) -> list[str]:
    found = [f"no {part!r}" for part in PARTS if part not in words]
    return found + (["an unfilled {{placeholder}}"] if "{{" in words else [])


def _checks(program: str) -> list[str]:
    names = re.findall(r'course\.check\("([\w.]+)"', program)
    found = [f"check {name!r}, which no exercise has" for name in names]
    found = [text for text, name in zip(found, names, strict=True) if name not in course.EXERCISES]
    if len(names) < 3:
        found.append(f"{len(names)} exercises, expected three or more")
    return found
