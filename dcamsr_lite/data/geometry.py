"""Where volumes lie: axes turned into another volume's order, grids compared, an LR image put in place.

>>> affine = np.diag([-2.0, 2, 5, 1])
>>> mirrored, other = (Volume(torch.rand(2, 8, 8), affine=a) for a in (affine, abs(affine)))
>>> turned = turn_onto(mirrored, other)
>>> torch.equal(turned.images, mirrored.images.flip(-1)), float(turned.affine[0, 0])
(True, 2.0)

Only volumes that say where they lie are compared: those with an affine, which in a NIfTI file needs
a code. Affines are of (x, y, z) = (column, row, slice), in mm.
"""

import itertools
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import torch

from ..errors import InputError
from ..kspace import resample, shift
from .nifti_headers import read_unit
from .volume import Volume

TOLERANCE = 0.5  # of a voxel: how far from each other the voxels of one grid may lie
REGISTER = "register=True (--register), which resamples the reference"
HELP = "--register (register=True) brings the reference onto it"
GRID = f"one grid within {TOLERANCE:g} voxels: {HELP}"
SCANNER = 2  # NIfTI's codes 1, of the scanner, and 2, aligned to another scan; 3 to 5 are templates
SPACES = {SCANNER: "the scanner's", 3: "Talairach's", 4: "MNI's"}
STILL = 0.05  # of a pixel: what is no shift, but rounding of an affine


def has_place(volume: Volume) -> bool:
    """Whether the volume says where it lies, by an affine that can be inverted.

    >>> has_place(Volume(torch.rand(2, 8, 8)))
    False
    """
    return bool(_list_places(volume))


def name_slices_first(volume: Volume, axis: int) -> Volume:
    """What an ``axis`` of (x, y, z) was is now the last of the images: affines and a note say so.

    >>> full = Volume(torch.rand(2, 8, 9), affine=np.diag([5.0, 1, 1, 1]))  # stored 2 x 9 x 8
    >>> name_slices_first(full, 0).affine[0].tolist()
    [0.0, 0.0, 5.0, 0.0]
    """
    change = np.eye(4)[:, [*(n for n in range(3) if n != axis), axis, 3]]
    note = f"{name_volume(volume, 'volume')}: its slices lie along {'xyz'[axis]} of the file's axes"
    return _change_place(volume, change, f"{note}: taken as slices")


def follow_slices(volume: Volume, other: Volume) -> Volume:
    """The volume with its slices along the axis of the other's, as far as both say.

    >>> stored = np.eye(4)[[2, 1, 0, 3]]  # slices along x
    >>> one, two = (Volume(torch.rand(4, 5, 6), affine=a) for a in (stored, np.eye(4)))
    >>> follow_slices(one, two).images.shape
    torch.Size([6, 4, 5])
    """
    if (matrix := relate(volume, other)) is None:
        return volume
    from nibabel.orientations import io_orientation

    axis = [*io_orientation(matrix)[:, 0]].index(2)
    if axis == 2:
        return volume
    images = volume.images.movedim(2 - axis, 0).contiguous()
    return name_slices_first(replace(volume, images=images, kspace=None), axis)


def _list_places(volume: Volume) -> list[tuple[int, np.ndarray]]:
    """Affines, the one that counts first, and the space of each: a scanner's (2), or a template's."""
    header = volume.nifti
    places: list[tuple[int, Any]] = [(SCANNER, volume.affine)]
    if volume.affine is not None and header is not None:
        from nibabel.spatialimages import HeaderDataError

        places = []
        unit = np.diag([*[read_unit(header)] * 3, 1])
        for form in ("sform", "qform"):
            code = int(header[f"{form}_code"])
            with suppress(ValueError, HeaderDataError):  # a quaternion that is no rotation
                affine = unit @ getattr(header, f"get_{form}")()
                places += [(max(code, SCANNER), affine)] if code > 0 else []
    sound = (p for p in places if p[1] is not None and np.isfinite(p[1]).all())
    return [place for place in sound if np.linalg.matrix_rank(place[1]) == 4]


def relate(volume: Volume, other: Volume) -> np.ndarray | None:
    """From the volume's voxels to the other's: 4 x 4, of (x, y, z); None unless both have a place.

    Of several affines the first two of one space count: a scanner's are not those of a template.

    >>> one, two = (Volume(torch.rand(2, 8, 8), affine=np.diag([n, n, 5.0, 1])) for n in (1, 2))
    >>> relate(two, one).diagonal()
    array([2., 2., 1., 1.])
    """
    places = _choose_places(volume, other)
    return np.linalg.inv(places[1][1]) @ places[0][1] if places else None


