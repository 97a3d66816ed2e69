"""Files: one volume in, one volume out (M4Raw and fastMRI HDF5, NIfTI, npy, npz).

Whatever is wrong with a file, the reader raises ``InputError`` and nothing else, and it looks at
the declared sizes before it reads. The writers give a whole file or none.

>>> import numpy as np
>>> read_volume(np.arange(64.0).reshape(8, 8)).images.shape
torch.Size([1, 8, 8])
"""

import gzip
import io
import math
import zipfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import IO, Any

import numpy as np
import torch
from torch import Tensor

from ..errors import InputError, atomic_path, check_output
from .dicom import is_dicom, read_dicom
from .geometry import has_place, name_slices_first
from .hdf5 import read_h5, write_h5, write_m4raw
from .nifti_headers import find_slice_axis, mend_header, read_unit
from .pictures import ENDINGS, read_picture
from .volume import (
    MAX_MAGNITUDE,
    Volume,
    check_packed,
    check_size,
    refuse_errors,
    volume_from_array,
    volume_from_kspace,
)

__all__ = ["Volume", "read_volume", "write_m4raw", "write_volume"]

EXTENSIONS = (".h5", ".nii", ".nii.gz", ".npy", ".npz")
MAX_NIFTI_OFFSET = 2**24  # bytes; where the voxels of a NIfTI file may start
MAX_NPY_HEADER = 2**14  # bytes; numpy itself takes no more than 10,000
MAX_READ = 2**22  # bytes of a zip archive at once
PIECE = 2**18  # values that are read at a time
# What a NIfTI header says of the place of its voxels, and what they mean; the rest (names, windows) is
# of no other file.
GEOMETRY = ("pixdim", "xyzt_units", "qform_code", "quatern_b", "quatern_c", "quatern_d", "qoffset_x",
            "qoffset_y", "qoffset_z", "sform_code", "srow_x", "srow_y", "srow_z", "intent_code",
            "intent_name", "intent_p1", "intent_p2", "intent_p3")  # fmt: skip


def read_volume(source: str | Path | np.ndarray | Tensor | Volume) -> Volume:
    """Read one volume from a file, or take an array for one.

    >>> np.save("t2.npy", np.arange(128.0).reshape(2, 8, 8))
    >>> read_volume("t2.npy").images.shape
    torch.Size([2, 8, 8])

    ``.h5``: M4Raw, fastMRI single- and multi-coil (cut to the reconstruction's size) or a file that
    holds a reconstruction only; ``.nii``, ``.nii.gz``: x, y, z become column, row, slice; ``.npy``;
    ``.npz`` with exactly one array; ``.png``, ``.jpg``; a DICOM series, as a folder or by one of its
    files (``data.dicom``). A real 2-D array is one slice; a complex 4-D array in memory is
    k-space (slice, coil, row, column); what a masked array masks is 0. Raises InputError for
    whatever else it is given.
    """
    if isinstance(source, Volume):
        return source
    if isinstance(source, (np.ndarray, Tensor)):
        return _take_array(source)
    if not isinstance(source, (str, Path)):
        raise InputError("volume", f"a {type(source).__name__}", "a path, an array or a Volume")
    path = Path(source)
    with refuse_errors(path, "a file that can be read"):
        name = path.name.lower()
        if name.endswith((".dcm", ".ima")) or not path.suffix or path.is_dir():
            if is_dicom(path):
                return read_dicom(path)
        if not path.is_file():
            found = "a folder without DICOM files" if path.is_dir() else "no such file"
            raise InputError(path, found, f"a DICOM series, or a file {', '.join(EXTENSIONS)}")
        if name.endswith(ENDINGS):
            return read_picture(path)
    readers = {".h5": read_h5, ".npy": _read_npy, ".npz": _read_npz}
    return readers.get(_check_extension(path), _read_nifti)(path)


def _check_extension(path: str | Path) -> str:
    name = Path(path).name.lower()
    suffix = ".nii.gz" if name.endswith(".nii.gz") else Path(name).suffix
    if suffix not in EXTENSIONS:
        raise InputError(path, f"extension '{suffix}'", f"one of {', '.join(EXTENSIONS)}")
    return suffix


