"""The displacement explorer: what moves, what is found, and a saved page that says the same."""

import shutil
import subprocess

import numpy as np
import pytest
import torch
from explorers import ROOT, assert_nothing_overlaps, smooth
from helpers import ROOT as TREE
from traitlets import TraitError

import dcamsr_lite as dl
from dcamsr_lite.interpret.interventions import Intervention, run_intervention
from dcamsr_lite.widgets import explore_displacement
from dcamsr_lite.widgets.shared.packing import unpack

SIDE = 64


def finder(sharpness=(2000.0, 2000.0)) -> dl.DCAMSR:
    """Not trained: queries and keys are the features themselves, so it finds what looks alike."""
    torch.manual_seed(0)
    model = dl.DCAMSR(scale=4, image_size=SIDE, variant="aligned").eval()
    attention = model.levels[1].attention
    with torch.no_grad():
        for layer in (attention.query, attention.key_values):
            layer.weight[:32] = torch.eye(32)
            layer.bias.zero_()
        attention.spatial.attention.sharpness.copy_(torch.tensor(sharpness).log())
    return model


def alike(size: int = SIDE):
    """The reference is what the network gets as its input."""
    target = smooth(3, (size, size))
    return dl.load_pair(dl.load_pair(target, target, 4).zero_filled, target, 4)


def takes_it_as_it_lies(lr, ref):
    return ref


@pytest.fixture(scope="module")
def explorer():
    models = {"finds": finder(), "trusts": takes_it_as_it_lies}
    return explore_displacement(models, alike())


# --- in Python ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("moved", "shift"), [({"right": 2}, (0, 2)), ({"down": -3}, (-3, 0)), ({}, (0, 0))]
)
def test_what_was_planted_is_found_with_its_sign(explorer, moved, shift):
    explorer.moved = moved
    assert explorer.intervention == Intervention(shift=shift)
    found = explorer.result["networks"]["finds"]["found"]
    assert (found["down"], found["right"]) == pytest.approx(shift, abs=0.1)
    assert found["off"] < 0.1 and explorer.result["networks"]["trusts"]["found"] is None
    assert set(explorer.result["moved"].items()) >= set(moved.items())


@pytest.mark.parametrize("turn", [3, -3])
def test_a_turn_is_found_with_its_sign(turn):
    seen = explore_displacement(finder((1e-3, 9000.0)), alike())
    seen.moved = {"turn": turn}
    found = seen.result["networks"]["aligned"]["found"]
    assert found["turn"] * turn > 1 and abs(found["turn"]) <= 3.5


def test_pictures_and_numbers_are_those_of_the_intervention(explorer):
    explorer.moved = {"right": 1.25, "turn": -0.5}
    wanted = Intervention(shift=(0, 1.25), rotate=-0.5)
    for name, model in {"finds": finder(), "trusts": takes_it_as_it_lies}.items():
        expected = run_intervention(model, alike(), 0, wanted)
        sent = explorer.result["networks"][name]
        assert sent["psnr"] == pytest.approx(expected.psnr, abs=1e-4)
        scale = float(expected.output.abs().max())
        output = unpack(sent["output"])
        torch.testing.assert_close(output, expected.output, rtol=0, atol=scale / 4000)
        reference = unpack(explorer.result["reference"])
        torch.testing.assert_close(reference, expected.reference, rtol=0, atol=0.01)
    row = next(r for r in explorer.table() if r["turn"] == -0.5 and r["network"] == "trusts")
    assert (row["right"], row["down"]) == (1.25, 0) and row["pixels_off"] is None


def test_the_slider_that_is_let_go_gets_its_curve():
    seen = explore_displacement(takes_it_as_it_lies, alike())
    steps = lambda axis: sorted(r[axis] for r in seen.table() if r[axis])  # noqa: E731
    assert steps("right") == [-4, -3, -2, -1, 1, 2, 3, 4] and steps("turn") == []
    seen.axis, seen.moved = "turn", {}
    assert steps("turn") == sorted([-3, -2.25, -1.5, -0.75, 0.75, 1.5, 2.25, 3] * 2)
    worth = {(r["right"], r["turn"]): r["psnr_db"] for r in seen.table()}
    assert worth[0, 0] > worth[2, 0] > worth[4, 0] and worth[0, 0] > worth[0, -3]


def test_the_curve_goes_through_the_place_on_screen(opened):
    """It held the other sliders at 0, so that the dot lay beside its own curve."""
    seen = explore_displacement(takes_it_as_it_lies, alike())
    with seen.hold_trait_notifications():
        seen.axis, seen.moved, seen.draft = "right", {"right": 3.5, "down": 1.5}, True
    assert sum(row["down"] == 1.5 for row in seen.table()) == 1  # while it is dragged: no curve
    seen.draft = False
    along = sorted(row["right"] for row in seen.table() if row["down"] == 1.5)
    assert along == [-4, -3, -2, -1, 0, 1, 2, 3, 3.5, 4]
    page = opened(seen)
    (dot,) = page.evaluate(
        """[...document.querySelectorAll(".dp-here")].map((dot) =>
        [...document.querySelectorAll(".dp-curve circle:not(.dp-here)")]
          .filter((c) => ["cx", "cy"].every((at) => c.getAttribute(at) === dot.getAttribute(at)))
          .length)"""
    )
    assert dot == 1 and page.locator(".dp-curve circle:not(.dp-here)").count() == 10
    words = page.locator(".dp-worth figure").inner_text()
    assert "at 3.5 px right, 1.5 px down" in words and "1.5 px down stays" in words
    titles = [axes.get_title() for axes in seen._draw().axes]
    assert any("down 1.5 and turn 0 held" in title for title in titles)


