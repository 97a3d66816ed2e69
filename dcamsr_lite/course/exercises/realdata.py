"""Exercises on files, pairing, conventions of metrics, and the noise ceiling.

>>> sorted(EXERCISES)
['acquired', 'ceiling', 'cut', 'slice_psnr']
"""

from math import log, log10

import torch
from torch import Tensor

from ... import kspace as ks
from ...metrics import ceiling_from_repetitions, psnr
from ..exercise import Exercise


def acquired(kspace: Tensor) -> float:
    """Share of the phase-encode columns (the last axis) that hold any sample.

    >>> acquired(torch.eye(8)[None, None, :, :6])
    1.0
    >>> acquired(ks.center_pad(torch.ones(1, 1, 8, 6), (8, 8)))
    0.75
    """
    return _any_along(kspace, (0, 1, 2))


def _any_along(kspace: Tensor, axes: tuple[int, ...]) -> float:
    return float((kspace.abs().sum(axes) > 0).float().mean())


def _partial(random, size: int) -> tuple[Tensor]:
    k = torch.complex(random(2, 3, size, 2 * size), random(2, 3, size, 2 * size))
    k[..., : size // 3] = 0
    k[..., -(size // 2) :] = 0
    k[0, 0, :, size] = 0  # of one coil of one slice, by chance
    k[:, :, 0] = 0
    return (k,)


def cut(kspace: Tensor, shape: tuple[int, int]) -> Tensor:
    """k-space (slice, coil, row, column) of the coil *images* cut to ``shape``.

    >>> cut(ks.fft2c(torch.ones(1, 1, 12, 8)), (8, 8)).shape
    torch.Size([1, 1, 8, 8])
    """
    return ks.fft2c(ks.center_crop(ks.ifft2c(kspace), shape))


def _oversampled(random, size: int) -> tuple[Tensor, tuple[int, int]]:
    shape = (2, 2, size + 5, size + 2)
    return torch.complex(random(*shape), random(*shape)), (size, size - 1)


def slice_psnr(target: Tensor, image: Tensor) -> float:
    """Mean over slices of the PSNR in dB, each with its slice's own peak.

    >>> target = torch.tensor([[[1.0, 0.0]], [[10.0, 0.0]]])
    >>> round(slice_psnr(target, target + torch.tensor([[[0.1]], [[1.0]]])), 3)
    20.0
    """
    return sum(psnr(t, i) for t, i in zip(target, image, strict=True)) / len(target)


def _volumes(random, size: int) -> tuple[Tensor, Tensor]:
    peaks = torch.tensor([1.0, 3.0, 5.0])[:, None, None]
    target = peaks * random(3, size, size).abs()
    return target, target + torch.tensor([0.3, 0.1, 0.6])[:, None, None] * random(3, size, size)


def _errors(target: Tensor, image: Tensor) -> Tensor:
    return (target - image).square().mean((1, 2))


def _mean_db(peak: Tensor, error: Tensor, factor: float = 10.0) -> float:
    return float((factor * (peak.square() / error).log10()).mean())


def _ceiling(
    first: Tensor,
    second: Tensor,
    kept: float,
    over: float = 2**0.5,
    factor: float = 20.0,
    known: float = -10.0,
    logarithm=log10,
) -> float:
    sigma = float((first - second).double().std()) / over
    return factor * logarithm(float(first.max()) / sigma) + known * logarithm(1 - kept)


def _repetitions(random, size: int) -> tuple[Tensor, Tensor, int, float]:
    first = 4 + random(4, 8 * size, 8 * size).abs()
    noise = 0.2 * random(4, 8 * size, 8 * size)
    return first, first + 0.1 + noise, 2 if size % 2 else 4, 0.5 + 0.02 * size


EXERCISES = {
    "acquired": Exercise(
        solution=acquired,
        inputs=_partial,
        mistakes={
            "Phase encode is the last axis; you looked along the readout, the rows.": lambda k: (
                _any_along(k, (0, 1, 3))
            ),
            "That is the share of samples that are not zero. A column counts when any of its"
            " samples does.": lambda k: float((k != 0).float().mean()),
            "That is the number of columns; the share is over all columns.": lambda k: (
                acquired(k) * k.shape[-1]
            ),
            "That is the share of the empty columns.": lambda k: 1 - acquired(k),
            "One coil of one slice may miss a column by chance: look at all of them.": lambda k: (
                _any_along(k[0, 0], (0,))
            ),
            "One row does not do: a line's edge may be empty. Look at all rows.": lambda k: (
                _any_along(k[:, :, 0], (0, 1))
            ),
        },
        hint="Any non-zero over slices, coils and rows, per column; then the mean over columns.",
    ),
    "cut": Exercise(
        solution=cut,
        inputs=_oversampled,
        mistakes={
            "You cropped k-space: that keeps the field of view and blurs the image. The image is"
            " what has to be cut.": lambda k, shape: ks.center_crop(k, shape),
            "That is the image: transform it back to k-space.": lambda k, shape: ks.center_crop(
                ks.ifft2c(k), shape
            ),
            "The phase is lost: cut the complex image of each coil, not its magnitude.": (
                lambda k, shape: ks.fft2c(ks.center_crop(ks.ifft2c(k).abs(), shape))
            ),
            "The corner is kept: cut around the centre.": lambda k, shape: ks.fft2c(
                ks.ifft2c(k)[..., : shape[0], : shape[1]]
            ),
            "Rows and columns of the shape are exchanged.": lambda k, shape: cut(k, shape[::-1]),
        },
        axes="slice coil row column",
        hint="ks.ifft2c, ks.center_crop, ks.fft2c.",
        shown=lambda k: k[0, 0].abs(),
    ),
    "slice_psnr": Exercise(
        solution=slice_psnr,
        inputs=_volumes,
        mistakes={
            "That is the PSNR of the volume, the paper's convention.": psnr,
            "The peak is the volume's: take each slice's own.": lambda t, i: _mean_db(
                t.max(), _errors(t, i)
            ),
            "The peak is the image's: take the target's.": lambda t, i: _mean_db(
                i.amax((1, 2)), _errors(t, i)
            ),
            "The mean comes last: you averaged the errors before the logarithm.": lambda t, i: (
                _mean_db(t.amax((1, 2)), _errors(t, i).mean())
            ),
            "The mean of the ratios, then the logarithm, is another number: logarithm first.": (
                lambda t, i: float(10 * (t.amax((1, 2)).square() / _errors(t, i)).mean().log10())
            ),
            "Sum over slices instead of the mean.": lambda t, i: len(t) * slice_psnr(t, i),
            "The factor is 10, the peak is squared already.": lambda t, i: _mean_db(
                t.amax((1, 2)), _errors(t, i), 20.0
            ),
        },
        hint="For each slice 10 log10(max(target)^2 / mean squared error); then the mean.",
    ),
    "ceiling": Exercise(
        solution=ceiling_from_repetitions,
        inputs=_repetitions,
        mistakes={
            "The difference holds the noise of both repetitions: divide its deviation by sqrt(2).": (
                lambda a, b, scale, share: _ceiling(a, b, 1 / scale**2 / share, over=1.0)
            ),
            "Variances add, so divide the deviation by sqrt(2), not by 2.": (
                lambda a, b, scale, share: _ceiling(a, b, 1 / scale**2 / share, over=2.0)
            ),
            "The noise inside the crop is known to the network: - 10 log10(1 - f) is missing.": (
                lambda a, b, scale, share: _ceiling(a, b, 1 / scale**2 / share, known=0.0)
            ),
            "The sign of the second term is wrong: 1 - f is below 1, and the ceiling rises.": (
                lambda a, b, scale, share: _ceiling(a, b, 1 / scale**2 / share, known=10.0)
            ),
            "The share f is that of the *acquired* samples: divide 1 / scale^2 by `acquired`.": (
                lambda a, b, scale, share: _ceiling(a, b, 1 / scale**2)
            ),
            "Both axes are cropped: 1 / scale^2 of k-space is kept.": (
                lambda a, b, scale, share: _ceiling(a, b, 1 / scale / share)
            ),
            "What is lost is the share 1 - f; you took the logarithm of f.": (
                lambda a, b, scale, share: _ceiling(a, b, 1 - 1 / scale**2 / share)
            ),
            "Peak and sigma are amplitudes: 20 log10.": (
                lambda a, b, scale, share: _ceiling(a, b, 1 / scale**2 / share, factor=10.0)
            ),
            "A decibel is of the decimal logarithm.": (
                lambda a, b, scale, share: _ceiling(a, b, 1 / scale**2 / share, logarithm=log)
            ),
            "That is the root of the mean square: a difference in brightness is no noise. Take the"
            " deviation about the mean.": lambda a, b, scale, share: (
                20 * log10(float(a.max()) / float(((a - b) / 2**0.5).square().mean().sqrt()))
                - 10 * log10(1 - 1 / scale**2 / share)
            ),
        },
        hint="sigma = deviation of the difference / sqrt(2); f = 1 / scale^2 / acquired.",
    ),
}
