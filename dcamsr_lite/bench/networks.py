"""The rows of ``dcamsr bench``: one network, plain and fast, side by side.

>>> plan = BenchPlan(sizes=(16,), presets=("lite",), variants=("released",), repeats=1)
>>> rows = [*bench_networks(plan, {"float32 TFLOP/s": 0.1, "copy GB/s": 10.0})]
>>> sorted({(row["pass"], row["path"]) for row in rows})[:2]
[('forward', 'fast'), ('forward', 'plain')]
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import product
from statistics import median
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..global_state import keep_generators
from ..network.config import Config
from ..network.model import DCAMSR
from ..network.parts import set_recompute
from .measure import Quick, clean, count_work, measure_peak, take_turns
from .plain import Plain

SCALE, SEED = 4, 0
PASSES = ("forward", "forward + backward")
PATHS = {
    "plain": "as the released code computes it: eager, float32, contiguous, softmax written out,"
    " every copy kept; forward in no_grad",
    "fast": "the package's network as it is loaded; forward in inference_mode",
    "lean": "the same, computing attention and SAM again for the gradient (set_recompute)",
}
DEFAULT = Config().variant


@dataclass(frozen=True)
class BenchPlan(Quick):
    """What is measured. The default variant is the package's newest, "corrected" or another.

    >>> BenchPlan().sizes
    (64, 128)
    """

    sizes: tuple[int, ...] = (64, 128)
    presets: tuple[str, ...] = ("lite", "full")
    variants: tuple[str, ...] = tuple(dict.fromkeys(("released", "corrected", DEFAULT)))
    batches: tuple[int, ...] = (1,)
    passes: tuple[str, ...] = field(default=PASSES)


@keep_generators()
def build_networks(preset: str, variant: str, size: int, device: str) -> dict[str, nn.Module]:
    """The same weights for each path.

    >>> sorted(build_networks("lite", "corrected", 32, "cpu"))
    ['fast', 'lean', 'plain']
    """
    torch.manual_seed(SEED)
    model = DCAMSR(SCALE, size, variant=variant, preset=preset).to(device)
    lean = DCAMSR(SCALE, size, variant=variant, preset=preset).to(device)
    lean.load_state_dict(model.state_dict())
    set_recompute(lean, True)
    return {"plain": Plain(model), "fast": model, "lean": lean}


def make_images(batch: int, size: int, device: str) -> tuple[Tensor, Tensor, Tensor]:
    """lr, ref, target. Random ones: zeros may run faster than real data.

    >>> [image.shape[-1] for image in make_images(1, 32, "cpu")]
    [8, 32, 32]
    """
    draw = torch.Generator().manual_seed(SEED)
    sides = (size // SCALE, size, size)
    lr, ref, target = (torch.randn(batch, 1, n, n, generator=draw).to(device) for n in sides)
    return lr, ref, target


def run_forward(model: nn.Module, path: str, lr: Tensor, ref: Tensor) -> Tensor:
    with torch.no_grad() if path == "plain" else torch.inference_mode():
        return model(lr, ref)


@keep_generators()
def run_both(model: nn.Module, lr: Tensor, ref: Tensor, target: Tensor) -> None:
    """Forward and backward; every path drops the same in its attention."""
    torch.manual_seed(SEED)
    model.zero_grad(set_to_none=True)
    F.l1_loss(model(lr, ref), target).backward()


def join_gradients(model: nn.Module) -> Tensor:
    """Those of all weights, in one vector."""
    return torch.cat([p.grad.flatten() for p in model.parameters() if p.grad is not None])


def bench_networks(plan: BenchPlan, rates: dict[str, float]) -> Iterator[dict]:
    """A row for every path of every network that was asked for; ``rates`` are the machine's.

    Times are medians in ms with quartiles; "times_plain" is the median of the ratios of neighbours,
    so that a machine whose load changes tells the truth; "arithmetic_ms" and "traffic_ms" are what
    the counted operations would take at the machine's rates.
    """
    asked = product(plan.sizes, plan.presets, plan.variants)
    for size, preset, variant in asked:
        models = build_networks(preset, variant, size, plan.device)
        for batch, kind in product(plan.batches, plan.passes):
            row = dict(preset=preset, variant=variant, size=size, batch=batch)
            images = make_images(batch, size, plan.device)
            for path in measure_pass(plan, models, kind, images, rates):
                yield row | {"pass": kind} | path
        del models
        clean(plan.device)


def measure_pass(
    plan: BenchPlan, models: dict[str, nn.Module], kind: str, images: Sequence[Tensor], rates: dict
) -> Iterator[dict]:
    """The rows of one pass. ``difference`` is that of the outputs, or of the gradients of all weights,
    relative to plain's norm."""
    ahead = kind == PASSES[0]
    calls: dict[str, Callable] = {}
    outputs, memory, work = {}, {}, {}
    for path, model in models.items():
        model.train(not ahead)
        if ahead and path != "lean":  # there is nothing to compute again
            calls[path] = lambda m=model, p=path: run_forward(m, p, *images[:2])
        elif not ahead:
            calls[path] = lambda m=model: run_both(m, *images)
    for path, call in calls.items():
        given: list = []
        # two calls, since counting holds what is computed a little longer
        memory[path] = measure_peak(plan.device, lambda c=call, g=given: g.append(c()))
        outputs[path] = given[0] if ahead else join_gradients(models[path])
        work[path] = count_work(call)
    times = take_turns(plan, calls)
    for path, seconds in times.items():
        walls, busy = zip(*seconds, strict=True)
        low, middle, high = (1e3 * x for x in np.percentile(walls, [25, 50, 75]).tolist())
        pairs = [*zip(times["plain"], seconds, strict=True)]
        ratios = {
            "times_plain": median(plain.wall / own.wall for plain, own in pairs),
            "times_plain_busy": median(plain.busy / own.busy for plain, own in pairs),
        }
        off = (outputs[path] - outputs["plain"]).norm() / outputs["plain"].norm()
        done = work[path]
        yield {
            "path": path, "median_ms": middle, "q25_ms": low, "q75_ms": high,
            "busy_ms": 1e3 * median(busy), "repeats": len(seconds), **ratios,
            "peak_gb": memory[path], "gflop": done["flop"] / 1e9, "gbytes": done["bytes"] / 1e9,
            "operations": done["operations"], "difference": float(off),
            "arithmetic_ms": done["flop"] / rates["float32 TFLOP/s"] / 1e9,
            "traffic_ms": done["bytes"] / rates["copy GB/s"] / 1e6,
        }  # fmt: skip


