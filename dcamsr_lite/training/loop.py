"""One training loop, from a laptop to eight GPUs: Adam, L1, the paper's schedule, exact resume.

>>> from dcamsr_lite import DCAMSR
>>> import numpy as np
>>> head = np.random.default_rng(0).random((2, 32, 32), np.float32)
>>> data = slices([(head, head)], scale=4)
>>> _ = train(DCAMSR(image_size=32), data, "run", steps=2, batch=2, progress=False)
>>> sorted(path.name for path in Path("run").iterdir())
['last.safetensors', 'log.csv', 'state.pt']
"""

import json
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import asdict, dataclass
from math import cos, inf, isfinite, pi
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel
from torch.nn.utils import clip_grad_norm_
from torch.utils.data import Dataset, TensorDataset
from tqdm.auto import tqdm

from ..data.augmentation import choose_kinds, vary
from ..data.pairs import Pair, load_pair
from ..errors import InputError
from ..evaluation import super_resolve
from ..metrics import psnr
from ..network.model import DCAMSR
from .dataset import Shares, batches, flipped, loader, sample, seed_of, slices, sources
from .distributed import rank, total, wait, world
from .memory import memory_estimate
from .run import LOG, Run, moving_average, stop_asked

__all__ = ["LOG", "RECIPES", "Recipe", "batches", "flipped", "learning_rate", "mean_psnr"]
__all__ += ["memory_estimate", "slices", "sources", "train", "vary"]

RECIPES: dict[str, dict] = {  # the defaults of the two presets; full: the paper's (section 3)
    "lite": {"steps": 1000, "rate": 1e-3, "schedule": "cosine", "batch": 2},
    "full": {"epochs": 50, "rate": 2e-4, "schedule": "paper", "batch": 4},
}
SCHEDULES = ("paper", "cosine")


@dataclass(frozen=True)
class Recipe:
    """What decides the weights, beside the network and the data.

    >>> Recipe(batch=2, accumulate=4).together(slices=100)
    8

    A step takes ``batch`` slices at once, ``accumulate`` times, in each process. ``epochs`` go
    before ``steps``. ``variation``: kinds of ``variation.vary``. ``squared`` takes the squared error,
    which is what PSNR counts, instead of L1. ``average``: how much of the weights' moving average
    stays per step, for example 0.999; 0 is none.
    """

    steps: int = 1500
    epochs: int | None = None
    batch: int = 4
    accumulate: int = 1
    rate: float = 2e-4
    schedule: str = "paper"
    seed: int = 0
    bf16: bool = False
    variation: bool | str | tuple[str, ...] = False
    squared: bool = False
    average: float = 0.0

    def __post_init__(self):
        if self.schedule not in SCHEDULES:
            raise InputError("schedule", repr(self.schedule), f"one of {SCHEDULES}")
        if not 0 <= self.average < 1:
            raise InputError("--average", str(self.average), "0 (none) to below 1, as 0.999")

    def together(self, slices: int) -> int:
        """Slices per step over all processes, no more than there are."""
        parts = self.accumulate * world()
        if slices < parts:
            raise InputError("training data", f"{slices} slices for {parts} parts", "more slices")
        return min(self.batch * parts, slices)

    def identity(self, model: nn.Module, data: Dataset, steps: int) -> dict:
        """What two runs must share to be one; how a step is divided does not count."""
        fields = asdict(self) | {"steps": steps, "variation": [*choose_kinds(self.variation)]}
        fields |= {"batch": self.together(len(data)), "slices": len(data)}
        network = json.loads(json.dumps(asdict(model.config)))  # as it will be read
        fields |= {"data": sample(data)} | {f"network {k}": v for k, v in network.items()}
        return {k: v for k, v in fields.items() if k not in ("accumulate", "epochs")}


