"""Where things are, small volumes, and an untrained network with nothing left at zero."""

import ctypes
import gc
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch

import dcamsr_lite as dl
from dcamsr_lite import kspace as ks
from dcamsr_lite.cli import main

ROOT = Path(__file__).resolve().parents[1]
SHARED = ROOT.parent / "shared"  # development data, beside the checkout where there is one
SMALL = dict(channels=8, heads=2, tokens=16)


def pip(*arguments: str, python: str = sys.executable) -> None:
    """Skip where the index is out of reach; fail where pip cannot do what it is asked."""
    command = [sys.executable, "-m", "pip", "--python", python, "--disable-pip-version-check"]
    done = subprocess.run([*command, *arguments], capture_output=True, text=True)
    offline = ("No matching distribution", "Connection", "connection", "timed out")
    if done.returncode and any(word in done.stderr for word in offline):
        pytest.skip(f"pip reaches no index: {done.stderr.strip()[-200:]}")
    assert done.returncode == 0, done.stderr[-2000:]


def run(*arguments, capsys) -> tuple[int, str, str]:
    """The status of a command, and what it says on stdout and stderr."""
    status = main([str(a) for a in arguments])
    captured = capsys.readouterr()
    return status, captured.out, captured.err


def small_network(**options) -> dl.DCAMSR:
    torch.manual_seed(0)
    return dl.DCAMSR(image_size=32, **SMALL, **options)


def awake(model: dl.DCAMSR) -> dl.DCAMSR:
    """Move every parameter off its start, so that zero-initialised paths count too."""
    generator = torch.Generator().manual_seed(2)
    with torch.no_grad():
        for parameter in model.parameters():
            noise = torch.randn(parameter.shape, generator=generator)
            parameter += 0.1 * parameter.std(correction=0) * noise + 0.01 * noise
    return model.eval()


@dataclass
class Protocol:
    tr: float = 5500.0
    te: float = 128.0
    ti: float | None = None
    flip: float = 160.0
    echo_train: int = 15


def phantom(slices: int = 3, size: int = 64, seed: int = 0) -> torch.Tensor:
    """A smooth disc with texture, bright enough that its mean is far from zero."""
    generator = torch.Generator().manual_seed(seed)
    axis = torch.linspace(-1, 1, size)
    radius = (axis[:, None].square() + axis.square()).sqrt()
    disc = torch.sigmoid(40 * (0.7 - radius))
    return disc * (1 + 0.2 * torch.rand(slices, size, size, generator=generator))


def coil_kspace(slices: int = 3, size: int = 64, seed: int = 0) -> torch.Tensor:
    """Four coils with smooth complex sensitivities, one in every corner, and one head phase."""
    row, column = torch.meshgrid(*[torch.linspace(-1, 1, size)] * 2, indexing="ij")
    corners = [(-1, -1), (-1, 1), (1, -1), (1, 1)]
    coils = [
        torch.polar(torch.exp(-((row - y) ** 2 + (column - x) ** 2)), 2 * (x * row + y * column))
        for y, x in corners
    ]
    return ks.fft2c(phantom(slices, size, seed)[:, None] * torch.stack(coils))


def m4raw_kspace() -> torch.Tensor:
    data = coil_kspace(18, 256)
    data[..., :30] = 0
    data[..., 225:] = 0
    return data


PROTOCOL = {"tr": 500, "te": 18.4, "flip": 90}


def kspace(slices: int = 2, coils: int = 4, size: int = 16) -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.randn(slices, coils, size, size, dtype=torch.complex64, generator=generator)


@contextmanager
def watch_peak() -> Iterator[Callable[[], int]]:
    """How many bytes the process has grown at most since; nothing where Linux does not tell."""
    status, reset = Path("/proc/self/status"), Path("/proc/self/clear_refs")
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None) if reset.exists() else None
    if trim is None:
        yield lambda: 0
        return

    def read_status(name: str) -> int:
        return 1024 * int(status.read_text().split(f"{name}:")[1].split()[0])

    gc.collect()
    trim(0)  # what is free goes back, so that it is not used unseen
    reset.write_text("5")  # the peak is what there is now
    before = read_status("VmRSS")
    yield lambda: read_status("VmHWM") - before


def images(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).random(shape or (2, 16, 12), dtype=np.float32)
