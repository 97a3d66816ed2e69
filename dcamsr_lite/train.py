"""One training loop: Adam, L1, the paper's schedule; a seed, a progress bar, a log, exact resume.

>>> from dcamsr_lite import DCAMSR
>>> import numpy as np
>>> head = np.random.default_rng(0).random((2, 32, 32), np.float32)
>>> tensors = slices([(head, head)], scale=4)
>>> _ = train(DCAMSR(image_size=32), tensors, "run", steps=2, batch=2, progress=False)
>>> sorted(path.name for path in Path("run").iterdir())
['last.safetensors', 'log.csv', 'state.pt']
"""

import csv
import json
import time
from collections.abc import Iterable, Iterator, Sequence
from math import cos, pi
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor
from tqdm.auto import tqdm

from .checkpoints import save
from .config import Config
from .data import Pair, find_pairs, load_pair, read_pairs_csv
from .errors import InputError, atomic_path
from .evaluation import super_resolve
from .files import read_volume
from .kspace import degrade, fft2c, ifft2c
from .metrics import psnr
from .model import DCAMSR
from .simulated import simulated_volumes
from .volume import Volume

LOG = ("step", "loss", "learning_rate", "validation_psnr", "seconds")


def sources(
    names: Sequence[str], scale: int, size: int, first_seed: int, subjects: int
) -> Iterator[tuple]:
    """Pairs named on the command line: ``simulated``, a folder in M4Raw's layout, or a CSV.

    >>> [*sources([], scale=4, size=128, first_seed=0, subjects=1)]
    []
    """
    for name in names:
        if name == "simulated":
            for seed in range(first_seed, first_seed + subjects):
                yield simulated_volumes(seed, size=size)
        else:
            listed = find_pairs(name) if Path(name).is_dir() else read_pairs_csv(name)
            yield from ((reference, target) for reference, target, _ in listed)


def settings(pairs: Sequence[str]) -> dict:
    """KEY=VALUE options; a value is JSON where it reads as such, else a string.

    >>> settings(["channel=false", "merge=scrambled"])
    {'channel': False, 'merge': 'scrambled'}
    """
    chosen = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals:
            raise InputError("--set", repr(pair), "KEY=VALUE")
        try:
            chosen[key] = json.loads(value)
        except ValueError:
            chosen[key] = value
    return chosen


def flipped(volume: Volume) -> Volume:
    """Left and right exchanged, in k-space too: another head, for the price of none.

    The image is flipped *before* it is degraded: a crop keeps pixel 0 of both grids in one place,
    so a flipped low-resolution image does not belong to the flipped target.
    """
    kspace = volume.kspace
    if kspace is not None:
        kspace = fft2c(ifft2c(kspace).flip(-1))
    return Volume(volume.images.flip(-1), kspace=kspace)


def slices(pairs: Iterable, scale: int, flip: bool = True) -> tuple[Tensor, Tensor, Tensor]:
    """All slices of (reference, target) volumes as training tensors lr, ref, target.

    >>> lr, ref, target = slices([(torch.rand(3, 32, 32), torch.rand(3, 32, 32))], scale=4)
    >>> lr.shape, ref.shape
    (torch.Size([6, 1, 8, 8]), torch.Size([6, 1, 32, 32]))

    Slices with a target below a quarter of the brightest slice's mean are left out: air and skull.
    Raises InputError when the volumes differ in size.
    """
    parts: list[tuple[Tensor, Tensor, Tensor]] = []
    for pair in pairs:
        volumes = [read_volume(source) for source in pair]
        for turned in (False, True) if flip else (False,):
            pair = load_pair(*map(flipped, volumes) if turned else volumes, scale)
            brightness = pair.target_image.mean((-2, -1))
            keep = brightness > brightness.max() / 4
            parts.append((pair.lr[keep], pair.ref[keep], pair.target[keep]))
            if pair.ref.shape[-2:] != parts[0][1].shape[-2:]:
                found = f"{tuple(pair.ref.shape[-2:])} beside {tuple(parts[0][1].shape[-2:])}"
                raise InputError(pair.target_path, found, "volumes of one size")
    if not parts:
        raise InputError("training data", "no pairs", "at least one reference and target")
    return tuple(torch.cat(tensors) for tensors in zip(*parts, strict=True))


