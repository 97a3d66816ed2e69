"""Where things are, and an untrained network with nothing left at zero."""

from pathlib import Path

import torch

import dcamsr_lite as dl

ROOT = Path(__file__).resolve().parents[1]
SHARED = ROOT.parent / "shared"  # development data, beside the checkout where there is one


def awake(model: dl.DCAMSR) -> dl.DCAMSR:
    """Move every parameter off its start, so that zero-initialised paths count too."""
    generator = torch.Generator().manual_seed(2)
    with torch.no_grad():
        for parameter in model.parameters():
            noise = torch.randn(parameter.shape, generator=generator)
            parameter += 0.1 * parameter.std(correction=0) * noise + 0.01 * noise
    return model.eval()
