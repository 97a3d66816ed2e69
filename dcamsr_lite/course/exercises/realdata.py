"""Exercises on files, pairing, conventions of metrics, and the noise ceiling.

>>> sorted(EXERCISES)
['acquired', 'ceiling', 'cut', 'slice_psnr']
"""

from collections.abc import Callable
from math import log, log10

import torch
from torch import Tensor

from ... import kspace as ks
from ...metrics import ceiling_from_repetitions, psnr
from ..exercise import Exercise, pick


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
    shape = (*pick(size, (2, 3), (3, 4), (4, 2), (2, 5)), size, 2 * size)
    k = torch.complex(random(*shape), random(*shape))
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
    shape = (*pick(size, (2, 3), (3, 2), (2, 5), (4, 3)), size + 5, size + 2)
    return torch.complex(random(*shape), random(*shape)), (size, size - 1)


def slice_psnr(target: Tensor, image: Tensor) -> float:
    """Mean over slices of the PSNR in dB, each with its slice's own peak.

    >>> target = torch.tensor([[[1.0, 0.0]], [[10.0, 0.0]]])
    >>> round(slice_psnr(target, target + torch.tensor([[[0.1]], [[1.0]]])), 3)
    20.0
    """
    return sum(psnr(t, i) for t, i in zip(target, image, strict=True)) / len(target)


def _volumes(random, size: int) -> tuple[Tensor, Tensor]:
    shape = (pick(size, 3, 2, 4, 5), size, size + 1)
    by_slice = torch.tensor([[1.0, 3.0, 5.0, 2.0, 4.0], [0.3, 0.1, 0.6, 0.2, 0.4]])
    peaks, spread = by_slice[:, : shape[0], None, None]
    target = peaks * random(*shape).abs()
    return target, target + spread * random(*shape)


def _errors(target: Tensor, image: Tensor) -> Tensor:
    return (target - image).square().mean((1, 2))


def _mean_db(peak: Tensor, error: Tensor, factor: float = 10.0) -> float:
    return float((factor * (peak.square() / error).log10()).mean())


def _ceiling(
    first: Tensor,
    second: Tensor,
    scale: int,
    acquired: float,
    *,
    axes: int = 2,
    over: float = 2**0.5,
    factor: float = 20.0,
    known: float = -10.0,
    lost: Callable = lambda f: 1 - f,
    logarithm: Callable = log10,
) -> float:
    f = 1 / scale**axes / acquired
    sigma = float((first - second).double().std()) / over
    return factor * logarithm(float(first.max()) / sigma) + known * logarithm(lost(f))


def _repetitions(random, size: int) -> tuple[Tensor, Tensor, int, float]:
    shape = (pick(size, 4, 3, 5, 2), 8 * size, 8 * size + 4)
    first = 4 + random(*shape).abs()
    noise = 0.2 * random(*shape)
    return first, first + 0.1 + noise, 2 if size % 2 else 4, 0.5 + 0.02 * size


EXERCISES = {
    "acquired": Exercise(
        solution=acquired,
        inputs=_partial,
        mistakes={
            "along_readout": lambda k: _any_along(k, (0, 1, 3)),
            "single_samples": lambda k: float((k != 0).float().mean()),
            "number_of_columns": lambda k: acquired(k) * k.shape[-1],
            "empty_columns": lambda k: 1 - acquired(k),
            "one_coil": lambda k: _any_along(k[0, 0], (0,)),
            "one_row": lambda k: _any_along(k[:, :, 0], (0, 1)),
        },
    ),
    "cut": Exercise(
        solution=cut,
        inputs=_oversampled,
        mistakes={
            "cropped_kspace": lambda k, shape: ks.center_crop(k, shape),
            "image": lambda k, shape: ks.center_crop(ks.ifft2c(k), shape),
            "no_phase": lambda k, shape: ks.fft2c(ks.center_crop(ks.ifft2c(k).abs(), shape)),
            "corner": lambda k, shape: ks.fft2c(ks.ifft2c(k)[..., : shape[0], : shape[1]]),
            "shape_exchanged": lambda k, shape: cut(k, shape[::-1]),
        },
        axes="slice coil row column",
        shown=lambda k: k[0, 0].abs(),
    ),
    "slice_psnr": Exercise(
        solution=slice_psnr,
        inputs=_volumes,
        mistakes={
            "of_volume": psnr,
            "peak_of_volume": lambda t, i: _mean_db(t.max(), _errors(t, i)),
            "peak_of_image": lambda t, i: _mean_db(i.amax((1, 2)), _errors(t, i)),
            "mean_of_errors": lambda t, i: _mean_db(t.amax((1, 2)), _errors(t, i).mean()),
            "mean_of_ratios": lambda t, i: float(
                10 * (t.amax((1, 2)).square() / _errors(t, i)).mean().log10()
            ),
            "summed": lambda t, i: len(t) * slice_psnr(t, i),
            "factor_20": lambda t, i: _mean_db(t.amax((1, 2)), _errors(t, i), 20.0),
        },
    ),
    "ceiling": Exercise(
        solution=ceiling_from_repetitions,
        inputs=_repetitions,
        mistakes={
            "one_repetition": lambda *x: _ceiling(*x, over=1.0),
            "by_2": lambda *x: _ceiling(*x, over=2.0),
            "all_unknown": lambda *x: _ceiling(*x, known=0.0),
            "wrong_sign": lambda *x: _ceiling(*x, known=10.0),
            "all_acquired": lambda a, b, scale, share: _ceiling(a, b, scale, 1.0),
            "one_axis": lambda *x: _ceiling(*x, axes=1),
            "known_share": lambda *x: _ceiling(*x, lost=lambda f: f),
            "factor_10": lambda *x: _ceiling(*x, factor=10.0),
            "natural_logarithm": lambda *x: _ceiling(*x, logarithm=log),
            "root_mean_square": lambda a, b, scale, share: (
                20 * log10(float(a.max()) / float(((a - b) / 2**0.5).square().mean().sqrt()))
                - 10 * log10(1 - 1 / scale**2 / share)
            ),
        },
    ),
}
