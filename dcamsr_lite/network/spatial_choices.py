"""What the spatial branch attends to, and how: kinds of tokens, and the named choices of logits.

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

from .channels import normalise_tokens
from .windows import Grid, Prefilter, SharedVotes, Window

# How queries and keys of the spatial branch are made ready. Takes ``q`` (b head n d), ``k``
# (b head n d), ``project`` (b head n d -> b head p d) and ``temperature`` (head 1 1); returns either
# the pair (q, k) whose inner products are the logits, or the logits (b head n p) themselves.
SpatialAttention = Callable[..., tuple[Tensor, Tensor] | Tensor]


def scaled_dot_product(
    q: Tensor, k: Tensor, project: Callable, temperature: Tensor
) -> tuple[Tensor, Tensor]:
    """Eq. 3: ``q (E k)^T / sqrt(d)``. The temperature is not used."""
    return q / q.shape[-1] ** 0.5, project(k)


def token_cosine(
    q: Tensor, k: Tensor, project: Callable, temperature: Tensor
) -> tuple[Tensor, Tensor]:
    """The released code: q and k are normalised over the *tokens*, and k before its projection.

    Every entry is then of the order ``1 / sqrt(n)``, and every query attends uniformly.
    """
    return normalise_tokens(q, temperature), project(normalise_tokens(k))


def cosine(q: Tensor, k: Tensor, project: Callable, temperature: Tensor) -> tuple[Tensor, Tensor]:
    """Ours: the cosine between a query and a projected key, times a learned temperature."""
    length = torch.linalg.vector_norm(q, dim=-1, keepdim=True).clamp_min(1e-12)
    return q * (temperature / length), F.normalize(project(k), dim=-1)


def as_they_are(
    q: Tensor, k: Tensor, project: Callable, temperature: Tensor
) -> tuple[Tensor, Tensor]:
    """For offsets, which compare queries and keys in their own way: see ``SharedVotes``."""
    return q, k


CHOICES: dict[str, SpatialAttention] = {
    "scaled_dot_product": scaled_dot_product,
    "token_cosine": token_cosine,
    "cosine": cosine,
    "pooled": cosine,
    "window": cosine,
    "offsets": as_they_are,
}
# A cosine lies in [-1, 1]: at 10 its softmax can tell tokens apart. All others start at 1, as the
# released code does; None: the choice has no temperature.
START_TEMPERATURE: dict[Callable, float | None] = {
    cosine: 10.0,
    scaled_dot_product: None,
    as_they_are: None,
}


def make_temperature(prepare: SpatialAttention, heads: int) -> nn.Parameter | None:
    """The temperature of each head at its start, (head, 1, 1), where the choice has one.

    >>> make_temperature(cosine, 8).shape
    torch.Size([8, 1, 1])
    """
    start = START_TEMPERATURE.get(prepare, 1.0)
    return None if start is None else nn.Parameter(torch.full((heads, 1, 1), start))


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

    def __init__(self, tokens: int, grid: Grid, held: int | None, local: bool):
        super().__init__()
        shape = grid if held is None else (min(held, grid[0]), min(held, grid[1]))
        self.fixed_grid = grid if held is None else None
        bound = (shape[0] * shape[1]) ** -0.5
        if local:
            side = round(tokens**0.5)
            if side**2 != tokens:
                raise ValueError(f"local footprints form a square: {tokens} tokens do not")
            tiles = rearrange(torch.eye(tokens), "p (row column) -> 1 p row column", row=side)
            # on a much coarser grid some tiles fall between its pixels: they take the covering one
            covering = F.interpolate(tiles, shape, mode="area")[0]
            tiles = F.interpolate(tiles, shape, mode="bilinear")[0]
            tiles = torch.where(tiles.sum((-2, -1), keepdim=True) > 0, tiles, covering)
            self.weight = nn.Parameter(tiles / tiles.sum((-2, -1), keepdim=True))
            self.bias = nn.Parameter(torch.zeros(tokens))
        else:
            self.weight = nn.Parameter(torch.empty(tokens, *shape).uniform_(-bound, bound))
            self.bias = nn.Parameter(torch.empty(tokens).uniform_(-bound, bound))

    def footprints(self, grid: Grid) -> Tensor:
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
        weight = self.weight * (held[0] * held[1] / (grid[0] * grid[1]))
        rows, columns = (make_resampling(*n).to(weight) for n in zip(held, grid, strict=True))
        return rows @ weight @ columns.mT  # in a tenth of F.interpolate's time

    def forward(self, x: Tensor, grid: Grid) -> Tensor:
        footprints = rearrange(self.footprints(grid), "p h w -> p (h w)")
        summed = einsum(footprints, x, "p n, b head n d -> b head p d")
        return summed + rearrange(self.bias, "p -> p 1")


def make_resampling(held: int, side: int) -> Tensor:
    """(side, held): one axis of the interpolation in ``Projection.footprints``, which is separable.

    >>> make_resampling(1, 2)
    tensor([[1.],
            [1.]])
    """
    impulses = torch.eye(held)[None, None]
    return F.interpolate(impulses, (held, side), mode="bilinear", antialias=True)[0, 0].T


class Pooling(nn.Module):
    """Nothing learned: every token is the average of one tile of the image, on any grid.

    >>> Pooling(tokens=16).footprints((8, 8))[0, :3, :3]
    tensor([[0.2500, 0.2500, 0.0000],
            [0.2500, 0.2500, 0.0000],
            [0.0000, 0.0000, 0.0000]])
    """

    def __init__(self, tokens: int):
        super().__init__()
        self.side = round(tokens**0.5)
        if self.side**2 != tokens:
            raise ValueError(f"tiles form a square: {tokens} tokens do not")

    def footprints(self, grid: Grid) -> Tensor:
        """(p, h, w), rows of tiles first; each sums to 1."""
        rows, columns = (F.adaptive_avg_pool1d(torch.eye(n), self.side).mT for n in grid)
        return rearrange(einsum(rows, columns, "i h, j w -> i j h w"), "i j h w -> (i j) h w")

    def forward(self, x: Tensor, grid: Grid) -> Tensor:
        footprints = rearrange(self.footprints(grid).to(x), "p h w -> p (h w)")
        return einsum(footprints, x, "p n, b head n d -> b head p d")


class NoProjection(nn.Module):
    """Every pixel is a token: b head n d, as it is."""

    def forward(self, x: Tensor, grid: Grid) -> Tensor:
        return x


class AttentionMap(nn.Module):
    """softmax(q k^T): b head n d, b head p d -> b head n p. A module, so that hooks can watch it."""

    def forward(self, q: Tensor, k: Tensor | None) -> Tensor:
        logits = q if k is None else einsum(q, k, "b head n d, b head p d -> b head n p")
        return logits.softmax(dim=-1)


# Choices of few tokens around each query, whose map is made by a module of its own.
WINDOWS: dict[str, type[Window]] = {"window": Window, "offsets": SharedVotes}


def make_map(choice: str | SpatialAttention, tokens: int) -> nn.Module:
    """What makes the attention of queries and keys.

    >>> make_map("cosine", 64), make_map("window", 64).side
    (AttentionMap(), 7)
    """
    return WINDOWS[choice](tokens) if choice in WINDOWS else AttentionMap()


def make_projections(
    choice: str | SpatialAttention,
    tokens: int,
    grid: Grid,
    held: int | None,
    local: bool,
    number: int,
) -> tuple[nn.Module, nn.Module]:
    """What makes tokens of the pixels, of keys and of values; one for both where ``number`` is 1.

    Learned, but for the choices that look elsewhere.

    >>> make_projections("window", 9, (8, 8), None, False, 2)
    (NoProjection(), NoProjection())
    """
    if choice in WINDOWS:
        return NoProjection(), Prefilter() if choice == "offsets" else NoProjection()
    made = [
        Pooling(tokens) if choice == "pooled" else Projection(tokens, grid, held, local)
        for _ in range(number)
    ]
    return made[0], made[-1]
