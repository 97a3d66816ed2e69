"""The intervention lab: what is asked, what is answered, what stays without a kernel."""

import csv
import io
import json

import numpy as np
import pytest
import torch
from explorers import assert_nothing_overlaps
from helpers import awake, phantom
from traitlets import TraitError

import dcamsr_lite as dl
from dcamsr_lite.interpret.interventions import Cut, Intervention, run_intervention
from dcamsr_lite.widgets import InterventionLab, intervention_lab
from dcamsr_lite.widgets.shared.packing import unpack

ROOT = "document.querySelector('.dcamsr-explorer').explorer"
OFF = {"cuts": [{"branch": "spatial", "state": "off"}]}


@pytest.fixture(autouse=True)
def quick_head(monkeypatch):
    """The other subject without the seconds that a simulated head takes."""
    made = "dcamsr_lite.interpret.interventions.simulated_reference"
    monkeypatch.setattr(made, lambda seed, shape, slices, view: phantom(slices, max(shape), seed))


def example(size: int = 32, slices: int = 2, target: bool = True, **options):
    model = awake(dl.DCAMSR(image_size=size, **options))
    images = phantom(slices, size, 1), 900 * phantom(slices, size, 2)
    if not target:
        return model, dl.load_input(images[0], images[1][:, ::4, ::4], 4)
    return model, dl.load_pair(*images, 4)


# --- in Python ------------------------------------------------------------------------------------


def test_what_is_sent_is_what_run_gives():
    model, pair = example()
    lab = intervention_lab(model, pair, slice=1)
    lesion = {"image": "target", "row": 12, "column": 18}
    lab.intervention = {"reference": "blank", "lesions": [lesion]} | OFF
    expected = run_intervention(model, pair, 1, Intervention.from_dict(lab.intervention))
    row = lab.table()[1]
    assert row == expected.row() and row["delta_psnr_db"] != 0
    assert row.items() <= lab.rows[1].items() and row.items() <= lab.result.items()
    assert sorted(lab.result["images"]) == ["low", "output", "reference", "target"]
    for name, packed in lab.result["images"].items():
        image = getattr(expected, name)
        torch.testing.assert_close(unpack(packed), image, rtol=0, atol=5e-4 * 900)
    lab.intervention = OFF  # only what differs from the un-cut run is sent
    assert sorted(lab.result["images"]) == ["output"]
    plain = dl.super_resolve(model, pair)[1]
    torch.testing.assert_close(unpack(lab.images["output"]), plain, rtol=0, atol=5e-4 * 900)


def test_a_draft_is_answered_but_not_noted():
    lab = intervention_lab(*example())
    lab.draft = True
    lab.intervention = {"shift": [0, 1]}
    first = lab.result["count"]
    assert len(lab.rows) == 1 and lab.result["tried"] == "reference shifted 1 px right"
    lab.draft = False
    assert lab.result["count"] > first and len(lab.rows) == 2
    lab.intervention = {}
    lab.intervention = {"shift": [0, 1]}
    tried = [row["tried"] for row in lab.table()]
    assert tried == ["nothing changed", "reference shifted 1 px right"]


