"""What a network has to beat: methods that take a pair and return a volume in the target's units.

>>> from dcamsr_lite.data.pairs import load_pair
>>> import numpy as np
>>> head = np.random.default_rng(0).random((1, 32, 32), np.float32)
>>> METHODS["zero-fill"](load_pair(head, head, scale=4)).shape
torch.Size([1, 32, 32])
"""

from collections.abc import Callable

import torch.nn.functional as F
from torch import Tensor

from ...data.pairs import Pair
from ...kspace import center_crop


def zero_fill(pair: Pair) -> Tensor:
    """The cropped complex k-space, zero-padded and transformed back: the honest floor."""
    return pair.zero_filled


def bicubic(pair: Pair) -> Tensor:
    """Bicubic interpolation of the low-resolution magnitude image, on the target's scale.

    The crop of k-space keeps pixel 0 of both grids in one place, so the samples are interpolated
    there; the usual half-pixel convention would shift the image by (scale - 1) / 2 pixels.
    """
    padded = [side * pair.scale for side in pair.low.shape[-2:]]
    low = F.pad(pair.low[:, None], (0, 1, 0, 1), mode="replicate")
    up = F.interpolate(low, [side + 1 for side in padded], mode="bicubic", align_corners=True)
    return center_crop(up[:, 0, :-1, :-1], pair.shape)


METHODS: dict[str, Callable[[Pair], Tensor]] = {"zero-fill": zero_fill, "bicubic": bicubic}
