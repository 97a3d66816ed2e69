"""The paper's convention, and what the floors really compute."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import dcamsr_lite as dl
from dcamsr_lite.data.pairs import load_pair
from dcamsr_lite.evaluation import METHODS, bicubic
from dcamsr_lite.kspace import rss
from dcamsr_lite.metrics import (
    band_error,
    ceiling_from_repetitions,
    has_signal,
    nmse,
    noise_ceiling,
    psnr,
    score,
    sigma_from_repetitions,
    ssim,
)


@given(st.floats(1e-3, 0.5), st.floats(0.1, 1e4))
def test_psnr_of_a_constant_error_in_any_unit(error, peak):
    target = torch.linspace(0, 1, 128).reshape(2, 8, 8) * peak
    assert psnr(target, target + error * peak) == pytest.approx(-20 * np.log10(error), abs=1e-3)


def test_the_peak_and_the_mean_are_the_volumes_not_the_slices():
    target = torch.stack([torch.full((8, 8), 1.0), torch.full((8, 8), 4.0)])
    image = target.clone()
    image[0] += 1
    assert psnr(target, image) == pytest.approx(10 * np.log10(16 / 0.5))
    assert nmse(target, image) == pytest.approx(64 / (64 + 64 * 16))


def test_ssim_is_the_mean_over_slices_with_the_volumes_range():
    from skimage.metrics import structural_similarity

    rng = np.random.default_rng(0)
    target, image = rng.random((2, 3, 16, 16))
    target[0] *= 5
    each = [
        structural_similarity(a, b, win_size=7, data_range=target.max())
        for a, b in zip(target, image, strict=True)
    ]
    assert ssim(torch.tensor(target), torch.tensor(image)) == pytest.approx(np.mean(each))


@given(st.integers(0, 99), st.sampled_from([2, 4]), st.integers(8, 17), st.integers(8, 17))
def test_the_bands_add_up_to_the_nmse(seed, scale, rows, columns):
    generator = torch.Generator().manual_seed(seed)
    target, image = torch.rand(2, 2, rows, columns, generator=generator)
    bands = band_error(target, image, scale)
    assert bands["measured"] + bands["removed"] == pytest.approx(nmse(target, image), rel=1e-6)


def test_arrays_are_measured_as_tensors_are():
    target, image = torch.rand(2, 2, 16, 16, generator=torch.Generator().manual_seed(0))
    mirrored, swapped = target.numpy()[:, ::-1], image.flip(-2).numpy().astype(">f4")
    mirrored.flags.writeable = False
    expected = score(target.flip(-2), image.flip(-2), 4)
    found = score(mirrored, swapped, 4)
    for name in ("psnr", "ssim", "nmse", "error_by_band"):
        assert found[name] == pytest.approx(expected[name], rel=1e-5)
    assert psnr(target.numpy(), image) == pytest.approx(psnr(target, image.numpy()))
    ceiling = ceiling_from_repetitions(target.numpy(), image.numpy(), 4)
    assert ceiling == pytest.approx(ceiling_from_repetitions(target, image, 4))


@pytest.mark.parametrize("measure", [psnr, nmse, ssim])
def test_a_blank_target_is_refused(measure):
    blank, image = torch.zeros(1, 16, 16), torch.rand(1, 16, 16)
    for target in (blank, blank.numpy()):
        with pytest.raises(dl.InputError, match="target: found no signal"):
            measure(target, image)
    for with_scale in (band_error, score):
        with pytest.raises(dl.InputError, match="target: found no signal"):
            with_scale(blank, image, 2)


def test_zero_fill_of_a_magnitude_image_errs_only_where_nothing_was_measured():
    image = 3 + torch.rand(1, 32, 32)  # so bright that the magnitude changes nothing
    pair = load_pair(image, image, scale=2)
    bands = band_error(pair.target_image, METHODS["zero-fill"](pair), 2)
    assert bands["measured"] < 0.02 * bands["removed"]


def test_bicubic_is_where_the_target_is():
    """A half-pixel slip of the grid would move a blob by (scale - 1) / 2 pixels."""
    rows = torch.arange(40.0).sub(17).square()
    blob = torch.exp(-(rows[:, None] + rows[None]) / 60)[None]
    for size in (40, 37):
        target = blob[:, :size, :size]
        for scale in (2, 4):
            image = bicubic(load_pair(target, target, scale))
            assert image.shape == target.shape
            centre = (image[0].sum(1) * torch.arange(float(size))).sum() / image.sum()
            assert centre.item() == pytest.approx(17, abs=0.1)


def test_the_noise_ceiling_is_the_designs():
    """M4Raw's repetitions differ by 28.2 to 29.5 dB: ceilings near 33 to 34 dB and 31.6 to 32.8 dB."""
    for between, low, high in ((28.17, 32.9, 31.5), (29.45, 34.2, 32.9)):
        sigma = 10 ** (-between / 20) / 2**0.5
        assert noise_ceiling(1, sigma, 0.33) == pytest.approx(low, abs=0.1)
        assert noise_ceiling(1, sigma, 0.08) == pytest.approx(high, abs=0.1)


