"""Attention to the pixels around a query's own place, and votes that find the place where it lies.

Two contrasts of one head may not lie on each other. One pixel's cosines with the pixels around its
own place are too noisy to say how far they are apart; those of the whole head together are not.

>>> Window(tokens=64).footprints((32, 32), query=(3, 5)).shape
torch.Size([49, 32, 32])
"""

from collections.abc import Iterator, Sequence

import torch
import torch.nn.functional as F
from einops import einsum, rearrange
from torch import Tensor, nn

from .motion import find_places, prefilter, share_pixels

Grid = tuple[int, int]  # rows and columns of a level
TILE = 4  # side of the tiles of fused window attention; of 4, 8 and 16 the fastest on a CPU
PIECE = 16  # queries of a row that are compared with their keys at once
SHARPNESS = 200.0, 30.0  # at the start, of the votes for a motion and of those near by for a bend
NOTHING = 1e-12  # of the attention, where a logarithm needs more than none


class Window(nn.Module):
    """softmax(q k^T) without a projection: a query's tokens are the pixels around its own place.

    >>> Window(tokens=64).side
    7

    The largest odd square of at most ``tokens`` pixels. Beyond the border the nearest pixel stands
    in, so that every query has as many tokens.
    """

    def __init__(self, tokens: int):
        super().__init__()
        self.side = (int(tokens**0.5) + 1) // 2 * 2 - 1

    def offsets(self) -> Tensor:
        """Where the tokens lie from their query's place: (p, 2), rows and columns.

        >>> Window(tokens=9).offsets()[:2]
        tensor([[-1, -1],
                [-1,  0]])
        """
        around = torch.arange(self.side) - self.side // 2
        return torch.cartesian_prod(around, around)

    def footprints(self, grid: Grid, query: tuple[int, int]) -> Tensor:
        """Where the tokens of the query at (row, column) lie: (p, h, w), a single one in each."""
        around = torch.arange(self.side) - self.side // 2
        rows, columns = (
            F.one_hot((around + at).clamp(0, n - 1), n).float()
            for at, n in zip(query, grid, strict=True)
        )
        return rearrange(einsum(rows, columns, "i h, j w -> i j h w"), "i j h w -> (i j) h w")

    def reach(self, grid: Grid, pixel: Sequence[int]) -> tuple[Tensor, Tensor]:
        """Whether the tokens of each query lie in the row, and in the column, of a pixel.

        >>> rows, columns = Window(tokens=9).reach((4, 4), (0, 2))
        >>> rows.int()  # the row above the border is row 0, too
        tensor([[1, 1, 0],
                [1, 0, 0],
                [0, 0, 0],
                [0, 0, 0]], dtype=torch.int32)

        (h, side) and (w, side): the pixel is token (i, j) of the query at (row, column) where
        ``rows[row, i]`` and ``columns[column, j]`` are true.
        """
        around = torch.arange(self.side) - self.side // 2
        rows, columns = (
            (torch.arange(n)[:, None] + around).clamp(0, n - 1) == at
            for at, n in zip(pixel, grid, strict=True)
        )
        return rows, columns

    def forward(self, q: Tensor, k: Tensor, grid: Grid) -> Tensor:
        """The attention, b head n p: queries with the keys around each, b head n d both."""
        return self.logits(q, k, grid).softmax(dim=-1)

    def neighbours(self, x: Tensor, grid: Grid) -> Iterator[Tensor]:
        """The image shifted to each place of the window, not copied: p times (b head) d h w."""
        image = rearrange(x, "b head (h w) d -> (b head) d h w", h=grid[0]).contiguous()
        image = F.pad(image, (self.side // 2,) * 4, mode="replicate")
        for row in range(self.side):
            for column in range(self.side):
                yield image[..., row : row + grid[0], column : column + grid[1]]

    def logits(self, q: Tensor, k: Tensor, grid: Grid) -> Tensor:
        """Queries with the keys around each: b head n p.

        As products of matrices: the queries of a piece of a row with all keys that any of them sees
        in a row, of which each query's own lie on diagonals.
        """
        heads, margin, wide = q.shape[1], self.side // 2, PIECE + self.side - 1
        more = -grid[1] % PIECE
        q = F.pad(rearrange(q, "b head (h w) d -> (b head) h w d", h=grid[0]), (0, 0, 0, more))
        q = rearrange(q, "b h (piece i) d -> b h piece i d", i=PIECE)
        k = rearrange(k, "b head (h w) d -> (b head) d h w", h=grid[0])
        k = F.pad(k, (margin, margin + more, margin, margin), mode="replicate")
        k = rearrange(k.unfold(3, wide, PIECE), "b d h piece x -> b h piece d x").contiguous()
        found = []
        for row in range(self.side):
            found.append(self.take_own(q @ k[:, row : row + grid[0]]))
        logits = rearrange(found, "row b h piece i column -> b h (piece i) (row column)")
        return rearrange(logits[:, :, : grid[1]], "(b head) h w p -> b head (h w) p", head=heads)

    def take_own(self, seen: Tensor) -> Tensor:
        """Of what a piece sees (..., query, place) each query's own, which lie on diagonals."""
        own = (*seen.shape[:-1], self.side), (*seen.stride()[:-2], seen.shape[-1] + 1, 1)
        return seen.as_strided(*own)

    def mix(self, attention: Tensor, v: Tensor, grid: Grid) -> Tensor:
        """The values around each query, weighted: b head n d."""
        weights = rearrange(attention, "b head (h w) p -> p (b head) 1 h w", h=grid[0]).contiguous()
        pairs = zip(weights, self.neighbours(v, grid), strict=True)
        x = torch.zeros(())
        for weight, shifted in pairs:
            x = torch.addcmul(x.to(shifted), weight, shifted)
        return rearrange(x, "(b head) d h w -> b head (h w) d", head=v.shape[1])

    def fused(self, q: Tensor, k: Tensor, v: Tensor, grid: Grid, dropout: float = 0.0) -> Tensor:
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


class SharedVotes(Window):
    """Every query looks at one place in its window, which the votes of all have found.

    >>> image = torch.randn(1, 8, 16 * 16, 4)
    >>> moved = image.roll(2, dims=2)  # what was in a column is now two columns further right
    >>> votes = SharedVotes(tokens=49).logits(image, moved, (16, 16))[0, 0, 100]
    >>> divmod(int(votes.argmax()), 9)  # the centre is (4, 4): no row further, two columns
    (4, 6)

    A query's vote for an offset is the cosine, over the channels of all heads, between it and the key
    that lies there, both about their mean over the image. Of all motions of the head the votes elect
    one, and those near by a bend (``motion.find_places``); each counts as much as a learned sharpness
    says. A place is read by a quadratic spline, to which nine pixels belong: the map has one ring more
    than the votes, so that it holds them all. All heads look at one place.
    """

    def __init__(self, tokens: int):
        super().__init__(tokens)
        self.votes = Window(tokens)
        self.side = self.votes.side + 2
        self.sharpness = nn.Parameter(torch.tensor(SHARPNESS).log())
        self.agreed = nn.Softmax(dim=-1)  # one map for all heads passes here, to be watched

    def logits(self, q: Tensor, k: Tensor, grid: Grid) -> Tensor:
        """The same for every head: b head n p."""
        return self.share(q, k, grid).expand(-1, q.shape[1], -1, -1)

    def share(self, q: Tensor, k: Tensor, grid: Grid) -> Tensor:
        votes = self.votes.logits(point(q), point(k), grid)
        votes = rearrange(votes, "b 1 (h w) p -> b p h w", h=grid[0])
        places = find_places(votes, self.sharpness.exp())
        shares = share_pixels(places, self.side).clamp_min(NOTHING)
        return rearrange(shares.log(), "b n p -> b 1 n p")

    def mix(self, attention: Tensor, v: Tensor, grid: Grid) -> Tensor:
        """The values around each query, weighted by the mean of the heads' maps: b head n d."""
        together = rearrange(v, "b head n d -> b 1 n (head d)")
        if attention.shape[1] > 1:
            attention = attention.mean(1, keepdim=True)
        x = super().mix(attention, together, grid)
        return rearrange(x, "b 1 n (head d) -> b head n d", head=v.shape[1])

    def fused(self, q: Tensor, k: Tensor, v: Tensor, grid: Grid, dropout: float = 0.0) -> Tensor:
        """The same, with one map for all heads: votes are shared before the softmax."""
        return self.mix(F.dropout(self.agreed(self.share(q, k, grid)), dropout), v, grid)


class Prefilter(nn.Module):
    """The values as the spline has to read them, so that those of a whole pixel come out as they are.

    >>> v = torch.rand(1, 2, 32 * 32, 4)
    >>> in_place = share_pixels(torch.zeros(1, 2, 32, 32), side=5)[:, None]
    >>> read = SharedVotes(tokens=9).mix(in_place, Prefilter()(v, (32, 32)), (32, 32))
    >>> bool((read - v).view(2, 32, 32, 4)[:, 8:-8, 8:-8].abs().max() < 1e-4)
    True
    """

    def forward(self, v: Tensor, grid: Grid) -> Tensor:
        image = rearrange(v, "b head (h w) d -> b (head d) h w", h=grid[0])
        return rearrange(prefilter(image), "b (head d) h w -> b head (h w) d", head=v.shape[1])


def point(x: Tensor) -> Tensor:
    """b head n d -> b 1 n c: one unit vector per token, about the mean of all tokens.

    >>> point(torch.rand(1, 2, 9, 3)).square().sum(-1).allclose(torch.ones(9))
    True
    """
    x = rearrange(x, "b head n d -> b 1 n (head d)")
    return F.normalize(x - x.mean(-2, keepdim=True), dim=-1)
