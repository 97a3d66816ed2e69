"""A reference brought onto a target: by what both files say of their place, then by what is seen.

>>> done = Registration("t1.nii", "t2.nii", 2.0, (0.0, 2.1, -1.4), (0.0, 3.0, -2.0), 3.7, 0.4, 0.7)
>>> done.summary
'ref. 2.0 deg 0.0/2.1/-1.4 mm'

What is seen of the target is its low-resolution image alone, zero-filled: the truth must not lead.
"""

import math
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..errors import InputError
from ..extras import load_extra
from .geometry import has_place, name_volume, turn_onto
from .resampling import find_place, find_sizes, resample, sample
from .volume import Volume

LEVELS = (4.0, 1.5)  # mm: what the voxels have in the rough search, and in the fine one
SHARE = 0.25  # of the voxels, on a regular grid, that the fine search looks at
MARGIN = 25.0  # mm around the target in which the reference is looked for
STILL = 0.5  # pixels: what lies no further off is left where it is, nothing is interpolated
# So much more alike a moved reference has to be, or it is left, too. p19, whose T2 lies 0.4 of a thin
# slice off: 1.05 (moved, it gains 0.05 dB); a dozen slices of p03, which lie on each other: 0.998.
GAIN = 1.005
FLAT = 5  # slices: fewer do not show how a head is tilted, so only the plane is searched
# mm, and pixels of the low-resolution image: so far beside the found place, it has to be worse
SPREAD, BESIDE = 4.0, 1.2
SEED = 1
MOST = 150_000  # voxels that the fine search looks at
# When a registration is called doubtful
LEAST_OVERLAP, MOST_ROTATION, LEAST_RISE, MOST_BESIDE = 0.6, 15.0, 0.98, 0.87
# How alike the mirror image is counts as much: of other heads it fits as well. Open-MS patients, beside
# and mirrored: true pairs 0.69 to 0.83 and 0.76 to 0.93, other patients 0.85 to 0.93 and 0.98 to 0.99
MOST_ELSEWHERE = 0.885


@dataclass(frozen=True)
class Registration:
    """What was done to bring a reference onto a target, and how well it fits.

    >>> done = Registration("t1.nii", "t2.nii", 2.0, (0.0, 2.1, -1.4), (0.0, 3.0, -2.0), 3.7, 0.4, 0.7)
    >>> print(done)
    t1.nii: registered to t2.nii: it was turned by 2.0 degrees and shifted by 0.0, 2.1, -1.4 mm
    (0.0, 3.0, -2.0 pixels; slice, row, column); similarity 0.400 -> 0.700

    Where a point of the target is found in the reference: turned by ``rotation`` degrees about the
    middle of the volume, which is moved by ``shift`` mm, ``pixels`` of the target (slice, row,
    column), beyond what the files' own places say. ``misalignment`` is how far the voxels of the head
    lie off, on average, in pixels. ``before`` and ``after``: mutual information in nats.
    ``moved`` is False where that would not have been worth it, ``resampled`` where nothing had to be
    interpolated. ``warnings`` say why it is doubtful. ``unmoved``
    is the reference (slice, row, column) as the files' own places lay it on the target, for a picture.
    """

    reference: str
    target: str
    rotation: float
    shift: tuple[float, float, float]
    pixels: tuple[float, float, float]
    misalignment: float
    before: float
    after: float
    overlap: float = 1.0
    moved: bool = True
    resampled: bool = True
    warnings: tuple[str, ...] = ()
    unmoved: Tensor | None = field(default=None, repr=False, compare=False)

    @property
    def doubtful(self) -> bool:
        """Whether somebody should look before anything is believed."""
        return bool(self.warnings)

    @property
    def summary(self) -> str:
        """What fits into the description of a NIfTI file."""
        shift = "/".join(f"{n + 0.0:.1f}" for n in np.round(self.shift, 1))
        said = f"ref. {self.rotation:.1f} deg {shift} mm"
        return f"{said} DOUBTFUL" if self.doubtful else said

    def __str__(self) -> str:
        shift, pixels = (
            ", ".join(f"{n + 0.0:.1f}" for n in np.round(of, 1)) for of in (self.shift, self.pixels)
        )
        said = f"{self.reference}: registered to {self.target}: it was turned by"
        said += f" {self.rotation:.1f} degrees and shifted by {shift} mm ({pixels} pixels; slice,"
        said += f" row, column); similarity {self.before:.3f} -> {self.after:.3f}"
        if not self.moved:
            near = self.misalignment <= STILL
            said += ", in place within half a pixel" if near else ", hardly more alike there"
            said += (
                ": resampled by the files' places alone" if self.resampled else ": left as it is"
            )
        return f"{said}; DOUBTFUL: {', '.join(self.warnings)}" if self.warnings else said

    def to_json(self) -> dict[str, Any]:
        """What ``--json`` prints.

        >>> done = Registration("t1.nii", "t2.nii", 2.0, (0, 2.1, -1.4), (0, 3.0, -2.0), 3.7, 0.4, 0.7)
        >>> done.to_json()["shift_mm"]
        {'slice': 0, 'row': 2.1, 'column': -1.4}
        """
        axes = ("slice", "row", "column")
        return {
            "rotation_degrees": self.rotation,
            "shift_mm": dict(zip(axes, self.shift, strict=True)),
            "shift_pixels": dict(zip(axes, self.pixels, strict=True)),
            "misalignment_pixels": self.misalignment,
            "similarity_before": self.before,
            "similarity_after": self.after,
            "overlap": self.overlap,
            "moved": self.moved,
            "resampled": self.resampled,
            "doubtful": self.doubtful,
            "warnings": [*self.warnings],
            "description": str(self),
        }


