"""Other heads and other scanners, out of few: what a training slice may look like next time.

>>> lr, ref, target = vary(torch.rand(1, 8, 8), *torch.rand(2, 1, 32, 32), scale=4)
>>> lr.shape, target.shape
(torch.Size([1, 8, 8]), torch.Size([1, 32, 32]))

What a network learns from few scanners about how T1 turns into T2 does not hold on the next one;
here it changes from slice to slice and has to be read off the low-resolution image.
"""

from collections.abc import Sequence
from math import cos, exp, inf, radians, sin
from typing import Any

import torch
import torch.nn.functional as F
from einops import rearrange
from torch import Generator, Tensor

from ..errors import InputError
from ..global_state import single_precision
from ..kspace import center_crop, degrade, fft2c, ifft2c, upsample_fourier
from .normalisation import ROUNDING

CHANCE = {"geometry": 0.8, "mirror": 0.5, "contrast": 0.5, "curve": 0.25}  # of a slice
USUAL = tuple(CHANCE)  # other kinds have to be asked for
CHANCE |= {"misalignment": 0.75}
KINDS = tuple(CHANCE)
SHIFT, TURN, BEND = 3.0, 3.0, 0.5  # of a misaligned reference: pixels, degrees, pixels


def choose_kinds(chosen: bool | str | tuple[str, ...]) -> tuple[str, ...]:
    """The asked kinds of variation: True is the usual ones, False none, a string has commas.

    >>> choose_kinds("misalignment,geometry")
    ('geometry', 'misalignment')
    >>> choose_kinds(True), choose_kinds(False)
    (('geometry', 'mirror', 'contrast', 'curve'), ())
    """
    if isinstance(chosen, bool):
        return USUAL if chosen else ()
    names = chosen.split(",") if isinstance(chosen, str) else chosen
    if unknown := sorted(set(names) - {*KINDS}):
        raise InputError("--vary", repr(unknown[0]), f"some of {','.join(KINDS)}")
    return tuple(name for name in KINDS if name in names)


def vary(
    lr: Tensor,
    ref: Tensor,
    target: Tensor,
    scale: int,
    chosen: tuple[str, ...] = USUAL,
    generator: Generator | None = None,
) -> tuple[Tensor, Tensor, Tensor]:
    """One slice, each of the ``chosen`` kinds with its own chance: lr, ref, target again.

    "geometry": both contrasts in another head's shape; "mirror": both flipped; "contrast": each with
    another gamma and shading; "curve": the reference's grey values sent through a random curve;
    "misalignment": the reference does not lie on the target, see ``draw_misalignment``. The
    low-resolution image is made anew from a target that was varied. Normalised images in and out,
    (1, rows, columns); a slice that no kind falls on is returned as it is.
    """
    return vary_and_tell(lr, ref, target, scale, chosen, generator)[:3]


@single_precision()
def vary_and_tell(
    lr: Tensor,
    ref: Tensor,
    target: Tensor,
    scale: int,
    chosen: tuple[str, ...] = USUAL,
    generator: Generator | None = None,
) -> tuple[Tensor, Tensor, Tensor, dict]:
    """As ``vary``, and behind it how the reference was moved: arguments of ``warp``, or none.

    >>> images = torch.rand(1, 8, 8), *torch.rand(2, 1, 32, 32)
    >>> len(vary_and_tell(*images, scale=4))
    4
    """
    moved: dict = {}
    happens = {k: k in chosen and _draw(generator) < CHANCE[k] for k in KINDS}
    if any(happens[kind] for kind in USUAL):
        lr, ref, target = _vary_both(ref, target, scale, happens, generator)
    if happens["misalignment"]:
        moved = draw_misalignment(ref.shape[-2:], generator)
        elsewhere = warp(ref - ref.amin(), **moved)
        ref = _standardise(elsewhere, elsewhere)
    return lr, ref, target, moved