def vary(lr: Tensor, ref: Tensor, target: Tensor, scale: int) -> tuple[Tensor, Tensor, Tensor]:
    """Half of a batch as other scanners might show it: mirrored, other contrasts, other shading.

    >>> lr, ref, target = vary(torch.rand(2, 1, 8, 8), *torch.rand(2, 2, 1, 32, 32), scale=4)
    >>> lr.shape, target.shape
    (torch.Size([2, 1, 8, 8]), torch.Size([2, 1, 32, 32]))

    What a network learns from few scanners about how T1 turns into T2 does not hold on the next one;
    here it changes from slice to slice and has to be read off the low-resolution image. The varied
    target is degraded anew. Normalised images in and out; draws from torch's global generator.
    """
    lr, ref, target = lr.clone(), ref.clone(), target.clone()
    for i in range(len(lr)):
        if torch.rand(()) < 0.5:
            continue
        turns = [axis for axis in (-2, -1) if torch.rand(()) < 0.5]
        ref[i], full = (_other_scanner(image[i].flip(turns)) for image in (ref, target))
        low = degrade(full, scale, order="image")
        std, mean = torch.std_mean(low)
        std = std.clamp_min(1e-6)
        lr[i], target[i] = (low - mean) / std, (full - mean) / std
        std, mean = torch.std_mean(ref[i])
        ref[i] = (ref[i] - mean) / std.clamp_min(1e-6)  # a reference may end before the target does
    return lr, ref, target


def _other_scanner(image: Tensor) -> Tensor:
    """(1, h, w) -> between 0 and about 1, with a random gamma and a smooth random shading."""
    unit = (image - image.min()) / (image.max() - image.min()).clamp_min(1e-6)
    gamma = (0.8 * torch.rand(()) - 0.4).exp().to(image.device)
    coarse = 0.15 * torch.randn(1, 1, 3, 3).to(image.device)
    shading = F.interpolate(coarse, image.shape[-2:], mode="bicubic")[0].exp()
    return unit**gamma * shading


