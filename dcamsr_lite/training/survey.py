"""What a training will read, from the headers of its files: checked and counted before the work.

>>> import numpy as np
>>> for name in ("t1", "t2"):
...     np.save(f"{name}.npy", np.zeros((3, 32, 32)))
>>> _ = Path("pairs.csv").write_text("t1.npy,t2.npy")
>>> survey_sources(["pairs.csv", "simulated"], size=32, subjects=2)
Survey(pairs=3, slices=39, size=(32, 32), sides=None)
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ..data.geometry import REGISTER
from ..data.shapes import Shape, read_shape
from ..errors import InputError
from ..network.config import MULTIPLE
from .dataset import list_files, read_simulated_size

SIMULATED_SLICES = 18


@dataclass(frozen=True)
class Survey:
    """Pairs, their slices, and the (rows, columns) of the network; what no header says is None.

    With a patch also the smallest and the largest side of the images.
    """

    pairs: int
    slices: int | None
    size: tuple[int, int] | None
    sides: tuple[int, int] | None = None


def survey_sources(
    names: Sequence[str],
    size: int,
    subjects: int,
    common_slices: bool = False,
    register: bool = False,
    patch: int | None = None,
    average: bool = False,
) -> Survey:
    """Look at every file that ``list_sources`` would give, without reading a volume.

    >>> import numpy as np
    >>> for name, slices in (("t1", 3), ("t2", 2)):
    ...     np.save(f"{name}.npy", np.zeros((slices, 32, 32)))
    >>> _ = Path("pairs.csv").write_text("t1.npy,t2.npy")
    >>> survey_sources(["pairs.csv"], size=32, subjects=0)
    Traceback (most recent call last):
    ...
    dcamsr_lite.errors.InputError: t2.npy: found 2 x 32 x 32 beside a reference of 3 x 32 x 32; ...

    Raises InputError for a pair of unlike sizes (with ``common_slices``, of unlike rows and columns),
    and for pairs whose sizes differ from the first one's, or with ``patch`` are smaller than it.
    """
    shapes: list[tuple[object, Shape | None]] = []
    for name in names:
        if own := read_simulated_size(name, size):
            shapes += [(name, (SIMULATED_SLICES, own, own))] * subjects
        else:
            shapes += [
                (pair[1], check_pair(pair, common_slices, register))
                for pair in list_files(name, average)
            ]
    grids = [(where, pad_size(shape)) for where, shape in shapes if shape]
    for where, grid in grids:
        if patch and min(grid) < patch:
            raise InputError(where, f"{grid}", f"at least {patch} x {patch}, or less --patch")
        if not patch and grid != grids[0][1]:
            expected = "volumes of one size; of simulated heads it is --image-size; or --patch"
            raise InputError(where, f"{grid} beside {grids[0][1]}", expected)
    known = [shape[0] for _, shape in shapes if shape]
    slices = sum(known) if len(known) == len(shapes) else None
    if patch:
        sides = [side for _, grid in grids for side in grid]
        known_all = len(grids) == len(shapes)
        return Survey(
            len(shapes), slices, (patch, patch), (min(sides), max(sides)) if known_all else None
        )
    return Survey(len(shapes), slices, grids[0][1] if grids else None)


def check_pair(
    pair: tuple[Path, Path], common_slices: bool, register: bool = False
) -> Shape | None:
    """The shape of what is read of a pair of files, if their headers say it. Raises InputError."""
    one, other = map(read_shape, pair)
    if register:  # the target's grid, whatever the reference's
        return other
    if one is None or other is None:
        return None
    turned = all(file.name.lower().endswith((".nii", ".nii.gz")) for file in pair)
    if turned and sorted(one) == sorted(other):  # the reference's axes will be turned
        return other
    if one == other or common_slices and one[1:] == other[1:]:
        return (min(one[0], other[0]), *other[1:])
    if turned and common_slices:
        return None
    found, beside = (" x ".join(map(str, shape)) for shape in (other, one))
    expected = "the same matrix"
    if one[1:] == other[1:]:
        expected += ", or --common-slices: the slices that both have"
    else:
        expected = f"{REGISTER}, or {expected}"
    raise InputError(pair[1], f"{found} beside a reference of {beside}", expected)


def pad_size(shape: Shape) -> tuple[int, int]:
    """Rows and columns on the network's grid."""
    rows, columns = (-(-n // MULTIPLE) * MULTIPLE for n in shape[1:])
    return rows, columns
