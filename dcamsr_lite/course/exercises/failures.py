"""Exercises on misalignment, noise, wrong references, lesions seen in one contrast only.

>>> sorted(EXERCISES)
['bands', 'contrast', 'disagreement', 'noisy', 'tolerance']
"""

from collections.abc import Callable
from math import inf

import torch
import torch.nn.functional as F
from torch import Tensor

from ... import kspace as ks
from ..exercise import SIZES, Exercise, pick

NEVER = 20  # of the curve that never falls to the floor
SCALES = {6: 2, 9: 3, 12: 2, 16: 4}


def bands(target: Tensor, image: Tensor, scale: int) -> tuple[float, float]:
    """Squared error inside and outside of the crop, as shares of the target's energy.

    >>> flat = torch.ones(1, 8, 8)
    >>> bands(flat, 0.5 * flat, scale=2)
    (0.25, 0.0)
    """
    return _bands(target, image, scale)


def _bands(target, image, scale, fft=ks.fft2c, crop=ks.crop_kspace, power=2, energy=None):
    error = fft(target - image).abs() ** power
    kept = crop(error, scale).sum()
    energy = (target.abs() ** power).sum() if energy is None else energy
    return round(float(kept / energy), 6), round(float((error.sum() - kept) / energy), 6)


def tolerance(shifts: Tensor, psnr: Tensor, floor: float) -> float:
    """The shift at which the curve first falls to the floor, between two of its points.

    >>> tolerance(torch.tensor([0.0, 1.0, 3.0]), torch.tensor([30.0, 26.0, 22.0]), floor=25.0)
    1.5
    >>> tolerance(torch.tensor([0.0, 1.0]), torch.tensor([30.0, 29.0]), floor=25.0)
    inf

    inf where the curve stays above the floor: the tolerance is not within the shifts that were tried.
    """
    if not (psnr < floor).any():
        return inf
    i = _first_below(psnr, floor)
    share = (psnr[i - 1] - floor) / (psnr[i - 1] - psnr[i])
    return float(shifts[i - 1] + share * (shifts[i] - shifts[i - 1]))


def _first_below(psnr: Tensor, floor: float) -> int:
    return int((psnr < floor).nonzero()[0])


def _or_never(found: Callable, never: float = inf) -> Callable:
    """A mistake of another kind: right about a curve that never falls to the floor."""
    return lambda x, y, floor: found(x, y, floor) if bool((y < floor).any()) else never


def _last_crossing(shifts: Tensor, psnr: Tensor, floor: float) -> float:
    i = int((psnr >= floor).nonzero()[-1]) + 1
    return tolerance(shifts[i - 1 :], psnr[i - 1 :], floor)


def _exchanged(shifts: Tensor, psnr: Tensor, floor: float) -> float:
    i = _first_below(psnr, floor)
    return float(shifts[i - 1] + shifts[i] - tolerance(shifts, psnr, floor))


def _straight(shifts: Tensor, psnr: Tensor, floor: float) -> float:
    share = (psnr[0] - floor) / (psnr[0] - psnr[-1])
    return float(shifts[0] + share * (shifts[-1] - shifts[0]))


def noisy(image: Tensor, real: Tensor, imaginary: Tensor, sigma: float) -> Tensor:
    """The magnitude that a coil would give with noise of deviation ``sigma`` in both parts.

    >>> noisy(torch.zeros(1), torch.tensor([3.0]), torch.tensor([4.0]), sigma=1.0)
    tensor([5.])
    """
    return torch.complex(image + sigma * real, sigma * imaginary).abs()


def contrast(image: Tensor, disc: Tensor, ring: Tensor) -> float:
    """Mean inside the disc minus mean on the ring around it; masks are booleans (row, column).

    >>> disc = torch.tensor([[True, False]])
    >>> contrast(torch.tensor([[5.0, 2.0]]), disc, ~disc)
    3.0
    """
    return float(image[disc].mean() - image[ring].mean())


def disagreement(output: Tensor, low: Tensor, scale: int) -> float:
    """How far the degraded output is from the input: squared error over the input's energy.

    >>> flat = torch.ones(1, 8, 8)
    >>> round(disagreement(0.9 * flat, flat[:, :4, :4], scale=2), 4)
    0.01
    """
    return _nmse(low, ks.degrade(output, scale))


def _nmse(truth: Tensor, image: Tensor) -> float:
    return float((truth - image).square().sum() / truth.square().sum())


def _target_and_image(random, size: int) -> tuple:
    shape = (pick(size, 2, 4, 3, 5), size, size + SCALES[size])
    target = random(*shape).abs() + 1
    return target, target + random(*shape), SCALES[size]


def _curve(random, size: int) -> tuple:
    """Falls below the floor, comes back once, and falls below it again; the last stays above."""
    if size == NEVER:
        return torch.arange(float(size)), 28 + random(size).tanh(), 25.0
    shifts = torch.cat([torch.zeros(1), (random(size).abs() + 0.1).cumsum(0)])
    psnr = torch.linspace(30, 20, size + 1) + 0.3 * random(size + 1).tanh()
    psnr[-2] = 27
    return shifts, psnr, pick(size, 25.0, 24.5, 25.5, 26.0)


