"""From votes to places: of all motions of a head the one that most of its queries vote for.

A head is rigid: if one place lies two pixels to the left, so does its neighbour, or it is turned. So
votes are not added up for offsets, on which the queries of a turned head do not agree, but for
*motions*: a shift with a turn, which is another offset at every place. What is left, a bend, is found
by the votes near by, around the motion that was elected.

>>> votes = torch.zeros(1, 81, 32, 32)  # 9 x 9 offsets; every query votes for (1, -2)
>>> votes[:, 5 * 9 + 2] = 1
>>> find_places(votes, torch.tensor([200.0, 30.0]))[0, :, 3, 7].round(decimals=2)
tensor([ 1., -2.])

Votes are read between whole pixels, too, by a quadratic spline, which smooths everywhere nearly alike:
read linearly, whole pixels have the clearest votes, and parts of a pixel, that is all turns, lose. The
reference is read by the same spline where a place lies, after a prefilter that undoes the smoothing.
"""

import torch
import torch.nn.functional as F
from einops import einsum, rearrange
from torch import Tensor

Grid = tuple[int, int]  # rows and columns of a level
SIDE = 8  # of a tile of queries, whose votes are added first
TURNS = tuple(range(-4, 5))  # degrees
IN_PLACE = 2.0  # nats that no motion at all has ahead of others: most references lie in place
BEND = 0.5  # pixels: a standard deviation of what is left after shift and turn
BENT = 2.0  # pixels: as far as it is looked for
TAPS = 6  # of the prefilter, on each side: what is left out is below 3e-5
NEAR = 5  # side of the neighbourhood of a tile whose votes tell a bend, in tiles


