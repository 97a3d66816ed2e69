"""What the spatial branch attends to, and how: kinds of tokens, and the named choices of logits.

An idea of your own is one function like ``cosine`` below; give it to ``DCAMSR(spatial_attention=...)``
and it runs in the trainer and in every explorer.

>>> import torch
>>> Projection(tokens=16, grid=(32, 32), held=16, local=True).footprints((64, 64)).shape
torch.Size([16, 64, 64])
"""

from collections.abc import Callable, Iterator

import torch
import torch.nn.functional as F
from einops import einsum, rearrange
from torch import Tensor, nn

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
    return F.normalize(q, dim=-2) * temperature, project(F.normalize(k, dim=-2))


def cosine(q: Tensor, k: Tensor, project: Callable, temperature: Tensor) -> tuple[Tensor, Tensor]:
    """Ours: the cosine between a query and a projected key, times a learned temperature."""
    return F.normalize(q, dim=-1) * temperature, F.normalize(project(k), dim=-1)


CHOICES: dict[str, SpatialAttention] = {
    "scaled_dot_product": scaled_dot_product,
    "token_cosine": token_cosine,
    "cosine": cosine,
    "pooled": cosine,
    "window": cosine,
}
# A cosine lies in [-1, 1]: at 10 its softmax can tell tokens apart. All others start at 1, as the
# released code does; None: the choice has no temperature.
START_TEMPERATURE: dict[Callable, float | None] = {cosine: 10.0, scaled_dot_product: None}


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
            # on a much coarser grid some tiles fall between its pixels: they take the covering one
            covering = F.interpolate(tiles, shape, mode="area")[0]
            tiles = F.interpolate(tiles, shape, mode="bilinear")[0]
            tiles = torch.where(tiles.sum((-2, -1), keepdim=True) > 0, tiles, covering)
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


TILE = 4  # side of the tiles of fused window attention; of 4, 8 and 16 the fastest on a CPU


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

    def footprints(self, grid: tuple[int, int]) -> Tensor:
        """(p, h, w), rows of tiles first; each sums to 1."""
        rows, columns = (F.adaptive_avg_pool1d(torch.eye(n), self.side).mT for n in grid)
        return rearrange(einsum(rows, columns, "i h, j w -> i j h w"), "i j h w -> (i j) h w")

    def forward(self, x: Tensor, grid: tuple[int, int]) -> Tensor:
        footprints = rearrange(self.footprints(grid).to(x), "p h w -> p (h w)")
        return einsum(footprints, x, "p n, b head n d -> b head p d")


class Window(nn.Module):
    """No projection: the tokens of a query are the pixels around its own place in the reference.

    >>> Window(tokens=64).side
    7

    The largest odd square of at most ``tokens`` pixels. Beyond the border the nearest pixel stands
    in, so that every query has as many tokens.
    """

    def __init__(self, tokens: int):
        super().__init__()
        self.side = (int(tokens**0.5) + 1) // 2 * 2 - 1

    def footprints(self, grid: tuple[int, int], query: tuple[int, int]) -> Tensor:
        """Where the tokens of the query at (row, column) lie: (p, h, w), a single one in each."""
        around = torch.arange(self.side) - self.side // 2
        rows, columns = (
            F.one_hot((around + at).clamp(0, n - 1), n).float()
            for at, n in zip(query, grid, strict=True)
        )
        return rearrange(einsum(rows, columns, "i h, j w -> i j h w"), "i j h w -> (i j) h w")

    def forward(self, x: Tensor, grid: tuple[int, int]) -> Tensor:
        return x

    def neighbours(self, x: Tensor, grid: tuple[int, int]) -> Iterator[Tensor]:
        """The image shifted to each place of the window, not copied: p times (b head) d h w."""
        image = rearrange(x, "b head (h w) d -> (b head) d h w", h=grid[0])
        image = F.pad(image, (self.side // 2,) * 4, mode="replicate")
        for row in range(self.side):
            for column in range(self.side):
                yield image[..., row : row + grid[0], column : column + grid[1]]

    def logits(self, q: Tensor, k: Tensor, grid: tuple[int, int]) -> Tensor:
        """Queries with the keys around each: b head n p."""
        q, heads = rearrange(q, "b head (h w) d -> (b head) d h w", h=grid[0]), q.shape[1]
        logits = torch.stack([(q * shifted).sum(1) for shifted in self.neighbours(k, grid)], -1)
        return rearrange(logits, "(b head) h w p -> b head (h w) p", head=heads)

    def mix(self, attention: Tensor, v: Tensor, grid: tuple[int, int]) -> Tensor:
        """The values around each query, weighted: b head n d."""
        weights = rearrange(attention, "b head (h w) p -> p (b head) 1 h w", h=grid[0])
        pairs = zip(weights, self.neighbours(v, grid), strict=True)
        x = sum(weight * shifted for weight, shifted in pairs)
        return rearrange(x, "(b head) d h w -> b head (h w) d", head=v.shape[1])

    def fused(
        self, q: Tensor, k: Tensor, v: Tensor, grid: tuple[int, int], dropout: float = 0.0
    ) -> Tensor:
        """The same as ``mix(softmax(logits))``, by torch's fused attention, for training.

        A tile of queries sees all pixels that any of them may see, and a mask says which are its own.
        """
        wide, margin = TILE + self.side - 1, self.side // 2
        down, right = -grid[0] % TILE, -grid[1] % TILE

        def image(x: Tensor) -> Tensor:
            return rearrange(x, "b head (h w) d -> (b head) d h w", h=grid[0])

        def surroundings(x: Tensor) -> Tensor:
            margins = (margin, margin + right, margin, margin + down)
            cut = F.unfold(F.pad(image(x), margins, mode="replicate"), wide, stride=TILE)
            return rearrange(cut, "b (d p) tile -> b tile p d", p=wide * wide)

        side = torch.arange(wide, device=q.device)
        near = (side >= side[:TILE, None]) & (side < side[:TILE, None] + self.side)
        own = rearrange(near, "y i -> y 1 i 1") & rearrange(near, "x j -> 1 x 1 j")
        own = rearrange(own, "y x i j -> (y x) (i j)")
        padded = F.pad(image(q), (0, right, 0, down))
        tiles = rearrange(padded, "b d (i y) (j x) -> b (i j) (y x) d", y=TILE, x=TILE)
        x = F.scaled_dot_product_attention(
            tiles, surroundings(k), surroundings(v), own, dropout, scale=1.0
        )
        height = (grid[0] + down) // TILE
        x = rearrange(x, "b (i j) (y x) d -> b d (i y) (j x)", i=height, y=TILE)
        x = x[..., : grid[0], : grid[1]]
        return rearrange(x, "(b head) d h w -> b head (h w) d", head=q.shape[1])


class WindowMap(nn.Module):
    """softmax(q k^T) with the p keys around each query: b head n d both -> b head n p."""

    def __init__(self, window: Window):
        super().__init__()
        self.window = window

    def forward(self, q: Tensor, k: Tensor, grid: tuple[int, int]) -> Tensor:
        return self.window.logits(q, k, grid).softmax(dim=-1)


# Choices that look elsewhere than through a learned projection.
TOKENS: dict[str, type[nn.Module]] = {"pooled": Pooling, "window": Window}
