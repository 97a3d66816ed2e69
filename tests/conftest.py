"""A real browser for the explorers, saved or in JupyterLab; without one tests skip, with a reason."""

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest
from helpers import ROOT

CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]


def pytest_terminal_summary(terminalreporter):
    """What each notebook took, where any was run."""
    reports = [r for key in ("passed", "failed") for r in terminalreporter.stats.get(key, [])]
    lines = [value for r in reports for key, value in r.user_properties if key == "notebook"]
    if lines:
        terminalreporter.section("notebooks")
        terminalreporter.write_line("\n".join(lines))


@pytest.fixture(scope="module")
def browser():
    path = next(filter(None, map(shutil.which, CHROMIUM)), None)
    if path is None:
        pytest.skip("no Chromium is installed")
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def opened(browser, tmp_path):
    """Open what save_html wrote, offline; at the end: no request but the file's own, no error."""
    problems, contexts = [], []

    def open_(explorer):
        path = tmp_path / "page.html"
        explorer.save_html(path)
        contexts.append(browser.new_context(offline=True, viewport={"width": 1400, "height": 1500}))
        page = contexts[-1].new_page()
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("console", lambda message: problems.append(message.text))
        page.on("request", lambda r: None if r.url == path.as_uri() else problems.append(r.url))
        page.goto(path.as_uri())
        page.wait_for_selector(".dcamsr-explorer footer")
        return page

    yield open_
    for context in contexts:
        context.close()
    assert not problems


@pytest.fixture(scope="session")
def lab(tmp_path_factory):
    """A JupyterLab server of its own; gives its address and the folder that it serves."""
    pytest.importorskip("jupyterlab", reason="jupyterlab is not installed")
    folder = tmp_path_factory.mktemp("lab")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--ip=127.0.0.1"]
    command += [f"--port={port}", "--IdentityProvider.token=", f"--notebook-dir={folder}"]
    for name in ("config", "data", "runtime"):  # nothing of this user's own settings
        (folder.parent / f"lab_{name}").mkdir(exist_ok=True)
    own = {
        f"JUPYTER_{n.upper()}_DIR": str(folder.parent / f"lab_{n}") for n in ("config", "runtime")
    }
    own["DCAMSR_FAST"] = "1"
    own["PYTHONPATH"] = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    log = open(folder.parent / "lab.log", "w")
    server = subprocess.Popen(command, stdout=log, stderr=log, env=os.environ | own)
    try:
        address = f"http://127.0.0.1:{port}"
        for _ in range(120):
            with contextlib.suppress(OSError), urllib.request.urlopen(f"{address}/api/status"):
                break
            assert server.poll() is None, (folder.parent / "lab.log").read_text()[-2000:]
            time.sleep(0.5)
        yield address, folder
    finally:
        server.terminate()
        server.wait(20)
        log.close()


@pytest.fixture
def in_lab(browser, lab):
    """Run cells, or a copy of a notebook's file, in JupyterLab, all of them: the page with widgets."""
    address, folder = lab
    contexts, problems = [], []

    def run(*cells: str | Path, width: int = 1400, theme: str = "light", seconds: float = 90):
        name = f"notebook{len(list(folder.iterdir()))}.ipynb"
        _write(folder / name, cells)
        size = {"width": width, "height": 1300}
        contexts.append(browser.new_context(viewport=size, color_scheme=theme))
        page = contexts[-1].new_page()
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.goto(f"{address}/lab/workspaces/{Path(name).stem}/tree/{name}")  # no tabs of others
        page.locator(".jp-Notebook .jp-Cell").first.wait_for(timeout=60_000)
        # before its kernel is there, "run" asks which kernel to take
        page.get_by_text("Python 3 (ipykernel) | Idle").wait_for(timeout=60_000)
        page.get_by_role("menuitem", name="Run", exact=True).click()
        page.get_by_text("Run All Cells", exact=True).click()
        failed = page.locator("[data-mime-type='application/vnd.jupyter.error']")
        page.locator(".dcamsr-explorer footer").or_(failed).first.wait_for(timeout=1000 * seconds)
        assert not failed.count(), failed.first.inner_text()
        return page

    yield run
    for context in contexts:
        context.close()
    assert not problems


def _write(path: Path, cells: tuple) -> None:
    import nbformat

    if isinstance(cells[0], Path):
        path.write_bytes(cells[0].read_bytes())
        return
    nodes = [nbformat.v4.new_code_cell(cell) for cell in cells]
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3"}}
    nbformat.write(nbformat.v4.new_notebook(cells=nodes, metadata=kernel), path)
