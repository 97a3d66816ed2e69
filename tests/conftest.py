"""A real browser for the explorers, saved or in JupyterLab; without one tests skip, with a reason.

Browser and server are started once in a process, when the first test asks for them.
"""

from pathlib import Path

import chromium
import pytest


@pytest.fixture(scope="session")
def browser():
    try:
        with chromium.chromium() as browser:
            yield browser
    except chromium.Absent as reason:
        pytest.skip(str(reason))


@pytest.fixture(scope="session")
def pictures():
    """Of every kind of explorer the one that its first page had, in base64."""
    return {}


@pytest.fixture
def opened(browser, tmp_path, pictures):
    """Open what save_html wrote, offline; at the end: no request but the file's own, no error.

    The picture, which shows where JavaScript does not run, is drawn once for each kind of explorer:
    that takes longer than all the rest of a page.
    """
    problems, contexts = [], []

    def open_(explorer):
        path, kind = tmp_path / "page.html", type(explorer)
        pictures[kind] = pictures.get(kind) or explorer._twin()
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(explorer, "_twin", lambda: pictures[kind])
            explorer.save_html(path)
        contexts.append(browser.new_context(offline=True, viewport={"width": 1400, "height": 1500}))
        page = contexts[-1].new_page()
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("console", lambda message: problems.append(message.text))
        page.on("request", lambda r: None if r.url == path.as_uri() else problems.append(r.url))
        page.goto(path.as_uri())
        page.wait_for_selector(chromium.EXPLORER)
        return page

    yield open_
    for context in contexts:
        context.close()
    assert not problems


@pytest.fixture(scope="session")
def lab(tmp_path_factory):
    """A JupyterLab server of its own; gives its address and the folder that it serves."""
    folder = tmp_path_factory.mktemp("lab")
    try:
        with chromium.jupyterlab(folder) as address:
            yield address, folder
    except chromium.Absent as reason:
        pytest.skip(str(reason))


@pytest.fixture
def in_lab(browser, lab):
    """Run cells, or a copy of a notebook's file, in JupyterLab, all of them: the page with widgets."""
    contexts, problems = [], []

    def run(*cells: str | Path, theme: str = "light", **options):
        size = {"width": 1400, "height": 1300}
        contexts.append(browser.new_context(viewport=size, color_scheme=theme))
        page = contexts[-1].new_page()
        page.on("pageerror", lambda error: problems.append(str(error)))
        chromium.run_cells(page, *lab, *cells, **options)
        return page

    yield run
    for context in contexts:
        context.close()
    assert not problems
