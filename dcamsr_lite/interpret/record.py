"""What a trace holds of one forward pass: both attentions, and where on the reference they lie.

>>> weights = torch.tensor([[0.75, 0.25], [0.25, 0.75]])  # of one query: (head, token)
>>> tokens = torch.eye(4).view(4, 2, 2)[:2]  # each token is one pixel
>>> lift(weights, tokens, head=0)
tensor([[0.7500, 0.2500],
        [0.0000, 0.0000]])
"""

from collections.abc import Sequence
from math import log
from typing import Literal, NamedTuple

import torch
from einops import einsum, rearrange
from torch import Tensor

from ..network.model import DCAMSR

# the weights as they are, minus uniform, or minus their mean over all queries
Relative = bool | Literal["queries"]


def lift(
    weights: Tensor, tokens: Tensor, head: int | None = None, relative: bool | Tensor = False
) -> Tensor:
    """Attention of one query on the reference's pixels: (head, p), (p, h, w) -> (h, w), signed.

    >>> lift(torch.tensor([[0.5, 0.5]]), torch.eye(2)[:, None], relative=True)
    tensor([[0., 0.]])

    ``sum_p A[p] F[p, j]``, the mean over heads or one ``head``; ``relative`` takes ``A - 1/p``, or A
    minus other weights (head, p).
    """
    if isinstance(relative, Tensor):
        weights = weights - relative
    elif relative:
        weights = weights - 1 / weights.shape[-1]
    weights = weights.mean(0) if head is None else weights[head]
    return einsum(weights, tokens, "p, p h w -> h w")


class Levels(dict):
    """level -> tensor; asking for a level that was not recorded says which ones were."""

    def __missing__(self, level):
        raise LookupError(
            f"nothing recorded at level {level!r}; recorded: {sorted(self) or 'none'}"
        )


class Origin(NamedTuple):
    """Where the c values of one output token come from: four integer tensors of shape (c,)."""

    head: Tensor
    feature: Tensor
    row: Tensor
    column: Tensor


class Features(NamedTuple):
    """What the channel branch compares (query, key) and mixes (value): (b, head, d, h, w) each."""

    query: Tensor
    key: Tensor
    value: Tensor


class Telling(NamedTuple):
    """Where there is most to see: a level, a head (None: their mean), and the weights' own share."""

    level: int
    head: int | None
    share: float


