"""TTSR: one patch of the reference for each patch of the input, weighted by how alike they are."""

import torch
from torch import Tensor, nn

from ..config import Config
from ..model import Stage
from .matching import TextureTransfer, best_of_all


class TTSR(TextureTransfer):
    """Hard attention over all 3 x 3 patches, soft by its score, at three scales.

    >>> from dcamsr_lite import baseline
    >>> sum(p.numel() for p in baseline("ttsr").parameters())
    814113

    Yang et al., CVPR 2020, section 3. Queries are features of the upsampled input, keys those of the
    reference blurred alike, values those of the sharp reference; the best patch T by cosine S gives
    ``x + conv([x, T]) * S``. ``blocks``: residual blocks after that convolution, at levels 1, 2, 4.
    Left out: the pretrained extractor, the cross-scale integration (DCAMSR's decoder stands in its
    place), the perceptual, adversarial and texture losses.
    """

    find = staticmethod(best_of_all)

    def __init__(self, config: Config):
        super().__init__(config)
        c = config.channels
        self.joins = nn.ModuleList(Stage(2 * c, c, blocks) for blocks in config.blocks)

    def texture(self, level: int, x: Tensor, found: Tensor, score: Tensor) -> Tensor:
        return x + self.joins[level](torch.cat([x, found], dim=1)) * score
