"""Time, memory and arithmetic of a call, and what the machine could do at most.

>>> import torch
>>> counted = count_work(lambda: torch.rand(64, 64) @ torch.rand(64, 64))
>>> counted["flop"] == 2 * 64**3, counted["bytes"] > 3 * 64 * 64 * 4
(True, True)
"""

import gc
import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median
from typing import Any, NamedTuple, Protocol

import torch
from torch import Tensor
from torch.profiler import ProfilerActivity, profile
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import FlopCounterMode, conv_flop_count


class Effort(Protocol):
    """Where to measure and for how long; seconds are for all calls together."""

    @property
    def device(self) -> str: ...
    @property
    def repeats(self) -> int: ...
    @property
    def pair_seconds(self) -> float: ...
    @property
    def matrix(self) -> int: ...
    @property
    def copied(self) -> int: ...


@dataclass(frozen=True)
class Quick:
    """Enough for a CPU.

    >>> Quick(repeats=3).device
    'cpu'
    """

    device: str = "cpu"
    repeats: int = 9
    pair_seconds: float = 10.0
    matrix: int = 2048
    copied: int = 2**24


class Seconds(NamedTuple):
    """What one call took; ``busy`` is the processor's time, of all threads together."""

    wall: float
    busy: float


def time_call(device: str, call: Callable) -> Seconds:
    """Seconds, on a GPU by its own clock."""
    if device != "cuda":
        wall, busy = time.perf_counter(), time.process_time()
        call()
        return Seconds(time.perf_counter() - wall, time.process_time() - busy)
    start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
    busy = time.process_time()
    start.record()
    call()
    end.record()
    torch.cuda.synchronize()
    return Seconds(start.elapsed_time(end) / 1e3, time.process_time() - busy)


def take_turns(effort: Effort, calls: dict[str, Callable]) -> dict[str, list[Seconds]]:
    """Every call, one after the other in turns, until time or repeats are over; at least once.

    >>> [len(times) for times in take_turns(Quick(repeats=3), {"a": list, "b": dict}).values()]
    [3, 3]

    A first call may take longer than others: make one before.
    """
    times: dict[str, list[Seconds]] = {name: [] for name in calls}
    end, first = time.monotonic() + effort.pair_seconds, next(iter(times.values()))
    while not first or (time.monotonic() < end and len(first) < effort.repeats):
        for name, call in calls.items():
            times[name].append(time_call(effort.device, call))
    return times


def measure_peak(device: str, call: Callable) -> float:
    """Gigabytes that torch holds for the call at most, beyond what was held before it.

    >>> round(measure_peak("cpu", lambda: torch.ones(1000, 1000)), 4)
    0.004

    On a CPU what torch's allocator gave out, as its profiler notes it: the process itself grows by
    this and by what the allocator could not use again.
    """
    clean(device)
    if device != "cuda":
        with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as seen:
            call()
        events = seen.profiler.kineto_results.events()
        notes = sorted((e.start_ns(), e.nbytes()) for e in events if e.name() == "[memory]")
        held = most = 0
        for _, size in notes:
            held += size
            most = max(most, held)
        return most / 1e9
    before = torch.cuda.memory_allocated()
    torch.cuda.reset_peak_memory_stats()
    call()
    torch.cuda.synchronize()
    return (torch.cuda.max_memory_allocated() - before) / 1e9


def clean(device: str) -> None:
    gc.collect()
    if device == "cuda":
        torch.cuda.synchronize()
        torch.cuda.empty_cache()


def measure_rates(effort: Effort, kinds: tuple = (torch.float32,)) -> dict[str, float]:
    """What this machine can do: matrix products in TFLOP/s, a large copy in GB/s (read and write).

    >>> [*measure_rates(Quick(matrix=64, copied=1000))]
    ['float32 TFLOP/s', 'copy GB/s']
    """
    found, n = {}, effort.matrix
    for kind in kinds:
        a, b = (torch.randn(n, n, device=effort.device).to(kind) for _ in range(2))
        seconds = [time_call(effort.device, lambda a=a, b=b: a @ b).wall for _ in range(8)]
        found[f"{str(kind)[6:]} TFLOP/s"] = 2 * n**3 / median(seconds[3:]) / 1e12
    a = torch.rand(effort.copied, device=effort.device)
    b = torch.empty_like(a)
    seconds = [time_call(effort.device, lambda: b.copy_(a)).wall for _ in range(8)]
    return found | {"copy GB/s": 2 * a.nbytes / median(seconds[3:]) / 1e9}


class _Traffic(TorchDispatchMode):
    """Counts operations, and bytes that those which are no views read and write."""

    def __init__(self) -> None:
        super().__init__()
        self.operations = self.bytes = 0

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple = (), kwargs: Any = None
    ) -> Any:
        output = func(*args, **(kwargs or {}))
        if not func.is_view:
            moved = [x for x in tree_leaves((args, kwargs, output)) if isinstance(x, Tensor)]
            self.operations += 1
            self.bytes += sum(x.numel() * x.element_size() for x in moved)
        return output


def _count_winograd(x: list, weight: list, *rest: Any, out_shape: Any = None, **own: Any) -> int:
    return conv_flop_count(x, weight, out_shape)


def count_work(call: Callable) -> dict[str, int]:
    """Multiplications and additions ("flop"), "bytes" read and written, and "operations" of torch.

    >>> x = torch.ones(1000)
    >>> count_work(lambda: x + x)
    {'flop': 0, 'bytes': 12000, 'operations': 1}

    As if nothing were kept in a cache. A convolution counts as the direct sum, however it is
    computed; views count nothing. The flop are those of matrix products and convolutions alone.
    """
    formulas = {}
    if hasattr(torch.ops.aten, "_nnpack_spatial_convolution"):
        formulas = {torch.ops.aten._nnpack_spatial_convolution: _count_winograd}
    with FlopCounterMode(display=False, custom_mapping=formulas) as counter, _Traffic() as traffic:
        call()
    total = counter.get_total_flops()
    return {"flop": total, "bytes": traffic.bytes, "operations": traffic.operations}
