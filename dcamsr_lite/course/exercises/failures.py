"""Exercises on misalignment, noise, wrong references, lesions seen in one contrast only.

>>> sorted(EXERCISES)
['bands', 'contrast', 'disagreement', 'noisy', 'tolerance']
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from ... import kspace as ks
from ..exercise import Exercise

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
    """
    i = _first_below(psnr, floor)
    share = (psnr[i - 1] - floor) / (psnr[i - 1] - psnr[i])
    return float(shifts[i - 1] + share * (shifts[i] - shifts[i - 1]))


def _first_below(psnr: Tensor, floor: float) -> int:
    return int((psnr < floor).nonzero()[0])


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
    target = random(2, size, size).abs() + 1
    return target, target + random(2, size, size), SCALES[size]


def _curve(random, size: int) -> tuple:
    """Falls below the floor, comes back once, and falls below it again."""
    shifts = torch.cat([torch.zeros(1), (random(size).abs() + 0.1).cumsum(0)])
    psnr = torch.linspace(30, 20, size + 1) + 0.3 * random(size + 1).tanh()
    psnr[-2] = 27
    return shifts, psnr, 25.0


def _noise(random, size: int) -> tuple:
    return random(size, size).abs(), random(size, size), random(size, size), 0.4 + size / 50


def _disc_and_ring(random, size: int) -> tuple:
    at = torch.arange(size) - size // 2
    distance = (at[:, None].square() + at.square()).sqrt()
    return 5 + random(size, size), distance <= 1, (distance > 1) & (distance <= 2.5)


def _output_and_low(random, size: int) -> tuple:
    side = size // SCALES[size]
    return random(2, size, size).abs() + 1, random(2, side, side).abs() + 1, SCALES[size]