def batches(count: int, batch: int, seed: int, start: int) -> Iterator[Tensor]:
    """Endless batches of indices, shuffled anew each epoch; ``start`` batches are passed over.

    >>> torch.equal(next(batches(10, 2, seed=0, start=7)), [*zip(range(8), batches(10, 2, 0, 0))][7][1])
    True
    """
    batch, step = min(batch, count), 0
    for epoch in range(2**62):
        order = torch.randperm(count, generator=torch.Generator().manual_seed(seed * 10**6 + epoch))
        for indices in order.split(batch):
            if len(indices) == batch:
                if step >= start:
                    yield indices
                step += 1


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
    tensors: tuple[Tensor, Tensor, Tensor],
    out: str | Path,
    steps: int = 1500,
    batch: int = 4,
    rate: float = 2e-4,
    schedule: str = "paper",
    seed: int = 0,
    validation: Iterable = (),
    every: int = 250,
    resume: bool = False,
    progress: bool = True,
    device: str = "cpu",
    bf16: bool = False,
    variation: bool = False,
    squared: bool = False,
    until: int | None = None,
    notes: dict[str, str] | None = None,
) -> DCAMSR:
    """Train with Adam on the L1 loss (section 2) and leave log.csv, state.pt, last.safetensors.

    ``squared`` takes the squared error instead, which is what PSNR counts; ``until`` stops at a step
    before the schedule's end, to be resumed.

    Every ``every`` steps the mean PSNR of the ``validation`` pairs is logged and everything is saved,
    each file whole or not at all. An interrupt saves too; ``resume`` goes on from there, with the
    same batches. Raises InputError for an ``out`` that cannot be written or holds another run.
    """
    out = Path(out)
    validation = [
        p if isinstance(p, Pair) else load_pair(*p, model.config.scale) for p in validation
    ]
    model = model.to(device, memory_format=torch.channels_last).train()
    optimizer = torch.optim.Adam(model.parameters(), lr=rate)
    identity = {"steps": steps, "batch": batch, "rate": rate, "schedule": schedule, "seed": seed}
    identity |= {"bf16": bf16, "variation": variation, "squared": squared}
    last = steps if until is None else min(steps, until)
    done, seconds, rows = 0, 0.0, []
    state_file = out / "state.pt"
    if resume and state_file.is_file():
        state = torch.load(state_file, map_location=device, weights_only=True)
        if state["identity"] != identity:
            raise InputError(state_file, f"a run with {state['identity']}", f"{identity}")
        model.load_state_dict(state["model"])
        optimizer.load_state_dict(state["optimizer"])
        set_random_state(state["rng"], device)
        done, seconds, rows = state["step"], state["seconds"], state["rows"]
    elif state_file.exists():
        raise InputError(out, "an earlier run", "an empty folder, or --resume")
    else:
        torch.manual_seed(seed)
    rng = random_state(device)

    def checkpoint(step: int) -> None:
        state = {"model": model.state_dict(), "optimizer": optimizer.state_dict(), "step": step}
        state |= {"identity": identity, "rng": rng, "rows": rows}
        with atomic_path(state_file) as temporary:
            torch.save(state | {"seconds": seconds}, temporary)
        save(model, out / "last.safetensors", **(notes or {}))
        with atomic_path(out / "log.csv") as temporary, open(temporary, "w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(LOG)
            writer.writerows(rows)

    checkpoint(done)  # an unwritable folder is found before the first step, not after an hour
    bar = tqdm(total=steps, initial=done, desc="train", disable=not progress)
    recent, saved = [], done
    try:
        for indices in batches(len(tensors[0]), batch, seed, done):
            if done >= last:
                break
            started = time.perf_counter()
            lr, ref, target = (t[indices].to(device) for t in tensors)
            for group in optimizer.param_groups:
                group["lr"] = learning_rate(done, steps, rate, schedule)
            if variation:
                lr, ref, target = vary(lr, ref, target, model.config.scale)
            with torch.autocast(torch.device(device).type, torch.bfloat16, enabled=bf16):
                sr = model(lr, ref)
            error = (F.mse_loss if squared else F.l1_loss)(sr.float(), target)
            if not error.isfinite():  # before the step: the weights are still those of `done`
                found = f"a loss of {error.item()} after {done} steps"
                raise InputError(out, found, "finite numbers: try a lower rate, or no bf16")
            optimizer.zero_grad(set_to_none=True)
            error.backward()
            optimizer.step()
            done += 1
            rng = random_state(device)  # of dropout: a step that was cut short counts as none
            seconds += time.perf_counter() - started
            recent.append(error.item())
            bar.update()
            bar.set_postfix(loss=f"{recent[-1]:.4f}", refresh=False)
            if done % every == 0 or done == last:
                quality = mean_psnr(model, validation)
                mean_loss = sum(recent) / len(recent)
                used = optimizer.param_groups[0]["lr"]
                rows.append([done, round(mean_loss, 5), used, quality, round(seconds, 1)])
                recent = []
                checkpoint(done)
                saved = done
                if progress:
                    bar.write(f"step {done}: loss {mean_loss:.4f}, validation {quality} dB")
    finally:
        bar.close()
        if saved < done:
            checkpoint(done)
    return model.eval()


def random_state(device: str) -> list[Tensor]:
    """The generators that dropout draws from."""
    states = [torch.get_rng_state()]
    return states + ([torch.cuda.get_rng_state()] if device == "cuda" else [])


def set_random_state(states: list[Tensor], device: str) -> None:
    torch.set_rng_state(states[0].cpu())
    if device == "cuda" and len(states) > 1:
        torch.cuda.set_rng_state(states[1].cpu())


def mean_psnr(model: DCAMSR, pairs: list[Pair]) -> float | None:
    """Mean volume PSNR in dB, or None without pairs."""
    if not pairs:
        return None
    values = [psnr(p.target_image, super_resolve(model, p, batch=4)) for p in pairs]
    return round(sum(values) / len(values), 3)


def memory_estimate(config: Config, batch: int) -> float:
    """A rough figure of the gigabytes that one training step of this network holds.

    >>> memory_estimate(Config(), batch=4) < 4
    True

    Counts the feature maps kept for the backward pass, about six per residual block and twenty per
    level for attention and fusion, in float32. On a CPU, lite and full, 128 and 256, it was within
    40 % of the growth of the process.
    """
    pixels = config.image_size[0] * config.image_size[1]
    encoder = sum(2 * n / 4**i for i, n in enumerate(config.encoder_blocks))
    decoder = sum(n / 4**i for n, i in zip(config.decoder_blocks, (3, 3, 2, 2, 1, 0), strict=True))
    maps = 6 * (encoder + decoder) + 20 * (1 + 1 / 4 + 1 / 16)
    attention = 8 * config.heads / config.channels * config.tokens / 8
    return round(4 * batch * pixels * config.channels * (maps + attention) / 1e9, 2)