class Record:
    """Both attentions of the last forward pass inside ``trace``.

    ``spatial[level]`` (b, head, n, p) and ``channel[level]`` (b, head, d, d): rows sum to 1, level is
    1, 2 or 4. ``queries`` (b, head, n, d) and ``keys`` (b, head, p, d) have the spatial logits as
    inner products (keys: None where queries share their votes, or a function gave the logits).
    ``footprints[level]`` (p, h, w) are those of the values; with window attention there are none, the
    keys are those of all n pixels, and ``windows[level]`` says which p belong to a query. Axes of h
    and w, and ``grids[level]``, include the padding to a multiple of 8; what the methods return does
    not. ``features[level]`` are the maps whose channels the channel branch compares and mixes, before
    any normalisation.
    """

    def __init__(self, model: DCAMSR):
        self.model = model
        self.shape: tuple[int, int] | None = None  # rows and columns of the image, unpadded
        self.spatial, self.channel = Levels(), Levels()
        self.queries, self.keys, self.footprints = Levels(), Levels(), Levels()
        self.features = Levels()
        self.grids, self.windows, self.value_norms = Levels(), Levels(), Levels()

    def __repr__(self) -> str:
        if self.shape is None:
            return "Record: nothing yet"
        levels = ", ".join(map(str, sorted({*self.spatial, *self.channel})))
        tokens = "/".join(map(str, dict.fromkeys(x.shape[-1] for x in self.spatial.values())))
        attended = f"{tokens} tokens" if tokens else "no spatial attention"
        return f"Record: levels {levels}; {self.model.config.heads} heads; {attended}"

    def size(self, level: int) -> tuple[int, int]:
        """Rows and columns at a level, padding removed."""
        if self.shape is None:
            raise LookupError("nothing recorded yet: run the model inside the trace first")
        return -(-self.shape[0] // level), -(-self.shape[1] // level)

    def _token(self, level: int, pixel: Sequence[int]) -> int:
        rows, columns = self.size(level)
        row, column = pixel
        if not (0 <= row < rows and 0 <= column < columns):
            raise IndexError(f"pixel {pixel} is outside of the {rows} x {columns} of level {level}")
        return row * self.grids[level][1] + column

    def tokens(self, level: int, query: Sequence[int] | None = None) -> Tensor:
        """Where the p tokens of this query lie: (p, H/level, W/level) signed weights on the values.

        With footprints they are the same for every query; with a window they are single pixels
        around the query, which has to be named.
        """
        rows, columns = self.size(level)
        if level in self.windows:
            if query is None:
                raise ValueError("with window attention every query has its own tokens: name one")
            self._token(level, query)  # raises where there is no such pixel
            footprints = self.windows[level].footprints(self.grids[level], query)
        else:
            footprints = self.footprints[level]
        return footprints[:, :rows, :columns].to(self.spatial[level])

    def lift(
        self,
        level: int,
        query: Sequence[int],
        head: int | None = None,
        batch: int = 0,
        relative: Relative = False,
        by_value: bool = False,
    ) -> Tensor:
        """Attention of one query on the reference's pixels: (H/level, W/level), signed.

        ``sum_p A[n, p] F[p, j]``: what the value of reference pixel j weighs in this query's output
        (and a bias, which no pixel owns). ``query`` is (row, column) in the level's pixels; without
        ``head``, the mean over heads. ``relative`` takes ``A - 1/p``: what differs from uniform
        attention, much of which all queries may share; "queries" takes A minus its mean over all
        queries: what this one does differently from others. ``by_value`` multiplies by how long that
        value is behind the output projection: a large weight on nothing brings nothing. (``aligned``
        moves the reference itself: there it is the length of what is moved.) Raises IndexError,
        LookupError; by value also for the released merge, which tears every value apart.
        """
        weights = self.spatial[level][batch, :, self._token(level, query)]
        tokens, minus = self.tokens(level, query), self._minus(level, batch, relative)
        if not by_value:
            return lift(weights, tokens, head, minus)
        norms = self._norms(level)[batch].expand(len(weights), -1, -1)
        maps = torch.stack([lift(weights, tokens, h, minus) for h in range(len(weights))]) * norms
        return maps.mean(0) if head is None else maps[head]

    def find_readers(
        self,
        level: int,
        pixel: Sequence[int],
        head: int | None = None,
        batch: int = 0,
        relative: Relative = False,
        by_value: bool = False,
    ) -> Tensor:
        """Which queries read this pixel of the reference: (H/level, W/level), signed.

        The other way round: at each query what ``lift`` of that query has at ``pixel`` (row, column
        of the level), with the same options and errors.
        """
        (rows, columns), (row, column) = self.size(level), pixel
        self._token(level, pixel)  # raises where there is no such pixel
        weights, minus = self._of_image(level)[batch], self._minus(level, batch, relative)
        if minus is not False:
            weights = weights - (
                minus[:, None] if isinstance(minus, Tensor) else 1 / weights.shape[-1]
            )
        if by_value:
            weights = weights * self._norms(level)[batch, :, row, column, None, None]
        weights = weights.mean(0) if head is None else weights[head]
        if level not in self.windows:
            read = weights @ self.tokens(level)[:, row, column]
            return rearrange(read, "(h w) -> h w", h=rows)
        down, along = self.windows[level].reach(self.grids[level], pixel)
        weights = rearrange(weights, "(h w) (i j) -> h w i j", h=rows, i=down.shape[1])
        reached = down[:rows].to(weights), along[:columns].to(weights)
        return einsum(weights, *reached, "h w i j, h i, w j -> h w")

    def _minus(self, level: int, batch: int, relative: Relative) -> bool | Tensor:
        return self.common(level)[batch] if relative == "queries" else bool(relative)

    def _norms(self, level: int) -> Tensor:
        """(b, head, H/level, W/level), padding removed."""
        rows, columns = self.size(level)
        if level in self.grids and level not in self.value_norms:
            raise LookupError(
                "no value has a length of its own here: the released merge writes the features of"
                " one pixel to different pixels; expected heads that are merged aligned"
            )
        return self.value_norms[level][:, :, :rows, :columns]

    def _of_image(self, level: int) -> Tensor:
        """The attention of all queries of the image, padding removed: (b, head, n, p)."""
        rows, columns = self.size(level)
        grid = rearrange(self.spatial[level], "b h (r c) p -> b h r c p", c=self.grids[level][1])
        return rearrange(grid[:, :, :rows, :columns], "b h r c p -> b h (r c) p")

    def common(self, level: int) -> Tensor:
        """The mean attention over all queries of the image: (b, head, p), each sums to 1."""
        return self._of_image(level).mean(2)

    def own_share(self, level: int, head: int | None = None) -> Tensor:
        """How much of a map minus uniform attention belongs to its query: (b,), 0 to 1.

        The mean square of ``lift(..., relative="queries")`` over that of ``lift(..., relative=True)``,
        over all queries of the image; of one ``head`` or of their mean. 0: every query has the same
        map. nan where attention is uniform.
        """
        attention = self._of_image(level)
        attention = attention.mean(1) if head is None else attention[:, head]
        own = attention - attention.mean(1, keepdim=True)
        return self._square(level, own) / self._square(level, attention - 1 / own.shape[-1])

    def find_most_telling(self, batch: int = 0) -> Telling:
        """The level and head whose maps differ most from query to query: there is most to see.

        By the mean, over the queries of the image, of the weight that a query gives elsewhere than
        all queries do on average: 0 (every map alike) to 1. Attention to the pixels around each query
        moves with it, whatever its weights: then the finest level, and the mean of the heads.
        """
        if self.windows:
            return Telling(min(self.windows), None, 1.0)
        shares = {}
        for level in self.queries:
            own = self._of_image(level)[batch] - self.common(level)[batch].unsqueeze(1)
            each = own.abs().sum(-1).mean(-1) / 2
            shares[level, int(each.argmax())] = float(each.max())
        level, head = max(shares, key=shares.__getitem__)
        if shares[level, head] < 0.01:  # no map depends on its query
            return Telling(min(self.queries), None, shares[level, head])
        return Telling(level, head, shares[level, head])

    def _square(self, level: int, weights: Tensor) -> Tensor:
        """The sum of squares of what these weights (b, n, p) make of the tokens: (b,)."""
        if level in self.windows:  # each token is a pixel of its own
            return weights.square().sum((1, 2))
        tokens = self.tokens(level).flatten(1)
        return ((weights @ (tokens @ tokens.mT)) * weights).sum((1, 2))

    def displacement(self, level: int, head: int | None = None, batch: int = 0) -> Tensor:
        """How far from its own place every query looks: (2, H/level, W/level), rows and columns.

        The mean of the offsets, weighted by the attention, in pixels of the image: what lies at
        (row, column) of the target was found at (row, column) + this in the reference. Without
        ``head``, the mean over heads. Raises LookupError for an attention that has no offsets.
        """
        attention = self.spatial[level]
        if level not in self.windows:
            expected = "attention to pixels around each query: 'aligned', or 'window'"
            raise LookupError(
                f"no offsets at level {level}, whose tokens are footprints: {expected}"
            )
        weights = attention[batch].mean(0) if head is None else attention[batch, head]
        offsets = self.windows[level].offsets().to(weights) * level
        rows, columns = self.size(level)
        mean = rearrange(weights @ offsets, "(h w) two -> two h w", h=self.grids[level][0])
        return mean[:, :rows, :columns]

    def source(self, level: int, pixel: Sequence[int]) -> Origin:
        """Which tokens' values the merge of heads put into this pixel of the spatial branch.

        Aligned: its own. Released: c consecutive positions of one feature plane (the scramble).
        """
        _, heads, n, _ = self.spatial[level].shape
        branch = self.model.levels[level].attention.spatial
        d = self.model.config.channels // heads
        address = torch.arange(heads * n * d)
        merged = branch.merge(rearrange(address, "(h n d) -> 1 h n d", h=heads, d=d))
        address = merged[0, self._token(level, pixel)]
        width = self.grids[level][1]
        token = address // d % n
        return Origin(address // (n * d), address % d, token // width, token % width)

    def entropy(self, level: int) -> dict[str, Tensor]:
        """Mean entropy of the attention rows over its maximum, (b, head): 1 uniform, 0 one-hot."""
        maps = {"spatial": self.spatial, "channel": self.channel}
        known = {branch: levels[level] for branch, levels in maps.items() if level in levels}
        if not known:
            self.spatial[level]  # raises, naming the levels that were recorded
        return {branch: _entropy(attention) for branch, attention in known.items()}


def _entropy(attention: Tensor) -> Tensor:
    bits = torch.special.entr(attention).sum(-1) / log(attention.shape[-1])
    return bits.mean(-1)
