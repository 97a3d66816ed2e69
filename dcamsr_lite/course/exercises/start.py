"""Exercises on the first super-resolved slice: PSNR, and predictions about errors and cuts.

>>> sorted(EXERCISES)
['psnr']
"""

import math

import torch
from torch import Tensor

from ...metrics import psnr
from ..exercise import Exercise


def _decibel(top: Tensor, error: Tensor) -> float:
    return 10 * math.log10(top / error)


def _error(target: Tensor, image: Tensor) -> Tensor:
    return (target - image).square().mean()


def _two_images(random, size: int) -> tuple[Tensor, Tensor]:
    """Volumes of three slices, the error and the peak of each slice another; no value near 0."""
    slices = torch.tensor([0.1, 0.2, 0.4])[:, None, None]
    target = (1 + 5 * slices) * random(3, size, size).abs() + 0.5
    return target, target + slices * random(3, size, size)


def _mean_of_slices(target: Tensor, image: Tensor) -> float:
    return sum(map(psnr, target, image)) / len(target)


def _mean_at_one_peak(target: Tensor, image: Tensor) -> float:
    top = target.max() ** 2
    slices = zip(target, image, strict=True)
    return sum(_decibel(top, _error(t, i)) for t, i in slices) / len(target)


EXERCISES = {
    "psnr": Exercise(
        solution=psnr,
        inputs=_two_images,
        mistakes={
            "The peak is that of the target, not of the image.": lambda t, i: _decibel(
                i.max() ** 2, _error(t, i)
            ),
            "The peak is missing: you took 1 for it.": lambda t, i: _decibel(
                torch.tensor(1.0), _error(t, i)
            ),
            "The peak is the target's maximum; you took maximum minus minimum.": lambda t, i: (
                _decibel((t.max() - t.min()) ** 2, _error(t, i))
            ),
            "That is the mean of the slices' PSNR: the peak is that of the whole volume, and the"
            " error is averaged over the whole volume first.": _mean_of_slices,
            "The peak is right, but that is a mean over slices: the error is averaged over the"
            " whole volume first.": _mean_at_one_peak,
            "The peak is not squared.": lambda t, i: _decibel(t.max(), _error(t, i)),
            "The factor is 10 where the error is squared already; 20 counts the square twice.": (
                lambda t, i: 2 * _decibel(t.max() ** 2, _error(t, i))
            ),
            "A decibel is 10 log10, and you took the natural logarithm.": lambda t, i: (
                10 * math.log(t.max() ** 2 / _error(t, i))
            ),
            "The sign is wrong: a smaller error is a larger PSNR.": lambda t, i: (
                -_decibel(t.max() ** 2, _error(t, i))
            ),
            "The error is the mean over all pixels; you summed it.": lambda t, i: _decibel(
                t.max() ** 2, (t - i).square().sum()
            ),
            "The error is squared, not absolute.": lambda t, i: _decibel(
                t.max() ** 2, (t - i).abs().mean()
            ),
        },
        hint="PSNR = 10 log10(max(target)^2 / mean squared error).",
    ),
}
