"""Look into a forward pass and cut into it: record both attentions, or intervene.

>>> import torch
>>> from dcamsr_lite import DCAMSR
>>> model = DCAMSR(scale=4, image_size=32).eval()
>>> with trace(model) as record:
...     _ = model(torch.rand(1, 1, 8, 8), torch.rand(1, 1, 32, 32))
>>> record.spatial[4].shape, record.lift(4, query=(3, 5)).shape
(torch.Size([1, 8, 64, 64]), torch.Size([8, 8]))
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager

import torch
from einops import rearrange
from torch import Tensor

from ..errors import InputError
from ..network.model import DCAMSR
from ..network.super_resolver import SuperResolver
from .record import Features, Record

STATES = ("on", "off", "uniform")


def check_attends(model: object, use: str) -> DCAMSR:
    """The model, if it is a DCAMSR, else InputError; ``use`` is what we do with it, or with others.

    >>> check_attends(max, "trace")
    Traceback (most recent call last):
    ...
    dcamsr_lite.errors.InputError: model: found a builtin_function_or_method without such attention; ...
    """
    if not isinstance(model, DCAMSR):
        found = f"a {type(model).__name__} without such attention"
        raise InputError("model", found, f"a DCAMSR, whose attention is what we {use}")
    return model


@contextmanager
def trace(model: SuperResolver) -> Iterator[Record]:
    """Record both attentions of the forward passes inside; the last one stays in the record.

    >>> model = DCAMSR(scale=4, image_size=32).eval()
    >>> with trace(model):
    ...     pass
    Traceback (most recent call last):
    ...
    RuntimeError: nothing was recorded: run the model inside `with trace(model)`

    The spatial branches run the explicit softmax meanwhile. Leaving restores the model exactly.
    """
    model = check_attends(model, "trace; for any f(lr, ref) there is explore_attribution")
    record = Record(model)

    def start(module, args, kwargs) -> None:
        lr = args[0] if args else kwargs["lr"]
        record.shape = tuple(side * model.config.scale for side in lr.shape[-2:])

    with ExitStack() as stack:
        stack.enter_context(_explicit(model))
        stack.enter_context(model.register_forward_pre_hook(start, with_kwargs=True))
        for level, block in model.levels.items():
            _watch(record, level, block, stack)
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
    model: SuperResolver,
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
    model = check_attends(
        model, "intervene; any f(lr, ref) takes run_intervention on its reference"
    )
    blocks = {level: block.attention for level, block in model.levels.items()}
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

    hook: Callable
    with ExitStack() as stack:
        if spatial == "uniform":
            stack.enter_context(_explicit(model))
        for level in chosen:
            for name, state in wanted.items():
                branch = getattr(blocks[level], name)
                half = getattr(blocks[level], f"{name}_out", None)
                if state == "on":
                    continue
                if state == "uniform":
                    module, hook = branch.attention, uniform
                elif len(cut) == count:
                    module, hook = half, zero
                else:
                    module, hook = branch.heads, without_heads
                # before the hooks of a trace, so that it records what really ran
                stack.enter_context(module.register_forward_hook(hook, prepend=True))
        yield model
