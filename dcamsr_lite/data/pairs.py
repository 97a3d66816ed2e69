"""Pairs of a reference and a target contrast: degraded, padded, normalised, and the way back.

>>> import numpy as np
>>> t1, t2 = np.random.default_rng(0).random((2, 3, 20, 24))
>>> pair = load_pair(t1, t2, scale=4)
>>> pair.lr.shape, pair.ref.shape
(torch.Size([3, 1, 6, 6]), torch.Size([3, 1, 24, 24]))
>>> torch.allclose(pair.restore(pair.target), torch.tensor(t2).float(), atol=1e-5)
True
"""

import csv
import io
import math
import random
from dataclasses import dataclass, replace
from operator import attrgetter
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..errors import InputError
from ..kspace import center_crop, center_pad, degrade, fft2c, ifft2c, zero_fill, zero_fill_image
from ..network.config import MULTIPLE
from .files import Volume, read_volume
from .hdf5 import M4RAW_NAME
from .normalisation import NORMALISATIONS, normalise_reference, normalise_target
from .volume import refuse_errors

SMALLEST = 8  # rows and columns of a full-size image
CONTRASTS = ("T1", "T2", "FLAIR", "GRE")
MAX_CSV_BYTES = 2**24

Source = str | Path | np.ndarray | Tensor | Volume
Names = tuple[Path, Path, str]  # reference, target, subject


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
    be undone). ``low`` (slice, H/s, W/s) is the LR image on the target's scale, ``zero_filled``
    (slice, rows, columns) what can be made of it without a network, in the target's units, not
    padded.
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
            contrast=self.contrast,
            field_of_view=sized.field_of_view,
            slice_thickness=sized.slice_thickness,
            affine=placed.affine,
            nifti=placed.nifti,
        )

    def restore(self, sr: Tensor) -> Tensor:
        """From the network's output to the target's units, (slice, rows, columns), unpadded.

        >>> pair = load_pair(torch.rand(2, 17, 16), torch.rand(2, 17, 16), scale=2)
        >>> pair.restore(pair.target).shape
        torch.Size([2, 17, 16])
        """
        image = sr * self.std.to(sr) + self.mean.to(sr)
        return center_crop(image.squeeze(1), self.shape)

    def take_slice(self, index: int) -> "Pair":
        """One slice of the pair.

        >>> pair = load_pair(torch.rand(3, 16, 16), torch.rand(3, 16, 16), scale=2)
        >>> pair.take_slice(1).target_image.shape
        torch.Size([1, 16, 16])
        """
        return _take_slice(self, index)

    def with_reference(self, images: Tensor) -> "Pair":
        """The pair with other magnitudes (slice, row, column) in the place of the reference.

        >>> pair = load_pair(torch.rand(2, 16, 16), torch.rand(2, 16, 16), scale=2)
        >>> float(pair.with_reference(torch.zeros(2, 16, 16)).ref.abs().max())
        0.0

        They are normalised as ``load_pair`` does it, but may be blank.
        """
        padded = center_pad(images, tuple(self.ref.shape[-2:]))
        ref = normalise_reference(padded, padded, self.scale, "image", self.normalisation)
        return replace(self, reference=replace(self.reference, images=images), ref=ref)

    def with_target(self, images: Tensor, low: Tensor, zero_filled: Tensor) -> "Pair":
        """The pair with another target (slice, row, column), and what was measured of it.

        >>> pair = load_pair(torch.rand(2, 16, 16), torch.rand(2, 16, 16), scale=2)
        >>> same = pair.with_target(pair.target_image, pair.low, pair.zero_filled)
        >>> torch.equal(same.lr, pair.lr)
        True
        """
        padded = center_pad(images, tuple(self.ref.shape[-2:]))
        normalised = normalise_target(padded, low, self.scale, self.normalisation)
        given = replace(self.given, images=images)
        return replace(self, given=given, low=low, zero_filled=zero_filled, **normalised)


def _take_slice(whole: Any, index: int) -> Any:
    """Cut every tensor of a dataclass, and of those in it, along its first axis."""
    if isinstance(whole, Tensor):
        return whole[index : index + 1]
    if not isinstance(whole, Pair | Volume):
        return whole
    return replace(whole, **{name: _take_slice(part, index) for name, part in vars(whole).items()})


def load_pair(
    reference: Source,
    target: Source,
    scale: int,
    order: str | None = None,
    normalisation: str = "clean",
) -> Pair:
    """Read a reference and a target on the same matrix and degrade the target.

    >>> pair = load_pair(torch.rand(2, 16, 16), torch.rand(2, 16, 16), scale=2)
    >>> pair.order, pair.normalisation
    ('image', 'clean')

    Files, arrays (magnitude images, in any units) or volumes, see ``read_volume``. ``order`` is how
    the target is degraded (``kspace.degrade``): by default "coils" where there is k-space, "image"
    where there are magnitudes only. ``normalisation`` is "clean" or "released": see that module.
    Raises InputError.
    """
    full, truth = _read_magnitude(reference, "reference"), _read_magnitude(target, "target")
    _check_options(scale, order, normalisation)
    if truth.images.shape != full.images.shape:
        found = (
            f"{_describe_size(truth.images)} beside a reference of {_describe_size(full.images)}"
        )
        raise InputError(truth.path or "target", found, "the same matrix")
    if order == "coils" and truth.kspace is None:
        raise InputError(truth.path or "target", "magnitude images", "k-space, or order='image'")
    return _assemble(full, truth, scale, order, normalisation)


