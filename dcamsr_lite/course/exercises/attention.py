"""Exercises on both attentions, in the order of the prose: heads, spatial, merge, channel, a test.

>>> sorted(EXERCISES)
['channel', 'cosine', 'keeps_place', 'merge_heads', 'spatial', 'split_heads']
"""

from typing import Any

import torch
import torch.nn.functional as F
from einops import einsum, rearrange
from torch import Tensor

from ...network import spatial_choices as choices
from ...network.attention import merge_heads, merge_heads_scrambled
from ..exercise import Exercise, pick


def split_heads(x: Tensor, heads: int) -> Tensor:
    """b n c -> b head n d, heads outermost in the channels.

    >>> split_heads(torch.rand(1, 9, 12), heads=3).shape
    torch.Size([1, 3, 9, 4])
    """
    return rearrange(x, "b n (head d) -> b head n d", head=heads)


def spatial(q: Tensor, k: Tensor, v: Tensor, e: Tensor, f: Tensor) -> Tensor:
    """Eq. 3 with the projections written out: q, k, v (b head n d), e, f (p n) -> b head n d.

    >>> q = torch.rand(1, 2, 9, 4)
    >>> spatial(q, q, q, torch.rand(5, 9), torch.rand(5, 9)).shape
    torch.Size([1, 2, 9, 4])
    """
    return _spatial(q, k, v, e, f)


def _spatial(q, k, v, e, f, *, scale: float | None = None, dim: int = -1) -> Tensor:
    k, v = (einsum(w, x, "p n, b head n d -> b head p d") for w, x in ((e, k), (f, v)))
    scale = q.shape[-1] ** -0.5 if scale is None else scale
    logits = einsum(q, k, "b head n d, b head p d -> b head n p") * scale
    return logits.softmax(dim) @ v if dim else logits @ v


def channel(q: Tensor, k: Tensor, v: Tensor, temperature: Tensor) -> Tensor:
    """Cosine over the tokens, times the temperature: q, k, v (b head n d) -> b head n d.

    >>> q = torch.rand(1, 2, 9, 4)
    >>> channel(q, q, q, torch.ones(2, 1, 1)).shape
    torch.Size([1, 2, 9, 4])
    """
    return _channel(q, k, v, temperature)


def _channel(q, k, v, temperature, *, normal=-2, softmax=-1, turned: bool = False) -> Tensor:
    if normal is not None:
        q, k = F.normalize(q, dim=normal), F.normalize(k, dim=normal)
    attention = (q.mT @ k * temperature).softmax(softmax)  # b head d d
    return v @ (attention if turned else attention.mT)


def _draw_sizes(size: int) -> tuple[int, int, int, int]:
    """Batch, heads, features of a head, projected tokens: no two alike, and others in each trial."""
    return pick(size, (2, 3, 4, 5), (3, 2, 5, 7), (4, 5, 3, 7), (2, 4, 6, 5))


def _qkv(random, size: int) -> list[Tensor]:
    batch, heads, d, _ = _draw_sizes(size)
    return [2 * x for x in random(3, batch, heads, size, d)]


def _temperature(random, size: int) -> Tensor:
    return random(_draw_sizes(size)[1], 1, 1).abs() + 2


def _projected(random, size: int) -> tuple[Tensor, ...]:
    e, f = random(2, _draw_sizes(size)[3], size) / 2
    return *_qkv(random, size), e, f


def _tokens(random, size: int) -> tuple[Tensor, int]:
    batch, heads, d, _ = _draw_sizes(size)
    return random(batch, size, heads * d), heads


def _flat(x: Tensor, pattern: str, **sizes: int) -> Tensor:
    """What a bare reshape does: the numbers stay in line, and the line is cut anew."""
    return rearrange(rearrange(x, "b ... -> b (...)"), pattern, **sizes)


def _moved(x: Tensor) -> Tensor:
    """The second half of the channels comes out one token too late."""
    first, second = merge_heads(x).chunk(2, dim=-1)
    return torch.cat([first, second.roll(1, dims=1)], dim=-1)


def _scrambled_behind_the_first(x: Tensor) -> Tensor:
    """The released merge, but for the first token: a test has to look at the others."""
    return torch.cat([merge_heads(x)[:, :1], merge_heads_scrambled(x)[:, 1:]], dim=1)


def _first_head(x: Tensor) -> Tensor:
    return merge_heads(x[:, :1].expand_as(x))


PROBES = {6: merge_heads, 9: _scrambled_behind_the_first, 12: _moved, 16: _first_head}


def _keeps_place(merge) -> bool:
    x = torch.arange(2 * 6 * 4.0).square().view(1, 2, 6, 4)
    return torch.equal(merge(x.flip(2)), merge(x).flip(1))


def _loses_nothing(merge) -> bool:
    x = torch.arange(2 * 6 * 4.0).view(1, 2, 6, 4)
    return torch.equal(merge(x).flatten().sort().values, x.flatten())


def _first_token(merge) -> bool:
    x = torch.arange(2 * 6 * 4.0).view(1, 2, 6, 4)
    return torch.equal(merge(x)[:, 0], merge_heads(x)[:, 0])


