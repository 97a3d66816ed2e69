"""What the package's bench measures, as the parts of the GPU script ask for it."""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dcamsr_lite.bench.measure import clean, count_work, measure_peak, measure_rates, time_call
from dcamsr_lite.bench.measure import take_turns as _take_turns

from .plan import Plan

__all__ = ["clean", "flops", "floors", "interleaved", "peak", "timed"]
peak = measure_peak


def timed(device: str, call: Callable) -> float:
    """Seconds on the device."""
    return time_call(device, call).wall


def interleaved(plan: Plan, calls: dict[str, Callable]) -> dict[str, list[float]]:
    """Seconds of every call, one after the other in turns, after a warm-up."""
    for call in calls.values():
        call()
    taken = _take_turns(plan, calls)
    return {name: [seconds.wall for seconds in times] for name, times in taken.items()}


def floors(plan: Plan) -> dict[str, float]:
    """What this machine can do: matrix products in TFLOP/s, a large copy in GB/s (read and write)."""
    return measure_rates(plan, (torch.bfloat16, torch.float32))


def flops(model: nn.Module, *tensors: Tensor) -> dict[str, float]:
    """Of one slice, multiplications and additions counted apart; explicit attention is counted, too."""
    model.train()

    def run_both() -> None:
        F.l1_loss(model(*tensors[:2]), tensors[2]).backward()

    ahead, both = (count_work(call)["flop"] for call in (lambda: model(*tensors[:2]), run_both))
    model.zero_grad(set_to_none=True)
    return {"forward": ahead, "forward + backward": both}
