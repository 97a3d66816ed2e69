"""The anatomy behind the simulated head: one real head, made into many subjects.

Tissue fractions (Colin27, in ``assets/brain``), tissue parameters that vary as in life, lesions,
vessels, perivascular spaces, and the pose and warp of each subject.

>>> draw = Draw(seed=0)
>>> signals, lesions = tissue_signals(draw, ("T1", "T2"))
>>> signals["T2"].shape == lesions.shape == atlas("white").shape
True
"""

import math
from collections.abc import Mapping, Sequence
from functools import cache

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ..errors import ASSETS, InputError
from .sequences import PROTOCOL, TISSUES

SLICE_THICKNESS = 5  # mm
COVERAGE = 100.0  # mm of head that the slices are spread over


@cache
def _stored() -> dict[str, np.ndarray]:
    path = ASSETS / "brain" / "head.npz"
    if not path.is_file():
        raise InputError(path, "no such file", "the tissue maps that come with this project")
    with np.load(path) as stored:
        return dict(stored)


def atlas(name: str) -> Tensor:
    """One map of the real head, (slice, row, column) float32 in 0..1 at 1 mm.

    >>> atlas("white").shape
    torch.Size([148, 217, 181])

    Names, origin and licence: ``assets/brain/README.md``. Raises InputError without the file.
    """
    stored = _stored()  # kept as bytes: all maps as floats would take 200 MB
    return torch.from_numpy(stored[name]).float().div_(float(stored[f"{name}_steps"]))


class Draw:
    """Random numbers and random smooth fields of one subject."""

    def __init__(self, seed: int):
        self.generator = torch.Generator().manual_seed(seed)

    def normal(self, *shape: int) -> Tensor:
        return torch.randn(*shape, generator=self.generator)

    def uniform(self, low: float, high: float, *shape: int) -> Tensor:
        return low + (high - low) * torch.rand(*shape, generator=self.generator)

    def field(self, shape: Sequence[int], scales: Mapping[int, float]) -> Tensor:
        """Sum of smooth noises: ``scales`` maps a size in voxels to a standard deviation."""
        total = torch.zeros(1, 1, 1)
        for scale in sorted(scales, reverse=True):
            coarse = [max(2, round(n / scale) + 1) for n in shape]
            noise = scales[scale] * 1.5 * self.normal(*coarse)  # interpolation costs a third of it
            total = noise + _resize(total, coarse)
        return _resize(total, shape)


def _resize(volume: Tensor, shape: Sequence[int]) -> Tensor:
    if tuple(volume.shape) == tuple(shape):
        return volume
    larger = F.interpolate(volume[None, None], tuple(shape), mode="trilinear", align_corners=True)
    return larger[0, 0]


def _splat(shape: Sequence[int], points: Tensor, weights: Tensor) -> Tensor:
    """Deposit ``weights`` at fractional ``points`` (n, 3), each shared by its eight neighbours."""
    volume = torch.zeros(math.prod(shape), dtype=torch.float64)
    base = points.floor().long()
    part = points - base
    size = torch.tensor(shape)
    for corner in np.ndindex(2, 2, 2):
        offset = torch.tensor(corner)
        share = weights * torch.where(offset.bool(), part, 1 - part).prod(-1)
        inside = ((base + offset >= 0) & (base + offset < size)).all(-1)
        z, y, x = (base + offset)[inside].unbind(-1)
        flat = (z * shape[1] + y) * shape[2] + x
        # bincount adds in a fixed order, whatever the number of threads
        volume += torch.bincount(flat, share[inside].double(), minlength=len(volume))
    return volume.clamp_(0, 1).float().view(shape)


def _pick(draw: Draw, weight: Tensor, count: int) -> Tensor:
    """``count`` voxels (n, 3), drawn in proportion to ``weight``."""
    total = weight.flatten().double().cumsum(0)
    where = torch.rand(count, generator=draw.generator, dtype=torch.float64) * total[-1]
    index = torch.searchsorted(total, where).clamp(max=weight.numel() - 1)
    return torch.stack(torch.unravel_index(index, weight.shape), -1).float()


