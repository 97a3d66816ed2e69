"""PSNR, SSIM and NMSE as the paper counts them, the error by k-space band, and the noise ceiling.

Volumes are (slice, row, column) tensors or arrays of one shape in the target's units, the target
first, of any real type: whole numbers and half precision are taken to float64 before anything is
subtracted. Unlike shapes, complex values and a target without any signal are an InputError.

>>> import torch
>>> target = torch.rand(2, 16, 16)
>>> round(psnr(target, target + 0.1 * target.max()), 3)
20.0
"""

from math import log10

import numpy as np
import torch
from torch import Tensor

from .errors import InputError
from .kspace import center_pad, crop_kspace, fft2c

CONVENTION = (
    "over the volume: PSNR = 10 log10(max(target)^2 / mean squared error), NMSE = squared error /"
    " squared target; SSIM per slice, 7 x 7 uniform window, data range = volume maximum, averaged"
    " over slices; reported: means over volumes"
)

Images = Tensor | np.ndarray
WINDOW = 7  # of SSIM, in pixels


def has_signal(target: Images) -> bool:
    """Whether there is anything to measure against: not in a blank slice of a stripped volume.

    >>> has_signal(torch.zeros(1, 8, 8))
    False
    """
    return not target.max() <= 0


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
        known = torch.tensor(np.array(images, np.float64))
    return known if known.dtype == torch.float32 else known.double()


def _two_tensors(first: Images, second: Images, *names: str) -> tuple[Tensor, Tensor]:
    one, other = (_tensor(*x) for x in zip(names, (first, second), strict=True))
    if one.shape != other.shape:
        found = f"{tuple(other.shape)} beside {names[0]} {tuple(one.shape)}"
        raise InputError(names[1], found, "two of one shape: nothing is broadcast")
    return one, other.to(one.device)


def _tensors(target: Images, image: Images) -> tuple[Tensor, Tensor]:
    target, image = _two_tensors(target, image, "target", "image")
    if not has_signal(target):
        raise InputError("target", "no signal: no value above 0", "an image to measure against")
    return target, image


def psnr(target: Images, image: Images) -> float:
    """Peak signal-to-noise ratio in dB over the volume; the peak is the target's maximum.

    >>> psnr(torch.ones(1, 2, 2), torch.ones(1, 2, 2))
    inf
    """
    target, image = (x.double() for x in _tensors(target, image))
    error = (target - image).square().mean().item()
    return float("inf") if error == 0 else 10 * log10(target.max().item() ** 2 / error)


def nmse(target: Images, image: Images) -> float:
    """Normalised mean squared error over the volume (Table 2).

    >>> nmse(torch.ones(1, 2, 2), torch.zeros(1, 2, 2))
    1.0
    """
    target, image = (x.double() for x in _tensors(target, image))
    return ((target - image).square().sum() / target.square().sum()).item()


def ssim(target: Images, image: Images) -> float:
    """Structural similarity: 7 x 7 uniform window per slice, range = volume maximum, mean of slices.

    >>> ssim(torch.eye(16)[None], torch.eye(16)[None])
    1.0
    """
    from skimage.metrics import structural_similarity

    target, image = (x.double().cpu() for x in _tensors(target, image))
    size = target.shape[-2:]
    if min(size) < WINDOW:
        raise InputError("target", f"{tuple(size)} pixels", f"{WINDOW} x {WINDOW} or more")
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
    together they are the NMSE.
    """
    target, image = _tensors(target, image)
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
    (M4Raw: 0.33 at 2x, 0.08 at 4x): the noise in them is known, only the rest cannot be.
    """
    return 20 * log10(peak / sigma) - 10 * log10(1 - kept)


def sigma_from_repetitions(first: Images, second: Images) -> float:
    """Noise of one repetition, from the difference of two: its deviation divided by sqrt(2).

    >>> _ = torch.manual_seed(0)
    >>> round(sigma_from_repetitions(torch.randn(9, 99, 99), torch.randn(9, 99, 99)), 1)
    1.0
    """
    first, second = _two_tensors(first, second, "first", "second")
    return ((first - second).double().std() / 2**0.5).item()


def ceiling_from_repetitions(
    first: Images, second: Images, scale: int, acquired: float = 195 / 256
) -> float:
    """The noise ceiling of a target from two repetitions of it; ``acquired`` share of k-space.

    >>> _ = torch.manual_seed(0)
    >>> noise = 0.026 * torch.randn(2, 9, 99, 99)
    >>> peak = torch.ones(9, 99, 99)
    >>> round(ceiling_from_repetitions(peak, peak + 2**0.5 * noise[0], scale=4), 1)
    32.1
    """
    sigma = sigma_from_repetitions(first, second)
    return noise_ceiling(float(_tensor("first", first).max()), sigma, kept=1 / scale**2 / acquired)


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
