"""Equal steps from one start on the same batches, plain and fast: time and quality."""

from collections.abc import Callable
from itertools import islice
from statistics import median

import torch
from safetensors.torch import load_file
from torch import Tensor

import dcamsr_lite as dl
from dcamsr_lite.metrics import psnr
from dcamsr_lite.training.batches import draw_batches
from dcamsr_lite.training.loop import learning_rate

from .data import held_out
from .measure import timed
from .paths import laid_out, learn
from .plan import Plan
from .record import Clock, Record, write_table


def train_equally(plan: Plan, record: Record, clock: Clock) -> None:
    """Equal steps from one start on the same batches, plain and fast: time and quality."""
    files = sorted((plan.work / "slices").glob("*.safetensors"))
    parts = [load_file(file) for file in files]
    data = [torch.cat([part[n] for part in parts]).to(plan.device) for n in ("lr", "ref", "target")]
    pairs, start, rate = held_out(plan, few=True), plan.network("full"), plan.rates[0]

    def learner(path: str) -> Callable:
        """A step of a network of its own: rate and batch to seconds and loss."""
        model = laid_out(start, path, plan.device).train()
        optimizer = torch.optim.Adam(model.parameters(), lr=rate)

        def step(now: float, batch: list[Tensor]) -> tuple[float, float]:
            losses, optimizer.param_groups[0]["lr"] = [], now
            call = lambda: losses.append(learn(model, path, optimizer, *batch))  # noqa: E731
            return timed(plan.device, call), losses[0].item()

        step.model = model
        return step

    first = [x[: plan.batch] for x in data]
    tries = {path: learner(path) for path in ("plain", "fast")}
    cost = {p: median([step(rate, first)[0] for _ in range(6)][2:]) for p, step in tries.items()}
    fits = int(0.75 * clock.left() / (cost["plain"] + 2 * cost["fast"]))
    steps = max(2, min(plan.equal_steps, fits))
    about = {"rate": f"{rate}, cosine", "slices": len(data[0]), "size": plan.size}
    record.add(steps=steps, batch=plan.batch, **about)
    curves, found = [], {}
    runs = ("plain", "plain", 0), ("fast", "fast", 0), ("fast, other order", "fast", 1)
    for name, path, seed in runs:
        if clock.left() < 1.1 * steps * cost[path]:
            record.row(run=name, status="not run")
            continue
        learned, times = learner(path), []
        for k, at in enumerate(islice(draw_batches(len(data[0]), plan.batch, seed, 0), steps), 1):
            now = learning_rate(k - 1, steps, rate, "cosine")
            seconds, loss = learned(now, [x[at.to(x.device)] for x in data])
            times.append(seconds)
            curves.append({"run": name, "step": k, "loss": loss, "seconds": seconds})
            if k in (steps // 2, steps):
                found[name] = 1e3 * median(times[steps // 10 :])
                sr = {n: dl.super_resolve(learned.model, p, batch=4) for n, p in pairs.items()}
                quality = {f"psnr {n}": psnr(p.target_image, sr[n]) for n, p in pairs.items()}
                record.row(run=name, status="measured", step=k, step_ms=found[name], **quality)
        write_table(record.file.with_name("equal-curves.csv"), curves)
    if "fast" in found:
        record.add(times_as_fast=found["plain"] / found["fast"])