def load_input(reference: Source, image: Source, scale: int, normalisation: str = "clean") -> Pair:
    """Read a reference and the image to be sharpened: of full size, or low-resolution already.

    >>> load_input(torch.rand(2, 16, 16), torch.rand(2, 4, 4), scale=4).target is None
    True
    >>> load_input(torch.rand(2, 16, 16), torch.rand(2, 16, 16), scale=4).low.shape
    torch.Size([2, 4, 4])

    An image of the reference's size is degraded first, as in ``load_pair``. One of exactly
    1/``scale`` of it is the low-resolution image, on the target's scale; its ``target`` and
    ``target_image`` are None. Raises InputError for any other size.
    """
    full, given = _read_magnitude(reference, "reference"), _read_magnitude(image, "input")
    _check_options(scale, None, normalisation)
    slices, rows, columns = given.images.shape
    fitting = (slices, rows, columns), (slices, scale * rows, scale * columns)
    if tuple(full.images.shape) not in fitting:
        wanted = f"as the reference has, or 1/{scale} of its rows and columns"
        expected = f"{_describe_size(full.images)} {wanted}"
        raise InputError(given.path or "input", _describe_size(given.images), expected)
    return _assemble(full, given, scale, None, normalisation)


def _read_magnitude(source: Source, role: str) -> Volume:
    volume = read_volume(source)
    low, high = float(volume.images.min()), float(volume.images.max())
    # a little undershoot comes from interpolation; more would be folded up by the LR magnitude
    if low < -0.1 * high:
        found = f"values from {low:.4g} to {high:.4g}"
        raise InputError(volume.path or role, found, "a magnitude image, in its own units")
    return volume


def _check_options(scale: int, order: str | None, normalisation: str) -> None:
    if isinstance(scale, bool) or not isinstance(scale, int) or not 2 <= scale <= 8:
        raise InputError("scale", repr(scale), "a whole number from 2 to 8")
    if order not in (None, "coils", "image"):
        raise InputError("order", repr(order), "'coils' or 'image'")
    if normalisation not in NORMALISATIONS:
        raise InputError("normalisation", repr(normalisation), f"one of {NORMALISATIONS}")


def _describe_size(images: Tensor) -> str:
    return " x ".join(str(n) for n in images.shape) + " (slice, row, column)"


