"""What the browser saves of the view on screen, by itself: PNG, SVG, PDF for print, NPY."""

import io
import re
import zlib
from xml.etree import ElementTree

import numpy as np
import pytest
import torch
from explorers import example, recorded
from helpers import phantom
from PIL import Image

import dcamsr_lite as dl


def save(page, ending: str) -> bytes:
    with page.expect_download() as download:
        page.get_by_role("button", name=f"Save as {ending.upper()}").press("Enter")
    assert download.value.suggested_filename.endswith(f".{ending}")
    return download.value.path().read_bytes()


def read_pdf(data: bytes) -> np.ndarray:
    """The picture of a page that is one picture; every object lies where the table says."""
    start = int(re.search(rb"startxref\n(\d+)", data)[1])
    places = [int(at) for at in re.findall(rb"\n(\d{10}) 00000 n", data[start:])]
    for number, at in enumerate(places, 1):
        assert data[at:].startswith(f"{number} 0 obj".encode())
    width, height, length = (
        int(re.search(rb"/%s (\d+)" % name, data[places[4] :])[1])
        for name in (b"Width", b"Height", b"Length")
    )
    begin = data.index(b"stream\n", places[4]) + 7
    pixels = zlib.decompress(data[begin : begin + length])
    return np.frombuffer(pixels, np.uint8).reshape(height, width, 3)


@pytest.mark.slow
def test_the_view_on_screen_is_saved_in_four_ways(opened):
    model, pair = example("padded")
    explorer = dl.explore(model, pair, cuts=False)
    explorer.query, explorer.level, explorer.head = [20, 40], 2, 3
    page, record = opened(explorer), recorded(model, pair)
    with Image.open(io.BytesIO(save(page, "png"))) as image:
        assert image.size[0] == round(180 / 25.4 * 300)
        assert image.info["dpi"] == pytest.approx((300, 300), abs=0.1)
        printed = np.asarray(image.convert("RGB"))
    assert np.array_equal(read_pdf(save(page, "pdf")), printed)
    assert len(np.unique(printed.reshape(-1, 3), axis=0)) > 500  # pictures, not a white page
    svg = save(page, "svg").decode()
    drawn = ElementTree.fromstring(svg)
    words = [text.text or "" for text in drawn.iter("{http://www.w3.org/2000/svg}text")]
    assert {"Input", "Reference", "Not for clinical use."} <= {*words}
    assert any(text.startswith("Attention on the reference · level 2") for text in words)
    assert any("weight per reference pixel" in text for text in words)
    assert svg.count("pixelated") == 5 + 2 + 1  # the images, the map over one, a footprint
    shown = np.load(io.BytesIO(save(page, "npy")))
    expected = record.lift(2, (11, 21), head=3, relative=True).numpy()
    assert shown.dtype == np.float32
    assert np.abs(shown - expected).max() < 2e-3 * np.abs(expected).max()
    # another view is another file
    page.get_by_label("View: all heads of all levels").check()
    assert save(page, "svg").decode().count("pixelated") == 5 + 27 * 2 + 1
    page.get_by_label("Pixel: which queries read").check()
    shown = np.load(io.BytesIO(save(page, "npy")))
    expected = record.find_readers(2, (11, 21), head=3, relative=True).numpy()
    assert np.abs(shown - expected).max() < 2e-3 * np.abs(expected).max()
    assert "Saved attention.npy." in page.locator(".dx-save").inner_text()


@pytest.mark.slow
def test_every_explorer_saves_what_its_python_does(opened, tmp_path):
    volume = phantom(1, 32)
    model = dl.DCAMSR(scale=4, image_size=32, variant="aligned", channels=8, heads=2)
    pair = dl.load_pair(volume, volume, 4)
    asked = dl.explore_attribution(lambda lr, ref: 2 * ref, pair)
    asked.run("occlusion")
    lab = dl.intervention_lab(model, pair)
    lab.intervention = {"reference": "blank"}
    kspace = dl.explore_kspace(volume)
    kspace.box = [12, 12, 8, 8]
    two = dl.compare_images({"a": torch.rand(32, 32), "b": torch.ones(32, 32)})
    moved = dl.explore_displacement(model, pair)
    tissues = {name: torch.rand(16, 16) for name in ("white", "gray")}
    for explorer in (asked, lab, kspace, two, moved, dl.explore_contrasts(tissues)):
        page = opened(explorer)
        explorer.save_figure(tmp_path / "map.npy")
        ours, theirs = np.load(tmp_path / "map.npy"), np.load(io.BytesIO(save(page, "npy")))
        limit = float(np.abs(ours).max())
        np.testing.assert_allclose(theirs, ours, atol=3e-3 * limit)
        assert save(page, "svg").count(b"<image") >= 1
        with Image.open(io.BytesIO(save(page, "png"))) as image:
            assert image.size[0] > 2000
