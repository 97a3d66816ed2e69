"""How large the volume in a file is, from its header: asked of hundreds of files before any is read."""

import gzip
import zipfile
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

import numpy as np

from .dicom import is_dicom, measure_series
from .hdf5 import RECONSTRUCTIONS
from .nifti_headers import find_slice_axis, mend_header
from .pictures import ENDINGS

Shape = tuple[int, int, int]


def read_shape(path: str | Path) -> Shape | None:
    """(slice, row, column) of the volume in a file, or None: whoever reads it will say what is wrong.

    >>> np.save("t2.npy", np.zeros((3, 16, 12)))
    >>> read_shape("t2.npy"), read_shape("nothing.nii")
    ((3, 16, 12), None)
    """
    name = Path(path).name.lower()
    readers = {".h5": _read_h5, ".npy": _read_npy, ".npz": _read_npz, ".nii": _read_nifti}
    readers |= dict.fromkeys(ENDINGS, _read_picture)
    reader = readers.get(Path(name.removesuffix(".gz")).suffix)
    if is_dicom(path):
        reader = _read_dicom
    with suppress(Exception):  # no kind of error is promised for a damaged header
        shape = tuple(map(int, reader(Path(path)))) if reader else ()
        shape = shape if len(shape) == 3 else (1, *shape)
        if len(shape) == 3 and min(shape) > 0:
            return shape
    return None


def _read_h5(path: Path) -> tuple[int, ...]:
    import h5py

    with h5py.File(path, "r") as file:
        stored = next(file[name] for name in RECONSTRUCTIONS if name in file)
        if "kspace" not in file:
            return stored.shape
        kspace = file["kspace"].shape  # its images are cut to the reconstruction's size
        return (kspace[0], *np.minimum(stored.shape[-2:], kspace[-2:]))


def _read_npy(path: Path) -> tuple[int, ...]:
    with path.open("rb") as stream:
        return _read_array_header(stream)


def _read_npz(path: Path) -> tuple[int, ...]:
    with zipfile.ZipFile(path) as archive, archive.open(archive.infolist()[0]) as stream:
        return _read_array_header(stream)


def _read_array_header(stream: IO[bytes]) -> tuple[int, ...]:
    version = np.lib.format.read_magic(stream)
    read = {(1, 0): np.lib.format.read_array_header_1_0}.get(version)
    return read(stream)[0] if read else ()


def _read_picture(path: Path) -> tuple[int, ...]:
    from PIL import Image

    with Image.open(path, formats=("PNG", "JPEG")) as picture:
        return picture.size[::-1]


def _read_dicom(path: Path) -> tuple[int, ...]:
    return measure_series(path)[0]


def _read_nifti(path: Path) -> tuple[int, ...]:
    from nibabel import Nifti1Header, Nifti2Header

    opened: Any = gzip.open(path) if path.name.lower().endswith(".gz") else path.open("rb")
    with opened as stream:
        block = stream.read(544)
    kind = next(k for k in (Nifti1Header, Nifti2Header) if k.may_contain_header(block))
    header = kind(block[: kind.sizeof_hdr], check=False)
    shape = header.get_data_shape()
    while len(shape) > 3 and shape[-1] == 1:
        shape = shape[:-1]
    mend_header(header)
    slices = find_slice_axis(header, shape)
    rest = [n for axis, n in enumerate(shape) if axis != slices]
    return (*shape[slices : slices + 1], *rest[::-1])
