"""A slice with nothing in it comes back as it is measured, in any unit: no ghost of the reference."""

import numpy as np
import pytest
import torch
from helpers import awake, coil_kspace, phantom

import dcamsr_lite as dl
from dcamsr_lite import kspace as ks
from dcamsr_lite.data.augmentation import vary
from dcamsr_lite.data.normalisation import find_contrast, normalise
from dcamsr_lite.data.pairs import load_input, load_pair
from dcamsr_lite.metrics import nmse, psnr
from dcamsr_lite.training.dataset import cut_slices

UNITS = (1e-4, 1e6)  # fastMRI's, and some scanner's


@pytest.fixture(scope="module")
def network():
    return awake(dl.DCAMSR(image_size=32, channels=8, heads=2, tokens=16))


def volumes(empty: str, size: int = 32) -> tuple[torch.Tensor, torch.Tensor]:
    """Three slices of two contrasts, the first of them without contrast in one or both."""
    t1, t2 = phantom(3, size, 1), phantom(3, size, 2)
    if empty in ("both", "reference"):
        t1[0] = 0
    if empty in ("both", "target"):
        t2[0] = 0
    if empty == "constant":
        t1[0], t2[0] = 0.3, 0.2
    return t1, t2


@pytest.mark.parametrize("units", UNITS)
@pytest.mark.parametrize("normalisation", ["clean", "released"])
@pytest.mark.parametrize("empty", ["both", "target", "constant"])
def test_what_has_no_contrast_comes_back_zero_filled(network, empty, normalisation, units):
    t1, t2 = (units * x for x in volumes(empty))
    pair = load_pair(t1, t2, 4, normalisation=normalisation)
    sr = dl.super_resolve(network, pair)
    torch.testing.assert_close(sr[0], pair.zero_filled[0], atol=1e-6 * units, rtol=1e-5)
    torch.testing.assert_close(sr[0], t2[0], atol=1e-6 * units, rtol=1e-5)
    assert (sr[1] - pair.zero_filled[1]).abs().max() > 0.01 * units  # the others are super-resolved
    without = load_pair(t1[1:], t2[1:], 4, normalisation=normalisation)
    torch.testing.assert_close(
        sr[1:], dl.super_resolve(network, without), atol=1e-5 * units, rtol=0
    )
    for name in ("lr", "target"):
        assert not getattr(pair, name)[0].any()
    assert bool(torch.isfinite(pair.ref).all())


@pytest.mark.parametrize("normalisation", ["clean", "released"])
def test_zero_padding_gives_a_constant_slice_no_contrast(network, normalisation):
    pair = load_pair(*volumes("constant", 30), 4, normalisation=normalisation)
    sr = dl.super_resolve(network, pair)
    assert torch.equal(sr[0], pair.zero_filled[0])
    assert not pair.ref[0].any() and pair.ref[1].any()


@pytest.mark.parametrize("units", UNITS)
def test_a_reference_without_contrast_is_blank_to_the_network(network, units):
    t1, t2 = (units * x for x in volumes("reference"))
    pair = load_pair(t1, t2, 4)
    blank = pair.take_slice(0).with_reference(torch.zeros(1, 32, 32))
    assert not pair.ref[0].any() and torch.equal(pair.ref[:1], blank.ref)
    sr = dl.super_resolve(network, pair)
    assert torch.equal(sr[:1], dl.super_resolve(network, blank))
    assert (sr[0] - pair.zero_filled[0]).abs().max() > 0.01 * units  # super-resolved all the same


@pytest.mark.parametrize("units", UNITS)
def test_rounding_of_a_fourier_transform_is_no_contrast(network, units):
    """A stack that went through a 3-D transform: its blank slice holds 1e-8 of the others."""
    t1, t2 = volumes("both")
    axes = (0, 1, 2)
    t1, t2 = (torch.fft.ifftn(torch.fft.fftn(x, dim=axes), dim=axes).abs() for x in (t1, t2))
    assert 0 < float(t1[0].max()) < 1e-6
    pair = load_pair(units * t1, units * t2, 4)
    assert not pair.lr[0].any() and not pair.ref[0].any()
    for value in (0.1, 1 / 3, 0.7):
        flat = torch.full((2, 96, 96), value * units)
        for scale in (2, 3, 4):
            assert not find_contrast(ks.degrade(flat, scale)).any()
    faint = torch.stack([phantom(1)[0], 1e-4 * phantom(1)[0]])
    assert bool(find_contrast(faint * units).all())


