"""A second loss: what the attention finds, beside how far the reference was truly moved.

>>> import torch
>>> from dcamsr_lite import DCAMSR
>>> model = DCAMSR(image_size=32, variant="aligned")
>>> with watch(model) as found:
...     _ = model(torch.rand(2, 1, 8, 8), torch.rand(2, 1, 32, 32))
>>> found[0].shape
torch.Size([2, 1024, 2])

The error of the image teaches a finder slowly: a reference that is half a pixel off costs little. Where
it was moved is known in training, for it is moved there.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from einops import rearrange
from torch import Tensor, nn

from ..errors import InputError
from ..network.super_resolver import SuperResolver, pad_to_multiple
from ..network.windows import SharedVotes
from .recipe import Recipe

FINEST = 1  # the level whose attention moves the reference's image


def check_finding(model: SuperResolver, recipe: Recipe) -> None:
    """Raise InputError where nothing is moved, nothing looks at offsets, or nothing can be watched."""
    branch = _finest_branch(model)
    if branch is None or not isinstance(branch.window, SharedVotes):
        raise InputError("--finding", "a network that looks at no offsets", "--variant aligned")
    if "misalignment" not in recipe.vary:
        raise InputError("--finding", "references that lie in place", "--vary misalignment")
    if recipe.compile:
        raise InputError("--finding", "--compile", "one of the two")


def _finest_branch(model: SuperResolver) -> Any:
    levels = getattr(model, "levels", {})
    return levels[FINEST].attention.spatial if FINEST in levels else None


@contextmanager
def watch(model: SuperResolver) -> Iterator[list[Tensor]]:
    """Within the block every forward pass adds what it found: (b, h w, 2), rows and columns, pixels.

    The mean of the offsets, weighted by the attention of the finest level, as
    ``Record.displacement`` has it; from fused attention, with gradients.
    """
    window, found = _finest_branch(model).window, []
    offsets = window.offsets()

    def add(_: nn.Module, __: tuple, weights: Tensor) -> None:
        found.append(weights[:, 0] @ offsets.to(weights))

    handle = window.agreed.register_forward_hook(add)
    try:
        yield found
    finally:
        handle.remove()


def measure_error(found: Tensor, moved: Tensor, target: Tensor) -> Tensor:
    """Mean error of what was found within the head, in pixels along either axis.

    >>> import torch
    >>> target = torch.zeros(1, 1, 4, 4)
    >>> target[..., 1:3] = 1
    >>> measure_error(torch.zeros(1, 64, 2), torch.full((1, 2, 4, 4), 0.5), target)
    tensor(0.5000)

    found (b, h w, 2), of a network that pads its images; moved (b, 2, rows, columns); target (b, 1,
    rows, columns), whose head is what is brighter than an eighth of its range.
    """
    rows, columns = moved.shape[-2:]
    width = pad_to_multiple(moved).shape[-1]
    found = rearrange(found, "b (h w) two -> b two h w", w=width)[..., :rows, :columns]
    low, high = target.amin((-2, -1), keepdim=True), target.amax((-2, -1), keepdim=True)
    head = (target > low + (high - low) / 8).expand_as(moved).to(moved)
    return ((found - moved).abs() * head).sum() / head.sum().clamp_min(1)