KEYS = ("preset", "variant", "batch", "pass", "path")


def fit_exponents(rows: list[dict], least: Sequence[int] = (0,)) -> list[dict]:
    """Of time and memory against pixels, from sides of ``least`` on; rows that have both.

    >>> rows = [dict.fromkeys(KEYS, "") | {"size": n, "median_ms": n**2, "peak_gb": n} for n in (1, 2)]
    >>> fit = fit_exponents(rows)[0]
    >>> round(fit["median_ms from 1"], 3), round(fit["peak_gb from 1"], 3)
    (1.0, 0.5)
    """
    groups: dict[tuple, list[dict]] = {}
    for row in rows:
        if row.get("median_ms"):
            groups.setdefault(tuple(row[k] for k in KEYS), []).append(row)
    found = []
    for key, group in groups.items():
        entry: dict[str, Any] = dict(zip(KEYS, key, strict=True))
        for name, side in product(("median_ms", "peak_gb"), least):
            points = [(2 * np.log(r["size"]), r[name]) for r in group if r["size"] >= side]
            points = [(x, np.log(y)) for x, y in points if y]
            if len({x for x, _ in points}) > 1:
                slope = np.polyfit(np.array(points)[:, 0], np.array(points)[:, 1], 1)[0]
                entry[f"{name} from {side or min(r['size'] for r in group)}"] = float(slope)
        found.append(entry)
    return found