def test_python_runs_and_writes_the_table():
    lab = intervention_lab(*example())
    cuts = (Cut("channel", "uniform", heads=(1, 2)),)
    result = lab.run(Intervention("noise", cuts=cuts))
    assert result.row() == lab.table()[1] and lab.result["tried"] == str(result.intervention)
    lab.to_csv("tried.csv")
    with open("tried.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["tried"] for row in rows] == [row["tried"] for row in lab.table()]
    assert float(rows[1]["delta_psnr_db"]) == result.change


@pytest.mark.parametrize(
    ("wrong", "word"),
    [
        ({"reference": "mine"}, "one of own"),
        ({"cuts": [{"branch": "spatial", "state": "off", "heads": [8]}]}, "0 to 7"),
        ({"cuts": [{"branch": "spatial", "state": "off", "levels": [3]}]}, "levels"),
        ({"colour": "red"}, "a dict of reference"),
    ],
)
def test_what_this_network_does_not_allow_is_refused(wrong, word):
    lab = intervention_lab(*example())
    with pytest.raises(TraitError, match=word):
        lab.intervention = wrong
    with pytest.raises(TraitError, match=f"step 2 of the tour: .*{word}"):
        lab.tour = [{"text": "fine", "intervention": OFF}, {"text": "not", "intervention": wrong}]
    assert len(lab.rows) == 1 and lab.result["tried"] == "nothing changed"


@pytest.mark.parametrize("options", [{"spatial": False}, {"channel": False}, {"multiscale": False}])
def test_networks_with_less_to_cut_offer_less(options):
    lab = intervention_lab(*example(**options))
    missing = next(iter(options))
    tried = " ".join(row["tried"] for row in lab.run_standard())
    assert f"{missing} attention" not in tried
    steps = str([step["intervention"] for step in lab.tour])
    assert len(lab.tour) >= 5 and f"'{missing}'" not in steps
    assert lab.info["levels"] == ([4] if missing == "multiscale" else [1, 2, 4])


def test_any_function_is_tried_with_other_references_but_has_nothing_to_cut():
    _, pair = example()
    lab = intervention_lab(lambda lr, ref: ref, pair)
    assert "<lambda>, 4x" in repr(lab) and lab.info["levels"] == lab.info["branches"] == []
    tried = [row["tried"] for row in lab.run_standard()]
    assert "reference blank" in tried and not any("attention" in words for words in tried)
    assert lab.run(Intervention("blank")).output.std() < 1e-6
    with pytest.raises(TraitError, match="a DCAMSR, whose attention is what we cut"):
        lab.intervention = OFF


def test_without_a_target_pictures_but_no_numbers():
    lab = intervention_lab(*example(target=False))
    assert sorted(lab.images) == ["low", "output", "reference"]
    assert lab.info["references"] == ["own", "blank", "noise", "other"]
    with pytest.raises(TraitError, match="no target"):
        lab.intervention = {"reference": "target"}
    assert {row["psnr_db"] for row in lab.run_standard()} == {None}
    assert lab.png()[:4] == b"\x89PNG"


def test_the_standard_set_is_each_branch_level_and_reference():
    lab = intervention_lab(*example())
    tried = [row["tried"] for row in lab.run_standard()]
    assert len(tried) == len(set(tried)) == 1 + 4 + 5 + 5 + 3
    for words in (
        "spatial attention uniform",
        "channel attention off",
        "spatial attention off; channel attention off",
        "spatial attention off at level 2; channel attention off at level 2",
        "reference of another subject",
        "reference replaced by the target itself",
        "reference shifted 2 px right",
    ):
        assert words in tried
    assert lab.run_standard() == lab.table() and lab.result["tried"] == "nothing changed"


def test_model_and_pair_must_fit(monkeypatch):
    shown = []
    monkeypatch.setattr("IPython.get_ipython", lambda: "a notebook")
    monkeypatch.setattr("IPython.display.display", shown.append)
    model, pair = example()
    cases = [
        ((dl.DCAMSR(scale=2, image_size=32), pair), "a network for 2x"),
        ((dl.DCAMSR(image_size=64, variant="released"), pair), "fixed to a 64 x 64 grid"),
        (("lite-4x-footprints", pair), "found str; expected a function"),
        ((model, "pair.npy"), "found str; expected a Pair"),
        ((model, pair, 2), "slice: found 2"),
        ((model, pair, 0, "T1.h5"), "other: found str"),
        ((model, pair, 0, example(64)[1]), "other: found 2 slices"),
    ]
    for arguments, reason in cases:
        with pytest.raises(dl.InputError, match=reason):
            intervention_lab(*arguments)
        assert reason.split(" ")[-1] in shown[-1].message


def test_the_model_is_left_as_it_was():
    model, pair = example()
    model.train()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    intervention_lab(model, pair).run_standard()
    assert model.training and model.fused
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in model.modules())
    assert all(torch.equal(before[name], value) for name, value in model.state_dict().items())


# --- saved ----------------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_saved_page_of_lite_stays_below_6_mb(tmp_path, monkeypatch):
    lab = intervention_lab(*example(128))
    lab.save_html(tmp_path / "page.html")
    assert (tmp_path / "page.html").stat().st_size < 6e6
    # of a larger one, the rows stay and the pictures that were tried first go
    monkeypatch.setattr("dcamsr_lite.widgets.lab.explorer.PAGE_BYTES", 1_000_000)
    lab.save_html(tmp_path / "page.html")
    assert (tmp_path / "page.html").stat().st_size < 1e6
    state = lab.state()
    assert 1 < len(state["results"]) < len(state["rows"])


@pytest.fixture
def page(opened):
    lab = intervention_lab(*example())
    lab.intervention = {"lesions": [{"image": "reference", "row": 12, "column": 18}]}
    return lab, opened(lab)


