"""The simulated multi-contrast head: real anatomy, simulated contrasts.

Tissue maps of one real head (Colin27, in ``assets/brain``) are warped, given relaxation times that
vary as in life, pushed through the signal equations of M4Raw's protocol, cut into slices, and
measured by four noisy coils. One seed makes one subject.

>>> head = simulate(seed=1, size=64, slices=2, repetitions=1)
>>> head.images["T2"].shape, head.kspace["T2"].shape
(torch.Size([2, 64, 64]), torch.Size([1, 2, 4, 64, 64]))
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ..errors import InputError
from ..global_state import single_precision
from ..kspace import center_crop, center_pad, fft2c, ifft2c
from ..metrics import Images
from .anatomy import Draw, Pose, atlas, small_motion, tissue_signals
from .sequences import PROTOCOL, Protocol

FIELDS_OF_VIEW = (100.0, 1000.0)  # mm, the smallest and the largest
LABEL = "real anatomy, simulated contrasts"
ACQUIRED = (30, 225)  # M4Raw's phase-encode columns, of 256
FINE_GRID = 192  # images below this size are cut out of the k-space of this one, as a scanner would
REPETITION_PSNR = (28.5, 29.2)  # dB between repetitions at 256 x 256; M4Raw: 28.2 to 29.5


@dataclass
class Head:
    """One simulated subject; see ``simulate``. ``label`` belongs under every picture of it."""

    seed: int
    images: dict[str, Tensor]  # (slice, row, column) float32, noise-free magnitude
    kspace: dict[str, Tensor]  # (repetition, slice, coil, readout, phase encode) complex64
    brain_mask: Tensor  # (slice, row, column) bool
    lesions: Tensor  # (slice, row, column) float32, fraction of the voxel
    protocol: dict[str, Protocol] = field(default_factory=lambda: dict(PROTOCOL))
    field_of_view: float = 240.0  # mm
    label: str = LABEL
    tissues: dict[str, Tensor] = field(default_factory=dict)  # if asked for; fractions of the voxel


def _shading(draw: Draw, grid: int, slices: int, strength: float) -> Tensor:
    """Smooth positive intensity field with mean about one: (slice, grid, grid)."""
    return (strength * _polynomial(draw, grid, slices)).exp()


def _polynomial(draw: Draw, grid: int, slices: int) -> Tensor:
    """Random second-order polynomial of the position, of order one at the edge of the head."""
    z = torch.linspace(-1, 1, slices)[:, None, None] if slices > 1 else torch.zeros(1, 1, 1)
    y = torch.linspace(-1.3, 1.3, grid)[None, :, None]
    x = y.transpose(1, 2)
    terms = (z, y, x, y * y, x * x, x * y, z * y, z * x)
    return sum(w * t for w, t in zip(draw.uniform(-1.7, 1.7, len(terms)), terms, strict=True))


def _coils(draw: Draw, coils: int, grid: int, slices: int) -> Tensor:
    """Smooth complex sensitivities around the head, squares summing to one: (slice, coil, y, x)."""
    y = torch.linspace(-1, 1, grid)[:, None]
    x = y.T
    z = torch.linspace(-0.4, 0.4, slices)[:, None, None] if slices > 1 else torch.zeros(1, 1, 1)
    maps = []
    for angle in torch.arange(coils) * (2 * torch.pi / max(coils, 1)) + draw.uniform(0, 6.28, 1):
        turn = angle + 0.15 * draw.normal(1)
        centre = 1.15 * torch.stack([turn.sin(), turn.cos(), draw.normal(1) * 0.2])
        distance = (y - centre[0]) ** 2 + (x - centre[1]) ** 2 + (z - centre[2]) ** 2
        phase = 1.5 * (x * turn.sin() - y * turn.cos()) + 6.28 * draw.uniform(0, 1, 1)
        maps.append(torch.polar((-0.55 * distance).exp(), phase.expand_as(distance)))
    stacked = torch.stack(maps, 1)
    return stacked / stacked.abs().square().sum(1, keepdim=True).sqrt()


def _acquire(
    draw: Draw, image: Tensor, sensitivities: Tensor, repetitions: int, noise: bool
) -> Tensor:
    """Four-coil k-space of the real ``image`` (slice, y, x), each repetition with its own phase."""
    slices, size = image.shape[0], image.shape[-1]
    acquired = _acquired_columns(size)
    sigma = _noise_level(image, float(draw.uniform(*REPETITION_PSNR, 1))) if noise else 0.0
    kspace = torch.empty(repetitions, *sensitivities.shape, dtype=torch.complex64)
    for repetition in kspace:
        phase = 0.5 * _polynomial(draw, size, slices) + draw.uniform(0, 6.28, 1)
        complex_image = torch.polar(image.abs(), phase) * image.sign()
        repetition.copy_(fft2c(complex_image[:, None] * sensitivities))
        if noise:
            repetition += torch.view_as_complex(sigma * draw.normal(*sensitivities.shape, 2))
        repetition *= acquired
    return kspace


def _noise_level(image: Tensor, decibel: float) -> float:
    """Deviation of the k-space noise (real and imaginary part) that sets two repetitions apart.

    The difference of two repetitions has variance 2 sigma^2 where there is signal and, for a
    root-sum-of-squares magnitude, half of that where there is none. ``decibel`` is the PSNR at
    256 x 256; a smaller image is a crop of the same k-space, with less noise per pixel.
    """
    size = image.shape[-1]
    peak = float(image.abs().max())
    filled = float((image.abs() > 0.05 * peak).float().mean())
    per_pixel = 10 ** (-decibel / 20) / (1 + filled) ** 0.5
    peak *= 1 + 2 * per_pixel  # noise lifts the largest pixel
    return peak * per_pixel * (size / 256) / float(_acquired_columns(size).mean()) ** 0.5


def _acquired_columns(size: int) -> Tensor:
    columns = torch.zeros(size)
    columns[round(ACQUIRED[0] * size / 256) : round(ACQUIRED[1] * size / 256)] = 1
    return columns


def _resample(image: Tensor, size: int) -> Tensor:
    """Crop the k-space of a real image to ``size``, keeping its brightness; the result is real."""
    grid = image.shape[-1]
    if grid == size:
        return image
    return ifft2c(center_crop(fft2c(image), (size, size))).real * (size / grid)


@single_precision()
def simulate(
    seed: int = 0,
    size: int = 256,
    slices: int = 18,
    repetitions: int = 3,
    coils: int = 4,
    noise: bool = True,
    contrasts: Sequence[str] = ("T1", "T2", "FLAIR"),
    field_of_view: float = 240.0,
    tissues: bool = False,
) -> Head:
    """One subject, measured in several contrasts: real anatomy, simulated contrasts.

    >>> head = simulate(seed=3, size=64, slices=2, repetitions=1, contrasts=("T2",))
    >>> head.kspace["T2"].abs().sum((0, 1, 2, 3)).nonzero().min()
    tensor(8)

    ``images[contrast]`` (slice, size, size) is the magnitude that a noise-free scanner with one
    uniform coil would give; its largest value is about one. ``kspace[contrast]`` (repetition,
    slice, coil, size, size) holds M4Raw's acquired columns (30:225 of 256, in proportion at other
    sizes) and zeros elsewhere. Contrasts are misregistered by motions below a pixel. The anatomy
    depends on ``seed`` alone: another size or number of slices shows the same head. Slices are 5 mm
    thick and spread over 100 mm. With ``tissues`` also how much of each voxel is which tissue, (slice,
    size, size) by the names of ``sequences.TISSUES``. Raises InputError for arguments that make no
    image. Units: mm, ms.
    """
    unknown = [c for c in contrasts if c not in PROTOCOL]
    if unknown or not contrasts:
        raise InputError("contrasts", repr(unknown or contrasts), f"some of {', '.join(PROTOCOL)}")
    if size < 16 or size % 2:
        raise InputError("size", str(size), "an even number of pixels, 16 or more")
    if min(slices, repetitions, coils) < 1:
        found = f"slices={slices}, repetitions={repetitions}, coils={coils}"
        raise InputError("simulate", found, "one or more of each")
    if not FIELDS_OF_VIEW[0] <= field_of_view <= FIELDS_OF_VIEW[1]:
        raise InputError("field_of_view", str(field_of_view), "100 to 1000 mm")

    draw = Draw(seed)
    grid = max(size, FINE_GRID)
    signals, lesions = tissue_signals(draw, contrasts)
    pose = Pose(draw, slices, grid, field_of_view)
    shared = _shading(draw, size, slices, 0.07)
    sensitivities = _coils(Draw(seed * 7919), coils, size, slices)
    images, kspace = {}, {}
    for contrast in PROTOCOL:
        motion = small_motion(draw)
        shading = shared * _shading(draw, size, slices, 0.035)
        if contrast not in contrasts:
            continue
        image = _resample(pose.sample(signals[contrast], motion), size) * shading
        image = image / image.abs().max()
        images[contrast] = ifft2c(fft2c(image) * _acquired_columns(size)).abs()
        own = Draw(seed * 7919 + list(PROTOCOL).index(contrast) + 1)
        kspace[contrast] = _acquire(own, image, sensitivities, repetitions, noise)
    brain = _resample(pose.sample(atlas("brain")), size)
    return Head(
        seed=seed,
        images=images,
        kspace=kspace,
        brain_mask=brain > 0.5,
        lesions=_resample(pose.sample(lesions), size).clamp(0, 1),
        protocol={c: PROTOCOL[c] for c in contrasts},
        field_of_view=field_of_view,
        tissues=_cut_tissues(pose, lesions, size) if tissues else {},
    )


def _cut_tissues(pose: Pose, lesions: Tensor, size: int) -> dict[str, Tensor]:
    """Fractions of each voxel; perivascular spaces and vessels are left out."""
    names = {"white": "white", "csf": "csf", "inside": "intracranial", "fat": "fat", "soft": "soft"}
    cut = {name: pose.sample(atlas(page)) for name, page in names.items()}
    cut["lesion"] = pose.sample(lesions)
    cut["gray"] = (cut.pop("inside") - cut["white"] - cut["csf"]).clamp(min=0)
    for name in ("white", "gray"):
        cut[name] = cut[name] * (1 - cut["lesion"])
    return {name: _resample(image, size).clamp(0, 1) for name, image in cut.items()}


def _conditional_mean(t1: Tensor, t2: Tensor, mask: Tensor, bins: int) -> Tensor:
    """The best guess of T2 from T1 alone: the mean of T2 in quantile bins of T1 inside ``mask``."""
    inside = t1[mask]
    edges = torch.from_numpy(np.quantile(inside.numpy(), np.arange(1, bins) / bins)).to(inside)
    index = torch.bucketize(inside, edges)
    count = torch.bincount(index, minlength=bins).clamp(min=1)
    mean = torch.bincount(index, weights=t2[mask].double(), minlength=bins) / count
    return mean.to(t2)[torch.bucketize(t1.contiguous(), edges)]


def _inputs(t1: Images, t2: Images, mask: Images, margin: float) -> tuple[Tensor, Tensor, Tensor]:
    """Tensors (slice, row, column), the mask without a rim of ``margin`` times the height."""
    t1, t2 = (torch.as_tensor(np.asarray(i, dtype=np.float32)) for i in (t1, t2))
    mask = torch.as_tensor(np.asarray(mask, dtype=bool))
    if not t1.shape == t2.shape == mask.shape or t1.ndim < 2:
        found = f"shapes {tuple(t1.shape)}, {tuple(t2.shape)}, {tuple(mask.shape)}"
        raise InputError("t1, t2, mask", found, "three arrays (slice, row, column) of one shape")
    rim = round(margin * t1.shape[-2])
    outside = (~mask).float().reshape(-1, 1, *t1.shape[-2:])
    for _ in range(rim):
        down, across = (
            F.max_pool2d(outside, k, 1, p) for k, p in (((3, 1), (1, 0)), ((1, 3), (0, 1)))
        )
        outside = torch.maximum(down, across)
    inner = (outside == 0).reshape(mask.shape)
    if inner.sum() < 2:
        raise InputError("mask", f"no pixels {rim} from its edge", "a larger mask, or margin=0")
    return t1, t2, inner


def explained_by(
    t1: Images, t2: Images, mask: Images, bins: int = 128, margin: float = 0.05
) -> float:
    """Share of T2's variance inside ``mask`` that any function of T1 explains, 0 to 1.

    >>> x = torch.rand(1, 64, 64)
    >>> explained_by(x, 1 - x, torch.ones(1, 64, 64)) > 0.99
    True

    R^2 of T2 about its mean in ``bins`` quantile bins of T1. Arrays (slice, row, column). A rim of
    ``margin`` times the image's height is left out of the mask: there the skull's edge, not the
    brain, decides. Four real patients (open-MS) give 0.42 to 0.75. Raises InputError when
    the shapes differ or the mask is too thin.
    """
    t1, t2, inner = _inputs(t1, t2, mask, margin)
    guess = _conditional_mean(t1, t2, inner, bins)[inner]
    true = t2[inner]
    return float(1 - (true - guess).square().sum() / (true - true.mean()).square().sum())


def explained_outside_crop(
    t1: Images,
    t2: Images,
    mask: Images,
    scale: int = 4,
    bins: int = 128,
    margin: float = 0.05,
) -> float:
    """The same question for what the crop removes: squared correlation, 0 to 1.

    >>> x = torch.rand(1, 64, 64)
    >>> explained_outside_crop(x, 1 - x, torch.ones(1, 64, 64)) > 0.99
    True

    T2 and f(T1), f the binned conditional mean of ``explained_by``, lose the centre 1 / ``scale``
    of each axis of k-space; what remains is correlated inside the mask without its rim. Filtering
    first and masking then keeps the edge of the mask out of the answer. Two real patients (open-MS)
    give 0.23 and 0.37.
    """
    t1, t2, inner = _inputs(t1, t2, mask, margin)
    fine = []
    for image in (t2, _conditional_mean(t1, t2, inner, bins)):
        kspace = fft2c(image)
        centre = center_crop(kspace, (image.shape[-2] // scale, image.shape[-1] // scale))
        fine.append(ifft2c(kspace - center_pad(centre, image.shape[-2:])).real[inner].double())
    a, b = fine
    return float((a * b).sum().square() / (a.square().sum() * b.square().sum()))
