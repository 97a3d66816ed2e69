"""A headless Chromium and a JupyterLab server of one's own: for the tests and for `make bench`."""

import contextlib
import functools
import http.server
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
NAMES = ("chromium", "chromium-browser", "google-chrome")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]
EXPLORER = ".dcamsr-explorer footer"  # what an explorer draws last
PATIENCE = 300  # seconds: what takes longer hangs; beside other work minutes are usual


class Absent(RuntimeError):
    """Says what is not installed."""


@contextlib.contextmanager
def chromium() -> Iterator:
    """Playwright's handle of a browser; :class:`Absent` where there is none."""
    path = next(filter(None, map(shutil.which, NAMES)), None)
    if path is None:
        raise Absent("no Chromium is installed")
    try:
        from playwright.sync_api import sync_playwright
    except ImportError as error:
        raise Absent("playwright is not installed") from error
    with sync_playwright() as started:
        options = {"executable_path": path, "args": FLAGS, "timeout": 1000 * PATIENCE}
        browser = started.chromium.launch(**options)
        for opens in ("new_context", "new_page"):
            setattr(browser, opens, _wait_longer(getattr(browser, opens)))
        yield browser
        browser.close()


def _wait_longer(opens: Callable) -> Callable:
    """What it opens waits for as long as :data:`PATIENCE`, not Playwright's 30 seconds."""

    def open_(**options):
        opened = opens(**options)
        opened.set_default_timeout(1000 * PATIENCE)
        return opened

    return open_


def wait_until(page, condition: str) -> None:
    """Wait for a page's JavaScript to be true; what never is says what the page shows instead.

    Asked by a clock: a frame, at which Playwright asks otherwise, does not come where nothing is drawn.
    """
    from playwright.sync_api import TimeoutError

    try:
        page.wait_for_function(condition, polling=100)
    except TimeoutError as error:
        shown = page.evaluate("[document.visibilityState, document.body.innerText].join(' ')")
        raise AssertionError(f"{condition} never came: {shown[:2000]}") from error


@contextlib.contextmanager
def jupyterlab(folder: Path) -> Iterator[str]:
    """The address of a server of ``folder``; its settings and its log lie beside it."""
    try:
        import jupyterlab  # noqa: F401
    except ImportError as error:
        raise Absent("jupyterlab is not installed") from error
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--ip=127.0.0.1"]
    command += [f"--port={port}", "--IdentityProvider.token=", f"--notebook-dir={folder}"]
    own = {"DCAMSR_FAST": "1"}
    for name in ("config", "runtime"):  # nothing of this user's own settings
        own[f"JUPYTER_{name.upper()}_DIR"] = str(settings(folder, name))
    own["PYTHONPATH"] = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    path = folder.with_name("lab.log")
    with open(path, "w") as log:
        server = subprocess.Popen(command, stdout=log, stderr=log, env=os.environ | own)
        try:
            address = f"http://127.0.0.1:{port}"
            for _ in range(1500):
                if _answers(f"{address}/api/status"):
                    break
                if server.poll() is not None:
                    raise RuntimeError(path.read_text()[-2000:])
                time.sleep(0.2)
            yield address
        finally:
            server.terminate()
            server.wait()


def settings(folder: Path, name: str) -> Path:
    """Where the server of ``folder`` keeps its "config" or "runtime"."""
    path = folder.with_name(f"lab_{name}")
    path.mkdir(exist_ok=True)
    return path


def _answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(address):
            return True
    except OSError:
        return False


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


class _Server(http.server.ThreadingHTTPServer):
    def handle_error(self, *_: object) -> None:
        pass  # a page that was closed while a file was on its way


@contextlib.contextmanager
def file_server(folder: Path) -> Iterator[str]:
    """The address of a plain file server of a folder."""
    answer = functools.partial(_Quiet, directory=folder)
    with _Server(("127.0.0.1", 0), answer) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def run_cells(
    page, address: str, folder: Path, *cells: str | Path, seconds: float = PATIENCE
) -> None:
    """Run cells, or a copy of a notebook's file, in JupyterLab until the first explorer is there."""
    path = folder / f"notebook{len(list(folder.iterdir()))}.ipynb"
    _write(path, cells)
    page.goto(f"{address}/lab/workspaces/{path.stem}/tree/{path.name}")  # no tabs of others
    page.locator(".jp-Notebook .jp-Cell").first.wait_for(timeout=1000 * seconds)
    # before its kernel is there, "run" asks which kernel to take
    page.get_by_text("Python 3 (ipykernel) | Idle").wait_for(timeout=1000 * seconds)
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_text("Run All Cells", exact=True).click()
    failed = page.locator("[data-mime-type='application/vnd.jupyter.error']")
    page.locator(EXPLORER).or_(failed).first.wait_for(timeout=1000 * seconds)
    assert not failed.count(), failed.first.inner_text()


def _write(path: Path, cells: tuple) -> None:
    import nbformat

    if isinstance(cells[0], Path):
        path.write_bytes(cells[0].read_bytes())
        return
    nodes = [nbformat.v4.new_code_cell(cell) for cell in cells]
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3"}}
    nbformat.write(nbformat.v4.new_notebook(cells=nodes, metadata=kernel), path)
