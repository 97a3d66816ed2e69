"""A volume on the grid of another, by what both say of their place.

>>> import torch
>>> reference = Volume(torch.rand(2, 16, 16), affine=np.diag([2.0, 2, 5, 1]))
>>> target = Volume(torch.rand(2, 32, 32), affine=np.diag([1.0, 1, 5, 1]))
>>> resample(reference, find_place(reference, target), target).images.shape
torch.Size([2, 32, 32])

Matrices are 4 x 4, of voxels (x, y, z) = (column, row, slice).
"""

import math
from dataclasses import replace

import numpy as np
import torch

from .geometry import has_place, name_volume, place_crop, relate
from .volume import Volume, check_cap

HEAD, THICKNESS = 240.0, 5.0  # mm: a field of view and slices that nobody has said


def find_sizes(volume: Volume) -> np.ndarray:
    """The sizes of a volume's voxels (x, y, z) in mm; of what nobody says, those of a usual head.

    >>> find_sizes(Volume(torch.rand(2, 8, 8), field_of_view=(16, 8), slice_thickness=4.0)).tolist()
    [1.0, 2.0, 4.0]
    >>> find_sizes(Volume(torch.rand(18, 128, 128))).tolist()
    [1.875, 1.875, 5.0]
    """
    if volume.affine is not None and has_place(volume):
        return np.linalg.norm(np.asarray(volume.affine)[:3, :3], axis=0)
    slices, rows, columns = volume.images.shape
    pixel = HEAD / max(rows, columns)
    height, width = volume.field_of_view or (pixel * rows, pixel * columns)
    thickness = volume.slice_thickness or (THICKNESS if 2 * slices < rows else pixel)
    return np.array([width / columns, height / rows, thickness])


def find_place(reference: Volume, target: Volume) -> np.ndarray:
    """From the target's voxels to the reference's, as far as the files say.

    >>> find_place(Volume(torch.rand(2, 8, 8)), Volume(torch.rand(2, 16, 16)))[0].tolist()
    [0.5, 0.0, 0.0, -0.25]

    Where they do not say where they lie, their middles are one place, and voxels have the sizes that
    are known; of unknown ones, both images cover the same field of view.
    """
    if (matrix := relate(target, reference)) is not None:
        return matrix
    shapes = [np.array(v.images.shape[::-1]) for v in (target, reference)]
    ratio = shapes[1] / shapes[0]
    if target.field_of_view and reference.field_of_view:
        ratio[:2] = (find_sizes(target) / find_sizes(reference))[:2]
    if target.slice_thickness and reference.slice_thickness:
        ratio[2] = target.slice_thickness / reference.slice_thickness
    matrix = np.diag([*ratio, 1.0])
    matrix[:3, 3] = (shapes[1] - 1) / 2 - ratio * (shapes[0] - 1) / 2
    return matrix


def choose_grid(reference: Volume, given: Volume, scale: int) -> tuple[Volume, tuple[str, ...]]:
    """The full-size grid of an image that is of full size, or low-resolution already; and a note.

    >>> low = Volume(torch.rand(2, 8, 8))
    >>> choose_grid(Volume(torch.rand(2, 32, 32)), low, 4)[0].images.shape
    torch.Size([2, 32, 32])

    Sizes that fit the reference's decide, else those of the voxels.
    """
    rows, columns = reference.images.shape[1:]
    plane = tuple(given.images.shape[1:])
    sizes = (find_sizes(v)[:2].prod() ** 0.5 for v in (given, reference))
    pixels = [float(size) for size in sizes]
    is_low = plane == (rows // scale, columns // scale)
    notes: tuple[str, ...] = ()
    if not is_low and plane != (rows, columns):
        is_low = pixels[0] > scale**0.5 * pixels[1]
        taken = "the low-resolution image" if is_low else "of full size, and degraded first"
        said = f"pixels of {pixels[0]:.3g} mm beside {pixels[1]:.3g} mm of the reference"
        notes = (f"{name_volume(given, 'input')}: {said}: taken as {taken}",)
    if not is_low:
        return given, notes
    images = torch.zeros(1).expand(len(given.images), scale * plane[0], scale * plane[1])
    affine = None
    if given.affine is not None and has_place(given):
        crop = place_crop(tuple(images.shape), tuple(given.images.shape))
        affine = given.affine @ np.linalg.inv(crop)
    return replace(given, images=images, kspace=None, affine=affine, nifti=None), notes


def resample(reference: Volume, matrix: np.ndarray, target: Volume) -> Volume:
    """The reference on the target's grid; ``matrix`` leads from the target's voxels to its own.

    >>> one = Volume(torch.rand(2, 8, 8))
    >>> torch.allclose(resample(one, np.eye(4), one).images, one.images, atol=1e-5)
    True

    Cubic splines; a voxel of the target that is larger than the reference's is the mean of what lies
    in it, so that thin slices become thick ones. What the reference does not cover is 0.
    """
    images = sample(reference.images.numpy(), matrix, tuple(target.images.shape), 3)
    low, high = (float(bound) for bound in reference.images.aminmax())
    return replace(
        reference,
        images=torch.from_numpy(images.clip(low, high)),  # splines overshoot beside edges
        kspace=None,
        affine=target.affine,
        nifti=target.nifti,
        field_of_view=target.field_of_view,
        slice_thickness=target.slice_thickness,
    )


def sample(images: np.ndarray, matrix: np.ndarray, shape: tuple, order: int) -> np.ndarray:
    """Images (slice, row, column) at the places that a matrix gives for every voxel of a shape."""
    from scipy import ndimage  # loads when first used

    check_cap("registration", f"shape {shape}", 4 * math.prod(shape))
    steps = np.linalg.norm(matrix[:3, :3], axis=0)  # voxels of the images that one of ours covers
    counts = np.minimum(np.maximum(1, np.round(steps)), 16).astype(int)
    # splines go on as in a mirror, so that what lies on the edge keeps its value; the rest is blank
    source = ndimage.spline_filter(images, order, np.float32, "mirror") if order > 1 else images
    inside, out = np.ones(images.shape, np.uint8), np.zeros(shape, np.float32)
    for inner in np.ndindex(*counts):
        step = np.eye(4)
        step[:3, 3] = (np.array(inner) + 0.5) / counts - 0.5
        of_arrays = (matrix @ step)[[2, 1, 0, 3]][:, [2, 1, 0, 3]]
        where = (of_arrays[:3, :3], of_arrays[:3, 3], shape)
        covered = ndimage.affine_transform(inside, *where, order=0, mode="grid-constant")
        values = ndimage.affine_transform(
            source, *where, np.float32, order, mode="mirror", prefilter=False
        )
        out += values * covered
    return out / np.float32(counts.prod())
