"""The attention explorer's parts: all heads, channel branch, several networks, tour."""

import numpy as np
import pytest
import torch
from explorers import (
    CASES,
    NAMES,
    ROOT,
    STATE,
    assert_nothing_overlaps,
    both,
    drawings,
    example,
    network,
    recorded,
    smooth,
)
from torch.nn.functional import avg_pool2d, normalize
from traitlets import TraitError

import dcamsr_lite as dl
from dcamsr_lite.widgets import explore, tours


@pytest.mark.parametrize(
    "name",
    ["padded", *(pytest.param(n, marks=pytest.mark.slow) for n in ("corrected", "released"))],
)
def test_the_feature_maps_in_the_browser_are_the_records(name, opened):
    model, pair = example(name)
    page, record = opened(explore(model, pair, cuts=False)), recorded(model, pair)
    random = np.random.default_rng(0)
    for level, features in record.features.items():
        halved = min(features.query.shape[-2:]) >= 64
        for kind, maps in features._asdict().items():
            head, i = (int(random.integers(n)) for n in maps.shape[1:3])
            expected = maps[0, head]
            expected = avg_pool2d(expected, 2)[i] if halved else expected[i]
            shown = page.evaluate(f"a => {ROOT}.feature(...a).size", [level, kind, head, i])
            assert shown == list(expected.shape)
            shown = page.evaluate(f"a => [...{ROOT}.feature(...a).values]", [level, kind, head, i])
            limit = float(expected.abs().max())
            error = np.abs(np.array(shown).reshape(expected.shape) - expected.numpy()).max()
            assert error <= 0.51 / 127 * limit
        mixed = record.channel[level][0, head, i] @ features.value[0, head].flatten(1)
        mixed = mixed.reshape(1, 1, *features.value.shape[-2:])
        mixed = (avg_pool2d(mixed, 2) if halved else mixed).flatten().numpy()
        shown = page.evaluate(f"a => [...{ROOT}.mixed(...a).values]", [level, head, i])
        limit = float(features.value[0, head].abs().max())
        assert np.abs(shown - mixed).max() <= 0.6 / 127 * limit
        q, k = (normalize(x[0, head].flatten(1), dim=-1) for x in features[:2])
        shown = torch.tensor(page.evaluate(f"a => [...{ROOT}.cosine(...a)]", [level, head]))
        torch.testing.assert_close(shown, (q @ k.T).flatten(), rtol=1e-4, atol=1e-5)


def test_output_error_and_attention_follow_the_network(opened):
    models, pair = both()
    page = opened(explore(models, pair, cuts=False))
    box = page.locator(".dx-panels figure", has_text="Output")
    noted = {}
    for name, model in models.items():
        page.get_by_label(f"Network: {name}").check()
        output = float(dl.super_resolve(model, pair)[0, 32, 32])
        shown = page.evaluate(f"v => {ROOT}.format(v)", output)
        assert float(box.locator("output").text_content()) == pytest.approx(float(shown), rel=2e-3)
        noted[name] = box.locator(".dx-quality").text_content()
        expected = recorded(model, pair).lift(4, (8, 8), relative=True).flatten().numpy()
        shown = page.evaluate(f"[...{ROOT}.map(4, null, 8, 8, true)]")
        assert np.abs(shown - expected).max() < 2e-3 * np.abs(expected).max()
    assert noted["whole"] != noted["bare"]
    assert page.evaluate(STATE)[3] == 4  # the second network has no other level
    assert not page.get_by_label("Branch: channel").is_visible()


def test_all_heads_side_by_side_share_one_scale(opened):
    model, pair = example("corrected")
    explorer = explore(model, pair, cuts=False)
    explorer.query, explorer.side_by_side = [20, 40], True
    page, record = opened(explorer), recorded(model, pair)
    maps = np.array(page.evaluate(f"{ROOT}.maps(1, 20, 40, true).map(m => [...m])"))
    heads = [*range(8), None]
    for head, shown in zip(heads, maps, strict=True):
        expected = record.lift(1, (20, 40), head=head, relative=True).flatten().numpy()
        assert np.abs(shown - expected).max() < 2e-3 * np.abs(expected).max()
    bar = page.locator(".dx-map > .dx-bar .dx-ticks span").last
    shown = page.evaluate("v => v", bar.text_content())
    assert shown == page.evaluate(f"v => {ROOT}.format(v, 2)", float(np.abs(maps).max()))
    # every tile has its own picture
    data = page.evaluate(
        "[...document.querySelectorAll('.dx-tile .dx-overlay')].map(c => c.toDataURL())"
    )
    assert len(set(data)) == 9
    tile = page.get_by_role("button", name="Choose head 5")
    tile.click()
    assert page.evaluate(STATE)[4:6] == [5, True] and tile.get_attribute("aria-pressed") == "true"
    assert page.get_by_label("Head: head 5").is_checked()
    page.get_by_role("button", name="Choose mean").press("Enter")
    assert page.evaluate(STATE)[4] is None


