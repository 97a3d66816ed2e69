"""PSNR, SSIM and NMSE as the paper counts them, the error by k-space band, and the noise ceiling.

Volumes are (slice, row, column) tensors or arrays of one shape in the target's units, the target
first, of any real type: whole numbers and half precision are taken to float64 before anything is
subtracted. Unlike shapes, complex values, NaN, infinity, empty arrays, and a target without any
signal are an InputError.

>>> import torch
>>> target = torch.rand(2, 16, 16)
>>> round(psnr(target, target + 0.1 * target.max()), 3)
20.0
"""

from math import inf, log10

import numpy as np
import torch
from torch import Tensor

from .errors import InputError, check_between, check_whole
from .kspace import center_pad, crop_kspace, fft2c

CONVENTION = (
    "over the volume: PSNR = 10 log10(max(target)^2 / mean squared error), NMSE = squared error /"
    " squared target; SSIM per slice, 7 x 7 uniform window, data range = volume maximum, averaged"
    " over slices; reported: means over volumes"
)

Images = Tensor | np.ndarray
WINDOW = 7  # of SSIM, in pixels
RANGE = (1e-100, 1e100)  # of the target's peak, and the most of any value: squares are float64


def has_signal(target: Images) -> bool:
    """Whether there is anything to measure against: not in a blank slice of a stripped volume.

    >>> has_signal(torch.zeros(1, 8, 8))
    False
    """
    return float(_tensor("target", target).max()) > 0


def check_finite(name: str, images: Tensor) -> None:
    """Raise InputError where there are NaN or infinite values, with their number.

    >>> check_finite("image", torch.tensor([[1.0, float("nan")]]))
    Traceback (most recent call last):
    ...
    dcamsr_lite.errors.InputError: image: found NaN in 1 of 2 values; expected finite numbers
    """
    if not images.isfinite().all():
        counts = {"NaN": images.isnan(), "infinity": images.isinf()}
        found = " and ".join(f"{kind} in {int(x.sum())}" for kind, x in counts.items() if x.any())
        raise InputError(name, f"{found} of {images.numel()} values", "finite numbers")


def _tensor(name: str, images: Images) -> Tensor:
    if isinstance(images, Tensor):
        known = images.detach()
        is_complex = known.is_complex()
    else:
        is_complex = np.iscomplexobj(images)
        if np.ma.is_masked(images):
            raise InputError(name, "masked values", "an array without a mask, filled or cut")
    if is_complex:
        raise InputError(name, "complex values", "real ones, such as the magnitude")
    if not isinstance(images, Tensor):
        # a copy of an array: it may be read-only, mirrored, or of the other byte order
        try:
            known = torch.tensor(np.array(images, np.float64))
        except (TypeError, ValueError) as error:
            found = f"a {type(images).__name__} ({error})"
            raise InputError(name, found, "an array of real numbers") from error
    known = known.to_dense() if known.layout != torch.strided else known
    if known.numel() == 0:
        raise InputError(name, f"an empty array, {tuple(known.shape)}", "an image")
    known = known if known.dtype == torch.float32 else known.double()
    check_finite(name, known)
    if (largest := float(known.abs().max())) > RANGE[1]:
        raise InputError(name, f"values up to {largest:.3g}", f"at most {RANGE[1]:g}")
    return known


def _two_tensors(first: Images, second: Images, *names: str) -> tuple[Tensor, Tensor]:
    one, other = (_tensor(*x) for x in zip(names, (first, second), strict=True))
    if one.shape != other.shape:
        found = f"{tuple(other.shape)} beside {names[0]} {tuple(one.shape)}"
        raise InputError(names[1], found, "two of one shape: nothing is broadcast")
    return one, other.to(one.device)


def _tensors(target: Images, image: Images) -> tuple[Tensor, Tensor]:
    target, image = _two_tensors(target, image, "target", "image")
    if not (peak := float(target.max())) >= RANGE[0]:
        found = "no signal: no value above 0" if peak <= 0 else f"a maximum of {peak:.3g}"
        raise InputError("target", found, "an image to measure against")
    return target, image


def psnr(target: Images, image: Images) -> float:
    """Peak signal-to-noise ratio in dB over the volume; the peak is the target's maximum.

    >>> psnr(torch.ones(1, 2, 2), torch.ones(1, 2, 2))
    inf
    """
    target, image = (x.double() for x in _tensors(target, image))
    error = (target - image).square().mean().item()
    return inf if error == 0 else 10 * log10(target.max().item() ** 2 / error)


def nmse(target: Images, image: Images) -> float:
    """Normalised mean squared error over the volume (Table 2).

    >>> nmse(torch.ones(1, 2, 2), torch.zeros(1, 2, 2))
    1.0
    """
    target, image = (x.double() for x in _tensors(target, image))
    return ((target - image).square().sum() / target.square().sum()).item()


def _check_image(target: Tensor) -> tuple[int, ...]:
    if target.ndim < 2:
        raise InputError("target", f"shape {tuple(target.shape)}", "rows and columns")
    return tuple(target.shape[-2:])


