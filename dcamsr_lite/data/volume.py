"""One volume, and what every reader asks of an array before it believes it."""

import math
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor

from ..errors import InputError, raise_if_out_of_memory
from ..kspace import center_crop, fft2c, ifft2c
from .memory import VARIABLE, count_memory, read_cap
from .oddities import center_kspace, check_axes, describe_axes, describe_holes, is_image

# Bytes of one array, as it is held: a quarter of the memory, so that reading, which takes up to twice
# as much, leaves half of a machine of 2 GB free; 2 GiB where there is more: a large fastMRI knee volume
# has 1.1e9. DCAMSR_MAX_BYTES in the environment says otherwise.
MAX_BYTES = int(min(2**31, count_memory() // 4))
PARTS = 16  # what is read, transformed and let go again takes a 16th of the cap at a time
LONG = 2**28  # bytes: what is shorter is read in a second, whatever it holds
EMPTY = 200  # times shorter when packed: of a volume with next to nothing in it
MAX_MAGNITUDE = 1e15  # squares and their sums must fit into float32


@dataclass(frozen=True)
class Volume:
    """One volume of magnitude images, in its own units, and the k-space behind it, if there is one.

    >>> Volume(torch.rand(2, 8, 8)).kspace is None
    True

    ``images`` is (slice, row, column) float32; ``kspace`` (slice, coil, row, column) complex64;
    ``field_of_view`` is rows, columns in mm, ``slice_thickness`` mm; ``affine`` is NIfTI's, in
    mm, of the (x, y, z) array, and ``nifti`` a header of nibabel with the geometry of the file.
    ``notes`` are lines on what was found odd and what was done about it.
    """

    images: Tensor
    kspace: Tensor | None = None
    path: str | None = None
    contrast: str | None = None
    field_of_view: tuple[float, float] | None = None
    affine: np.ndarray | None = None
    slice_thickness: float | None = None
    nifti: Any = None
    notes: tuple[str, ...] = ()


@contextmanager
def refuse_errors(where: object, expected: str) -> Iterator[None]:
    """Turn whatever a third-party decoder raises on hostile bytes into InputError, quietly.

    A lack of memory stays one: it is MemoryError, with the file's name.

    >>> with refuse_errors("t1.nii", "a NIfTI file"):
    ...     raise EOFError("file ends here")
    Traceback (most recent call last):
    ...
    dcamsr_lite.errors.InputError: t1.nii: found EOFError: file ends here; expected a NIfTI file
    """
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            yield
    except InputError:
        raise
    except Exception as error:  # HDF5, zlib and nibabel raise a dozen kinds, none of them promised
        raise_if_out_of_memory(where, error)
        raise InputError(where, f"{type(error).__name__}: {error}"[:200], expected) from error


def check_size(where: object, shape: tuple[int, ...], dtype: np.dtype, kinds: str) -> int:
    """The bytes of a declared array whose type is among numpy's ``kinds``, before it is read.

    >>> check_size("t1.npy", (2, 8, 8), np.dtype("uint16"), "uf")
    256

    Raises InputError for another type, an empty axis, and more than the cap as float32.
    """
    if dtype.hasobject or dtype.kind not in kinds:
        expected = "complex" if kinds == "c" else "real"
        if dtype.kind == "c":  # an image, slices of one coil or coils of one slice: nobody can tell
            one = {
                2: "array[None, None]",
                3: "array[:, None] of one coil, array[None] of one slice",
            }
            expected += " magnitudes, abs(array), or in memory k-space (slice, coil, row, column)"
            expected += f": {one[len(shape)]}" if len(shape) in one else ""
        raise InputError(where, f"values of type {dtype}", expected)
    if any(n < 1 for n in shape):
        raise InputError(where, f"shape {shape}", "no empty axis")
    size = math.prod(shape) * max(dtype.itemsize, 4)
    check_cap(where, f"shape {shape}", size)
    return math.prod(shape) * dtype.itemsize


def check_packed(where: object, size: int, stored: int) -> None:
    """Raise InputError where many bytes come out of next to none: to read them takes long, in vain.

    >>> check_packed("t1.nii.gz", 2**31, 2 * 10**6)
    Traceback (most recent call last):
    ...
    dcamsr_lite.errors.InputError: t1.nii.gz: found 2.15e+09 bytes packed into 2e+06; expected an
    image: this is nearly all of one value (crop it to what is there)

    No more than 1 % of such a volume is an image: deflate makes voxels half as long, at most a third.
    """
    if size > LONG and size > EMPTY * stored:
        found = f"{size:.3g} bytes packed into {stored:.3g}"
        words = "an image: this is nearly all of one value (crop it to what is there)"
        raise InputError(where, found, words)


def share_cap(share: int = 1) -> int:
    """Bytes: 1 / ``share`` of what one array may take.

    >>> share_cap(4) <= share_cap() // 4
    True
    """
    return read_cap(MAX_BYTES) // share


def check_cap(where: object, what: str, size: int, share: int = 1) -> None:
    """Raise InputError where something takes more than its share, 1 / ``share``, of the cap.

    >>> check_cap("t1.h5", "chunks", 2**50, share=8)
    Traceback (most recent call last):
    ...
    dcamsr_lite.errors.InputError: t1.h5: found chunks, 1.13e+15 bytes; expected at most ... bytes ...
    """
    cap = share_cap(share)
    if size > cap:
        more = f" (where there is memory, {VARIABLE} of the environment allows more)"
        raise InputError(where, f"{what}, {size:.3g} bytes", f"at most {cap} bytes{more}")


def volume_from_array(where: object, array: np.ndarray, **known: Any) -> Volume:
    """A volume from a real array (slice, row, column) or (row, column); ``known`` are its fields.

    >>> volume_from_array("array", np.eye(8)).images.shape
    torch.Size([1, 8, 8])
    """
    check_size(where, array.shape, array.dtype, "biuf")
    if array.ndim == 3:
        check_axes(where, array.shape)
        if "affine" not in known and (
            odd := describe_axes(array.shape)
        ):  # NIfTI says what axes are
            note = f"{Path(str(where)).name}: {odd}"
            known["notes"] = (*known.get("notes", ()), note)
    with np.errstate(all="ignore"):  # what float32 cannot hold becomes infinite, and is refused
        images = torch.from_numpy(array.astype(np.float32, copy=False))
    return Volume(_check_images(where, images), **known)


class Slices(Protocol):
    """k-space that is read slice by slice: all coils of all slices may be a gigabyte."""

    shape: Sequence[int]  # slice, coil, row, column
    dtype: torch.dtype

    def __iter__(self) -> Iterator[Tensor]:
        """(coil, row, column) of one slice after another."""
        ...


def volume_from_kspace(
    where: object, kspace: Tensor | Slices, crop: tuple[int, int] | None = None, **known: Any
) -> Volume:
    """A volume from k-space (slice, coil, row, column); its coil images are cut to ``crop`` first.

    >>> volume = volume_from_kspace("array", fft2c(torch.eye(8)[None, None]), crop=(4, 6))
    >>> volume.images.shape, volume.kspace.shape
    (torch.Size([1, 4, 6]), torch.Size([1, 1, 4, 6]))

    A peak that lies clearly off the centre is rolled there, and a note says so, as of missing lines.
    """
    slices, coils, height, width = kspace.shape
    check_axes(where, (coils, height, width), "coil")
    rows, columns = crop or (height, width)
    shape = (min(height, rows), min(width, columns))
    kept = kspace if isinstance(kspace, Tensor) and shape == (height, width) else None
    given = kept is not None
    if kept is None:
        kept = torch.empty(slices, coils, *shape, dtype=kspace.dtype)
    images = torch.empty(slices, *shape, dtype=kept.dtype.to_real())
    at_once = max(1, share_cap(PARTS) // (height * width * kspace.dtype.itemsize))
    found: set[str] = set()
    for measured, cut, image in zip(kspace, kept, images, strict=True):
        bounds = [float(bound) for bound in torch.view_as_real(measured).aminmax()]
        if not all(map(math.isfinite, bounds)):
            raise InputError(where, "k-space values that are not finite", "finite numbers")
        if not any(bounds):  # a blank slice, such as those of a file that holds nothing
            image.zero_()
            if not given:
                cut.zero_()
            continue
        power, energy = torch.zeros(()), torch.zeros(())
        sampled = torch.zeros(height, width, dtype=torch.bool)
        for some, part in zip(measured.split(at_once), cut.split(at_once), strict=True):
            if shape != (height, width):
                part[:] = fft2c(center_crop(ifft2c(some), shape))
            elif not given:
                part[:] = some
            power = power + ifft2c(part).abs().square().sum(0)
            energy = energy + some.abs().square().sum(0)
            sampled |= (some != 0).any(0)
        image[:] = power.sqrt()
        if holes := describe_holes(sampled):
            found.add(f"{holes}: undersampled, without a mask; its images are folded")
        elif is_image(energy, image):
            found.add("its k-space looks like an image, and what is made of it like k-space")
    images = _check_images(where, images)
    kept, odd = center_kspace(kept, own=not given)
    notes = tuple(f"{Path(str(where)).name}: {note}" for note in (*sorted(found)[:1], *odd))
    return Volume(images, kept, notes=notes, **known)


def _check_images(where: object, images: Tensor) -> Tensor:
    """Three axes, finite, in float32's range, not constant."""
    images = images[None] if images.ndim == 2 else images
    if images.ndim != 3:
        expected = "(slice, row, column) or (row, column)"
        raise InputError(where, f"an array of shape {tuple(images.shape)}", expected)
    low, high = (float(bound) for bound in images.aminmax())  # NaN where there is one
    if not (math.isfinite(low) and math.isfinite(high)):
        raise InputError(where, "values that are not finite", "finite numbers")
    largest = max(abs(low), abs(high))
    if largest > MAX_MAGNITUDE:
        raise InputError(where, f"values up to {largest:.3g}", f"at most {MAX_MAGNITUDE:g}")
    if high - low <= 1e-6 * largest:
        raise InputError(where, f"a constant volume ({high:.4g} everywhere)", "an image")
    return images
