"""Look into a forward pass and cut into it: record both attentions, or intervene.

>>> import torch
>>> from dcamsr_lite import DCAMSR
>>> model = DCAMSR(scale=4, image_size=32).eval()
>>> with trace(model) as record:
...     _ = model(torch.rand(1, 1, 8, 8), torch.rand(1, 1, 32, 32))
>>> record.spatial[4].shape, record.lift(4, query=(3, 5)).shape
(torch.Size([1, 8, 64, 64]), torch.Size([8, 8]))
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from einops import einsum, rearrange
from torch import Tensor, nn

from ..errors import InputError
from ..network.alignment import AligningCrossAttention
from ..network.attention import DualCrossAttention
from ..network.model import DCAMSR
from ..network.super_resolver import unwrap
from ..network.windows import SharedVotes
from .hooks import Hooks, hooking
from .record import Features, Record

STATES = ("on", "off", "uniform")
ALONE = (
    "run the model itself inside `with {}(model)`, in the same thread: what was scripted, traced or"
    " exported from it, or compiled by a torch before 2.6, does not know of the block"
)


def check_attends(model: object, use: str) -> DCAMSR:
    """The model, if it is a DCAMSR, else InputError; ``use`` is what we do with it, or with others.

    >>> check_attends(max, "trace")
    Traceback (most recent call last):
    ...
    dcamsr_lite.errors.InputError: model: found a builtin_function_or_method without such attention; ...
    """
    inner = unwrap(model)
    if not isinstance(inner, DCAMSR):
        found = f"a {type(model).__name__} without such attention"
        raise InputError("model", found, f"a DCAMSR, whose attention is what we {use}")
    return inner


@contextmanager
def trace(model: nn.Module) -> Iterator[Record]:
    """Record both attentions of the forward passes inside; the last one stays in the record.

    >>> model = DCAMSR(scale=4, image_size=32).eval()
    >>> with trace(model):
    ...     pass
    Traceback (most recent call last):
    ...
    RuntimeError: nothing was recorded: run the model itself inside `with trace(model)`, ...

    The spatial branches run the explicit softmax meanwhile. Leaving restores the model exactly. A
    compiled network, or one in a wrapper for several GPUs, is recorded as the network inside; what
    other threads run is neither recorded nor changed.
    """
    model = check_attends(model, "trace; for any f(lr, ref) there is explore_attribution")
    record = Record(model)

    def start(module, args, kwargs) -> None:
        lr = args[0] if args else kwargs["lr"]
        record.shape = tuple(side * model.config.scale for side in lr.shape[-2:])

    with hooking() as hooks:
        _run_explicitly(model, hooks)
        hooks.before(model, start)
        for level, block in model.levels.items():
            _watch(record, level, block, hooks)
        yield record
        if not (record.spatial or record.channel):
            raise RuntimeError(f"nothing was recorded: {ALONE.format('trace')}")


def _keep(x: Tensor) -> Tensor:
    """Without its gradient, and fine enough to be counted with: half precision is too coarse."""
    return x.detach().to(torch.promote_types(x.dtype, torch.float32))


def _watch(record: Record, level: int, block, hooks: Hooks) -> None:
    size = {}

    def grid(module, images, _) -> None:
        size["h"], size["w"] = images[0].shape[-2:]
        spatial = block.attention.spatial
        place = record.grids[level] = tuple(size.values())
        if spatial is not None and spatial.window is not None:
            record.windows[level] = spatial.window
        elif spatial is not None:
            record.footprints[level] = _keep(spatial.project_value.footprints(place)).clone()

    def features(module, inputs, _) -> None:
        maps = (rearrange(_keep(x), "b head (h w) d -> b head d h w", **size) for x in inputs)
        record.features[level] = Features(*maps)

    def spatial(module, inputs, attention) -> None:
        q, k, *_ = inputs
        record.queries[level] = _keep(q)
        alone = k is not None and not isinstance(module, SharedVotes)
        record.keys[level] = _keep(k) if alone else None
        record.spatial[level] = _keep(attention)

    def values(module, inputs, _) -> None:
        _, _, v, (rows, _) = inputs
        if record.model.config.merge == "aligned":
            norms = _measure_values(block.attention, _keep(v))
            record.value_norms[level] = rearrange(norms, "b head (h w) -> b head h w", h=rows)

    def channel(module, inputs, attention) -> None:
        record.channel[level] = _keep(attention)

    hooks.before(block, grid)
    if block.attention.spatial is not None:
        hooks.before(block.attention.spatial, values)
        hooks.after(block.attention.spatial.attention, spatial)
    if block.attention.channel is not None:
        hooks.before(block.attention.channel, features)
        hooks.after(block.attention.channel.attention, channel)


def _measure_values(attention: DualCrossAttention, v: Tensor) -> Tensor:
    """How long each value is behind the output projection: b head n d -> b head n."""
    if isinstance(
        attention, AligningCrossAttention
    ):  # what is found is encoded anew, not projected
        return v.norm(dim=-1)
    project = rearrange(
        _keep(attention.spatial_out.weight), "c (head d) -> head c d", d=v.shape[-1]
    )
    square = project.mT @ project  # of the length, in the d coordinates of a value
    return einsum(v, square, v, "b head n i, head i j, b head n j -> b head n").clamp_min(0).sqrt()


def _run_explicitly(model: DCAMSR, hooks: Hooks) -> None:
    def ask(module, args, kwargs) -> tuple:
        return args, kwargs | {"explicit": True}

    for branch in model.spatial_branches():
        hooks.before(branch, ask)


def check_cut(
    model: DCAMSR,
    spatial: str,
    channel: str,
    heads: Sequence[int] | None,
    levels: Sequence[int] | None,
) -> tuple[list[int], list[int]]:
    """The heads and levels that ``intervene`` cuts. Raises ValueError for what is not there.

    >>> check_cut(DCAMSR(scale=4, image_size=32), "off", "on", [3, 0], None)
    ([0, 3], [1, 2, 4])
    """
    count = model.config.heads
    chosen = [*model.levels] if levels is None else [*levels]
    cut = [*range(count)] if heads is None else sorted(set(heads))
    if unknown := set(chosen) - set(model.levels):
        raise ValueError(f"levels {sorted(unknown)} are not in this network: {[*model.levels]}")
    if not cut or min(cut) < 0 or max(cut) >= count:
        raise ValueError(f"heads are {cut}, expected some of 0 to {count - 1}")
    for name, state in {"spatial": spatial, "channel": channel}.items():
        if state not in STATES:
            raise ValueError(f"{name} is {state!r}, expected one of {STATES}")
        if state != "on" and not getattr(model.config, name):
            raise ValueError(f"this network was built without its {name} branch")
    return cut, chosen


@contextmanager
def intervene(
    model: nn.Module,
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
    output projection. (``aligned``: off in all heads, the reference is read where it lies, by the
    channel branch too.) "uniform": every attention row is 1 / its length. ``heads`` and ``levels``
    default to all. Leaving restores the model exactly, also after an exception. Interventions may be
    nested, and a trace inside sees the edited attention. Wrappers and threads are as in ``trace``.
    Raises ValueError for what is not there, RuntimeError at the end where nothing that ran was cut.
    """
    model = check_attends(
        model, "intervene; any f(lr, ref) takes run_intervention on its reference"
    )
    cut, chosen = check_cut(model, spatial, channel, heads, levels)
    blocks: dict[int, Any] = {level: block.attention for level, block in model.levels.items()}
    count, wanted = model.config.heads, {"spatial": spatial, "channel": channel}

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

    def in_place(module, inputs, found: Tensor) -> Tensor:
        return inputs[1]

    with hooking() as hooks:
        hooks.before(
            model, lambda *_: None
        )  # knows that it ran, and refuses a replica before it does
        if spatial == "uniform":
            _run_explicitly(model, hooks)
        for level in chosen:
            for name, state in wanted.items():
                branch = getattr(blocks[level], name)
                half: Any = getattr(blocks[level], f"{name}_out", None)
                # before the hooks of a trace, so that it records what really ran
                if state == "uniform":
                    hooks.after(branch.attention, uniform, first=True)
                elif state == "off" and len(cut) == count:
                    hooks.after(half, zero, first=True)
                    if name == "spatial" and model.config.in_sequence:
                        hooks.after(blocks[level].place, in_place, first=True)
                elif state == "off":
                    hooks.after(branch.heads, without_heads, first=True)
        yield model
        if not hooks.acted and {spatial, channel} != {"on"}:
            raise RuntimeError(f"nothing was cut: {ALONE.format('intervene')}")
