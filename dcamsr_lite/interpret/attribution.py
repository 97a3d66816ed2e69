"""What does a patch of the output owe to which pixel, on both contrasts? For any ``f(lr, ref) -> sr``.

>>> import torch
>>> from dcamsr_lite import DCAMSR
>>> lr, ref = torch.rand(1, 1, 8, 8), torch.rand(1, 1, 32, 32)
>>> search = blur_path(DCAMSR(scale=4, image_size=32), lr, ref, patch=(8, 8, 4, 4))
>>> for done, total in search.steps():  # leave the loop to stop, enter it again to go on
...     pass
>>> found = search.result()
>>> found.ref.shape, 0 < found.share_of_reference < 1
(torch.Size([32, 32]), True)

Source of the blur path, the detail target and the diffusion index: LAM, Gu and Dong, "Interpreting
Super-Resolution Networks with Local Attribution Maps", CVPR 2021. LAM has one input; here both
contrasts walk the path together, so that the two maps share one sum. captum loads when first used.
"""

import heapq
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise, product

import torch
import torch.nn.functional as F
from torch import Tensor

from ..errors import InputError, check_count
from ..evaluation import Network, evaluating
from ..network.model import DCAMSR
from ..network.super_resolver import unwrap
from .deletion import FRACTIONS as FRACTIONS  # with the maps that it puts to the test
from .deletion import Deletion as Deletion
from .deletion import deletion_curve as deletion_curve
from .patch_target import Patch, PatchTarget, check_patch
from .stepwise import Stepwise
from .tracing import trace

TOLERANCE = 0.005  # half of the 1 % that is promised: the walk is refined until it is reached
COMPLETE = 0.01  # maps that are further off their sum say no share


@dataclass(frozen=True)
class Attribution:
    """Signed maps on both contrasts: what each pixel adds to ``value``, the target of the patch.

    ``lr`` (H/s, W/s), ``ref`` (H, W). ``value`` is the target at the images, ``start`` at what the
    method compares them with; the maps' sum should be their difference.

    >>> found = Attribution("by hand", "mean", (0, 0, 1, 1), torch.zeros(2, 2), torch.eye(4), 4.0, 0.0)
    >>> found.share_of_reference, found.completeness_error
    (1.0, 0.0)
    >>> found.diffusion_index["ref"]
    25.0
    """

    method: str
    target: str
    patch: Patch
    lr: Tensor
    ref: Tensor
    value: float
    start: float

    @property
    def share_of_reference(self) -> float:
        """The *absolute* share: |attribution| on the reference over that on both, 0 to 1; nan if all 0.

        Opposite signs do not cancel here, and a finer grid has more of them: compare networks or
        places by it. How much of the result the reference explains is ``net_share``.
        """
        lr, ref = (float(x.double().abs().sum()) for x in (self.lr, self.ref))
        return ref / (lr + ref) if lr + ref else float("nan")

    @property
    def net(self) -> dict[str, float]:
        """The signed sum over each contrast; together the difference that was explained."""
        return {"lr": float(self.lr.double().sum()), "ref": float(self.ref.double().sum())}

    @property
    def completeness_error(self) -> float:
        """|sum of all attributions - (value - start)| over |value - start|.

        A path's error is numerical. Occlusion promises no completeness: there it tells how far
        pixels act together. inf where nothing changed but something was attributed.
        """
        difference = self.value - self.start
        error = abs(sum(self.net.values()) - difference)
        return error / abs(difference) if difference else (float("inf") if error else 0.0)

    @property
    def is_complete(self) -> bool:
        """Whether the maps sum to what they explain, to 1 %. Else they are no shares of it.

        >>> zero, one = torch.zeros(2, 2), torch.eye(4)
        >>> Attribution("occlusion", "mean", (0, 0, 1, 1), zero, one, 2.0, 0.0).is_complete
        False
        """
        return self.completeness_error <= COMPLETE

    @property
    def net_share(self) -> float:
        """The reference's part of what is explained: its signed sum over that of both contrasts.

        Below 0 or above 1 where the contrasts work against each other; nan where the maps are not
        complete, or nothing is explained.
        """
        explained = sum(self.net.values())
        return self.net["ref"] / explained if self.is_complete and explained else float("nan")

    @property
    def diffusion_index(self) -> dict[str, float]:
        """LAM's DI = 100 (1 - G) per contrast: 100 if all pixels count alike, near 0 if one does.

        G = sum_ij |g_i - g_j| / (2 n^2 mean(g)), the Gini coefficient of the n magnitudes g. It
        depends on n: compare maps of one size. nan for a map of zeros.
        """
        return {"lr": 100 * (1 - _gini(self.lr)), "ref": 100 * (1 - _gini(self.ref))}

    def agreement(self, lifted: Tensor) -> float:
        """Spearman's rank correlation of |attribution| on the reference with |lifted| attention.

        ``lifted`` (H/level, W/level), from ``lifted_attention`` or ``Record.lift``; the attribution is
        averaged over the pixels of the level. nan where a map is constant: there are no ranks.
        """
        from scipy.stats import spearmanr

        rows, columns = lifted.shape
        pooled = F.adaptive_avg_pool2d(self.ref.abs()[None, None], (rows, columns))[0, 0]
        maps = [x.flatten().double().numpy() for x in (pooled, lifted.abs().cpu())]
        if any(x.min() == x.max() for x in maps):
            return float("nan")
        return float(spearmanr(*maps).statistic)