@contextmanager
def use_one_thread() -> Iterator[None]:
    """SimpleITK on one thread: sums of several would come out in another order each time."""
    process = load_extra("SimpleITK", "scans").ProcessObject
    before = process.GetGlobalDefaultNumberOfThreads()
    process.SetGlobalDefaultNumberOfThreads(1)
    try:
        yield
    finally:
        process.SetGlobalDefaultNumberOfThreads(before)


def register_onto(
    reference: Volume, target: Volume, seen: Tensor, scale: int
) -> tuple[Volume, Registration]:
    """The reference on the target's grid, found by what is ``seen`` of the target, and what was done.

    ``seen`` (slice, row, column) is the ``scale`` times coarser image on the target's grid. The same
    input gives the same output: one thread, one seed. Raises InputError without SimpleITK, and where
    the two have no place in common.
    """
    reference = turn_onto(reference, target)  # of whole voxels: one on the same grid is not touched
    place, sizes = find_place(reference, target), find_sizes(target)
    spread = max(SPREAD, BESIDE * scale * float(sizes[:2].max()))
    with use_one_thread():
        search = Search(reference.images.numpy(), place, seen.numpy(), sizes, spread)
        rigid = search.run()
        search.try_mirrored(find_sides(target))
    to_mm = np.diag([*sizes, 1.0])
    to_mm[:3, 3] = -sizes * (np.array(target.images.shape[::-1]) - 1) / 2
    found = np.linalg.inv(to_mm) @ rigid @ to_mm
    cosine = (np.trace(rigid[:3, :3]) - 1) / 2
    off = (found - np.eye(4)) @ search.list_head()
    misalignment = float(np.linalg.norm(off[:3], axis=0).mean())
    rotation = math.degrees(math.acos(min(1.0, max(-1.0, cosine))))
    named = name_volume(reference, "reference"), name_volume(target, "target")
    worth = misalignment > STILL and search.after >= GAIN * search.before
    total = place @ found if worth else place
    same = reference.images.shape == target.images.shape and np.allclose(
        total, np.eye(4), atol=0.05
    )
    placed = reference if same else resample(reference, total, target)
    shift = [float(n) for n in rigid[2::-1, 3]]
    done = Registration(
        *named,
        rotation=rotation,
        shift=(shift[0], shift[1], shift[2]),
        pixels=(shift[0] / sizes[2], shift[1] / sizes[1], shift[2] / sizes[0]),
        misalignment=misalignment,
        before=search.before,
        after=search.after,
        overlap=search.overlap,
        moved=worth,
        resampled=not same,
        warnings=tuple(search.list_doubts(rotation)),
        unmoved=torch.from_numpy(search.unmoved),
    )
    return replace(placed, notes=(*reference.notes, str(done))), done


def compress(images: np.ndarray) -> np.ndarray:
    """Grey values by their logarithm: fluid, fat and a bright coil do not outshine the head.

    >>> [round(n, 2) for n in compress(np.array([0.0, 1, 1, 100])).tolist()]
    [0.0, 0.04, 0.04, 1.61]
    """
    positive = np.clip(images, 0, None)
    bright = positive[positive >= positive.mean()].mean()
    return np.log1p(4 * positive / bright).astype(np.float32)