def _choose_places(volume: Volume, other: Volume) -> tuple[tuple[int, np.ndarray], ...]:
    """The space and the affine of both; nothing unless both have a place."""
    both = [*itertools.product(_list_places(volume), _list_places(other))]
    return next((pair for pair in both if pair[0][0] == pair[1][0]), both[0] if both else ())


def _tell_spaces(volume: Volume, other: Volume) -> str:
    """Which spaces the two places are of, where these are not one; else nothing."""
    spaces = [space for space, _ in _choose_places(volume, other)]
    if len({*spaces}) < 2:
        return ""
    one, two = (SPACES.get(space, "another template's") for space in spaces)
    return f"in {one} space beside {two}, which cannot be compared"


def _name_axes(affine: np.ndarray) -> str:
    from nibabel.orientations import aff2axcodes

    return "".join(code or "?" for code in aff2axcodes(affine))


def name_volume(volume: Volume, role: str) -> str:
    """The file's name, or what the volume is there for.

    >>> name_volume(Volume(torch.rand(2, 8, 8), path="scans/t1.nii"), "reference")
    't1.nii'
    """
    return Path(volume.path).name if volume.path else role


def turn_onto(volume: Volume, other: Volume) -> Volume:
    """The volume with its axes in the order and direction of the other's, as far as both say.

    Nothing is interpolated: axes are flipped and exchanged. A turned volume has no k-space, and a
    note that says what was done.
    """
    if (matrix := relate(volume, other)) is None:
        return volume
    from nibabel.orientations import apply_orientation, inv_ornt_aff, io_orientation

    axes = io_orientation(matrix)
    if np.array_equal(axes, [[0, 1], [1, 1], [2, 1]]):
        return volume
    xyz = volume.images.numpy().T
    turned = np.ascontiguousarray(apply_orientation(xyz, axes).T)
    codes = [_name_axes(affine) for _, affine in _choose_places(volume, other)]
    notes = [f"{name_volume(volume, 'reference')}: axes turned, {codes[0]} to {codes[1]}"]
    slices, rows, columns = other.images.shape
    if axes[2, 0] != 2 and slices > min(
        rows, columns
    ):  # more likely than not stored in another order
        found = f"{name_volume(other, 'target')}: taken as {slices} slices of {rows} x {columns}"
        notes.append(
            f"{found}, as it is stored: those of {name_volume(volume, 'reference')} differ"
        )
    moved = replace(volume, images=torch.from_numpy(turned), kspace=None)
    return _change_place(moved, inv_ornt_aff(axes, xyz.shape), *notes)


def _change_place(volume: Volume, change: np.ndarray, *notes: str) -> Volume:
    """What the affines say of images whose voxel v was voxel ``change @ v`` before."""
    from nibabel.spatialimages import HeaderDataError

    affine = volume.affine @ change
    sizes = np.linalg.norm(affine[:3, :3], axis=0)
    columns, rows, _ = (sizes * volume.images.shape[::-1]).tolist()
    view = volume.field_of_view and (rows, columns)
    thickness = volume.slice_thickness and float(sizes[2])
    header = volume.nifti and volume.nifti.copy()
    if header is not None:
        header["pixdim"][1:4] = abs(change[:3, :3].T) @ header["pixdim"][1:4]
        for form in ("sform", "qform"):
            code, header[f"{form}_code"] = int(header[f"{form}_code"]), 0
            with suppress(ValueError, HeaderDataError):  # a quaternion that is no rotation
                before = getattr(volume.nifti, f"get_{form}")()
                getattr(header, f"set_{form}")(before @ change, code)
    notes = volume.notes + notes
    moved = replace(volume, affine=affine, nifti=header, notes=notes)
    return replace(moved, field_of_view=view, slice_thickness=thickness)


def keep_slices(volume: Volume, first: int, count: int) -> Volume:
    """Some slices of a volume, which lie where they lay.

    >>> float(keep_slices(Volume(torch.rand(5, 8, 8), affine=np.eye(4)), 2, 3).affine[2, 3])
    2.0
    """
    kept = slice(first, first + count)
    kspace = None if volume.kspace is None else volume.kspace[kept]
    cut = replace(volume, images=volume.images[kept], kspace=kspace)
    if first == 0 or volume.affine is None:
        return cut
    change = np.eye(4)
    change[2, 3] = first
    return _change_place(cut, change)


