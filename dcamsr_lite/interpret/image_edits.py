"""What an experiment does to one image: blur, turn, and lesions painted or removed.

Images are (row, column) tensors in their own units.

>>> image = paint(torch.ones(32, 32), Lesion("reference", 16, 16))
>>> rotate(image, 5).shape
torch.Size([32, 32])
"""

from dataclasses import dataclass, fields
from math import pi
from typing import TypeVar

import torch
from torch import Tensor

from ..errors import InputError, check_between, check_one_of
from ..kspace import fft2c, ifft2c

T = TypeVar("T")
IMAGES = ("reference", "target")
WHITE = 0.995  # the quantile of an image that is shown as white


def read_fields(kind: type, given: dict) -> dict:
    """A copy of the dict. Raises InputError unless its names are all fields of the dataclass.

    >>> read_fields(Lesion, {"image": "target"})
    {'image': 'target'}
    """
    names = [field.name for field in fields(kind)]
    if not isinstance(given, dict) or (set(given) - set(names)):
        raise InputError(kind.__name__.lower(), repr(given), f"a dict of {', '.join(names)}")
    return dict(given)


def build(kind: type[T], given: dict) -> T:
    """One of the dataclass from a dict. Raises InputError, also for a field that is missing.

    >>> build(Lesion, {"image": "target", "row": 60, "column": 40}).radius
    4.0
    """
    try:
        return kind(**read_fields(kind, given))
    except TypeError as error:  # a field without default is missing
        raise InputError(kind.__name__.lower(), repr(given), str(error)) from error


@dataclass(frozen=True)
class Lesion:
    """A disc painted into one image, or removed from it: the other contrast does not know of it.

    >>> print(Lesion("target", 60, 40))
    lesion painted into the target at row 60, column 40, radius 4 px, +0.5 of white
    >>> print(Lesion("reference", 60, 40, radius=6, remove=True))
    disc removed from the reference at row 60, column 40, radius 6 px

    ``image`` is "reference" or "target"; position and ``radius`` in pixels, ``strength`` is added, as
    a share of the image's white (its 99.5 % quantile). ``remove`` fills the disc with the median of
    the rim around it. The edge is one pixel wide. Raises InputError.
    """

    image: str
    row: float
    column: float
    radius: float = 4.0
    strength: float = 0.5
    remove: bool = False

    def __post_init__(self):
        check_one_of("image", self.image, IMAGES)
        for name in ("row", "column", "radius", "strength"):
            check_between(
                name, getattr(self, name), *((0.5, 256) if name == "radius" else (-1e4, 1e4))
            )

    def __str__(self) -> str:
        place = f"at row {self.row:g}, column {self.column:g}, radius {self.radius:g} px"
        if self.remove:
            return f"disc removed from the {self.image} {place}"
        return f"lesion painted into the {self.image} {place}, {self.strength:+g} of white"


def blur(image: Tensor, sigma: float) -> Tensor:
    """Gaussian blur with a deviation of ``sigma`` pixels, as a window on k-space.

    >>> round(float(blur(torch.eye(9), 2.0).sum()), 4)
    9.0
    """
    down, right = (torch.fft.fftshift(torch.fft.fftfreq(n)) for n in image.shape)
    window = torch.exp(-2 * (pi * sigma) ** 2 * (down[:, None].square() + right.square()))
    return ifft2c(fft2c(image) * window).real


def rotate(image: Tensor, degrees: float) -> Tensor:
    """Turn about the centre, counter-clockwise, cubic interpolation; outside it is dark.

    >>> bool(torch.allclose(rotate(torch.eye(6), 90), torch.eye(6).rot90(), atol=1e-5))
    True
    """
    from skimage.transform import rotate as turn  # loads when first used

    return torch.from_numpy(turn(image.numpy(), degrees, order=3, preserve_range=True)).float()


def paint(image: Tensor, lesion: Lesion) -> Tensor:
    """The image (row, column) with this lesion, or without what the disc covers.

    >>> paint(torch.ones(9, 9), Lesion("target", 4, 4, radius=2, strength=0.5))[4, 3:8]
    tensor([1.5000, 1.5000, 1.5000, 1.2500, 1.0000])
    """
    row, column = (torch.arange(n, dtype=torch.float32) for n in image.shape)
    distance = ((row[:, None] - lesion.row).square() + (column - lesion.column).square()).sqrt()
    disc = (lesion.radius + 0.5 - distance).clamp(0, 1)
    if not lesion.remove:
        return image + disc * lesion.strength * image.quantile(WHITE)
    rim = image[(distance > lesion.radius + 0.5) & (distance <= lesion.radius + 2.5)]
    if not len(rim):
        raise InputError("lesion", str(lesion), "a place in the image, smaller than it")
    return image + disc * (rim.median() - image)
