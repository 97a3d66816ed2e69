"""The attribution explorer: runs in chunks that can be stopped, results kept in a page, keys, touch."""

import base64
import shutil
import subprocess
import weakref

import numpy as np
import pytest
import torch
from explorers import assert_nothing_overlaps, smooth
from helpers import ROOT as TREE
from traitlets import TraitError

import dcamsr_lite as dl
from dcamsr_lite.interpret.attribution import lifted_attention, occlusion
from dcamsr_lite.interpret.deletion import deletion_curve, nearness
from dcamsr_lite.interpret.record import Record
from dcamsr_lite.widgets import AttributionExplorer, explore_attribution
from dcamsr_lite.widgets.shared.packing import unpack

ROOT = "document.querySelector('.dcamsr-explorer').explorer"


def pair_of(shape=(30, 26)) -> dl.Pair:
    return dl.load_pair(smooth(1, shape), smooth(2, shape), 4)


@pytest.fixture(scope="module")
def ran():
    """One explorer with results of two methods, on an image that is padded by 2 rows and 6 columns."""
    blocks = {"encoder_blocks": (1, 1, 1), "decoder_blocks": (1,) * 6}
    model, pair = dl.DCAMSR(scale=4, image_size=32, channels=8, heads=2, **blocks), pair_of()
    explorer = explore_attribution(model, pair)
    explorer.patch = [8, 9, 4, 6]
    explorer.run("occlusion", "blur_path")
    return model, pair, explorer


def test_the_result_is_that_of_the_functions(ran):
    model, pair, explorer = ran
    inside = (8 + 1, 9 + 3, 4, 6)  # where the patch lies in the padded image
    found = occlusion(model, pair.lr, pair.ref, inside).result()
    shown = explorer.results["occlusion"]
    for name in ("lr", "ref"):
        mine, its = unpack(shown[name]), getattr(found, name)
        torch.testing.assert_close(mine, its, rtol=0, atol=6e-4 * float(its.abs().max()))
    assert shown["share"] == pytest.approx(found.share_of_reference)
    assert shown["completeness"] == pytest.approx(found.completeness_error, abs=1e-6)
    lifted = lifted_attention(model, pair.lr, pair.ref, inside)
    assert [row["level"] for row in shown["agreement"]] == [1, 2, 4]
    for row in shown["agreement"]:
        assert row["lifted"] == pytest.approx(found.agreement(lifted[row["level"]]), abs=1e-6)
    curves = shown["deletion"]
    levels = [f"attention, level {level}" for level in (1, 2, 4)]
    assert list(curves) == ["attribution", *levels, "chance"]
    assert len({round(curve["change"][-1], 6) for curve in curves.values()}) == 1
    chance = curves["chance"]
    assert chance["draws"] == 10 and all(
        low <= middle <= high
        for low, middle, high in zip(*(chance[n] for n in ("low", "change", "high")), strict=True)
    )
    assert list(shown["controls"]) == ["nearness", "edges"]
    order = nearness(pair.ref.shape[2:], inside)
    curve = deletion_curve(model, pair.lr, pair.ref, inside, order).result()
    assert shown["controls"]["nearness"]["early"] == pytest.approx(curve.early)


def test_no_share_is_stated_where_the_maps_do_not_add_up():
    """Two windows that each are enough: to blur one of them changes little, so the sum is too small."""

    def either(lr, ref):
        together = torch.maximum(ref, ref.roll(16, -1))
        return together.square()

    explorer = explore_attribution(either, pair_of())
    explorer.run("occlusion")
    found = explorer.results["occlusion"]
    assert found["completeness"] > 0.05 and not found["complete"] and found["net_share"] is None
    assert "%" not in explorer._draw()._suptitle.get_text()


