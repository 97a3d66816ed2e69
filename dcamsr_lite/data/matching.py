"""Two volumes that belong together: read, turned onto each other, compared; what was odd is said.

>>> import torch
>>> full, target = read_pair(torch.rand(2, 16, 16), torch.rand(2, 16, 16))
>>> full.images.shape, full.notes
(torch.Size([2, 16, 16]), ())
"""

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
from torch import Tensor

from ..errors import InputError
from .background import find_offsets, find_pedestal
from .files import read_volume
from .geometry import (
    REGISTER,
    check_same_grid,
    follow_slices,
    keep_common_slices,
    name_volume,
    place_low,
    turn_onto,
)
from .oddities import describe_halves
from .volume import Volume

COMMON = "common_slices=True (--common-slices): the slices that both have"
Source = str | Path | np.ndarray | Tensor | Volume


def read_pair(
    reference: Source, target: Source, common_slices: bool = False
) -> tuple[Volume, Volume]:
    """Read a reference and a target as ``load_pair`` does: two volumes that lie on each other.

    >>> import torch
    >>> one, two = read_pair(torch.rand(3, 16, 16), torch.rand(2, 16, 16), common_slices=True)
    >>> one.images.shape, one.notes
    (torch.Size([2, 16, 16]), ('reference: 3 slices, target: 2; the common 2 are taken',))

    Their notes are printed on stderr. Raises InputError.
    """
    full, truth = read_magnitude(reference, "reference"), read_magnitude(target, "target")
    full = turn_onto(full, truth)
    sizes = [tuple(v.images.shape) for v in (truth, full)]
    if common_slices and sizes[0][1:] == sizes[1][1:]:
        full, truth = keep_common_slices(full, truth)
    elif sizes[0] != sizes[1]:
        found, beside = (describe_size(v.images) for v in (truth, full))
        expected = f"{REGISTER}, or the same matrix"
        if sizes[0][1:] == sizes[1][1:]:
            expected += f", or {COMMON}"
        found = f"{found} beside a reference of {beside}"
        raise InputError(truth.path or "target", found, expected)
    full = check_same_grid(full, truth)
    tell_notes(full, truth)
    return full, truth


def read_input(
    reference: Source, image: Source, scale: int, common_slices: bool = False
) -> tuple[Volume, Volume]:
    """Read a reference and an image to be sharpened as ``load_input`` does.

    >>> import torch
    >>> full, low = read_input(torch.rand(2, 16, 16), torch.rand(2, 4, 4), scale=4)
    >>> low.images.shape
    torch.Size([2, 4, 4])

    Their notes are printed on stderr. Raises InputError.
    """
    full, given = read_magnitude(reference, "reference"), read_magnitude(image, "input")
    turned, followed = turn_onto(full, given), follow_slices(given, full)
    if not _fit_planes(turned, given, scale) and followed is not given:
        again = turn_onto(full, followed)  # its own slices are taken, unless only so the sizes fit
        if _fit_planes(again, followed, scale):
            turned, given = again, followed
    full = turned
    fits = _fit_planes(full, given, scale)
    if fits and common_slices:
        full, given = keep_common_slices(full, given)
    elif not fits or len(full.images) != len(given.images):
        wanted = f"as the reference has, or 1/{scale} of its rows and columns"
        expected = f"{describe_size(full.images)} {wanted}"
        if fits:
            expected += f", or {COMMON}"
        raise InputError(given.path or "input", describe_size(given.images), expected)
    if given.images.shape == full.images.shape:
        full = check_same_grid(full, given)
    else:
        given, full = place_low(given, full, scale)
    tell_notes(full, given)
    return full, given


def _fit_planes(full: Volume, given: Volume, scale: int) -> bool:
    rows, columns = full.images.shape[1:]
    return tuple(given.images.shape[1:]) in ((rows, columns), (rows // scale, columns // scale))


def tell_notes(*volumes: Volume) -> None:
    """Print the notes of volumes on stderr, a line each.

    >>> import contextlib, torch
    >>> with contextlib.redirect_stderr(sys.stdout):
    ...     tell_notes(Volume(torch.rand(2, 8, 8), notes=("t1.nii: axes turned, LAS to RAS",)))
    note: t1.nii: axes turned, LAS to RAS
    """
    for volume in volumes:
        for note in volume.notes:
            print(f"note: {note}", file=sys.stderr)


def read_magnitude(source: Source, role: str) -> Volume:
    """A volume of magnitudes; an odd background is noted. Raises InputError for anything else.

    >>> import torch
    >>> read_magnitude(torch.rand(2, 8, 8), "reference").notes
    ()
    """
    volume = read_volume(source)
    low, high = float(volume.images.min()), float(volume.images.max())
    # a little undershoot comes from interpolation; more would be folded up by the LR magnitude
    if low < -0.1 * high:
        found = f"values from {low:.4g} to {high:.4g}"
        raise InputError(volume.path or role, found, "a magnitude image, in its own units")
    oddities = [describe_halves(volume.images)]
    oddities += [_describe_background(volume.images)] if volume.kspace is None else []
    name = name_volume(volume, role)
    notes = tuple(f"{name}: {words}" for words in oddities if words)
    return replace(volume, notes=(*volume.notes, *notes)) if notes else volume


def _describe_background(images: Tensor) -> str:
    """In what way the background of magnitude images lies elsewhere than at zero; else nothing."""
    offset = find_offsets(images)
    if count := int((offset < 0).sum()):
        some = "" if count == len(images) else f" in {count} of {len(images)} slices"
        what = f"its background is below zero{some}, down to {float(offset.min()):.4g}: an offset"
        return f"{what}, no part of what is cropped and measured"
    if floor := find_pedestal(images):
        what = (
            f"its background lies at {floor:.4g} or more, which noise does not explain: an offset"
        )
        return f"{what}? It makes the metrics better; subtract it"
    return ""


def describe_size(images: Tensor) -> str:
    """Sizes and what they are of.

    >>> import torch
    >>> describe_size(torch.rand(2, 16, 12))
    '2 x 16 x 12 (slice, row, column)'
    """
    return " x ".join(str(n) for n in images.shape) + " (slice, row, column)"