def _tubes(draw: Draw, weight: Tensor, shape: Sequence[int], count: int, length: float) -> Tensor:
    """Thin bent tubes (vessels, perivascular spaces) that begin where ``weight`` is."""
    start = _pick(draw, weight, count) * 2 + draw.uniform(0, 2, count, 3)
    direction = F.normalize(draw.normal(count, 3) * torch.tensor([0.6, 1.0, 1.0]), dim=-1)
    bend = 0.04 * draw.normal(count, 3)
    reach = length * draw.uniform(0.4, 1.0, count, 1)
    steps = torch.linspace(-0.5, 0.5, 2 * int(length))[None, :, None]
    along = steps * reach[:, None]
    points = start[:, None] + along * direction[:, None] + along.square() * bend[:, None]
    thickness = draw.uniform(0.3, 1.0, count, 1).expand(-1, points.shape[1])
    return _splat(shape, points.reshape(-1, 3), thickness.reshape(-1))


def _lesions(draw: Draw, prior: Tensor, shape: Sequence[int]) -> Tensor:
    """Ragged ellipsoids in the white matter, most of them near the ventricles."""
    volume = torch.zeros(shape)
    count = int(draw.uniform(4, 28, 1))
    centres = _pick(draw, prior, count) * 2
    radii = (draw.normal(count, 3) * 0.3 + 0.9 + 0.45 * draw.normal(count, 1)).exp()
    for centre, radius in zip(centres.tolist(), radii.clamp(1, 9).tolist(), strict=True):
        ends = zip(centre, shape, strict=True)
        box = [slice(max(0, int(c - 12)), min(n, int(c + 13))) for c, n in ends]
        axes = torch.meshgrid(*(torch.arange(b.start, b.stop) for b in box), indexing="ij")
        distance = sum(((a - c) / r) ** 2 for a, c, r in zip(axes, centre, radius, strict=True))
        ragged = draw.field(distance.shape, {4: 0.25})
        patch = ((1.1 - distance.sqrt() + ragged) * 2).clamp(0, 1)
        volume[tuple(box)] = torch.maximum(volume[tuple(box)], patch)
    return volume


# Natural variation inside a tissue, as standard deviations of log T1, log T2 and log PD per size in
# mm. The three vary independently: that is what one contrast cannot tell about another.
VARIATION = {
    "t1": {40: 0.04, 12: 0.025, 4: 0.025, 2: 0.04},
    "t2": {40: 0.07, 12: 0.035, 4: 0.035, 2: 0.06},
    "pd": {40: 0.02, 12: 0.015, 4: 0.015, 2: 0.02},
}


def tissue_signals(draw: Draw, contrasts: Sequence[str]) -> tuple[dict[str, Tensor], Tensor]:
    """Signed signal of every contrast and the lesion fraction on the atlas grid."""
    white, csf, intracranial = atlas("white"), atlas("csf"), atlas("intracranial")
    shape = white.shape
    gray = (intracranial - white - csf).clamp_(0, 1)
    lesions = _lesions(draw, atlas("lesion_prior"), shape) * (white + gray)
    half = (slice(None, None, 2),) * 3
    deep = white[half] + 1.5 * atlas("iron")[half]
    count = int(draw.uniform(250, 600, 1))
    spaces = 0.6 * _tubes(draw, deep, shape, count, length=12) * (white + gray)
    vessels = _tubes(draw, gray[half] * csf[half], shape, 700, length=25) * intracranial
    # Blood that moves between excitation and echo gives no signal.
    blood = (1 - 0.9 * vessels).flatten()
    diseased = (1 - lesions) * (1 - spaces)
    del vessels, intracranial

    parameters = {
        name: (t.pd, *(torch.tensor([t.t1, t.t2]) * (1 + draw.uniform(-0.06, 0.06, 2))))
        for name, t in TISSUES.items()
    }
    fields = {name: draw.field(shape, scales).flatten() for name, scales in VARIATION.items()}
    iron = float(draw.uniform(0.003, 0.006, 1)) * atlas("iron").flatten()  # 1/ms added to 1/T2
    # Fluid pulses: where it moves, spins lose their phase until the late echo. Ventricles are calm.
    wide = F.avg_pool3d(csf[half][None, None], 5, stride=1, padding=2)[0, 0]
    pulsation = draw.field(shape, {7: 0.0185}).clamp_(min=0)  # 1/ms added to 1/T2
    pulsation = pulsation.mul_(_resize((1.3 - 2 * wide).clamp(0, 1), shape)).flatten()

    fractions = {
        "white": lambda: white * diseased,
        "gray": lambda: gray * diseased,
        "csf": lambda: csf + spaces * (1 - lesions),
        "lesion": lambda: lesions,
        "fat": lambda: atlas("fat"),
        "soft": lambda: atlas("soft"),
    }
    signals = {contrast: torch.zeros(math.prod(shape)) for contrast in contrasts}
    for name, make in fractions.items():
        pd, t1, t2 = parameters[name]
        fraction = make().flatten()
        where = fraction.nonzero()[:, 0]  # most of the grid is air or another tissue
        amount = fraction[where] * blood[where]
        if name == "csf":
            t2 = 1 / (1 / t2 + pulsation[where])
        elif name != "fat":
            pd = pd * fields["pd"][where].exp()
            t1 = t1 * fields["t1"][where].exp()
            t2 = 1 / (1 / (t2 * fields["t2"][where].exp()) + iron[where])
        for contrast, total in signals.items():
            total[where] += amount * PROTOCOL[contrast].signal(pd, t1, t2)
    return {contrast: total.view(shape) for contrast, total in signals.items()}, lesions


