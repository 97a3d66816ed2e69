"""What the course says of a session, and what it gives back."""

import sys
from importlib import import_module
from pathlib import Path

import pytest
import torch

report = import_module("dcamsr_lite.course.report")  # `course.report` is the function in it


def held() -> int:
    return 1024 * int(Path("/proc/self/status").read_text().split("VmRSS:")[1].split()[0])


@pytest.mark.skipif(sys.platform != "linux", reason="only glibc keeps what was freed")
def test_what_a_notebook_has_freed_goes_back_to_the_system():
    many = [torch.ones(16_000) for _ in range(2_000)]  # below the size that goes back at once
    full = held()
    last = torch.ones(16_000)
    del many
    report.release_memory()
    assert held() < full - 80e6 and last.all()


def test_memory_is_released_after_every_cell_of_a_notebook(monkeypatch):
    ran = []

    class Shell:
        events = None

        def register(self, event, function):
            ran.append((event, function))

    shell = Shell()
    shell.events = shell
    monkeypatch.setattr("IPython.get_ipython", lambda: shell)
    released = []
    monkeypatch.setattr(report, "release_memory", lambda: released.append(True))
    assert report.release_after_cells()
    [(event, function)] = ran
    function("the result of a cell")
    assert event == "post_run_cell" and released == [True]