def _take_array(source: np.ndarray | Tensor) -> Volume:
    with refuse_errors("array", "a dense array of numbers"):
        if isinstance(source, Tensor):
            source = _to_numpy(source)
        notes: tuple[str, ...] = ()
        if isinstance(source, np.ma.MaskedArray) and (count := int(np.ma.count_masked(source))):
            if source.dtype.kind == "c":
                raise InputError("array", f"{count} masked samples", "full k-space")
            notes = (f"array: its {count} masked voxels are 0",)
            source = source.filled(0)
        array = np.asarray(source)
        if array.dtype.kind == "c" and array.ndim == 4:
            check_size("array", array.shape, array.dtype, "c")
            return volume_from_kspace("array", torch.from_numpy(array.astype(np.complex64)))
        if array.dtype == np.float32:  # a volume does not change with the array that it came from
            array = array.copy("K")
        return volume_from_array("array", array, notes=notes)


def _to_numpy(images: Tensor) -> np.ndarray:
    """Whatever torch holds lazily, or in a type that numpy does not know."""
    dense = images.detach().cpu().resolve_conj().resolve_neg()
    return (dense.float() if dense.dtype == torch.bfloat16 else dense).numpy()


def _read_nifti(path: Path) -> Volume:
    """NIfTI-1 or -2 in one file: nibabel reads the header, scales voxels, and reads no extension.

    Checks of headers print, and extensions allocate whatever they declare (nibabel 5.4).
    """
    from nibabel import Nifti1Header, Nifti2Header
    from nibabel.volumeutils import apply_read_scaling

    expected = "a NIfTI-1 or NIfTI-2 file"
    with refuse_errors(path, expected), _open(path) as stream:
        block = stream.read(544)
        kind = next((k for k in (Nifti1Header, Nifti2Header) if k.may_contain_header(block)), None)
        if kind is None:
            raise InputError(path, "no NIfTI header", expected)
        header = kind(block[: kind.sizeof_hdr], check=False)
        shape = tuple(map(int, header.get_data_shape()))
        while len(shape) > 3 and shape[-1] == 1:
            shape = shape[:-1]
        if len(shape) not in (2, 3):
            raise InputError(path, f"shape {shape}", "three axes, or two")
        size = check_size(path, shape, header.get_data_dtype(), "biuf")
        if path.name.lower().endswith(".gz"):
            check_packed(path, size, path.stat().st_size)
        start = int(header["vox_offset"])
        if start == 0 and block[kind.sizeof_hdr :][:1] == b"\0":
            # not said, and no extension: behind the header, where SPM reads them
            header["vox_offset"] = start = kind.single_vox_offset
        if header["magic"].item()[:2] != b"n+" or not kind.sizeof_hdr <= start <= MAX_NIFTI_OFFSET:
            raise InputError(path, f"voxels at byte {start}", "voxels in this file")
        slope, inter = header.get_slope_inter()
        scale = partial(
            apply_read_scaling,
            slope=1.0 if slope is None else slope,
            inter=0.0 if inter is None else inter,
        )
        stream.seek(start)
        voxels = _read_values(path, stream, header.get_data_dtype(), math.prod(shape), scale)
        unit = read_unit(header)
        columns, rows = (unit * np.abs(np.multiply(header.get_zooms()[:2], shape[:2]))).tolist()
        thickness = unit * abs(float(header["pixdim"][3]))
        mend_header(header)
        affine = np.asarray(header.get_best_affine(), dtype=np.float64)
        placed = bool(np.isfinite(affine).all()) and np.linalg.matrix_rank(affine) == 4
        # ones, without unit and place, are what a header says that nobody has filled in
        blank = not any(int(header[name]) for name in ("xyzt_units", "sform_code", "qform_code"))
        blank = blank and (columns, rows) == shape[:2]
        known_size = not blank and all(0 < side < 1e5 for side in (rows, columns))
        known = {
            "path": str(path),
            "field_of_view": (rows, columns) if known_size else None,
            "slice_thickness": thickness if known_size and 0 < thickness < 1e5 else None,
            "affine": np.diag([unit, unit, unit, 1]) @ affine if placed else None,
            "nifti": _copy_geometry(header) if placed else None,
        }
        images, axis = voxels.reshape(shape[::-1]), 2
        if placed and (axis := find_slice_axis(header, shape)) != 2:
            images = np.ascontiguousarray(np.moveaxis(images, 2 - axis, 0))
        volume = volume_from_array(path, images, **known)
        return volume if axis == 2 else name_slices_first(volume, axis)


