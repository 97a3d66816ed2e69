"""What the spatial branch attends to, and how: projected tokens, and the named choices of logits.

An idea of your own is one function like ``cosine`` below; give it to ``DCAMSR(spatial_attention=...)``
and it runs in the trainer and in every explorer.

>>> import torch
>>> Projection(tokens=16, grid=(32, 32), held=16, local=True).footprints((64, 64)).shape
torch.Size([16, 64, 64])
"""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from einops import einsum, rearrange
from torch import Tensor, nn

# How queries and keys of the spatial branch are made ready. Takes ``q`` (b head n d), ``k``
# (b head n d), ``project`` (b head n d -> b head p d) and ``temperature`` (head 1 1); returns either
# the pair (q, k) whose inner products are the logits, or the logits (b head n p) themselves.
SpatialAttention = Callable[..., tuple[Tensor, Tensor] | Tensor]


def scaled_dot_product(q: Tensor, k: Tensor, project: Callable, temperature: Tensor):
    """Eq. 3: ``q (E k)^T / sqrt(d)``. The temperature is not used."""
    return q / q.shape[-1] ** 0.5, project(k)


def token_cosine(q: Tensor, k: Tensor, project: Callable, temperature: Tensor):
    """The released code: q and k are normalised over the *tokens*, and k before its projection.

    Every entry is then of the order ``1 / sqrt(n)``, and every query attends uniformly.
    """
    return F.normalize(q, dim=-2) * temperature, project(F.normalize(k, dim=-2))


def cosine(q: Tensor, k: Tensor, project: Callable, temperature: Tensor):
    """Ours: the cosine between a query and a projected key, times a learned temperature."""
    return F.normalize(q, dim=-1) * temperature, F.normalize(project(k), dim=-1)


CHOICES: dict[str, SpatialAttention] = {
    "scaled_dot_product": scaled_dot_product,
    "token_cosine": token_cosine,
    "cosine": cosine,
}
# A cosine lies in [-1, 1]: at 10 its softmax can tell tokens apart. All others start at 1, as the
# released code does; None: the choice has no temperature.
START_TEMPERATURE = {cosine: 10.0, scaled_dot_product: None}


def spatial_attention(choice: str | SpatialAttention) -> SpatialAttention:
    """A named choice, or the user's own function as it is.

    >>> spatial_attention("cosine") is cosine
    True

    Raises ValueError for an unknown name.
    """
    if callable(choice):
        return choice
    if choice == "custom":
        raise ValueError("trained with a function of its user's own: pass it as spatial_attention")
    if choice not in CHOICES:
        raise ValueError(f"spatial attention is {choice!r}, expected one of {[*CHOICES]}")
    return CHOICES[choice]


class Projection(nn.Module):
    """A linear layer over the tokens: b head n d -> b head p d (the paper's k_project, v_project).

    Its weight is held as p pictures of the image grid, the *footprints*. With ``held`` coarser than
    the grid they are few numbers, and on another grid they are resampled as images; rescaled by the
    pixel count, so that each stays the same weighted sum. ``local`` starts them as tiles, that is,
    as average pooling; otherwise they start as torch.nn.Linear does.
    """

    def __init__(self, tokens: int, grid: tuple[int, int], held: int | None, local: bool):
        super().__init__()
        shape = grid if held is None else (min(held, grid[0]), min(held, grid[1]))
        self.fixed_grid = grid if held is None else None
        bound = (shape[0] * shape[1]) ** -0.5
        if local:
            side = round(tokens**0.5)
            if side**2 != tokens:
                raise ValueError(f"local footprints form a square: {tokens} tokens do not")
            tiles = rearrange(torch.eye(tokens), "p (row column) -> 1 p row column", row=side)
            tiles = F.interpolate(tiles, shape, mode="bilinear")[0]
            self.weight = nn.Parameter(tiles / tiles.sum((-2, -1), keepdim=True))
            self.bias = nn.Parameter(torch.zeros(tokens))
        else:
            self.weight = nn.Parameter(torch.empty(tokens, *shape).uniform_(-bound, bound))
            self.bias = nn.Parameter(torch.empty(tokens).uniform_(-bound, bound))

    def footprints(self, grid: tuple[int, int]) -> Tensor:
        """The footprints on ``grid``: (p, h, w). Raises ValueError where the grid is fixed."""
        held = tuple(self.weight.shape[-2:])
        if held == tuple(grid):
            return self.weight
        if self.fixed_grid:
            raise ValueError(
                f"this network's token projection is fixed to a {held[0]} x {held[1]} grid and was"
                f" given {grid[0]} x {grid[1]}: build it with the image size you use, or take the"
                " variant 'corrected', which resamples its footprints"
            )
        resampled = F.interpolate(self.weight[None], grid, mode="bilinear", antialias=True)[0]
        return resampled * (held[0] * held[1] / (grid[0] * grid[1]))

    def forward(self, x: Tensor, grid: tuple[int, int]) -> Tensor:
        footprints = rearrange(self.footprints(grid), "p h w -> p (h w)")
        summed = einsum(footprints, x, "p n, b head n d -> b head p d")
        return summed + rearrange(self.bias, "p -> p 1")
