"""What files hold that is not as it is taken to be: axes in another order, k-space off its centre,
a reconstruction of something else, an offset.

>>> from dcamsr_lite.kspace import fft2c
>>> check_axes("array", (18, 256, 256))
>>> center_kspace(fft2c(torch.ones(1, 1, 16, 16)))[1]
()
"""

import itertools

import numpy as np
import torch
from torch import Tensor

from ..errors import InputError
from .background import find_offsets

FLAT = 3  # times: an axis so much shorter than both others is that of slices, or of coils
PEAK = 0.1  # of the energy of k-space: what its centre, 3 x 3 samples, holds at least
AGREE = 0.95  # correlation from which on two images are one
BRIGHTER = 1.1  # times, from which on one is said to be brighter than the other


def check_axes(where: object, shape: tuple[int, ...], first: str = "slice") -> None:
    """Raise InputError where rows or columns are so few that the axes are in another order.

    >>> check_axes("array", (256, 256, 18))
    Traceback (most recent call last):
    ...
    dcamsr_lite.errors.InputError: array: found shape (256, 256, 18), that is 256 images of 256 x 18;
    expected (slice, row, column), as numpy.moveaxis(array, 2, 0) has it; of NIfTI's axes the last are
    the slices (a Volume is taken as it is)

    ``shape`` is (slice, row, column), or of k-space the last three axes, with coils ``first``.
    """
    for axis in (1, 2):
        others = [n for place, n in enumerate(shape) if place != axis]
        if FLAT * shape[axis] <= min(others):
            found = f"shape {tuple(shape)}, that is {shape[0]} images of {shape[1]} x {shape[2]}"
            expected = f"({first}, row, column), as numpy.moveaxis(array, {axis}, 0) has it"
            nifti = "of NIfTI's axes the last are the slices (a Volume is taken as it is)"
            if first == "coil":
                expected, nifti = "k-space (slice, coil, row, column)", "move the axes"
            raise InputError(where, found, f"{expected}; {nifti}")


def center_kspace(kspace: Tensor, own: bool = False) -> tuple[Tensor, tuple[str, ...]]:
    """k-space (slice, coil, row, column) with its peak in the middle, where a crop expects it; notes.

    >>> from dcamsr_lite.kspace import fft2c
    >>> kspace = fft2c(torch.ones(2, 1, 16, 16)).roll((3, -2), (-2, -1))
    >>> centred, notes = center_kspace(kspace)
    >>> divmod(int(centred[0, 0].abs().argmax()), 16), notes
    ((8, 8), ('its k-space lies 3 rows and -2 columns off the centre: rolled back',))

    The roll is circular and of whole samples, alike for all coils: magnitudes of images do not
    change. Slices go with the whole volume, unless their own peak is clear and elsewhere. What moves
    is copied, unless it is our ``own``.
    """
    total, found = torch.zeros(()), []
    for coils in kspace:
        energy = coils.abs().square().sum(0)
        total = total + energy
        found.append(_find_shift(energy))
    whole = _find_shift(total) or (0, 0)
    shifts = []
    for own_shift in found:
        shift = own_shift or whole
        near = max(abs(a - b) for a, b in zip(shift, whole, strict=True)) <= 1
        shifts.append(whole if near else shift)
    moved = [shift for shift in shifts if shift != (0, 0)]
    if not moved:
        return kspace, ()
    kspace = kspace if own else kspace.clone()
    for coils, (rows, columns) in zip(kspace, shifts, strict=True):
        coils[:] = coils.roll((-rows, -columns), (-2, -1))
    some = "" if len(set(shifts)) == 1 else f" in {len(moved)} of {len(shifts)} slices"
    far = max(moved, key=lambda shift: max(abs(shift[0]), abs(shift[1])))
    upto = "up to " if len(set(moved)) > 1 else ""
    words = (
        f"{n} {axis}{'s' * (abs(n) != 1)}" for n, axis in zip(far, ("row", "column"), strict=True)
    )
    note = f"its k-space lies{some} {upto}{' and '.join(words)} off the centre"
    return kspace, (f"{note}: rolled back",)