def _gini(x: Tensor) -> float:
    g = x.abs().flatten().double().sort().values
    n, total = len(g), float(g.sum())
    if not total:
        return float("nan")
    weights = 2 * torch.arange(1, n + 1, dtype=g.dtype) - n - 1  # for sum_ij |g_i - g_j|
    return float(weights @ g) / (n * total)


def _along(method: str, asked: PatchTarget, path: Callable, steps: int) -> Stepwise:
    """Integrate the gradient along ``path(t)``, t from 0 to 1, in straight pieces by captum.

    Each piece takes the gradient at its middle. What a piece should sum to is known, the change of
    the target from its start to its end; while the whole is off by more than the tolerance, the
    worst piece is halved, up to four times the pieces asked for.
    """
    from captum.attr import IntegratedGradients

    asked.check_gradient()
    gradients, values = IntegratedGradients(asked), {1.0: asked.value}
    start = values[0.0] = asked.at(path(0.0))
    difference = asked.value - start
    pieces: list[tuple] = []  # (-error, start, end, sum, attributions): a heap, the worst first

    def integrate(a: float, b: float) -> None:
        for t in (a, b):
            if t not in values:
                values[t] = asked.at(path(t))
        maps = gradients.attribute(path(b), path(a), n_steps=1, internal_batch_size=4)
        found = sum(float(x.double().sum()) for x in maps)
        heapq.heappush(pieces, (-abs(found - values[b] + values[a]), a, b, found, maps))

    def work() -> Iterator[int]:
        for a, b in pairwise(k / steps for k in range(steps + 1)):
            integrate(a, b)
            yield steps
        for extra in range(1, 3 * steps + 1):
            off = abs(sum(piece[3] for piece in pieces) - difference)
            if off <= TOLERANCE * abs(difference):
                return
            _, a, b, *_ = heapq.heappop(pieces)
            integrate(a, (a + b) / 2)
            integrate((a + b) / 2, b)
            yield steps + extra

    def collect() -> Attribution:
        lr, ref = (sum(piece[4][i].double() for piece in pieces) for i in (0, 1))
        return _attribute(method, asked, start, lr, ref)

    return Stepwise(steps, work(), collect)


def _attribute(
    method: str, asked: PatchTarget, start: float, lr: Tensor, ref: Tensor
) -> Attribution:
    lr, ref = (x[0, 0].float().cpu() for x in (lr, ref))
    return Attribution(method, asked.target, asked.patch, lr, ref, asked.value, start)


