"""Exercises on attribution: a path's integral, diffusion index, share of the reference, agreement.

>>> sorted(EXERCISES)
['agreement', 'diffusion', 'integrate', 'share']
"""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from ..exercise import Exercise

Path = Callable[[float], Tensor]


def integrate(gradient: Callable[[Tensor], Tensor], path: Path, steps: int) -> Tensor:
    """Integrated gradients along ``path(t)``, t from 0 to 1, in straight pieces.

    >>> image = torch.tensor([1.0, 2.0])
    >>> integrate(lambda x: 2 * x, lambda t: t * image, steps=2)  # of f = sum of x^2
    tensor([1., 4.])
    """
    return _pieces(gradient, path, steps, lambda a, b: (path(a) + path(b)) / 2)


def _pieces(gradient, path: Path, steps: int, at: Callable[[float, float], Tensor]) -> Tensor:
    times = [(k / steps, (k + 1) / steps) for k in range(steps)]
    return sum(gradient(at(a, b)) * (path(b) - path(a)) for a, b in times)


def _mean_gradient(gradient, path: Path, steps: int) -> Tensor:
    times = [(k / steps, (k + 1) / steps) for k in range(steps)]
    return sum(gradient((path(a) + path(b)) / 2) for a, b in times) / steps


def _curve(random, size: int) -> tuple:
    start, end, bend = random(3, 4, size)

    def path(t: float) -> Tensor:
        return start + t * (end - start) + 3 * t * (1 - t) * bend

    return (lambda x: 3 * x.square()), path, size // 3


def share(lr: Tensor, ref: Tensor) -> float:
    """Sum of |attribution| on the reference over that on both contrasts.

    >>> share(torch.tensor([1.0, -1.0]), torch.tensor([3.0, -3.0]))
    0.75
    """
    return float(ref.abs().sum() / (lr.abs().sum() + ref.abs().sum()))


def _both(random, size: int) -> tuple[Tensor, Tensor]:
    return random(size, size), random(4 * size, 4 * size) / 8


def diffusion(attribution: Tensor) -> float:
    """LAM's diffusion index, 100 (1 - Gini coefficient of the magnitudes).

    >>> round(diffusion(torch.eye(4)), 3), round(diffusion(torch.ones(4, 4)), 3)
    (25.0, 100.0)
    """
    return 100 * (1 - _gini(attribution.abs()))


def _gini(g: Tensor, first: int = 1, descending: bool = False) -> float:
    g = g.flatten().double().sort(descending=descending).values
    n = len(g)
    weights = 2 * torch.arange(first, n + first, dtype=g.dtype) - n - 1
    return float((weights * g).sum() / (n * g.sum()))


def _unsorted(x: Tensor) -> float:
    g = x.abs().flatten().double()
    n = len(g)
    weights = 2 * torch.arange(1, n + 1, dtype=g.dtype) - n - 1
    return 100 * (1 - float((weights * g).sum() / (n * g.sum())))


def agreement(attribution: Tensor, attention: Tensor) -> float:
    """Rank correlation of |attribution| (H, W), pooled, with |attention| (H/level, W/level).

    >>> picture = torch.arange(16.0).view(4, 4)
    >>> round(agreement(picture, picture.view(2, 2, 2, 2).mean((1, 3)) ** 3), 3)
    1.0
    """
    return _correlated(_pooled(attribution.abs(), attention), attention.abs())


def _pooled(x: Tensor, like: Tensor, pool=F.adaptive_avg_pool2d) -> Tensor:
    return pool(x[None, None], like.shape)[0, 0]


def _ranks(x: Tensor) -> Tensor:
    return x.flatten().argsort().argsort().double()


def _correlated(a: Tensor, b: Tensor, ranks: Callable = _ranks) -> float:
    return float(torch.corrcoef(torch.stack([ranks(a), ranks(b)]))[0, 1])


def _two_maps(random, size: int) -> tuple[Tensor, Tensor]:
    level = {6: 2, 9: 1, 12: 4, 16: 2}[size]
    attribution = random(level * size, level * size) ** 3
    attention = _pooled(attribution.abs(), random(size, size)) + random(size, size).abs()
    return attribution, attention * (2 * (random(size, size) > -1) - 1)


