"""Exercises on attribution: a path's integral, diffusion index, share of the reference, agreement.

>>> sorted(EXERCISES)
['agreement', 'diffusion', 'integrate', 'share']
"""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from ..exercise import Exercise, pick

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
    start, end, bend = random(3, pick(size, 4, 5, 3, 2), size)

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
    scale = pick(size, 4, 2, 3, 4)
    return random(size, size + 1), random(scale * size, scale * (size + 1)) / 8


def diffusion(attribution: Tensor) -> float:
    """LAM's diffusion index, 100 (1 - Gini coefficient of the magnitudes).

    >>> round(diffusion(torch.eye(4)), 3), round(diffusion(torch.ones(4, 4)), 3)
    (25.0, 100.0)
    """
    return 100 * (1 - _gini(attribution.abs()))


def _gini(g: Tensor, first: int = 1, order: Callable = torch.msort) -> float:
    g = order(g.flatten().double())
    n = len(g)
    weights = 2 * torch.arange(first, n + first, dtype=g.dtype) - n - 1
    return float((weights * g).sum() / (n * g.sum()))


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
    shape = (size, size + 1)
    attribution = random(*(level * side for side in shape)) ** 3
    attention = _pooled(attribution.abs(), random(*shape)) + random(*shape).abs()
    return attribution, attention * (2 * (random(*shape) > -1) - 1)


EXERCISES = {
    "integrate": Exercise(
        solution=integrate,
        inputs=_curve,
        mistakes={
            "saliency": lambda gradient, path, steps: gradient(path(1.0)) * (path(1.0) - path(0.0)),
            "straight_line": lambda gradient, path, steps: (
                _mean_gradient(gradient, path, steps) * (path(1.0) - path(0.0))
            ),
            "without_pieces": lambda gradient, path, steps: (
                steps * _mean_gradient(gradient, path, steps)
            ),
            "mean_gradient": _mean_gradient,
            "times_image": lambda gradient, path, steps: (
                _mean_gradient(gradient, path, steps) * path(1.0)
            ),
            "at_start": lambda gradient, path, steps: _pieces(
                gradient, path, steps, lambda a, b: path(a)
            ),
            "at_end": lambda gradient, path, steps: _pieces(
                gradient, path, steps, lambda a, b: path(b)
            ),
            "both_ends": lambda gradient, path, steps: (
                (
                    _pieces(gradient, path, steps, lambda a, b: path(a))
                    + _pieces(gradient, path, steps, lambda a, b: path(b))
                )
                / 2
            ),
            "half_the_time": lambda gradient, path, steps: _pieces(
                gradient, path, steps, lambda a, b: path((a + b) / 2)
            ),
            "divided_by_steps": lambda gradient, path, steps: (
                integrate(gradient, path, steps) / steps
            ),
            "wrong_sign": lambda gradient, path, steps: -integrate(gradient, path, steps),
        },
        axes="row column",
    ),
    "share": Exercise(
        solution=share,
        inputs=_both,
        mistakes={
            "signed": lambda lr, ref: float(ref.sum() / (lr.sum() + ref.sum())),
            "signed_within_contrast": lambda lr, ref: float(
                ref.sum().abs() / (lr.sum().abs() + ref.sum().abs())
            ),
            "means": lambda lr, ref: float(ref.abs().mean() / (lr.abs().mean() + ref.abs().mean())),
            "ratio": lambda lr, ref: float(ref.abs().sum() / lr.abs().sum()),
            "of_low_resolution": lambda lr, ref: 1 - share(lr, ref),
            "squares": lambda lr, ref: float(
                ref.square().sum() / (lr.square().sum() + ref.square().sum())
            ),
        },
    ),
    "diffusion": Exercise(
        solution=diffusion,
        inputs=lambda random, size: (random(size, size + 2) ** 3,),
        mistakes={
            "from_zero": lambda x: 100 * (1 - _gini(x.abs(), first=0)),
            "descending": lambda x: 100 * (1 - _gini(x.abs(), order=lambda g: g.msort().flip(0))),
            "unsorted": lambda x: 100 * (1 - _gini(x.abs(), order=lambda g: g)),
            "signed": lambda x: 100 * (1 - _gini(x)),
            "gini": lambda x: 100 * _gini(x.abs()),
            "no_factor_100": lambda x: 1 - _gini(x.abs()),
            "no_n": lambda x: 100 * (1 - _gini(x.abs()) * x.numel()),
            "no_factor_2": lambda x: 100 * (1 - (_gini(x.abs()) - (x.numel() + 1) / x.numel()) / 2),
        },
    ),
    "agreement": Exercise(
        solution=agreement,
        inputs=_two_maps,
        mistakes={
            "of_values": lambda a, b: _correlated(
                _pooled(a.abs(), b), b.abs(), ranks=lambda x: x.flatten().double()
            ),
            "one_argsort": lambda a, b: _correlated(
                _pooled(a.abs(), b), b.abs(), ranks=lambda x: x.flatten().argsort().double()
            ),
            "pooled_first": lambda a, b: _correlated(_pooled(a, b).abs(), b.abs()),
            "signed_attribution": lambda a, b: _correlated(_pooled(a, b), b.abs()),
            "signed_attention": lambda a, b: _correlated(_pooled(a.abs(), b), b),
            "one_pixel": lambda a, b: _correlated(
                a.abs()[:: len(a) // len(b), :: len(a) // len(b)], b.abs()
            ),
            "largest": lambda a, b: _correlated(
                _pooled(a.abs(), b, F.adaptive_max_pool2d), b.abs()
            ),
        },
    ),
}