def _vary_both(
    ref: Tensor, target: Tensor, scale: int, happens: dict, generator: Generator | None
) -> tuple[Tensor, Tensor, Tensor]:
    images = torch.cat([ref, target])
    # air is zero: so is what comes in from outside
    images = images - images.amin((1, 2), keepdim=True)
    if happens["geometry"]:
        images = warp(images, **draw_geometry(generator))
    if happens["mirror"]:
        images = images.flip([axis for axis in (-2, -1) if _draw(generator) < 0.5])
    if happens["contrast"]:
        images = torch.stack([change_contrast(image, generator) for image in images])
    if happens["curve"]:
        images = torch.stack([change_curve(images[0], generator), images[1]])
    ref, target = images[:1], images[1:]
    lr = degrade(target, scale, order="image")
    return _standardise(lr, lr), _standardise(ref, ref), _standardise(target, lr)


def _standardise(image: Tensor, like: Tensor) -> Tensor:
    """In units of another image, about its mean; blank where that one is blank: it divides."""
    deviation, mean = torch.std_mean(like)
    return (image - mean) / torch.where(deviation > ROUNDING, deviation, inf)


def _draw(generator: Generator | None, low: float = 0.0, high: float = 1.0) -> float:
    return low + (high - low) * torch.rand((), generator=generator).item()


def draw_geometry(generator: Generator | None = None) -> dict:
    """Another head: arguments of ``warp``.

    >>> sorted(draw_geometry())
    ['angle', 'displacement', 'shear', 'shift', 'zoom']
    """
    return {
        "angle": _draw(generator, -15, 15),
        "zoom": (_draw(generator, 0.8, 1.05), _draw(generator, 0.8, 1.05)),
        "shear": _draw(generator, -0.1, 0.1),
        "shift": (_draw(generator, -0.04, 0.04), _draw(generator, -0.04, 0.04)),
        "displacement": 0.01 * torch.randn(2, 5, 5, generator=generator),
    }


def draw_misalignment(shape: Sequence[int], generator: Generator | None = None) -> dict:
    """A reference that lies elsewhere, arguments of ``warp``: how a head moves between two scans.

    >>> sorted(draw_misalignment((128, 128)))
    ['angle', 'displacement', 'shift']

    At most SHIFT pixels along either axis and TURN degrees; bent smoothly, by some BEND pixels.
    """
    rows, columns = shape
    bend = torch.tensor([BEND / rows, BEND / columns])[:, None, None]
    return {
        "angle": _draw(generator, -TURN, TURN),
        "shift": tuple(_draw(generator, -SHIFT, SHIFT) / n for n in shape),
        "displacement": bend * torch.randn(2, 5, 5, generator=generator),
    }


def warp(
    images: Tensor,
    angle: float = 0.0,
    zoom: tuple[float, float] = (1.0, 1.0),
    shear: float = 0.0,
    shift: tuple[float, float] = (0.0, 0.0),
    displacement: Tensor | None = None,
) -> Tensor:
    """Turn, zoom, shear, shift and bend magnitude images (n, rows, columns), all alike.

    >>> image = torch.zeros(1, 16, 16)
    >>> image[0, 8, 6:9] = 1
    >>> warp(image, shift=(0.25, 0.0)).argmax() // 16  # a quarter of the rows further down
    tensor(12)

    ``angle`` in degrees; ``zoom`` of rows and columns; ``shift`` in parts of rows and columns;
    ``displacement`` (2, a, b), as ``shift`` but smoothly varying from place to place, on a coarse
    grid. Sampled by bicubic interpolation on a grid twice as fine, from and to which k-space leads,
    so that nothing is blurred; k-space's outermost line, which has no partner, is halved.
    """
    rows, columns = images.shape[-2:]
    fine = upsample_fourier(images, 2)
    grid = _bend_grid((2 * rows, 2 * columns), angle, zoom, shear, shift, displacement)
    fine = F.grid_sample(fine[None], grid[None], mode="bicubic", align_corners=False)[0]
    return ifft2c(center_crop(fft2c(fine), (rows, columns))).abs() / 2