def learning_rate(step: int, steps: int, first: float, schedule: str = "paper") -> float:
    """The learning rate of a step.

    >>> learning_rate(79, 100, 1.0), learning_rate(80, 100, 1.0)
    (1.0, 0.1)
    >>> round(learning_rate(50, 100, 1.0, schedule="cosine"), 6)
    0.5

    "paper": constant, then a tenth for the last fifth (10 of 50 epochs). "cosine": half a wave down
    to zero, which gets further in few steps.
    """
    if schedule == "cosine":
        return first * (1 + cos(pi * step / steps)) / 2
    return first * (1.0 if step < 0.8 * steps else 0.1)


def train(
    model: DCAMSR,
    data: tuple[Tensor, Tensor, Tensor] | Dataset,
    out: str | Path,
    validation: Iterable = (),
    every: int = 250,
    resume: bool = False,
    progress: bool = True,
    device: str = "cpu",
    compiled: bool = False,
    workers: int = 0,
    until: int | None = None,
    notes: dict[str, str] | None = None,
    **recipe,
) -> DCAMSR:
    """Train with Adam on the L1 loss (section 2); leaves log.csv, state.pt, last.safetensors.

    ``data`` are the tensors of ``slices`` or a dataset of such slices; ``recipe`` the fields of
    ``Recipe``. Every ``every`` steps the mean PSNR of the ``validation`` pairs is logged, the best
    network so far goes to best.safetensors, and everything is saved. Ctrl-C finishes the step, saves
    and raises KeyboardInterrupt; ``until`` stops at a step before the schedule's end. ``resume`` goes
    on from the last save: on one CPU process to the very weights of a run that was not interrupted,
    because what a step draws depends on its number alone. Under torchrun (``processes``) each
    process takes its part of every step. ``workers`` read and vary slices ahead of the network.

    Raises InputError for an ``out`` that cannot be written or holds another run (another network,
    other data, another recipe), for validation pairs that the network cannot take, and for a loss or
    a gradient that is not finite: what was saved last is kept then. Returns the network whose weights
    were kept, in eval mode.
    """
    chosen = Recipe(**recipe)
    data = TensorDataset(*data) if isinstance(data, tuple) else data
    together = chosen.together(len(data))
    steps = chosen.epochs * (len(data) // together) if chosen.epochs else chosen.steps
    last = steps if until is None else min(steps, until)
    pairs = [p if isinstance(p, Pair) else load_pair(*p, model.config.scale) for p in validation]
    model = model.to(device, memory_format=torch.channels_last).train()
    optimizer = torch.optim.Adam(model.parameters(), lr=chosen.rate)
    parts, kept = {"model": model, "optimizer": optimizer}, model
    if chosen.average:
        parts["average"] = moving_average(model, chosen.average)
        kept = parts["average"].module
    run = Run(out, chosen.identity(model, data, steps), parts, notes)
    run.open(resume, device)
    check_validation(model, pairs)
    wait()  # nobody writes before all have looked
    run.save(kept)  # an unwritable folder is found before the first step, not after an hour
    network = prepared(model, device, compiled)
    shares = Shares(len(data), together, chosen.seed, range(run.step, last), chosen.accumulate)
    variation = choose_kinds(chosen.variation)
    reader = iter(loader(data, shares, model.config.scale, variation, workers, device == "cuda"))
    quiet = not progress or rank() > 0
    bar = tqdm(total=steps, initial=run.step, desc="train", disable=quiet)
    shown = {}
    with bar, stop_asked() as asked:
        while run.step < last:
            started = time.perf_counter()
            rate = learning_rate(run.step, steps, chosen.rate, chosen.schedule)
            for group in optimizer.param_groups:
                group["lr"] = rate
            optimizer.zero_grad(set_to_none=True)
            share = gradients(network, reader, run.step, together, chosen)
            loss, stop = total([share, float(asked())])
            size = float(clip_grad_norm_(model.parameters(), inf))  # only measured, nothing is cut
            if not (isfinite(loss) and isfinite(size)):  # what was saved last is kept
                number = f"gradient of {size}" if isfinite(loss) else f"loss of {loss}"
                found = f"a {number} after {run.step} steps"
                raise InputError(out, found, "finite numbers: try a lower rate, or no bf16")
            optimizer.step()
            if chosen.average:
                parts["average"].update_parameters(model)
            run.step += 1
            run.seconds += time.perf_counter() - started
            run.losses.append(loss)
            bar.update()
            if run.step % every == 0 or run.step == last:
                row = run.record(kept, rate, mean_psnr(kept, pairs))
                run.save(kept)
                shown = {} if row[3] is None else {"validation": f"{row[3]:.2f} dB"}
                if not quiet:
                    bar.write(f"step {row[0]}: loss {row[1]:.4f}, validation {row[3]} dB")
            elif stop:
                run.save(kept)
            bar.set_postfix({"loss": f"{loss:.4f}"} | shown, refresh=False)
            if stop and run.step < last:
                raise KeyboardInterrupt
    model.load_state_dict(kept.state_dict())
    return model.eval()


def prepared(model: DCAMSR, device: str, compiled: bool) -> nn.Module:
    """The same network, compiled if asked, and kept alike in all processes."""
    network = model
    if compiled:
        check_compiler(device)
        network = torch.compile(network)
    if world() > 1:
        network = DistributedDataParallel(network)
    return network


def check_compiler(device: str) -> None:
    """Raise InputError unless torch.compile works here: it needs a C++ compiler, or Triton."""
    try:
        torch.compile(torch.sin)(torch.zeros(1, device=device))
    except Exception as error:  # each backend has its own kinds
        found = str(error).strip().split("\n")[0][:160]
        raise InputError("--compile", found, "a C++ compiler (CPU) or Triton (GPU)") from error


def gradients(
    network: nn.Module, reader: Iterator, step: int, together: int, recipe: Recipe
) -> float:
    """Add up the gradient of one step, part by part; this process's share of the mean loss."""
    torch.manual_seed(seed_of(recipe.seed, step, rank()))  # of dropout
    parts = range(recipe.accumulate)
    return sum(
        backward(network, next(reader), part == parts[-1], together, recipe).item()
        for part in parts
    )


def backward(
    network: nn.Module, batch: Sequence[Tensor], final: bool, together: int, recipe: Recipe
) -> Tensor:
    """Add the gradient of one part of a step; its share of the mean loss over ``together`` slices.

    Between processes gradients are averaged, and only once, after the ``final`` part.
    """
    device = next(network.parameters()).device
    lr, ref, target = (tensor.to(device, non_blocking=True) for tensor in batch)
    with nullcontext() if final or world() == 1 else network.no_sync():
        with torch.autocast(device.type, torch.bfloat16, enabled=recipe.bf16):
            sr = network(lr, ref)
        error = (F.mse_loss if recipe.squared else F.l1_loss)(sr.float(), target)
        share = error * (len(lr) / together)
        (share * world()).backward()
    return share.detach()


@torch.inference_mode()
def check_validation(model: nn.Module, pairs: list[Pair]) -> None:
    """Raise InputError for a pair that this network cannot take: before the first step, not after."""
    device = next(model.parameters()).device
    for pair in pairs:
        try:
            model.eval()(pair.lr[:1].to(device), pair.ref[:1].to(device))
        except ValueError as error:
            found = f"a volume of {pair.shape[0]} x {pair.shape[1]}: {error}"
            raise InputError("validation", found, "one that the network can take") from error
    model.train()


def mean_psnr(model: DCAMSR, pairs: list[Pair]) -> float | None:
    """Mean volume PSNR in dB over the pairs of all processes, or None without pairs."""
    values = [psnr(p.target_image, super_resolve(model, p, batch=4)) for p in pairs]
    summed, count = total([sum(values), float(len(values))])
    return round(summed / count, 3) if count else None
