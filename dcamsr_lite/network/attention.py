"""Dual cross-attention (paper, Fig. 3, Eqs. 1-5) and its transformer block (Fig. 2b, Eqs. 6-7).

Axes: ``b`` batch, ``n`` tokens (the pixels, row-major ``(h w)``), ``c = head * d`` channels, ``p``
projected tokens. Queries come from the low-resolution image, keys and values from the reference.
"""

from typing import Any

import torch
import torch.nn.functional as F
from einops import rearrange
from torch import Tensor, nn

from .channels import relate_channels
from .fused import attend
from .parts import Recomputed
from .spatial_choices import (
    AttentionMap,
    Grid,
    SpatialAttention,
    Window,
    make_map,
    make_projections,
    make_temperature,
    spatial_attention,
)


def merge_heads(x: Tensor) -> Tensor:
    """b head n d -> b n c: with named axes the released mistake cannot be written."""
    return rearrange(x, "b head n d -> b n (head d)")


def merge_heads_scrambled(x: Tensor) -> Tensor:
    """The released merge: features outermost, tokens innermost, then cut into rows of c values.

    Each output "token" holds c consecutive positions of one feature plane: a bijection, so nothing
    is lost but location (UNETR++ issue 62).
    """
    channels = x.shape[1] * x.shape[3]
    planes = rearrange(x, "b head n d -> b (d head n)")
    return rearrange(planes, "b (n c) -> b n c", c=channels)


class SpatialBranch(nn.Module):
    """Where in the reference to look (Eq. 3): every pixel attends to p projected tokens.

    ``fused`` runs torch's fused attention, for training; the explicit softmax can be recorded and
    edited. ``merge`` is "aligned" or "scrambled" (released). One output per pixel: b n c.
    """

    def __init__(
        self,
        heads: int,
        tokens: int,
        grid: Grid,
        choice: str | SpatialAttention = "cosine",
        merge: str = "aligned",
        projections: int = 2,
        held: int | None = None,
        local: bool = False,
        dropout: float = 0.0,
    ):
        super().__init__()
        self.prepare = spatial_attention(choice)
        self.temperature = make_temperature(self.prepare, heads)
        made = make_projections(choice, tokens, grid, held, local, projections)
        self.project_key, self.project_value = made
        self.attention = make_map(choice, tokens)
        self.merge = {"aligned": merge_heads, "scrambled": merge_heads_scrambled}[merge]
        self.dropout = dropout
        self.fused = True
        self.heads = nn.Identity()  # the heads' outputs pass through here, to be watched or cut

    def forward(
        self, q: Tensor, k: Tensor, v: Tensor, grid: Grid, explicit: bool = False
    ) -> Tensor:
        return self.merge(self.heads(self.find(q, k, v, grid, explicit)))

    @property
    def window(self) -> Window | None:
        return self.attention if isinstance(self.attention, Window) else None

    def find(self, q: Tensor, k: Tensor, v: Tensor, grid: Grid, explicit: bool) -> Tensor:
        """What every query reads, head by head: b head n d."""
        fused = self.fused and not explicit
        ready = self.prepare(q, k, lambda x: self.project_key(x, grid), self.temperature)
        q, keys = ready if isinstance(ready, tuple) else (ready, None)
        v = self.project_value(v, grid)
        dropout = self.dropout if self.training else 0.0
        if self.window and keys is not None and fused:
            return self.window.fused(q, keys, v, grid, dropout)
        if self.window:
            return self.window.mix(F.dropout(self.attention(q, keys, grid), dropout), v, grid)
        if fused and keys is not None:
            return attend(q, keys, v, dropout)
        return F.dropout(self.attention(q, keys), dropout) @ v