def keep_common_slices(volume: Volume, other: Volume) -> tuple[Volume, Volume]:
    """The slices that both have: those in one place, or the first ones where that is not known.

    >>> one, other = Volume(torch.rand(5, 8, 8)), Volume(torch.rand(3, 8, 8))
    >>> [len(kept.images) for kept in keep_common_slices(one, other)]
    [3, 3]
    """
    ahead = 0  # by how many slices the volume starts behind the other
    if (matrix := relate(volume, other)) is not None:
        ahead = round(float(matrix[2, 3]))
    counts = len(volume.images), len(other.images)
    firsts = max(0, -ahead), max(0, ahead)
    count = min(n - first for n, first in zip(counts, firsts, strict=True))
    if count < 1:
        found = f"no slice where {other.path or 'the other'} has one"
        found = ", ".join(filter(None, (found, _tell_spaces(volume, other))))
        raise InputError(volume.path or "reference", found, GRID)
    if counts == (count, count):
        return volume, other
    named = name_volume(volume, "reference"), name_volume(other, "target")
    common = f"common {count} are" if count > 1 else "common one is"
    note = f"{named[0]}: {counts[0]} slice{'s' * (counts[0] > 1)}, {named[1]}: {counts[1]}; "
    note += f"the {common} taken"
    kept = keep_slices(volume, firsts[0], count)
    return replace(kept, notes=(*kept.notes, note)), keep_slices(other, firsts[1], count)


def check_same_grid(volume: Volume, other: Volume) -> Volume:
    """The volume. Raises InputError where its voxels lie elsewhere than the other's, of its shape.

    >>> one, moved = (Volume(torch.rand(2, 8, 8), affine=np.eye(4)) for _ in range(2))
    >>> moved.affine[0, 3] = 3
    >>> check_same_grid(moved, one)
    Traceback (most recent call last):
    ...
    dcamsr_lite.errors.InputError: reference: found 1 x 1 x 1 mm voxels, RAS, the first at (3, 0, 0),
    beside 1 x 1 x 1 mm, RAS, (0, 0, 0) of the target, up to 3 voxels apart; expected one grid within
    0.5 voxels: --register (register=True) brings the reference onto it

    Of two volumes that say no more than their sizes, other sizes get a note.
    """
    if (matrix := relate(volume, other)) is not None:
        away = np.abs(_move_corners(volume, matrix - np.eye(4))).max()
        if away > TOLERANCE:
            _refuse(volume, other, f"up to {away:.3g} voxels apart", GRID)
    elif (views := _differ_in_size(volume, other, TOLERANCE)) is not None:
        named = name_volume(volume, "reference"), name_volume(other, "target")
        note = f"{named[0]} covers {views[0]}, {named[1]} {views[1]}: they hardly lie on each other"
        volume = replace(volume, notes=(*volume.notes, note))
    for one, beside in ((volume, other), (other, volume)):
        volume = replace(volume, notes=volume.notes + _tell_no_place(one, beside))
    return volume


def _move_corners(volume: Volume, matrix: np.ndarray) -> np.ndarray:
    """Where a matrix takes the corner voxels: (8, 3)."""
    ends = [(0, n - 1) for n in volume.images.shape[::-1]]
    corners = np.array([[*corner, 1] for corner in itertools.product(*ends)])
    return (corners @ matrix.T)[:, :3]


def _differ_in_size(volume: Volume, other: Volume, voxels: float) -> tuple[str, str] | None:
    """Both fields of view, where both are known and edges lie more than so many voxels apart."""
    one, two = volume.field_of_view, other.field_of_view
    if one is None or two is None:
        return None
    sides = zip(one, two, other.images.shape[-2:], strict=True)
    if all(abs(a / b - 1) * n / 2 <= voxels for a, b, n in sides):
        return None
    return "{:.4g} x {:.4g} mm".format(*one), "{:.4g} x {:.4g} mm".format(*two)


def _refuse(volume: Volume, other: Volume, apart: str, expected: str) -> NoReturn:
    told = []
    apart = _tell_spaces(volume, other) or apart
    for _, affine in _choose_places(volume, other):
        sizes = " x ".join(f"{size:.3g}" for size in np.linalg.norm(affine[:3, :3], axis=0))
        first = ", ".join(f"{place:.4g}" for place in affine[:3, 3] + 0.0)
        told.append((sizes, _name_axes(affine), first))
    (sizes, codes, first), beside = told
    found = f"{sizes} mm voxels, {codes}, the first at ({first}), beside "
    found += "{} mm, {}, ({})".format(*beside) + f" of {name_volume(other, 'the target')}, {apart}"
    raise InputError(volume.path or "reference", found, expected)


# A crop of k-space keeps the middle pixel, index n // 2, of both grids in one place, so that the
# small pixel j lies at N // 2 + (j - n // 2) N / n: for even sizes pixel 0 lies on pixel 0. Means of
# s x s pixels lie (s - 1) / 2 further down and right.


