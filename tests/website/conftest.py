"""The live page, built once, served under a sub-path by a plain file server, other hosts blocked."""

import shutil
from types import SimpleNamespace

import chromium
import pytest
from helpers import ROOT

NEEDED = ("onnxruntime-web", "nifti-reader-js", "esbuild")


@pytest.fixture(scope="session")
def address(tmp_path_factory):
    for name in NEEDED:
        if not (ROOT / "node_modules" / name).is_dir() or not shutil.which("node"):
            pytest.skip(
                f"{name} is not in node_modules: `make lint` installs it where there is npm"
            )
    for name in ("onnxscript", "onnxruntime"):
        pytest.importorskip(name, reason="needs the extra [onnx]")
    from site_parts import live

    folder = tmp_path_factory.mktemp("served")
    live.main(folder / "below" / "live")
    with chromium.file_server(folder) as server:
        yield f"{server}/below/live/index.html"


@pytest.fixture
def live_page(browser, address):
    """``.open(query)`` gives a page in a window of its own, which asks for the site's own files only.

    No test shares a page with another: the workers run them in any order, and one that works on files
    of its own leaves a page that never answers about the demo head. Behind another nothing is drawn.
    """
    own, problems, contexts = address.rsplit("/", 1)[0], [], []

    def note(asked):
        if not asked.url.startswith((own, "blob:", "data:")):
            problems.append(asked.url)

    def said(words):  # but not what Chromium says of its own where there is no WebGPU
        if words != "No available adapters.":
            problems.append(words)

    def open_(query=""):
        contexts.append(browser.new_context(viewport={"width": 1400, "height": 1000}))
        contexts[-1].on("request", note)
        page = contexts[-1].new_page()
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("console", lambda message: said(message.text))
        page.goto(address + query)
        return page

    yield SimpleNamespace(open=open_, problems=problems)
    for context in contexts:
        context.close()
