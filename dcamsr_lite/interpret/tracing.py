"""Look into a forward pass and cut into it: record both attentions, lift them to pixels, intervene.

>>> import torch
>>> from dcamsr_lite import DCAMSR
>>> model = DCAMSR(scale=4, image_size=32).eval()
>>> with trace(model) as record:
...     _ = model(torch.rand(1, 1, 8, 8), torch.rand(1, 1, 32, 32))
>>> record.spatial[4].shape, record.lift(4, query=(3, 5)).shape
(torch.Size([1, 8, 64, 64]), torch.Size([8, 8]))
"""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from math import log
from typing import NamedTuple

import torch
from einops import einsum, rearrange
from torch import Tensor

from ..network.model import DCAMSR

STATES = ("on", "off", "uniform")


class Levels(dict):
    """level -> tensor; asking for a level that was not recorded says which ones were."""

    def __missing__(self, level):
        raise LookupError(
            f"nothing recorded at level {level!r}; recorded: {sorted(self) or 'none'}"
        )


class Source(NamedTuple):
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


class Record:
    """Both attentions of the last forward pass inside ``trace``.

    ``spatial[level]`` (b, head, n, p) and ``channel[level]`` (b, head, d, d): rows sum to 1, level is
    1, 2 or 4. ``queries`` (b, head, n, d) and ``keys`` (b, head, p, d) have the spatial logits as
    inner products (keys: None where a function of the user's own gave the logits themselves).
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
        self.grids, self.windows = Levels(), Levels()

    def size(self, level: int) -> tuple[int, int]:
        """Rows and columns at a level, padding removed."""
        if self.shape is None:
            raise LookupError("nothing recorded yet: run the model inside the trace first")
        return -(-self.shape[0] // level), -(-self.shape[1] // level)

    def _token(self, level: int, pixel: tuple[int, int]) -> int:
        rows, columns = self.size(level)
        row, column = pixel
        if not (0 <= row < rows and 0 <= column < columns):
            raise IndexError(f"pixel {pixel} is outside of the {rows} x {columns} of level {level}")
        return row * self.grids[level][1] + column

    def tokens(self, level: int, query: tuple[int, int] | None = None) -> Tensor:
        """Where the p tokens of this query lie: (p, H/level, W/level) signed weights on the values.

        With footprints they are the same for every query; with a window they are single pixels
        around the query, which has to be named.
        """
        rows, columns = self.size(level)
        footprints = self.footprints
        if level in self.windows:
            if query is None:
                raise ValueError("with window attention every query has its own tokens: name one")
            self._token(level, query)  # raises where there is no such pixel
            footprints = {level: self.windows[level].footprints(self.grids[level], query)}
        return footprints[level][:, :rows, :columns].to(self.spatial[level].device)

    def lift(
        self,
        level: int,
        query: tuple[int, int],
        head: int | None = None,
        batch: int = 0,
        relative: bool = False,
    ) -> Tensor:
        """Attention of one query on the reference's pixels: (H/level, W/level), signed.

        ``sum_p A[n, p] F[p, j]``: what the value of reference pixel j weighs in this query's output
        (and a bias, which no pixel owns). ``query`` is (row, column) in the level's pixels; without
        ``head``, the mean over heads. ``relative`` takes ``A - 1/p``: what this query does
        differently from uniform attention. Raises IndexError, LookupError.
        """
        weights = self.spatial[level][batch, :, self._token(level, query)]
        weights = weights.mean(0) if head is None else weights[head]
        if relative:
            weights = weights - 1 / len(weights)
        return einsum(weights, self.tokens(level, query), "p, p h w -> h w")

    def source(self, level: int, pixel: tuple[int, int]) -> Source:
        """Which tokens' values the merge of heads put into this pixel of the spatial branch.

        Aligned: its own. Released: c consecutive positions of one feature plane (the scramble).
        """
        _, heads, n, _ = self.spatial[level].shape
        branch = self.model.transformers[str(level)].attention.spatial
        d = self.model.config.channels // heads
        address = torch.arange(heads * n * d)
        merged = branch.merge(rearrange(address, "(h n d) -> 1 h n d", h=heads, d=d))
        address = merged[0, self._token(level, pixel)]
        width = self.grids[level][1]
        token = address // d % n
        return Source(address // (n * d), address % d, token // width, token % width)

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


@contextmanager
def trace(model: DCAMSR) -> Iterator[Record]:
    """Record both attentions of the forward passes inside; the last one stays in the record.

    >>> model = DCAMSR(scale=4, image_size=32).eval()
    >>> with trace(model):
    ...     pass
    Traceback (most recent call last):
    ...
    RuntimeError: nothing was recorded: run the model inside `with trace(model)`

    The spatial branches run the explicit softmax meanwhile. Leaving restores the model exactly.
    """
    record = Record(model)

    def start(module, args, kwargs) -> None:
        lr = args[0] if args else kwargs["lr"]
        record.shape = tuple(side * model.config.scale for side in lr.shape[-2:])

    with ExitStack() as stack:
        stack.enter_context(_explicit(model))
        stack.enter_context(model.register_forward_pre_hook(start, with_kwargs=True))
        for name, block in model.transformers.items():
            _watch(record, int(name), block, stack)
        yield record
        if not (record.spatial or record.channel):
            raise RuntimeError("nothing was recorded: run the model inside `with trace(model)`")


def _watch(record: Record, level: int, block, stack: ExitStack) -> None:
    size = {}

    def grid(module, images) -> None:
        size["h"], size["w"] = images[0].shape[-2:]
        spatial = block.attention.spatial
        place = record.grids[level] = tuple(size.values())
        if spatial is not None and spatial.window is not None:
            record.windows[level] = spatial.window
        elif spatial is not None:
            record.footprints[level] = spatial.project_value.footprints(place).detach().clone()

    def features(module, inputs) -> None:
        maps = (rearrange(x.detach(), "b head (h w) d -> b head d h w", **size) for x in inputs)
        record.features[level] = Features(*maps)

    def spatial(module, inputs, attention) -> None:
        q, k, *_ = inputs
        record.queries[level] = q.detach()
        record.keys[level] = None if k is None else k.detach()
        record.spatial[level] = attention.detach()

    def channel(module, inputs, attention) -> None:
        record.channel[level] = attention.detach()

    stack.enter_context(block.register_forward_pre_hook(grid))
    if block.attention.spatial is not None:
        stack.enter_context(block.attention.spatial.attention.register_forward_hook(spatial))
    if block.attention.channel is not None:
        stack.enter_context(block.attention.channel.register_forward_pre_hook(features))
        stack.enter_context(block.attention.channel.attention.register_forward_hook(channel))


@contextmanager
def _explicit(model: DCAMSR) -> Iterator[None]:
    branches = model.spatial_branches()
    before = [branch.fused for branch in branches]
    for branch in branches:
        branch.fused = False
    try:
        yield
    finally:
        for branch, fused in zip(branches, before, strict=True):
            branch.fused = fused


@contextmanager
def intervene(
    model: DCAMSR,
    spatial: str = "on",
    channel: str = "on",
    heads: Sequence[int] | None = None,
    levels: Sequence[int] | None = None,
) -> Iterator[DCAMSR]:
    """Cut branches, heads or scales of a trained network while the block runs.

    >>> model = DCAMSR(scale=4, image_size=32).eval()
    >>> lr, ref = torch.rand(1, 1, 8, 8), torch.rand(1, 1, 32, 32)
    >>> with intervene(model, spatial="off", channel="off"):
    ...     blind = model(lr, ref)
    >>> with intervene(model, spatial="off", channel="off"):
    ...     torch.equal(blind, model(lr, 0 * ref))
    True

    "off": that half of the concatenation is zero, its bias too; single ``heads`` are cut before the
    output projection. "uniform": every attention row is 1 / its length. ``heads`` and ``levels``
    default to all. Leaving restores the model exactly, also after an exception. Interventions may be
    nested, and a trace inside sees the edited attention. Raises ValueError for what is not there.
    """
    blocks = {int(name): block.attention for name, block in model.transformers.items()}
    count = model.config.heads
    chosen = [*blocks] if levels is None else [*levels]
    cut = [*range(count)] if heads is None else sorted(set(heads))
    if unknown := set(chosen) - set(blocks):
        raise ValueError(f"levels {sorted(unknown)} are not in this network: {sorted(blocks)}")
    if not cut or min(cut) < 0 or max(cut) >= count:
        raise ValueError(f"heads are {cut}, expected some of 0 to {count - 1}")
    wanted = {"spatial": spatial, "channel": channel}
    for name, state in wanted.items():
        if state not in STATES:
            raise ValueError(f"{name} is {state!r}, expected one of {STATES}")
        if state != "on" and not getattr(model.config, name):
            raise ValueError(f"this network was built without its {name} branch")

    def uniform(module, inputs, attention: Tensor) -> Tensor:
        edited = attention.clone()
        edited[:, cut] = 1 / attention.shape[-1]
        return edited

    def without_heads(module, inputs, x: Tensor) -> Tensor:
        edited = x.clone()
        edited[:, cut] = 0
        return edited

    def zero(module, inputs, half: Tensor) -> Tensor:
        return torch.zeros_like(half)

    with ExitStack() as stack:
        if spatial == "uniform":
            stack.enter_context(_explicit(model))
        for level in chosen:
            for name, state in wanted.items():
                branch = getattr(blocks[level], name)
                half = getattr(blocks[level], f"{name}_out", None)
                if state == "uniform":
                    edits = [(branch.attention, uniform)]
                elif state == "off":
                    edits = [(half, zero) if len(cut) == count else (branch.heads, without_heads)]
                else:
                    edits = []
                for module, hook in edits:
                    # before the hooks of a trace, so that it records what really ran
                    stack.enter_context(module.register_forward_hook(hook, prepend=True))
        yield model
