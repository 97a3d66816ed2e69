"""Goldens, fused = explicit, bf16, trace and intervene, resume: on this device."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from released.state_dict import golden_inputs, released_state_dict
from torch import Tensor

import dcamsr_lite as dl
from dcamsr_lite.training.dataset import cut_slices
from dcamsr_lite.training.loop import train

from . import ROOT
from .paths import forward, random_images
from .plan import SCALE, SEED, Plan
from .record import Clock, Record

TOLERANCE = 2e-6  # of the goldens, as in tests/network/test_released.py


def check_device(plan: Plan, record: Record, clock: Clock) -> None:
    check_goldens(plan, record)
    check_resume(plan, record)
    check_attention(plan, record)


def distance(ours: Tensor, theirs) -> float:
    ours, theirs = (torch.as_tensor(x).detach().double().cpu() for x in (ours, theirs))
    return float((ours - theirs).norm() / theirs.norm())


def check_goldens(plan: Plan, record: Record) -> None:
    """The released network's own outputs."""
    files = [ROOT / "tests" / "released" / f"{name}.npz" for name in plan.golden_files]
    for file in [*files, *([plan.golden] if plan.golden and plan.golden.is_file() else [])]:
        golden = np.load(file)
        size, scale, seed = (int(golden[k]) for k in ("image_size", "scale", "seed"))
        weights = {k: torch.from_numpy(v) for k, v in released_state_dict(size).items()}
        model = dl.load_released(weights, scale=scale).to(plan.device)
        lr, ref = (torch.from_numpy(x).to(plan.device) for x in golden_inputs(size, scale, seed))

        def check(name: str, found: Tensor, key: str = "output", file=file, golden=golden) -> None:
            record.check(f"{file.stem}, {name}", distance(found, golden[key]), TOLERANCE)

        with torch.no_grad():
            check("fp32", model(lr, ref))
            with dl.trace(model) as seen:
                explicit = model(lr, ref)
            check("traced", explicit)
            for level, name in ((1, "1"), (2, "2"), (4, "3")) if "texture_3" in golden else ():
                key = f"channel_attention_{name}"
                check(f"channel attention {level}", seen.channel[level], key)
            check("float64", model.double()(lr.double(), ref.double()))  # says whose error it is


def check_resume(plan: Plan, record: Record) -> None:
    """A training that was interrupted, beside two that were not.

    Adam makes much of a GPU's last digits where gradients are small: what differs from run to run
    is measured first, and where nothing does, the bound is the narrow one.
    """
    n = plan.resumed
    with deterministic():
        whole, again, halves = (weights_after(plan, stops) for stops in ((n,), (n,), (n // 2, n)))
    noise = distance(again, whole)
    record.check(f"{n} steps - the same again", noise)
    bound = max(1e-3, 3 * noise)
    record.check(f"{n} steps - half of them and half resumed", distance(halves, whole), bound)


@contextmanager
def deterministic() -> Iterator[None]:
    """Deterministic kernels where there are any (the antialiased resampling has none on a GPU)."""
    torch.use_deterministic_algorithms(True, warn_only=True)
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(False)


def weights_after(plan: Plan, stops: tuple[int, ...]) -> Tensor:
    """All weights of lite after a training that was interrupted at ``stops``."""
    draw, size = torch.Generator().manual_seed(SEED), min(plan.size, 64)
    data = cut_slices([tuple(torch.rand(2, 4, size, size, generator=draw))], SCALE)
    folder = plan.work / f"resume-{len(stops)}"
    shutil.rmtree(folder, ignore_errors=True)
    for stop in stops:
        model = train(
            plan.network("lite", size=size), data, folder, steps=stops[-1], until=stop, batch=2,
            rate=1e-3, bf16=plan.device == "cuda", resume=True, progress=False, device=plan.device,
        )  # fmt: skip
    return torch.cat([p.detach().flatten().cpu() for p in model.parameters()])


def check_attention(plan: Plan, record: Record) -> None:
    """Fused, explicit, in bf16, changed by an intervention, and as it was before."""
    size = min(plan.size, 128)
    lr, ref, _ = random_images(plan, 2, size)
    for name in ("corrected", "released", "window"):
        own = {"spatial_attention": "window"} if name == "window" else {"variant": name}
        model = plan.network("lite", size=size, **own).to(plan.device).eval()
        with torch.no_grad():
            fused = model(lr, ref)
            model.fused = False
            explicit = model(lr, ref)
            model.fused = True
            record.check(f"{name}, fused - explicit", distance(fused, explicit), 1e-5)
            found = distance(forward(model, "fast", lr, ref).float(), explicit)
            record.check(f"{name}, bf16 - fp32", found, 5e-2)
            with dl.intervene(model, spatial="off", channel="uniform"):
                changed = distance(model(lr, ref), fused)
            record.check(f"{name}, intervening changes nothing", float(changed < 1e-9), 0)
            record.check(f"{name}, left as it was", distance(model(lr, ref), fused), 1e-6)
