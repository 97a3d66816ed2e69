"""What a reader of an exported notebook sees offline, where no widget runs."""

import pytest
from helpers import phantom

import dcamsr_lite as dl

VIEW = "application/vnd.jupyter.widget-view+json"


@pytest.mark.slow
def test_an_exported_notebook_shows_the_pictures_of_its_explorers():
    nbformat = pytest.importorskip("nbformat")
    nbconvert = pytest.importorskip("nbconvert")
    from traitlets.config import Config

    data, _ = dl.explore_kspace(phantom(1))._repr_mimebundle_()
    shown = nbformat.v4.new_output("display_data", data=data)
    cell = nbformat.v4.new_code_cell("explorer", outputs=[shown])
    notebook = nbformat.v4.new_notebook(cells=[cell])
    state = {"state": {data[VIEW]["model_id"]: {}}, "version_major": 2, "version_minor": 0}
    notebook.metadata["widgets"] = {"application/vnd.jupyter.widget-state+json": state}
    options = Config(
        {"ClearMetadataPreprocessor": {"enabled": True}}
    )  # as notebooks/README.md has it
    body, _ = nbconvert.HTMLExporter(config=options).from_notebook_node(notebook)
    assert data["image/png"][:200] in body and f'type="{VIEW}"' not in body
