"""What a patch of a network's output is, as a number: the target that an attribution explains.

>>> import torch
>>> lr, ref = torch.rand(1, 1, 4, 4), torch.rand(1, 1, 16, 16)
>>> PatchTarget(lambda lr, ref: ref, lr, ref, (0, 0, 1, 1), "mean").value == float(ref[0, 0, 0, 0])
True
"""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from ..errors import InputError
from ..evaluation import Network, check_output, evaluating

Patch = tuple[int, int, int, int]  # first row, first column, rows, columns, in the output's pixels
LAM_SIGMA = 1.2  # the width of LAM's blur, in low-resolution pixels


def detail(sr: Tensor, patch: Patch) -> Tensor:
    """LAM's detector: the gradient magnitude, summed over the patch: (b, 1, H, W) -> (b,).

    >>> detail(torch.ones(1, 1, 8, 8), (2, 2, 4, 4)) < 0.02
    tensor([True])

    It asks where edges and texture come from; brightness comes from the low-resolution image anyway.
    Forward differences; a thousandth is added in the square, where a root has no gradient.
    """
    row, column, height, width = patch
    edge = F.pad(sr, (0, 1, 0, 1), mode="replicate")
    down, right = edge[..., 1:, :-1] - sr, edge[..., :-1, 1:] - sr
    magnitude = (down.square() + right.square() + 1e-6).sqrt()
    return magnitude[..., row : row + height, column : column + width].sum((1, 2, 3))


def mean(sr: Tensor, patch: Patch) -> Tensor:
    """The mean brightness of the patch: (b, 1, H, W) -> (b,).

    >>> mean(torch.ones(1, 1, 8, 8), (2, 2, 4, 4))
    tensor([1.])
    """
    row, column, height, width = patch
    return sr[..., row : row + height, column : column + width].mean((1, 2, 3))


TARGETS = {"detail": detail, "mean": mean}


def smooth(image: Tensor, sigma: float) -> Tensor:
    """Gaussian blur of (b, 1, h, w), sigma in pixels, edges repeated; 0 leaves the image as it is.

    >>> smooth(torch.ones(1, 1, 8, 8), sigma=2.0)[0, 0, 0, 0].round(decimals=5)
    tensor(1.)
    """
    if sigma == 0:
        return image
    radius = max(1, round(4 * sigma))
    offsets = torch.arange(-radius, radius + 1.0, device=image.device, dtype=image.dtype)
    kernel = (-offsets.square() / (2 * sigma**2)).softmax(0)
    padded = F.pad(image, [radius] * 4, mode="replicate")
    return F.conv2d(F.conv2d(padded, kernel.view(1, 1, 1, -1)), kernel.view(1, 1, -1, 1))


class PatchTarget:
    """The target of a patch as a function of both images, checked; remembers its value there."""

    def __init__(self, f: Network, lr: Tensor, ref: Tensor, patch: Patch, target: str = "mean"):
        if not callable(f):
            raise InputError("f", type(f).__name__, "a function f(lr, ref) -> sr")
        for name, image in {"lr": lr, "ref": ref}.items():
            if not (isinstance(image, Tensor) and image.ndim == 4 and image.shape[:2] == (1, 1)):
                found = tuple(image.shape) if isinstance(image, Tensor) else type(image).__name__
                raise InputError(name, str(found), "a tensor (1, 1, rows, columns): one slice")
            if not (image.is_floating_point() and bool(image.isfinite().all())):
                raise InputError(name, "values that are no finite floats", "a normalised image")
        sides = list(zip(lr.shape[2:], ref.shape[2:], strict=True))
        self.scale = sides[0][1] // max(sides[0][0], 1)
        if self.scale < 1 or any(a * self.scale != b for a, b in sides):
            shapes = f"lr {tuple(lr.shape[2:])} and ref {tuple(ref.shape[2:])}"
            raise InputError(
                "images", shapes, "a reference that is an integer times larger than lr"
            )
        if target not in TARGETS:
            raise InputError("target", repr(target), f"one of {[*TARGETS]}")
        self.f, self.patch, self.target = f, check_patch(patch, tuple(ref.shape[2:])), target
        self.lr, self.ref = lr.detach().clone(), ref.detach().clone()
        self.output = self.run(self.lr, self.ref)
        self.value = float(TARGETS[target](self.output, self.patch))

    @torch.no_grad()
    def run(self, lr: Tensor, ref: Tensor) -> Tensor:
        return check_output(self._sr(lr, ref), self.ref).clone()

    def _sr(self, lr: Tensor, ref: Tensor) -> Tensor:
        with evaluating(self.f):  # copies: f may work in place, on what it gets or on what it gave
            return self.f(lr.clone(), ref.clone())

    def __call__(self, lr: Tensor, ref: Tensor) -> Tensor:
        # an input that f ignores still has a gradient: zero
        return TARGETS[self.target](self._sr(lr, ref), self.patch) + 0 * (lr.sum() + ref.sum())

    @torch.no_grad()
    def at(self, images: tuple[Tensor, Tensor]) -> float:
        return float(self(*images))

    def check_gradient(self) -> None:
        images = [x.clone().requires_grad_() for x in (self.lr, self.ref)]
        with torch.enable_grad():
            if not self._sr(*images).requires_grad:
                raise InputError(
                    "f", "an output without a gradient", "torch all the way, or occlusion"
                )

    def sigma(self, sigma: float | None) -> float:
        """LAM's blur, unless another one is asked for; in the reference's pixels."""
        sigma = LAM_SIGMA * self.scale if sigma is None else sigma
        if not 0 < sigma < float("inf"):
            raise InputError("sigma", repr(sigma), "a positive number of reference pixels")
        return sigma

    def smoothed(self, sigma: float) -> tuple[Tensor, Tensor]:
        """Both contrasts, the same length of blur; sigma in the reference's pixels."""
        return smooth(self.lr, sigma / self.scale), smooth(self.ref, sigma)


def check_patch(patch: Sequence[int], shape: Sequence[int]) -> Patch:
    """The patch as four ints inside an image of that shape, or InputError.

    >>> check_patch([0, 1, 2, 2], (8, 8))
    (0, 1, 2, 2)
    """
    expected = f"(row, column, rows, columns) of 1 pixel or more inside {shape[0]} x {shape[1]}"
    if len(patch) != 4 or any(int(x) != x for x in patch):
        raise InputError("patch", str(patch), expected)
    row, column, height, width = map(int, patch)
    inside = 0 <= row <= shape[0] - height and 0 <= column <= shape[1] - width
    if not inside or min(height, width) < 1:
        raise InputError("patch", str((row, column, height, width)), expected)
    return row, column, height, width
