"""Repetitions of one measurement, averaged: M4Raw measures every contrast two or three times.

>>> import numpy as np
>>> from .hdf5 import write_h5
>>> for number, value in enumerate((1.0, 3.0), 1):
...     write_h5(Path(f"7_T20{number}.h5"), value * np.eye(8, dtype=np.float32)[None], "AXT2")
>>> read_average("7_T202.h5").images.max()
tensor(2.)
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from ..errors import InputError
from .file_lists import Names
from .files import read_volume
from .hdf5 import M4RAW_NAME
from .matching import Source
from .volume import Volume


def list_repetitions(path: str | Path) -> list[Path]:
    """The files of one subject and contrast in a folder, by M4Raw's names, sorted.

    >>> for name in ("8_T101.h5", "8_T103.h5", "8_T201.h5", "9_T101.h5"):
    ...     Path(name).touch()
    >>> [file.name for file in list_repetitions("8_T103.h5")]
    ['8_T101.h5', '8_T103.h5']

    Raises InputError for a file of another name.
    """
    path = Path(path)
    match = M4RAW_NAME.fullmatch(path.stem)
    if match is None:
        expected = "a name such as 2022061003_T201.h5, which says the repetition"
        raise InputError(path, "no name of M4Raw's to average by", expected)
    files: dict[int, Path] = {}
    for other in sorted(path.absolute().parent.glob(f"{match[1]}_{match[2]}*{path.suffix}")):
        found = M4RAW_NAME.fullmatch(other.stem)
        if found and found[2] == match[2] and other.is_file():
            files.setdefault(int(found[3]), other)  # _T11 beside _T101 is one repetition
    return [files[number] for number in sorted(files)]


def read_average(source: Source) -> Volume:
    """The mean of the magnitudes of all repetitions of a file; without k-space, whose phases differ.

    >>> import torch
    >>> read_average(torch.eye(8)).images.shape  # what is no file is taken as it is
    torch.Size([1, 8, 8])

    A note says how many. Raises InputError for a name that is not M4Raw's, and where sizes differ.
    """
    if not isinstance(source, str | Path):
        return read_volume(source)
    files = list_repetitions(source)
    if not files:
        return read_volume(source)  # which says what is missing
    first = read_volume(files[0])
    total = first.images.double()
    for file in files[1:]:
        images = read_volume(file).images
        if images.shape != first.images.shape:
            shapes = [" x ".join(map(str, of.shape)) for of in (images, first.images)]
            raise InputError(file, f"{shapes[0]} beside {shapes[1]} of {files[0].name}", "one size")
        total += images
    note = f"{files[0].name}: the mean of {len(files)} repetitions"
    mean = (total / len(files)).float()
    return replace(first, images=mean, kspace=None, notes=(*first.notes, note))


def join_repetitions(rows: Sequence[Names]) -> list[Names]:
    """One pair (reference, target, subject) of those that differ in the repetition alone.

    >>> rows = [(Path(f"7_T10{k}.h5"), Path(f"7_T20{k}.h5"), "7") for k in (1, 2, 3)]
    >>> [target.name for _, target, _ in join_repetitions(rows)]
    ['7_T201.h5']
    """
    kept: dict[tuple, Names] = {}
    for row in rows:
        key = []
        for path in row[:2]:
            match = M4RAW_NAME.fullmatch(path.stem)
            key.append((path.parent, *(match.groups()[:2] if match else (path.name,))))
        kept.setdefault(tuple(key), row)
    return [*kept.values()]
