"""How far a reference lies off what it guides, estimated within a second, without SimpleITK.

>>> image = torch.zeros(2, 64, 64)
>>> image[:, 20:44, 16:40] = 1
>>> round(estimate_misalignment(image, image.roll(3, -1)), 1)
3.0
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from .geometry import HELP, name_volume
from .volume import Volume

STILL = 0.5  # pixels: what is not said
LIKE = 0.5  # correlation of the edges, from which on a place is believed
REACH = 12  # pixels: how far is looked
SLICES = 6  # from the middle of the volume: enough for an estimate


def estimate_misalignment(seen: Tensor, reference: Tensor) -> float:
    """By how many pixels two volumes (slice, row, column) lie off each other in the plane.

    >>> estimate_misalignment(torch.rand(3, 32, 32), torch.rand(3, 32, 32))
    0.0

    From the correlation of their edges: a shift in the plane, not a turn, and not one across slices.
    0 where the edges are not alike, and nothing can be said.
    """
    count = len(seen)
    first, step = count // 3, max(1, count // 3 // SLICES)
    chosen = slice(first, max(first + 1, 2 * count // 3), step)
    one, other = find_edges(seen[chosen]), find_edges(reference[chosen])
    found = _find_peak(one, other)
    return 0.0 if found is None else (found[0] ** 2 + found[1] ** 2) ** 0.5


def find_edges(images: Tensor) -> Tensor:
    """The root of the gradient's size, of logarithms: both contrasts have it in one place.

    >>> find_edges(torch.rand(2, 16, 16)).shape
    torch.Size([2, 16, 16])
    """
    positive = images.clamp(min=0)
    bright = positive[positive >= positive.mean()].mean()
    weights = torch.exp(-torch.arange(-4.0, 5).square() / 2)  # a pixel, standard deviation
    weights = weights / weights.sum()
    smooth = torch.log1p(4 * positive / bright)[:, None]
    smooth = F.conv2d(F.pad(smooth, (4, 4, 0, 0), mode="replicate"), weights[None, None, None])
    smooth = F.conv2d(F.pad(smooth, (0, 0, 4, 4), mode="replicate"), weights[None, None, :, None])
    down, right = torch.gradient(smooth[:, 0], dim=(1, 2))
    return (down.square() + right.square()).pow(0.25)


def _find_peak(one: Tensor, other: Tensor) -> tuple[float, float] | None:
    """How many rows and columns the other lies off; None where they are not alike, or farther off."""
    one, other = (edges - edges.mean((1, 2), keepdim=True) for edges in (one, other))
    size = [2 * n for n in one.shape[1:]]  # zeros all round: nothing comes in from the other side
    spectrum = (torch.fft.rfft2(one, size).conj() * torch.fft.rfft2(other, size)).sum(0)
    likeness = torch.fft.irfft2(spectrum, size) / (one.norm() * other.norm()).clamp(min=1e-12)
    reach = min(REACH, min(one.shape[1:]) // 2)
    near = torch.arange(-reach, reach + 1)
    likeness = likeness[near][:, near]
    row, column = divmod(int(likeness.argmax()), 2 * reach + 1)
    edge = row in (0, 2 * reach) or column in (0, 2 * reach)
    if edge or float(likeness[row, column]) < LIKE:
        return None
    around = likeness[row - 1 : row + 2, column - 1 : column + 2]
    return row - reach + _fit_top(around[:, 1]), column - reach + _fit_top(around[1])


def _fit_top(three: Tensor) -> float:
    """Where the parabola through three values, the middle one the largest, has its top."""
    before, top, after = three.tolist()
    bend = before - 2 * top + after
    return (before - after) / (2 * bend) if bend else 0.0


def tell_misalignment(reference: Volume, seen: Tensor, pixel: int = 1) -> tuple[str, ...]:
    """A note where the reference lies more than half a pixel off what is seen of the target.

    >>> image = torch.zeros(2, 64, 64)
    >>> image[:, 20:44, 16:40] = 1
    >>> tell_misalignment(Volume(image.roll(3, -1)), image)[0]
    'reference: seems to lie 3.0 pixels off the target: --register (register=True) brings ...'

    ``pixel`` is the side of those that were measured: half of one counts, also of an image that came
    without its original, and may be a crop of k-space or means of pixels.
    """
    off = estimate_misalignment(seen, reference.images)
    if off <= STILL * pixel:
        return ()
    name = name_volume(reference, "reference")
    return (f"{name}: seems to lie {off:.1f} pixels off the target: {HELP}",)
