"""One training loop, from a laptop to eight GPUs: Adam, L1, the paper's schedule, exact resume.

>>> import numpy as np
>>> from dcamsr_lite import DCAMSR
>>> from dcamsr_lite.training.dataset import cut_slices
>>> head = np.random.default_rng(0).random((2, 32, 32), np.float32)
>>> data = cut_slices([(head, head)], scale=4)
>>> _ = train(DCAMSR(image_size=32), data, "run", steps=2, batch=2, progress=False)
>>> sorted(path.name for path in Path("run").iterdir())
['last.safetensors', 'log.csv', 'state.pt']
"""

import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from math import cos, inf, isfinite, pi
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel
from torch.nn.utils import clip_grad_norm_
from torch.utils.data import TensorDataset
from tqdm.auto import tqdm

from ..data.pairs import Pair, load_pair
from ..errors import InputError, raise_if_out_of_memory
from ..evaluation import check_pair, run_network
from ..global_state import keep_generators
from ..metrics import psnr
from ..network.parts import set_recompute
from ..network.super_resolver import SuperResolver, unwrap
from .batches import Shares, make_loader, mix_seeds
from .dataset import Slices
from .distributed import count_processes, get_rank, sum_over_processes, wait_for_all
from .finding import check_finding, measure_error, watch
from .recipe import Recipe
from .run import Run, average_weights, catch_stop, hold_folder, identify


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


@keep_generators()
def train(
    model: SuperResolver,
    data: tuple[Tensor, Tensor, Tensor] | Slices,
    out: str | Path,
    validation: Iterable = (),
    progress: bool = True,
    notes: dict[str, str] | None = None,
    texts: dict[str, str] | None = None,
    **options: Any,
) -> SuperResolver:
    """Train with Adam on the L1 loss (section 2); leaves log.csv, state.pt, last.safetensors.

    ``data`` are the tensors of ``cut_slices`` or a dataset of such slices; ``options`` the fields of
    ``Recipe``. Every so many steps the mean PSNR of the ``validation`` pairs is logged, the best
    network so far goes to best.safetensors, and everything is saved. Ctrl-C finishes the step, or the
    first one, saves and raises KeyboardInterrupt. Resumed on one CPU process it ends at the very
    weights of a run that was not interrupted, because what a step draws depends on its number alone.
    Under torchrun (``join_processes``) each process takes its part of every step.

    ``notes`` stand in the header of the weight files, ``texts`` (name: content) beside them.

    Raises InputError for an ``out`` that cannot be written, holds another run (another network,
    other data, another recipe) or other files of these names, or in which another training writes;
    for neither steps nor epochs, for validation pairs that the network
    cannot take or that lack a target, and for a loss or a gradient that is not finite: what was saved
    last is kept then. Returns the network whose weights were kept, in eval mode.
    """
    recipe = Recipe(**options)
    data = TensorDataset(*data) if isinstance(data, tuple) else data
    together = recipe.count_per_step(len(data), count_processes())
    steps = recipe.count_steps(len(data), count_processes())
    if recipe.finding:
        check_finding(model, recipe)
    if recipe.patch and model.config.upsampling != "fourier":
        raise InputError("--patch", "bilinear upsampling", "a variant with Fourier upsampling")
    if recipe.patch and model.config.consistency:  # measured k-space is that of the whole image
        raise InputError("--patch", "a network with consistency=true", "one without, or no --patch")
    last = steps if recipe.until is None else min(steps, recipe.until)
    model.normalisation = (notes or {}).get("normalisation")  # the slices do not say theirs
    scale = model.config.scale
    given = (scale, None, model.normalisation or "clean")
    pairs = [p if isinstance(p, Pair) else load_pair(p[0], p[1], *given) for p in validation]
    # on a CPU the gradient of the weights takes three times as long in channels_last
    layout = torch.channels_last if recipe.device == "cuda" else torch.contiguous_format
    model.to(recipe.device, memory_format=layout)  # type: ignore[call-overload]
    set_recompute(model, recipe.recompute)
    model.train()
    optimizer = torch.optim.Adam(model.parameters(), lr=recipe.rate)
    parts: dict[str, Any] = {"model": model, "optimizer": optimizer}
    kept = model
    if recipe.average:
        parts["average"] = average_weights(model, recipe.average)
        kept = parts["average"].module
    run = Run(out, identify(recipe, model, data, steps, together), parts, notes, texts)
    with (
        hold_folder(out),
        catch_stop() as stop_was_asked,
    ):  # a stop before the first step waits for it
        run.open(recipe.resume)
        run.compare_validation(describe_pairs(pairs))
        check_validation(model, pairs)
        wait_for_all()  # nobody writes before all have looked
        run.save(kept)  # an unwritable folder is found before the first step, not after an hour
        network = prepare_network(model, recipe)
        shares = Shares(len(data), together, recipe.seed, range(run.step, last), recipe.accumulate)
        on_gpu = recipe.device == "cuda"
        tell = recipe.finding > 0
        batches = make_loader(
            data, shares, scale, recipe.vary, recipe.workers, on_gpu, tell, recipe.patch
        )
        reader = iter(batches)
        quiet = not progress or get_rank() > 0
        bar = tqdm(total=steps, initial=run.step, desc="train", disable=quiet)
        shown = {}
        with bar:
            while run.step < last:
                started = time.perf_counter()
                rate = learning_rate(run.step, steps, recipe.rate, recipe.schedule)
                for group in optimizer.param_groups:
                    group["lr"] = rate
                optimizer.zero_grad(set_to_none=True)
                share = add_gradients(network, reader, run.step, together, recipe)
                loss, stop = sum_over_processes([share, float(stop_was_asked())])
                size = float(
                    clip_grad_norm_(model.parameters(), inf)
                )  # only measured, nothing is cut
                if not (isfinite(loss) and isfinite(size)):  # what was saved last is kept
                    number = f"gradient of {size}" if isfinite(loss) else f"loss of {loss}"
                    found = f"a {number} after {run.step} steps"
                    raise InputError(out, found, "finite numbers: try a lower rate, or no bf16")
                optimizer.step()
                if recipe.average:
                    parts["average"].update_parameters(model)
                run.step += 1
                run.seconds += time.perf_counter() - started
                run.losses.append(loss)
                bar.update()
                if run.step % recipe.every == 0 or run.step == last:
                    row = run.record(kept, rate, measure_psnr(kept, pairs))
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
    set_recompute(model, False)
    return model.eval()


