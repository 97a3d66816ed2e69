"""Run a notebook in a kernel of its own: what it printed, and its peak of memory."""

import os
from dataclasses import dataclass
from pathlib import Path

# VmHWM: ru_maxrss would count the process that started the kernel, too, where there is /proc.
PROBE = """\
import pathlib, resource
status = pathlib.Path("/proc/self/status")
if status.exists():
    held = status.read_text()
    peak, resting = (1024 * int(held.split(key)[1].split()[0]) for key in ("VmHWM:", "VmRSS:"))
else:
    peak, resting = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, 0
print(peak, resting)"""


@dataclass(frozen=True)
class Run:
    """``printed`` and ``warned`` are all of stdout and stderr; ``peak`` is in bytes.

    ``resting`` is what is held at the end; 0 where there is no /proc.
    """

    printed: str
    warned: str
    peak: int
    resting: int


def run(path: Path, folder: Path, before: str = "", after: str = "", **environment: str) -> Run:
    """All cells of ``path`` between two more, ``before`` and ``after``; an error of any is raised.

    The kernel stands in ``folder`` and has ``environment`` on top of this process's.
    """
    import nbformat
    from nbclient import NotebookClient

    notebook = nbformat.read(path, as_version=4)
    first, last, probe = map(nbformat.v4.new_code_cell, (before, after, PROBE))
    notebook.cells = [first, *notebook.cells, last, probe]
    place = {"metadata": {"path": str(folder)}}
    client = NotebookClient(notebook, timeout=1800, startup_timeout=300, resources=place)
    client.execute(env=os.environ | {"OMP_NUM_THREADS": "1"} | environment)
    cells = notebook.cells[:-1]
    peak, resting = map(int, _text([probe], "stdout").split())
    return Run(_text(cells, "stdout"), _text(cells, "stderr"), peak, resting)


def _text(cells: list, stream: str) -> str:
    """All that was written to it; where a kernel cuts it in pieces is chance."""
    outputs = (output for cell in cells for output in cell.get("outputs", []))
    return "".join(output.text for output in outputs if output.get("name") == stream)
