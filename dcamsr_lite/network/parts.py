"""Parts of the network that may forget what they computed, to hold less, or know it, to answer sooner.

>>> class Double(Part):
...     def compute(self, image):
...         return 2 * image
>>> double = Double()
>>> double.memory = Memory()
>>> with torch.no_grad():
...     double(torch.ones(1)) is double(torch.ones(1))
True
"""

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

MOST = 2**28  # bytes in a memory: `lite` at 256 x 256, or the encoder of `full`


class Memory:
    """What the parts of a network computed of which images, for when they get the same again.

    >>> memory, ones = Memory(), torch.ones(2)
    >>> first = memory.recall("double", lambda x: 2 * x, (ones,))
    >>> memory.recall("double", lambda x: 2 * x, (ones.clone(),)) is first
    True

    While it is ``open`` more is added to it, up to MOST bytes; of what a part computes, only the whole.
    """

    def __init__(self) -> None:
        self.known: dict[Any, list[tuple[tuple[Tensor, ...], Tensor]]] = {}
        self.open, self.room = True, MOST

    def recall(self, name: Any, compute: Callable, images: tuple[Tensor, ...]) -> Tensor:
        for seen, found in self.known.get(name, []):
            if all(map(is_same, seen, images)):
                return found
        adding, self.open = self.open, False
        found = compute(*images)
        self.open = adding
        size = sum(image.nbytes for image in (*images, found))
        if adding and size <= self.room:
            self.known.setdefault(name, []).append((images, found))
            self.room -= size
        return found


def is_same(one: Tensor, other: Tensor) -> bool:
    """Whether both hold the same numbers.

    >>> is_same(torch.ones(2), torch.ones(2)), is_same(torch.ones(2), torch.ones(3))
    (True, False)
    """
    alike = one.dtype == other.dtype and one.device == other.device
    return one is other or (alike and torch.equal(one, other))


class Part(nn.Module):
    """A part of the network: ``compute`` is what it does with images.

    Where it has a ``memory``, it does not compute again, without gradient, what it finds there.
    """

    memory: Memory | None = None
    compute: Callable[..., Tensor]

    def forward(self, *images: Tensor) -> Tensor:
        return self.recall(self.compute, images, self.modules())

    def recall(self, compute: Callable, images: tuple, parts: Iterable[nn.Module]) -> Tensor:
        """``compute(*images)``, which runs ``parts``: not again what is known, unless hooks watch."""
        memory = self.memory
        if memory is None or torch.is_grad_enabled():
            return compute(*images)
        if any(part._forward_hooks or part._forward_pre_hooks for part in parts):
            return compute(*images)
        return memory.recall((self, compute.__name__), compute, images)


class Chain(Part, nn.Sequential):
    """Modules one after the other, as a part."""

    compute = nn.Sequential.forward


class Recomputed(Part):
    """A part that can forget what it computed, and compute it again for the gradient.

    With ``recompute`` a training holds less memory and takes a little longer; the numbers stay.
    """

    recompute = False

    def forward(self, *images: Tensor) -> Tensor:
        if self.recompute and torch.is_grad_enabled():
            return checkpoint(self.compute, *images, use_reentrant=False)
        return super().forward(*images)


def set_recompute(network: nn.Module, value: bool) -> None:
    """Whether a network's parts compute again for the gradient what they need.

    >>> from dcamsr_lite import DCAMSR
    >>> model = DCAMSR(image_size=32)
    >>> set_recompute(model, True)
    >>> [type(part).__name__ for part in model.modules() if getattr(part, "recompute", False)][0]
    'DualCrossAttentionTransformer'
    """
    for part in network.modules():
        if isinstance(part, Recomputed):
            part.recompute = value
