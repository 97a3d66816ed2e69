"""The contrast explorer: the browser's signals are Python's; sliders, lesions, tour."""

import pytest
import torch
from traitlets import TraitError

import dcamsr_lite as dl
from dcamsr_lite.errors import InputError
from dcamsr_lite.phantom import PROTOCOL, simulate
from dcamsr_lite.phantom.sequences import TISSUES
from dcamsr_lite.widgets.contrast.explorer import BOUNDS, tell_timing

ROOT = "document.querySelector('.dcamsr-explorer').explorer"


def tissues(size=24):
    """Stripes of three tissues, and a lesion in the first."""
    cut = {name: torch.zeros(size, size) for name in ("white", "csf", "fat", "lesion")}
    for i, name in enumerate(("white", "csf", "fat")):
        cut[name][:, i * size // 3 : (i + 1) * size // 3] = 1.0
    cut["lesion"][8:12, 2:5] = 1.0
    cut["white"][8:12, 2:5] = 0.0
    return cut


@pytest.mark.parametrize(
    "wrong, found",
    [
        ({}, "expected some of white"),
        ({"bone": torch.ones(16, 16)}, "'bone'"),
        ({"white": torch.ones(16, 16), "csf": torch.ones(16, 17)}, "of one shape"),
        ({"white": torch.ones(2, 16, 16)}, "slice: found 3; expected 0 to 1"),
    ],
)
def test_tissues_that_make_no_image_are_refused(wrong, found):
    with pytest.raises(InputError, match=found):
        dl.explore_contrasts(wrong)


@pytest.mark.parametrize(
    "wrong", [{"TR": 10.0}, {"TE": 400.0}, {"sequence": "gradient echo"}, {"TI": -1.0}]
)
def test_times_that_no_slider_has_are_refused(wrong):
    explorer = dl.explore_contrasts(tissues())
    with pytest.raises(TraitError):
        explorer.left = tell_timing("T1") | wrong


def test_another_slice_of_the_tissues_is_turned_to_at_the_same_times():
    stack = {name: torch.stack([x, x.flip(0), x.flip(1)]) for name, x in tissues().items()}
    explorer = dl.explore_contrasts(stack, slice=0)
    explorer.left = tell_timing("FLAIR")
    explorer.slice = 2
    assert explorer.left == tell_timing("FLAIR") and explorer.info["slice"] == 2
    expected = dl.explore_contrasts({name: x[2] for name, x in stack.items()})
    expected.left = tell_timing("FLAIR")
    assert torch.equal(explorer.image("left"), expected.image("left"))
    assert (expected.info["slice"], expected.info["slices"]) == (0, 1)


def test_the_protocols_contrasts_are_those_of_the_simulated_head():
    explorer = dl.explore_contrasts(tissues())
    for name, protocol in PROTOCOL.items():
        explorer.left = tell_timing(name)
        for tissue, signal in explorer.signals("left").items():
            t = TISSUES[tissue]
            assert signal == pytest.approx(abs(float(protocol.signal(t.pd, t.t1, t.t2))), abs=1e-6)


def test_signals_and_images_in_the_browser_are_pythons_while_sliders_move(opened):
    explorer = dl.explore_contrasts(tissues())
    page = opened(explorer)
    page.get_by_label("Sequence: inversion recovery").check()
    for label, key, count in (
        ("TI in", "ArrowRight", 3),
        ("TE in", "ArrowLeft", 4),
        ("TR in", "ArrowLeft", 2),
    ):
        for _ in range(count):
            page.get_by_label(f"{label} milliseconds").press(key)
    page.get_by_label("Sliders set the: left image").check()
    page.get_by_role("button", name="FLAIR of the protocol").click()
    for side in ("left", "right"):
        setattr(explorer, side, page.evaluate(f"{ROOT}.state.{side}"))
        for tissue, signal in page.evaluate(f"{ROOT}.signals('{side}')").items():
            assert signal == pytest.approx(explorer.signals(side)[tissue], abs=1e-6)
        shown = torch.tensor(page.evaluate(f"[...{ROOT}.image('{side}')]")).view(24, 24)
        torch.testing.assert_close(shown, explorer.image(side), atol=1e-3, rtol=0)
    assert explorer.right["TI"] == 15.0 and explorer.right["TE"] == 124.0
    assert explorer.left == tell_timing("FLAIR")


def test_lesions_are_outlined_on_both_images_until_they_are_not(opened):
    page = opened(dl.explore_contrasts(tissues()))
    drawn = (
        "canvas => canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height)"
        ".data.some(x => x)"
    )
    marks = page.locator(".cx-marks")
    assert [marks.nth(i).evaluate(drawn) for i in (0, 1)] == [True, True]
    page.get_by_label("Lesions: not marked").check()
    assert [marks.nth(i).evaluate(drawn) for i in (0, 1)] == [False, False]


def test_every_curve_has_its_slider_and_the_tour_stays_in_bounds(opened):
    explorer = dl.explore_contrasts(tissues())
    page = opened(explorer)
    assert page.locator(".cx-charts section:visible h3").count() == 2
    for _ in explorer.tour:
        page.get_by_role("button", name="Next").click()
    assert page.locator(".cx-charts section:visible h3").count() == 3  # the last steps invert
    for step in explorer.tour:
        for side in {"left", "right"} & set(step):
            assert all(low <= step[side][name] <= high for name, (low, high) in BOUNDS.items())
            setattr(explorer, side, step[side])
    assert explorer.png()[:4] == b"\x89PNG"


@pytest.mark.slow
def test_the_cut_tissues_lie_where_the_simulated_heads_do():
    head = simulate(3, size=64, slices=2, repetitions=1, noise=False, tissues=True)
    explorer = dl.explore_contrasts(head.tissues, slice=1)
    for side, contrast in (("left", "T1"), ("right", "T2")):
        pair = torch.stack([explorer.image(side).flatten(), head.images[contrast][1].flatten()])
        assert float(torch.corrcoef(pair)[0, 1]) > 0.93
    assert torch.equal(head.tissues["lesion"], head.lesions)


def test_every_step_of_the_tour_says_what_the_signals_are():
    """It said that lesions have gone, at a time at which they are among the brightest."""
    explorer = dl.explore_contrasts(tissues())
    found, said = [], [step["text"] for step in explorer.tour]
    for step in explorer.tour:
        for side in {"left", "right"} & set(step):
            setattr(explorer, side, step[side])
        found.append((explorer.signals("left"), explorer.signals("right")))
    brain = ("white", "gray", "csf", "lesion")
    left, _ = found[0]
    assert "brightest of the brain on the left (fat" in said[0] and left["fat"] > left["white"]
    assert max(brain, key=left.get) == "white"
    left, _ = found[1]
    assert "grey matter brighter than white" in said[1] and left["gray"] > left["white"] + 0.1
    assert "fluid has caught up with white" in said[1] and left["csf"] > left["white"]
    _, right = found[2]
    assert sorted(brain, key=right.get)[2:] == ["lesion", "csf"]  # "fluid and lesions bright"
    _, short = found[3]
    ratios = [one["lesion"] / one["white"] for one in (short, right)]
    assert f"{ratios[0]:.1f} times instead of {ratios[1]:.1f};" in said[3]
    left, _ = found[4]
    assert left["csf"] < 0.01 and max(brain, key=left.get) == "lesion"
    left, _ = found[5]
    assert "white matter vanish" in said[5] and left["white"] < 0.01 < min(
        left["gray"], left["csf"]
    )