def test_blank_slices_of_coils_and_of_a_low_image(network):
    kspace = coil_kspace(3, 32, 2)
    kspace[1] = 0
    pair = load_pair(coil_kspace(3, 32, 1), kspace, 4)
    assert torch.equal(dl.super_resolve(network, pair)[1], torch.zeros(32, 32))
    low = pair.low.clone()
    low[2] = 5.0
    found = load_input(phantom(3, 32, 1), low, 4)
    torch.testing.assert_close(dl.super_resolve(network, found)[2], torch.full((32, 32), 5.0))
    assert found.target is None and not found.lr[1:].any()


def test_one_pixel_of_low_resolution_has_no_contrast():
    pair = load_pair(phantom(2, 8, 1), phantom(2, 8, 2), 8)
    assert pair.low.shape[-2:] == (1, 1) and not pair.lr.any()
    assert torch.equal(pair.restore(torch.rand_like(pair.ref)), pair.zero_filled)


def test_a_single_bright_pixel_is_still_super_resolved(network):
    t1, t2 = volumes("target")
    t2[0, 13, 17] = 1
    pair = load_pair(t1, t2, 4)
    assert pair.lr[0].any() and bool(torch.isfinite(pair.lr).all())
    spike = t2.clone()
    spike[0, 13, 17] = 1e4  # brighter than any head: the others keep their contrast
    assert load_pair(t1, spike, 4).std.min() > 0


def test_explorers_and_interventions_keep_a_blank_slice_blank(network):
    pair = load_pair(*volumes("both"), 4)
    for wanted in (dl.Intervention(), dl.Intervention("noise"), dl.Intervention(shift=(1, 2))):
        assert not dl.run_intervention(network, pair, 0, wanted).output.any()
    shown = dl.explore_attribution(network, pair, slice=0)
    assert not np.frombuffer(shown.images["output"]["data"], np.float16).any()
    lesion = dl.Lesion("target", 16, 16)  # something to see: now it is super-resolved
    found = dl.run_intervention(network, pair, 1, dl.Intervention(lesions=(lesion,)))
    assert found.output.std() > 0


def test_scores_count_blank_slices_as_their_zero_fill(network):
    t1, t2 = (1e-4 * x for x in volumes("both"))
    with_blank = dl.evaluate(network, [(t1, t2)])
    pair = load_pair(t1[1:], t2[1:], 4)
    alone = dl.super_resolve(network, pair)
    assert with_blank["nmse"] == pytest.approx(nmse(t2[1:], alone), rel=1e-4)
    gained = 10 * np.log10(3 / 2)  # the same error over three slices
    assert with_blank["psnr"] == pytest.approx(psnr(t2[1:], alone) + gained, abs=1e-3)


def test_training_neither_sees_nor_is_scaled_by_slices_without_contrast():
    t1, t2 = phantom(3, 32, 1), phantom(3, 32, 2)
    t2[0] = 50.0
    lr, ref, target = cut_slices([(t1, t2)], scale=4, flip=False)
    assert len(lr) == 2 and float(target.abs().max()) < 20
    checker = torch.ones(1, 32, 32)
    checker[:, ::2, 1::2] = checker[:, 1::2, ::2] = -1.0  # contrast that no LR image has
    for seed in range(8):
        generator = torch.Generator().manual_seed(seed)
        varied = vary(torch.zeros(1, 8, 8), ref[0], checker, 4, ("mirror",), generator)
        assert max(float(image.abs().max()) for image in varied) < 100


def test_given_statistics_without_deviation_give_zeros():
    image, mean, std = normalise(torch.rand(1, 1, 8, 8), torch.tensor(0.5), torch.tensor(0.0))
    assert not image.any() and not std.any()


@pytest.mark.slow
@pytest.mark.parametrize("name", [*dl.weights()])
def test_the_shipped_networks_leave_no_ghost(name):
    """Before: -0.4 to 0.4 in absolute units; data of 1e-4 fell from 26.8 dB to -50.6 dB."""
    network = dl.load(name)
    t1, t2 = (1e-4 * phantom(2, 128, seed) for seed in (1, 2))
    t1[0] = t2[0] = 0
    pair = load_pair(t1, t2, network.config.scale)
    sr = dl.super_resolve(network, pair)
    assert not sr[0].any() and psnr(pair.target_image, sr) > 20
    spot = torch.zeros(1, 128, 128)  # a bright pixel: no more than 2 dB below zero-fill
    spot[0, 127, 5] = 1
    pair = load_pair(phantom(1, 128, 1), spot, network.config.scale)
    sr = dl.super_resolve(network, pair)
    assert psnr(spot, sr) > psnr(spot, pair.zero_filled) - 2
