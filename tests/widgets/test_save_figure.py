"""What is on screen, for print: vector and pixels, the map as numbers, the view and no other."""

import numpy as np
import pytest
import torch
from helpers import phantom
from PIL import Image

import dcamsr_lite as dl
from dcamsr_lite.errors import InputError
from dcamsr_lite.widgets.shared.base import Explorer
from dcamsr_lite.widgets.shared.packing import unpack


@pytest.fixture(scope="module")
def attention():
    torch.manual_seed(0)
    model = dl.DCAMSR(scale=4, image_size=32, channels=8, heads=2)
    volume = phantom(1, 32)
    pair = dl.load_pair(volume, volume, 4)
    return dl.explore(model, pair, cuts=False)


def test_the_map_on_screen_is_saved_as_numbers(attention, tmp_path):
    attention.query, attention.level, attention.relative = [9, 20], 2, "queries"
    attention.save_figure(tmp_path / "map.npy")
    assert np.array_equal(np.load(tmp_path / "map.npy"), attention.lift().numpy())
    attention.save_figure(tmp_path / "all.npz")
    held = np.load(tmp_path / "all.npz")
    assert held["map"].shape == (16, 16) and held["reference"].shape == (32, 32)


def width(path) -> int:
    with Image.open(path) as image:
        return image.size[0]


@pytest.mark.slow
def test_a_printed_view_is_that_on_screen_at_the_resolution_asked_for(attention, tmp_path):
    for dpi in (100, 300):
        attention.save_figure(tmp_path / f"{dpi}.png", dpi=dpi)
    assert width(tmp_path / "300.png") == pytest.approx(3 * width(tmp_path / "100.png"), abs=3)
    attention.level, attention.head = 1, 0
    attention.save_figure(tmp_path / "view.svg")
    page = (tmp_path / "view.svg").read_text(encoding="utf-8")
    attention.save_figure(tmp_path / "again.svg")
    assert page == (tmp_path / "again.svg").read_text(encoding="utf-8")
    attention.level = 4
    attention.save_figure(tmp_path / "other.svg")
    assert page.startswith("<?xml") and "dc:date" not in page
    assert page != (tmp_path / "other.svg").read_text(encoding="utf-8")


def test_every_explorer_with_an_image_saves_it(tmp_path):
    explorer = dl.explore_kspace(phantom(1, 32))
    explorer.box = [12, 12, 8, 8]
    explorer.save_figure(tmp_path / "image.npy")
    assert np.allclose(np.load(tmp_path / "image.npy"), explorer.image().numpy())
    two = dl.compare_images({"a": torch.zeros(32, 32), "b": torch.ones(32, 32)})
    two.left = "b"
    two.save_figure(tmp_path / "left.npy")
    assert np.load(tmp_path / "left.npy").min() == 1


@pytest.mark.slow
def test_every_explorer_of_a_network_saves_what_it_shows(attention, tmp_path):
    model, volume = (
        dl.DCAMSR(scale=4, image_size=32, variant="aligned", channels=8, heads=2),
        phantom(1, 32),
    )
    pair = dl.load_pair(volume, volume, 4)
    lab = dl.intervention_lab(model, pair)
    lab.intervention = {"reference": "blank"}
    moved = dl.explore_displacement(model, pair)
    asked = dl.explore_attribution(lambda lr, ref: 2 * ref, pair)
    with pytest.raises(InputError, match="no map in"):
        asked.save_figure(tmp_path / "early.npy")
    asked.run("occlusion")
    maps = {
        lab: lab._last.output - lab._base.output,
        moved: moved._see(moved.moved)[moved.network].outcome.output,
        asked: unpack(asked.results["occlusion"]["ref"]),
    }
    for explorer, expected in maps.items():
        explorer.save_figure(tmp_path / "map.npy")
        assert np.array_equal(np.load(tmp_path / "map.npy"), expected.numpy())
        for ending in (".pdf", ".svg", ".npz"):
            explorer.save_figure(tmp_path / f"view{ending}")
    held = np.load(tmp_path / "view.npz")
    assert held["attribution_input"].shape == (8, 8) and held["reference"].shape == (32, 32)


def test_an_ending_that_is_none_and_a_map_that_is_not_there_are_refused(tmp_path):
    empty = Explorer(message="nothing to show")
    with pytest.raises(InputError, match="found '.jpg'; expected one of .png, .svg, .pdf"):
        empty.save_figure(tmp_path / "x.jpg")
    with pytest.raises(InputError, match="no map in nothing to show"):
        empty.save_figure(tmp_path / "x.npy")
    assert not [*tmp_path.iterdir()]
