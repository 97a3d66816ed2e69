"""Exercises on k-space: the centred transform, the crop, brightness, noise and ringing.

>>> sorted(EXERCISES)
['crop', 'fft2c', 'low_resolution', 'noise']
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from ... import kspace as ks
from ..exercise import Exercise

SCALES = {6: 2, 9: 3, 12: 2, 16: 4}  # of the input's size: all divide it


# One image without a slice axis, and sides that differ, even and odd.
SHAPES = {6: (2, 6, 6), 9: (9, 7), 12: (2, 12, 10), 16: (2, 16, 16)}


def _complex(random, size: int) -> tuple[Tensor, int]:
    """Cropped by 2 or 4: an odd piece out of an even side, an even one out of an odd side."""
    shape = SHAPES[size]
    return torch.complex(random(*shape), random(*shape)), 4 if size == 16 else 2


def _image(random, size: int) -> tuple[Tensor, int]:
    return random(2, size, size).abs(), SCALES[size]


def _cut(x: Tensor, scale: int, start, size=lambda m: m) -> Tensor:
    """Of both axes size(m) samples from start(n, m) on, with m = n // scale."""
    rows, columns = (
        slice(start(n, n // scale), start(n, n // scale) + size(n // scale)) for n in x.shape[-2:]
    )
    return x[..., rows, columns]


def _naive_crop(x: Tensor, scale: int) -> Tensor:
    """Margins by (n - m) // 2: off by one where an odd piece is cut out of an even side."""
    return _cut(x, scale, lambda n, m: (n - m) // 2)


def _rounded_up(x: Tensor, scale: int) -> Tensor:
    """Margins by (n - m + 1) // 2: off by one where an even piece is cut out of an odd side."""
    return _cut(x, scale, lambda n, m: (n - m + 1) // 2)


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
            "The fftshift after the transform is missing: the zero frequency is in the corner.": (
                lambda x: torch.fft.fft2(torch.fft.ifftshift(x, dim=(-2, -1)), norm="ortho")
            ),
            "The ifftshift before the transform is missing: the image's origin is its centre"
            " pixel, and without it the phase of k-space alternates.": lambda x: torch.fft.fftshift(
                torch.fft.fft2(x, norm="ortho"), dim=(-2, -1)
            ),
            "Both shifts are missing.": lambda x: torch.fft.fft2(x, norm="ortho"),
            'The transform is not orthonormal: norm="ortho" is missing.': lambda x: (
                ks.fft2c(x) * (x.shape[-2] * x.shape[-1]) ** 0.5
            ),
            "That is the inverse transform.": ks.ifft2c,
            "Before the transform it is ifftshift, not fftshift. They differ for odd sizes.": (
                lambda x: torch.fft.fftshift(
                    torch.fft.fft2(torch.fft.fftshift(x, dim=(-2, -1)), norm="ortho"),
                    dim=(-2, -1),
                )
            ),
            "Shifts before and after are exchanged: ifftshift first. They differ for odd sizes.": (
                lambda x: torch.fft.ifftshift(
                    torch.fft.fft2(torch.fft.fftshift(x, dim=(-2, -1)), norm="ortho"),
                    dim=(-2, -1),
                )
            ),
        },
        axes="slice row column",
        hint="ifftshift, fft2, fftshift, all over the last two axes.",
        shown=lambda k: k[0].abs(),
    ),
    "crop": Exercise(
        solution=ks.crop_kspace,
        inputs=_complex,
        mistakes={
            "The crop is not centred: you kept the corner at index 0.": _corner,
            "The zero frequency sits at n // 2 and has to stay there: start at n // 2 - m // 2."
            " (n - m) // 2 is off by one for an odd m out of an even n.": _naive_crop,
            "The zero frequency sits at n // 2 and has to stay there: start at n // 2 - m // 2."
            " (n - m + 1) // 2 is off by one for an even m out of an odd n.": _rounded_up,
            "Rows and columns are exchanged: the last axis is the column.": lambda x, s: (
                ks.center_crop(x, (x.shape[-1] // s, x.shape[-2] // s))
            ),
            "A sample is missing where m is odd: n // 2 - r to n // 2 + r with r = m // 2 is 2 r"
            " samples. Start at n // 2 - m // 2 and take m.": _two_halves,
            "Only the columns are cropped: the rows too.": lambda x, s: ks.center_crop(
                x, (x.shape[-2], x.shape[-1] // s)
            ),
            "Only the rows are cropped: the columns too.": lambda x, s: ks.center_crop(
                x, (x.shape[-2] // s, x.shape[-1])
            ),
            "Every scale-th sample was kept: that folds the image (aliasing). Keep the centre.": (
                lambda x, s: x[..., ::s, ::s]
            ),
            "You set the outside to zero and kept the size: that is zero-filling.": lambda x, s: (
                ks.center_pad(ks.crop_kspace(x, s), x.shape[-2:])
            ),
        },
        axes="slice row column",
        hint="m = n // scale samples of each axis, with index n // 2 moved to m // 2.",
        shown=lambda k: k[0].abs(),
    ),
    "low_resolution": Exercise(
        solution=lambda x, s: _crop(x, s).abs() / s,
        inputs=_image,
        mistakes={
            "The image is `scale` times too bright: the factor 1 / scale is missing.": (
                lambda x, s: _crop(x, s).abs()
            ),
            "The image is too dark: divide by scale, not by scale^2.": lambda x, s: (
                _crop(x, s).abs() / s**2
            ),
            "That is every scale-th pixel: fine structure folds into coarse (aliasing). Crop"
            " k-space instead.": lambda x, s: x[..., ::s, ::s],
            "That is the mean of blocks of pixels: it blurs what the crop would keep. Crop"
            " k-space instead.": lambda x, s: F.avg_pool2d(x, s),
            "That is the real part; an image is the magnitude: .abs().": lambda x, s: (
                _crop(x, s).real / s
            ),
            "The crop is not centred: you kept the corner of k-space.": lambda x, s: (
                _crop(x, s, _corner).abs() / s
            ),
            "You kept the full size: that is zero-filling. Crop, do not pad.": lambda x, s: (
                ks.zero_fill(x, s)
            ),
        },
        axes="slice row column",
        hint="fft2c, crop, ifft2c, magnitude, divide by scale.",
        shown=lambda image: image[0],
    ),
    "noise": Exercise(
        solution=lambda sigma, scale: sigma / scale,
        inputs=lambda random, size: (float(random(1).abs()) + 1, SCALES[size]),
        mistakes={
            "The crop keeps fewer noisy samples: the noise of a pixel becomes smaller.": (
                lambda sigma, scale: sigma
            ),
            "The other way round: each pixel is now the mean of more signal.": lambda sigma, s: (
                sigma * s
            ),
            "Variances add: the number of samples falls by scale^2, the deviation by its root.": (
                lambda sigma, s: sigma / s**2
            ),
            "Both axes are cropped: the root of scale^2 is scale.": lambda sigma, s: sigma / s**0.5,
        },
        hint="The orthonormal transform keeps the deviation; then the image is divided by scale.",
    ),
}
