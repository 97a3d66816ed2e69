"""A saved lab answers what was prepared for it, without a row in its table."""

import numpy as np
from helpers import awake, phantom

import dcamsr_lite as dl
from dcamsr_lite.widgets import intervention_lab
from dcamsr_lite.widgets.packing import unpack

ROOT = "document.querySelector('.dcamsr-explorer').explorer"


def test_the_first_click_on_every_switch_is_answered(opened):
    pair = dl.load_pair(phantom(1, 32, 1), phantom(1, 32, 2), 4)
    lab = intervention_lab(awake(dl.DCAMSR(image_size=32)), pair, other=pair)
    clicks = lab.clicks()
    assert len(clicks) == 2 * 4 * 9
    lab.prepare(clicks)
    assert len(lab.table()) == 1
    rows = len(lab.state()["rows"])
    page = opened(lab)
    where = [
        (branch, level, head)
        for branch in ("spatial", "channel")
        for level in (None, 4)
        for head in (None, 6)
    ]
    for branch, level, head in where:
        place = "all levels" if level is None else f"level {level}"
        place += ", all heads" if head is None else f", head {head}"
        page.get_by_role("button", name=f"{branch} attention, {place}: on").click()
        assert page.locator(".dx-status").text_content() == ""
        cut = {
            "branch": branch,
            "state": "off",
            "levels": level and [level],
            "heads": None if head is None else [head],
        }
        assert page.evaluate(f"{ROOT}.shown().intervention.cuts") == [cut]
        lab.intervention = {"cuts": [cut]}
        shown = np.array(page.evaluate(f"[...{ROOT}.values('output')]")).reshape(32, 32)
        np.testing.assert_allclose(shown, unpack(lab.result["images"]["output"]), rtol=1e-6)
        page.get_by_role("button", name="Reset").click()
    assert page.locator("tbody tr").count() == rows
