"""Exercises on reading lifted maps, entropy, footprints and channel matrices, and on cuts.

>>> sorted(EXERCISES)
['entropy', 'lift', 'mix', 'rank']
"""

from math import log

import torch
from einops import einsum
from torch import Tensor

from ..exercise import Exercise

HEADS, TOKENS = 3, 7


def lift(attention: Tensor, footprints: Tensor, relative: bool) -> Tensor:
    """One query's weights on the pixels: attention (p), footprints (p h w) -> (h w), signed.

    >>> lift(torch.tensor([0.75, 0.25]), torch.eye(2)[:, None], relative=True)
    tensor([[ 0.2500, -0.2500]])
    """
    weights = attention - relative / len(attention)
    return einsum(weights, footprints, "p, p h w -> h w")


def entropy(attention: Tensor) -> Tensor:
    """Mean entropy of the rows over its maximum: (b head n p) -> (b head).

    >>> entropy(torch.tensor([[[[0.5, 0.5], [1.0, 0.0]]]]))
    tensor([[0.5000]])
    """
    return torch.special.entr(attention).sum(-1).mean(-1) / log(attention.shape[-1])


def mix(attention: Tensor, value: Tensor) -> Tensor:
    """What the channel branch makes: attention (head d d), value (head d h w) -> (head d h w).

    >>> mix(torch.eye(2)[None], torch.rand(1, 2, 5, 5)).shape
    torch.Size([1, 2, 5, 5])
    """
    return einsum(attention, value, "head i j, head j h w -> head i h w")


def _ranks(x: Tensor) -> Tensor:
    return x.argsort().argsort().double()


def _correlation(x: Tensor, y: Tensor) -> float:
    return float(torch.corrcoef(torch.stack([x.double(), y.double()]))[0, 1])


def rank_correlation(x: Tensor, y: Tensor) -> float:
    """Spearman's: the correlation of the ranks, -1 to 1; values without ties.

    >>> round(rank_correlation(torch.tensor([1.0, 2.0, 9.0]), torch.tensor([0.0, 0.1, 0.2])), 6)
    1.0
    """
    return _correlation(_ranks(x), _ranks(y))


def _lift_inputs(random, size: int) -> tuple:
    return (2 * random(TOKENS)).softmax(0), random(TOKENS, size, size + 1), size in (9, 16)


def _attention(random, size: int) -> tuple:
    """Rows that sum to one, some of them one-hot: there 0 log 0 has to be 0."""
    attention = (2 * random(2, HEADS, size, TOKENS)).softmax(-1)
    attention[:, :, 0] = torch.eye(TOKENS)[size % TOKENS]
    return (attention,)


def _matrix(random, size: int) -> tuple:
    return (2 * random(HEADS, 4, 4)).softmax(-1), random(HEADS, 4, size, size)


def _bits(attention: Tensor, dim: int = -1) -> Tensor:
    return torch.special.entr(attention).sum(dim)


def _two_lists(random, size: int) -> tuple:
    x, noise = random(2, size)
    return x.exp(), x + noise


