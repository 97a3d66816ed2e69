"""The network's 3 x 3 convolutions: the same numbers in less time and memory on a CPU.

>>> import torch
>>> conv = Conv3x3(64, 64)
>>> image = torch.rand(1, 64, 96, 96)
>>> bool((conv(image) - nn.Conv2d.forward(conv, image)).abs().max() < 1e-4)
True
"""

from typing import Any

import torch
import torch.nn.functional as F
from einops import rearrange
from torch import Tensor, nn

WIDE, LARGE = 48, 96  # channels and pixels a side from which on Winograd pays
TILE = 14  # of the gradient, for the transforms of 16 x 16 pixels that NNPACK has


class Conv3x3(nn.Conv2d):
    """A 3 x 3 convolution that keeps the size of the image, or halves it with stride 2.

    On a CPU in float32 a wide one is computed by Winograd's F(6 x 6, 3 x 3), a fifth of the
    multiplications; it differs from the direct sum by some 2.5e-6 of its norm.
    """

    def __init__(self, inputs: int, outputs: int, stride: int = 1):
        super().__init__(inputs, outputs, 3, stride, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        if self._takes_winograd(x):
            return Winograd.apply(x, self.weight, self.bias)
        beside = max(self.weight.shape[:2]) >= WIDE and min(x.shape[-2:]) >= LARGE  # its layout
        if _runs_as_written(x) and not beside and not torch.is_grad_enabled():
            # a seventh quicker, and attention has its tokens; but gradients take three times as long
            layout = {"memory_format": torch.channels_last}
            return super().forward(x.contiguous(**layout)).contiguous(**layout)
        return super().forward(x)

    def _takes_winograd(self, x: Tensor) -> bool:
        if not _runs_as_written(x):
            return False
        wide = self.stride == (1, 1) and min(self.weight.shape[:2]) >= WIDE
        wide = wide and min(x.shape[-2:]) >= LARGE
        single = x.dtype == self.weight.dtype == torch.float32
        return wide and single and not torch.is_autocast_enabled("cpu") and has_winograd()


def _runs_as_written(x: Tensor) -> bool:
    """Images on a CPU, of which no graph is made."""
    graph = torch.compiler.is_compiling() or torch.jit.is_tracing()
    return x.device.type == "cpu" and x.ndim == 4 and not graph


def has_winograd() -> bool:
    """Whether this torch has NNPACK and the processor what that needs; asking also starts it."""
    return hasattr(torch, "_nnpack_spatial_convolution") and torch._nnpack_available()


class Winograd(torch.autograd.Function):
    """The convolution, and as its gradient the convolution with the turned kernels."""

    @staticmethod
    def forward(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        return convolve(x, weight, bias)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple, output: Tensor) -> None:
        ctx.save_for_backward(*inputs[:2])

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple:
        x, weight = ctx.saved_tensors
        of_x, of_weight, of_bias, needed = None, None, None, ctx.needs_input_grad
        if needed[0]:
            of_x = Winograd.apply(gradient, weight.flip(-2, -1).transpose(0, 1), None)
        if needed[1]:
            pairs = zip(gradient.split(1), x.split(1), strict=True)
            of_weight = sum(find_weight_gradient(*pair) for pair in pairs)
        if needed[2]:
            of_bias = gradient.sum((0, 2, 3))
        return of_x, of_weight, of_bias


def find_weight_gradient(gradient: Tensor, x: Tensor) -> Tensor:
    """Of a 3 x 3 convolution, (o, i, 3, 3): the sum over pixels of gradient times x around them.

    Tiles of the gradient are kernels on larger tiles of x, channels of x are images, and places are
    channels: then NNPACK does it with Fourier transforms, in two thirds of the direct sum's time.
    """
    down, right = (-n % TILE for n in x.shape[-2:])
    seen = cut_tiles(F.pad(x, (1, right + 1, 1, down + 1)), TILE + 2)
    asked = cut_tiles(F.pad(gradient, (0, right, 0, down)), TILE)
    return torch._nnpack_spatial_convolution(seen, asked, None, (0, 0), (1, 1)).transpose(0, 1)


def cut_tiles(x: Tensor, side: int) -> Tensor:
    """Squares of an image whose corners lie TILE pixels apart: a channel each, as many images as x's.

    >>> cut_tiles(torch.rand(1, 3, 16, 30), side=16).shape
    torch.Size([3, 2, 16, 16])
    """
    tiles = x.unfold(2, side, TILE).unfold(3, side, TILE)
    return rearrange(tiles, "1 c row column y x -> c (row column) y x").contiguous()


def convolve(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """One image after the other: NNPACK's way for batches takes half as long again."""
    weight = weight.contiguous()
    images = x.contiguous().split(1)
    found = [torch._nnpack_spatial_convolution(i, weight, bias, (1, 1), (1, 1)) for i in images]
    return found[0] if len(found) == 1 else torch.cat(found)


def measure_spread(x: Tensor) -> tuple[Tensor, Tensor]:
    """torch.std_mean over the pixels, the unbiased one, in a tenth of its time on a CPU.

    >>> [float(found) for found in measure_spread(torch.tensor([[[[1.0, 3.0], [1.0, 3.0]]]]))]
    [1.154700517654419, 2.0]
    """
    mean, freedom = x.mean((-2, -1), keepdim=True), x[0, 0].numel() - 1
    spread = torch.linalg.vector_norm(x - mean, dim=(-2, -1), keepdim=True)
    return spread / freedom**0.5, mean