def test_a_run_goes_on_where_it_was_stopped(monkeypatch):
    monkeypatch.setattr("dcamsr_lite.widgets.attribution.explorer.CHUNK", 0)  # one step per chunk
    calls = []

    def copy(lr, ref):
        calls.append(0)
        return ref

    explorer = explore_attribution(copy, pair_of())
    place = ("occlusion", "mean", [4, 4, 4, 4])
    steps = [explorer.chunk(*place) for _ in range(3)]
    assert [step["done"] for step in steps] == [1, 2, 3] and not steps[-1]["finished"]
    before = len(calls)
    while not (step := explorer.chunk(*place))["finished"]:
        assert len(calls) - before <= 4  # no chunk does the whole run
        before = len(calls)
    assert step["done"] == step["total"]
    found = unpack(explorer.results["occlusion"]["ref"])
    padded = pair_of()
    expected = occlusion(lambda lr, ref: ref, padded.lr, padded.ref, (5, 7, 4, 4), "mean").result()
    torch.testing.assert_close(found, expected.ref, rtol=0, atol=1e-3)
    # another place begins anew
    assert explorer.chunk("occlusion", "mean", [5, 4, 4, 4])["done"] == 1


def test_a_run_can_be_stopped_while_the_attention_is_lifted(monkeypatch):
    """Query by query, with no map kept but the sum: all of a large patch's took 400 MB at once."""
    monkeypatch.setattr("dcamsr_lite.widgets.attribution.explorer.CHUNK", 0)  # one step per chunk
    lift, made = Record.lift, []

    def counted(*arguments, **options):
        assert sum(one() is not None for one in made) <= 3  # two sums, and the last one added
        one = lift(*arguments, **options)
        made.append(weakref.ref(one))
        return one

    monkeypatch.setattr(Record, "lift", counted)
    blocks = {"encoder_blocks": (1, 1, 1), "decoder_blocks": (1,) * 6}
    model = dl.DCAMSR(scale=4, image_size=32, channels=16, **blocks)
    explorer = explore_attribution(model, pair_of())
    before, finished = 0, False
    while not finished:
        step = explorer.chunk("occlusion", "mean", [8, 9, 4, 6])
        assert len(made) - before <= 2 * 6 and step["done"] <= step["total"]
        before, finished = len(made), step["finished"]
    assert before > 2 * 4 * 6 and step["done"] == step["total"]


def test_any_function_and_what_goes_wrong_in_it(monkeypatch):
    explorer = explore_attribution(lambda lr, ref: ref, pair_of())
    explorer.run("blur_path")
    result = explorer.results["blur_path"]
    assert result["share"] == pytest.approx(1, abs=1e-6) and result["agreement"] == []
    assert list(result["deletion"]) == ["attribution", "chance"]
    sent = []
    monkeypatch.setattr(explorer, "send", sent.append)
    blind = explore_attribution(lambda lr, ref: ref.detach(), pair_of())
    monkeypatch.setattr(blind, "send", sent.append)
    asked = {"ask": "chunk", "id": "7", "method": "blur_path", "target": "mean"}
    blind._answer(blind, asked | {"patch": [0, 0, 4, 4]}, [])
    assert sent[-1]["id"] == "7" and "without a gradient" in sent[-1]["error"]
    explorer._answer(explorer, asked | {"patch": [0, 0, 4, 99]}, [])
    assert "patch" in sent[-1]["error"]


def test_the_readers_place_is_checked():
    explorer = explore_attribution(lambda lr, ref: ref, pair_of((64, 64)))
    assert explorer.patch == [28, 28, 8, 8]
    for name, wrong in {
        "patch": [60, 0, 8, 8],
        "method": "guess",
        "target": "sharpness",
    }.items():
        with pytest.raises(TraitError, match=f"{name}"):
            setattr(explorer, name, wrong)
    with pytest.raises(TraitError, match="larger than 32 x 32"):
        explorer.patch = [0, 0, 40, 8]