EXERCISES = {
    "lift": Exercise(
        solution=lift,
        inputs=_lift_inputs,
        mistakes={
            "The argument `relative` is not used: with it, 1/p is taken off every weight first.": (
                lambda a, f, r: lift(a, f, False)
            ),
            "You take 1/p off always: only where `relative` is true.": lambda a, f, r: lift(
                a, f, True
            ),
            "Relative is a difference, A - 1/p; you divided by 1/p.": lambda a, f, r: lift(
                a * len(a) if r else a, f, False
            ),
            "Uniform attention is 1/p, p the number of tokens; you took the number of pixels.": (
                lambda a, f, r: lift(a - r / f[0].numel(), f, False)
            ),
            "Uniform is taken off the weights, before they are summed; you took the map's mean off"
            " the map.": lambda a, f, r: lift(a, f, False) - r * lift(a, f, False).mean(),
            "Footprints are signed: do not take their magnitude.": lambda a, f, r: lift(
                a, f.abs(), r
            ),
            "The map is signed: do not take its magnitude.": lambda a, f, r: lift(a, f, r).abs(),
            "That is the strongest token's footprint alone: sum over all p, each with its weight.": (
                lambda a, f, r: f[a.argmax()]
            ),
            "You took the mean over the tokens p; the attention is a weight already: sum.": (
                lambda a, f, r: lift(a, f, r) / len(a)
            ),
            "The attention has been through its softmax already.": lambda a, f, r: lift(
                a.softmax(0), f, r
            ),
        },
        axes="h w",
        hint='einsum(weights, footprints, "p, p h w -> h w"), weights A or A - 1/p.',
        shown=lambda x: x,
    ),
    "entropy": Exercise(
        solution=entropy,
        inputs=_attention,
        mistakes={
            "The sum runs over the wrong axis, the queries n: a row of attention is over p.": (
                lambda a: _bits(a, -2).mean(-1) / log(a.shape[-2])
            ),
            "The axis is right, but its maximum is log p, not log n.": lambda a: (
                _bits(a).mean(-1) / log(a.shape[-2])
            ),
            "The division by log p is missing: uniform has to give 1.": lambda a: _bits(a).mean(-1),
            "These are bits: the maximum is then log2 p. In nats divide by log p.": lambda a: (
                _bits(a).mean(-1) / log(2)
            ),
            "Divide by log p, not by p.": lambda a: _bits(a).mean(-1) / a.shape[-1],
            "The sign is wrong: entropy is -sum p log p, never negative.": lambda a: -entropy(a),
            "One-hot is 0 and uniform is 1; yours is the other way round.": lambda a: (
                1 - entropy(a)
            ),
            "That is the entropy of the mean attention: take every query's own, then the mean.": (
                lambda a: _bits(a.mean(-2)) / log(a.shape[-1])
            ),
            "That is each query's entropy, (b head n): take the mean over the queries.": lambda a: (
                _bits(a) / log(a.shape[-1])
            ),
            "The heads are averaged, too: keep (b head).": lambda a: entropy(a).mean(-1),
        },
        axes="b head",
        hint="-(a log a) summed over p, divided by log p, averaged over n. 0 log 0 is 0:"
        " torch.special.entr(a) is -a log a and knows it.",
    ),
    "mix": Exercise(
        solution=mix,
        inputs=_matrix,
        mistakes={
            "The matrix is used transposed: sum over its columns j, the reference's features.": (
                lambda a, v: mix(a.mT, v)
            ),
            "Only the largest weight of each row is used: all of them count.": lambda a, v: (
                torch.stack([x[i] for x, i in zip(v, a.argmax(-1), strict=True)])
            ),
            "That is what uniform attention would give: the weights are not used.": lambda a, v: (
                mix(torch.full_like(a, 0.25), v)
            ),
            "You multiplied each feature with its weight on itself: sum over all features j.": (
                lambda a, v: a.diagonal(dim1=1, dim2=2)[..., None, None] * v
            ),
            "The attention has been through its softmax already.": lambda a, v: mix(
                a.softmax(-1), v
            ),
            "The heads are summed, too: each has its own matrix and keeps its own features.": (
                lambda a, v: mix(a, v).sum(0)
            ),
        },
        axes="head d h w",
        hint='einsum(attention, value, "head i j, head j h w -> head i h w").',
        shown=lambda x: x[0, 0],
    ),
    "rank": Exercise(
        solution=rank_correlation,
        inputs=_two_lists,
        mistakes={
            "That is Pearson's correlation of the values: take their ranks first.": _correlation,
            "One argsort gives the order, not the ranks: argsort it once more.": lambda x, y: (
                _correlation(x.argsort(), y.argsort())
            ),
            "Only x has been ranked: y, too.": lambda x, y: _correlation(_ranks(x), y),
            "Only y has been ranked: x, too.": lambda x, y: _correlation(x, _ranks(y)),
            "The sign is wrong: rank both in the same direction.": lambda x, y: (
                -rank_correlation(x, y)
            ),
            "That is R^2: keep the sign.": lambda x, y: rank_correlation(x, y) ** 2,
            "That is the covariance: divide by both deviations.": lambda x, y: float(
                torch.stack([_ranks(x), _ranks(y)]).cov()[0, 1]
            ),
        },
        hint="Ranks: x.argsort().argsort(). Then the usual correlation of the ranks.",
    ),
}
