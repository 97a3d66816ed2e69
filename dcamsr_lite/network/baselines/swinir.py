"""SwinIR: self-attention in 8 x 8 windows, which every other layer shifts by half a window."""

import torch
from einops import rearrange
from torch import Tensor, nn

from ..config import Config
from ..super_resolver import pad_to_multiple
from .edsr import OnTheCoarseGrid

WINDOW = 8


def windows(x: Tensor, side: int = WINDOW) -> Tensor:
    """Cut an image into windows: (b, c, i * side, j * side) -> (b, i j, side^2, c)."""
    return rearrange(x, "b c (i y) (j x) -> b (i j) (y x) c", y=side, x=side)


def image(x: Tensor, rows: int, side: int = WINDOW) -> Tensor:
    """The way back; ``rows`` is the height of the image."""
    return rearrange(x, "b (i j) (y x) c -> b c (i y) (j x)", i=rows // side, y=side)


def wrapped(height: int, width: int, shift: int) -> Tensor:
    """Which pixels of a rolled image share a window without being neighbours: (windows, 64, 64)."""
    region = torch.zeros(1, 1, height, width)
    region[..., height - shift :, :] += 1
    region[..., width - shift :] += 2
    of_window = windows(region)[0, ..., 0]
    return of_window[:, :, None] != of_window[:, None]


class WindowAttention(nn.Module):
    """Softmax attention inside each window, with a learned bias for every relative position."""

    def __init__(self, channels: int, heads: int):
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(channels, 3 * channels)
        self.out = nn.Linear(channels, channels)
        self.bias = nn.Parameter(torch.zeros(heads, (2 * WINDOW - 1) ** 2))
        at = torch.cartesian_prod(torch.arange(WINDOW), torch.arange(WINDOW))
        apart = at[:, None] - at + WINDOW - 1
        where = apart[..., 0] * (2 * WINDOW - 1) + apart[..., 1]
        self.where: Tensor
        self.register_buffer("where", where, persistent=False)

    def forward(self, x: Tensor, forbidden: Tensor | None) -> Tensor:
        """(b, window, token, c); ``forbidden`` (window, token, token)."""
        split = "b w n (kind head d) -> kind b w head n d"
        q, k, v = rearrange(self.qkv(x), split, kind=3, head=self.heads)
        logits = q @ k.mT / q.shape[-1] ** 0.5 + self.bias[:, self.where]
        if forbidden is not None:
            logits = logits.masked_fill(forbidden[:, None], -torch.inf)
        return self.out(rearrange(logits.softmax(-1) @ v, "b w head n d -> b w n (head d)"))


class SwinLayer(nn.Module):
    """x + attention(norm(x)), then x + MLP(norm(x)); a shifted layer rolls the image before."""

    def __init__(self, channels: int, heads: int, shifted: bool):
        super().__init__()
        self.shift = WINDOW // 2 if shifted else 0
        self.norm1, self.norm2 = nn.LayerNorm(channels), nn.LayerNorm(channels)
        self.attention = WindowAttention(channels, heads)
        self.mlp = nn.Sequential(
            nn.Linear(channels, 2 * channels), nn.GELU(), nn.Linear(2 * channels, channels)
        )

    def forward(self, x: Tensor) -> Tensor:
        rows, columns = x.shape[-2:]
        x = pad_to_multiple(x, WINDOW).roll((-self.shift, -self.shift), (-2, -1))
        height, width = x.shape[-2:]
        forbidden = wrapped(height, width, self.shift).to(x.device) if self.shift else None
        tokens = windows(x)
        tokens = tokens + self.attention(self.norm1(tokens), forbidden)
        tokens = tokens + self.mlp(self.norm2(tokens))
        x = image(tokens, height).roll((self.shift, self.shift), (-2, -1))
        return x[..., :rows, :columns]


class SwinGroup(nn.Sequential):
    """Layers, every second one shifted, a convolution, plus the input."""

    def __init__(self, channels: int, heads: int, layers: int):
        made = [SwinLayer(channels, heads, i % 2 == 1) for i in range(layers)]
        super().__init__(*made, nn.Conv2d(channels, channels, 3, padding=1))

    def forward(self, x: Tensor) -> Tensor:
        return x + super().forward(x)


class SwinIR(OnTheCoarseGrid):
    """Residual groups of shifted-window transformer layers, for a single image.

    >>> from dcamsr_lite import baseline
    >>> sum(p.numel() for p in baseline("swinir").parameters())
    828316

    Liang et al., ICCV workshops 2021. ``blocks``: layers of each residual group. Left out: the
    normalisations before and after all groups, drop path.
    """

    def __init__(self, config: Config):
        super().__init__(config)
        c, heads = config.channels, config.heads
        self.body = nn.Sequential(*(SwinGroup(c, heads, layers) for layers in config.blocks))