def _copy_geometry(header):
    """A header with nothing but sizes, units, intent, and both affines with their codes."""
    import nibabel

    kept = nibabel.Nifti1Header()
    for name in GEOMETRY:
        kept[name] = header[name]
    return kept


def _open(path: Path) -> Any:  # two kinds of file without a type in common
    return gzip.open(path, "rb") if path.name.lower().endswith(".gz") else path.open("rb")


def _read_npy(path: Path) -> Volume:
    with refuse_errors(path, "one array in numpy's npy format"), path.open("rb") as stream:
        size = path.stat().st_size
        return volume_from_array(path, _read_array(path, stream, size, size), path=str(path))


class BoundedFile(io.FileIO):
    """A file that is not read far at once: an archive may be nothing but a list of its entries."""

    def read(self, size: int | None = -1, /) -> bytes:
        if size is not None and size > MAX_READ:
            raise ValueError(f"{size} bytes to be read at once")
        return super().read(-1 if size is None else size)


def _read_npz(path: Path) -> Volume:
    expected = "an npz archive of exactly one array"
    with (
        refuse_errors(path, expected),
        BoundedFile(path) as file,
        zipfile.ZipFile(file) as archive,
    ):
        members = archive.infolist()
        if len(members) != 1 or not members[0].filename.endswith(".npy"):
            names = [member.filename.removesuffix(".npy") for member in members]
            raise InputError(path, f"{len(names)} entries {names[:9]}", expected)
        if members[0].compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise InputError(path, f"compression {members[0].compress_type}", "stored or deflated")
        with archive.open(members[0]) as stream:
            array = _read_array(path, stream, members[0].file_size, members[0].compress_size)
        return volume_from_array(path, array, path=str(path))


def _read_array(path: Path, stream: IO[bytes], size: int, stored: int) -> np.ndarray:
    """An array in numpy's format, once the declared sizes are known to be sane; never a pickle."""
    npy = np.lib.format
    block = stream.read(10)  # magic, version, and a length in two bytes, or in four
    block += stream.read(2) if block[6:7] == b"\2" else b""
    length = int.from_bytes(block[8:], "little")
    if length > MAX_NPY_HEADER:  # numpy itself would read as much as is declared
        raise InputError(path, f"a header of {length} bytes", f"at most {MAX_NPY_HEADER}")
    start = io.BytesIO(block + stream.read(length))
    version = npy.read_magic(start)
    headers = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}
    if version not in headers:  # 3.0 exists for the field names of structured arrays alone
        raise InputError(path, f"npy version {version}", "version 1.0 or 2.0")
    try:
        shape, is_fortran, dtype = headers[version](start)
    except MemoryError as error:  # of Python's parser, at nested expressions
        raise InputError(path, "a header that is no description of an array", "npy") from error
    if (declared := check_size(path, shape, dtype, "biuf")) > size:
        raise InputError(path, f"shape {shape} in {size} bytes", "a whole file")
    check_packed(path, declared, stored)
    values = _read_values(path, stream, dtype, math.prod(shape))
    return values.reshape(shape[::-1]).T if is_fortran else values.reshape(shape)


def _read_values(
    path: Path,
    stream: IO[bytes],
    dtype: np.dtype,
    count: int,
    scale: Callable[[np.ndarray], np.ndarray] = np.asarray,
) -> np.ndarray:
    """So many values as float32, piece by piece: all are never held in another type."""
    values = np.zeros(count, np.float32)  # takes memory where something is written
    for start in range(0, count, PIECE):
        piece = values[start : start + PIECE]
        data = stream.read(piece.size * dtype.itemsize)
        if len(data) < piece.size * dtype.itemsize:
            there = start * dtype.itemsize + len(data)
            found = f"Expected {count * dtype.itemsize} bytes, got {there} bytes"
            raise InputError(path, found, "a whole file")
        read = scale(np.frombuffer(data, dtype))
        if read.any():
            piece[:] = read
    stream.read(1)  # past the end, where gzip and zip compare their check sums
    return values


