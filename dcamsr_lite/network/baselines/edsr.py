"""EDSR: a residual convolutional network on the coarse grid, for a single image."""

import torch.nn.functional as F
from torch import Tensor, nn

from ..config import Config
from ..model import ResidualBlock
from ..super_resolver import SuperResolver


class OnTheCoarseGrid(SuperResolver):
    """What EDSR, SwinIR and ELAN share: work at the size of the input, sort channels into pixels.

    The upsampled input is taken apart into scale^2 images on the coarse grid (no value is lost),
    so that these networks see what the others see; a long skip goes around ``body``. No reference.
    """

    body: nn.Module

    def __init__(self, config: Config):
        super().__init__(config)
        c, s = config.channels, config.scale
        self.head = nn.Conv2d(s * s, c, 3, padding=1)
        self.after = nn.Conv2d(c, c, 3, padding=1)
        self.tail = nn.Conv2d(c, s * s, 3, padding=1)

    def detail(self, up: Tensor, reference: Tensor) -> Tensor:
        x = self.head(F.pixel_unshuffle(up, self.config.scale))
        return F.pixel_shuffle(self.tail(x + self.after(self.body(x))), self.config.scale)


class EDSR(OnTheCoarseGrid):
    """Residual blocks without batch normalisation, a long skip, pixel shuffle.

    >>> from dcamsr_lite import baseline
    >>> sum(p.numel() for p in baseline("edsr").parameters())
    794000

    Lim et al., CVPR workshops 2017. ``blocks``: (n,) residual blocks. Left out: residual scaling
    (needed for its 256 channels only) and the self-ensemble.
    """

    def __init__(self, config: Config):
        super().__init__(config)
        (count,) = config.blocks
        self.body = nn.Sequential(*(ResidualBlock(config.channels) for _ in range(count)))