def place_crop(shape: tuple[int, ...], cropped: tuple[int, ...]) -> np.ndarray:
    """From the voxels of a crop of k-space to those of its original: 4 x 4, of (x, y, z).

    >>> place_crop((3, 16, 16), (3, 4, 4))[0]
    array([4., 0., 0., 0.])

    Both shapes are (slice, row, column).
    """
    matrix = np.eye(4)
    for axis, (full, small) in enumerate(zip(shape[::-1], cropped[::-1], strict=True)):
        matrix[axis, axis] = full / small
        matrix[axis, 3] = full // 2 - small // 2 * full / small
    return matrix


def place_low(low: Volume, full: Volume, scale: int) -> tuple[Volume, Volume]:
    """A low-resolution image where a crop of k-space would lie, and the full-size grid with its place.

    >>> full = Volume(torch.rand(1, 16, 16), affine=np.eye(4))
    >>> means = full.images.unfold(1, 4, 4).unfold(2, 4, 4).mean((-2, -1))
    >>> low = Volume(means, affine=np.diag([4.0, 4, 1, 1]))
    >>> low.affine[:2, 3] = 1.5
    >>> place_low(low, full, 4)[0].notes
    ('input: lies 1.5 and 1.5 pixels off a crop of k-space, by its affine: shifted',)

    By the affines, up to a small pixel, within the plane, is shifted by a phase in k-space. So is one
    whose pixels are ``scale`` of a full-size grid that is no multiple of it: a crop's are a little
    larger. Raises InputError where the two cover something else. A full-size grid without a place
    gets the one that the low-resolution image says.
    """
    expected = place_crop(tuple(full.images.shape), tuple(low.images.shape))
    cover = "an image of what the reference covers, which lies on it"
    if (matrix := relate(low, full)) is not None:
        means = np.diag([scale, scale, 1.0, 1])
        means[:, 3] = (expected - means) @ [*(n // 2 for n in low.images.shape[::-1]), 1]
        means[3, 3] = 1
        likely = (_measure_distance(low, matrix, grid) for grid in (expected, means))
        off, far, grid = min(likely, key=lambda measured: measured[1])
        if max(far, abs(off[2])) > TOLERANCE or np.abs(off[:2]).max() > scale:
            apart = np.abs(_move_corners(low, matrix - expected)).max()
            _refuse(low, full, f"up to {apart:.3g} of its voxels off", cover)
        if np.abs(off[:2]).max() > STILL or grid is means:
            low = _place_on_crop(low, grid, expected, off)
    elif (views := _differ_in_size(low, full, TOLERANCE)) is not None:
        raise InputError(low.path or "input", f"{views[0]} beside a reference of {views[1]}", cover)
    if low.field_of_view or not has_place(full):  # a file with nothing but its pixels fits any
        missing = _tell_no_place(low, full) + _tell_no_place(full, low)
        low = replace(low, notes=low.notes + missing)
    if has_place(low) and not has_place(full):
        full = replace(full, affine=np.asarray(low.affine) @ np.linalg.inv(expected), nifti=None)
    return low, replace(full, field_of_view=full.field_of_view or low.field_of_view)


def _measure_distance(
    low: Volume, matrix: np.ndarray, grid: np.ndarray
) -> tuple[np.ndarray, float, np.ndarray]:
    """How far its voxels lie off a grid, on average and at most beside that; and the grid."""
    moved = _move_corners(low, matrix - grid)
    return moved.mean(0), float(np.abs(moved - moved.mean(0)).max()), grid


def _place_on_crop(low: Volume, grid: np.ndarray, crop: np.ndarray, off: np.ndarray) -> Volume:
    """The image, which lies ``off`` the grid, (x, y, z), sampled where a crop would have its pixels."""
    sizes, wanted = grid.diagonal()[:2], crop.diagonal()[:2]
    words = " and ".join(f"{round(n, 2) + 0.0:g}" for n in off[1::-1].tolist())
    said = f"lies {words} pixels off a crop of k-space, by its affine"
    right, down = (off[:2] / sizes).tolist()
    if np.array_equal(sizes, wanted):
        images, done = shift(low.images, down, right), "shifted"
    else:
        images = resample(low.images, (down, right), tuple((wanted / sizes)[::-1].tolist()))
        said = f"{said}, with pixels of {sizes[1]:g} x {sizes[0]:g} of the reference's"
        done = "resampled"
    note = f"{name_volume(low, 'input')}: {said}: {done}"
    return replace(low, images=images, notes=(*low.notes, note))


def _tell_no_place(volume: Volume, other: Volume) -> tuple[str, ...]:
    """A note where the volume is of a file that says no place, and the other says one."""
    if volume.path is None or has_place(volume) or not has_place(other):
        return ()
    found = (
        f"{name_volume(volume, '')} does not say where it lies, {name_volume(other, 'the other')}"
    )
    return (f"{found} does: taken voxel by voxel as it is stored",)