def test_the_noise_ceiling_is_reached_by_knowing_all_but_the_removed_noise():
    """Simulated: the true image plus the noise inside the crop scores what the formula says."""
    from dcamsr_lite.kspace import center_pad, crop_kspace, fft2c, ifft2c

    generator = torch.Generator().manual_seed(0)
    truth = torch.rand(4, 64, 64, generator=generator)
    truth /= truth.max()
    noise = 0.03 * torch.randn(4, 64, 64, generator=generator)
    known = ifft2c(center_pad(crop_kspace(fft2c(noise), 2), (64, 64))).real
    peak = (truth + noise).max().item()
    assert psnr(truth + noise, truth + known) == pytest.approx(
        noise_ceiling(peak, 0.03, kept=0.25), abs=0.1
    )


def test_evaluate_reports_what_the_contract_names(images):
    head = np.random.default_rng(0).random((2, 32, 32), np.float32)
    model = dl.DCAMSR(scale=4, image_size=32)
    result = dl.evaluate([(head, head), (head, 2 * head)], scale=4, model=model)
    names = "method variant scale volumes psnr ssim nmse per_volume convention"
    assert list(result) == names.split()
    assert (result["method"], result["variant"], result["volumes"]) == ("dcamsr", "corrected", 2)
    mean = np.mean([volume["psnr"] for volume in result["per_volume"]])
    assert result["psnr"] == pytest.approx(mean)
    with pytest.raises(dl.InputError, match="zero-fill"):
        dl.evaluate([(head, head)], scale=4, method="magic")
    with pytest.raises(dl.InputError, match="a network for 4x; expected one for the asked 2x"):
        dl.evaluate([(head, head)], scale=2, model=model)


def test_evaluate_refuses_what_it_cannot_score():
    head, low = torch.rand(1, 32, 32), torch.rand(1, 8, 8)
    for pairs, words in (
        ([dl.load_pair(head, head, 2)], "pair: found one for 2x; expected one for the asked 4x"),
        ([dl.load_input(head, low, 4)], "pair: found no target"),
        ([], "pairs: found none"),
        (iter(()), "pairs: found none"),
    ):
        with pytest.raises(dl.InputError, match=words):
            dl.evaluate(pairs, scale=4, method="zero-fill")


@pytest.mark.parametrize("variant", ["paper", "released"])
def test_super_resolve_says_which_matrix_a_fixed_network_takes(variant):
    model = dl.DCAMSR(scale=4, image_size=32, variant=variant).train()
    pair = dl.load_pair(torch.rand(1, 40, 40), torch.rand(1, 40, 40), 4)
    with pytest.raises(dl.InputError, match="fixed to a 32 x 32 grid and was given 40 x 40"):
        dl.super_resolve(model, pair)
    assert model.training


def test_a_super_resolved_volume_is_an_ordinary_tensor():
    pair = dl.load_pair(torch.rand(1, 32, 32), torch.rand(1, 32, 32), 4)
    image = dl.super_resolve(dl.DCAMSR(scale=4, image_size=32), pair)
    assert not image.is_inference() and not image.requires_grad
    image.clamp_(0, 1)
    (image * torch.ones(1, requires_grad=True)).sum().backward()


