"""The variant ``aligned``: the spatial attention finds where in the reference a place lies.

Two contrasts of one head may not lie on each other. Every query looks at the offsets around its own
place, the votes of many queries are put together, and what is found takes the reference's place: for
both branches of the dual cross-attention, and for the encoder's next stage.

>>> from dcamsr_lite import DCAMSR
>>> model = DCAMSR(scale=4, image_size=32, variant="aligned")
>>> model(torch.rand(1, 1, 8, 8), torch.rand(1, 1, 32, 32)).shape
torch.Size([1, 1, 32, 32])
"""

from collections.abc import Iterable
from typing import Any

import torch
from einops import rearrange
from torch import Tensor, nn

from .attention import (
    DualCrossAttention,
    DualCrossAttentionTransformer,
    Grid,
    SpatialBranch,
    merge_heads,
)
from .config import LEVELS


class Finder(SpatialBranch):
    """The spatial branch before its heads are merged: what every query reads, b head n d."""

    def forward(
        self, q: Tensor, k: Tensor, v: Tensor, grid: Grid, explicit: bool = False
    ) -> Tensor:
        return self.find(q, k, v, grid, explicit)


class Place(nn.Module):
    """Takes the reference as it was found, not as it lies there. A module, so that it can be cut."""

    def forward(self, found: Tensor, reference: Tensor) -> Tensor:
        return found


class AligningCrossAttention(DualCrossAttention):
    """Spatial first, then channel: ``find`` moves the reference, and both halves read it as found.

    >>> attention = AligningCrossAttention(16, 4, 9, (8, 8), choice="offsets")
    >>> x, reference = torch.rand(2, 1, 64, 16)
    >>> attention(x, attention.find(x, reference, reference, (8, 8)), (8, 8)).shape
    torch.Size([1, 64, 16])

    The spatial half of the output is then the value at every query's own place.
    """

    branch = Finder

    def __init__(self, *arguments: Any, **options: Any):
        super().__init__(*arguments, **options)
        self.place = Place()

    def find(self, x: Tensor, reference: Tensor, values: Tensor, grid: Grid) -> Tensor:
        """What lies where x looks in the reference: values (b, n, any number), moved."""
        if self.spatial is None:
            return values
        (q,), (k, *_) = self.split(self.query(x)), self.split(self.key_values(reference))
        found = self.spatial(q, k, rearrange(values, "b n d -> b 1 n d"), grid)
        return self.place(merge_heads(found), values)

    def forward(self, x: Tensor, reference: Tensor, grid: Grid) -> Tensor:
        (q,), (k, *v) = self.split(self.query(x)), self.split(self.key_values(reference))
        halves = []
        if self.spatial:
            halves.append(self.spatial_out(merge_heads(self.spatial.heads(v[-1]))))
        if self.channel:
            halves.append(self.channel_out(self.channel(q, k, v[0])))
        return torch.cat(halves, dim=-1)


class AligningTransformer(DualCrossAttentionTransformer):
    """A DCAT that can bring its reference, or other pictures of it, to where the image is.

    >>> block = AligningTransformer(16, heads=4, tokens=9, grid=(8, 8), choice="offsets")
    >>> image, reference = torch.rand(2, 1, 16, 8, 8)
    >>> block(image, block.find(image, reference, reference)).shape
    torch.Size([1, 16, 8, 8])
    """

    dual = AligningCrossAttention

    def find(self, image: Tensor, reference: Tensor, values: Tensor) -> Tensor:
        """(b, c, h, w), likewise, and (b, any, h, w) -> the values where they were found."""
        attention: Any = self.attention
        parts = [self.norm, attention.query, attention.key_values, attention.place]
        if attention.spatial:  # whose heads are read when all is found
            parts += [p for p in attention.spatial.modules() if p is not attention.spatial.heads]
        return self.recall(self._find, (image, reference, values), parts)

    def _find(self, image: Tensor, reference: Tensor, values: Tensor) -> Tensor:
        grid = image.shape[-2:]
        x, r, values = (rearrange(i, "b c h w -> b (h w) c") for i in (image, reference, values))
        found = self.attention.find(self.norm(x), self.norm(r), values, grid)
        return rearrange(found, "b (h w) c -> b c h w", h=grid[0])


def encode_as_found(
    stages: Iterable[nn.Module],
    blocks: dict[int, Any],
    features: list[Tensor],
    reference: Tensor,
) -> list[Tensor]:
    """Features of the reference, fine to coarse, each stage going on from it as it was found.

    At the finest level the image itself is moved and encoded anew; at others its features are.
    """
    references = []
    for level, stage, x in zip(LEVELS, stages, features, strict=True):
        seen = stage(reference)
        if level == 1 and level in blocks:
            seen = stage(blocks[level].find(x, seen, reference))
        elif level in blocks:
            seen = blocks[level].find(x, seen, seen)
        references.append(seen)
        reference = seen
    return references