def test_saved_switches_find_what_was_computed_or_say_that_a_kernel_is_needed(page):
    lab, page = page
    shown = f"{ROOT}.shown().tried"
    status = page.locator(".dx-status")
    assert page.evaluate(shown).startswith("lesion painted into the reference")
    page.get_by_role("button", name="Reset").click()
    assert page.evaluate(shown) == "nothing changed"
    page.get_by_role("button", name="spatial attention, all levels, all heads: on").click()
    assert page.evaluate(shown) == "spatial attention off"
    assert page.evaluate(f"{ROOT}.asked().cuts") == [
        OFF["cuts"][0] | {"levels": None, "heads": None}
    ]
    state = run_intervention(lab._model, lab._pair, lab._slice, Intervention.from_dict(OFF))
    values = np.array(page.evaluate(f"[...{ROOT}.values('output')]")).reshape(32, 32)
    np.testing.assert_allclose(values, state.output, atol=5e-4 * 900)
    change = np.array(page.evaluate(f"[...{ROOT}.values('change')]")).reshape(32, 32)
    np.testing.assert_allclose(change, state.output - lab._base.output, atol=1e-3 * 900)
    assert f"{state.psnr:.2f} dB" in page.locator(".dx-numbers").inner_text()
    assert status.text_content() == ""
    unanswered = page.locator(".dx-switches .dx-unanswered")
    one = page.get_by_role("button", name="spatial attention, level 2, head 3: off. No answer")
    assert one.get_attribute("class") == "dx-switch dx-unanswered" and unanswered.count() > 20
    every = page.get_by_role("button", name="spatial attention, all levels, all heads: off")
    assert "dx-unanswered" not in every.get_attribute("class")  # uniform was computed, too
    known = page.locator(".dx-no-answer", has_text="From here").inner_text()
    assert "down 0 px; right 0 px; turn 0 °" in known  # with the branch off, nothing was moved
    assert "does not answer what you paint" in page.inner_text("body")
    page.get_by_role("button", name="spatial attention, level 2, head 3: off").click()
    assert "no kernel" in status.text_content() and page.evaluate(shown) == "spatial attention off"
    row = page.get_by_role("row", name="reference blank")
    row.click()
    assert page.evaluate(shown) == "reference blank" and status.text_content() == ""
    assert row.get_attribute("aria-current") is not None
    assert page.get_by_label("Use: a blank reference").is_checked()


def test_a_saved_slider_goes_from_answer_to_answer(opened):
    """It went by 0.25 px, to places without one, and named them as answered."""
    page = opened(intervention_lab(*example()))
    right, status = page.get_by_label("right, px"), page.locator(".dx-status")
    known = page.locator(".dx-no-answer", has_text="From here").inner_text()
    assert "down 0 px; right 0, 1, 2, 4 px; turn 0, 3 °; blur 0, 2 px" in known
    seen = []
    for key in (*["ArrowRight"] * 4, "ArrowLeft"):
        right.press(key)
        seen.append(page.evaluate(f"{ROOT}.shown().intervention.shift[1]"))
        assert status.text_content() == ""
    assert seen == [1, 2, 4, 4, 2]
    page.get_by_label("down, px").press("ArrowRight")  # nothing was moved both ways
    assert page.evaluate(f"{ROOT}.state.shift") == [0, 2] and status.text_content() == ""
    right.fill("0.75")  # as a pointer does: the nearest
    assert page.evaluate(f"{ROOT}.state.shift") == [0, 1]
    assert page.get_by_label("radius, px").is_disabled()
    assert "computed before this page was saved" in page.inner_text("header")
    page.locator(".dx-whole").wait_for()  # the whole table, no row is cut in half
    page.get_by_role("row", name="reference replaced by noise").click()
    assert "→" not in page.locator(".dx-numbers").inner_text()


def test_the_tour_sets_interventions_that_the_page_knows(page):
    lab, page = page
    shown = f"{ROOT}.shown().tried"
    forward = page.get_by_role("button", name="Next")
    seen = []
    for _ in lab.tour:
        forward.click()
        seen.append(page.evaluate(shown))
        assert page.locator(".dx-status").text_content() == ""
    wanted = [str(Intervention.from_dict(step["intervention"])) for step in lab.tour]
    assert seen == wanted and forward.is_disabled()


def test_keyboard_alone_reaches_everything(page):
    _, page = page
    press = page.keyboard.press

    def until(name: str, limit: int = 40):
        for _ in range(limit):
            press("Tab")
            words = "document.activeElement.ariaLabel ?? document.activeElement.textContent"
            if name in (page.evaluate(words) or ""):
                return
        raise AssertionError(f"Tab does not lead to {name}")

    state = f"{ROOT}.state"
    until("spatial attention, all levels, all heads")
    for key in ("ArrowDown", "ArrowRight", "ArrowRight", "Space"):
        press(key)
    (cut,) = page.evaluate(f"{ROOT}.asked().cuts")
    assert cut == {"branch": "spatial", "state": "off", "levels": [1], "heads": [1]}
    press("Enter")
    for key in ("ArrowLeft", "ArrowLeft", "Space"):
        press(key)  # the header of a mixed row switches it on
    assert page.evaluate(f"{state}.grid.spatial[1]") == ["on"] * 8
    until("channel attention, all levels")  # one Tab leaves the grid
    until("Use: its own reference")
    press("ArrowRight")
    assert page.evaluate(f"{state}.reference") == "blank"
    until("right, px")
    for _ in range(4):
        press("ArrowRight")
    assert page.evaluate(f"{state}.shift") == [0, 0]  # from here the page has no other answer
    until("Click: looks")
    press("ArrowRight")
    until("Undo last")
    press("Enter")
    assert page.evaluate(f"{state}.lesions") == []
    until("Images with one cursor")
    for key in ("ArrowDown", "Shift+ArrowLeft", "Enter"):
        press(key)
    lesion = page.evaluate(f"{state}.lesions[0]")
    assert (lesion["row"], lesion["column"], lesion["remove"]) == (17, 8, False)
    until("reference replaced by noise")
    press("Enter")
    assert page.evaluate(f"{ROOT}.shown().tried") == "reference replaced by noise"


