"""Where a moved reference lies, and how far beside it a network looks.

>>> places = torch.tensor([[4, 4], [4, 12], [12, 4]])
>>> move = Intervention(shift=(0, 2))
>>> judge_offsets(places, plant(places, (16, 16), move), move, (16, 16)).off
0.0
"""

from math import cos, degrees, radians, sin
from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import Tensor

from .image_edits import WHITE
from .interventions import Intervention

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from .record import Record

LONGER = 3  # arrows in the picture, as in widgets/shared/arrow_field.js
EVERY = 8  # pixels between two places; this and the next as in widgets/shared/offsets.js
DARK = 1 / 8  # of white: what is darker in the reference is air


class Found(NamedTuple):
    """What the offsets say together: pixels down and right, degrees counter-clockwise, pixels off.

    >>> Found(0.0, 1.9, 0.0, 0.1).right
    1.9
    """

    down: float
    right: float
    turn: float
    off: float


def choose_places(reference: Tensor) -> Tensor:
    """(n, 2): row and column of every eighth pixel each way that lies in the head.

    >>> choose_places(torch.ones(16, 24)).tolist()
    [[4, 4], [4, 12], [4, 20], [12, 4], [12, 12], [12, 20]]
    """
    white = float(reference.quantile(WHITE)) or 1.0
    lit = reference[EVERY // 2 :: EVERY, EVERY // 2 :: EVERY] >= DARK * white
    return lit.nonzero() * EVERY + EVERY // 2


def read_offsets(record: "Record", level: int, places: Tensor, shape: tuple[int, ...]) -> Tensor:
    """Where the attention of a level looks from each place (n, 2): (n, 2), pixels down and right.

    >>> from dcamsr_lite import DCAMSR, trace
    >>> model = DCAMSR(scale=4, image_size=32, variant="aligned")
    >>> with trace(model) as record:
    ...     _ = model(torch.rand(1, 1, 8, 8), torch.rand(1, 1, 32, 32))
    >>> read_offsets(record, 2, torch.tensor([[4, 4], [9, 20]]), (30, 32)).shape
    torch.Size([2, 2])

    ``shape`` is that of the image, around which the network's grid may be padded. Raises LookupError
    for an attention that has no offsets.
    """
    corner = (
        side * level // 2 - n // 2 for side, n in zip(record.grids[level], shape, strict=True)
    )
    row, column = ((x + c) // level for x, c in zip(places.T, corner, strict=True))
    return record.displacement(level).cpu()[:, row, column].T


def draw_arrows(axes: "Axes", places: Tensor, offsets: Tensor) -> None:
    """Draw an arrow at each place (n, 2) to where it looks, (n, 2) from it, drawn LONGER times as long.

    >>> from matplotlib.figure import Figure
    >>> axes = Figure().subplots()
    >>> draw_arrows(axes, torch.tensor([[4, 4]]), torch.tensor([[0.0, 2.0]]))
    >>> len(axes.collections)
    2
    """
    (rows, columns), (down, right) = places.T, offsets.T
    axes.scatter(columns, rows, s=4, color="white", linewidths=0)
    axes.quiver(
        columns, rows, right, down, color="#ee7008", angles="xy", scale_units="xy",
        scale=1 / LONGER, width=0.008,
    )  # fmt: skip


def plant(places: Tensor, shape: tuple[int, ...], move: Intervention) -> Tensor:
    """How far shift and turn of the reference move what lay at these places: (n, 2), down and right.

    >>> plant(torch.tensor([[1, 2]]), (3, 3), Intervention(rotate=90)).round()
    tensor([[-1., -1.]])

    In pixels of the image (rows, columns): the right edge's middle goes up to the upper edge's.
    """
    middle = (torch.tensor(shape, dtype=torch.float64) - 1) / 2
    angle = radians(move.rotate)
    turn = [[cos(angle), -sin(angle)], [sin(angle), cos(angle)]]
    before = places.double() - middle
    after = before @ torch.tensor(turn, dtype=torch.float64).T
    return (after - before + torch.tensor(move.shift, dtype=torch.float64)).float()


def judge_offsets(
    places: Tensor, offsets: Tensor, move: Intervention, shape: tuple[int, ...]
) -> Found | None:
    """Found against planted: offsets (n, 2) at these places (n, 2). None where no place is.

    >>> places = choose_places(torch.ones(64, 64))
    >>> turned = Intervention(rotate=2)
    >>> found = judge_offsets(places, plant(places, (64, 64), turned), turned, (64, 64))
    >>> round(found.turn, 2), found.off
    (2.0, 0.0)

    ``off`` is the median over the head of each place's error in pixels; ``down`` and ``right`` are
    medians. Where a turn is planted, ``turn`` is the one that fits all places best, and the medians
    are of what it leaves; where none is, it is 0.
    """
    if not len(places):
        return None
    error = (offsets - plant(places, shape, move)).norm(dim=1)
    turn, rest = 0.0, offsets
    if move.rotate:
        away = places - places.float().mean(0)
        across = torch.stack([-away[:, 1], away[:, 0]], dim=1)  # one radian counter-clockwise
        angle = float((across * offsets).sum() / across.square().sum().clamp_min(1e-9))
        turn = degrees(angle)
        rest = offsets - plant(places, shape, Intervention(rotate=turn))
    down, right = (float(x.quantile(0.5)) for x in rest.T)
    return Found(down, right, turn, float(error.quantile(0.5)))
