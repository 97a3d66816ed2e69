"""The lab's talk with its page: one answer a question, and what a saved page holds ready."""

import base64
import json
from pathlib import Path

import numpy as np
import pytest
from helpers import awake, phantom

import dcamsr_lite as dl
from dcamsr_lite.interpret.interventions import Intervention
from dcamsr_lite.widgets import intervention_lab
from dcamsr_lite.widgets.shared import static
from dcamsr_lite.widgets.shared.packing import unpack

ROOT = "document.querySelector('.dcamsr-explorer').explorer"
KERNEL = (Path(__file__).parents[1] / "js" / "kernel.js").read_text()


def example(size: int = 32, **options):
    pair = dl.load_pair(phantom(1, size, 1), phantom(1, size, 2), 4)
    return intervention_lab(awake(dl.DCAMSR(image_size=size)), pair, other=pair, **options)


def plain(value):
    """As JSON has it, bytes in base64."""
    return json.loads(json.dumps(value, default=lambda b: base64.b64encode(b).decode()))


@pytest.fixture
def live(browser):
    """The page of a lab in a notebook whose kernel is this test."""
    page, problems = browser.new_page(), []
    page.on("pageerror", lambda error: problems.append(str(error)))

    def open_(lab):
        module = base64.b64encode(lab._esm.encode()).decode()
        state = plain(lab.state()) | {"draft": False, "results": None}
        page.evaluate(KERNEL, [module, state])
        return page

    yield open_
    page.close()
    assert not problems


def answer(page, lab, intervention: dict, **more):
    lab.intervention = intervention
    page.evaluate("result => model.answer(result)", plain(lab.get_state("result")["result"]) | more)


def test_a_question_has_one_answer_also_when_a_drag_begins():
    lab, answers = example(), []
    lab.observe(lambda change: answers.append(change["new"]["tried"]), "result")
    lab.set_state({"draft": True, "intervention": {"shift": [0, 1]}})
    assert answers == ["reference shifted 1 px right"] and len(lab.rows) == 1
    lab.set_state({"intervention": {"shift": [0, 2]}})
    lab.set_state({"draft": False})
    lab.set_state({"draft": False, "intervention": {}})
    assert answers[1:] == ["reference shifted 2 px right"] * 2 + ["nothing changed"]
    assert [row["tried"] for row in lab.rows] == ["nothing changed", answers[1]]


def test_the_answer_to_an_older_question_is_not_taken_for_the_one_that_is_awaited(live):
    lab = example()
    page = live(lab)
    for right in (1, 2):
        page.evaluate(f"{ROOT}.set({{ shift: [0, {right}] }})")
    assert page.evaluate("heard.length") == 1  # the second waits for the first one's answer
    answer(page, lab, {"shift": [0, 1]})
    assert page.evaluate("heard.length") == 2
    page.evaluate(f"{ROOT}.set({{ shift: [0, 3] }})")
    answer(page, lab, {"shift": [0, 1]}, count=-1)  # once more
    assert page.evaluate(f"[heard.length, {ROOT}.waiting()]") == [2, True]
    answer(page, lab, {"shift": [0, 2]})
    assert page.evaluate("heard.map(([wanted]) => wanted.shift[1])") == [1, 2, 3]
    answer(page, lab, {"shift": [0, 3]})
    assert page.evaluate(f"[{ROOT}.answers, {ROOT}.waiting()]") == [3, False]
    assert page.evaluate(f"{ROOT}.shown().tried") == "reference shifted 3 px right"


def test_what_the_reader_does_right_after_a_step_of_the_tour_stays(live):
    lab = example()
    cut = {"cuts": [{"branch": "spatial", "state": "off"}]}
    lab.tour = [{"text": "cut off", "intervention": cut}, {"text": "read on"}]
    page = live(lab)
    page.get_by_role("button", name="Next").click()
    page.evaluate(f"{ROOT}.set({{ shift: [0, 2] }})")
    asked = page.evaluate("heard.map(([wanted]) => wanted)")
    lab.intervention = asked[0]
    if lab.intervention != asked[0]:  # what a kernel completes it sends back
        page.evaluate("whole => model.set('intervention', whole)", lab.intervention)
    answer(page, lab, asked[0])
    assert page.evaluate(f"[{ROOT}.asked().shift, {ROOT}.waiting()]") == [[0, 2], True]
    answer(page, lab, asked[1])
    assert page.evaluate(f"{ROOT}.shown().tried") == "reference shifted 2 px right"
    assert page.evaluate(f"[heard.length, {ROOT}.waiting()]") == [2, False]


