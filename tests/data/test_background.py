"""Backgrounds that do not lie at zero: offsets are found, noise and undershoot are left alone."""

import pytest
import torch
from helpers import phantom

import dcamsr_lite as dl
from dcamsr_lite import kspace as ks
from dcamsr_lite.data.background import find_offsets
from dcamsr_lite.data.pairs import load_pair


def resample(images: torch.Tensor, kept: int, size: int) -> torch.Tensor:
    """As scanners interpolate: more zeros around the middle of k-space; undershoots beside edges."""
    middle = ks.center_crop(ks.fft2c(images), (kept, kept))
    return ks.ifft2c(ks.center_pad(middle, (size, size))).real


def add_noise(images: torch.Tensor, deviation: float, coils: int) -> torch.Tensor:
    """Root sum of squares of coils with complex noise: its background lies above zero."""
    generator = torch.Generator().manual_seed(0)
    noise = deviation * torch.randn(2, coils, *images.shape, generator=generator)
    return ((images / coils**0.5 + noise[0]).square() + noise[1].square()).sum(0).sqrt()


HEADS = {
    "constant": phantom(3, 64, 2),
    "one coil": add_noise(phantom(3, 64, 2), 0.02, 1),
    "four coils": add_noise(phantom(3, 64, 2), 0.02, 4),
}


@pytest.mark.parametrize(
    ("name", "share"),
    [
        ("constant", -0.002),
        ("constant", -0.005),
        ("constant", -0.009),
        ("constant", -0.04),
        ("one coil", -0.009),
        ("one coil", -0.025),
        ("one coil", -0.05),
        ("four coils", -0.04),
        ("four coils", -0.06),
    ],
)
def test_small_offsets_are_found_in_any_background(name, share, capsys):
    """-4 % of the head of seed 3 cost 0.806 to 0.488 of SSIM, -0.9 % of a constant 0.434 to 0.110."""
    t2 = HEADS[name]
    high, floor = float(t2.max()), float(t2.min())
    pair = load_pair(phantom(3, 64, 1), t2 + share * high, 4)
    assert "an offset" in capsys.readouterr().err
    offset = pair.offset.flatten()
    assert offset.min() == offset.max() == pytest.approx(share * high + floor, abs=0.006 * high)
    torch.testing.assert_close(pair.restore(pair.target), t2 + share * high, atol=1e-4, rtol=0)
    plain = dl.evaluate("zero-fill", load_pair(phantom(3, 64, 1), t2, 4))
    found = dl.evaluate("zero-fill", pair)
    assert found["psnr"] == pytest.approx(plain["psnr"], abs=0.6)
    assert found["ssim"] == pytest.approx(plain["ssim"], abs=0.05)


@pytest.mark.parametrize("name", HEADS)
def test_an_offset_of_one_slice_is_taken_from_that_slice(name):
    """-5 % in one of three slices: 0.806 to 0.653 of SSIM."""
    t1, t2 = phantom(3, 64, 1), HEADS[name].clone()
    plain = dl.evaluate("zero-fill", load_pair(t1, t2, 4))["ssim"]
    t2[1] -= 0.05 * t2.max()
    pair = load_pair(t1, t2, 4)
    assert [bool(level) for level in pair.offset.flatten()] == [False, True, False]
    assert "in 1 of 3 slices" in pair.notes[0]
    assert dl.evaluate("zero-fill", pair)["ssim"] == pytest.approx(plain, abs=0.03)
    assert torch.equal(pair.take_slice(0).low, pair.low[:1])


@pytest.mark.parametrize("name", HEADS)
@pytest.mark.parametrize("kept", [20, 40, 64])
def test_undershoot_in_any_background_is_no_offset(name, kept):
    smooth = resample(HEADS[name], kept, 96)
    assert not find_offsets(smooth).any() and not find_offsets(HEADS[name]).any()
    if name == "constant":
        assert float(smooth.min()) < -0.005
        levels = find_offsets(smooth - 0.03).flatten().tolist()
        assert levels == pytest.approx([-0.03] * 3, abs=0.012)


def test_a_background_far_above_zero_is_said():
    t1, t2 = phantom(3, 64, 1), HEADS["one coil"]
    for raised in (phantom(3, 64, 2) + 0.05, t2 + 0.3, t2 + 1, t2 + 100):
        for pair in (load_pair(t1, raised, 4), load_pair(raised, t1, 4)):
            assert len(pair.notes) == 1 and "makes the metrics better" in pair.notes[0]


@pytest.mark.parametrize("coils", [1, 4, 16, 64])
def test_the_floor_of_noise_is_no_offset(coils):
    for deviation in (0.005, 0.02, 0.05):
        noisy = add_noise(phantom(3, 64, 2), deviation, coils)
        cut = noisy[:, 22:42, 22:42]  # no air, and values far above zero
        for volume in (noisy, resample(noisy, 64, 96), cut, cut + 0.3):
            assert load_pair(volume, volume, 2).notes == ()
