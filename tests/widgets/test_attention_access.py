"""The attention explorer by keyboard and finger, with little motion, in every width."""

import pytest
from explorers import (
    STATE,
    assert_nothing_overlaps,
    both,
    example,
)

from dcamsr_lite.widgets import explore


def test_a_keyboard_is_enough(opened):
    """From the first control to the last cell, by Tab, arrows, Space and Enter only."""
    models, pair = both()
    explorer = explore(models, pair)
    explorer.level, explorer.head = 1, None
    explorer.tour = [{"text": "Here.", "query": [8, 8]}]
    page = opened(explorer)
    at = "document.activeElement"
    focused = f"{at}.getAttribute('aria-label') ?? {at}.textContent"
    # a radio button is hidden below its label's text, which then has the outline
    seen = "e => e && getComputedStyle(e).outlineStyle !== 'none'"
    outlined = f"[{at}, {at}.nextElementSibling].some({seen})"

    def tab_to(part: str, limit: int = 40) -> None:
        for _ in range(limit):
            page.keyboard.press("Tab")
            if part in page.evaluate(focused):
                assert page.evaluate(outlined), f"the focus on {part} is not seen"
                return
        raise AssertionError(f"Tab does not reach {part}")

    tab_to("Next")
    page.keyboard.press("Enter")
    assert page.evaluate(STATE)[2] == [8, 8]
    tab_to("Network: whole")
    tab_to("Branch: spatial")
    tab_to("Level: level 1")
    page.keyboard.press("ArrowRight")
    tab_to("Head: mean")
    page.keyboard.press("ArrowRight")
    tab_to("View: one map")
    page.keyboard.press("ArrowRight")
    tab_to("Show: difference")
    page.keyboard.press("ArrowRight")
    tab_to("Map: on reference")
    tab_to("Query pixel")
    page.keyboard.press("Shift+ArrowDown")
    assert page.evaluate(STATE)[1:7] == ["spatial", [24, 8], 2, 0, True, False]
    assert "row 24, column 8" in page.locator("[aria-live]").last.text_content()
    tab_to("Choose head 4")
    page.keyboard.press("Space")
    tab_to("projected token")
    page.keyboard.press("Home")
    before = page.get_by_role("slider").get_attribute("aria-valuenow")
    page.keyboard.press("ArrowLeft" if int(before) else "ArrowRight")
    assert page.get_by_role("slider").get_attribute("aria-valuenow") != before
    page.get_by_label("Branch: spatial").focus()
    page.keyboard.press("ArrowRight")
    tab_to("channel attention of head 2")
    page.keyboard.press("ArrowRight")
    assert page.evaluate(STATE)[1] == "channel" and page.evaluate(STATE)[-1] == [2, 0, 1]
    page.get_by_label("Network: whole").focus()
    page.keyboard.press("ArrowDown")
    assert page.evaluate(STATE)[:2] == ["bare", "spatial"]


def test_a_finger_is_enough(browser, tmp_path):
    models, pair = both()
    explore(models, pair, cuts=False).save_html(tmp_path / "page.html")
    context = browser.new_context(
        has_touch=True, is_mobile=True, offline=True, viewport={"width": 500, "height": 1000}
    )
    page = context.new_page()
    page.goto((tmp_path / "page.html").as_uri())
    box = page.locator(".dx-panels .dx-frame").nth(1).bounding_box()
    page.touchscreen.tap(box["x"] + box["width"] * 10.5 / 64, box["y"] + box["height"] * 50.5 / 64)
    assert page.evaluate(STATE)[2] == [50, 10]
    page.get_by_label("View: all heads side by side").locator("xpath=..").tap()
    page.get_by_role("button", name="Choose head 3").tap()
    assert page.evaluate(STATE)[4:6] == [3, True]
    page.get_by_label("Branch: channel").locator("xpath=..").tap()
    page.locator("canvas[data-head='7']").tap(position={"x": 2, "y": 2})
    assert page.evaluate(STATE)[-1] == [7, 0, 0]
    assert page.evaluate("document.documentElement.scrollWidth") <= 500
    context.close()


@pytest.mark.slow
def test_reduced_motion_is_respected(browser, tmp_path):
    explore(*example("corrected"), cuts=False).save_html(tmp_path / "page.html")
    lasts = "parseFloat(getComputedStyle(e).transitionDuration) > 0"
    moving = f"[...document.querySelectorAll('*')].filter(e => {lasts}).length"
    counts = []
    for motion in ("reduce", "no-preference"):
        context = browser.new_context(reduced_motion=motion, offline=True)
        page = context.new_page()
        page.goto((tmp_path / "page.html").as_uri())
        page.wait_for_selector("footer")
        counts.append(page.evaluate(moving))
        context.close()
    assert counts[0] == 0 < counts[1]


@pytest.mark.parametrize(
    "place",
    ["heads", *(pytest.param(n, marks=pytest.mark.slow) for n in ("channel", "networks"))],
)
def test_no_view_overlaps_or_runs_out(place, opened):
    models, pair = both() if place == "networks" else example("released")
    explorer = explore(models, pair)
    explorer.side_by_side, explorer.tour = place == "heads", [{"text": "One step."}]
    explorer.branch = "channel" if place == "channel" else "spatial"
    page = opened(explorer)
    for width in (700, 1400):
        assert_nothing_overlaps(
            page,
            width,
            """h3, p, .dx-quality span, .dx-card figcaption *, legend, .dx-card .dx-ticks span,
            .dx-frame, .dx-matrix, .dx-axis span, svg""",
        )


@pytest.mark.parametrize(
    "name, first", [("corrected", ".dx-map > .dx-frame"), ("aligned", ".dx-field, .dx-near")]
)
def test_images_and_map_are_on_one_laptop_screen(opened, name, first):
    model, pair = example(name)
    page = opened(explore(model, pair))
    page.set_viewport_size({"width": 1366, "height": 768})
    for part in (".dx-panels .dx-frame", first):
        box = page.locator(part).first.bounding_box()
        assert box["y"] + box["height"] <= 768 and box["width"] > 150