def test_super_resolve_gives_the_targets_units_back(images):
    head = torch.rand(2, 30, 36)
    model = dl.DCAMSR(scale=4, image_size=32)
    torch.nn.init.zeros_(model.last.weight)
    torch.nn.init.zeros_(model.last.bias)
    model.train()
    small, large = (
        dl.super_resolve(model, dl.load_pair(head, unit * head, 4)) for unit in (1, 1000)
    )
    assert small.shape == head.shape
    torch.testing.assert_close(1000 * small, large, atol=0.5, rtol=1e-4)
    assert model.training


PAIRWISE = {
    "psnr": psnr,
    "nmse": nmse,
    "ssim": ssim,
    "band_error": lambda a, b: band_error(a, b, 4)["removed"],
    "score": lambda a, b: score(a, b, 4)["psnr"],
    "sigma": sigma_from_repetitions,
    "ceiling": lambda a, b: ceiling_from_repetitions(a, b, 4),
}


@pytest.mark.parametrize("name", PAIRWISE)
def test_unlike_shapes_are_refused_not_broadcast(name):
    """(S, H, W) against (S, 1, H, W) compared every slice with every other one: 19.8 for 27.3 dB."""
    target = torch.rand(3, 16, 16)
    image = target + 0.04 * torch.randn(3, 16, 16)
    measure = PAIRWISE[name]
    for one, other in ((image[:, None], target), (image[:1], target), (target[0, :1], image[0])):
        for kind in (torch.as_tensor, np.asarray):
            with pytest.raises(dl.InputError, match=r"found \(.*\) beside .* \(.*one shape"):
                measure(kind(other), kind(one))


@pytest.mark.parametrize("name", PAIRWISE)
def test_whole_numbers_do_not_wrap(name):
    generator = torch.Generator().manual_seed(0)
    dark, bright = torch.randint(1, 100, (2, 2, 16, 16), generator=generator)
    bright = 127 - bright  # differences of both signs, squares above 255
    expected = PAIRWISE[name](dark.double(), bright.double())
    for kind in (torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64):
        one, other = dark.to(kind), bright.to(kind)
        assert PAIRWISE[name](one, other) == pytest.approx(expected, rel=1e-6)
        assert PAIRWISE[name](one.numpy(), other.numpy()) == pytest.approx(expected, rel=1e-6)
        assert PAIRWISE[name](one, other.double()) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("name", PAIRWISE)
def test_half_precision_and_gradients_are_measured_everywhere(name):
    target, image = torch.rand(2, 2, 16, 16, generator=torch.Generator().manual_seed(0))
    for kind in (torch.bfloat16, torch.float16):
        one, other = target.to(kind), image.to(kind)
        assert PAIRWISE[name](one, other) == PAIRWISE[name](one.double(), other.double())
    expected = PAIRWISE[name](target, image)
    assert PAIRWISE[name](target, image.clone().requires_grad_()) == expected
    assert PAIRWISE[name](target.clone().requires_grad_(), image) == expected


@pytest.mark.parametrize("name", PAIRWISE)
def test_complex_and_masked_values_are_refused(name):
    target = np.random.default_rng(0).random((1, 16, 16))
    masked = np.ma.masked_less(target, 0.2)
    for wrong, words in ((target + 1j * target, "complex values"), (masked, "masked values")):
        with pytest.raises(dl.InputError, match=f"found {words}"):
            PAIRWISE[name](target, wrong)
    with pytest.raises(dl.InputError, match="found complex values"):
        PAIRWISE[name](torch.tensor(target), torch.tensor(target + 0j))


def test_ssim_of_one_image_is_that_of_one_slice():
    """It was that of every row, a signal of one dimension."""
    target, image = torch.rand(2, 1, 16, 16, generator=torch.Generator().manual_seed(0))
    assert ssim(target[0], image[0]) == ssim(target, image) == ssim(target[None], image[None])
    with pytest.raises(dl.InputError, match=r"target: found \(6, 16\) pixels; expected 7 x 7"):
        ssim(target[:, :6], image[:, :6])


def test_whole_numbers_are_combined_as_numbers():
    coils = torch.tensor([[[200]], [[150]]])
    for kind in (torch.uint8, torch.int16):
        assert rss(coils.to(kind)).item() == 250


NAN, INF = float("nan"), float("inf")
MEASURES = {
    "psnr": psnr,
    "nmse": nmse,
    "ssim": ssim,
    "band_error": lambda a, b: band_error(a, b, 4),
    "score": lambda a, b: score(a, b, 4),
    "sigma": sigma_from_repetitions,
    "ceiling": lambda a, b: ceiling_from_repetitions(a, b, 4),
    "has_signal": lambda a, b: (has_signal(a), has_signal(b)),
}


