"""How much memory a training step needs, and how much there is."""

from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any
from weakref import finalize

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from ..data.memory import count_memory
from ..errors import InputError
from ..global_state import keep_generators
from ..network import fused
from ..network.baselines import build
from ..network.config import Config
from ..network.parts import set_recompute

SIDES = (32, 48)  # of the images that are measured
FEW = 2**13  # numbers of an attention's map in a strip of theirs

CGROUP_LIMIT = Path("/sys/fs/cgroup/memory.max")  # of a container: less than the machine has


def estimate_memory(config: Config, batch: int, recompute: bool = False) -> float:
    """The gigabytes that one training step of this network holds in float32, to about 15 %.

    >>> small, large = (estimate_memory(Config(), batch) for batch in (4, 8))
    >>> 1.9 < large / small <= 2
    True

    Measured on two small images, and drawn out over the pixels: what a step holds grows as they do.
    ``recompute`` as in Recipe. Weights and Adam's moments are in it, Python and torch are not.
    """
    few, many = (side**2 for side in SIDES)
    low, high = (_measure_step(config, side, recompute) for side in SIDES)
    slope = (high - low) / (many - few)
    pixels = config.image_size[0] * config.image_size[1]
    with torch.device("meta"), keep_generators():  # footprints may be as large as the image
        weights = sum(p.nbytes for p in build(_name_attention(config)).parameters())
    held = max(low + slope * (batch * pixels - few), weights)  # or the gradients, at the end
    return round((held + 3 * weights) / 1e9, 3)


def _name_attention(config: Config) -> Config:
    """A function that only its user has counts as the usual one."""
    custom = config.spatial_attention == "custom"
    return replace(config, spatial_attention="cosine") if custom else config


@cache
def _measure_step(config: Config, side: int, recompute: bool) -> int:
    """Bytes that a step with one image of this side holds at most, beside what is of the weights."""
    small = replace(_name_attention(config), image_size=(side, side))
    with keep_generators():
        model = build(small).train()
        ref = torch.rand(1, 1, side, side)
    set_recompute(model, recompute)
    lr = ref[..., :: config.scale, :: config.scale].contiguous()
    for weight in model.parameters():  # their gradients come when most of the rest has gone
        weight.register_post_accumulate_grad_hook(lambda own: setattr(own, "grad", None))
    usual, fused.STRIP = fused.STRIP, FEW  # on a large image a strip is a small part of the map
    try:
        with _Held([*model.parameters(), lr, ref]) as held:
            F.l1_loss(model(lr, ref), ref).backward()
    finally:
        fused.STRIP = usual
    return held.most


class _Held(TorchDispatchMode):
    """Notes the bytes of tensors that are alive at once, but for those that were there before."""

    def __init__(self, before: list[Tensor]):
        super().__init__()
        self.known = {t.untyped_storage()._cdata for t in before}
        self.held = self.most = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        output = func(*args, **(kwargs or {}))
        for tensor in tree_leaves(output):
            if isinstance(tensor, Tensor):
                self._note(tensor.untyped_storage())
        return output

    def _note(self, storage: torch.UntypedStorage) -> None:
        if (key := storage._cdata) not in self.known:
            self.known.add(key)
            self.held += storage.nbytes()
            self.most = max(self.most, self.held)
            finalize(storage, self._forget, key, storage.nbytes())

    def _forget(self, key: int, size: int) -> None:
        self.known.discard(key)
        self.held -= size


def measure_memory(device: str) -> float:
    """Gigabytes: what is free on the current GPU; on a CPU what the machine or the container has."""
    if device == "cuda":
        return torch.cuda.mem_get_info()[0] / 1e9
    return count_memory(CGROUP_LIMIT) / 1e9


def check_memory(
    config: Config, batch: int, device: str, processes: int = 1, recompute: bool = False
) -> float:
    """The estimate for ``batch`` slices at once; InputError when the device holds less.

    >>> check_memory(Config(), 10**6, "cpu")
    Traceback (most recent call last):
    ...
    dcamsr_lite.errors.InputError: --batch 1000000: found about ... GB where cpu has ...
    """
    needed, there = estimate_memory(config, batch, recompute), measure_memory(device) / processes
    if needed > there:
        fits = int(batch * there / needed)
        less = f"--batch {fits} --accumulate {-(-batch // fits)}" if fits else "a smaller image"
        found = f"about {needed:.1f} GB where {device} has {there:.1f} GB for each process"
        raise InputError(f"--batch {batch}", found, f"{less}, or --recompute, or --preset lite")
    return needed