class ChannelBranch(nn.Module):
    """Which feature of the reference to take (Eq. 4): d x d attention per head. One output: b n c.

    ``logits`` is "scaled_dot_product", as printed, where they grow with the number of pixels until
    the attention is one-hot, or "cosine" over the tokens times a learned temperature (released).
    """

    def __init__(self, heads: int, logits: str = "cosine", dropout: float = 0.0):
        super().__init__()
        cosine = {"cosine": True, "scaled_dot_product": False}[logits]
        self.temperature = nn.Parameter(torch.ones(heads, 1, 1)) if cosine else None
        self.dropout = dropout
        self.attention = AttentionMap()
        self.heads = nn.Identity()

    def forward(self, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        if self.temperature is None:
            logits = relate_channels(q, k) / q.shape[-1] ** 0.5
        else:
            logits = relate_channels(q, k, cosine=True) * self.temperature
        attention = F.dropout(self.attention(logits, None), self.dropout, self.training)
        x = attention @ rearrange(v, "b head n d -> b head d n")
        return merge_heads(self.heads(rearrange(x, "b head d n -> b head n d")))


class DualCrossAttention(nn.Module):
    """Eqs. 1-5: shared queries and keys, one value per branch, each branch reduced to half of c.

    >>> attention = DualCrossAttention(channels=16, heads=4, tokens=16, grid=(8, 8), channel=False)
    >>> attention(torch.rand(1, 64, 16), torch.rand(1, 64, 16), (8, 8)).shape
    torch.Size([1, 64, 16])

    x, reference (b, n, c) -> (b, n, c), spatial half first. With one branch switched off the other
    fills all channels. ``options`` go to SpatialBranch.
    """

    branch: type[SpatialBranch] = SpatialBranch

    def __init__(
        self,
        channels: int,
        heads: int,
        tokens: int,
        grid: Grid,
        spatial: bool = True,
        channel: bool = True,
        channel_logits: str = "cosine",
        dropout: float = 0.0,
        **options: Any,
    ):
        super().__init__()
        if not (spatial or channel):
            raise ValueError("both branches are off: keep the spatial or the channel attention")
        if channels % (2 * heads):
            raise ValueError(f"{channels} channels do not split into {heads} heads and two halves")
        branches = spatial + channel
        self.head_count = heads
        self.query = nn.Linear(channels, channels)
        self.key_values = nn.Linear(channels, (1 + branches) * channels)
        self.spatial = self.channel = None
        if channel:
            self.channel = ChannelBranch(heads, channel_logits, dropout)
            self.channel_out = nn.Linear(channels, channels // branches)
        if spatial:
            self.spatial = self.branch(heads, tokens, grid, dropout=dropout, **options)
            self.spatial_out = nn.Linear(channels, channels // branches)

    def forward(self, x: Tensor, reference: Tensor, grid: Grid) -> Tensor:
        (q,), (k, *v) = self.split(self.query(x)), self.split(self.key_values(reference))
        halves = []
        if self.spatial:
            halves.append(self.spatial_out(self.spatial(q, k, v[-1], grid)))
        if self.channel:
            halves.append(self.channel_out(self.channel(q, k, v[0])))
        return torch.cat(halves, dim=-1)

    def split(self, x: Tensor) -> Tensor:
        heads, d = self.head_count, self.query.out_features // self.head_count
        return rearrange(x, "b n (kind head d) -> kind b head n d", head=heads, d=d)


class DualCrossAttentionTransformer(Recomputed):
    """DCAT, Eqs. 6-7: x + DCA(LN(x), LN(reference)), then a residual feed-forward network.

    >>> block = DualCrossAttentionTransformer(16, heads=4, tokens=16, grid=(8, 8))
    >>> block(torch.rand(1, 16, 8, 8), torch.rand(1, 16, 8, 8)).shape
    torch.Size([1, 16, 8, 8])

    Images (b, c, h, w) in and out: the texture. ``norm_before_ffn`` is False in the released code.
    """

    dual: type[DualCrossAttention] = DualCrossAttention

    def __init__(self, channels: int, *, norm_before_ffn: bool = True, **attention: Any):
        super().__init__()
        self.norm = nn.LayerNorm(channels)  # one for both inputs, in the paper and in the code
        self.attention = self.dual(channels, **attention)
        self.norm_ffn = nn.LayerNorm(channels) if norm_before_ffn else nn.Identity()
        self.ffn = nn.Sequential(
            nn.Conv2d(channels, channels, 1), nn.ReLU(), nn.Conv2d(channels, channels, 1)
        )

    def compute(self, image: Tensor, reference: Tensor) -> Tensor:
        grid = image.shape[-2:]
        x, reference = (rearrange(i, "b c h w -> b (h w) c") for i in (image, reference))
        x = x + self.attention(self.norm(x), self.norm(reference), grid)
        x, normed = (rearrange(t, "b (h w) c -> b c h w", h=grid[0]) for t in (x, self.norm_ffn(x)))
        return x + self.ffn(normed)
