"""MASA: find the block first, the patch inside it afterwards; then adapt its statistics (SAM)."""

import torch
from einops import rearrange
from torch import Tensor

from .matching import TextureTransfer, gather, patches

BLOCK, MARGIN = 8, 3  # sides of an input block; how far the fine search goes beyond its size


def coarse_to_fine(query: Tensor, key: Tensor) -> Tensor:
    """Match the centre of every 8 x 8 block among all places, then its pixels around that match.

    >>> x = torch.rand(1, 8, 16, 16)
    >>> torch.equal(coarse_to_fine(x, x), torch.arange(256)[None])
    True

    (b, c, h, w) both -> index (b, h w). The centre is compared in two dilations, so that it stands
    for its surroundings. Of (h w)^2 comparisons, about (h w) (h w / 64 + 196) are left.
    """
    height, width = query.shape[-2:]
    row = torch.arange(-(-height // BLOCK) * BLOCK, device=query.device).clamp(max=height - 1)
    column = torch.arange(-(-width // BLOCK) * BLOCK, device=query.device).clamp(max=width - 1)
    place = row[:, None] * width + column  # every block is whole: the last row stands in beyond it
    blocks = rearrange(place, "(i y) (j x) -> (i j) (y x)", y=BLOCK, x=BLOCK)
    centres = blocks[:, BLOCK * BLOCK // 2 + BLOCK // 2].expand(len(query), -1)
    q, k = patches(query), patches(key)
    wide = gather(patches(query, dilation=2), centres) @ patches(key, dilation=2).mT
    found = (gather(q, centres) @ k.mT + wide).argmax(-1)
    around = torch.arange(-BLOCK // 2 - MARGIN, BLOCK // 2 + MARGIN, device=query.device)
    rows = (found // width)[..., None] + around
    columns = (found % width)[..., None] + around
    rows, columns = rows.clamp(0, height - 1), columns.clamp(0, width - 1)
    candidates = rearrange(rows[..., None] * width + columns[..., None, :], "b k y x -> b k (y x)")

    def of_blocks(tokens: Tensor, index: Tensor) -> Tensor:
        cut = gather(tokens, rearrange(index, "b k n -> b (k n)"))
        return rearrange(cut, "b (k n) c -> b k n c", k=index.shape[1])

    q = of_blocks(q, blocks.expand(len(query), -1, -1))
    best = (q @ of_blocks(k, candidates).mT).argmax(-1)
    index = candidates.gather(-1, best)
    index = rearrange(index, "b (i j) (y x) -> b (i y) (j x)", i=len(row) // BLOCK, y=BLOCK)[
        :, :height, :width
    ]
    return rearrange(index, "b h w -> b (h w)")


class MASA(TextureTransfer):
    """Coarse-to-fine match, and textures brought to the statistics of the decoder's features.

    >>> from dcamsr_lite import baseline
    >>> sum(p.numel() for p in baseline("masa").parameters())
    795713

    Lu et al., CVPR 2021, sections 3.2 and 3.3. The spatial adaptation module (SAM) is the one that
    DCAMSR took over from MASA and stands in its decoder. Left out: the dual residual aggregation
    (DCAMSR's fusion stands in its place), the perceptual and adversarial losses.
    """

    find = staticmethod(coarse_to_fine)

    def texture(self, level: int, x: Tensor, found: Tensor, score: Tensor) -> Tensor:
        return found * score
