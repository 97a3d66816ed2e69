"""Grey values of every slice about zero, in the two ways that there are: "clean" and "released".

>>> lr = normalise_target(torch.rand(3, 32, 32), torch.rand(3, 8, 8), scale=4)["lr"]
>>> lr.shape, bool(lr.mean().abs() < 1e-6)
(torch.Size([3, 1, 8, 8]), True)

"clean" takes the LR image on the target's scale, and normalises LR and target by the LR's mean and
deviation, the reference by its own. "released", as the authors' code, takes the LR image as it
leaves the crop, ``scale`` times brighter, normalises LR and target by *its* mean and deviation, the
reference by those of the reference's own such LR image, and clamps all three to +-6.

A slice without contrast has no deviation to divide by: it is 0 everywhere, and its deviation, 0, also
takes away what a network makes of it on the way back.
"""

from typing import Any

import torch
from torch import Tensor

from ..kspace import degrade

NORMALISATIONS = ("clean", "released")
CLAMP = 6.0  # the released code's, on all three images
ROUNDING = 1e-6  # of the Fourier transform, in float32


def find_contrast(images: Tensor) -> Tensor:
    """Which slices (slice, row, column) have more than one grey value: (slice, 1, 1, 1).

    >>> find_contrast(torch.stack([torch.full((8, 8), 0.7), torch.eye(8)])).flatten()
    tensor([False,  True])

    Rounding is no contrast: a millionth of the slice's mean, or of the largest deviation of a slice.
    """
    return _deviate(images.unsqueeze(1))[1] > 0


def _deviate(image: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and (unbiased) deviation of each slice (..., 1, row, column); 0 where it has no contrast."""
    axes, pixels = (-3, -2, -1), image.shape[-1] * image.shape[-2]
    mean = image.mean(axes, keepdim=True)
    std = image.std(axes, correction=min(1, pixels - 1), keepdim=True)
    return mean, torch.where(std > ROUNDING * torch.maximum(mean.abs(), std.max()), std, 0)


def normalise(
    image: Tensor, mean: Tensor | None = None, std: Tensor | None = None, clamp: float | None = None
) -> tuple[Tensor, Tensor, Tensor]:
    """Subtract the mean and divide by the standard deviation, per slice, or by those given.

    >>> slices, mean, std = normalise(torch.rand(3, 1, 8, 8))
    >>> mean.shape, bool(slices.mean().abs() < 1e-6)
    (torch.Size([3, 1, 1, 1]), True)

    ``image`` is (..., 1, row, column); mean and (unbiased) deviation keep its axes, with size 1 in
    the last three. A slice without contrast has deviation 0 and is 0.
    """
    own = _deviate(image)
    mean = own[0] if mean is None else mean
    std = own[1] if std is None else std
    normalised = torch.where(std > 0, (image - mean) / std, 0)
    return normalised if clamp is None else normalised.clamp(-clamp, clamp), mean, std


def normalise_reference(
    image: Tensor, measured: Tensor, scale: int, order: str, normalisation: str
) -> Tensor:
    """A reference (slice, row, column) by its own grey values -> (slice, 1, row, column).

    >>> images = torch.rand(3, 16, 16)
    >>> ref = normalise_reference(images, images, scale=2, order="image", normalisation="released")
    >>> ref.shape
    torch.Size([3, 1, 16, 16])

    ``measured``, images or coils, is what is degraded for the statistics of "released".
    """
    if normalisation == "clean":
        return normalise(image.unsqueeze(1))[0]
    bright = torch.stack([degrade(one, scale, order, False) for one in measured])
    _, mean, std = normalise(bright.unsqueeze(1))
    return normalise(image.unsqueeze(1), mean, std, CLAMP)[0]


def normalise_target(
    image: Tensor | None,
    low: Tensor,
    scale: int,
    normalisation: str = "clean",
    contrast: Tensor | bool = True,
) -> dict[str, Any]:
    """The target (slice, row, column), if there is one, and the LR image by its grey values.

    >>> sorted(normalise_target(None, torch.rand(3, 8, 8), scale=2))
    ['lr', 'mean', 'std', 'target']

    ``contrast`` is that of the images without padding, whose edge has some (``find_contrast``).
    """
    gain, clamp = (1, None) if normalisation == "clean" else (scale, CLAMP)
    lr, mean, std = normalise(gain * low.unsqueeze(1), clamp=clamp)
    lr, std = lr * contrast, std * contrast
    mean = torch.where(std > 0, mean, mean / gain)  # nothing brings the brightness back by itself
    target = None if image is None else normalise(image.unsqueeze(1), mean, std, clamp)[0]
    return {"lr": lr, "target": target, "mean": mean, "std": std}