@pytest.mark.parametrize(
    "f, reason",
    [
        ("lite-4x-footprints", "found str; expected a function"),
        (lambda lr, ref: lr, "expected one of"),
        (dl.DCAMSR(scale=2, image_size=32), "a network for 2x"),
        (dl.DCAMSR(scale=4, image_size=64, variant="released"), "fixed to a 64 x 64 grid"),
    ],
)
def test_what_cannot_be_shown_says_why(f, reason, monkeypatch):
    shown = []
    monkeypatch.setattr("IPython.get_ipython", lambda: "a notebook")
    monkeypatch.setattr("IPython.display.display", shown.append)
    with pytest.raises(dl.InputError, match=reason):
        explore_attribution(f, pair_of())
    assert reason in shown[0].message
    with pytest.raises(dl.InputError, match="slice: found 3"):
        explore_attribution(lambda lr, ref: ref, pair_of(), slice=3)
    with pytest.raises(dl.InputError, match="found str; expected a Pair"):
        explore_attribution(lambda lr, ref: ref, "pair.npy")


def test_the_static_twin_stands_beside_the_widget(ran):
    *_, explorer = ran
    data, _ = explorer._repr_mimebundle_()
    assert base64.b64decode(data["image/png"])[:8] == b"\x89PNG\r\n\x1a\n"
    assert "Blur path (LAM)" in data["text/plain"] and "Occlusion" in data["text/plain"]
    assert "</" not in AttributionExplorer._esm
    assert explore_attribution(lambda lr, ref: ref, pair_of()).png()[:4] == b"\x89PNG"


