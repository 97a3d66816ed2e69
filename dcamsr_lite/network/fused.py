"""Attention without its map: torch's fused one, and strips of queries where torch has none.

>>> q, k, v = torch.rand(1, 2, 50, 4), torch.rand(1, 2, 9, 4), torch.rand(1, 2, 9, 4)
>>> ((q @ k.mT).softmax(-1) @ v).allclose(attend(q, k, v))
True
"""

from collections.abc import Iterable, Iterator
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

STRIP = 2**18  # numbers of the map that are there at once: they stay in a core's cache


def attend(q: Tensor, k: Tensor, v: Tensor, dropout: float = 0.0) -> Tensor:
    """softmax(q k^T), dropped at random, times v: b head n d, b head p d both -> b head n d.

    On a CPU torch has no fused attention that drops: it would write the map out, several times.
    """
    autocast = q.device.type == "cpu" and torch.is_autocast_enabled("cpu")
    if dropout and q.device.type == "cpu" and not autocast and not torch.compiler.is_compiling():
        return Dropped.apply(q, k, v, dropout)
    return F.scaled_dot_product_attention(q, k, v, dropout_p=dropout, scale=1.0)


class Dropped(torch.autograd.Function):
    """The same numbers, and the same random ones, as with the map written out.

    Of the map only what was dropped is kept, a byte each; the rest is computed again.
    """

    @staticmethod
    def forward(ctx: Any, q: Tensor, k: Tensor, v: Tensor, rate: float) -> Tensor:
        drawn = torch.empty(*q.shape[:-1], k.shape[-2], dtype=torch.bool, device=q.device)
        kept = drawn.bernoulli_(1 - rate)
        ctx.save_for_backward(q, k, v, kept)
        ctx.times = 1 / (1 - rate)
        v = ctx.times * v
        return join((weigh(q[rows], k) * kept[rows]) @ v for rows in cut(kept))

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple:
        q, k, v, kept = ctx.saved_tensors
        v = ctx.times * v
        strips = (differentiate(q[rows], k, v, kept[rows], gradient[rows]) for rows in cut(kept))
        of_q, of_k, of_v = zip(*strips, strict=True)
        return join(of_q), add(of_k), ctx.times * add(of_v), None


def differentiate(q: Tensor, k: Tensor, v: Tensor, kept: Tensor, above: Tensor) -> tuple:
    """The gradients of q, k and v from a strip: that of its output is ``above``."""
    attention = weigh(q, k)
    of_v = (attention * kept).mT @ above
    of_map = (above @ v.mT).mul_(kept)
    of_logits = torch._softmax_backward_data(of_map, attention, -1, q.dtype)
    return of_logits @ k, of_logits.mT @ q, of_v


def join(strips: Iterable[Tensor]) -> Tensor:
    first, *others = strips
    return torch.cat([first, *others], -2) if others else first


def add(parts: Iterable[Tensor]) -> Tensor:
    total, *others = parts
    for other in others:
        total = total + other
    return total


def weigh(q: Tensor, k: Tensor) -> Tensor:
    return (q @ k.mT).softmax(-1)


def cut(attention: Tensor) -> Iterator[tuple]:
    """Places of strips of queries: b head n p."""
    b, heads, n, p = attention.shape
    rows = max(1, STRIP // (b * heads * p))
    return ((..., slice(at, at + rows), slice(None)) for at in range(0, n, rows))
