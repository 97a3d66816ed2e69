"""`make notebooks`: percent-format sources -> notebooks, executed, without widget state.

Every source/NN_name.py becomes NN_name.ipynb. Cell ids follow from the position, times and widget
state are left out, so that regenerating without a change changes little but random numbers' traces.
"""

import sys
import time
from pathlib import Path

import jupytext
import nbformat
from nbclient import NotebookClient

HERE = Path(__file__).resolve().parent
WIDGET = "application/vnd.jupyter.widget-view+json"


def repository() -> str:
    """The public address: one constant, in pyproject.toml."""
    for line in (HERE.parent / "pyproject.toml").read_text(encoding="utf-8").splitlines():
        if line.startswith("Repository"):
            return line.split('"')[1]
    raise SystemExit("pyproject.toml: found no Repository; expected one under [project.urls]")


def badges(name: str) -> str:
    owner = repository().removeprefix("https://github.com/")
    colab = f"https://colab.research.google.com/github/{owner}/blob/main/notebooks/{name}.ipynb"
    binder = f"https://mybinder.org/v2/gh/{owner}/main?labpath=notebooks%2F{name}.ipynb"
    return f"[Open in Colab]({colab}) | [Open in Binder]({binder})"


def build(source: Path) -> Path:
    """Convert, execute, strip, write."""
    text = source.read_text(encoding="utf-8").replace("{{REPOSITORY}}", repository())
    notebook = jupytext.reads(text, fmt="py:percent")
    notebook.cells.insert(0, nbformat.v4.new_markdown_cell(badges(source.stem)))
    notebook.metadata = {"kernelspec": notebook.metadata["kernelspec"]}
    started = time.perf_counter()
    NotebookClient(notebook, timeout=600, resources={"metadata": {"path": HERE}}).execute()
    for number, cell in enumerate(notebook.cells):
        cell.id = f"cell-{number:03d}"
        cell.metadata = {}
        for output in cell.get("outputs", []):
            if "image/png" in output.get("data", {}):
                output.data.pop(WIDGET, None)
    notebook.metadata.pop("widgets", None)
    target = HERE / f"{source.stem}.ipynb"
    nbformat.write(notebook, target)
    seconds = time.perf_counter() - started
    print(f"{target.name}: {seconds:.0f} s, {target.stat().st_size / 1e6:.2f} MB")
    return target


if __name__ == "__main__":
    wanted = sys.argv[1:] or [path.stem for path in sorted((HERE / "source").glob("*.py"))]
    for name in wanted:
        build(HERE / "source" / f"{name}.py")
