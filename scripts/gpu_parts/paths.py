"""One network, two ways to run it: plain, as the released code does, and fast, as train() does."""

import copy
from contextlib import nullcontext

import torch
import torch.nn.functional as F
from torch import Tensor

import dcamsr_lite as dl
from dcamsr_lite.bench.plain import Plain
from dcamsr_lite.network.super_resolver import SuperResolver

from .plan import SCALE, SEED, Plan

PATHS = {
    "plain": "as the released code computes it (dcamsr_lite.bench.plain): eager, fp32 without TF32,"
    " contiguous, explicit attention; forward in no_grad",
    "fast": "eager, bf16 autocast, channels_last, fused attention; forward in inference_mode",
}


def laid_out(model: dl.DCAMSR, path: str, device: str) -> SuperResolver:
    """A copy for a path, on the device."""
    if path == "plain":
        return Plain(model).to(device)
    return copy.deepcopy(model).to(device, memory_format=torch.channels_last)


def autocast(device: str, path: str):
    return torch.autocast(device, torch.bfloat16) if path == "fast" else nullcontext()


def forward(model: SuperResolver, path: str, lr: Tensor, ref: Tensor, *_) -> Tensor:
    with torch.inference_mode() if path == "fast" else torch.no_grad():
        with autocast(lr.device.type, path):
            return model(lr, ref)


def both(model: SuperResolver, path: str, lr: Tensor, ref: Tensor, target: Tensor) -> Tensor:
    """Forward and backward; the loss."""
    model.zero_grad(set_to_none=True)
    with autocast(lr.device.type, path):
        sr = model(lr, ref)
    loss = F.l1_loss(sr.float(), target)
    loss.backward()
    return loss.detach()


def learn(
    model: SuperResolver, path: str, optimizer: torch.optim.Optimizer, *images: Tensor
) -> Tensor:
    """One step of training; the loss."""
    loss = both(model, path, *images)
    optimizer.step()
    return loss


def random_images(plan: Plan, batch: int, size: int) -> tuple[Tensor, Tensor, Tensor]:
    """lr, ref, target. Random ones: zeros may run faster than real data."""
    draw = torch.Generator().manual_seed(SEED)
    sides = (size // SCALE, size, size)
    return tuple(torch.randn(batch, 1, n, n, generator=draw).to(plan.device) for n in sides)
