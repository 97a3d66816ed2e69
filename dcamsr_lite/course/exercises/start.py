"""Exercises on the first super-resolved slice: PSNR, and predictions about errors and cuts.

>>> sorted(EXERCISES)
['psnr']
"""

import math

import torch
from torch import Tensor

from ...metrics import psnr
from ..exercise import Exercise, pick


def _decibel(top: Tensor, error: Tensor) -> float:
    return 10 * math.log10(top / error)


def _error(target: Tensor, image: Tensor) -> Tensor:
    return (target - image).square().mean()


def _two_images(random, size: int) -> tuple[Tensor, Tensor]:
    """Volumes of some slices, the error and the peak of each slice another; no value near 0."""
    shape = (pick(size, 3, 2, 4, 5), size, size + 3)
    slices = 0.1 * 2 ** torch.arange(float(shape[0]))[:, None, None]
    target = (1 + 5 * slices) * random(*shape).abs() + 0.5
    return target, target + slices * random(*shape)


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
            "peak_of_image": lambda t, i: _decibel(i.max() ** 2, _error(t, i)),
            "no_peak": lambda t, i: _decibel(torch.tensor(1.0), _error(t, i)),
            "peak_is_range": lambda t, i: _decibel((t.max() - t.min()) ** 2, _error(t, i)),
            "mean_of_slices": _mean_of_slices,
            "mean_at_one_peak": _mean_at_one_peak,
            "peak_not_squared": lambda t, i: _decibel(t.max(), _error(t, i)),
            "factor_20": lambda t, i: 2 * _decibel(t.max() ** 2, _error(t, i)),
            "natural_logarithm": lambda t, i: 10 * math.log(t.max() ** 2 / _error(t, i)),
            "wrong_sign": lambda t, i: -_decibel(t.max() ** 2, _error(t, i)),
            "summed": lambda t, i: _decibel(t.max() ** 2, (t - i).square().sum()),
            "absolute": lambda t, i: _decibel(t.max() ** 2, (t - i).abs().mean()),
        },
    ),
}
