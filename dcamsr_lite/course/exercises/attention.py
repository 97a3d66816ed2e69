"""Exercises on both attentions, in the order of the prose: heads, spatial, merge, channel, a test.

>>> sorted(EXERCISES)
['channel', 'cosine', 'keeps_place', 'merge_heads', 'spatial', 'split_heads']
"""

from typing import Any

import torch
import torch.nn.functional as F
from einops import einsum, rearrange
from torch import Tensor

from ...network import tokens
from ...network.attention import merge_heads, merge_heads_scrambled
from ..exercise import Exercise

HEADS, D, TOKENS = 3, 4, 5


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


def _qkv(random, size: int) -> list[Tensor]:
    return [2 * x for x in random(3, 2, HEADS, size, D)]


def _flat(x: Tensor, pattern: str, **sizes: int) -> Tensor:
    """What a bare reshape does: the numbers stay in line, and the line is cut anew."""
    return rearrange(rearrange(x, "b ... -> b (...)"), pattern, **sizes)


def _moved(x: Tensor) -> Tensor:
    return merge_heads(x).roll(1, dims=1)


def _first_head(x: Tensor) -> Tensor:
    return merge_heads(x[:, :1].expand_as(x))


PROBES = {6: merge_heads, 9: merge_heads_scrambled, 12: _moved, 16: _first_head}


def _keeps_place(merge) -> bool:
    x = torch.arange(2 * 6 * 4.0).square().view(1, 2, 6, 4)
    return torch.equal(merge(x.flip(2)), merge(x).flip(1))


def _loses_nothing(merge) -> bool:
    x = torch.arange(2 * 6 * 4.0).view(1, 2, 6, 4)
    return torch.equal(merge(x).flatten().sort().values, x.flatten())


def _passes_a_shift(merge) -> bool:
    x = torch.arange(2 * 6 * 4.0).square().view(1, 2, 6, 4)
    return torch.equal(merge(x.roll(1, 2)), merge(x).roll(1, 1))


def _equals_ours(merge) -> bool:
    x = torch.arange(2 * 6 * 4.0).view(1, 2, 6, 4)
    return torch.equal(merge(x), merge_heads(x))


def _own_inputs(random, size: int) -> tuple:
    q, k, _ = _qkv(random, size)
    e = random(TOKENS, size)
    return q, k, lambda x: e @ x, random(HEADS, 1, 1).abs() + 2


def _logits(result: Any) -> Any:
    """Of the pair what counts, the inner products; as a tuple, so that no bare tensor equals it."""
    if isinstance(result, tuple) and len(result) == 2:
        return (result[0] @ result[1].mT,)
    return result