def _noise(random, size: int) -> tuple:
    image, real, imaginary = random(3, size, size + 1)
    return image.abs(), real, imaginary, 0.4 + size / 50


def _disc_and_ring(random, size: int) -> tuple:
    rows, columns = (torch.arange(side) - side // 2 for side in (size, size + 3))
    distance = (rows[:, None].square() + columns.square()).sqrt()
    return 5 + random(size, size + 3), distance <= 1, (distance > 1) & (distance <= 2.5)


def _output_and_low(random, size: int) -> tuple:
    scale, slices = SCALES[size], pick(size, 2, 5, 3, 2)
    low = random(slices, size // scale, size // scale + 1).abs() + 1
    return random(slices, size, size + scale).abs() + 1, low, scale


EXERCISES = {
    "bands": Exercise(
        solution=bands,
        inputs=_target_and_image,
        mistakes={
            "exchanged": lambda *x: bands(*x)[::-1],
            "energy_of_error": lambda t, i, s: _bands(t, i, s, energy=(t - i).square().sum()),
            "energy_of_image": lambda t, i, s: _bands(t, i, s, energy=i.square().sum()),
            "magnitudes": lambda t, i, s: _bands(t, i, s, power=1),
            "not_centred": lambda t, i, s: _bands(
                t, i, s, fft=lambda x: torch.fft.fft2(x, norm="ortho")
            ),
            "not_orthonormal": lambda t, i, s: _bands(
                t, i, s, fft=lambda x: ks.fft2c(x) * (x.shape[-1] * x.shape[-2]) ** 0.5
            ),
            "corner": lambda t, i, s: _bands(
                t, i, s, crop=lambda k, s: k[..., : k.shape[-2] // s, : k.shape[-1] // s]
            ),
            "all_of_error": lambda t, i, s: (bands(t, i, s)[0], sum(bands(t, i, s))),
        },
    ),
    "tolerance": Exercise(
        solution=tolerance,
        inputs=_curve,
        mistakes={
            "point_below": _or_never(lambda x, y, f: float(x[_first_below(y, f)])),
            "point_above": _or_never(lambda x, y, f: float(x[_first_below(y, f) - 1])),
            "exchanged": _or_never(_exchanged),
            "middle": _or_never(lambda x, y, f: float(x[_first_below(y, f) - 1 :][:2].mean())),
            "last_crossing": _or_never(_last_crossing),
            "straight": _or_never(_straight),
            "index": _or_never(lambda x, y, f: _first_below(y, f)),
            "last_shift": lambda x, y, f: _or_never(tolerance, float(x[-1]))(x, y, f),
            "zero": lambda x, y, f: _or_never(tolerance, 0.0)(x, y, f),
        },
        sizes=(*SIZES, NEVER),
    ),
    "noisy": Exercise(
        solution=noisy,
        inputs=_noise,
        mistakes={
            "real_part_only": lambda i, r, m, s: (i + s * r).abs(),
            "no_magnitude": lambda i, r, m, s: i + s * r,
            "sigma_as_variance": lambda i, r, m, s: noisy(i, r, m, s**0.5),
            "sigma_squared": lambda i, r, m, s: noisy(i, r, m, s**2),
            "no_root": lambda i, r, m, s: noisy(i, r, m, s).square(),
            "sigma_by_root_2": lambda i, r, m, s: noisy(i, r, m, s / 2**0.5),
            "image_in_both_parts": lambda i, r, m, s: torch.complex(i + s * r, i + s * m).abs(),
            "magnitudes_added": lambda i, r, m, s: i + s * torch.complex(r, m).abs(),
        },
        axes="row column",
        shown=lambda x: x,
    ),
    "contrast": Exercise(
        solution=contrast,
        inputs=_disc_and_ring,
        mistakes={
            "wrong_sign": lambda i, d, r: -contrast(i, d, r),
            "ratio": lambda i, d, r: float(i[d].mean() / i[r].mean()),
            "relative": lambda i, d, r: contrast(i, d, r) / float(i[r].mean()),
            "whole_outside": lambda i, d, r: float(i[d].mean() - i[~d].mean()),
            "whole_image": lambda i, d, r: float(i[d].mean() - i.mean()),
            "largest": lambda i, d, r: float(i[d].max() - i[r].mean()),
            "summed": lambda i, d, r: float(i[d].sum() - i[r].sum()),
            "multiplied_by_masks": lambda i, d, r: float((i * d).mean() - (i * r).mean()),
        },
    ),
    "disagreement": Exercise(
        solution=disagreement,
        inputs=_output_and_low,
        mistakes={
            "too_bright": lambda o, w, s: _nmse(w, ks.degrade(o, s, restore_brightness=False)),
            "every_scale_th": lambda o, w, s: _nmse(w, o[..., ::s, ::s]),
            "mean_of_blocks": lambda o, w, s: _nmse(w, F.avg_pool2d(o, s)),
            "zero_filled": lambda o, w, s: _nmse(ks.zero_fill_image(w, o.shape[-2:]), o),
            "energy_of_output": lambda o, w, s: _nmse(ks.degrade(o, s), w),
            "root": lambda o, w, s: disagreement(o, w, s) ** 0.5,
            "mean_squared_error": lambda o, w, s: float((w - ks.degrade(o, s)).square().mean()),
        },
    ),
}