def blur_path(
    f: Network,
    lr: Tensor,
    ref: Tensor,
    patch: Patch,
    target: str = "detail",
    sigma: float | None = None,
    steps: int = 32,
) -> Stepwise:
    """LAM: integrated gradients along a path of decreasing Gaussian blur of both images.

    >>> copy = lambda lr, ref: ref.roll((1, 2), (2, 3))  # the reference, shifted by 1 row, 2 columns
    >>> lr, ref = torch.rand(1, 1, 4, 4), torch.rand(1, 1, 16, 16)
    >>> found = blur_path(copy, lr, ref, patch=(8, 8, 1, 1), target="mean").result()
    >>> divmod(int(found.ref.abs().argmax()), 16), found.share_of_reference
    ((7, 6), 1.0)

    lr (1, 1, H/s, W/s), ref (1, 1, H, W), normalised, as ``f`` takes them; ``patch`` (row, column,
    rows, columns) in the output. ``target`` is "detail" (LAM's gradient detector) or "mean". ``sigma``
    of the first blur, in the reference's pixels; default 1.2 low-resolution pixels, as LAM. Complete
    to 0.5 % unless four times the ``steps`` did not suffice: see ``completeness_error``. Returns a
    Stepwise whose result is an Attribution. Raises InputError. Source: LAM, on the path function.
    """
    asked = PatchTarget(f, lr, ref, patch, target)
    sigma, steps = asked.sigma(sigma), check_count("steps", steps)
    return _along("blur_path", asked, lambda t: asked.smoothed(sigma * (1 - t)), steps)


def integrated_gradients(
    f: Network, lr: Tensor, ref: Tensor, patch: Patch, target: str = "detail", steps: int = 32
) -> Stepwise:
    """Integrated gradients along the straight line from flat images, each at its mean grey.

    >>> lr, ref = torch.rand(1, 1, 4, 4), torch.rand(1, 1, 16, 16)
    >>> found = integrated_gradients(lambda lr, ref: ref, lr, ref, (0, 0, 4, 4), "mean").result()
    >>> found.completeness_error < 1e-4
    True

    Arguments as ``blur_path``. Halfway along this line stands a faint sharp image, such as no scanner
    gives: the reason for LAM's path. Source: Sundararajan, Taly and Yan, ICML 2017; captum.
    """
    asked = PatchTarget(f, lr, ref, patch, target)

    def line(t: float) -> tuple[Tensor, Tensor]:
        lr, ref = (x.mean((2, 3), keepdim=True) for x in (asked.lr, asked.ref))
        return lr + t * (asked.lr - lr), ref + t * (asked.ref - ref)

    return _along("integrated_gradients", asked, line, check_count("steps", steps))


