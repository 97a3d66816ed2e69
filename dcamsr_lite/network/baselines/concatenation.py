"""The plain way to use a reference, in DCAMSR's own trunk: what does attention add to it?"""

import torch
from torch import Tensor, nn

from ..config import Config
from ..model import Decoder, Encoder, Stage
from ..super_resolver import SuperResolver


class Concatenation(SuperResolver):
    """DCAMSR's encoder, fusions and decoder; where it attends, this concatenates and convolves.

    >>> from dcamsr_lite import DCAMSR, baseline
    >>> sizes = [sum(p.numel() for p in m.parameters()) for m in (DCAMSR(), baseline("concatenation"))]
    >>> sizes, f"{sizes[1] / sizes[0] - 1:.1%}"
    ([823505, 814113], '-1.1%')

    ``blocks``: residual blocks after the concatenation at levels 1, 2 and 4. They make up for the
    parameters of the attention, most of which are the footprints of its projections; convolutions
    use theirs at every pixel, so most of them stand at the coarse level, where that is cheap. One
    pixel sees its neighbours only: what lies elsewhere in the reference cannot come in. Nothing is
    left out: this is our control, no published network.
    """

    def __init__(self, config: Config):
        super().__init__(config)
        c = config.channels
        self.encoder = Encoder(c, config.encoder_blocks)
        self.joins = nn.ModuleList(Stage(2 * c, c, blocks) for blocks in config.blocks)
        self.decoder = Decoder(c, config.decoder_blocks, config.shared_sam)
        self.last = nn.Conv2d(c, 1, config.last_kernel, padding="same")

    def detail(self, up: Tensor, reference: Tensor) -> Tensor:
        features = self.encoder(up)
        references = features if reference is up else self.encoder(reference)
        both = zip(self.joins, features, references, strict=True)
        textures = [join(torch.cat([x, r], dim=1)) for join, x, r in both]
        return self.last(self.decoder(features[-1], textures))
