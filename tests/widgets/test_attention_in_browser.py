"""The attention explorer: what is sent, what the browser computes, what stays without a kernel."""

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
import torch
from explorers import (
    CASES,
    ROOT,
    assert_nothing_overlaps,
    drawings,
    example,
    network,
    recorded,
    smooth,
)
from traitlets import TraitError

import dcamsr_lite as dl
from dcamsr_lite.widgets import AttentionExplorer, explore

JS = Path(__file__).parents[1] / "js"


@pytest.mark.skipif(not shutil.which("node"), reason="node is not installed")
def test_the_numbers_in_node():
    run = subprocess.run(
        ["node", "--test", str(JS / "attention.test.mjs")], capture_output=True, text=True
    )
    assert run.returncode == 0, run.stdout[-3000:] + run.stderr[-1000:]


# --- in the browser -------------------------------------------------------------------------------


QUICK = ("padded",)


@pytest.mark.parametrize(
    "name", [n if n in QUICK else pytest.param(n, marks=pytest.mark.slow) for n in CASES]
)
def test_the_browsers_map_is_the_records(name, opened):
    model, pair = example(name)
    page, record = opened(explore(model, pair, cuts=False)), recorded(model, pair)
    random, other = np.random.default_rng(0), np.random.default_rng(1)
    for level in sorted(record.queries):
        rows, columns = record.size(level)
        for _ in range(8):
            query = int(random.integers(rows)), int(random.integers(columns))
            head = None if random.random() < 0.3 else int(random.integers(8))
            relative = (True, False, "queries")[int(random.integers(3))]
            call = [level, head, *query, relative]
            shown = np.array(page.evaluate(f"a => [...{ROOT}.map(...a)]", call))
            expected = record.lift(level, query, head=head, relative=relative).numpy()
            error = np.abs(shown.reshape(rows, columns) - expected).max()
            if record.keys[level] is None:  # a difference of two maps is as exact as they are
                expected = record.lift(level, query, head=head).numpy()
            assert error < 2e-3 * np.abs(expected).max(), call
            by_value = name != "released" and other.random() < 0.5
            call += [other.random() < 0.7, by_value]
            ask = record.find_readers if call[-2] else record.lift
            shown = np.array(page.evaluate(f"a => [...{ROOT}.map(...a)]", call))
            expected = ask(level, query, head=head, relative=relative, by_value=by_value).numpy()
            error = np.abs(shown.reshape(rows, columns) - expected).max()
            limit = float(
                record.lift(level, query, head=head).abs().max()
            )  # what is sent has steps
            limit *= float(record.value_norms[level].max()) if by_value else 1
            assert error < 2e-3 * limit, call
            source = page.evaluate(f"a => {ROOT}.source(...a)", [level, *query])
            expected = record.source(level, query)
            for field in expected._fields:
                assert [s[field] for s in source] == getattr(expected, field).tolist()
        for head in range(8):
            shown = page.evaluate(f"a => [...{ROOT}.channel(...a)]", [level, head])
            expected = record.channel[level][0, head].flatten()
            torch.testing.assert_close(torch.tensor(shown), expected, rtol=1e-5, atol=1e-6)


def test_the_picture_shows_the_map_where_it_lies(opened):
    """Padded by 2 rows and 2 columns: image and map are shifted against each other."""
    model, pair = example("padded")
    explorer = explore(model, pair)
    explorer.level, explorer.head, explorer.query = 2, None, [10, 20]
    page, record = opened(explorer), recorded(model, pair)
    frame, overlay, mark = (
        page.locator(f".dx-map > {part}").first.bounding_box()
        for part in (".dx-frame", ".dx-frame .dx-overlay", ".dx-frame > .dx-mark")
    )
    pixel = frame["width"] / 52
    assert overlay["x"] == pytest.approx(frame["x"] - 2 * pixel, abs=0.5)
    assert overlay["width"] == pytest.approx(56 * pixel, abs=0.5)
    assert mark["y"] + mark["height"] / 2 == pytest.approx(frame["y"] + 11 * pixel, abs=0.6)
    # the number under the pointer is the number in the tensor
    page.mouse.move(frame["x"] + 30.5 * pixel, frame["y"] + 40.5 * pixel)
    page.locator(".dx-reading", has_text="Reference row 40, column 30").wait_for()
    expected = float(record.lift(2, (6, 11), relative=True)[21, 16])
    shown = page.evaluate(f"v => {ROOT}.format(v)", expected)
    read = page.locator(".dx-reading").first.text_content().split("weight ")[1].rstrip(".")
    assert read == shown