def test_a_step_of_the_tour_is_taken_also_on_a_saved_page_that_began_with_it(opened):
    lab = example()
    lab.tour = [{"text": "as it is", "intervention": {}}]
    page = opened(lab)
    page.get_by_role("button", name="spatial attention, all levels, all heads: on").click()
    assert page.evaluate(f"{ROOT}.shown().tried") == "spatial attention off"
    page.get_by_role("button", name="Next").click()
    assert page.evaluate(f"{ROOT}.shown().tried") == "nothing changed"


def test_a_step_of_the_tour_replaces_what_still_waits_to_be_asked(live):
    lab = example()
    lab.tour = [{"text": "blank", "intervention": {"reference": "blank"}}]
    page = live(lab)
    for right in (1, 2):
        page.evaluate(f"{ROOT}.set({{ shift: [0, {right}] }})")
    page.get_by_role("button", name="Next").click()
    answer(page, lab, {"shift": [0, 1]})
    answer(page, lab, {"reference": "blank"})
    assert page.evaluate("heard.map(([wanted]) => wanted.reference)") == ["own", "blank"]
    assert page.evaluate(f"[{ROOT}.shown().tried, {ROOT}.waiting()]") == ["reference blank", False]


def test_a_tiny_change_of_the_output_is_shown_as_it_is(opened):
    lab = example()
    faint = {"image": "reference", "row": 16, "column": 16, "radius": 2, "strength": 1e-4}
    wanted = Intervention.from_dict({"lesions": [faint]})
    lab.intervention = wanted.as_dict()
    true = (lab.run(wanted).output - lab.run(Intervention()).output).numpy()
    assert 0 < np.abs(true).max() < 1e-3 * float(lab.run(wanted).output.abs().max())
    lab.intervention = wanted.as_dict()
    page = opened(lab)
    shown = np.array(page.evaluate(f"[...{ROOT}.values('change')]")).reshape(32, 32)
    np.testing.assert_allclose(shown, true, rtol=1e-3, atol=1e-6 * np.abs(true).max())
    assert "output" not in lab.get_state("result")["result"]["images"]


@pytest.mark.slow
def test_a_page_too_large_for_all_pictures_keeps_the_one_on_screen(opened, monkeypatch):
    lab = example()
    lab.intervention = {"shift": [3, 3]}
    alone = super(type(lab), lab).state() | {"rows": lab.rows, "result": lab.result, "results": []}
    size = len(static.page(alone, lab._esm, lab._css))
    monkeypatch.setattr("dcamsr_lite.widgets.lab.explorer.PAGE_BYTES", size)
    assert len(lab.state()["results"]) == 1
    page = opened(lab)
    assert page.locator(".dx-status").text_content() == "" and not page.locator(".dx-stale").count()
    assert page.evaluate(f"{ROOT}.shown().tried") == str(Intervention(shift=(3, 3)))


OUTSIDE = {"lesions": [{"image": "reference", "row": 90, "column": 90, "remove": True}]}


def test_what_cannot_be_made_is_answered_with_the_reason(live):
    lab = example()
    page = live(lab)
    page.evaluate(f"{ROOT}.set({json.dumps(OUTSIDE)})")
    answer(page, lab, OUTSIDE)  # does not raise: a kernel's traceback would be seen by nobody
    assert lab.result["refused"].endswith("expected a place in the image, smaller than it")
    assert lab.png()[:4] == b"\x89PNG" and "disc" not in str(lab.table())
    assert lab.result["refused"] in page.locator(".dx-status").text_content()
    assert page.evaluate(f"[{ROOT}.shown().tried, {ROOT}.waiting()]") == ["nothing changed", False]
    page.evaluate(f"{ROOT}.reset()")
    answer(page, lab, {})
    assert page.locator(".dx-status").text_content().startswith("Answered")
    assert page.locator(".dx-stale").count() == 0
    with pytest.raises(dl.InputError, match="smaller than it"):
        lab.run(Intervention.from_dict(OUTSIDE))


def test_a_page_saved_there_shows_the_reason_too(opened):
    lab = example()
    lab.intervention = OUTSIDE
    lab.tour = [{"text": "There is nothing.", "intervention": OUTSIDE}]
    page = opened(lab)
    assert lab.result["refused"] in page.locator(".dx-status").text_content()
    page.get_by_role("button", name="Reset").click()
    assert page.locator(".dx-status").text_content() == ""
    page.get_by_role("button", name="Next").click()
    assert lab.result["refused"] in page.locator(".dx-status").text_content()


@pytest.mark.slow
def test_the_first_click_on_every_switch_is_answered(opened):
    lab = example()
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
