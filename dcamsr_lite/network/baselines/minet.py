"""MINet and SANet: two branches of residual channel attention, fused stage by stage."""

import torch
import torch.nn.functional as F
from einops import einsum, rearrange
from torch import Tensor, nn

from ..config import Config
from ..super_resolver import SuperResolver

FOLD = 2  # pixels of both images are sorted into channels of the half matrix


class ChannelAttentionBlock(nn.Module):
    """conv, ReLU, conv, every channel weighted by what its mean says; plus the input (RCAN)."""

    def __init__(self, channels: int):
        super().__init__()
        self.convs = nn.Sequential(
            nn.Conv2d(channels, channels, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(channels, channels, 3, padding=1),
        )
        self.weigh = nn.Sequential(
            nn.AdaptiveAvgPool2d(1),
            nn.Conv2d(channels, channels // 4, 1),
            nn.ReLU(),
            nn.Conv2d(channels // 4, channels, 1),
            nn.Sigmoid(),
        )

    def forward(self, x: Tensor) -> Tensor:
        y = self.convs(x)
        return x + y * self.weigh(y)


class SeparableFusion(nn.Module):
    """SANet: the reference comes in twice, where attention is high and where it is low.

    >>> fusion = SeparableFusion(8)
    >>> high, low = fusion.separate(torch.rand(1, 8, 4, 4), torch.rand(1, 8, 4, 4))
    >>> high.shape
    torch.Size([1, 8, 4, 4])
    """

    def __init__(self, channels: int):
        super().__init__()
        self.attend = nn.Sequential(nn.Conv2d(2 * channels, 1, 3, padding=1), nn.Sigmoid())
        self.merge = nn.Conv2d(3 * channels, channels, 3, padding=1)

    def separate(self, x: Tensor, reference: Tensor) -> tuple[Tensor, Tensor]:
        attention = self.attend(torch.cat([x, reference], dim=1))
        return attention * reference, (1 - attention) * reference

    def forward(self, x: Tensor, reference: Tensor) -> Tensor:
        return x + self.merge(torch.cat([x, *self.separate(x, reference)], dim=1))


class StageIntegration(nn.Module):
    """MINet: every stage of both contrasts is enriched by all others, as far as they are alike.

    (b, stage, c, h, w) -> the same. Alike: cosine over the whole feature, times a temperature.
    """

    def __init__(self):
        super().__init__()
        self.temperature = nn.Parameter(torch.ones(()))
        self.strength = nn.Parameter(torch.full((), 0.1))

    def weights(self, stages: Tensor) -> Tensor:
        """(b, stage, stage), rows sum to 1."""
        flat = F.normalize(rearrange(stages, "b s c h w -> b s (c h w)"), dim=-1)
        return (self.temperature * flat @ flat.mT).softmax(-1)

    def forward(self, stages: Tensor) -> Tensor:
        mixed = einsum(self.weights(stages), stages, "b s t, b t c h w -> b s c h w")
        return stages + self.strength * mixed


class MINet(SuperResolver):
    """Both images through stages of channel attention; fused at each stage, integrated at the end.

    >>> from dcamsr_lite import baseline
    >>> sum(p.numel() for p in baseline("minet").parameters())
    839842

    Feng et al., MICCAI 2021 (MINet), and arXiv 2109.01664 (SANet). ``blocks``: channel attention
    blocks of each stage and branch. Both images enter at the half matrix, four pixels to a channel.
    Left out: the loss on the reference's own reconstruction, the spatial half of MINet's
    channel-spatial attention, SANet's supervision of the attention.
    """

    def __init__(self, config: Config):
        super().__init__(config)
        c = config.channels
        self.heads = nn.ModuleList(nn.Conv2d(FOLD**2, c, 3, padding=1) for _ in range(2))
        branches = [
            nn.ModuleList(
                nn.Sequential(*(ChannelAttentionBlock(c) for _ in range(count)))
                for count in config.blocks
            )
            for _ in range(2)
        ]
        self.target, self.reference = branches
        self.fusions = nn.ModuleList(SeparableFusion(c) for _ in config.blocks)
        self.integrate = StageIntegration()
        self.join = nn.Conv2d(2 * len(config.blocks) * c, c, 1)
        self.tail = nn.Conv2d(c, FOLD**2, 3, padding=1)

    def detail(self, up: Tensor, reference: Tensor) -> Tensor:
        images = (F.pixel_unshuffle(one, FOLD) for one in (up, reference))
        x, r = (head(one) for head, one in zip(self.heads, images, strict=True))
        first, stages = x, []
        for target, guide, fuse in zip(self.target, self.reference, self.fusions, strict=True):
            x, r = target(x), guide(r)
            x = fuse(x, r)
            stages += [x, r]
        stages = self.integrate(torch.stack(stages, dim=1))
        joined = self.join(rearrange(stages, "b s c h w -> b (s c) h w"))
        return F.pixel_shuffle(self.tail(first + joined), FOLD)
