"""The sizes of everything: the real run, and the rehearsal of the same on a CPU."""

import os
from dataclasses import dataclass
from pathlib import Path

import torch

import dcamsr_lite as dl

SCALE, SEED = 4, 0


@dataclass(frozen=True)
class Plan:
    """The defaults are the real run, ``REHEARSAL`` is the tiny one."""

    out: Path
    work: Path
    real: Path | None = None
    golden: Path | None = None
    device: str = "cuda"
    size: int = 256
    sizes: tuple[int, ...] = (256, 128, 64, 512)  # what matters most comes first
    batch: int = 4  # the paper's
    patience: float = 1.0  # every clock times this: a rehearsal may meet a busy machine
    changes: tuple = ()  # to both presets, as items
    heads: int = 48
    slices: int = 18
    tests: int = 4
    shown: int = 8  # slices of a held-out volume that are judged during a training
    processes: int = max(1, (os.cpu_count() or 1) - 2)
    matrix: int = 8192
    copied: int = 2**30  # numbers
    repeats: int = 15
    pair_seconds: float = 0.3
    golden_files: tuple[str, ...] = ("golden_64_4x", "golden_64_2x")
    resumed: int = 20
    equal_steps: int = 400
    probe: int = 90
    most_steps: int = 20_000
    # The paper's. Adam's first step moves every weight by the rate: with this deep network it throws
    # the loss from 0.37 to 1.2 at 2e-4 and to 3.9 at 4e-4, and ten steps later both are alike.
    # train() clips nothing: should a number not be finite, the next rate is tried.
    rates: tuple[float, ...] = (2e-4, 1e-4)
    real_share: int = 3  # few scanners, but real ones: near half of all slices

    def network(self, preset: str, size: int | None = None, **own) -> dl.DCAMSR:
        """The same start every time; still on the CPU."""
        torch.manual_seed(SEED)
        return dl.DCAMSR(SCALE, size or self.size, preset=preset, **dict(self.changes), **own)


REHEARSAL = {
    "device": "cpu", "size": 32, "sizes": (32, 16), "batch": 2, "heads": 2, "slices": 2, "tests": 1,
    "shown": 1, "processes": 1, "matrix": 128, "copied": 2**18, "repeats": 2, "pair_seconds": 0.05,
    "golden_files": ("golden_64_2x",), "resumed": 4, "equal_steps": 4, "probe": 6, "most_steps": 8,
    "real_share": 2, "patience": 20.0,
    "changes": (("channels", 8), ("heads", 2), ("tokens", 16), ("encoder_blocks", (1, 1, 1)),
                ("decoder_blocks", (1, 1, 1, 1, 1, 1))),
}  # fmt: skip
