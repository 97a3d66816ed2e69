"""Parts of a network as a graph computes them well: the same numbers, in fewer nodes, nothing complex.

>>> image = torch.randn(1, 2, 64, 3)
>>> rows = RowWindow(tokens=9).logits(image, image.flip(2), (8, 8))
>>> torch.allclose(rows, Window(tokens=9).logits(image, image.flip(2), (8, 8)), atol=1e-5)
True
"""

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from einops import einsum, rearrange
from torch import Tensor, nn

from ..kspace import make_upsampling
from ..network.spatial_choices import make_resampling
from ..network.super_resolver import SuperResolver
from ..network.windows import Grid, SharedVotes, Window


class RowWindow(Window):
    """A window a row at a time, all its columns at once: of 9 x 9 pixels, a ninth of the nodes."""

    def rows(self, x: Tensor, grid: Grid) -> list[Tensor]:
        """For each row of the window the image shifted to its places: (b head) side d h w."""
        image = rearrange(x, "b head (h w) d -> (b head) d h w", h=grid[0])
        image = F.pad(image, (self.side // 2,) * 4, mode="replicate")
        across = [image[..., at : at + grid[1]] for at in range(self.side)]
        beside = torch.stack(across, dim=1)
        return [beside[..., at : at + grid[0], :] for at in range(self.side)]

    def logits(self, q: Tensor, k: Tensor, grid: Grid) -> Tensor:
        image = rearrange(q, "b head (h w) d -> (b head) 1 d h w", h=grid[0])
        found = torch.cat([(image * shifted).sum(2) for shifted in self.rows(k, grid)], dim=1)
        return rearrange(found, "(b head) p h w -> b head (h w) p", head=q.shape[1])

    def mix(self, attention: Tensor, v: Tensor, grid: Grid) -> Tensor:
        weights = rearrange(
            attention, "b head (h w) (i j) -> i (b head) j 1 h w", h=grid[0], i=self.side
        )
        pairs = zip(weights, self.rows(v, grid), strict=True)
        x = sum((weight * shifted).sum(1) for weight, shifted in pairs)
        return rearrange(x, "(b head) d h w -> b head (h w) d", head=v.shape[1])


class SkewedWindow(Window):
    """A window whose diagonals are columns of longer rows: a graph holds strides as places, 2 MB.

    >>> image = torch.randn(1, 2, 64, 3)
    >>> votes = SkewedWindow(tokens=9).logits(image, image.flip(2), (8, 8))
    >>> torch.equal(votes, Window(tokens=9).logits(image, image.flip(2), (8, 8)))
    True
    """

    def take_own(self, seen: Tensor) -> Tensor:
        *outer, queries, places = seen.shape
        longer = F.pad(seen.flatten(-2), (0, queries)).view(*outer, queries, places + 1)
        return longer[..., : self.side]


class RowVotes(SharedVotes, RowWindow):
    """Votes in such a window: what SharedVotes takes from Window, it takes from RowWindow here."""


class HeldProjection(nn.Module):
    """A projection for one grid: its footprints are two matrix products with what is held.

    >>> from dcamsr_lite.network.spatial_choices import Projection
    >>> projection = Projection(tokens=16, grid=(32, 32), held=16, local=True)
    >>> held = HeldProjection(projection, (24, 32))
    >>> torch.allclose(held.footprints((24, 32)), projection.footprints((24, 32)), atol=1e-6)
    True
    """

    rows: Tensor
    columns: Tensor
    held: Tensor
    bias: Tensor

    def __init__(self, projection: Any, grid: Grid):
        super().__init__()
        held = projection.footprints(grid).detach()  # refuses a grid that it does not take
        weight = getattr(projection, "weight", held)  # tiles hold nothing
        self.coarse = weight.shape != held.shape
        if self.coarse:  # as they are stored, which 16 bits may hold: the matrices scale them
            held = weight.detach()
            for name, few, many in zip(("rows", "columns"), held.shape[-2:], grid, strict=True):
                self.register_buffer(name, make_resampling(few, many) * (few / many))
        self.register_buffer("held", held)
        bias = getattr(projection, "bias", None)
        self.register_buffer("bias", torch.zeros(len(held)) if bias is None else bias.detach())

    def footprints(self, grid: Grid) -> Tensor:
        return self.rows @ self.held @ self.columns.mT if self.coarse else self.held

    def forward(self, x: Tensor, grid: Grid) -> Tensor:
        footprints = rearrange(self.footprints(grid), "p h w -> p (h w)")
        summed = einsum(footprints, x, "p n, b head n d -> b head p d")
        return summed + rearrange(self.bias, "p -> p 1")


def prepare_parts(network: Any, level: int, grid: Grid) -> None:
    """Put such parts into the spatial branch of a level, at whose matrix the network will run."""
    branch = network.levels[level].attention.spatial
    if branch.window is None:
        shared = branch.project_key is branch.project_value
        key = HeldProjection(branch.project_key, grid)
        branch.project_value = key if shared else HeldProjection(branch.project_value, grid)
        branch.project_key = key
    else:
        window = branch.window
        window.__class__ = RowVotes if isinstance(window, SharedVotes) else RowWindow
        if isinstance(window, SharedVotes):
            window.votes.__class__ = SkewedWindow


def prepare_enlarging(network: SuperResolver, size: Grid) -> None:
    """Fourier upsampling to (rows, columns) by matrices that are ready, where the network has it."""
    if network.config.upsampling == "fourier":
        network.enlarge = _make_enlarging(size, network.config.scale)  # type: ignore[assignment, method-assign]


def _make_enlarging(size: Grid, scale: int) -> Callable[[Tensor, int], Tensor]:
    axes = [make_upsampling(side // scale, scale) for side in size]
    (a, a_imag), (b, b_imag) = [[part.float() for part in parts] for parts in axes]
    odd = any(part.abs().max() > 1e-7 for part in (a_imag, b_imag))

    def enlarge(low: Tensor, factor: int) -> Tensor:
        up = a @ low @ b.mT
        return up - a_imag @ low @ b_imag.mT if odd else up

    return enlarge