EXERCISES = {
    "integrate": Exercise(
        solution=integrate,
        inputs=_curve,
        mistakes={
            "That is the gradient at the image alone, times the whole difference: a saliency map."
            " Add up piece by piece along the path.": lambda gradient, path, steps: (
                gradient(path(1.0)) * (path(1.0) - path(0.0))
            ),
            "The mean gradient times the whole difference is right on a straight line only. This"
            " path is curved: multiply each gradient by its own piece.": (
                lambda gradient, path, steps: (
                    _mean_gradient(gradient, path, steps) * (path(1.0) - path(0.0))
                )
            ),
            "The gradients are added up without their pieces: multiply each by end - start.": (
                lambda gradient, path, steps: steps * _mean_gradient(gradient, path, steps)
            ),
            "That is the mean gradient: multiply each by its piece, end - start.": _mean_gradient,
            "That is the mean gradient times the image. What counts is the way from the start of"
            " the path, piece by piece.": lambda gradient, path, steps: (
                _mean_gradient(gradient, path, steps) * path(1.0)
            ),
            "The gradient is taken at the start of each piece: take it halfway.": (
                lambda gradient, path, steps: _pieces(gradient, path, steps, lambda a, b: path(a))
            ),
            "The gradient is taken at the end of each piece: take it halfway.": (
                lambda gradient, path, steps: _pieces(gradient, path, steps, lambda a, b: path(b))
            ),
            "You took the path at half the time. The piece is straight and the path is not:"
            " (start + end) / 2.": lambda gradient, path, steps: _pieces(
                gradient, path, steps, lambda a, b: path((a + b) / 2)
            ),
            "Do not divide by the number of steps: the pieces are short already.": (
                lambda gradient, path, steps: integrate(gradient, path, steps) / steps
            ),
            "The sign is wrong: a piece is its end minus its start.": (
                lambda gradient, path, steps: -integrate(gradient, path, steps)
            ),
        },
        axes="row column",
        hint="Sum over k of gradient((start + end) / 2) * (end - start), start = path(k / steps).",
    ),
    "share": Exercise(
        solution=share,
        inputs=_both,
        mistakes={
            "Signed values cancel: magnitudes first, then the sum.": lambda lr, ref: float(
                ref.sum() / (lr.sum() + ref.sum())
            ),
            "The sums are taken before the magnitudes: within a contrast the signs still cancel.": (
                lambda lr, ref: float(ref.sum().abs() / (lr.sum().abs() + ref.sum().abs()))
            ),
            "Sums, not means: the reference has more pixels, and all of them count.": (
                lambda lr, ref: float(ref.abs().mean() / (lr.abs().mean() + ref.abs().mean()))
            ),
            "That is the ratio of the two. A share is the part over the whole.": lambda lr, ref: (
                float(ref.abs().sum() / lr.abs().sum())
            ),
            "That is the share of the low-resolution image.": lambda lr, ref: 1 - share(lr, ref),
            "Magnitudes, not squares.": lambda lr, ref: float(
                ref.square().sum() / (lr.square().sum() + ref.square().sum())
            ),
        },
        hint="sum |ref| / (sum |lr| + sum |ref|).",
    ),
    "diffusion": Exercise(
        solution=diffusion,
        inputs=lambda random, size: (random(size, size) ** 3,),
        mistakes={
            "Python counts from 0, the formula from 1.": lambda x: (
                100 * (1 - _gini(x.abs(), first=0))
            ),
            "The sign of G is wrong: sort from the smallest to the largest.": lambda x: (
                100 * (1 - _gini(x.abs(), descending=True))
            ),
            "The magnitudes are not sorted.": _unsorted,
            "Magnitudes first: a strong negative attribution is a strong one.": lambda x: (
                100 * (1 - _gini(x))
            ),
            "That is 100 G. The index is large where the map is spread out: 100 (1 - G).": (
                lambda x: 100 * _gini(x.abs())
            ),
            "The factor 100 is missing.": lambda x: 1 - _gini(x.abs()),
            "G has n times the sum in its denominator: the n is missing.": lambda x: (
                100 * (1 - _gini(x.abs()) * x.numel())
            ),
            "The weights are 2 i - n - 1: the factor 2 before i is missing.": lambda x: (
                100 * (1 - (_gini(x.abs()) - (x.numel() + 1) / x.numel()) / 2)
            ),
        },
        hint="Magnitudes, flat, sorted; G = sum_i (2 i - n - 1) g_i / (n sum g); 100 (1 - G).",
    ),
    "agreement": Exercise(
        solution=agreement,
        inputs=_two_maps,
        mistakes={
            "That is the correlation of the values. A few large ones decide it: correlate ranks.": (
                lambda a, b: _correlated(
                    _pooled(a.abs(), b), b.abs(), ranks=lambda x: x.flatten().double()
                )
            ),
            "One argsort gives the order of the pixels, not their ranks: the ranks are the argsort"
            " of the argsort.": lambda a, b: _correlated(
                _pooled(a.abs(), b), b.abs(), ranks=lambda x: x.flatten().argsort().double()
            ),
            "Magnitudes first, then the pooling: signs cancel inside a pixel of the level.": (
                lambda a, b: _correlated(_pooled(a, b).abs(), b.abs())
            ),
            "The attribution is signed here: take its magnitude.": lambda a, b: _correlated(
                _pooled(a, b), b.abs()
            ),
            "The attention is signed: take its magnitude.": lambda a, b: _correlated(
                _pooled(a.abs(), b), b
            ),
            "You kept one pixel of each block of the attribution; take the block's mean.": (
                lambda a, b: _correlated(a.abs()[:: len(a) // len(b), :: len(a) // len(b)], b.abs())
            ),
            "That is the largest of each block; take its mean.": lambda a, b: _correlated(
                _pooled(a.abs(), b, F.adaptive_max_pool2d), b.abs()
            ),
        },
        hint="Mean of |attribution| on the attention's grid; ranks of both; their correlation.",
    ),
}