@pytest.mark.parametrize("measure", MEASURES.values(), ids=MEASURES)
@pytest.mark.parametrize("as_array", [False, True])
def test_values_that_are_no_numbers_are_named_by_every_measure(measure, as_array):
    sound = torch.rand(2, 16, 16, generator=torch.Generator().manual_seed(0))
    for value, words in ((NAN, "NaN in 2 of 512"), (INF, "infinity in 2"), (-INF, "infinity in 2")):
        bad = sound.double()
        bad[1, 3, 4:6] = value
        for two in ((sound, bad), (bad, sound), (bad, bad)):
            with pytest.raises(dl.InputError, match=words):
                measure(*(x.numpy() if as_array else x for x in two))
    for shape in ((0, 16, 16), (2, 0, 16), (0,)):
        empty = torch.zeros(shape)
        with pytest.raises(dl.InputError, match="an empty array"):
            measure(*(x.numpy() if as_array else x for x in (empty, empty)))
    with pytest.raises(dl.InputError, match=r"values up to 1e\+200"):
        measure(sound, sound.double() * 0 + 1e200)
    for nothing in ("image", {"a": 1}):
        with pytest.raises(dl.InputError, match="expected an array of real numbers"):
            measure(nothing, sound)


def test_sparse_and_lazy_tensors_are_measured_as_others_are():
    target = torch.rand(2, 16, 16, generator=torch.Generator().manual_seed(0))
    assert psnr(target.to_sparse(), torch._neg_view(-target / 2)) == psnr(target, target / 2)
    with pytest.raises(dl.InputError, match="target: found a maximum of 1e-200"):
        psnr(target.double() * 0 + 1e-200, target)


def test_scales_that_do_not_fit_are_named():
    target, image = torch.rand(2, 2, 16, 12, generator=torch.Generator().manual_seed(0))
    assert band_error(target, image, np.int64(4)) == band_error(target, image, 4)
    assert band_error(target, image, 1)["removed"] == 0
    for scale in (0, 13, -1, 2.5, "4", None, True, NAN):
        for measure in (band_error, score):
            with pytest.raises(
                dl.InputError, match="scale: found .*; expected a whole number from 1"
            ):
                measure(target, image, scale)
    for scale in (0, 1, 33, 2.5, "4"):
        with pytest.raises(dl.InputError, match="scale: found .*; expected a whole number from 2"):
            ceiling_from_repetitions(target, image, scale)
    for measure in (ssim, lambda a, b: band_error(a, b, 2)):
        with pytest.raises(dl.InputError, match="expected rows and columns"):
            measure(target[0, 0], image[0, 0])


def test_without_noise_there_is_no_ceiling_and_what_is_no_share_is_named():
    target = torch.rand(2, 16, 16, generator=torch.Generator().manual_seed(0))
    assert ceiling_from_repetitions(target, target, 4) == noise_ceiling(1, 0, 0.1) == INF
    assert noise_ceiling(1, 0.1, 1) == INF
    assert noise_ceiling(torch.tensor(1.0), np.float32(0.25), 0) == pytest.approx(12.04, abs=0.01)
    for numbers, name in (
        ((0, 0.1, 0.1), "peak"),
        ((NAN, 0.1, 0.1), "peak"),
        ((1, -0.1, 0.1), "sigma"),
        ((1, INF, 0.1), "sigma"),
        ((1, 0.1, 1.31), "kept"),
        ((1, 0.1, "0.1"), "kept"),
    ):
        with pytest.raises(dl.InputError, match=f"{name}: found"):
            noise_ceiling(*numbers)
    for acquired in (0, 0.05, 1.5, NAN):
        with pytest.raises(dl.InputError, match="acquired: found"):
            ceiling_from_repetitions(target, target.flip(0), 4, acquired)
    with pytest.raises(dl.InputError, match="first: found a maximum of 0"):
        ceiling_from_repetitions(0 * target, target, 4)
    with pytest.raises(dl.InputError, match="first: found a single value"):
        sigma_from_repetitions(target[0, 0, 0], target[0, 0, 0])
