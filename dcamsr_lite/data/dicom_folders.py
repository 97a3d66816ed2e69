"""What DICOM series lie in a folder and below it, from their headers: nothing of a patient is told.

>>> import torch
>>> from .dicom import write_dicom
>>> from .volume import Volume
>>> write_dicom("study/t2", torch.rand(3, 8, 9), Volume(torch.rand(3, 8, 9), affine=np.eye(4)))
>>> [found.describe() for found in list_series("study")]
['series 9000: 3 x 8 x 9 (slice, row, column), axial, 1 x 1 x 1 mm: study/t2']
"""

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..errors import InputError
from .dicom import group_series, is_dicom, measure_series, read_dicom, refuse_quietly
from .planes import PLANES


@dataclass(frozen=True)
class Series:
    """One series: the ``path`` that names it to every reader, its number, and what it is, or why not.

    >>> Series("t2", "7", 1, why="t2: found several images at one place; expected one").describe()
    't2: found several images at one place; expected one'

    ``shape`` is (slice, row, column), ``sizes`` are those of voxels (column, row, slice) in mm.
    """

    path: str
    number: str
    files: int
    shape: tuple[int, int, int] | None = None
    sizes: tuple[float, ...] | None = None
    plane: str | None = None
    why: str | None = None

    def describe(self) -> str:
        """One line."""
        if self.shape is None or self.sizes is None:
            return str(self.why)
        shape, sizes = (" x ".join(f"{n:.3g}" for n in of) for of in (self.shape, self.sizes))
        said = f"{shape} (slice, row, column), {self.plane}, {sizes} mm"
        return f"series {self.number}: {said}: {self.path}"


def list_series(top: str | Path, read: bool = False) -> list[Series]:
    """Every series below a folder, hidden folders left out; with ``read`` their pixels are read, too.

    >>> list_series(".")
    []

    Raises InputError without pydicom, where there is a series.
    """
    found = []
    for name, folders, _ in os.walk(top):
        folders[:] = sorted(folder for folder in folders if not folder.startswith("."))
        if not is_dicom(name):
            continue
        try:
            with refuse_quietly(Path(name)):
                groups = group_series(Path(name))
        except InputError as error:
            found.append(Series(name, "?", 0, why=str(error)))
            continue
        for (number, _), files in groups.items():
            path = name if len(groups) == 1 else str(files[0])
            found.append(_look_at(path, number, len(files), read))
    return found


def _look_at(path: str, number: str, files: int, read: bool) -> Series:
    from nibabel.orientations import io_orientation

    try:
        shape, affine = measure_series(path)
        if read:
            read_dicom(path)
    except InputError as error:
        return Series(path, number, files, why=str(error))
    sizes = tuple(np.linalg.norm(affine[:3, :3], axis=0).round(4).tolist())
    plane = [*PLANES][int(io_orientation(affine)[2, 0])]
    return Series(path, number, files, shape, sizes, plane)
