"""The frame around every network here: upsample, pad, add back, keep what was measured, crop.

>>> import torch
>>> class Nothing(SuperResolver):
...     def detail(self, up, reference):
...         return 0 * up
>>> Nothing(Config(scale=2))(torch.rand(1, 1, 9, 8)).shape
torch.Size([1, 1, 18, 16])
"""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..kspace import restore_measured, upsample_fourier
from .config import MULTIPLE, Config


def upsample(x: Tensor, factor: int = 2) -> Tensor:
    """Bilinear, corners not aligned."""
    return F.interpolate(x, scale_factor=factor, mode="bilinear", align_corners=False)


def pad_to_multiple(image: Tensor, multiple: int = MULTIPLE) -> Tensor:
    """Zero-pad rows at the bottom and columns at the right up to a multiple."""
    height, width = image.shape[-2:]
    return F.pad(image, (0, -width % multiple, 0, -height % multiple))


def unwrap(model: Any) -> Any:
    """The network that a wrapper of torch runs (compiled, for several GPUs, averaged); others as is.

    >>> network = SuperResolver(Config())
    >>> unwrap(nn.DataParallel(network)) is network, unwrap(max) is max
    (True, True)
    """
    inner = model
    while isinstance(inner, nn.Module) and not isinstance(inner, SuperResolver):
        own = type(inner).__module__.startswith("torch.")
        inner = getattr(inner, "_orig_mod", None) or (own and getattr(inner, "module", None))
    return inner if isinstance(inner, SuperResolver) else model


class SuperResolver(nn.Module):
    """``model(lr, ref)``: a network gives the detail that the upsampled input lacks.

    >>> from dcamsr_lite import DCAMSR
    >>> isinstance(DCAMSR(image_size=32), SuperResolver)
    True

    (b,1,H/s,W/s) and (b,1,H,W) -> (b,1,H,W), normalised images. A subclass has ``detail(up,
    reference)``: both (b,1,h,w), padded to a multiple of 8, to (b,1,h,w). A network of half or double
    precision takes images of any; the output has that of ``lr``. Raises ValueError for a wrong shape.
    ``normalisation`` is that of the pairs it was trained with, "clean" or "released"; None: not known.
    ``sides``: the smallest and largest side of the images it was trained on, where they were several.
    """

    normalisation: str | None = None
    sides: tuple[int, int] | None = None

    def __init__(self, config: Config):
        super().__init__()
        self.config = config

    def forward(self, lr: Tensor, ref: Tensor | None = None, upsampled: bool = False) -> Tensor:
        """Without ``ref``, or trained without one, the upsampled input is its own reference.

        ``upsampled``: ``lr`` is a patch of an image that was upsampled whole, as large as ``ref``.
        """
        factor = 1 if upsampled else self.config.scale
        self._check(lr, ref, factor)
        low = lr.to(torch.promote_types(lr.dtype, torch.float32))  # the FFT knows no half precision
        own = next(self.parameters(), low).dtype
        up = self.enlarge(low, factor).to(own)
        rows, columns = up.shape[-2:]
        up = pad_to_multiple(up)
        if ref is None or not self.config.reference:
            sr = self.detail(up, up)
        else:
            sr = self.detail(up, pad_to_multiple(ref.to(own)))
        if self.config.residual:
            sr = sr + up
        sr = sr[..., :rows, :columns].to(low.dtype)
        if self.config.consistency and not upsampled:
            sr = restore_measured(sr, low)
        return sr.to(lr.dtype) if lr.is_floating_point() else sr

    def enlarge(self, low: Tensor, factor: int) -> Tensor:
        fourier = self.config.upsampling == "fourier"
        return (upsample_fourier if fourier else upsample)(low, factor)

    def detail(self, up: Tensor, reference: Tensor) -> Tensor:
        raise NotImplementedError

    def _check(self, lr: Tensor, ref: Tensor | None, s: int) -> None:
        if lr.ndim != 4 or lr.shape[1] != 1:
            raise ValueError(f"lr has shape {tuple(lr.shape)}, expected (batch, 1, rows, columns)")
        expected = (lr.shape[0], 1, lr.shape[2] * s, lr.shape[3] * s)
        if ref is not None and tuple(ref.shape) != expected:
            raise ValueError(f"ref has shape {tuple(ref.shape)}, expected {expected}: {s} x lr's")
