"""Fourier pair, crops and degradation: round trips, energy, brightness, odd sizes."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from dcamsr_lite.kspace import (
    center_crop,
    center_pad,
    crop_kspace,
    degrade,
    fft2c,
    ifft2c,
    rss,
    zero_fill,
    zero_fill_image,
)

sides = st.integers(4, 33)
seeds = st.integers(0, 2**31)


def complex_image(seed: int, *shape: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, dtype=torch.complex128, generator=generator)


@given(sides, sides, seeds)
def test_the_fourier_pair_is_an_isometry_and_its_own_inverse(rows, columns, seed):
    image = complex_image(seed, rows, columns)
    kspace = fft2c(image)
    torch.testing.assert_close(ifft2c(kspace), image)
    torch.testing.assert_close(kspace.abs().square().sum(), image.abs().square().sum())


@given(sides, sides)
def test_the_zero_frequency_is_at_the_centre_for_even_and_odd_sizes(rows, columns):
    kspace = fft2c(torch.ones(rows, columns, dtype=torch.float64)).abs()
    assert kspace.flatten().argmax() == rows // 2 * columns + columns // 2
    assert kspace.sum() == pytest.approx((rows * columns) ** 0.5)


@given(sides, sides, st.sampled_from([2, 4]), seeds)
def test_cropping_keeps_the_zero_frequency_and_padding_undoes_it(rows, columns, scale, seed):
    kspace = complex_image(seed, rows, columns)
    cropped = crop_kspace(kspace, scale)
    height, width = cropped.shape
    assert (height, width) == (rows // scale, columns // scale)
    assert cropped[height // 2, width // 2] == kspace[rows // 2, columns // 2]
    torch.testing.assert_close(
        center_crop(center_pad(cropped, (rows, columns)), (height, width)), cropped
    )


@given(sides, sides, st.sampled_from([2, 4]), st.floats(0.1, 1e4))
def test_a_flat_image_keeps_its_brightness(rows, columns, scale, level):
    flat = torch.full((rows, columns), level, dtype=torch.float64)
    for order in ("coils", "image"):
        torch.testing.assert_close(degrade(flat, scale, order).mean(), torch.tensor(level).double())
    torch.testing.assert_close(zero_fill(flat, scale), flat)
    torch.testing.assert_close(zero_fill_image(degrade(flat, scale), (rows, columns)), flat)


def test_low_resolution_images_come_out_brighter_by_the_scale():
    """Fact 4: an orthonormal crop by s multiplies the image by about s."""
    image = torch.rand(64, 64) + 1
    for scale in (2, 4):
        bright = degrade(image, scale, restore_brightness=False)
        assert (bright.mean() / image.mean()).item() == pytest.approx(scale, rel=1e-3)
        assert (degrade(image, scale).mean() / image.mean()).item() == pytest.approx(1, rel=1e-3)


def test_coils_and_image_order_differ_on_a_coil_phantom_and_agree_on_one_coil():
    rows, columns = torch.meshgrid(torch.arange(64.0), torch.arange(64.0), indexing="ij")
    disc = ((rows - 32) ** 2 + (columns - 32) ** 2 < 400).float() * (1 + (rows % 8 > 3))
    phases = [torch.exp(1j * (k * rows + columns) / 12) for k in range(4)]
    gains = [
        torch.exp(-((rows - 64 * (k % 2)) ** 2 + (columns - 64 * (k // 2)) ** 2) / 3000)
        for k in range(4)
    ]
    coils = fft2c(torch.stack([disc * p * g for p, g in zip(phases, gains, strict=True)]))
    per_coil, per_image = degrade(coils, 4, "coils"), degrade(coils, 4, "image")
    assert ((per_coil - per_image).norm() / per_image.norm()).item() > 0.02
    real = rss(ifft2c(coils))
    torch.testing.assert_close(degrade(real, 4, "image"), per_image)
    torch.testing.assert_close(degrade(real, 4, "coils"), per_image)


@given(st.sampled_from([8, 16, 32]), st.sampled_from([2, 4]), seeds)
def test_zero_fill_restores_exactly_what_was_measured(side, scale, seed):
    kspace = fft2c(complex_image(seed, 1, side, side))
    kept = center_pad(crop_kspace(kspace, scale), (side, side))
    torch.testing.assert_close(zero_fill(kspace, scale), ifft2c(kept).abs()[0])


@pytest.mark.parametrize(
    ("call", "word"),
    [
        (lambda: center_crop(torch.ones(4, 4), (5, 4)), "cannot cut 5 x 4 out of 4 x 4"),
        (lambda: center_pad(torch.ones(4, 4), (3, 4)), "does not fit"),
        (lambda: crop_kspace(torch.ones(4, 4), 8), "scale 8"),
        (lambda: degrade(torch.ones(8, 8), 2, order="coil"), "expected one of"),
        (lambda: degrade(torch.ones(8, 8) + 0j, 2), r"expected \(..., coil, h, w\)"),
    ],
)
def test_errors_say_what_was_expected(call, word):
    with pytest.raises(ValueError, match=word):
        call()