EXERCISES = {
    "split_heads": Exercise(
        solution=split_heads,
        inputs=lambda random, size: (random(2, size, HEADS * D), HEADS),
        mistakes={
            "Heads are outermost in the channels, (head d); you wrote (d head).": lambda x, heads: (
                rearrange(x, "b n (d head) -> b head n d", head=heads)
            ),
            "A bare reshape cuts the line of numbers anew, across tokens: name the axes instead.": (
                lambda x, heads: _flat(
                    x, "b (head n d) -> b head n d", head=heads, d=x.shape[-1] // heads
                )
            ),
            "The axes are (b n head d): tokens and heads are exchanged.": lambda x, heads: (
                rearrange(x, "b n (head d) -> b n head d", head=heads)
            ),
            "Tokens and features are exchanged: (b head n d), not (b head d n).": lambda x, heads: (
                rearrange(x, "b n (head d) -> b head d n", head=heads)
            ),
        },
        axes="b head n d",
        hint='rearrange(x, "b n (...) -> b head n d", head=heads).',
    ),
    "spatial": Exercise(
        solution=spatial,
        inputs=lambda random, size: (
            *_qkv(random, size),
            random(TOKENS, size) / 2,
            random(TOKENS, size) / 2,
        ),
        mistakes={
            "The factor 1 / sqrt(d) is missing.": lambda *x: _spatial(*x, scale=1.0),
            "Divide by sqrt(d), not by d.": lambda *x: _spatial(*x, scale=1 / D),
            "Divide by the root of d, the features of one head; you took all channels, head * d.": (
                lambda *x: _spatial(*x, scale=(HEADS * D) ** -0.5)
            ),
            "The softmax runs over the wrong axis, the queries n: each query's weights on the"
            " projected tokens p have to sum to one.": lambda *x: _spatial(*x, dim=-2),
            "The softmax runs over the wrong axis, the heads.": lambda *x: _spatial(*x, dim=1),
            "The softmax is missing.": lambda *x: _spatial(*x, dim=0),
            "The values have a projection of their own: f, not e.": lambda q, k, v, e, f: spatial(
                q, k, v, e, e
            ),
            "The projections are exchanged: e is for the keys, f for the values.": (
                lambda q, k, v, e, f: spatial(q, k, v, f, e)
            ),
        },
        axes="b head n d",
        hint="Project k with e and v with f, then softmax(q k^T / sqrt(d)) v.",
        shown=lambda x: x[0, 0],
    ),
    "merge_heads": Exercise(
        solution=merge_heads,
        inputs=lambda random, size: (random(2, HEADS, size, D),),
        mistakes={
            "Heads are merged in the wrong order: (head d), as they were split, not (d head).": (
                lambda x: rearrange(x, "b head n d -> b n (d head)")
            ),
            "That is the released mistake: features outermost, then cut into rows. Each row holds"
            " one feature of many tokens.": merge_heads_scrambled,
            "A bare reshape of (b head n d) puts several tokens of one head into a row: move the"
            " heads behind the tokens first.": lambda x: _flat(x, "b (n c) -> b n c", n=x.shape[2]),
            "The axes are (b c n): channels last.": lambda x: rearrange(
                x, "b head n d -> b (head d) n"
            ),
            "The heads were averaged; they have to stand side by side.": lambda x: x.mean(1),
        },
        axes="b n c",
        hint='rearrange(x, "b head n d -> b n (...)").',
        shown=lambda x: x[0],
    ),
    "channel": Exercise(
        solution=channel,
        inputs=lambda random, size: (*_qkv(random, size), random(HEADS, 1, 1).abs() + 2),
        mistakes={
            "The temperature is missing.": lambda q, k, v, t: _channel(q, k, v, 1),
            "Multiply by the temperature; you divided.": lambda q, k, v, t: _channel(
                q, k, v, 1 / t
            ),
            "The softmax runs over the wrong axis, the query features: each row has to sum to"
            " one.": lambda *x: _channel(*x, softmax=-2),
            "Normalise over the tokens n, dim=-2; you normalised over the features d.": lambda *x: (
                _channel(*x, normal=-1)
            ),
            "Nothing is normalised: the logits grow with the number of pixels.": lambda *x: (
                _channel(*x, normal=None)
            ),
            "The attention is applied transposed: output feature i is the sum over j of"
            " A[i, j] v[j].": lambda *x: _channel(*x, turned=True),
            "That is scaled by 1 / sqrt(d) instead of the temperature.": lambda q, k, v, t: (
                _channel(q, k, v, D**-0.5)
            ),
        },
        axes="b head n d",
        hint="Normalise q and k over the tokens; softmax(q^T k * temperature) is d x d.",
        shown=lambda x: x[0, 0],
    ),
    "keeps_place": Exercise(
        solution=_keeps_place,
        inputs=lambda random, size: (PROBES[size],),
        mistakes={
            "Your test passes every merge, the scramble too. A shape, a sum or a constant input"
            " cannot see the place: move the tokens of the input and look where they come out.": (
                lambda merge: True
            ),
            "Your test asks whether values are lost. The scramble loses none, it moves them.": (
                _loses_nothing
            ),
            "Your test compares with one merge only. Another merge may also keep every token in"
            " its place: test the property.": _equals_ours,
            "A merge that shifts all tokens alike passes that: one shift after another is the same"
            " either way. Reorder so that it is not, for example by flip.": _passes_a_shift,
            "The other way round: True where the place is kept.": lambda merge: (
                not _keeps_place(merge)
            ),
        },
        hint="merge(x with tokens reordered) must equal merge(x) with rows reordered alike.",
    ),
    "cosine": Exercise(
        solution=tokens.cosine,
        inputs=_own_inputs,
        mistakes={
            "The temperature is missing.": lambda q, k, project, t: tokens.cosine(
                q, k, project, torch.ones(1)
            ),
            "You returned the logits; return the pair (queries, projected keys).": (
                lambda q, k, project, t: _logits(tokens.cosine(q, k, project, t))[0]
            ),
            "That normalises over the tokens: normalise over the features (the last axis).": (
                lambda q, k, project, t: (
                    F.normalize(q, dim=-2) * t,
                    F.normalize(project(k), dim=-2),
                )
            ),
            "The temperature belongs on one of the two, the queries; you took it twice.": (
                lambda q, k, project, t: (
                    F.normalize(q, dim=-1) * t,
                    F.normalize(project(k), dim=-1) * t,
                )
            ),
            "Normalise over the features, dim=-1; you normalised over the tokens, as the released"
            " code does, and every entry becomes tiny.": tokens.token_cosine,
            "Project first, then normalise: a sum of unit vectors is no unit vector.": (
                lambda q, k, project, t: (
                    F.normalize(q, dim=-1) * t,
                    project(F.normalize(k, dim=-1)),
                )
            ),
            "The keys are not projected: project(k) has p tokens.": lambda q, k, project, t: (
                F.normalize(q, dim=-1) * t,
                F.normalize(k, dim=-1),
            ),
            "Nothing is normalised: that is the scaled dot product without its scale.": (
                lambda q, k, project, t: (q * t, project(k))
            ),
        },
        hint="Return two tensors: unit queries times temperature, and unit projected keys.",
        view=_logits,
    ),
}