@pytest.mark.parametrize(
    "wrong", [{"left": 1}, {"right": 4.5}, {"turn": "much"}, {"down": float("nan")}]
)
def test_what_is_no_place_is_refused(explorer, wrong):
    explorer.moved = {"down": 1}
    with pytest.raises(TraitError, match="expected"):
        explorer.moved = wrong
    with pytest.raises(TraitError, match="expected one of finds, trusts"):
        explorer.network = "other"
    assert explorer.moved == {"right": 0, "down": 1, "turn": 0}


def test_without_a_target_there_are_pictures_and_arrows_but_no_numbers(opened):
    pair = dl.load_input(smooth(1, (SIDE, SIDE)), smooth(2, (SIDE, SIDE))[:, ::4, ::4], 4)
    seen = explore_displacement(finder(), pair)
    assert seen.info["floor"] is None and {r["psnr_db"] for r in seen.table()} == {None}
    assert seen.png()[:4] == b"\x89PNG"
    page = opened(seen)
    assert "no target" in page.inner_text("body") and not page.locator(".dp-worth").is_visible()


@pytest.mark.parametrize(
    "options", [{"spatial": False}, {"reference": False}, {"multiscale": False}]
)
def test_networks_with_less_in_them_are_shown(options):
    model = dl.DCAMSR(scale=4, image_size=32, variant="aligned", **options)
    pair = dl.load_pair(smooth(1, (30, 32)), smooth(2, (30, 32)), 4)
    seen = explore_displacement(model, pair)
    found = seen.result["networks"]["aligned"]["found"]
    assert (found is None) == ("spatial" in options)
    assert bool(seen.info["notes"]) == ("reference" in options)
    with pytest.raises(dl.InputError, match="a network for 4x"):
        explore_displacement(model, dl.load_pair(smooth(1, (32, 32)), smooth(2, (32, 32)), 2))
    with pytest.raises(dl.InputError, match="one network or more"):
        explore_displacement([], pair)


def test_a_page_that_would_be_too_large_keeps_the_ends_of_each_slider(monkeypatch):
    seen = explore_displacement(takes_it_as_it_lies, alike())
    assert len(seen.state()["results"]) == 25
    seen.tour = []  # its places stay, too
    monkeypatch.setattr("dcamsr_lite.widgets.displacement.explorer.PAGE_BYTES", 1)
    state = seen.state()
    assert [r["moved"]["right"] for r in state["results"]][:4] == [2, 0, -4, 4]
    assert len(state["results"]) == 8 and state["info"]["steps"]["turn"] == 3


# --- saved ----------------------------------------------------------------------------------------


@pytest.mark.skipif(not shutil.which("node"), reason="node is not installed")
def test_the_words_in_node():
    test = TREE / "tests" / "js" / "displacement.test.mjs"
    done = subprocess.run(["node", "--test", test], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_saved_slider_moves_picture_arrows_words_and_numbers(opened, explorer):
    explorer.network, explorer.moved = "finds", {"right": 2}
    page = opened(explorer)
    said = page.locator(".dp-said")
    assert "Planted: 2.0 to the right. Found by finds: 2.0 to the right;" in said.inner_text()
    arrows = page.locator(".dx-offsets").first
    drawn, picture = arrows.get_attribute("d"), page.evaluate(f"[...{ROOT}.values('output')]")
    down = page.get_by_label("shift down, px")
    down.press("ArrowLeft")
    assert page.evaluate(f"{ROOT}.moved") == {"right": 0, "down": -1, "turn": 0}
    assert page.evaluate(f"{ROOT}.state.axis") == "down"
    assert "Planted: 1.0 up. Found by finds: 1.0 up;" in said.inner_text()
    assert "You see finds" in said.inner_text() and "therefore" in said.inner_text()
    assert arrows.get_attribute("d") != drawn and "shift down, px" in page.text_content(".dp-curve")
    shown = page.evaluate(f"[...{ROOT}.values('output')]")
    assert shown != picture
    heads = page.locator(".dx-tips").first.get_attribute("d")
    assert heads.count("Z") == arrows.get_attribute("d").count("M") > 10  # each arrow has its head
    back = "This page holds one slider at a time: 2 px right went back to 0."
    assert page.locator(".dx-status").inner_text() == back
    down.press("ArrowLeft")
    down.press("ArrowRight")  # still the same slider
    assert page.locator(".dx-status").inner_text() == back
    explorer.moved = {"down": -1}
    sent = explorer.result["networks"]
    np.testing.assert_allclose(shown, unpack(sent["finds"]["output"]).flatten(), rtol=1e-5)
    cells = page.locator(".dp-worth tbody tr").all_inner_texts()
    for line, name in zip(cells, ("finds", "trusts"), strict=False):
        assert name in line and f"{sent[name]['psnr']:.1f}" in line
    assert f"{explorer.info['floor']:.1f}" in cells[2]
    page.get_by_label("Network: trusts").check(force=True)
    assert "There are no arrows: trusts" in said.inner_text()
    assert page.evaluate(f"{ROOT}.arrows()") == []
    page.get_by_role("button", name="In place").click()
    assert "with the reference in place" in said.inner_text()
    assert page.locator(".dx-status").inner_text() == ""


def test_everything_is_on_one_laptop_screen_and_nothing_overlaps(opened, explorer):
    page = opened(explorer)
    page.set_viewport_size({"width": 1366, "height": 768})
    for part in page.locator(".dp-sliders, .dp-said, .dp-look > *").all():
        box = part.bounding_box()
        assert box["y"] + box["height"] <= 768
    for width in (390, 700, 1366):
        parts = "h2, p, label, .dx-range output, .dp-look figcaption *, td, .dp-look .dx-frame, svg"
        assert_nothing_overlaps(page, width, parts)