def write_volume(
    path: str | Path,
    images: Tensor | np.ndarray,
    like: Volume | None = None,
    description: str = "",
) -> None:
    """Write magnitude images by the extension of ``path``: .npy, .npz, .nii, .nii.gz, .h5.

    >>> write_volume("sr.nii.gz", torch.rand(3, 8, 9))
    >>> read_volume("sr.nii.gz").images.shape
    torch.Size([3, 8, 9])

    ``images`` is (slice, row, column) or (row, column), stored as float32. ``like``, a volume on
    the same grid, gives NIfTI its affines, their codes and units, or else the size of its voxels,
    and HDF5 (``reconstruction_rss``) its ``acquisition``. ``description`` is kept by NIfTI, 79
    characters of it. The file appears whole or not at all.
    Raises InputError, also where ``path`` is the file that ``like`` was read from.
    """
    extension = _check_extension(path)
    check_output(path, None if like is None else like.path)
    with refuse_errors(path, "a dense array of numbers"):
        given = _to_numpy(images) if isinstance(images, Tensor) else np.ma.filled(images, 0)
    sound = given.dtype.kind in "biuf" and given.ndim in (2, 3) and given.size > 0
    if not sound or not np.isfinite(given).all():
        found = f"{given.dtype} values of shape {given.shape}, or not finite"
        raise InputError(path, found, "finite images (slice, row, column)")
    with np.errstate(over="ignore", under="ignore"):
        largest = max(abs(float(given.min())), abs(float(given.max())))
        array = np.ascontiguousarray(given, dtype=np.float32)
    if largest > MAX_MAGNITUDE or largest > 0 and not array.any():
        expected = f"values that float32 can hold, and readers take: at most {MAX_MAGNITUDE:g}"
        raise InputError(path, f"values up to {largest:.3g}", expected)
    volume = array if array.ndim == 3 else array[None]
    if like is not None and tuple(like.images.shape) != volume.shape:
        raise InputError(path, f"images {volume.shape}", f"the grid {tuple(like.images.shape)}")
    if extension == ".h5":
        known = like is not None and like.contrast
        write_h5(Path(path), volume, f"AX{like.contrast}" if known else "unknown")
        return
    with atomic_path(path) as temporary, temporary.open("wb") as stream:
        if extension == ".npy":
            np.save(stream, array, allow_pickle=False)
        elif extension == ".npz":
            np.savez_compressed(stream, volume=array)
        else:
            data = _encode_nifti(volume, like, description)
            stream.write(gzip.compress(data, 6, mtime=0) if extension == ".nii.gz" else data)


def _encode_nifti(volume: np.ndarray, like: Volume | None, description: str = "") -> bytes:
    import nibabel

    header: Any = nibabel.Nifti1Header()
    affine = None if like is None else like.affine
    if like is not None and affine is not None and like.nifti is not None:
        header, unit = like.nifti.copy(), read_unit(like.nifti)
        # one without a code is made of the sizes: to write it would say a place that nobody knows
        affine = np.diag([1 / unit, 1 / unit, 1 / unit, 1]) @ affine if has_place(like) else None
    elif affine is not None:
        header.set_xyzt_units("mm")
    elif like is not None and like.field_of_view is not None:
        # sizes without a place: both codes stay 0, and readers take the sizes
        rows, columns = like.field_of_view
        sizes = (columns / volume.shape[2], rows / volume.shape[1], like.slice_thickness or 1.0)
        header["pixdim"][1:4] = sizes
        header.set_xyzt_units("mm")
    header["descrip"] = description.encode("ascii", "replace")[:79]
    image = nibabel.Nifti1Image(volume.T, affine, header)
    if affine is not None and (
        like is None or like.nifti is None
    ):  # some viewers ask for the qform
        image.set_sform(affine, code=1)
        image.set_qform(affine, code=1)
    return image.to_bytes()