def test_keys_pointer_and_controls_move_the_query(opened):
    explorer = explore(*example("corrected"), cuts=False)
    explorer.query = [30, 30]
    page = opened(explorer)
    state = f"(({{query, level, head, relative}}) => [query, level, head, relative])({ROOT}.state)"
    page.locator(".dx-panels").focus()
    for key in ("ArrowDown", "ArrowRight", "ArrowRight", "Shift+ArrowUp"):
        page.keyboard.press(key)
    assert page.evaluate(state)[0] == [23, 32]
    assert "row 23, column 32" in page.locator("[aria-live]").text_content()
    page.get_by_label("Level: level 4").focus()
    page.keyboard.press("Space")
    page.get_by_label("Head: mean").focus()
    page.keyboard.press("ArrowRight")
    page.get_by_label("Show: absolute").check()
    assert page.evaluate(state)[1:] == [4, 0, False]
    # hovering looks, clicking stays
    box = page.locator(".dx-panels .dx-frame").nth(2).bounding_box()
    at = [box["x"] + box["width"] * 50.5 / 64, box["y"] + box["height"] * 8.5 / 64]
    page.mouse.move(*at)
    page.locator(".dx-reading", has_text="Query at row 8, column 50").wait_for()
    assert page.evaluate(state)[0] == [23, 32]
    page.mouse.move(5, 5)
    page.locator(".dx-reading", has_text="Query at row 23, column 32").wait_for()
    page.mouse.move(*at)
    page.mouse.down()
    page.mouse.up()
    page.mouse.move(5, 5)
    assert page.evaluate(state)[0] == [8, 50]
    # tokens answer to keys, too
    chart = page.get_by_role("slider", name="projected token")
    chart.focus()
    before = int(chart.get_attribute("aria-valuenow"))
    page.keyboard.press("ArrowLeft" if before else "ArrowRight")
    assert int(chart.get_attribute("aria-valuenow")) == (before - 1 if before else 1)


def test_the_layout_is_named_and_the_scramble_visible(opened):
    page = opened(explore(*example("released"), cuts=False))
    text = page.inner_text("body")
    assert "scrambled merge, as released" in text and "Violet frame" in text
    assert page.locator(".dx-run").count() >= 1
    page = opened(explore(*example("corrected"), cuts=False))
    text = page.inner_text("body")
    assert "heads merged aligned" in text and "Not for clinical use." in text
    assert page.locator(".dx-run").count() == 0


def test_reasons_and_file_names_are_text(opened, tmp_path):
    page = opened(AttentionExplorer(message="<img src=x onerror=alert(1)></script>"))
    assert page.get_by_role("alert").text_content() == "<img src=x onerror=alert(1)></script>"
    name = tmp_path / "<script>throw 1<b>.npy"
    np.save(name, smooth(1, (32, 32)).numpy())
    page = opened(
        explore(network((32, 32)), dl.load_pair(name, smooth(2, (32, 32)), 4), cuts=False)
    )
    assert "<script>throw 1<b>.npy" in page.inner_text("body")


@pytest.mark.parametrize("name", ["released", pytest.param("padded", marks=pytest.mark.slow)])
def test_nothing_overlaps_or_runs_out(name, opened):
    page = opened(explore(*example(name)))
    for width in (700, 1400):
        assert_nothing_overlaps(
            page,
            width,
            """h3, p, small, figcaption *, .dx-ticks span, .dx-frame, .dx-matrices canvas,
            .dx-axis span, legend, svg""",
        )


@pytest.mark.parametrize("variant", ["corrected", pytest.param("released", marks=pytest.mark.slow)])
def test_an_update_draws_each_picture_once(variant, opened):
    """`make bench` measures how long that takes."""
    shape = (128, 128)
    pair = dl.load_pair(smooth(1, shape), smooth(2, shape), 4)
    page = opened(explore(network(shape, variant=variant), pair, cuts=False))
    steps = [f"{ROOT}.show({row}, 30)" for row in range(40, 45)]
    assert drawings(page, steps)[1:] == [1] * 4  # the first one may find a card undrawn


def test_the_tour_sets_the_readers_place(opened):
    explorer = explore(*example("corrected"))
    explorer.level, explorer.head = 1, None
    explorer.tour = [
        {"text": "Start at the rim.", "query": [3, 5], "level": 2},
        {"text": "Now one head.", "head": 6, "relative": False},
    ]
    with pytest.raises(TraitError, match="step 1 of the tour sets .'colour'.*query, level"):
        explorer.tour = [{"text": "No such thing.", "colour": 3}]
    with pytest.raises(TraitError, match="step 2 of the tour has no text"):
        explorer.tour = [{"text": "one"}, {"query": [1, 1]}]
    page = opened(explorer)
    state = f"(({{query, level, head, relative}}) => [query, level, head, relative])({ROOT}.state)"
    tour = page.get_by_role("navigation", name="Guided tour")
    assert page.evaluate(state) == [[32, 32], 1, None, True]  # until Next, the reader's own place
    tour.get_by_role("button", name="Next").click()
    assert page.evaluate(state) == [[3, 5], 2, None, True]
    tour.get_by_role("button", name="Next").press("Enter")
    assert page.evaluate(state) == [[3, 5], 2, 6, False]
    assert "Now one head." in tour.inner_text() and "2 of 2" in tour.inner_text()
    assert tour.get_by_role("button", name="Next").is_disabled()
    tour.get_by_role("button", name="Back").click()
    assert page.evaluate(state)[:2] == [[3, 5], 2]