EXERCISES = {
    "bands": Exercise(
        solution=bands,
        inputs=_target_and_image,
        mistakes={
            "The two are exchanged: (measured, removed).": lambda *x: bands(*x)[::-1],
            "Shares of the target's energy, not of the error: these add up to 1.": lambda t, i, s: (
                _bands(t, i, s, energy=(t - i).square().sum())
            ),
            "The energy is that of the target, not of the image.": lambda t, i, s: _bands(
                t, i, s, energy=i.square().sum()
            ),
            "The error is squared, and so is the target: you took magnitudes.": lambda t, i, s: (
                _bands(t, i, s, power=1)
            ),
            "The transform is not centred: the zero frequency has to sit in the middle before you"
            " crop.": lambda t, i, s: _bands(
                t, i, s, fft=lambda x: torch.fft.fft2(x, norm="ortho")
            ),
            "The transform is not orthonormal: it multiplies the energy by the number of pixels.": (
                lambda t, i, s: _bands(
                    t, i, s, fft=lambda x: ks.fft2c(x) * (x.shape[-1] * x.shape[-2]) ** 0.5
                )
            ),
            "The crop is not centred: you kept the corner at index 0.": lambda t, i, s: _bands(
                t, i, s, crop=lambda k, s: k[..., : k.shape[-2] // s, : k.shape[-1] // s]
            ),
            "The second is all of the error: take the measured part off.": lambda t, i, s: (
                bands(t, i, s)[0],
                sum(bands(t, i, s)),
            ),
        },
        hint="k-space of the error, squared; its crop is the measured part, the rest was removed.",
    ),
    "tolerance": Exercise(
        solution=tolerance,
        inputs=_curve,
        mistakes={
            "That is the first point below the floor: the crossing lies before it.": (
                lambda x, y, f: float(x[_first_below(y, f)])
            ),
            "That is the last point before the crossing: it lies behind it.": lambda x, y, f: float(
                x[_first_below(y, f) - 1]
            ),
            "The share is exchanged: measure it from the point above the floor.": _exchanged,
            "The middle between two points: weigh them by their distance from the floor.": (
                lambda x, y, f: float(x[_first_below(y, f) - 1 :][:2].mean())
            ),
            "That is the last crossing: trust ends at the first one.": _last_crossing,
            "One straight line from the first to the last point: only the two points beside the"
            " crossing count.": _straight,
            "That is an index, not a shift in pixels.": lambda x, y, f: _first_below(y, f),
        },
        hint="Find the first point below the floor, then interpolate between it and the one before.",
    ),
    "noisy": Exercise(
        solution=noisy,
        inputs=_noise,
        mistakes={
            "The imaginary noise is missing: the magnitude has two noisy parts.": (
                lambda i, r, m, s: (i + s * r).abs()
            ),
            "A magnitude is never negative: the noise is added before the magnitude is taken.": (
                lambda i, r, m, s: i + s * r
            ),
            "The noise has the deviation `sigma`; you used it as the variance.": lambda i, r, m, s: (
                noisy(i, r, m, s**0.5)
            ),
            "The noise has the deviation `sigma`; you squared it.": lambda i, r, m, s: noisy(
                i, r, m, s**2
            ),
            "The square root is missing: that is the squared magnitude.": lambda i, r, m, s: noisy(
                i, r, m, s
            ).square(),
            "Each part has the deviation `sigma`: do not divide it by the root of 2.": (
                lambda i, r, m, s: noisy(i, r, m, s / 2**0.5)
            ),
            "The image is in the real part only; you added it to both.": lambda i, r, m, s: (
                torch.complex(i + s * r, i + s * m).abs()
            ),
            "The noise's own magnitude was added, after the image's: add before, in both parts.": (
                lambda i, r, m, s: i + s * torch.complex(r, m).abs()
            ),
        },
        axes="row column",
        hint="sqrt((image + sigma real)^2 + (sigma imaginary)^2).",
        shown=lambda x: x,
    ),
    "contrast": Exercise(
        solution=contrast,
        inputs=_disc_and_ring,
        mistakes={
            "The sign is wrong: disc minus ring.": lambda i, d, r: -contrast(i, d, r),
            "That is a ratio: take the difference.": lambda i, d, r: float(
                i[d].mean() / i[r].mean()
            ),
            "You divided by the ring's mean: here the difference itself is asked for.": (
                lambda i, d, r: contrast(i, d, r) / float(i[r].mean())
            ),
            "You compared with everything outside of the disc: only with the ring.": (
                lambda i, d, r: float(i[d].mean() - i[~d].mean())
            ),
            "You compared with the mean of the whole image: only with the ring.": lambda i, d, r: (
                float(i[d].mean() - i.mean())
            ),
            "Take the mean of the disc, not its largest value: one pixel is noise.": (
                lambda i, d, r: float(i[d].max() - i[r].mean())
            ),
            "You summed: the ring has more pixels than the disc. Take means.": lambda i, d, r: (
                float(i[d].sum() - i[r].sum())
            ),
            "Multiplied by a mask, all pixels outside count as zeros in the mean: index with it.": (
                lambda i, d, r: float((i * d).mean() - (i * r).mean())
            ),
        },
        hint="image[disc].mean() - image[ring].mean().",
    ),
    "disagreement": Exercise(
        solution=disagreement,
        inputs=_output_and_low,
        mistakes={
            "The degraded image is `scale` times too bright: restore its brightness.": (
                lambda o, w, s: _nmse(w, ks.degrade(o, s, restore_brightness=False))
            ),
            "That is every scale-th pixel: degrade as the input was, by cropping k-space.": (
                lambda o, w, s: _nmse(w, o[..., ::s, ::s])
            ),
            "That is the mean of blocks of pixels: degrade as the input was, by cropping k-space.": (
                lambda o, w, s: _nmse(w, F.avg_pool2d(o, s))
            ),
            "You compared at full size with the zero-filled input: then all that the network added"
            " counts as an error.": lambda o, w, s: _nmse(ks.zero_fill_image(w, o.shape[-2:]), o),
            "Divide by the energy of the input, not of the degraded output.": lambda o, w, s: _nmse(
                ks.degrade(o, s), w
            ),
            "That is the root of it.": lambda o, w, s: disagreement(o, w, s) ** 0.5,
            "That is the mean squared error: divide by the input's energy.": lambda o, w, s: float(
                (w - ks.degrade(o, s)).square().mean()
            ),
        },
        hint="kspace.degrade(output, scale), then squared error over the input's energy.",
    ),
}