def find_places(votes: Tensor, sharpness: Tensor) -> Tensor:
    """(b, p, h, w) votes for a square of p offsets -> how far each place lies: (b, 2, h, w), pixels.

    ``sharpness``, of the votes for a motion and of those near by for a bend: how much a vote counts.
    """
    side, grid = round(votes.shape[1] ** 0.5), (votes.shape[2], votes.shape[3])
    votes = (votes - votes.mean(1, keepdim=True)) * see_whole(grid, side // 2).to(votes)
    tiles = average_tiles(votes)
    tiles = rearrange(tiles, "b (i j) y x -> b i j y x", i=side)
    places = place_tiles(grid).to(votes)
    motion = elect_motion(tiles, places, sharpness[0])
    bend = elect_bend(tiles, motion, sharpness[1])
    return spread_tiles(motion + bend, grid)


def elect_motion(tiles: Tensor, places: Tensor, sharpness: Tensor) -> Tensor:
    """(b, i, j, y, x) votes of tiles at ``places`` (2, y, x) -> the elected motion there: (b, 2, y, x).

    All shifts of half pixels in the window with all turns of whole degrees; the mean of all, weighted
    by the softmax of their votes.
    """
    reach = tiles.shape[1] // 2
    shifts = torch.arange(-2 * reach, 2 * reach + 1).to(tiles) / 2
    turns = torch.deg2rad(torch.tensor(TURNS)).to(tiles)
    rows, columns = places
    cosine, sine = (rearrange(f(turns), "turn -> turn 1 1") for f in (torch.cos, torch.sin))
    turned = torch.stack(
        [(cosine - 1) * rows + sine * columns, (cosine - 1) * columns - sine * rows]
    )
    at = shifts + rearrange(turned, "two turn y x -> two turn y x 1")  # two turn y x shift
    down, right = read_spline(at, reach)
    seen = einsum(down, tiles, "turn y x s i, b i j y x -> b turn y x s j")
    support = einsum(seen, right, "b turn y x s j, turn y x t j -> b turn s t")
    ahead = torch.zeros_like(support[:1])
    ahead[:, len(TURNS) // 2, 2 * reach, 2 * reach] = IN_PLACE
    support = sharpness * support / rows.numel() + ahead
    elected = rearrange(support, "b turn s t -> b (turn s t)").softmax(-1).view_as(support)
    shift = torch.stack([elected.sum((1, 3)) @ shifts, elected.sum((1, 2)) @ shifts], dim=1)
    turn = einsum(elected.sum((2, 3)), turned, "b turn, two turn y x -> b two y x")
    return rearrange(shift, "b two -> b two 1 1") + turn


def elect_bend(tiles: Tensor, motion: Tensor, sharpness: Tensor) -> Tensor:
    """What is left at each tile after the motion (b, 2, y, x), by the votes of the tiles near by."""
    reach = tiles.shape[1] // 2
    steps = torch.arange(-2 * BENT, 2 * BENT + 1).to(tiles) / 2
    at = rearrange(motion, "b two y x -> two b y x 1") + steps
    down, right = read_spline(at, reach)
    support = einsum(down, tiles, right, "b y x s i, b i j y x, b y x t j -> b s t y x")
    support = average_near(rearrange(support, "b s t y x -> b (s t) y x"), NEAR)
    bends = torch.cartesian_prod(steps, steps)
    unlikely = bends.square().sum(1) / (2 * BEND**2)
    elected = (sharpness * support - rearrange(unlikely, "st -> st 1 1")).softmax(1)
    return einsum(elected, bends, "b st y x, st two -> b two y x")


def read_spline(at: Tensor, reach: int) -> Tensor:
    """Weights of the offsets -reach ... reach where a quadratic B-spline reads them: (..., offsets).

    >>> read_spline(torch.tensor([0.0, 0.5, 4.0]), 1)
    tensor([[0.1250, 0.7500, 0.1250],
            [0.0000, 0.5000, 0.5000],
            [0.0000, 0.0000, 0.0000]])
    """
    far = (at[..., None] - torch.arange(-reach, reach + 1).to(at)).abs()
    return torch.where(far < 0.5, 0.75 - far.square(), (1.5 - far).clamp_min(0).square() / 2)


def share_pixels(places: Tensor, side: int) -> Tensor:
    """(b, 2, h, w) -> the nine pixels that the spline reads there, in a window: (b, h w, p).

    >>> share_pixels(torch.tensor([0.5, 0.0]).view(1, 2, 1, 1), side=5).view(5, 5)[1:4, 1:4]
    tensor([[0.0000, 0.0000, 0.0000],
            [0.0625, 0.3750, 0.0625],
            [0.0625, 0.3750, 0.0625]])

    The outermost ring is for neighbours alone: no place lies there.
    """
    reach = side // 2
    places = rearrange(places.clamp(1 - reach, reach - 1), "b two h w -> two b (h w)")
    rows, columns = read_spline(places, reach)
    return rearrange(rows[..., :, None] * columns[..., None, :], "b n i j -> b n (i j)")


def prefilter(image: Tensor) -> Tensor:
    """What the spline has to read to give the image (b, c, h, w) back at whole pixels.

    >>> prefilter(torch.eye(9)[None, None])[0, 0, 4, 3:6]
    tensor([-0.7071,  2.1213, -0.7071])
    """
    far = torch.arange(-TAPS, TAPS + 1).abs().to(image)
    taps = (8**0.5 - 3) ** far  # the inverse of 1/8, 3/4, 1/8
    taps = taps / taps.sum()
    lines = rearrange(image, "b c h w -> (b c) 1 h w")
    lines = F.pad(lines, (TAPS, TAPS, TAPS, TAPS), mode="replicate")
    lines = F.conv2d(F.conv2d(lines, taps.view(1, 1, 1, -1)), taps.view(1, 1, -1, 1))
    return rearrange(lines, "(b c) 1 h w -> b c h w", b=len(image))


def see_whole(grid: Grid, reach: int) -> Tensor:
    """Which queries have a whole window: 1 or 0, (h, w).

    What the convolutions draw at the border of an image lies in place however the head was moved.

    >>> see_whole((4, 5), 1)[:2]
    tensor([[0., 0., 0., 0., 0.],
            [0., 1., 1., 1., 0.]])
    """
    rows, columns = (torch.arange(n).minimum(torch.arange(n).flip(0)) >= reach for n in grid)
    return (rows[:, None] & columns).float()


def average_tiles(x: Tensor) -> Tensor:
    """(..., h, w) -> the mean of each tile of SIDE x SIDE pixels, those at the far borders smaller."""
    return F.avg_pool2d(x, SIDE, ceil_mode=True)


def _middles(n: int) -> Tensor:
    """Where the tiles of a line of n pixels have their middle."""
    return F.avg_pool1d(torch.arange(n).float()[None], SIDE, ceil_mode=True)[0]


def place_tiles(grid: Grid) -> Tensor:
    """Where tiles lie, about the middle of the image: (2, y, x), rows and columns in pixels.

    >>> place_tiles((16, 8))[:, :, 0]
    tensor([[-4.,  4.],
            [ 0.,  0.]])
    """
    lines = [_middles(n) - (n - 1) / 2 for n in grid]
    return torch.stack(torch.meshgrid(*lines, indexing="ij"))


def spread_tiles(x: Tensor, grid: Grid) -> Tensor:
    """(b, c, y, x) of tiles -> of pixels, linear between the tiles' middles: (b, c, h, w).

    >>> spread_tiles(place_tiles((32, 24))[None], (32, 24))[0, 0, [0, 8, 31], 0]
    tensor([-12.0000,  -7.5000,  12.0000])
    """
    rows, columns = (_spread_line(n).to(x) for n in grid)
    return rows @ x @ columns.mT


def _spread_line(n: int) -> Tensor:
    """(n, tiles): every row a pixel's share in the two tiles beside it."""
    middles, at = _middles(n), torch.arange(n)[:, None]
    gaps = middles.diff()
    up = F.pad((at - middles[:-1]) / gaps, (1, 0), value=1.0)
    down = F.pad((middles[1:] - at) / gaps, (0, 1), value=1.0)
    return torch.minimum(up, down).clamp(0, 1)


def average_near(x: Tensor, side: int) -> Tensor:
    """The mean over the pixels of the image in a square around each: (b, p, h, w) both.

    >>> average_near(torch.eye(4)[None, None], side=3)[0, 0, 0, :2]
    tensor([0.5000, 0.3333])
    """
    return F.avg_pool2d(x, side, stride=1, padding=side // 2, count_include_pad=False)
