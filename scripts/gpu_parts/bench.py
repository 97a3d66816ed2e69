"""Plain and fast, side by side: time, memory, arithmetic; their growth with the pixels."""

import time
from statistics import median

import numpy as np
import torch

from dcamsr_lite.bench.networks import fit_exponents

from .measure import clean, floors, flops, interleaved, peak, timed
from .paths import PATHS, both, forward, laid_out, learn, random_images
from .plan import Plan
from .record import Clock, Record


def bench_networks(plan: Plan, record: Record, clock: Clock) -> None:
    """Plain and fast, side by side: time, memory, arithmetic; their growth with the pixels."""
    floor = floors(plan)
    record.add(floor=floor, paths=PATHS)
    for size in plan.sizes:
        for preset in ("full", "lite"):
            for variant in ("corrected", "released"):
                bench_network(plan, record, clock, floor, (preset, variant, size))
    # the smallest images are bound by kernel launches
    record.add(exponents=fit_exponents(record.rows, least=(0, 128)))
    try:
        record.add(compile=try_compiler(plan, clock))
    except Exception as error:  # dynamo has many; what was measured is worth more
        record.add(compile={"error": f"{type(error).__name__}: {str(error)[:500]}"})


def bench_network(plan: Plan, record: Record, clock: Clock, floor: dict, which: tuple) -> None:
    """All rows of one network."""
    device, (preset, variant, size) = plan.device, which
    if clock.left() < 3:
        return record.row(preset=preset, variant=variant, size=size, status="not run")
    start = plan.network(preset, size, variant=variant)
    models = {path: laid_out(start, path, device) for path in ("plain", "fast")}
    counted = flops(models["plain"], *random_images(plan, 1, size))
    for batch in (1, plan.batch):
        tensors = random_images(plan, batch, size)
        for kind, call in (("forward", forward), ("forward + backward", both)):
            row = {"preset": preset, "variant": variant, "size": size, "batch": batch, "pass": kind}
            calls = {p: lambda p=p, m=m: call(m, p, *tensors) for p, m in models.items()}  # noqa: B023
            status = "not run" if clock.left() < 3 else "out of memory"
            try:
                if status != "not run":
                    for model in models.values():
                        model.train(kind != "forward")
                    memory = {path: peak(device, call) for path, call in calls.items()}
                    times = interleaved(plan, calls)
                    status = "measured"
            except torch.cuda.OutOfMemoryError:
                pass  # the row says so
            clean(device)
            if status != "measured":
                record.row(**row, status=status)
                continue
            work = batch * counted[kind] / 1e12
            for path, seconds in times.items():
                low, middle, high = np.percentile(seconds, [25, 50, 75]).tolist()
                record.row(
                    **row, path=path, status=status, median_ms=1e3 * middle, q25_ms=1e3 * low,
                    q75_ms=1e3 * high, repeats=len(seconds), peak_gb=memory[path], tflop=work,
                    of_bf16_peak=work / middle / floor["bfloat16 TFLOP/s"],
                    times_plain=median(times["plain"]) / middle,
                )  # fmt: skip


def try_compiler(plan: Plan, clock: Clock) -> dict:
    """torch.compile of the fast training step; the part's alarm ends it where it takes too long."""
    if clock.left() < 60 or plan.device != "cuda":
        return {"status": "not run", "left_s": clock.left()}
    tensors, started = random_images(plan, plan.batch, plan.size), time.monotonic()
    calls = {}
    for name in ("plain", "compiled"):  # both are the fast path
        model = laid_out(plan.network("full"), "fast", plan.device).train()
        optimizer = torch.optim.Adam(model.parameters(), lr=1e-5)
        if name == "compiled":
            model.compile()
        calls[name] = lambda m=model, o=optimizer: learn(m, "fast", o, *tensors)
    for _ in range(3):
        timed(plan.device, calls["compiled"])
    seconds = time.monotonic() - started
    eager, fast = (1e3 * median(x) for x in interleaved(plan, calls).values())
    return {"seconds": seconds, "eager_step_ms": eager, "compiled_step_ms": fast}