def occlusion(
    f: Network,
    lr: Tensor,
    ref: Tensor,
    patch: Patch,
    target: str = "detail",
    window: int = 16,
    sigma: float | None = None,
) -> Stepwise:
    """Blur one window of one contrast at a time: what does the patch lose?

    >>> lr, ref = torch.rand(1, 1, 4, 4), torch.rand(1, 1, 16, 16)
    >>> found = occlusion(lambda lr, ref: ref, lr, ref, (4, 8, 4, 4), "mean", window=4).result()
    >>> divmod(int(found.ref.abs().argmax()), 16)
    (4, 8)

    Needs no gradient. ``window`` in the reference's pixels (lr: the same length, at least one pixel);
    a window's loss is shared by its pixels. Other arguments as ``blur_path``. Source: Zeiler and
    Fergus, ECCV 2014; captum's FeatureAblation, a window per step.
    """
    from captum.attr import FeatureAblation

    asked = PatchTarget(f, lr, ref, patch, target)
    sides = max(1, check_count("window", window) // asked.scale), window
    images, starts = (asked.lr, asked.ref), asked.smoothed(asked.sigma(sigma))
    maps, start = [torch.zeros_like(x) for x in images], asked.at(starts)
    windows = [
        (which, slice(row, row + side), slice(column, column + side))
        for which, side in enumerate(sides)
        for row, column in product(*(range(0, length, side) for length in images[which].shape[2:]))
    ]

    def loss(which: int, rows: slice, columns: slice) -> Tensor:
        intact, blurred = (x[which][..., rows, columns] for x in (images, starts))

        def with_window(content: Tensor) -> Tensor:
            if torch.equal(content, intact):  # captum asks for it each time, and it is known
                return content.new_tensor([asked.value])
            changed = [x.clone() for x in images]
            changed[which][..., rows, columns] = content
            return asked(*changed)

        one = torch.zeros_like(intact, dtype=torch.long)  # all pixels of the window are one feature
        return FeatureAblation(with_window).attribute(intact, baselines=blurred, feature_mask=one)

    @torch.no_grad()
    def work() -> Iterator[int]:
        for which, rows, columns in windows:
            part = maps[which][..., rows, columns]
            part.copy_(loss(which, rows, columns) / part.numel())
            yield len(windows)

    return Stepwise(len(windows), work(), lambda: _attribute("occlusion", asked, start, *maps))


METHODS = {f.__name__: f for f in (blur_path, integrated_gradients, occlusion)}


def lifted_attention(
    model: DCAMSR, lr: Tensor, ref: Tensor, patch: Patch, relative: bool = False
) -> dict[int, Tensor]:
    """The attention of the patch's pixels, lifted to the reference: level -> (H/level, W/level).

    >>> lr, ref = torch.rand(1, 1, 8, 8), torch.rand(1, 1, 32, 32)
    >>> sorted(lifted_attention(DCAMSR(scale=4, image_size=32), lr, ref, (8, 8, 4, 4)))
    [1, 2, 4]

    Mean over heads and over the level's pixels that the patch touches, of ``Record.lift``; ``relative``
    is minus uniform. Raises InputError for a network without spatial attention.
    """
    return lifting(model, lr, ref, patch, (relative,)).result()[0]


def lifting(
    model: DCAMSR, lr: Tensor, ref: Tensor, patch: Patch, relative: tuple[bool, ...] = (False,)
) -> Stepwise:
    """``lifted_attention`` as a Stepwise, a step per row of queries: its maps for each ``relative``.

    >>> lr, ref = torch.rand(1, 1, 8, 8), torch.rand(1, 1, 32, 32)
    >>> lifting(DCAMSR(scale=4, image_size=32), lr, ref, (8, 8, 4, 4)).total  # 4 rows, 2, 1
    7
    """
    model = unwrap(model)
    if not (isinstance(model, DCAMSR) and model.config.spatial):
        raise InputError("model", type(model).__name__, "a DCAMSR with its spatial branch")
    first, sides = (check_patch(patch, tuple(ref.shape[2:]))[at : at + 2] for at in (0, 2))
    places = {
        n: [range(a // n, (a + side - 1) // n + 1) for a, side in zip(first, sides, strict=True)]
        for n in model.levels
    }
    total = sum(len(rows) for rows, _ in places.values())
    sums: list[dict] = [dict.fromkeys(places, 0) for _ in relative]

    @torch.no_grad()
    def work() -> Iterator[int]:
        with evaluating(model), trace(model) as record:
            model(lr, ref)
        for level, (rows, columns) in places.items():
            for row in rows:
                for column, (maps, minus) in product(columns, zip(sums, relative, strict=True)):
                    maps[level] += record.lift(level, (row, column), relative=minus)
                yield total

    def collect() -> list[dict[int, Tensor]]:
        counts = {level: len(rows) * len(columns) for level, (rows, columns) in places.items()}
        return [{n: (x / counts[n]).cpu() for n, x in maps.items()} for maps in sums]

    return Stepwise(total, work(), collect)
