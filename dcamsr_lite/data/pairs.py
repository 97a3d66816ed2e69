"""Pairs of a reference and a target contrast: degraded, padded, normalised, and the way back.

>>> import numpy as np
>>> t1, t2 = np.random.default_rng(0).random((2, 3, 20, 24))
>>> pair = load_pair(t1, t2, scale=4)
>>> pair.lr.shape, pair.ref.shape
(torch.Size([3, 1, 6, 6]), torch.Size([3, 1, 24, 24]))
>>> torch.allclose(pair.restore(pair.target), torch.tensor(t2).float(), atol=1e-5)
True
"""

import math
from dataclasses import dataclass, replace
from numbers import Integral
from operator import attrgetter
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..errors import InputError, check_whole
from ..kspace import center_crop, center_pad, zero_fill_image
from ..network.config import MULTIPLE
from .background import find_offsets
from .geometry import has_place, keep_slices, place_crop
from .low_resolution import choose_order, measure_low, sample_low, take_measured
from .matching import Source, describe_size, read_input, read_magnitude, read_pair, tell_notes
from .misalignment import tell_misalignment
from .normalisation import NORMALISATIONS, find_contrast, normalise_reference, normalise_target
from .registration import Registration, register_onto
from .resampling import choose_grid
from .volume import Volume

SCALES = (2, 8)  # the least and the most
SMALLEST = 8  # rows and columns of a full-size image


