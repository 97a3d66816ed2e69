"""The low-resolution image of a volume, and where its pixels lie on the network's grid.

>>> volume = Volume(torch.rand(2, 16, 16))
>>> low, filled = measure_low(volume, choose_order(volume), scale=2)
>>> sample_low(low, filled, (16, 16), scale=2).shape
torch.Size([2, 8, 8])
"""

import torch
from torch import Tensor

from ..kspace import center_pad, degrade, zero_fill
from .background import find_offsets
from .volume import Volume


def choose_order(volume: Volume) -> str:
    """How a volume is degraded unless it is said: coil by coil where there is k-space.

    >>> choose_order(Volume(torch.rand(2, 8, 8)))
    'image'
    """
    return "image" if volume.kspace is None else "coils"


def take_measured(volume: Volume, order: str) -> Tensor:
    """What is degraded: coils' k-space, or magnitudes without their offset.

    >>> take_measured(Volume(torch.rand(2, 8, 8)), "coils").shape
    torch.Size([2, 8, 8])
    """
    if order == "coils" and volume.kspace is not None:
        return volume.kspace
    return volume.images - find_offsets(volume.images)  # which a magnitude would fold up


def measure_low(volume: Volume, order: str, scale: int) -> tuple[Tensor, Tensor]:
    """The LR images and the zero-filled ones (slice, row, column) of a full-size volume.

    >>> low, filled = measure_low(Volume(torch.rand(2, 16, 16)), "image", scale=4)
    >>> low.shape, filled.shape
    (torch.Size([2, 4, 4]), torch.Size([2, 16, 16]))
    """
    full = take_measured(volume, order)
    # slice by slice: the coils of a whole fastMRI volume may be a gigabyte
    low = torch.stack([degrade(one, scale, order) for one in full])
    return low, torch.stack([zero_fill(one, scale, order) for one in full])


def sample_low(low: Tensor, filled: Tensor, grid: tuple[int, int], scale: int) -> Tensor:
    """The LR image on the network's grid: its pixel (i, j) lies on the padded image's (i s, j s).

    >>> low, filled = torch.rand(1, 25, 31), torch.rand(1, 50, 62)
    >>> sample_low(low, filled, (56, 64), scale=2).shape
    torch.Size([1, 28, 32])

    ``grid`` is a multiple of twice the scale, so that pixel 0 of both lies in one place, which is
    what networks and bicubic upsampling take for granted. An odd crop lies between such pixels, and
    that of a size that is no multiple of the scale has pixels of another size; but an image without
    high frequencies may be looked at anywhere, and zero-fill is that: every s-th pixel of it is taken.
    """
    if (low.shape[-2] * scale, low.shape[-1] * scale) == grid:
        return low
    return center_pad(filled, grid)[..., ::scale, ::scale]
