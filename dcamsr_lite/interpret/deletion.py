"""Is a map right about what matters? Blur the reference in its order, and watch the patch.

>>> lr, ref, patch = torch.rand(1, 1, 4, 4), torch.rand(1, 1, 16, 16), (4, 8, 2, 2)
>>> curve = deletion_curve(lambda lr, ref: ref, lr, ref, patch, nearness((16, 16), patch)).result()
>>> curve.early > 0.9  # what a copy needs lies at the patch
True

Maps that know nothing of the network stand beside it: nearness to the patch, edges, chance.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor

from ..errors import InputError
from ..evaluation import Network
from .patch_target import Patch, PatchTarget, smooth
from .stepwise import Stepwise

FRACTIONS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.4, 0.7, 1.0)
EARLY = 0.1  # of the reference's pixels: an order that knows what matters has shown it by then


@dataclass(frozen=True)
class Deletion:
    """How far the patch moves as ever more of the reference is blurred.

    ``fractions`` of the reference's pixels; ``change``, the mean absolute change of the patch's pixels.

    >>> Deletion((0.5, 1.0), (2.0, 2.0)).area
    0.75
    """

    fractions: tuple[float, ...]
    change: tuple[float, ...]

    @property
    def area(self) -> float:
        """Area under the curve from (0, 0), over the change at its end: a good order is near 1."""
        points = [(0.0, 0.0), *zip(self.fractions, self.change, strict=True)]
        area = sum((b[0] - a[0]) * (a[1] + b[1]) / 2 for a, b in pairwise(points))
        return area / self.change[-1] if self.change[-1] else float("nan")

    @property
    def early(self) -> float:
        """The mean change over the first tenth of the pixels, over that at the end: 0 to about 1.

        The whole area hardly tells an order from chance, because every order blurs the pixels that
        matter by and by. nan where the end changes nothing.

        >>> round(Deletion((0.1, 1.0), (2.0, 2.0)).early, 6)
        0.5
        """
        points = [(0.0, 0.0), *zip(self.fractions, self.change, strict=True)]
        area = 0.0
        for (a, low), (b, high) in pairwise(points):
            if a < EARLY:
                end = min(b, EARLY)
                middle = low + (high - low) * (end - a) / (b - a)
                area += (end - a) * (low + middle) / 2
        return area / EARLY / self.change[-1] if self.change[-1] else float("nan")


def deletion_curve(
    f: Network,
    lr: Tensor,
    ref: Tensor,
    patch: Patch,
    order: Tensor,
    sigma: float | None = None,
    fractions: tuple[float, ...] = FRACTIONS,
) -> Stepwise:
    """Blur the reference's pixels, those with the largest |order| first, and watch the patch.

    >>> lr, ref = torch.rand(1, 1, 4, 4), torch.rand(1, 1, 16, 16)
    >>> order = torch.zeros(16, 16)
    >>> order[4, 8] = 1
    >>> copy, patch = lambda lr, ref: ref, (4, 8, 1, 1)
    >>> curve = deletion_curve(copy, lr, ref, patch, order, fractions=(1 / 256, 1.0)).result()
    >>> curve.change[0] == curve.change[1] > 0
    True

    ``order`` (H/k, W/k) is an attribution, a lifted attention, or ``torch.rand(H, W)`` for chance; the
    faster a curve rises, the better its order knows what the patch depends on. Returns a
    Stepwise whose result is a Deletion. Source: the deletion metric of Petsiuk et al., BMVC 2018.
    """
    asked = PatchTarget(f, lr, ref, patch)
    rising = all(a < b for a, b in pairwise((0, *fractions)))
    if not fractions or not rising or fractions[-1] > 1:
        raise InputError("fractions", str(fractions), "increasing numbers from above 0 to 1")
    blurred, shape = asked.smoothed(asked.sigma(sigma))[1], tuple(ref.shape[2:])
    if order.ndim != 2 or not bool(order.isfinite().all()):
        raise InputError("order", str(tuple(order.shape)), "a finite map (rows, columns)")
    spread = F.interpolate(order.abs()[None, None].float().cpu(), shape)
    first = spread.flatten().argsort(descending=True, stable=True).to(ref.device)
    row, column, height, width = asked.patch
    change: list[float] = []

    def work() -> Iterator[int]:
        for fraction in fractions:
            gone = first[: round(fraction * len(first))]
            deleted = asked.ref.flatten().index_copy(0, gone, blurred.flatten()[gone])
            moved = (asked.run(asked.lr, deleted.view_as(ref)) - asked.output).abs()
            change.append(float(moved[..., row : row + height, column : column + width].mean()))
            yield len(fractions)

    return Stepwise(len(fractions), work(), lambda: Deletion(tuple(fractions), tuple(change)))


def nearness(shape: Sequence[int], patch: Patch) -> Tensor:
    """A map (rows, columns) that is larger nearer to the middle of the patch, above 0.

    >>> divmod(int(nearness((8, 9), (2, 4, 1, 1)).argmax()), 9)
    (2, 4)
    """
    middles = (first + (side - 1) / 2 for first, side in zip(patch[:2], patch[2:], strict=True))
    rows, columns = (torch.arange(n) - at for n, at in zip(shape, middles, strict=True))
    return 1 / (1 + (rows[:, None].square() + columns.square()).sqrt())


def edges(ref: Tensor) -> Tensor:
    """How much each pixel of the reference (1, 1, H, W) differs from a blur by one pixel: (H, W).

    >>> float(edges(torch.ones(1, 1, 8, 8)).max()) < 1e-5
    True
    """
    return (ref - smooth(ref, 1.0))[0, 0].abs()


def draw_orders(shape: Sequence[int], count: int = 10) -> list[Tensor]:
    """Orders by chance, always the same ones: what a map has to be better than.

    >>> [tuple(order.shape) for order in draw_orders((4, 5), count=2)]
    [(4, 5), (4, 5)]
    """
    seeds = (torch.Generator().manual_seed(seed) for seed in range(count))
    return [torch.rand(*shape, generator=seed) for seed in seeds]
