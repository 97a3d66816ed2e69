"""Where the time of one fast training step goes."""

import re
from collections import Counter
from statistics import median

import torch
from torch.profiler import ProfilerActivity

from .measure import floors, flops, timed
from .paths import laid_out, learn, random_images
from .plan import Plan
from .record import Clock, Record, write

KINDS = (  # of operations, in this order: the first pattern that is found
    ("convolution", "conv"),
    ("optimizer", "foreach|fused_adam|addcdiv|addcmul|lerp"),
    ("normalisation", "norm|std|var|mean"),
    ("attention and matrix products", "attention|mm|softmax"),
    ("memory", "memcpy|memset|fill|zero"),
    ("resampling and Fourier", "upsample|fft|roll|pad"),
    ("copies", "copy|cat|clone|slice|index"),
    ("elementwise and sums", ""),
)


def profile_step(plan: Plan, record: Record, clock: Clock) -> None:
    """Where the time of one fast training step goes."""

    device, cuda = plan.device, plan.device == "cuda"
    model = laid_out(plan.network("full"), "fast", device).train()
    tensors = random_images(plan, plan.batch, plan.size)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-5)
    steps = [timed(device, lambda: learn(model, "fast", optimizer, *tensors)) for _ in range(8)]
    plain = laid_out(plan.network("full"), "plain", device)
    work = (
        plan.batch * flops(plain, *random_images(plan, 1, plan.size))["forward + backward"] / 1e12
    )
    activities = [ProfilerActivity.CPU] + ([ProfilerActivity.CUDA] if cuda else [])
    with torch.profiler.profile(activities=activities) as profiler:
        timed(device, lambda: learn(model, "fast", optimizer, *tensors))

    def milliseconds(row) -> float:
        return (row.self_device_time_total if cuda else row.self_cpu_time_total) / 1e3

    def noted(row) -> bool:  # ranges that others have marked hold kernels that are counted already
        return row.key.startswith(("Optimizer", "ProfilerStep", "##"))

    rows = [row for row in profiler.key_averages() if milliseconds(row) > 0 and not noted(row)]
    kernels = [row for row in rows if row.device_type.name == "CUDA"] or rows
    operations = [row for row in rows if row.device_type.name == "CPU"] or rows
    total, kinds = sum(map(milliseconds, kernels)), Counter()
    for row in operations:
        kinds[next(kind for kind, p in KINDS if re.search(p, row.key.lower()))] += milliseconds(row)
    everything, floor = sum(kinds.values()), floors(plan)
    shares = {kind: ms / everything for kind, ms in kinds.most_common()}
    top = sorted(kernels, key=milliseconds, reverse=True)[:25]
    for row in top:
        ms = milliseconds(row)
        record.row(kernel=row.key[:150], calls=row.count, ms=ms, share=ms / total)
    step = median(steps[3:])
    rate = work / step
    record.add(
        step_ms=1e3 * step, kernels_ms=total, launches=sum(row.count for row in kernels),
        busy=total / step / 1e3, kinds=shares, tflop=work, tflop_per_s=rate, floor=floor,
        of_bf16_peak=rate / floor["bfloat16 TFLOP/s"], setting=f"full, {plan.size}, batch {plan.batch}",
    )  # fmt: skip
    lines = [f"one training step: {1e3 * step:.2f} ms, kernels {total:.2f} ms, {rate:.1f} TFLOP/s"]
    lines += [f"{share:7.1%}  {kind}" for kind, share in shares.items()] + [""]
    lines += [
        f"{r['share']:7.1%} {r['ms']:9.3f} ms {r['calls']:5}  {r['kernel']}" for r in record.rows
    ]
    write(plan.out / "profile.txt", "\n".join(lines) + "\n")