def rotation(angles: Tensor) -> Tensor:
    """Rotation about slice, row and column axis, angles in radians."""
    matrix = torch.eye(3)
    for axis, angle in enumerate(angles):
        i, j = [a for a in range(3) if a != axis]
        turn = torch.eye(3)
        turn[i, i] = turn[j, j] = angle.cos()
        turn[i, j], turn[j, i] = -angle.sin(), angle.sin()
        matrix = turn @ matrix
    return matrix


def small_motion(draw: Draw) -> tuple[Tensor, Tensor]:
    """Rotation and shift (mm) of one contrast: below a pixel, as between scans of a still head."""
    direction = draw.uniform(0, 6.28, 1)
    reach = draw.uniform(0.2, 0.35, 1)
    through_plane = draw.uniform(-0.3, 0.3, 1)
    shift = torch.cat([through_plane, reach * direction.sin(), reach * direction.cos()])
    return rotation(draw.uniform(-0.004, 0.004, 3)), shift


def _warp(draw: Draw) -> Tensor:
    """Smooth displacement of the head in mm, (3, z, y, x) on a coarse grid of 260 mm."""
    coarse = torch.stack([draw.field((33, 33, 33), {9: 2.8, 4: 1.0}) for _ in range(3)])
    return F.avg_pool3d(coarse[None], 5, stride=1, padding=2, count_include_pad=False)[0]


class Pose:
    """Where the subject's slices lie in the atlas: size, pose, smooth warp, and small motions."""

    def __init__(self, draw: Draw, slices: int, grid: int, field_of_view: float):
        z = (torch.arange(slices) - (slices - 1) / 2) * (COVERAGE / slices)
        within = torch.arange(SLICE_THICKNESS) - (SLICE_THICKNESS - 1) / 2
        z = (z[:, None] + within).flatten()
        y = (torch.arange(grid) - grid // 2) * (field_of_view / grid)
        self.points = torch.stack(torch.meshgrid(z, y, y, indexing="ij"), -1)  # mm
        # The MNI space in which the atlas lies is about a tenth larger than a head.
        scale = 1.09 + torch.tensor([0.02, 0.04, 0.04]) * draw.normal(3).clamp(-2, 2)
        self.matrix = rotation(draw.normal(3) * 0.04) * scale
        self.offset = draw.normal(3) * torch.tensor([1.5, 2.5, 2.5]) + torch.tensor([0.0, 2.0, 0.0])
        self.warp = self._place_in(_warp(draw), self.points / 130)  # the grid reaches 130 mm

    @staticmethod
    def _place_in(volume: Tensor, points: Tensor) -> Tensor:
        """Sample (channel, z, y, x) at ``points`` (..., 3) in -1..1: (..., channel)."""
        grid = points.flip(-1)[None]
        return F.grid_sample(volume[None], grid, align_corners=True)[0].movedim(0, -1)

    def sample(self, volume: Tensor, motion: tuple[Tensor, Tensor] | None = None) -> Tensor:
        """Average the atlas ``volume`` over each slice: (slice, grid, grid)."""
        points = self.points
        if motion is not None:
            points = points @ motion[0].T + motion[1]
        centre = (torch.tensor(volume.shape) - 1) / 2
        place = points @ self.matrix.T + self.offset + self.warp
        seen = self._place_in(volume[None], place / centre)[..., 0]
        return seen.unflatten(0, (-1, SLICE_THICKNESS)).mean(1)
