"""Exercises on k-space: the centred transform, the crop, brightness, noise and ringing.

>>> sorted(EXERCISES)
['crop', 'fft2c', 'low_resolution', 'noise']
"""

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.fft import fft2, fftshift, ifftshift

from ... import kspace as ks
from ..exercise import Exercise, pick

PLANE = (-2, -1)
SCALES = {6: 2, 9: 3, 12: 2, 16: 4}  # of the input's size: all divide it


# One image without a slice axis, and sides that differ, even and odd.
SHAPES = {6: (2, 6, 6), 9: (9, 7), 12: (2, 12, 10), 16: (3, 16, 20)}


def _complex(random, size: int) -> tuple[Tensor, int]:
    """Cropped by 2 or 4: an odd piece out of an even side, an even one out of an odd side."""
    shape = SHAPES[size]
    return torch.complex(random(*shape), random(*shape)), 4 if size == 16 else 2


def _image(random, size: int) -> tuple[Tensor, int]:
    scale = SCALES[size]
    return random(pick(size, 2, 4, 3, 5), size, size + scale).abs(), scale


def _cut(x: Tensor, scale: int, start, size=lambda m: m) -> Tensor:
    """Of both axes size(m) samples from start(n, m) on, with m = n // scale."""
    rows, columns = (
        slice(start(n, n // scale), start(n, n // scale) + size(n // scale)) for n in x.shape[-2:]
    )
    return x[..., rows, columns]


def _two_halves(x: Tensor, scale: int) -> Tensor:
    """As many samples before the centre as from it on: one too few where their number is odd."""
    return _cut(x, scale, lambda n, m: n // 2 - m // 2, lambda m: m // 2 * 2)


def _corner(x: Tensor, scale: int) -> Tensor:
    return _cut(x, scale, lambda n, m: 0)


def _crop(x: Tensor, scale: int, crop=ks.crop_kspace) -> Tensor:
    return ks.ifft2c(crop(ks.fft2c(x), scale))


EXERCISES = {
    "fft2c": Exercise(
        solution=ks.fft2c,
        inputs=lambda random, size: (random(*SHAPES[size]),),
        mistakes={
            "no_shift_after": lambda x: fft2(ifftshift(x, dim=PLANE), norm="ortho"),
            "no_shift_before": lambda x: fftshift(fft2(x, norm="ortho"), dim=PLANE),
            "no_shifts": lambda x: fft2(x, norm="ortho"),
            "bare": lambda x: fft2(x),
            "not_orthonormal": lambda x: ks.fft2c(x) * (x.shape[-2] * x.shape[-1]) ** 0.5,
            "inverse": ks.ifft2c,
            "fftshift_twice": lambda x: fftshift(
                fft2(fftshift(x, dim=PLANE), norm="ortho"), dim=PLANE
            ),
            "shifts_exchanged": lambda x: ifftshift(
                fft2(fftshift(x, dim=PLANE), norm="ortho"), dim=PLANE
            ),
        },
        axes="slice row column",
        shown=lambda k: k[0].abs(),
    ),
    "crop": Exercise(
        solution=ks.crop_kspace,
        inputs=_complex,
        mistakes={
            "corner": _corner,
            "margins_rounded_down": lambda x, s: _cut(x, s, lambda n, m: (n - m) // 2),
            "margins_rounded_up": lambda x, s: _cut(x, s, lambda n, m: (n - m + 1) // 2),
            "axes_exchanged": lambda x, s: ks.center_crop(x, (x.shape[-1] // s, x.shape[-2] // s)),
            "one_sample_short": _two_halves,
            "columns_only": lambda x, s: ks.center_crop(x, (x.shape[-2], x.shape[-1] // s)),
            "rows_only": lambda x, s: ks.center_crop(x, (x.shape[-2] // s, x.shape[-1])),
            "every_scale_th": lambda x, s: x[..., ::s, ::s],
            "zero_filled": lambda x, s: ks.center_pad(ks.crop_kspace(x, s), x.shape[-2:]),
        },
        axes="slice row column",
        shown=lambda k: k[0].abs(),
    ),
    "low_resolution": Exercise(
        solution=lambda x, s: _crop(x, s).abs() / s,
        inputs=_image,
        mistakes={
            "too_bright": lambda x, s: _crop(x, s).abs(),
            "too_dark": lambda x, s: _crop(x, s).abs() / s**2,
            "every_scale_th": lambda x, s: x[..., ::s, ::s],
            "mean_of_blocks": lambda x, s: F.avg_pool2d(x, s),
            "real_part": lambda x, s: _crop(x, s).real / s,
            "corner": lambda x, s: _crop(x, s, _corner).abs() / s,
            "zero_filled": lambda x, s: ks.zero_fill(x, s),
        },
        axes="slice row column",
        shown=lambda image: image[0],
    ),
    "noise": Exercise(
        solution=lambda sigma, scale: sigma / scale,
        inputs=lambda random, size: (float(random(1).abs()) + 1, SCALES[size]),
        mistakes={
            "unchanged": lambda sigma, scale: sigma,
            "other_way_round": lambda sigma, s: sigma * s,
            "variance": lambda sigma, s: sigma / s**2,
            "root_of_scale": lambda sigma, s: sigma / s**0.5,
        },
    ),
}