def find_sides(volume: Volume) -> int:
    """The axis (0: columns, 1: rows, 2: slices) from left to right; of no known place the first.

    >>> find_sides(Volume(torch.rand(2, 8, 8), affine=np.eye(4)[[2, 0, 1, 3]]))
    2
    """
    if not has_place(volume):
        return 0
    from nibabel.orientations import io_orientation

    return [*io_orientation(np.asarray(volume.affine))[:, 0]].index(0)


class Search:
    """The search for the rigid movement, in mm about the middle of the target, (x, y, z)."""

    def __init__(
        self,
        images: np.ndarray,
        place: np.ndarray,
        seen: np.ndarray,
        sizes: np.ndarray,
        spread: float,
    ):
        self.itk = load_extra("SimpleITK", "scans")
        self.flat = len(seen) < FLAT
        self.spread, self.mirrored = spread, 0.0
        self.prepared: dict[float, tuple[Any, Any]] = {}
        self.seen, self.sizes = seen, sizes
        pad = np.ceil(MARGIN / sizes).astype(int) * [1, 1, not self.flat]
        shape = tuple((np.array(seen.shape[::-1]) + 2 * pad)[::-1])
        wider = place.copy()
        wider[:3, 3] -= place[:3, :3] @ pad
        moving = sample(images, wider, shape, 1)
        covered = sample(np.ones_like(images), wider, shape, 0) > 0.5
        own = tuple(slice(p, p + n) for p, n in zip(pad[::-1], seen.shape, strict=True))
        inner, self.unmoved = covered[own], moving[own].copy()
        if not inner.any():
            expected = "volumes of one place; their affines say where they lie"
            raise InputError("registration", "a reference that covers nothing", expected)
        head = seen > seen.mean()
        self.overlap = float((inner & head).sum() / head.sum())
        self.fixed, self.moving = self.show(compress(seen)), self.show(compress(moving))
        self.mask = self.show(covered.astype(np.uint8))

    def show(self, array: np.ndarray) -> Any:
        """An image of SimpleITK whose middle is the origin; a few slices are repeated to be enough."""
        sizes = self.sizes
        if self.flat:
            array = np.repeat(array, -(-2 * FLAT // len(array)), 0)
        image = self.itk.GetImageFromArray(np.ascontiguousarray(array))
        image.SetSpacing([float(size) for size in sizes])
        middle = [-(n - 1) / 2 * size for n, size in zip(array.shape[::-1], sizes, strict=True)]
        image.SetOrigin([float(n) for n in middle])
        return image

    def smooth(self, image: Any, size: float) -> Any:
        """Without what voxels of about so many mm do not show."""
        zero = self.itk.RecursiveGaussianImageFilter.ZeroOrder
        for axis, own in enumerate(self.sizes):
            if size > 1.5 * own:
                image = self.itk.RecursiveGaussian(image, 0.5 * size, False, zero, axis)
        return image

    def prepare(self, size: float) -> tuple[Any, Any, Any]:
        """The measure of similarity at one size of voxels, and both images.

        Every n-th voxel of the target is looked at. The reference keeps all of its own: between
        fewer, its noise is averaged, which makes it more alike half a voxel beside its place.
        """
        method = self.itk.ImageRegistrationMethod()
        method.SetMetricAsMattesMutualInformation(50)
        method.SetInterpolator(self.itk.sitkLinear)
        method.MetricUseMovingImageGradientFilterOff()  # of the whole reference, at every call
        method.MetricUseFixedImageGradientFilterOff()
        if not self.itk.GetArrayViewFromImage(self.mask).all():
            method.SetMetricMovingMask(self.mask)
        if size not in self.prepared:
            fixed = self.smooth(self.fixed, size)
            counts = [max(1, min(round(size / own), n // 8))
                      for own, n in zip(self.sizes, fixed.GetSize(), strict=True)]  # fmt: skip
            # not Shrink, whose voxels lie half of the target's off where it says
            chosen = tuple(slice(n // 2, None, n) for n in counts)
            moving = self.smooth(self.moving, size)
            self.prepared = {size: (fixed[chosen], moving)}  # of one size: they may be large
        return method, *self.prepared[size]

    def measure(self, size: float, transform: Any) -> float:
        """Mutual information with the reference so moved; 0 where too little is left to compare."""
        method, *images = self.prepare(size)
        method.SetInitialTransform(transform, False)
        try:
            return -float(method.MetricEvaluate(*images))
        except RuntimeError:
            return 0.0

    def run(self) -> np.ndarray:
        """The movement, 4 x 4 in mm, from the target to the reference."""
        transform = self.align()
        self.before = self.measure(LEVELS[-1], self.itk.Euler3DTransform())
        self.after = self.measure(LEVELS[-1], transform)
        self.beside = self.measure_beside(transform)
        matrix = np.eye(4)
        matrix[:3, :3] = np.reshape(transform.GetMatrix(), (3, 3))
        matrix[:3, 3] = transform.GetTranslation()
        return matrix

    def try_mirrored(self, axis: int) -> None:
        """How alike the reference can be made with the ends of one axis (x, y, z) exchanged."""
        if self.flat and axis == 2:
            return
        for name in ("moving", "mask"):
            image = getattr(self, name)
            array = np.flip(self.itk.GetArrayViewFromImage(image), 2 - axis)
            setattr(self, name, self.itk.GetImageFromArray(np.ascontiguousarray(array)))
            getattr(self, name).CopyInformation(image)
        self.prepared.clear()
        with suppress(InputError):  # the mirror image of one side of a head lies elsewhere
            self.mirrored = self.measure(LEVELS[-1], self.align())

    def align(self) -> Any:
        """The movement that makes both most alike."""
        transform = min(self.list_starts(), key=lambda start: -self.measure(LEVELS[0], start))
        for size in LEVELS:
            method, *images = self.prepare(size)
            if size == LEVELS[-1]:
                method.SetMetricSamplingStrategy(method.REGULAR)
                method.SetMetricSamplingPercentage(
                    min(SHARE, MOST / images[0].GetNumberOfPixels()), SEED
                )
            method.SetOptimizerAsRegularStepGradientDescent(size / 2, 1e-3, 100, 0.6)
            method.SetOptimizerScalesFromPhysicalShift()
            if self.flat:
                method.SetOptimizerWeights([0, 0, 1, 1, 1, 0])
            method.SetInitialTransform(transform, inPlace=True)
            try:
                method.Execute(*images)
            except RuntimeError as error:
                found = "too little of the reference where the target lies"
                raise InputError("registration", found, "volumes of one place") from error
        return transform

    def list_starts(self) -> list[Any]:
        """As the files say; and, where the heads' middles lie far apart, one on the other."""
        from scipy import ndimage  # loads when first used

        starts = [self.itk.Euler3DTransform()]
        middles = []
        for image in (self.fixed, self.moving):
            array = self.itk.GetArrayFromImage(image)
            middle = ndimage.center_of_mass(array > array.mean())[::-1]
            middles.append(np.array(image.GetOrigin()) + np.array(middle) * self.sizes)
        away = (middles[1] - middles[0]) * [1, 1, not self.flat]
        if np.linalg.norm(away) > 10:
            starts.append(self.itk.Euler3DTransform())
            starts[1].SetTranslation([float(n) for n in away])
        return starts

    def measure_beside(self, transform: Any) -> float:
        """The mean similarity with the reference moved further, to four sides in the plane."""
        found = []
        away = self.spread
        for side in ((away, 0), (-away, 0), (0, away), (0, -away)):
            moved = self.itk.Euler3DTransform(transform)
            moved.SetTranslation([float(n) for n in np.add(transform.GetTranslation(), (*side, 0))])
            found.append(self.measure(LEVELS[-1], moved))
        return sum(found) / len(found)

    def list_head(self) -> np.ndarray:
        """Voxels of the head (4, n): (x, y, z, 1)."""
        step = max(1, round(self.seen[0].size ** 0.5 / 32))
        thin = self.seen[:, ::step, ::step]
        z, y, x = np.nonzero(thin > self.seen.mean())
        return np.stack([x * step, y * step, z, np.ones_like(x)])

    def list_doubts(self, rotation: float) -> list[str]:
        """Why somebody should look at it."""
        doubts = []
        if self.overlap < LEAST_OVERLAP:
            doubts.append(f"the reference covers {self.overlap:.0%} of the target's head")
        if self.after < LEAST_RISE * self.before:
            doubts.append("the similarity did not rise")
        if rotation > MOST_ROTATION:
            doubts.append(f"more than {MOST_ROTATION:g} degrees")
        elsewhere = (self.beside + self.mirrored) / 2
        if self.beside > MOST_BESIDE * self.after or elsewhere > MOST_ELSEWHERE * self.after:
            doubts.append(f"hardly more alike than {self.spread:.2g} mm beside: another head?")
        if self.mirrored > self.after:
            doubts.append("more alike with left and right exchanged: a mirror image?")
        return doubts