@dataclass(frozen=True)
class Pair:
    """One reference and one target volume, as they were and as the network wants them.

    >>> pair = load_pair(torch.rand(2, 16, 16), torch.rand(2, 16, 16), scale=2)
    >>> pair
    Pair: array guides array, 2 slices of 16 x 16, 2x, clean
    >>> pair.low.shape, pair.shape
    (torch.Size([2, 8, 8]), (16, 16))

    ``reference`` and ``given`` are the volumes: ``given`` is the target, or the low-resolution image
    that came without its original (``load_input``); then there is no ``target``. Its k-space is kept
    if it is from memory and was degraded coil by coil (that of a file would fill the memory, and can
    be read again). ``lr`` (slice, 1, H/s, W/s), ``ref`` and ``target`` (slice, 1, H, W) are
    normalised, on a grid zero-padded to a multiple of 8 and of the scale. ``mean`` and ``std``
    (slice, 1, 1, 1) lead back: target's units = normalised * std + mean, in both normalisations (in
    the released one they are those of an LR image that is s times brighter, and nothing more has to
    be undone). ``low`` is the LR image on the target's scale and ``zero_filled`` (slice, rows, columns)
    what can be made of it without a network, in the target's units: neither knows of the padding,
    they are ``kspace.degrade`` and ``kspace.zero_fill`` of the target at its own size.
    ``registration`` says how the reference was brought onto the target, where that was asked for.
    """

    reference: Volume
    given: Volume
    scale: int
    order: str
    normalisation: str
    lr: Tensor
    ref: Tensor
    target: Tensor | None
    mean: Tensor
    std: Tensor
    low: Tensor
    zero_filled: Tensor
    registration: Registration | None = None

    reference_image = property(attrgetter("reference.images"))
    reference_path = property(attrgetter("reference.path"))
    target_path = property(attrgetter("given.path"))
    target_kspace = property(attrgetter("given.kspace"))
    contrast = property(attrgetter("given.contrast"))
    field_of_view = property(attrgetter("grid.field_of_view"))
    slice_thickness = property(attrgetter("grid.slice_thickness"))
    affine = property(attrgetter("grid.affine"))
    nifti = property(attrgetter("grid.nifti"))

    def __repr__(self) -> str:
        volumes = (self.reference, self.given)
        names = [Path(v.path).name if v.path else v.contrast or "array" for v in volumes]
        size = "{} slices of {} x {}".format(*self.reference.images.shape)
        return f"Pair: {' guides '.join(names)}, {size}, {self.scale}x, {self.normalisation}"

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of the images, without padding."""
        _, rows, columns = self.reference.images.shape
        return rows, columns

    @property
    def target_image(self) -> Tensor | None:
        """The target (slice, row, column) in its own units; None where the input came without it."""
        return None if self.target is None else self.given.images

    @property
    def offset(self) -> Tensor:
        """What was added to the target's magnitudes, (slice, 1, 1) <= 0: ``background.find_offsets``.

        >>> load_pair(torch.rand(2, 16, 16), torch.rand(2, 16, 16), scale=2).offset.flatten()
        tensor([0., 0.])
        """
        offset = find_offsets(self.given.images)
        return torch.zeros_like(offset) if self.order == "coils" else offset

    @property
    def notes(self) -> tuple[str, ...]:
        """What was found odd in the volumes, and what was done about it, a line each.

        >>> load_pair(torch.rand(2, 16, 16), torch.rand(2, 16, 16), scale=2).notes
        ()
        """
        return (*self.reference.notes, *self.given.notes)

    @property
    def grid(self) -> Volume:
        """The full-size grid, to be handed to ``write_volume`` as ``like``.

        >>> load_pair(torch.rand(2, 9, 8), torch.rand(2, 9, 8), scale=2).grid.images.shape
        torch.Size([2, 9, 8])
        """
        # an LR image does not describe the grid of full size, on which the output lies
        sized = self.reference if self.target is None else self.given
        placed = self.reference if self.given.affine is None else sized
        return Volume(
            self.reference.images,
            path=self.given.path,
            contrast=self.contrast,
            field_of_view=sized.field_of_view,
            slice_thickness=sized.slice_thickness,
            affine=placed.affine,
            nifti=placed.nifti,
        )

    @property
    def low_grid(self) -> Volume:
        """The grid of ``low``, to be handed to ``write_volume``: a crop keeps the middle pixel's place.

        >>> pair = load_pair(torch.rand(2, 16, 16), torch.rand(2, 16, 16), scale=2)
        >>> pair.low_grid.images.shape
        torch.Size([2, 8, 8])
        """
        grid = self.grid
        affine = None
        if has_place(grid):
            affine = np.asarray(grid.affine) @ place_crop(
                tuple(grid.images.shape), tuple(self.low.shape)
            )
        return replace(grid, images=self.low, affine=affine, nifti=None)

    def restore(self, sr: Tensor) -> Tensor:
        """From the network's output to the target's units, (slice, rows, columns), unpadded.

        >>> pair = load_pair(torch.rand(2, 17, 16), torch.rand(2, 17, 16), scale=2)
        >>> pair.restore(pair.target).shape
        torch.Size([2, 17, 16])

        A slice whose LR image has no contrast is the zero-filled one: a network has nothing to go by.
        """
        # half precision is too coarse here
        sr = sr.to(torch.promote_types(sr.dtype, torch.float32))
        std, zero_filled = self.std.to(sr), self.zero_filled.to(sr)
        image = (sr * std + self.mean.to(sr)).squeeze(1)
        return torch.where(std.squeeze(1) > 0, center_crop(image, self.shape), zero_filled)

    def take_slice(self, index: int) -> "Pair":
        """One slice of the pair.

        >>> pair = load_pair(torch.rand(3, 16, 16), torch.rand(3, 16, 16), scale=2)
        >>> pair.take_slice(1).target_image.shape
        torch.Size([1, 16, 16])
        """
        return self.take_slices(index, 1)

    def take_slices(self, first: int, count: int) -> "Pair":
        """Some slices of the pair, which lie where they lay.

        >>> load_pair(torch.rand(5, 16, 16), torch.rand(5, 16, 16), scale=2).take_slices(1, 3)
        Pair: array guides array, 3 slices of 16 x 16, 2x, clean
        """
        return replace(
            self, **{name: _take_slices(part, first, count) for name, part in vars(self).items()}
        )

    def with_reference(self, images: Tensor) -> "Pair":
        """The pair with other magnitudes (slice, row, column) in the place of the reference.

        >>> pair = load_pair(torch.rand(2, 16, 16), torch.rand(2, 16, 16), scale=2)
        >>> float(pair.with_reference(torch.zeros(2, 16, 16)).ref.abs().max())
        0.0

        They are normalised as ``load_pair`` does it, but may be blank.
        """
        padded = center_pad(images, tuple(self.ref.shape[-2:]))
        ref = normalise_reference(padded, images, self.scale, "image", self.normalisation)
        ref = ref * find_contrast(images)
        return replace(self, reference=replace(self.reference, images=images), ref=ref)

    def with_target(self, images: Tensor, low: Tensor, zero_filled: Tensor) -> "Pair":
        """The pair with another target (slice, row, column), and what was measured of it.

        >>> pair = load_pair(torch.rand(2, 16, 16), torch.rand(2, 16, 16), scale=2)
        >>> same = pair.with_target(pair.target_image, pair.low, pair.zero_filled)
        >>> torch.equal(same.lr, pair.lr)
        True
        """
        grid = (self.ref.shape[-2], self.ref.shape[-1])
        placed, contrast = sample_low(low, zero_filled, grid, self.scale), find_contrast(low)
        padded = center_pad(images, grid)
        normalised = normalise_target(padded, placed, self.scale, self.normalisation, contrast)
        given = replace(self.given, images=images)
        return replace(self, given=given, low=low, zero_filled=zero_filled, **normalised)


def _take_slices(part: Any, first: int, count: int) -> Any:
    """Cut what has slices; the rest is of the whole."""
    if isinstance(part, Volume):
        return keep_slices(part, first, count)
    if isinstance(part, Registration) and part.unmoved is not None:
        return replace(part, unmoved=part.unmoved[first : first + count])
    return part[first : first + count] if isinstance(part, Tensor) else part


def load_pair(
    reference: Source,
    target: Source,
    scale: int,
    order: str | None = None,
    normalisation: str = "clean",
    common_slices: bool = False,
    register: bool = False,
) -> Pair:
    """Read a reference and a target, on the same matrix unless registered, and degrade the target.

    >>> pair = load_pair(torch.rand(2, 16, 16), torch.rand(2, 16, 16), scale=2)
    >>> pair.order, pair.normalisation
    ('image', 'clean')

    Files, arrays (magnitude images, in any units) or volumes, see ``read_volume``. ``order`` is how
    the target is degraded (``kspace.degrade``): by default "coils" where there is k-space, "image"
    where there are magnitudes only. ``normalisation`` is "clean" or "released": see that module.

    Where both are NIfTI files that say where they lie, the reference's axes are turned into the
    target's order and direction, and voxels more than half a voxel apart are refused. Where one has
    more slices, ``common_slices`` takes those that both have. What was done about an oddity is
    printed on stderr, a line each, and kept as ``pair.notes``. A row of ``find_pairs`` may be handed
    over as it is, ``load_pair(*row, 4)``: its subject is passed over.

    ``register`` brings a reference of any grid and place onto the target's, by rigid registration
    (SimpleITK, of the extra ``[scans]``) with the low-resolution target alone, and keeps what was
    done as ``pair.registration``. Without it, files that seem to lie off each other get a note.
    Raises InputError.
    """
    if isinstance(scale, str) and isinstance(order, Integral):
        scale, order = order, None
    if register:
        scale = _check_options(scale, order, normalisation)
        full, truth, done = read_registered(reference, target, scale, order)
        return replace(make_pair(full, truth, scale, order, normalisation), registration=done)
    full, truth = read_pair(reference, target, common_slices)
    return _note_misalignment(make_pair(full, truth, scale, order, normalisation))


def read_registered(
    reference: Source, target: Source, scale: int, order: str | None = None
) -> tuple[Volume, Volume, Registration]:
    """Both volumes as ``read_pair`` gives them, the reference registered, and what was done.

    Their notes are printed on stderr. Raises InputError.
    """
    full, truth = read_magnitude(reference, "reference"), read_magnitude(target, "target")
    _, seen = measure_low(truth, order or choose_order(truth), scale)
    full, done = register_onto(full, truth, seen, scale)
    tell_notes(full, truth)
    return full, truth, done


def _note_misalignment(pair: Pair) -> Pair:
    """The pair with a note, also on stderr, where its files seem to lie off each other."""
    if pair.reference.path is None or pair.given.path is None:  # arrays are made, not measured
        return pair
    pixel = pair.scale if pair.target is None else 1
    notes = tell_misalignment(pair.reference, pair.zero_filled, pixel)
    tell_notes(Volume(pair.low, notes=notes))
    return replace(pair, reference=replace(pair.reference, notes=pair.reference.notes + notes))


def make_pair(
    reference: Volume,
    target: Volume,
    scale: int,
    order: str | None = None,
    normalisation: str = "clean",
) -> Pair:
    """A pair of two volumes that lie on each other, as ``read_pair`` gives them.

    >>> make_pair(*read_pair(torch.rand(2, 16, 16), torch.rand(2, 16, 16)), scale=2).shape
    (16, 16)

    Raises InputError.
    """
    scale = _check_options(scale, order, normalisation)
    if order == "coils" and target.kspace is None:
        raise InputError(target.path or "target", "magnitude images", "k-space, or order='image'")
    return _assemble(reference, target, scale, order, normalisation)


def load_input(
    reference: Source,
    image: Source,
    scale: int,
    normalisation: str = "clean",
    common_slices: bool = False,
    register: bool = False,
) -> Pair:
    """Read a reference and the image to be sharpened: of full size, or low-resolution already.

    >>> load_input(torch.rand(2, 16, 16), torch.rand(2, 4, 4), scale=4).target is None
    True
    >>> load_input(torch.rand(2, 16, 16), torch.rand(2, 16, 16), scale=4).low.shape
    torch.Size([2, 4, 4])

    An image of the reference's size is degraded first, as in ``load_pair``. One of 1/``scale`` of
    it, rounded down as ``kspace.degrade`` does, is the low-resolution image, on the target's scale;
    its ``target`` and ``target_image`` are None. It is taken for a crop of k-space, which keeps the
    middle pixel of both grids in one place (``geometry.place_crop``); where NIfTI's affines say
    otherwise, by up to one of its pixels, it is shifted. ``common_slices`` and ``register`` as in
    ``load_pair``; registered, an image of any other size is the low-resolution one where its pixels
    are larger than the reference's by more than the root of ``scale`` (a note says which).
    Raises InputError for any other size.
    """
    scale = _check_options(scale, None, normalisation)
    if register:
        full, given = read_magnitude(reference, "reference"), read_magnitude(image, "input")
        grid, notes = choose_grid(full, given, scale)
        if grid.images.shape == given.images.shape:
            _, seen = measure_low(given, choose_order(given), scale)
        else:
            low = given.images - find_offsets(given.images)
            seen = zero_fill_image(low, tuple(grid.images.shape[1:]))
        full, done = register_onto(full, grid, seen, scale)
        full = replace(full, notes=full.notes + notes)
        tell_notes(full, given)
        return replace(_assemble(full, given, scale, None, normalisation), registration=done)
    full, given = read_input(reference, image, scale, common_slices)
    return _note_misalignment(_assemble(full, given, scale, None, normalisation))


def _check_options(scale: int, order: str | None, normalisation: str) -> int:
    if order not in (None, "coils", "image"):
        raise InputError("order", repr(order), "'coils' or 'image'")
    if normalisation not in NORMALISATIONS:
        raise InputError("normalisation", repr(normalisation), f"one of {NORMALISATIONS}")
    return check_whole("scale", scale, *SCALES)


def _assemble(
    reference: Volume, given: Volume, scale: int, order: str | None, normalisation: str
) -> Pair:
    is_low = given.images.shape != reference.images.shape
    shape = tuple(reference.images.shape[-2:])
    if min(shape) < SMALLEST:
        found = describe_size(reference.images)
        raise InputError(reference.path or "reference", found, f"{SMALLEST} x {SMALLEST} or more")
    order = order or ("image" if is_low else choose_order(given))
    multiple = math.lcm(MULTIPLE, 2 * scale)  # twice: see sample_low
    rows, columns = (-(-n // multiple) * multiple for n in shape)
    padded = (rows, columns)

    offset = find_offsets(given.images) * (order != "coils")
    if is_low:
        low = take_measured(given, order)
        filled = zero_fill_image(low, shape)
    else:
        low, filled = measure_low(given, order, scale)
    image = center_pad(reference.images - find_offsets(reference.images), padded)
    truth = None if is_low else center_pad(given.images - offset, padded)
    placed = sample_low(low, filled, padded, scale)
    normalised = normalise_target(truth, placed, scale, normalisation, find_contrast(low))
    kept = given.kspace if order == "coils" and given.path is None else None
    return Pair(
        reference=replace(reference, kspace=None),
        given=replace(given, kspace=kept),
        scale=scale,
        order=order,
        normalisation=normalisation,
        ref=normalise_reference(image, take_measured(reference, order), scale, order, normalisation)
        * find_contrast(reference.images),
        low=low + offset,
        zero_filled=filled + offset,
        **normalised | {"mean": normalised["mean"] + offset.unsqueeze(1)},
    )