def ssim(target: Images, image: Images) -> float:
    """Structural similarity: 7 x 7 uniform window per slice, range = volume maximum, mean of slices.

    >>> ssim(torch.eye(16)[None], torch.eye(16)[None])
    1.0
    """
    from skimage.metrics import structural_similarity

    target, image = (x.double().cpu() for x in _tensors(target, image))
    size = _check_image(target)
    if min(size) < WINDOW:
        raise InputError("target", f"{size} pixels", f"{WINDOW} x {WINDOW} or more")
    slices = (x.reshape(-1, *size).numpy() for x in (target, image))
    options = {"win_size": WINDOW, "data_range": float(target.max())}
    return float(
        np.mean([structural_similarity(*two, **options) for two in zip(*slices, strict=True)])
    )


def band_error(target: Images, image: Images, scale: int) -> dict[str, float]:
    """The squared error split by k-space band, each as a share of the target's whole energy.

    >>> flat = torch.ones(1, 8, 8)
    >>> band_error(flat, 0.5 * flat, scale=2)
    {'measured': 0.25, 'removed': 0.0}

    ``measured`` lies inside the crop that the low-resolution input kept, ``removed`` outside of it;
    together they are the NMSE. ``scale`` is a whole number, from 1 to the shorter side.
    """
    target, image = _tensors(target, image)
    scale = check_whole("scale", scale, 1, min(_check_image(target)))
    error = fft2c((target - image).double()).abs().square()
    kept = center_pad(crop_kspace(torch.ones_like(error), scale), error.shape[-2:])
    energy = target.double().square().sum()
    measured = ((error * kept).sum() / energy).item()
    removed = ((error * (1 - kept)).sum() / energy).item()
    return {"measured": round(measured, 12), "removed": round(removed, 12)}


def noise_ceiling(peak: float, sigma: float, kept: float) -> float:
    """The PSNR in dB that nothing can pass when the target itself is one noisy repetition.

    >>> round(noise_ceiling(peak=1.0, sigma=0.026, kept=0.08), 1)
    32.1

    ``sigma`` is the noise of the target, ``kept`` the share of the acquired samples inside the crop
    (M4Raw: 0.33 at 2x, 0.08 at 4x): the noise in them is known, only the rest cannot be. It is inf
    without noise (``sigma`` 0), or where all is known (``kept`` 1). Raises InputError for others that
    are no such numbers.
    """
    # of arrays and tensors, too
    peak, sigma, kept = (x.item() if hasattr(x, "item") else x for x in (peak, sigma, kept))
    check_between("peak", peak, *RANGE)
    check_between("sigma", sigma, 0, RANGE[1])
    check_between("kept", kept, 0, 1)
    if sigma == 0 or kept == 1:
        return inf
    return 20 * log10(peak / sigma) - 10 * log10(1 - kept)


def sigma_from_repetitions(first: Images, second: Images) -> float:
    """Noise of one repetition, from the difference of two: its deviation divided by sqrt(2).

    >>> _ = torch.manual_seed(0)
    >>> round(sigma_from_repetitions(torch.randn(9, 99, 99), torch.randn(9, 99, 99)), 1)
    1.0
    """
    first, second = _two_tensors(first, second, "first", "second")
    if first.numel() < 2:
        raise InputError("first", "a single value", "an image: one has no deviation")
    return ((first - second).double().std() / 2**0.5).item()


def ceiling_from_repetitions(
    first: Images, second: Images, scale: int, acquired: float = 195 / 256
) -> float:
    """The noise ceiling of a target from two repetitions of it; ``acquired`` share of k-space.

    inf for two that are the same: they say nothing of the noise. Raises InputError where the crop at
    this ``scale``, 2 or more, holds more than was acquired.

    >>> _ = torch.manual_seed(0)
    >>> noise = 0.026 * torch.randn(2, 9, 99, 99)
    >>> peak = torch.ones(9, 99, 99)
    >>> round(ceiling_from_repetitions(peak, peak + 2**0.5 * noise[0], scale=4), 1)
    32.1
    """
    sigma = sigma_from_repetitions(first, second)
    known = _tensor("first", first)
    scale = check_whole("scale", scale, 2, max(2, *_check_image(known)))
    check_between("acquired", acquired, 1 / scale**2, 1)
    peak = float(known.max())
    if peak < RANGE[0]:
        raise InputError("first", f"a maximum of {peak:.3g}", "an image with signal")
    return noise_ceiling(peak, sigma, kept=1 / scale**2 / acquired)


def score(target: Images, image: Images, scale: int) -> dict:
    """All measures of one volume.

    >>> sorted(score(torch.rand(1, 16, 16), torch.rand(1, 16, 16), scale=4))
    ['error_by_band', 'nmse', 'psnr', 'ssim']
    """
    return {
        "psnr": psnr(target, image),
        "ssim": ssim(target, image),
        "nmse": nmse(target, image),
        "error_by_band": band_error(target, image, scale),
    }
