"""Sums over all tokens, in few passes over them: norms of features, and their products.

>>> q, k = torch.rand(2, 1, 8, 50, 4)
>>> relate_channels(q, k).allclose(q.mT @ k)
True
"""

import torch
import torch.nn.functional as F
from einops import rearrange
from torch import Tensor

STRIP = 4096  # tokens whose squares are there at once
HALF = (torch.float16, torch.bfloat16)  # in which sums over the tokens do not fit


def measure_tokens(x: Tensor) -> Tensor:
    """The norm of each feature over the tokens, b head n d -> b head 1 d; at least 1e-12.

    >>> measure_tokens(torch.ones(1, 1, 4, 2))
    tensor([[[[2., 2.]]]])
    """
    squares, *others = (part.square().sum(-2, keepdim=True) for part in x.split(STRIP, -2))
    for other in others:
        squares = squares + other
    return squares.clamp_min(1e-24).sqrt()


def normalise_tokens(x: Tensor, times: Tensor | None = None) -> Tensor:
    """F.normalize(x, dim=-2), times a number for each head.

    >>> bool(normalise_tokens(torch.ones(1, 1, 4, 2)).eq(0.5).all())
    True
    """
    if x.dtype in HALF:
        x = F.normalize(x, dim=-2)
        return x if times is None else x * times
    length = measure_tokens(x)
    return x / length if times is None else x * (times / length)


def relate_channels(q: Tensor, k: Tensor, cosine: bool = False) -> Tensor:
    """Products of each head's features, or their cosines, over all tokens: b head d d.

    One product of all features with all takes a quarter of the time of one for each head: of it the
    blocks on the diagonal are taken.
    """
    if cosine and q.dtype in HALF:
        q, k, cosine = normalise_tokens(q), normalise_tokens(k), False
    heads = q.shape[1]
    every = rearrange(q, "b head n d -> b (head d) n") @ rearrange(k, "b head n d -> b n (head d)")
    blocks = rearrange(every, "b (head i) (other j) -> b i j head other", head=heads, other=heads)
    products = rearrange(blocks.diagonal(dim1=-2, dim2=-1), "b i j head -> b head i j")
    return products / (measure_tokens(q).mT * measure_tokens(k)) if cosine else products
