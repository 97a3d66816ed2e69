"""Interventions: what is edited is what was asked for, the rest stays to the bit; cuts are causal."""

import json

import pytest
import torch
from helpers import awake, coil_kspace, phantom

import dcamsr_lite as dl
from dcamsr_lite.data.normalisation import normalise
from dcamsr_lite.data.volume import Volume
from dcamsr_lite.figures import overview
from dcamsr_lite.interpret import interventions
from dcamsr_lite.interpret.image_edits import Lesion, blur, paint, rotate
from dcamsr_lite.interpret.interventions import Cut, Intervention, cut, edit, run_intervention
from dcamsr_lite.kspace import degrade, ifft2c, rss, shift

LESION = dict(row=12, column=18, radius=3)
IN_REFERENCE = Intervention(lesions=(Lesion("reference", **LESION),))
IN_TARGET = Intervention(lesions=(Lesion("target", **LESION),))
EDITS = [
    Intervention("blank"),
    Intervention("noise", seed=3),
    Intervention("target"),
    Intervention(shift=(1, -2.5)),
    Intervention(rotate=10),
    Intervention(blur=1.5),
    IN_REFERENCE,
    Intervention(lesions=(Lesion("reference", **LESION, remove=True),)),
]


def pair_of(size: int = 32, slices: int = 3, view: tuple | None = None, **options) -> dl.Pair:
    target = Volume(900 * phantom(slices, size, 2), field_of_view=view)
    return dl.load_pair(phantom(slices, size, 1), target, 4, **options)


def network(**options) -> dl.DCAMSR:
    return awake(dl.DCAMSR(**{"image_size": 32} | options))


# --- edits of one image ---------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(32, 32), (31, 26)])
def test_a_shift_by_whole_pixels_is_a_roll(shape):
    image = torch.rand(shape)
    for rows, columns in ((3, -5), (0, 1), (-31, 8)):
        rolled = image.roll((rows, columns), (0, 1))
        torch.testing.assert_close(shift(image, rows, columns), rolled, atol=1e-5, rtol=0)


def test_a_shift_by_half_pixels_twice_is_one_pixel():
    image = blur(torch.rand(32, 32), 1.5)  # nothing at the edge of k-space, which has no half way
    twice = shift(shift(image, 0.5, -0.25), 0.5, -0.75)
    torch.testing.assert_close(twice, image.roll((1, -1), (0, 1)), atol=1e-4, rtol=0)


def test_a_quarter_turn_is_exact_and_a_turn_can_be_undone():
    image = blur(phantom(1, 64)[0], 1)
    torch.testing.assert_close(rotate(image, 90), image.rot90(), atol=1e-5, rtol=0)
    inside = (slice(12, 52),) * 2
    back = rotate(rotate(image, 7), -7)
    torch.testing.assert_close(back[inside], image[inside], atol=0.02, rtol=0)


def test_a_blur_spreads_a_point_as_a_gaussian_of_this_deviation():
    point = torch.zeros(65, 65)
    point[32, 32] = 1
    spread = blur(point, 2.5)
    rows = torch.arange(65) - 32
    assert float(spread.sum()) == pytest.approx(1, abs=1e-5)
    assert float((spread.sum(1) * rows.square()).sum()) == pytest.approx(2.5**2, rel=1e-4)


def test_a_lesion_is_painted_at_its_place_only_and_removing_fills_from_the_rim():
    image = torch.full((32, 32), 2.0)
    painted = paint(image, Lesion("target", **LESION, strength=-0.25))
    assert painted[12, 18] == 1.5 and painted[12, 21] == 1.75  # its edge passes half through 21
    assert int((painted != image).sum()) == 37  # every pixel closer than 3.5
    removed = paint(painted, Lesion("target", 12, 18, radius=4, remove=True))
    torch.testing.assert_close(removed, image)


# --- what the network gets ------------------------------------------------------------------------


@pytest.mark.parametrize("intervention", EDITS, ids=str)
@pytest.mark.parametrize("normalisation", ["clean", "released"])
def test_an_edited_reference_is_normalised_as_a_loaded_one_and_leaves_the_rest(
    intervention, normalisation
):
    pair = pair_of(normalisation=normalisation)
    one = edit(pair, 1, intervention)
    for name in ("lr", "target", "mean", "std", "low", "zero_filled", "target_image"):
        assert torch.equal(getattr(one, name), getattr(pair, name)[1:2]), name
    assert not torch.equal(one.ref, pair.ref[1:2])
    if intervention.reference != "blank":  # load_pair refuses a blank array
        again = dl.load_pair(one.reference_image, one.target_image, 4, normalisation=normalisation)
        torch.testing.assert_close(one.ref, again.ref)


