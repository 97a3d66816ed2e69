"""Slices along another direction of the body than they were stored in, and some of them.

>>> import torch
>>> read_slices("3:6", 10)
(3, 3)
"""

from dataclasses import replace

import numpy as np

from ..errors import InputError, check_one_of
from .geometry import has_place, name_slices_first
from .volume import Volume

PLANES = {
    "sagittal": 0,
    "coronal": 1,
    "axial": 2,
}  # across which of left-right, back-front, feet-head


def take_plane(volume: Volume, plane: str) -> Volume:
    """The volume as sagittal, coronal or axial slices, the nearest of its axes: nothing is resampled.

    >>> import torch
    >>> volume = Volume(torch.rand(4, 5, 6), affine=np.diag([1.0, 1, 3, 1]))  # axial: 6 x 5 x 4
    >>> take_plane(volume, "sagittal").images.shape
    torch.Size([6, 4, 5])

    Raises InputError for a volume that does not say where it lies.
    """
    check_one_of("--plane", plane, PLANES)
    if not has_place(volume):
        where = volume.path or "volume"
        raise InputError(where, f"no place, to take {plane} slices", "a file that says how it lies")
    from nibabel.orientations import io_orientation

    axis = [*io_orientation(np.asarray(volume.affine))[:, 0]].index(PLANES[plane])
    if axis == 2:
        return volume
    images = volume.images.movedim(2 - axis, 0).contiguous()
    return name_slices_first(replace(volume, images=images, kspace=None), axis)


def read_slices(text: str, count: int) -> tuple[int, int]:
    """The first slice and how many, of ``FIRST:END`` or one number; END is not one of them.

    >>> read_slices("4", 10), read_slices("8:", 10)
    ((4, 1), (8, 2))

    Raises InputError for others than there are.
    """
    first, colon, end = text.partition(":")
    try:
        start = int(first or 0)
        stop = int(end or count) if colon else start + 1
    except ValueError:
        start = stop = -1
    if not 0 <= start < stop <= count:
        raise InputError("--slices", repr(text), f"FIRST:END, or one, of 0 to {count}")
    return start, stop - start