def _find_shift(energy: Tensor) -> tuple[int, int] | None:
    """By how many rows and columns the peak lies off the centre; None where there is no clear peak.

    A sample is nothing: coils' own phases move their peaks by as much.
    """
    rows, columns = energy.shape
    place = divmod(int(energy.argmax()), columns)
    centre = (rows // 2, columns // 2)
    held, before = (
        sum(
            float(energy[(at[0] + i) % rows, (at[1] + j) % columns])
            for i, j in itertools.product((-1, 0, 1), repeat=2)
        )
        for at in (place, centre)
    )
    if held < PEAK * float(energy.sum()) or min(rows, columns) < 8:
        return None
    shift = (place[0] - centre[0], place[1] - centre[1])
    return shift if max(abs(n) for n in shift) > 1 and held > 2 * before else (0, 0)


def compare_reconstruction(images: Tensor, stored: dict[int, np.ndarray]) -> str:
    """In what the stored slices (index -> (row, column)) differ from the images (slice, row, column).

    >>> images = torch.rand(3, 16, 16)
    >>> compare_reconstruction(images, {1: 1000 * images[1].flip(0).numpy()})
    'flipped along rows, 1000 times as bright'

    Empty where they are the same.
    """
    square = images.shape[-2] == images.shape[-1]
    ways = itertools.product((False, True), (False, True), (False, True), (False, square))
    likely = (_measure_likeness(images, stored, way) for way in {*ways})
    found = max(likely, key=lambda f: (round(f[0], 6), -sum(f[2])))
    straight = _measure_likeness(images, stored, (False,) * 4)
    if found[0] < AGREE:
        return "another image"
    if straight[0] > AGREE:  # a symmetric image
        found = straight
    names = ("slices reversed", "flipped along rows", "flipped along columns", "transposed")
    words = [name for name, turned in zip(names, found[2], strict=True) if turned]
    if not 1 / BRIGHTER < found[1] < BRIGHTER:
        words.append(f"{found[1]:.4g} times as bright")
    return ", ".join(words)


def _measure_likeness(
    images: Tensor, stored: dict[int, np.ndarray], way: tuple[bool, ...]
) -> tuple[float, float, tuple[bool, ...]]:
    """Correlation with what is stored, turned; how many times as bright that is; and the way."""
    reverse, rows, columns, transpose = way
    own = images.flip(0) if reverse else images
    one = torch.stack([own[index] for index in stored]).double()
    two = torch.stack([torch.from_numpy(image) for image in stored.values()]).double()
    two = two.mT if transpose else two
    two = two.flip([axis for axis, turned in ((-2, rows), (-1, columns)) if turned])
    brightness = float((one * two).sum() / one.square().sum())
    one, two = (x - x.mean() for x in (one, two))
    likeness = float((one * two).sum() / (one.square().sum() * two.square().sum()).sqrt())
    return likeness if likeness == likeness else 0.0, brightness, way


def find_offset(images: Tensor) -> float:
    """The deepest offset of magnitude images ([slice,] row, column), or 0: ``find_offsets``.

    >>> find_offset(torch.eye(8) - 0.05), find_offset(torch.eye(8))
    (-0.05000000074505806, 0.0)
    """
    return float(find_offsets(images.reshape(-1, *images.shape[-2:])).min())


def describe_axes(shape: tuple[int, ...]) -> str:
    """What to do where an array (slice, row, column) may be in another order; else nothing.

    >>> describe_axes((128, 128, 43))
    'taken as 128 slices of 128 x 43; if its slices are last, numpy.moveaxis(array, 2, 0)'
    >>> describe_axes((43, 128, 128)), describe_axes((128, 256, 208))
    ('', '')

    Slices are square more often than not, and seldom the longest axis.
    """
    slices, rows, columns = shape
    taken = f"taken as {slices} slices of {rows} x {columns}; if its slices are"
    if (
        slices > 1
        and columns > 1
        and (slices == rows != columns or 4 * columns < 3 * min(shape[:2]))
    ):
        return f"{taken} last, numpy.moveaxis(array, 2, 0)"
    if slices == columns > rows or 4 * rows < 3 * min(slices, columns):
        return f"{taken} in the middle, numpy.moveaxis(array, 1, 0)"
    return ""


def describe_halves(images: Tensor) -> str:
    """Along which axes images (slice, row, column) lie half a field off; nothing where they do not.

    >>> rows = torch.hann_window(16)[:, None] * torch.rand(1, 16)
    >>> describe_halves(rows[None].roll(8, 1)), describe_halves(rows[None])
    ('half a field off along rows, as without fftshift: numpy.roll(array, 8, 1)', '')

    The head lies at both ends, which are alike, about a dark middle. Shifts by less are not told
    from a head that was placed so. Of 15 scans of four patients (open MS, their own matrices), the
    same at 128 x 128 and simulated heads, none is called so, also slice by slice, and each is when
    it is rolled by half a field along rows, columns or both. (Chosen on p01: middle over brightest
    line 0.67 or more, half a field off 0.00; ends 0.00 and 0.55 or more, alike by 0.94.)
    """
    names, rolls = [], []
    for name, axis in (("rows", 1), ("columns", 2)):
        lines = images.movedim(axis, 0).flatten(1).float()
        size, near = len(lines), max(1, len(lines) // 32)
        energy = lines.square().mean(1)
        bright, ends = float(energy.max()), lines[[0, -1]]
        middle = float(energy[size // 2 - near : size // 2 + near].max())
        if size < 8 or middle > 0.05 * bright or min(energy[0], energy[-1]) < 0.25 * bright:
            continue
        if float(torch.corrcoef(ends)[0, 1]) > 0.8:
            names.append(name)
            rolls.append((size // 2, axis))
    if not names:
        return ""
    told = [str(x[0]) if len(rolls) == 1 else str(x) for x in zip(*rolls, strict=True)]
    turned = " and ".join(names)
    return f"half a field off along {turned}, as without fftshift: numpy.roll(array, {', '.join(told)})"


def describe_holes(sampled: Tensor) -> str:
    """How many samples of k-space (row, column) are missing between others; nothing where none is.

    >>> sampled = torch.ones(16, 16, dtype=torch.bool)
    >>> sampled[:, 1::2] = False
    >>> describe_holes(sampled)
    '44 % of its samples between others are 0'

    What is beyond the outermost samples was zero-filled, or never measured: partial Fourier.
    """
    holes = torch.zeros_like(sampled)
    for axis in (0, 1):
        one, two = (x.int().cummax(axis).values for x in (sampled, sampled.flip(axis)))
        holes |= ~sampled & (one & two.flip(axis)).bool()
    share = float(holes.float().mean())
    if 2 * int(holes.sum()) < min(sampled.shape):  # not even most of one line
        return ""
    return f"{100 * share:.2g} % of its samples between others are 0"


def is_image(energy: Tensor, image: Tensor) -> bool:
    """Whether what came as k-space is an image: its ``energy`` (row, column), and the image made of it.

    >>> from dcamsr_lite.kspace import fft2c
    >>> coil = torch.rand(32, 32)
    >>> is_image(coil.square(), fft2c(coil).abs()), is_image(fft2c(coil).abs().square(), coil)
    (True, False)

    The energy of k-space is at its peak, that of images is not; what is made of an image is k-space.
    """
    return _find_shift(energy) is None and _find_shift(image.square()) is not None