def _passes_a_shift(merge) -> bool:
    x = torch.arange(2 * 6 * 4.0).square().view(1, 2, 6, 4)
    return torch.equal(merge(x.roll(1, 2)), merge(x).roll(1, 1))


def _equals_ours(merge) -> bool:
    x = torch.arange(2 * 6 * 4.0).view(1, 2, 6, 4)
    return torch.equal(merge(x), merge_heads(x))


def _own_inputs(random, size: int) -> tuple:
    q, k, _ = _qkv(random, size)
    e = random(_draw_sizes(size)[3], size)
    return q, k, lambda x: e @ x, _temperature(random, size)


def _unit(x: Tensor, dim: int = -1) -> Tensor:
    return F.normalize(x, dim=dim)


def _logits(result: Any) -> Any:
    """Of the pair what counts, the inner products; as a tuple, so that no bare tensor equals it."""
    if isinstance(result, tuple) and len(result) == 2:
        return (result[0] @ result[1].mT,)
    return result


EXERCISES = {
    "split_heads": Exercise(
        solution=split_heads,
        inputs=_tokens,
        mistakes={
            "heads_inside": lambda x, heads: rearrange(x, "b n (d head) -> b head n d", head=heads),
            "bare_reshape": lambda x, heads: _flat(
                x, "b (head n d) -> b head n d", head=heads, d=x.shape[-1] // heads
            ),
            "tokens_before_heads": lambda x, heads: rearrange(
                x, "b n (head d) -> b n head d", head=heads
            ),
            "features_before_tokens": lambda x, heads: rearrange(
                x, "b n (head d) -> b head d n", head=heads
            ),
        },
        axes="b head n d",
    ),
    "spatial": Exercise(
        solution=spatial,
        inputs=_projected,
        mistakes={
            "no_scale": lambda *x: _spatial(*x, scale=1.0),
            "scale_by_d": lambda *x: _spatial(*x, scale=1 / x[0].shape[-1]),
            "scale_of_all_channels": lambda q, *x: _spatial(
                q, *x, scale=(q.shape[1] * q.shape[-1]) ** -0.5
            ),
            "softmax_over_queries": lambda *x: _spatial(*x, dim=-2),
            "softmax_over_heads": lambda *x: _spatial(*x, dim=1),
            "no_softmax": lambda *x: _spatial(*x, dim=0),
            "one_projection": lambda q, k, v, e, f: spatial(q, k, v, e, e),
            "projections_exchanged": lambda q, k, v, e, f: spatial(q, k, v, f, e),
        },
        axes="b head n d",
        shown=lambda x: x[0, 0],
    ),
    "merge_heads": Exercise(
        solution=merge_heads,
        inputs=lambda random, size: (_qkv(random, size)[0],),
        mistakes={
            "heads_inside": lambda x: rearrange(x, "b head n d -> b n (d head)"),
            "released": merge_heads_scrambled,
            "bare_reshape": lambda x: _flat(x, "b (n c) -> b n c", n=x.shape[2]),
            "channels_first": lambda x: rearrange(x, "b head n d -> b (head d) n"),
            "averaged": lambda x: x.mean(1),
        },
        axes="b n c",
        shown=lambda x: x[0],
    ),
    "channel": Exercise(
        solution=channel,
        inputs=lambda random, size: (*_qkv(random, size), _temperature(random, size)),
        mistakes={
            "no_temperature": lambda q, k, v, t: _channel(q, k, v, 1),
            "divided": lambda q, k, v, t: _channel(q, k, v, 1 / t),
            "softmax_over_queries": lambda *x: _channel(*x, softmax=-2),
            "over_features": lambda *x: _channel(*x, normal=-1),
            "not_normalised": lambda *x: _channel(*x, normal=None),
            "transposed": lambda *x: _channel(*x, turned=True),
            "scaled_by_root_d": lambda q, k, v, t: _channel(q, k, v, q.shape[-1] ** -0.5),
        },
        axes="b head n d",
        shown=lambda x: x[0, 0],
    ),
    "keeps_place": Exercise(
        solution=_keeps_place,
        inputs=lambda random, size: (PROBES[size],),
        mistakes={
            "passes_all": lambda merge: True,
            "loses_nothing": _loses_nothing,
            "equals_ours": _equals_ours,
            "first_token": _first_token,
            "passes_a_shift": _passes_a_shift,
            "other_way_round": lambda merge: not _keeps_place(merge),
        },
    ),
    "cosine": Exercise(
        solution=choices.cosine,
        inputs=_own_inputs,
        mistakes={
            "no_temperature": lambda q, k, project, t: choices.cosine(q, k, project, torch.ones(1)),
            "logits": lambda q, k, project, t: _logits(choices.cosine(q, k, project, t))[0],
            "over_tokens": lambda q, k, project, t: (_unit(q, -2) * t, _unit(project(k), -2)),
            "temperature_twice": lambda q, k, project, t: (_unit(q) * t, _unit(project(k)) * t),
            "released": choices.token_cosine,
            "normalised_before_projection": lambda q, k, project, t: (
                _unit(q) * t,
                project(_unit(k)),
            ),
            "not_projected": lambda q, k, project, t: (_unit(q) * t, _unit(k)),
            "not_normalised": lambda q, k, project, t: (q * t, project(k)),
        },
        view=_logits,
    ),
}