def test_nothing_changed_is_the_pair_itself():
    pair = dl.load_pair(Volume(phantom(2, 64), kspace=coil_kspace(2)), phantom(2, 64, 1), 4)
    one = edit(pair, 1, Intervention())
    for name in ("lr", "ref", "target", "mean", "std", "low", "zero_filled"):
        assert torch.equal(getattr(one, name), getattr(pair, name)[1:2])


@pytest.mark.parametrize("size", [32, 36])  # 36 is padded to 40
def test_a_lesion_in_the_target_is_in_the_low_resolution_image_too(size):
    pair = pair_of(size)
    one = edit(pair, 2, IN_TARGET)
    assert torch.equal(one.ref, pair.ref[2:]) and torch.equal(
        one.reference_image, pair.reference_image[2:]
    )
    painted = paint(pair.target_image[2], IN_TARGET.lesions[0])[None]
    fresh = dl.load_pair(pair.reference_image[2:], painted, 4)
    assert torch.equal(one.target_image, painted)
    for name in ("lr", "target", "low", "zero_filled", "mean", "std"):
        torch.testing.assert_close(getattr(one, name), getattr(fresh, name), rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(one.restore(one.target), painted, rtol=1e-4, atol=1e-3)


def test_of_coil_data_the_lesions_own_trace_is_added():
    coils = coil_kspace(1)
    target = Volume(rss(ifft2c(coils)), kspace=coils)
    pair = dl.load_pair(phantom(1, 64), target, 4)
    assert pair.order == "coils"
    one = edit(pair, 0, Intervention(lesions=(Lesion("target", 30, 30, strength=0.2),)))
    added = degrade(one.target_image, 4, "image") - degrade(pair.target_image, 4, "image")
    torch.testing.assert_close(one.low, (pair.low + added).clamp_min(0))
    torch.testing.assert_close(one.lr, normalise(one.low[:, None])[0])


def test_another_subject_is_a_pair_or_a_simulated_head(monkeypatch):
    pair, other = pair_of(), pair_of(slices=3)
    made = []

    def simulated(seed, shape, slices, field_of_view):
        made.append((seed, shape, slices, field_of_view))
        return phantom(slices, shape[0], seed)

    monkeypatch.setattr("dcamsr_lite.interpret.interventions.simulated_reference", simulated)
    wanted = Intervention("other")
    edit(pair, 1, Intervention("blank"))
    assert not made  # only when it is asked for
    one = edit(pair, 1, wanted, other=7)
    torch.testing.assert_close(one.ref, normalise(phantom(3, 32, 7)[1:2, None])[0])
    edit(pair, 1, wanted)
    assert made == [(7, (32, 32), 3, 240.0), (980_000, (32, 32), 3, 240.0)]
    torch.testing.assert_close(edit(pair, 2, wanted, other=other).ref, other.ref[2:])
    with pytest.raises(dl.InputError, match="other: found 3 slices of 40 x 40"):
        edit(pair, 0, wanted, other=pair_of(40))


def test_a_simulated_head_has_few_slices_and_a_field_of_view_that_can_be_made(monkeypatch):
    """Of 40 slices of 256 x 256 it took 10 s and 1.6 GB, and a field of view of 80 mm was refused."""
    made = []

    def simulated(seed, shape, slices, field_of_view):
        made.append((slices, field_of_view))
        height = torch.arange(1.0, slices + 1)[:, None, None]
        return height * (1 + torch.eye(shape[0]))  # its darkest pixel says which slice it is

    monkeypatch.setattr("dcamsr_lite.interpret.interventions.simulated_reference", simulated)

    def taken(slices: int, index: int, view: tuple | None = None) -> int:
        one = pair_of(16, 1, view)
        return int(interventions._other(one, index, slices, None).min()) - 1

    for slices in (1, 2, 17, 18):
        assert [taken(slices, index) for index in range(slices)] == [*range(slices)]
    assert {slices for slices, _ in made} == {1, 2, 17, 18}
    assert [taken(160, index) for index in (0, 79, 80, 159)] == [0, 8, 9, 17]
    assert made[-1] == (18, 240.0)
    views = {(80, 80): 100, (80, 150): 150, (240, 240): 240, (0.5, 2e4): 1000}
    for view, expected in views.items():
        taken(1, 0, view)
        assert made[-1] == (1, expected)


@pytest.mark.slow
def test_a_pair_with_a_tiny_field_of_view_has_another_subject():
    pair = pair_of(16, 1, view=(80, 80))
    assert edit(pair, 0, Intervention("other")).ref.isfinite().all()


@pytest.mark.slow
def test_the_other_subject_is_another_head():
    from dcamsr_lite.phantom.subjects import DEMO_SEED, OTHER_SEED, simulated_reference

    first, second = (simulated_reference(seed, (24, 30), 1) for seed in (OTHER_SEED, DEMO_SEED))
    assert first.shape == (1, 24, 30) and not torch.allclose(first, second, atol=0.05)


def test_without_a_target_nothing_of_it_can_be_tried():
    pair = dl.load_input(phantom(1, 32), phantom(1, 8), 4)
    for intervention in (IN_TARGET, Intervention("target")):
        with pytest.raises(dl.InputError, match="no target"):
            edit(pair, 0, intervention)
    result = run_intervention(network(), pair, 0, Intervention("blank"))
    assert result.psnr is None and result.row()["error_measured"] is None


# --- what comes out -------------------------------------------------------------------------------


def with_a_blank_slice() -> dl.Pair:
    t1, t2 = phantom(2, 32, 1), 900 * phantom(2, 32, 2)
    t2[0] = 0
    return dl.load_pair(t1, t2, 4)


def test_against_a_blank_target_nothing_is_measured():
    model, pair = network(), with_a_blank_slice()
    base = run_intervention(model, pair, 0)
    for wanted in (Intervention(), Intervention("blank"), Intervention("target"), IN_TARGET):
        for result in (
            run_intervention(model, pair, 0, wanted),
            run_intervention(model, pair, 0, wanted, base=base),
        ):
            assert not result.target.any() and bool(result.output.isfinite().all())
            scores = [result.row()[name] for name in result.row() if name != "tried"]
            assert scores == [None] * 5
    assert run_intervention(model, pair, 1, Intervention("blank")).psnr > 0


@pytest.mark.slow
def test_explorers_show_a_blank_slice_without_numbers(monkeypatch):
    made = "dcamsr_lite.interpret.interventions.simulated_reference"
    monkeypatch.setattr(made, lambda seed, shape, slices, view: phantom(slices, max(shape), seed))
    model, pair = network(), with_a_blank_slice()
    lab = dl.intervention_lab(model, pair, slice=0)
    assert sorted(lab.images) == ["low", "output", "reference", "target"]
    assert {row["psnr_db"] for row in lab.run_standard()} == {None}
    explorer = dl.explore(model, pair, slice=0)
    assert explorer.info["quality"] is None
    for shown in (lab, explorer):
        assert shown.png()[:4] == b"\x89PNG"
        shown.save_html("blank.html")
    assert len(overview(model, pair, 0).axes) > 12


def test_run_is_the_network_on_what_was_asked_for():
    model, pair = network().train(), pair_of()
    hooks = sum(len(m._forward_hooks) for m in model.modules())
    cuts = (Cut("spatial", "uniform", levels=(1, 4)), Cut("channel", "off", heads=(0, 5)))
    blind = Intervention("blank", cuts=cuts)
    result = run_intervention(model, pair, 1, blind)
    assert model.training and sum(len(m._forward_hooks) for m in model.modules()) == hooks
    model.eval()
    with torch.inference_mode():
        with (
            dl.intervene(model, spatial="uniform", levels=[1, 4]),
            dl.intervene(model, channel="off", heads=[0, 5]),
        ):
            sr = model(pair.lr[1:2], 0 * pair.ref[1:2])
        alone = model(pair.lr[1:2], pair.ref[1:2])
    output, plain = (x * pair.std[1] + pair.mean[1] for x in (sr, alone))
    torch.testing.assert_close(result.output, output[0, 0])
    target = pair.target_image[1:2]
    assert result.psnr == pytest.approx(dl.psnr(target, output[0]))
    assert result.change == pytest.approx(dl.psnr(target, output[0]) - dl.psnr(target, plain[0]))
    energy = float(target.square().sum())
    error = float((output[0] - target).square().sum()) / energy
    assert sum(result.bands.values()) == pytest.approx(error, rel=1e-4)


@torch.inference_mode()
def test_cuts_that_meet_and_cuts_that_complete_each_other():
    model, pair = network(), pair_of()
    inputs = pair.lr[:1], pair.ref[:1]

    def cutted(*cuts):
        with cut(model, cuts):
            return model(*inputs)

    with dl.intervene(model, spatial="off"):
        whole = model(*inputs)
    halves = [Cut("spatial", "off", heads=heads) for heads in ((0, 1, 2, 3), (4, 5, 6, 7))]
    assert torch.equal(cutted(*halves), whole)  # with its bias, as if cut at once
    assert torch.equal(cutted(Cut("spatial", "uniform"), Cut("spatial", "off")), whole)
    assert torch.equal(cutted(Cut("spatial", "off"), Cut("spatial", "on")), model(*inputs))


@torch.inference_mode()
def test_a_failing_run_leaves_the_network_as_it_was(monkeypatch):
    model, pair = network(), pair_of()
    before = model(pair.lr[:1], pair.ref[:1])
    cuts = (Cut("spatial", "uniform"), Cut("channel", "off", levels=(2,)))
    monkeypatch.setattr("dcamsr_lite.interpret.interventions.run_network", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        run_intervention(model, pair, 0, Intervention(cuts=cuts), base=run_intervention)
    with (
        pytest.raises(ValueError, match="levels"),
        cut(model, (*cuts, Cut("spatial", "off", (3,)))),
    ):
        pass
    assert model.fused and torch.equal(model(pair.lr[:1], pair.ref[:1]), before)


# --- words and values -----------------------------------------------------------------------------


def test_an_intervention_survives_json_and_says_what_it_is():
    whole = Intervention(
        "noise",
        seed=4,
        shift=(-1.5, 2),
        rotate=-3,
        blur=0.5,
        lesions=(Lesion("target", 3, 4, remove=True),),
        cuts=(Cut("spatial", "off", levels=(1, 2), heads=(7,)),),
    )
    assert Intervention.from_dict(json.loads(json.dumps(whole.as_dict()))) == whole
    assert str(whole) == (
        "reference replaced by noise, shifted 1.5 px up and 2 px right, turned by -3 degrees,"
        " blurred by 0.5 px; disc removed from the target at row 3, column 4, radius 4 px;"
        " spatial attention off at levels 1, 2 in head 7"
    )


@pytest.mark.parametrize(
    ("given", "word"),
    [
        ({"reference": "mine"}, "reference: found 'mine'; expected one of own, blank"),
        ({"shift": [1]}, "shift"),
        ({"shift": [1, float("nan")]}, "shift"),
        ({"rotate": "5"}, "rotate"),
        ({"blur": -1}, "blur"),
        ({"seed": -1}, "seed"),
        ({"colour": 1}, "intervention"),
        ({"cuts": [{"branch": "spatial"}]}, "state"),
        ({"cuts": [{"branch": "spatial", "state": "cut"}]}, "state: found 'cut'"),
        ({"cuts": [{"branch": "spatial", "state": "off", "heads": []}]}, "heads"),
        ({"cuts": [{"branch": "spatial", "state": "off", "levels": [True]}]}, "levels"),
        ({"cuts": {"branch": "spatial"}}, "cuts"),
        ({"lesions": [{"image": "both", "row": 1, "column": 1}]}, "image"),
        ({"lesions": [{"image": "target", "row": 1, "column": 1, "radius": 0}]}, "radius"),
        ([], "intervention"),
    ],
)
def test_what_is_no_intervention_says_what_was_expected(given, word):
    with pytest.raises(dl.InputError, match=word):
        Intervention.from_dict(given)


def test_a_disc_outside_of_the_image_cannot_be_removed():
    wrong = Intervention(lesions=(Lesion("target", 500, 500, remove=True),))
    with pytest.raises(dl.InputError, match="a place in the image"):
        edit(pair_of(), 0, wrong)
    with pytest.raises(dl.InputError, match="slice: found 3"):
        edit(pair_of(), 3, Intervention())
