"""Time, memory and arithmetic, on a GPU or in the rehearsal; what the machine could do at most."""

import gc
import time
from collections.abc import Callable
from statistics import median

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

import dcamsr_lite as dl

from .plan import Plan
from .record import Clock


def timed(device: str, call: Callable) -> float:
    """Seconds on the device."""
    if device != "cuda":
        started = time.perf_counter()
        call()
        return time.perf_counter() - started
    start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
    start.record()
    call()
    end.record()
    torch.cuda.synchronize()
    return start.elapsed_time(end) / 1e3


def interleaved(plan: Plan, calls: dict[str, Callable]) -> dict[str, list[float]]:
    """Seconds of every call, one after the other in turns, after a warm-up."""
    for call in calls.values():
        timed(plan.device, call)
    times, clock = {name: [] for name in calls}, Clock(plan.pair_seconds)
    first, least = next(iter(times.values())), min(3, plan.repeats)
    while len(first) < least or (clock.left() > 0 and len(first) < plan.repeats):
        for name, call in calls.items():
            times[name].append(timed(plan.device, call))
    return times


def peak(device: str, call: Callable) -> float | None:
    """Gigabytes that the call needs beyond what was held before; None: not measured."""
    if device != "cuda":
        call()
        return None
    clean(device)
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


def floors(plan: Plan) -> dict[str, float]:
    """What this machine can do: matrix products in TFLOP/s, a large copy in GB/s (read and write)."""
    found, n = {}, plan.matrix
    for dtype in (torch.bfloat16, torch.float32):
        a, b = (torch.randn(n, n, device=plan.device).to(dtype) for _ in range(2))
        seconds = [timed(plan.device, lambda a=a, b=b: a @ b) for _ in range(8)]
        found[f"{str(dtype)[6:]} TFLOP/s"] = 2 * n**3 / median(seconds[3:]) / 1e12
    a = torch.rand(plan.copied, device=plan.device)
    b = torch.empty_like(a)
    seconds = [timed(plan.device, lambda: b.copy_(a)) for _ in range(8)]
    return found | {"copy GB/s": 2 * a.nbytes / median(seconds[3:]) / 1e9}


def flops(model: dl.DCAMSR, *tensors: Tensor) -> dict[str, float]:
    """Of one slice, multiplications and additions counted apart; explicit attention is counted, too."""
    model.train()
    with FlopCounterMode(display=False) as first:
        sr = model(*tensors[:2])
    with FlopCounterMode(display=False) as second:
        F.l1_loss(sr, tensors[2]).backward()
    model.zero_grad(set_to_none=True)
    ahead = first.get_total_flops()
    return {"forward": ahead, "forward + backward": ahead + second.get_total_flops()}