def prepare_network(model: SuperResolver, recipe: Recipe) -> nn.Module:
    """The same network, compiled if asked, and kept alike in all processes."""
    network: Any = model
    if recipe.compile:
        check_compiler(recipe.device)
        network = torch.compile(network)
    return DistributedDataParallel(network) if count_processes() > 1 else network


def check_compiler(device: str) -> None:
    """Raise InputError unless torch.compile works here: it needs a C++ compiler, or Triton."""
    try:
        torch.compile(torch.sin)(torch.zeros(1, device=device))
    except Exception as error:  # each backend has its own kinds
        raise_if_out_of_memory("--compile", error)
        found = str(error).strip().split("\n")[0][:160]
        raise InputError("--compile", found, "a C++ compiler (CPU) or Triton (GPU)") from error


def add_gradients(
    network: nn.Module, reader: Iterator, step: int, together: int, recipe: Recipe
) -> float:
    """Add up the gradient of one step, part by part; this process's share of the mean loss."""
    torch.manual_seed(mix_seeds(recipe.seed, step, get_rank()))  # of dropout
    parts = range(recipe.accumulate)
    return sum(
        backpropagate(network, next(reader), part == parts[-1], together, recipe).item()
        for part in parts
    )


def backpropagate(
    network: nn.Module, batch: Sequence[Tensor], final: bool, together: int, recipe: Recipe
) -> Tensor:
    """Add the gradient of one part of a step; its share of the mean loss over ``together`` slices.

    Between processes gradients are averaged, and only once, after the ``final`` part.
    """
    device = next(network.parameters()).device
    lr, ref, target, *moved = (tensor.to(device, non_blocking=True) for tensor in batch)
    watching: AbstractContextManager[list] = watch(unwrap(network)) if moved else nullcontext([])
    with nullcontext() if final or count_processes() == 1 else network.no_sync():
        autocast = torch.autocast(device.type, torch.bfloat16, enabled=recipe.bf16)
        with watching as found, autocast:
            sr = network(lr, ref, upsampled=True) if recipe.patch else network(lr, ref)
        error = (F.l1_loss if recipe.loss == "l1" else F.mse_loss)(sr.float(), target)
        if moved:
            error = error + recipe.finding * measure_error(found[0].float(), moved[0], target)
        share = error * (len(lr) / together)
        (share * count_processes()).backward()
    return share.detach()


@torch.inference_mode()
def check_validation(model: nn.Module, pairs: list[Pair]) -> None:
    """Raise InputError for a pair that this network cannot take: before the first step, not after."""
    device = next(model.parameters()).device
    if any(pair.target is None for pair in pairs):
        raise InputError("validation", "a pair without a target", "pairs with one")
    for pair in {(p.lr.shape[-2:], p.ref.shape[-2:]): p for p in pairs}.values():
        try:
            model.eval()(pair.lr[:1].to(device), pair.ref[:1].to(device))
        except ValueError as error:
            found = f"a volume of {pair.shape[0]} x {pair.shape[1]}: {error}"
            raise InputError("validation", found, "one that the network can take") from error
    for pair in {p.normalisation: p for p in pairs}.values():
        check_pair(pair, model)
    model.train()


def describe_pairs(pairs: list[Pair]) -> list[float]:
    """A few numbers that other validation volumes hardly share, over the pairs of all processes."""
    sums = [float(len(pairs)), 0.0, 0.0, 0.0]
    for pair in pairs:
        given, reference = pair.given.images.double(), pair.reference.images.double()
        for place, value in enumerate((given.mean(), given.std(), reference.mean()), 1):
            sums[place] += float(value)
    return sum_over_processes(sums)


def measure_psnr(model: SuperResolver, pairs: list[Pair]) -> float | None:
    """Mean volume PSNR in dB over the pairs of all processes, or None without pairs."""
    values = [psnr(p.given.images, run_network(model, p, batch=4)) for p in pairs]
    summed, count = sum_over_processes([sum(values), float(len(values))])
    return round(summed / count, 3) if count else None
