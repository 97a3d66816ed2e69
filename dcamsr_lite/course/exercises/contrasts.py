"""Exercises on two contrasts: signal equations, the null of an inversion, what T1 tells about T2.

>>> sorted(EXERCISES)
['explained', 'null_time', 'spin_echo']
"""

import math
from itertools import pairwise

import torch
from torch import Tensor, exp

from ..exercise import Exercise, pick


def spin_echo(pd: Tensor, t1: Tensor, t2: Tensor, tr: float, te: float) -> Tensor:
    """The textbook's spin echo: PD (1 - exp(-TR / T1)) exp(-TE / T2), times in ms.

    >>> round(float(spin_echo(torch.tensor(1.0), torch.tensor(500.0), torch.tensor(100.0), 500, 0)), 3)
    0.632
    """
    return pd * (1 - exp(-tr / t1)) * exp(-te / t2)


def explained(t1: Tensor, t2: Tensor, bins: int) -> float:
    """R^2 of t2 about its mean in ``bins`` quantile bins of t1; both (pixel,).

    >>> round(explained(torch.arange(8.0), torch.arange(8.0), bins=4), 3)
    0.952
    """
    edges = t1.quantile(torch.linspace(0, 1, bins + 1)[1:-1])
    return _r2(t2, _means(t1, t2, edges))


def _means(t1: Tensor, t2: Tensor, edges: Tensor) -> Tensor:
    index = torch.bucketize(t1, edges)
    count = torch.bincount(index, minlength=len(edges) + 1).clamp(min=1)
    return (torch.bincount(index, t2, minlength=len(edges) + 1) / count).to(t2)[index]


def _r2(t2: Tensor, guess: Tensor) -> float:
    return float(1 - (t2 - guess).square().sum() / (t2 - t2.mean()).square().sum())


def _equal_width(t1: Tensor, t2: Tensor, bins: int) -> float:
    return _r2(t2, _means(t1, t2, torch.linspace(float(t1.min()), float(t1.max()), bins + 1)[1:-1]))


def _without_largest(t1: Tensor, t2: Tensor, bins: int) -> float:
    """Bins that end below their upper edge: the largest T1 is in none, and is guessed as 0."""
    edges = t1.quantile(torch.linspace(0, 1, bins + 1))
    guess = torch.zeros_like(t2)
    for low, high in pairwise(edges):
        inside = (t1 >= low) & (t1 < high)
        guess[inside] = t2[inside].mean()
    return _r2(t2, guess)


def _tissue(random, size: int) -> tuple:
    pd, t1, t2 = (x.abs() + 0.5 for x in random(3, size))
    return pd, 600 * t1, 90 * t2, 350.0 + 25 * size, 20.0 + size


def _pixels(random, size: int) -> tuple[Tensor, Tensor, int]:
    t1 = random(4 * size)
    return t1, t1.square() + 2 + 0.3 * random(4 * size), pick(size, 4, 3, 6, 8)


EXERCISES = {
    "spin_echo": Exercise(
        solution=spin_echo,
        inputs=_tissue,
        mistakes={
            "recovery_without_one": lambda pd, t1, t2, tr, te: pd * exp(-tr / t1) * exp(-te / t2),
            "recovery_and_decay_exchanged": lambda pd, t1, t2, tr, te: (
                pd * exp(-tr / t1) * (1 - exp(-te / t2))
            ),
            "times_exchanged": lambda pd, t1, t2, tr, te: spin_echo(pd, t2, t1, tr, te),
            "tr_and_te_exchanged": lambda pd, t1, t2, tr, te: spin_echo(pd, t1, t2, te, tr),
            "no_proton_density": lambda pd, t1, t2, tr, te: spin_echo(
                torch.ones(1), t1, t2, tr, te
            ),
            "growing_echo": lambda pd, t1, t2, tr, te: pd * (1 - exp(-tr / t1)) * exp(te / t2),
            "no_decay": lambda pd, t1, t2, tr, te: pd * (1 - exp(-tr / t1)),
        },
        axes="tissue",
    ),
    "null_time": Exercise(
        solution=lambda t1, tr: t1 * math.log(2 / (1 + math.exp(-tr / t1))),
        inputs=lambda random, size: (400 * (1 + float(random(1).abs())), 100.0 * size),
        mistakes={
            "endless_tr": lambda t1, tr: t1 * math.log(2),
            "log10": lambda t1, tr: t1 * math.log10(2 / (1 + math.exp(-tr / t1))),
            "log2": lambda t1, tr: t1 * math.log2(2 / (1 + math.exp(-tr / t1))),
            "negative": lambda t1, tr: t1 * math.log((1 + math.exp(-tr / t1)) / 2),
            "no_t1": lambda t1, tr: math.log(2 / (1 + math.exp(-tr / t1))),
        },
    ),
    "explained": Exercise(
        solution=explained,
        inputs=_pixels,
        mistakes={
            "linear": lambda t1, t2, bins: float(torch.corrcoef(torch.stack([t1, t2]))[0, 1] ** 2),
            "equal_width": _equal_width,
            "unexplained": lambda t1, t2, bins: 1 - explained(t1, t2, bins),
            "root": lambda t1, t2, bins: explained(t1, t2, bins) ** 0.5,
            "about_zero": lambda t1, t2, bins: (
                1 - float((1 - explained(t1, t2, bins)) * t2.var(correction=0) / t2.square().mean())
            ),
            "exchanged": lambda t1, t2, bins: explained(t2, t1, bins),
            "largest_left_out": _without_largest,
        },
    ),
}
