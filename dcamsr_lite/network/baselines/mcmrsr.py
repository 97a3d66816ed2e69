"""McMRSR: Swin features, a match at several scales, and the measured k-space in the result."""

import torch
from torch import Tensor, nn

from ..config import Config
from ..model import Encoder, Stage
from .masa import coarse_to_fine
from .matching import TextureTransfer, enlarge, transfer
from .swinir import SwinGroup


class McMRSR(TextureTransfer):
    """Window transformers extract features, each scale is matched for itself, k-space is kept.

    >>> from dcamsr_lite import baseline
    >>> sum(p.numel() for p in baseline("mcmrsr").parameters())
    834177

    Li et al., CVPR 2022. The encoder's residual blocks at levels 2 and 4 are followed by shifted-
    window layers (``blocks[0]``, ``blocks[1]`` of them); levels 2 and 4 are matched, coarse to fine,
    each by its own features, and level 1 follows level 2; matches are aggregated by convolution from
    coarse to fine. ``consistency`` (on by default) puts the measured samples into the output exactly,
    where the paper has a loss; what that means for magnitude images: see kspace.restore_measured.
    Left out: window attention at full size, the paper's aggregation block (DCAMSR's fusion with SAM
    stands in its place), the consistency loss.
    """

    find = staticmethod(coarse_to_fine)

    def __init__(self, config: Config):
        super().__init__(config)
        c = config.channels
        self.encoder = SwinEncoder(config)
        self.joins = nn.ModuleList(Stage(2 * c, c, 1) for _ in range(3))

    def textures(self, features: list[Tensor], keys: list[Tensor], values: list[Tensor]) -> list:
        found = [self.match(q, k) for q, k in zip(features[1:], keys[1:], strict=True)]
        laid = [
            transfer(value, index, factor) * enlarge(score, factor)
            for value, (index, score), factor in zip(
                values, [found[0], *found], (2, 1, 1), strict=True
            )
        ]
        both = zip(self.joins, features, laid, strict=True)
        return [x + join(torch.cat([x, t], dim=1)) for join, x, t in both]


class SwinEncoder(Encoder):
    """DCAMSR's encoder with window transformers after its second and third stage."""

    def __init__(self, config: Config):
        super().__init__(config.channels, config.encoder_blocks)
        for stage, layers in zip(self.stages[1:], config.blocks, strict=True):
            stage.append(SwinGroup(config.channels, config.heads, layers))