def measure_warp(shape: tuple[int, int], **arguments: Any) -> Tensor:
    """How far ``warp`` with these arguments moves what was at each place: (2, rows, columns).

    >>> measure_warp((16, 16), shift=(0.25, 0.0))[:, 8, 8]
    tensor([4., 0.])

    Rows and columns, in pixels: the content of (row, column) is now at (row, column) + this.
    """
    own = _bend_grid(shape)
    back = own - _bend_grid(shape, **arguments)  # from a new place to the old one
    back = rearrange(back, "row column xy -> 1 xy row column")
    moved = torch.zeros_like(own)
    for _ in range(8):  # the same, from the old place
        sampled = F.grid_sample(
            back, (own + moved)[None], padding_mode="border", align_corners=False
        )
        moved = rearrange(sampled, "1 xy row column -> row column xy")
    x, y = (moved * torch.tensor(shape[::-1]) / 2).unbind(-1)
    return torch.stack([y, x])


def _bend_grid(
    size: tuple[int, int],
    angle: float = 0.0,
    zoom: tuple[float, float] = (1.0, 1.0),
    shear: float = 0.0,
    shift: tuple[float, float] = (0.0, 0.0),
    displacement: Tensor | None = None,
) -> Tensor:
    grid = _lay_grid(size, angle, zoom, shear, shift)
    if displacement is None:
        return grid
    bent = F.interpolate(displacement[None], size, mode="bicubic", align_corners=True)[0]
    return grid - 2 * rearrange(bent.flip(0), "xy row column -> row column xy")


def _lay_grid(
    size: tuple[int, int],
    angle: float,
    zoom: tuple[float, float],
    shear: float,
    shift: tuple[float, float],
) -> Tensor:
    """Where every pixel of the result comes from: (rows, columns, 2) as grid_sample has it, x first."""
    rows, columns = size
    turn = radians(angle)
    rotation = torch.tensor([[cos(turn), -sin(turn)], [sin(turn), cos(turn)]])
    stretch = torch.tensor([[1 / zoom[1], shear], [0.0, 1 / zoom[0]]])
    aspect = torch.tensor([float(columns), float(rows)])  # turned in pixels, not in parts of a side
    matrix = rotation @ stretch * aspect / aspect[:, None]
    origin = -2 * torch.tensor([[shift[1]], [shift[0]]])
    matrix = torch.cat([matrix, origin], 1)[None]
    return F.affine_grid(matrix, [1, 1, *size], align_corners=False)[0]


def _stretch(image: Tensor) -> Tensor:
    """Scaled to 0 ... 1; a blank image is zero."""
    low = image.min()
    return (image - low) / (image.max() - low).clamp_min(1e-6)


def change_contrast(image: Tensor, generator: Generator | None = None) -> Tensor:
    """(rows, columns) -> between 0 and about 1, with a random gamma and a smooth random shading.

    >>> change_contrast(torch.rand(16, 16)).shape
    torch.Size([16, 16])
    """
    gamma = exp(0.8 * _draw(generator) - 0.4)
    coarse = 0.15 * torch.randn(1, 1, 3, 3, generator=generator)
    shading = F.interpolate(coarse, image.shape, mode="bicubic")[0, 0].exp()
    return _stretch(image) ** gamma * shading


def change_curve(image: Tensor, generator: Generator | None = None, points: int = 5) -> Tensor:
    """(rows, columns) -> every grey value sent through one smooth random curve; air stays dark.

    >>> change_curve(torch.zeros(4, 4)).max()
    tensor(0.)

    One time in seven bright and dark tissue change places: another contrast altogether.
    """
    level = torch.linspace(0, 1, points)
    level = level + 0.12 * torch.randn(points, generator=generator)
    if _draw(generator) < 0.15:
        level = 1 - level
    level[0] = 0
    place = _stretch(image) * (points - 1)
    left = place.floor().clamp(max=points - 2).long()
    share = place - left
    share = share * share * (3 - 2 * share)  # flat at every point: no kink in between
    return (level[left] * (1 - share) + level[left + 1] * share).clamp_min(0)
