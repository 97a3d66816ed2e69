"""What a network computed of one pair, kept for interventions that leave parts of it as they are.

Features of an unchanged image, and levels that nothing was cut of, are not computed again.

>>> from dcamsr_lite import DCAMSR
>>> model, kept = DCAMSR(image_size=32).eval(), Kept()
>>> lr, ref = torch.rand(1, 1, 8, 8), torch.rand(1, 1, 32, 32)
>>> with torch.no_grad(), reusing(model, kept):
...     first = model(lr, ref)
>>> with torch.no_grad(), reusing(model, kept):  # this takes the last convolution's time
...     torch.equal(model(lr, ref), first)
True
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from ..network.model import DCAMSR
from ..network.parts import Memory, Part

OWN = {"training", "memory"}  # what a run itself sets


class Kept(Memory):
    """A memory of one pass of a network; it knows whether the network is still the same.

    Copied or pickled it is empty.
    """

    def __init__(self) -> None:
        super().__init__()
        self.modules: list[tuple[nn.Module, dict[str, Any]]] = []
        self.weights: list[Tensor] = []

    def __reduce__(self) -> tuple:
        return Kept, ()

    def learn(self, model: nn.Module) -> None:
        self.modules = [(part, _list_settings(part)) for part in model.modules()]
        self.weights = [weight.detach().clone() for weight in _list_weights(model)]

    def is_of(self, model: nn.Module) -> bool:
        """Whether the network has the weights and the parts, with the settings, of before."""
        modules, weights = [*model.modules()], _list_weights(model)
        if len(modules) != len(self.modules) or len(weights) != len(self.weights):
            return False
        for part, (known, settings) in zip(modules, self.modules, strict=True):
            now = _list_settings(part)
            if part is not known or now.keys() != settings.keys():
                return False
            if any(now[name] is not value for name, value in settings.items()):
                return False
        return all(map(torch.equal, weights, self.weights))


def _list_settings(part: nn.Module) -> dict[str, Any]:
    return {name: value for name, value in vars(part).items() if name not in OWN}


def _list_weights(model: nn.Module) -> list[Tensor]:
    return [*model.parameters(), *model.buffers()]


@contextmanager
def reusing(model: object, kept: Kept | None) -> Iterator[None]:
    """In the block, the parts of a network take from ``kept`` what they computed before.

    The first block fills it. Of another network, or one that was changed, nothing is taken; and of a
    compiled one nothing is kept.
    """
    plain = isinstance(model, DCAMSR) and model._compiled_call_impl is None
    if kept is None or not isinstance(model, DCAMSR) or not plain:
        yield
        return
    if kept.open:
        kept.learn(model)
    elif not kept.is_of(model):
        yield
        return
    parts = [part for part in model.modules() if isinstance(part, Part)]
    try:
        for part in parts:
            part.memory = kept
        yield
    finally:
        for part in parts:
            part.memory = None
        kept.open = False
