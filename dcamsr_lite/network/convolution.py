"""The network's 3 x 3 convolutions: the same numbers in less time and memory on a CPU.

>>> import torch
>>> conv = Conv3x3(64, 64)
>>> image = torch.rand(1, 64, 96, 96)
>>> bool((conv(image) - nn.Conv2d.forward(conv, image)).abs().max() < 1e-4)
True
"""

from typing import Any

import torch
from torch import Tensor, nn

WIDE, LARGE = 48, 96  # channels and pixels a side from which on Winograd pays


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
        if any(needed[1:]):
            sizes, ones = [weight.shape[0]], [1, 1]
            of_weight, of_bias = torch.ops.aten.convolution_backward(
                gradient.contiguous(), x.contiguous(), weight, sizes, ones, ones, ones,
                False, [0, 0], 1, [False, *needed[1:]],
            )[1:]  # fmt: skip
        return of_x, of_weight, of_bias


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
