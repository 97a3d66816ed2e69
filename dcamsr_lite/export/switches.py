"""A network whose attention is switched by inputs: what ``intervene`` does, as a graph can do it.

>>> from dcamsr_lite import DCAMSR
>>> switched = Switched(DCAMSR(scale=4, image_size=32).eval())
>>> images = torch.rand(1, 1, 8, 8), torch.rand(1, 1, 32, 32)
>>> found = switched(*images, *switched.defaults().values())
>>> found["sr"].shape, found["channel_4"].shape
(torch.Size([1, 1, 32, 32]), torch.Size([1, 8, 4, 4]))
"""

from copy import deepcopy
from typing import Any

import torch
from einops import rearrange
from torch import Tensor, nn

from ..network.config import MULTIPLE
from ..network.model import DCAMSR
from ..network.windows import Grid, SharedVotes
from .graph_parts import prepare_parts


class Switched(nn.Module):
    """A copy of a DCAMSR that also takes gates, and gives what an explorer draws beside its output.

    ``forward(lr, ref, *switches)``: one switch for each name in ``defaults()``, (level, head), levels
    fine to coarse. ``spatial_gate`` and ``channel_gate`` are 1 or, cut, 0; ``spatial_uniform`` and
    ``channel_uniform`` 0 or, every row uniform, 1: the "off" and "uniform" of ``intervene``. A branch
    that the network lacks has no switch. Images are (1, 1, row, column), of ``image_size``.

    The outputs by name, for each level L, are what ``trace`` records: ``queries_L`` (1, head, n, d),
    ``keys_L`` (1, head, p, d) and ``footprints_L`` (p, h, w); with windows the keys are those of all
    pixels, and where the logits are no inner products (queries that share their votes) there is
    ``attention_L`` (1, 1 or head, n, p) instead of keys. ``channel_L`` (1, head, d, d), and the maps
    ``channel_query_L``, ``channel_key_L``, ``channel_value_L`` (1, head, d, h, w).
    """

    def __init__(self, model: DCAMSR, image_size: Grid | None = None):
        super().__init__()
        self.network = deepcopy(model).eval()
        self.network.fused = False  # the explicit softmax can be looked at, and changed
        self.now = Now()
        has = {"spatial": model.config.spatial, "channel": model.config.channel}
        self.names = [f"{name}_{kind}" for name in has if has[name] for kind in ("gate", "uniform")]
        sides = [-(-n // MULTIPLE) * MULTIPLE for n in image_size or model.config.image_size]
        self.grids = {n: (sides[0] // n, sides[1] // n) for n in self.network.levels}
        for place, (level, block) in enumerate(self.network.levels.items()):
            grid = self.grids[level]
            if has["spatial"]:
                prepare_parts(self.network, level, grid)
                _switch(self.now, place, "spatial", block.attention)
                _watch_spatial(self.now, level, block.attention.spatial, grid)
            if has["channel"]:
                _switch(self.now, place, "channel", block.attention)
                _watch_channel(self.now, level, block.attention.channel, grid)

    def defaults(self) -> dict[str, Tensor]:
        """What leaves the network as it is: all gates 1, nothing uniform; (level, head) each.

        >>> [*Switched(DCAMSR(image_size=32, channel=False)).defaults()]
        ['spatial_gate', 'spatial_uniform']
        """
        size = len(self.network.levels), self.network.config.heads
        return {n: (torch.ones if n.endswith("gate") else torch.zeros)(size) for n in self.names}

    def describe_levels(self) -> dict[int, dict[str, Any]]:
        """The matrix of each level, and the side of the window that its queries look at, if any.

        >>> Switched(DCAMSR(image_size=32, multiscale=False)).describe_levels()
        {4: {'grid': [8, 8], 'window': None}}
        """
        windows = {
            n: block.attention.spatial and block.attention.spatial.window
            for n, block in self.network.levels.items()
        }
        return {
            level: {"grid": [*grid], "window": getattr(windows[level], "side", None)}
            for level, grid in self.grids.items()
        }

    def forward(self, lr: Tensor, ref: Tensor, *switches: Tensor) -> dict[str, Tensor]:
        self.now.switches = dict(zip(self.names, switches, strict=True))
        self.now.seen = {}
        return {"sr": self.network(lr, ref), **self.now.seen}


class Now:
    """The switches of the pass that runs, and what was seen in it."""

    def __init__(self) -> None:
        self.switches: dict[str, Tensor] = {}
        self.seen: dict[str, Tensor] = {}


def _switch(now: Now, place: int, name: str, attention: Any) -> None:
    """Put both switches of a branch where ``intervene`` has its cuts; ``place`` is the level's row."""
    branch = getattr(attention, name)

    def gate() -> Tensor:
        return now.switches[f"{name}_gate"][place]

    def is_any_on() -> Tensor:
        return (gate() != 0).any()

    def make_uniform(module: nn.Module, inputs: Any, found: Tensor) -> Tensor:
        share = rearrange(now.switches[f"{name}_uniform"][place], "head -> 1 head 1 1")
        if found.shape[1] == 1:  # one map: what is read is the mean of the heads' own
            share = share.mean(1, keepdim=True)
        return found + share * (1 / found.shape[-1] - found)

    def cut_heads(module: nn.Module, inputs: Any, x: Tensor) -> Tensor:
        return x * rearrange(gate(), "head -> 1 head 1 1")

    def cut_half(module: nn.Module, inputs: Any, half: Tensor) -> Tensor:
        return half * is_any_on()

    def stay(module: nn.Module, inputs: Any, found: Tensor) -> Tensor:
        return torch.where(is_any_on(), found, inputs[1])

    branch.heads.register_forward_hook(cut_heads)
    getattr(attention, f"{name}_out").register_forward_hook(cut_half)
    _map_of(branch).register_forward_hook(make_uniform)
    if name == "spatial" and hasattr(attention, "place"):
        attention.place.register_forward_hook(stay)


def _map_of(branch: Any) -> nn.Module:
    """What gives a branch its attention; shared votes give it once for all heads."""
    if not isinstance(branch.attention, SharedVotes):
        return branch.attention
    branch.fused = True
    return branch.attention.agreed


def _watch_spatial(now: Now, level: int, branch: Any, grid: Grid) -> None:
    """Registered after the switches: what is seen is what was used."""
    shared = isinstance(branch.attention, SharedVotes)

    def see_inputs(module: nn.Module, inputs: Any) -> None:
        now.seen[f"queries_{level}"] = inputs[0]
        if inputs[1] is not None and not shared:
            now.seen[f"keys_{level}"] = inputs[1]

    def see_map(module: nn.Module, inputs: Any, found: Tensor) -> None:
        if shared or inputs[1] is None:
            now.seen[f"attention_{level}"] = found
        if branch.window is None:
            now.seen[f"footprints_{level}"] = branch.project_value.footprints(grid)

    (branch if shared else branch.attention).register_forward_pre_hook(see_inputs)
    _map_of(branch).register_forward_hook(see_map)


def _watch_channel(now: Now, level: int, branch: Any, grid: Grid) -> None:
    def see_maps(module: nn.Module, inputs: Any) -> None:
        for name, x in zip(("query", "key", "value"), inputs, strict=True):
            maps = rearrange(x, "b head (h w) d -> b head d h w", h=grid[0])
            now.seen[f"channel_{name}_{level}"] = maps

    def see_matrix(module: nn.Module, inputs: Any, found: Tensor) -> None:
        now.seen[f"channel_{level}"] = found

    branch.register_forward_pre_hook(see_maps)
    branch.attention.register_forward_hook(see_matrix)