def test_a_click_paints_where_it_is_and_the_value_is_the_pixels(page):
    lab, page = page
    page.get_by_role("button", name="Clear").click()
    page.get_by_label("Click: removes").check(force=True)
    page.get_by_label("In: target").check(force=True)
    frame = page.locator(".dx-lab-panels .dx-frame").nth(3)
    frame.scroll_into_view_if_needed()
    box, pixel = frame.bounding_box(), frame.bounding_box()["width"] / 32
    page.mouse.move(box["x"] + 20.5 * pixel, box["y"] + 9.5 * pixel)
    page.mouse.down()
    page.mouse.up()
    (lesion,) = page.evaluate(f"{ROOT}.state.lesions")
    place = {"image": "target", "row": 9, "column": 20}
    assert lesion == place | {"radius": 4, "strength": 0.5, "remove": True}
    shown = float(page.locator("figcaption output").nth(3).text_content().replace("−", "-"))
    value = page.evaluate(f"{ROOT}.values('output')[9 * 32 + 20]")
    assert shown == pytest.approx(value, rel=1e-2)
    target = page.locator(".dx-lab-panels .dx-frame").nth(2)
    spot = target.locator(".dx-lesion").bounding_box()
    middle = target.bounding_box()["x"] + 20.5 * pixel
    assert spot["x"] + spot["width"] / 2 == pytest.approx(middle, abs=1)


def test_the_page_saves_the_table_as_csv(opened):
    lab = intervention_lab(*example())
    page = opened(lab)
    with page.expect_download() as download:
        page.get_by_role("button", name="Save as CSV").click()
    text = download.value.path().read_text()
    lab.to_csv("tried.csv")
    with open("tried.csv", newline="") as file:
        ours = list(csv.DictReader(file))
    theirs = list(csv.DictReader(io.StringIO(text)))
    assert [row["tried"] for row in theirs] == [row["tried"] for row in ours]
    assert [*theirs[0]] == [*ours[0]]
    one = next(row for row in theirs if row["tried"] == "reference shifted 2 px right")
    assert (one["shift_down"], one["shift_right"], one["reference"]) == ("0", "2", "own")
    one = next(row for row in theirs if row["tried"] == "spatial attention off")
    assert json.loads(one["cuts"]) == [OFF["cuts"][0] | {"levels": None, "heads": None}]
    assert one["network"] == lab.info["title"] and one["slice"] == str(lab.info["slice"])
    for one, other in zip(theirs, ours, strict=True):
        assert float(one["psnr_db"]) == float(other["psnr_db"])


def test_file_names_are_text_and_reasons_are_shown(opened, tmp_path):
    name = tmp_path / "<script>throw 1<b>.npy"
    np.save(name, phantom(1, 32).numpy())
    lab = intervention_lab(
        awake(dl.DCAMSR(image_size=32)), dl.load_pair(name, phantom(1, 32, 1), 4)
    )
    assert "<script>throw 1<b>.npy" in opened(lab).inner_text("body")
    empty = opened(InterventionLab(message="<b>nothing</b>"))
    assert empty.get_by_role("alert").text_content() == "<b>nothing</b>"


@pytest.mark.parametrize("theme", ["light", pytest.param("dark", marks=pytest.mark.slow)])
def test_nothing_overlaps_or_runs_out(theme, page):
    _, page = page
    page.emulate_media(color_scheme=theme)
    for width in (700, 1400):
        assert_nothing_overlaps(
            page,
            width,
            """h2, h3, p, small, figcaption *, .dx-ticks span, .dx-frame, .dx-switches button, legend,
            .dx-controls span, .dx-range > *, .dx-tile b, .dx-meter, .dx-band > span, header button,
            .dx-now-line button, .dx-buttons button, .dx-scroll""",
        )
        cut_off = page.evaluate(
            """() => [...document.querySelectorAll("figcaption b, .dx-controls span, .dx-range output")]
            .filter(e => e.scrollWidth > e.clientWidth + 1).map(e => e.textContent)"""
        )
        assert not cut_off
