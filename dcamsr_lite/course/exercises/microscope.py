"""Exercises on reading lifted maps, entropy, footprints and channel matrices, and on cuts.

>>> sorted(EXERCISES)
['entropy', 'lift', 'mix', 'rank']
"""

from math import log

import torch
from einops import einsum
from torch import Tensor

from ..exercise import Exercise, pick


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
    tokens = pick(size, 7, 5, 9, 11)
    return (2 * random(tokens)).softmax(0), random(tokens, size, size + 2), size in (9, 16)


def _attention(random, size: int) -> tuple:
    """Rows that sum to one, some of them one-hot: there 0 log 0 has to be 0."""
    batch, heads, tokens = pick(size, (2, 3, 7), (3, 2, 5), (4, 5, 7), (2, 4, 11))
    attention = (2 * random(batch, heads, size, tokens)).softmax(-1)
    attention[:, :, 0] = torch.eye(tokens)[size % tokens]
    return (attention,)


def _matrix(random, size: int) -> tuple:
    heads, d = pick(size, (3, 4), (2, 3), (4, 5), (5, 2))
    return (2 * random(heads, d, d)).softmax(-1), random(heads, d, size, size + 1)


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
            "never_relative": lambda a, f, r: lift(a, f, False),
            "always_relative": lambda a, f, r: lift(a, f, True),
            "divided": lambda a, f, r: lift(a * len(a) if r else a, f, False),
            "one_by_pixels": lambda a, f, r: lift(a - r / f[0].numel(), f, False),
            "mean_of_map": lambda a, f, r: lift(a, f, False) - r * lift(a, f, False).mean(),
            "unsigned_footprints": lambda a, f, r: lift(a, f.abs(), r),
            "unsigned_map": lambda a, f, r: lift(a, f, r).abs(),
            "strongest_token": lambda a, f, r: f[a.argmax()],
            "mean_of_tokens": lambda a, f, r: lift(a, f, r) / len(a),
            "second_softmax": lambda a, f, r: lift(a.softmax(0), f, r),
        },
        axes="h w",
        shown=lambda x: x,
    ),
    "entropy": Exercise(
        solution=entropy,
        inputs=_attention,
        mistakes={
            "over_queries": lambda a: _bits(a, -2).mean(-1) / log(a.shape[-2]),
            "log_n": lambda a: _bits(a).mean(-1) / log(a.shape[-2]),
            "no_maximum": lambda a: _bits(a).mean(-1),
            "bits": lambda a: _bits(a).mean(-1) / log(2),
            "divided_by_p": lambda a: _bits(a).mean(-1) / a.shape[-1],
            "wrong_sign": lambda a: -entropy(a),
            "other_way_round": lambda a: 1 - entropy(a),
            "of_mean_attention": lambda a: _bits(a.mean(-2)) / log(a.shape[-1]),
            "per_query": lambda a: _bits(a) / log(a.shape[-1]),
            "mean_of_heads": lambda a: entropy(a).mean(-1),
        },
        axes="b head",
    ),
    "mix": Exercise(
        solution=mix,
        inputs=_matrix,
        mistakes={
            "transposed": lambda a, v: mix(a.mT, v),
            "largest_weight": lambda a, v: torch.stack(
                [x[i] for x, i in zip(v, a.argmax(-1), strict=True)]
            ),
            "uniform": lambda a, v: mix(torch.full_like(a, 1 / a.shape[-1]), v),
            "own_weight": lambda a, v: a.diagonal(dim1=1, dim2=2)[..., None, None] * v,
            "second_softmax": lambda a, v: mix(a.softmax(-1), v),
            "heads_summed": lambda a, v: mix(a, v).sum(0),
        },
        axes="head d h w",
        shown=lambda x: x[0, 0],
    ),
    "rank": Exercise(
        solution=rank_correlation,
        inputs=_two_lists,
        mistakes={
            "of_values": _correlation,
            "one_argsort": lambda x, y: _correlation(x.argsort(), y.argsort()),
            "only_x": lambda x, y: _correlation(_ranks(x), y),
            "only_y": lambda x, y: _correlation(x, _ranks(y)),
            "wrong_sign": lambda x, y: -rank_correlation(x, y),
            "squared": lambda x, y: rank_correlation(x, y) ** 2,
            "covariance": lambda x, y: float(torch.stack([_ranks(x), _ranks(y)]).cov()[0, 1]),
        },
    ),
}
