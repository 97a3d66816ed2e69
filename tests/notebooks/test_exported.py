"""What a reader of an exported notebook sees offline, where no widget runs."""

import struct
import subprocess
import sys

import pytest
from helpers import phantom

import dcamsr_lite as dl

VIEW = "application/vnd.jupyter.widget-view+json"


def picture_of(page):
    """What stands in for an explorer, shown or not."""
    return page.locator(".dcamsr-twin")


@pytest.mark.slow
def test_an_exported_notebook_without_state_shows_the_pictures_of_its_explorers():
    nbformat = pytest.importorskip("nbformat")
    nbconvert = pytest.importorskip("nbconvert")
    from traitlets.config import Config

    data, _ = dl.explore_kspace(phantom(1))._repr_mimebundle_()
    shown = nbformat.v4.new_output("display_data", data=data)
    cell = nbformat.v4.new_code_cell("explorer", outputs=[shown])
    notebook = nbformat.v4.new_notebook(cells=[cell])
    state = {"state": {data[VIEW]["model_id"]: {}}, "version_major": 2, "version_minor": 0}
    notebook.metadata["widgets"] = {"application/vnd.jupyter.widget-state+json": state}
    options = Config({"ClearMetadataPreprocessor": {"enabled": True}})
    body, _ = nbconvert.HTMLExporter(config=options).from_notebook_node(notebook)
    assert data["image/png"][:200] in body and f'type="{VIEW}"' not in body


PLAIN = """\
import torch
import dcamsr_lite as dl
explorer = dl.explore_kspace(torch.rand(1, 16, 16))
explorer"""


@pytest.mark.slow
def test_a_page_of_the_plain_command_shows_pictures_in_the_place_of_widgets(browser, tmp_path):
    """With the state of widgets, as --execute keeps it, offline: no script of nbconvert's arrives."""
    nbformat = pytest.importorskip("nbformat")
    cells = map(nbformat.v4.new_code_cell, (PLAIN, "import ipywidgets\nipywidgets.IntSlider()"))
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3"}}
    nbformat.write(
        nbformat.v4.new_notebook(cells=[*cells], metadata=kernel), tmp_path / "own.ipynb"
    )
    command = [sys.executable, "-m", "nbconvert", "--to", "html", "--execute", "own.ipynb"]
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
    text = (tmp_path / "own.html").read_text(encoding="utf-8")
    assert text.count(f'<script type="{VIEW}">') == 2  # the widgets' places
    for theme, scripts in (("light", True), ("dark", False)):
        context = browser.new_context(offline=True, color_scheme=theme, java_script_enabled=scripts)
        page = context.new_page()
        page.goto((tmp_path / "own.html").as_uri())
        picture = page.get_by_role("img", name="KSpaceExplorer: ")
        assert picture.is_visible() and picture.count() == 1
        seen = picture.screenshot()
        width, height = struct.unpack(">2I", seen[16:24])
        assert width > 2 * height > 300 and len(seen) > 5000  # panels, not an empty box
        context.close()
    # where the network brings the widget, it stands alone
    context = browser.new_context(offline=True)
    page = context.new_page()
    page.goto((tmp_path / "own.html").as_uri())
    place = f"document.querySelector('script[type=\"{VIEW}\"]').parentElement"
    page.evaluate(f"{place}.insertAdjacentHTML('beforeend', '<p class=dcamsr-explorer>here</p>')")
    assert page.get_by_text("here").is_visible() and not picture_of(page).is_visible()
    context.close()


@pytest.mark.slow
def test_a_live_notebook_and_one_without_state_show_each_explorer_once(in_lab):
    page = in_lab(PLAIN)
    page.wait_for_function("document.querySelectorAll('.dcamsr-explorer').length === 1")
    assert picture_of(page).count() == 1 and not picture_of(page).is_visible()
    rows = page.locator(".jp-OutputArea-child")
    assert [row.is_visible() for row in rows.all()] == [False, True]