@pytest.mark.skipif(not shutil.which("node"), reason="node is not installed")
def test_the_words_in_node():
    test = TREE / "tests" / "js" / "attribution.test.mjs"
    done = subprocess.run(["node", "--test", test], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


# --- in the browser -------------------------------------------------------------------------------


def test_a_saved_page_keeps_the_results_and_says_what_it_cannot(ran, opened):
    *_, explorer = ran
    page = opened(explorer)
    for method in ("Blur path (LAM)", "Occlusion"):
        page.get_by_label(f"Method: {method}").check()
        sent = explorer.results["blur_path" if "Blur" in method else "occlusion"]
        shown = np.array(page.evaluate(f"[...{ROOT}.result().ref.values]")).reshape(32, 32)
        np.testing.assert_allclose(shown, unpack(sent["ref"]).numpy(), atol=1e-6)
        words = page.inner_text(".da-share")
        if sent["complete"]:  # signed sums lead, magnitudes are named so
            signed, absolute = (f"reference {100 * sent[n]:.1f} %" for n in ("net_share", "share"))
            assert words.index(signed) < words.index("Absolute") < words.rindex(absolute)
        else:
            assert "do not add up" in words and "reference" not in words
    dashed = page.locator("label.dx-unanswered")
    assert dashed.first.inner_text() == "Integrated gradients"
    assert "No result in this page" in dashed.first.get_attribute("title")
    page.get_by_label("Method: Integrated gradients").check()
    assert "This page holds no result: Integrated gradients" in page.inner_text("body")
    assert not page.get_by_role("button", name="Run").is_visible()  # a button that cannot answer
    status = page.inner_text(".da-status")
    assert "results of Occlusion and Blur path (LAM). New runs need a kernel" in status
    assert "Not for clinical use." in page.inner_text("body")


def test_the_map_lies_where_its_pixels_are(ran, opened):
    *_, explorer = ran
    page = opened(explorer)
    frame, overlay, mark = (
        page.locator(f".da-cards section:nth-child(2) {part}").first.bounding_box()
        for part in (".dx-frame", ".dx-overlay", ".dx-mark")
    )
    pixel = frame["width"] / 26
    assert overlay["x"] == pytest.approx(frame["x"] - 3 * pixel, abs=0.5)
    assert overlay["width"] == pytest.approx(32 * pixel, abs=0.5)
    assert mark["x"] == pytest.approx(frame["x"] + 9 * pixel, abs=0.6)
    assert mark["height"] == pytest.approx(4 * pixel, abs=0.6)
    page.mouse.move(frame["x"] + 12.5 * pixel, frame["y"] + 10.5 * pixel)
    page.locator(".dx-reading", has_text="Row 10, column 12:").wait_for()


def test_pointer_and_keys_move_the_patch(ran, opened):
    *_, explorer = ran
    page = opened(explorer)
    patch = f"{ROOT}.state.patch"
    page.locator(".dx-panels").focus()
    for key in ("ArrowDown", "ArrowRight", "Shift+ArrowRight", "Shift+ArrowUp"):
        page.keyboard.press(key)
    assert page.evaluate(patch) == [9, 10, 3, 7]
    assert "3 × 7 at row 9, column 10" in page.locator("[aria-live]").last.text_content()
    assert "has changed since" in page.inner_text(".da-what")
    page.get_by_label("Patch: 8 × 8").check()
    assert page.evaluate(patch)[2:] == [8, 8]
    box = page.locator(".dx-panels .dx-frame").nth(1).bounding_box()
    pixel = box["width"] / 26
    at = lambda row, column: (box["x"] + (column + 0.5) * pixel, box["y"] + (row + 0.5) * pixel)  # noqa: E731
    page.mouse.move(*at(5, 4))
    page.mouse.down()
    page.mouse.move(*at(9, 14), steps=3)
    page.mouse.up()
    assert page.evaluate(patch) == [5, 4, 5, 11]
    page.mouse.click(*at(20, 10))
    assert page.evaluate(patch) == [18, 5, 5, 11]  # a click moves what was drawn
    page.mouse.click(*at(29, 25))
    assert page.evaluate(patch) == [25, 15, 5, 11]  # and stays inside


def test_nothing_overlaps_or_runs_out(ran, opened):
    page = opened(ran[-1])
    for width in (700, 1400):
        assert_nothing_overlaps(
            page,
            width,
            """h3, p, small, figcaption *, .dx-ticks span, dt, dd, th, td, caption, button,
            .da-status, .dx-frame, legend, .da-legend span, svg text""",
        )


def test_the_tour_sets_patch_and_method(ran, opened):
    *_, explorer = ran
    explorer.tour = [{"text": "A window at a time.", "method": "occlusion", "patch": [0, 0, 4, 4]}]
    page = opened(explorer)
    page.get_by_role("button", name="Next").click()
    assert page.evaluate(f"{ROOT}.state.method") == "occlusion"
    assert page.evaluate(f"{ROOT}.state.patch") == [0, 0, 4, 4]


def test_maps_are_there_before_what_they_are_compared_with(monkeypatch, opened):
    """A default run took 84 s before it showed anything: it began with 32 steps of the path."""
    monkeypatch.setattr("dcamsr_lite.widgets.attribution.explorer.CHUNK", 0)  # one step per chunk
    explorer = explore_attribution(lambda lr, ref: ref.roll(2, 3).square(), pair_of())
    place, chunks = ("blur_path", "detail", [8, 8, 4, 4]), 0
    while "blur_path" not in explorer.results:
        chunks += 1
        assert not explorer.chunk(*place)["finished"]
    assert chunks <= 12 and explorer.results["blur_path"]["deletion"] is None
    explorer.patch = place[-1]
    page = opened(explorer)
    assert "The maps are there" in page.inner_text(".da-wide")
    assert page.locator(".da-share").is_visible() and not page.locator(".da-agree").is_visible()
    while not (step := explorer.chunk(*place))["finished"]:
        assert step["total"] < 100
    assert explorer.results["blur_path"]["deletion"]["chance"]["draws"] == 10


def test_a_fresh_page_holds_a_result_and_every_colour_one_meaning(opened):
    explorer = explore_attribution(lambda lr, ref: ref.roll(2, 3), pair_of())
    assert explorer.tour and not any("patch" in step for step in explorer.tour)
    page = opened(explorer)  # nothing was run
    assert page.locator(".da-share").is_visible() and page.locator(".dx-tour").is_visible()
    explorer.method = "occlusion"  # has not run: the page opens on what has
    assert explorer.state()["method"] == "blur_path"
    colours = page.evaluate(
        """[["i.da-lr", "backgroundColor"], ["i.da-ref", "backgroundColor"],
            ["polyline.da-attribution", "stroke"], ["polyline.da-control", "stroke"]]
          .map(([e, name]) => getComputedStyle(document.querySelector(e))[name])"""
    )
    added, taken = "rgb(238, 112, 8)", "rgb(38, 116, 216)"  # of the maps
    assert len({added, taken, "rgb(26, 102, 201)", *colours}) == 7