@pytest.mark.slow
def test_a_grid_shows_every_head_of_every_level_both_ways(opened):
    """Each tile is the record's map; a click chooses level and head; readers lie on the input."""
    model, pair = example("padded")
    explorer = explore(model, pair, cuts=False)
    explorer.query, explorer.tour = [20, 40], [{"text": "Back.", "reverse": True, "level": 2}]
    page, record = opened(explorer), recorded(model, pair)
    page.get_by_label("View: all heads of all levels").check()
    tiles = page.locator(".dx-levels .dx-tile")
    assert tiles.count() == 27
    at = "[...document.querySelectorAll('.dx-tile .dx-overlay')].map(c => [c.width, c.height])"
    assert page.evaluate(at) == [[56, 64]] * 9 + [[28, 32]] * 9 + [[14, 16]] * 9
    for level in record.queries:
        row, column = ((x + 2) // level for x in (20, 40))
        maps = page.evaluate(
            "a => document.querySelector('.dcamsr-explorer').explorer.maps(...a).map(m => [...m])",
            [level, row, column, True, False, True],
        )
        for head, shown in zip([*range(8), None], maps, strict=True):
            asked = {"head": head, "relative": True, "by_value": True}
            expected = record.lift(level, (row, column), **asked).flatten().numpy()
            assert np.abs(shown - expected).max() < 2e-3 * np.abs(np.array(maps)).max()
    page.get_by_role("button", name="Choose level 4, head 6").press("Enter")
    assert page.evaluate(STATE)[3:6] == [4, 6, "levels"]
    assert page.locator(".dx-map h3").inner_text() == "Attention on the reference"
    ground = "[...document.querySelectorAll('.dx-tile canvas:first-child')].map(c => c.toDataURL())"
    before = page.evaluate(ground)
    page.get_by_label("Pixel: which queries read this pixel").focus()
    page.keyboard.press("Space")
    assert page.locator(".dx-map h3").inner_text() == "Who reads this pixel of the reference?"
    assert set(page.evaluate(ground)).isdisjoint(before)
    best = record.find_readers(4, (5, 10), head=6, relative=True)
    row, column = (4 * x - 2 for x in divmod(int(best.argmax()), 14))
    said = page.locator(".dx-map .dx-reading")
    assert f"by the query at row {max(row, 0)}, column {max(column, 0)}" in said.inner_text()
    page.get_by_label("Weight: attention times the length").check()
    assert "times the length of the value" in page.locator(".dx-map .dx-bar").inner_text()
    assert not page.get_by_text("projected tokens").is_visible()
    page.get_by_label("Pixel: what the query").check()
    page.get_by_role("button", name="Next").click()  # a step of the tour turns it, too
    assert page.get_by_label("Pixel: which queries read").is_checked()
    for width in (420, 1400):
        assert_nothing_overlaps(page, width, "h3, legend, .dx-frame, .dx-tile small, .dx-scale, p")
    page = opened(explore(*example("released"), cuts=False))
    value = page.locator("input[aria-label^='Weight: attention times']")
    assert value.is_disabled() and "the released merge writes" in value.get_attribute("aria-label")
    page.get_by_label("Weight: attention", exact=True).press("ArrowRight")  # nothing else to choose
    assert page.get_by_label("Weight: attention", exact=True).is_checked()


def test_an_update_of_eight_heads_draws_nine_pictures(opened):
    pair = dl.load_pair(smooth(1, (128, 128)), smooth(2, (128, 128)), 4)
    explorer = explore(network((128, 128)), pair, cuts=False)
    explorer.side_by_side = True
    steps = [f"{ROOT}.show({row}, 30)" for row in range(40, 43)]
    assert drawings(opened(explorer), steps) == [9] * 3  # the heads and their mean


def test_the_channel_cell_says_what_it_mixes(opened):
    model, pair = example("corrected")
    explorer = explore(model, pair, cuts=False)
    explorer.branch, explorer.level, explorer.cell = "channel", 2, [3, 1, 2]
    page, record = opened(explorer), recorded(model, pair)
    share = page.evaluate(f"v => {ROOT}.format(v)", float(record.channel[2][0, 3, 1, 2]))
    sentence = f"Head 3: query feature 1 takes {share} of reference feature 2"
    assert sentence in page.inner_text("body")
    names = ["query feature 1", "key feature 2", "value feature 2", "mixed into 1"]
    captions = page.locator(".dx-maps figcaption")
    assert captions.locator("b").all_text_contents() == names
    # the value under the cursor is the value of the map
    at = "row * v.size[1] + column"
    value = page.evaluate(
        f"([row, column]) => {{ const v = {ROOT}.feature(2, 'value', 3, 2); return v.values[{at}]; }}",
        [16, 16],
    )
    shown = page.evaluate(f"v => {ROOT}.format(v)", value)
    assert captions.nth(2).locator("output").text_content() == shown
    bars = page.locator(".dx-maps .dx-ticks span").all_text_contents()
    assert len(bars) == 12 and all(bars)
    # a cell under the pointer shows, a click stays, keys move on
    box = page.locator("canvas[data-head='6']").bounding_box()
    page.mouse.move(box["x"] + box["width"] * 0.6, box["y"] + box["height"] * 0.9)
    page.get_by_text("Head 6: query feature 3 takes").first.wait_for()
    page.mouse.move(5, 5)
    page.get_by_text(sentence).first.wait_for()
    page.locator("canvas[data-head='6']").click(position={"x": 3, "y": 3})
    page.locator("canvas[data-head='6']").press("ArrowDown")
    page.keyboard.press("ArrowRight")
    assert page.evaluate(STATE)[-1] == [6, 1, 1]
    assert "Head 6: query feature 1 takes" in page.locator("[aria-live]").last.text_content()


@pytest.mark.slow
def test_the_released_scramble_says_where_a_value_came_from(opened):
    model, pair = example("released")
    explorer = explore(model, pair, cuts=False)
    explorer.query = [40, 10]
    page, source = opened(explorer), recorded(model, pair).source(1, (40, 10))
    card = page.locator("section", has_text="Where did this pixel's value really come from?").last
    text = card.inner_text()
    head, feature, row, column = (x[0].item() for x in source)
    assert f"{len(set(source.column.tolist()))} pixels in row {row}," in text
    assert "row 40, column 10" in text
    assert f"one feature ({feature} of head {head})" in text
    frame, run = (card.locator(part).first.bounding_box() for part in (".dx-frame", ".dx-run"))
    pixel = frame["width"] / 64
    assert run["x"] == pytest.approx(frame["x"] + column * pixel, abs=0.6)
    assert run["y"] == pytest.approx(frame["y"] + row * pixel, abs=0.6)
    assert run["width"] == pytest.approx(32 * pixel, abs=0.6)
    page = opened(explore(*example("corrected"), cuts=False))
    assert not page.get_by_text("Where did this pixel's value really come from?").is_visible()


@pytest.mark.slow
def test_the_scramble_is_told_in_the_images_own_rows_and_columns(opened):
    """Of 30 x 36 the network sees 32 x 40: one row and two columns of zeros come first."""
    model = network((30, 36), variant="released")
    pair = dl.load_pair(smooth(1, (30, 36)), smooth(2, (30, 36)), 4)
    explorer = explore(model, pair, cuts=False)
    squares = {1: "row 15, column 18", 4: "rows 15 to 18, columns 18 to 21"}
    for level, square in squares.items():
        explorer.query, explorer.level = [15, 18], level
        source = recorded(model, pair).source(level, (16 // level, 20 // level))
        first, end = (int(row) * level - 1 for row in (source.row.min(), source.row.max() + 1))
        rows = f"row {first}" if level == 1 else f"rows {max(first, 0)} to {min(end, 30) - 1}"
        text = opened(explorer).locator("div.dx-words").inner_text()
        assert f"White square: {square}, where" in text
        assert f"in {rows}, for which" in text
        assert ("pixels of level 4" in text) == (level == 4)


@pytest.mark.slow
def test_the_default_tour_can_be_walked(opened):
    pair = dl.load_pair(smooth(1, (128, 128)), smooth(2, (128, 128)), 4)
    explorer = explore(network((128, 128)), pair)
    explorer.tour = tours.ATTENTION
    page = opened(explorer)
    for number, step in enumerate(tours.ATTENTION, 1):
        page.get_by_role("button", name="Next").click()
        state = dict(zip(NAMES, page.evaluate(STATE), strict=True))
        assert state | {k: v for k, v in step.items() if k != "text"} == state
        assert step["text"] in page.inner_text(
            "nav"
        ) and f"{number} of {len(tours.ATTENTION)}" in page.inner_text("nav")
    with pytest.raises(TraitError, match="step 1 of the tour: level 3"):
        explorer.tour = [{"text": "Nowhere.", "level": 3}]


def test_a_step_may_lead_to_a_network_with_less_in_it(opened):
    models, pair = both()
    explorer = explore(models, pair, cuts=False)
    first = {"network": "whole", "level": 2, "head": 7, "branch": "channel", "cell": [7, 3, 3]}
    second = {"network": "bare", "level": 4, "head": 1, "branch": "spatial", "cell": [0, 0, 0]}
    explorer.tour = [{"text": "all of it", **first}, {"text": "less", **second}]
    page = opened(explorer)  # at its end no error may have been thrown
    for name, wanted in (("Next", first), ("Next", second), ("Back", first)):
        page.get_by_role("button", name=name).click()
        state = dict(zip(NAMES, page.evaluate(STATE), strict=True))
        assert state | wanted == state
    assert "level 2" in page.locator(".dx-look").inner_text()


@pytest.mark.slow
def test_every_case_can_be_shown_in_both_branches(opened):
    for name in CASES:
        explorer = explore(*example(name))
        explorer.branch = "channel"
        page = opened(explorer)
        assert page.locator(".dx-maps figure").count() == 4


@pytest.mark.parametrize("shift, words", [((0, 2), "2.0 to the right"), ((-3, 0), "3.0 up")])
def test_a_network_that_finds_the_reference_says_where_it_lies(opened, shift, words):
    """Not trained: queries and keys are the features themselves, the reference is the input, moved."""
    model = dl.DCAMSR(scale=4, image_size=64, variant="aligned").eval()
    attention = model.levels[1].attention
    with torch.no_grad():
        for layer in (attention.query, attention.key_values):
            layer.weight[:32] = torch.eye(32)
            layer.bias.zero_()
        attention.spatial.attention.sharpness.fill_(2000.0).log_()
    target = smooth(3, (64, 64))
    low = dl.load_pair(target, target, 4).zero_filled
    page = opened(explore(model, dl.load_pair(low.roll(shift, (1, 2)), target, 4), cuts=False))
    panel = page.locator("section", has_text="Where does every place look?").last
    assert f"looks {words}, in pixels" in panel.inner_text()
    assert f"in the middle, {words}: there the reference lies." in panel.inner_text()
    drawn = panel.locator("path").first.get_attribute("d")
    assert drawn.count("l") > 10
    assert panel.locator(".dx-tips").get_attribute("d").count("Z") == drawn.count("l")
    whole = page.locator(".dx-map")
    assert not whole.is_visible()  # a few pixels of a whole image: not what is seen first
    page.get_by_text("The weights of one place, on the whole image").click()
    frame, ring = (
        page.locator(f".dx-map > .dx-frame{x}").bounding_box() for x in ("", " .dx-peak")
    )
    for start, side, moved in zip(
        "yx", ("height", "width"), shift, strict=True
    ):  # a spot of a pixel
        middle = ring[start] + ring[side] / 2 - frame[start]
        assert middle == pytest.approx((32.5 + moved) * frame[side] / 64, abs=1)
    words = whole.inner_text()
    assert "changes from query to query; the rest is the same wherever the pointer is" in words
    for width in (1000, 1280):
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        wide = "all => all.filter((e) => e.scrollWidth > e.clientWidth + 1).map((e) => e.innerText)"
        assert page.locator(".dx-card").evaluate_all(wide) == []
    page.evaluate("document.querySelector('.dcamsr-explorer').explorer.show(20, 20)")
    assert "Row 20, column 20 looks" in panel.inner_text()
    page.get_by_label("Branch: channel, which features to take").check()
    assert not panel.is_visible()