def _assemble(
    reference: Volume, given: Volume, scale: int, order: str | None, normalisation: str
) -> Pair:
    is_low = given.images.shape != reference.images.shape
    shape = tuple(reference.images.shape[-2:])
    if min(shape) < SMALLEST:
        found = _describe_size(reference.images)
        raise InputError(reference.path or "reference", found, f"{SMALLEST} x {SMALLEST} or more")
    order = order or ("image" if is_low or given.kspace is None else "coils")
    multiple = math.lcm(MULTIPLE, scale)
    padded = tuple(-(-n // multiple) * multiple for n in shape)

    def pad(volume: Volume) -> Tensor:
        if order == "coils" and volume.kspace is not None:
            return _pad_kspace(volume.kspace, padded)
        return center_pad(volume.images, padded)

    if is_low:
        low = center_pad(given.images, tuple(n // scale for n in padded))
        filled = zero_fill_image(low, padded)
    else:  # slice by slice: the coils of a whole fastMRI volume may be a gigabyte
        full = pad(given)
        low = torch.stack([degrade(one, scale, order) for one in full])
        filled = torch.stack([zero_fill(one, scale, order) for one in full])
    image = center_pad(reference.images, padded)
    measured = pad(reference) if normalisation == "released" else image
    truth = None if is_low else center_pad(given.images, padded)
    kept = given.kspace if order == "coils" and given.path is None else None
    return Pair(
        reference=replace(reference, kspace=None),
        given=replace(given, kspace=kept),
        scale=scale,
        order=order,
        normalisation=normalisation,
        ref=normalise_reference(image, measured, scale, order, normalisation),
        low=low,
        zero_filled=center_crop(filled, shape),
        **normalise_target(truth, low, scale, normalisation),
    )


def _pad_kspace(kspace: Tensor, shape: tuple[int, ...]) -> Tensor:
    """Zero-pad the coil *images*; padding k-space itself would interpolate them."""
    if tuple(kspace.shape[-2:]) == shape:
        return kspace
    return torch.stack([fft2c(center_pad(ifft2c(coils), shape)) for coils in kspace])


def find_pairs(folder: str | Path, reference: str = "T1", target: str = "T2") -> list[Names]:
    """Pairs of single repetitions by M4Raw's names, repetition k with repetition k, recursively.

    >>> Path("study").mkdir(exist_ok=True)
    >>> for name in ("7_T101.h5", "7_T201.h5", "7_T202.h5"):
    ...     Path("study", name).touch()
    >>> [(t1.name, t2.name, subject) for t1, t2, subject in find_pairs("study")]
    [('7_T101.h5', '7_T201.h5', '7')]

    ``reference`` and ``target`` are two of T1, T2, FLAIR, GRE. Returns (reference, target,
    subject), sorted; the subject is the number before ``_``. Raises InputError when there is none.
    """
    for contrast in (reference, target):
        if contrast not in CONTRASTS:
            raise InputError("contrast", repr(contrast), f"one of {', '.join(CONTRASTS)}")
    files = {}
    with refuse_errors(folder, "a folder of M4Raw files"):
        if not Path(folder).is_dir():
            raise InputError(folder, "no such folder", "a folder of M4Raw files")
        for path in sorted(Path(folder).rglob("*.h5")):
            match = M4RAW_NAME.fullmatch(path.stem)
            if match:
                files[path.parent, match[1], match[2], int(match[3])] = path
    pairs = [
        (path, files[parent, subject, target, repetition], subject)
        for (parent, subject, contrast, repetition), path in files.items()
        if contrast == reference and (parent, subject, target, repetition) in files
    ]
    if not pairs:
        expected = f"pairs such as 2022061003_{reference}01.h5 and 2022061003_{target}01.h5"
        raise InputError(folder, f"{len(files)} M4Raw files but no pair", expected)
    return pairs


def read_pairs_csv(path: str | Path) -> list[Names]:
    """Pairs from a CSV of rows ``reference,target[,distance]``, as ``find_pairs`` returns them.

    >>> for name in ("list.csv", "file1.h5", "file2.h5"):
    ...     _ = Path(name).write_text("file1,file2,0.1")
    >>> [(pd.name, fs.name, subject) for pd, fs, subject in read_pairs_csv("list.csv")]
    [('file1.h5', 'file2.h5', 'file1')]

    Names are relative to the CSV's folder, or absolute; ``.h5`` may be left out, as in the lists of
    fastMRI pairs; a first row that starts with "reference" is a title. The subject is the number
    before ``_`` of an M4Raw name, else the reference's name. Raises InputError, also for a file
    that does not exist.
    """
    path = Path(path)
    expected = "rows 'reference,target[,distance]'"
    pairs = []
    with refuse_errors(path, expected):
        if not path.is_file() or path.stat().st_size > MAX_CSV_BYTES:
            raise InputError(path, "no such file, or more than 16 MB", expected)
        rows = csv.reader(io.StringIO(path.read_text("utf-8-sig")), strict=True)
        for number, row in enumerate(rows, 1):
            cells = [cell.strip() for cell in row]
            if not any(cells) or number == 1 and cells[0].lower() == "reference":
                continue
            if len(cells) < 2 or not cells[0] or not cells[1]:
                raise InputError(f"{path}, row {number}", repr(row)[:80], expected)
            first, second = (_find_listed(path, number, cell) for cell in cells[:2])
            match = M4RAW_NAME.match(first.name)
            pairs.append((first, second, match[1] if match else first.name.split(".")[0]))
    if not pairs:
        raise InputError(path, "no pair", expected)
    return pairs


def _find_listed(path: Path, number: int, cell: str) -> Path:
    for name in (cell, f"{cell}.h5"):
        file = path.parent / name
        if file.is_file():
            return file
    raise InputError(f"{path}, row {number}", f"no file '{cell[:80]}'", "a file that exists")


def split_by_subject(
    pairs: list[Names], fraction: float, seed: int
) -> tuple[list[Names], list[Names]]:
    """Split pairs into training and validation without splitting a subject.

    >>> pairs = [(Path(f"{n}_T101.h5"), Path(f"{n}_T201.h5"), str(n)) for n in range(10)]
    >>> train, validation = split_by_subject(pairs, fraction=0.2, seed=0)
    >>> len(train), len(validation)
    (8, 2)

    ``fraction`` is the share of subjects for *validation*, at least one subject on either side.
    Raises InputError for fewer than two subjects.
    """
    subjects = sorted({subject for _, _, subject in pairs})
    if len(subjects) < 2 or not 0 < fraction < 1:
        found = f"{len(subjects)} subjects and a fraction of {fraction}"
        raise InputError("split", found, "two subjects or more, a fraction between 0 and 1")
    random.Random(seed).shuffle(subjects)
    count = min(max(round(fraction * len(subjects)), 1), len(subjects) - 1)
    held = set(subjects[:count])
    train = [pair for pair in pairs if pair[2] not in held]
    return train, [pair for pair in pairs if pair[2] in held]
