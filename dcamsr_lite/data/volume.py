"""One volume, and what every reader asks of an array before it believes it."""

import math
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..errors import InputError
from ..kspace import center_crop, fft2c, ifft2c, rss

MAX_BYTES = 2**31  # of one array; a large fastMRI knee volume has 1.1e9
MAX_MAGNITUDE = 1e15  # squares and their sums must fit into float32


@dataclass(frozen=True)
class Volume:
    """One volume of magnitude images, in its own units, and the k-space behind it, if there is one.

    >>> Volume(torch.rand(2, 8, 8)).kspace is None
    True

    ``images`` is (slice, row, column) float32; ``kspace`` (slice, coil, row, column) complex64;
    ``field_of_view`` is rows, columns in mm, ``slice_thickness`` mm; ``affine`` is NIfTI's, in
    mm, of the (x, y, z) array, and ``nifti`` a header of nibabel with the geometry of the file.
    """

    images: Tensor
    kspace: Tensor | None = None
    path: str | None = None
    contrast: str | None = None
    field_of_view: tuple[float, float] | None = None
    affine: np.ndarray | None = None
    slice_thickness: float | None = None
    nifti: object | None = None


@contextmanager
def refuse_errors(where: object, expected: str) -> Iterator[None]:
    """Turn whatever a third-party decoder raises on hostile bytes into InputError, quietly.

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
        raise InputError(where, f"{type(error).__name__}: {error}"[:200], expected) from error


def check_size(where: object, shape: tuple[int, ...], dtype: np.dtype, kinds: str) -> int:
    """The bytes of a declared array whose type is among numpy's ``kinds``, before it is read.

    >>> check_size("t1.npy", (2, 8, 8), np.dtype("uint16"), "uf")
    256

    Raises InputError for another type, an empty axis, and more than ``MAX_BYTES`` as float32.
    """
    if dtype.hasobject or dtype.kind not in kinds:
        raise InputError(where, f"values of type {dtype}", "complex" if kinds == "c" else "real")
    if any(n < 1 for n in shape):
        raise InputError(where, f"shape {shape}", "no empty axis")
    size = math.prod(shape) * max(dtype.itemsize, 4)
    if size > MAX_BYTES:
        raise InputError(where, f"shape {shape}, {size:.3g} bytes", f"at most {MAX_BYTES} bytes")
    return math.prod(shape) * dtype.itemsize


def volume_from_array(where: object, array: np.ndarray, **known: Any) -> Volume:
    """A volume from a real array (slice, row, column) or (row, column); ``known`` are its fields.

    >>> volume_from_array("array", np.eye(8)).images.shape
    torch.Size([1, 8, 8])
    """
    check_size(where, array.shape, array.dtype, "biuf")
    with np.errstate(all="ignore"):  # what float32 cannot hold becomes infinite, and is refused
        images = torch.from_numpy(array.astype(np.float32))
    return Volume(_check_images(where, images), **known)


def volume_from_kspace(
    where: object, kspace: Tensor, crop: tuple[int, int] | None = None, **known: Any
) -> Volume:
    """A volume from k-space (slice, coil, row, column); its coil images are cut to ``crop`` first.

    >>> volume = volume_from_kspace("array", fft2c(torch.eye(8)[None, None]), crop=(4, 6))
    >>> volume.images.shape, volume.kspace.shape
    (torch.Size([1, 4, 6]), torch.Size([1, 1, 4, 6]))
    """
    if not bool(torch.isfinite(torch.view_as_real(kspace)).all()):
        raise InputError(where, "k-space values that are not finite", "finite numbers")
    height, width = kspace.shape[-2:]
    rows, columns = crop or (height, width)
    shape = (min(height, rows), min(width, columns))
    if shape != (height, width):  # slice by slice: all coils of all slices may be a gigabyte
        kspace = torch.stack([fft2c(center_crop(ifft2c(coils), shape)) for coils in kspace])
    images = torch.stack([rss(ifft2c(coils)) for coils in kspace])
    return Volume(_check_images(where, images), kspace, **known)


def _check_images(where: object, images: Tensor) -> Tensor:
    """Three axes, finite, in float32's range, not constant."""
    images = images[None] if images.ndim == 2 else images
    if images.ndim != 3:
        expected = "(slice, row, column) or (row, column)"
        raise InputError(where, f"an array of shape {tuple(images.shape)}", expected)
    if not bool(torch.isfinite(images).all()):
        raise InputError(where, "values that are not finite", "finite numbers")
    low, high = float(images.min()), float(images.max())
    largest = max(abs(low), abs(high))
    if largest > MAX_MAGNITUDE:
        raise InputError(where, f"values up to {largest:.3g}", f"at most {MAX_MAGNITUDE:g}")
    if high - low <= 1e-6 * largest:
        raise InputError(where, f"a constant volume ({high:.4g} everywhere)", "an image")
    return images
