"""How much memory a training step needs, and how much there is."""

from pathlib import Path

import torch

from ..data.memory import count_memory
from ..errors import InputError
from ..network.config import Config

CGROUP_LIMIT = Path("/sys/fs/cgroup/memory.max")  # of a container: less than the machine has


def estimate_memory(config: Config, batch: int) -> float:
    """A rough figure of the gigabytes that one training step of this network holds.

    >>> estimate_memory(Config(), batch=4), estimate_memory(Config(), batch=8)
    (0.56, 1.12)

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


def measure_memory(device: str) -> float:
    """Gigabytes: what is free on the current GPU; on a CPU what the machine or the container has."""
    if device == "cuda":
        return torch.cuda.mem_get_info()[0] / 1e9
    return count_memory(CGROUP_LIMIT) / 1e9


def check_memory(config: Config, batch: int, device: str, processes: int = 1) -> float:
    """The estimate for ``batch`` slices at once; InputError when the device holds less.

    >>> check_memory(Config(), 10**6, "cpu")
    Traceback (most recent call last):
    ...
    dcamsr_lite.errors.InputError: --batch 1000000: found about ... GB where cpu has ...
    """
    needed, there = estimate_memory(config, batch), measure_memory(device) / processes
    if needed > there:
        fits = int(batch * there / needed)
        less = f"--batch {fits} --accumulate {-(-batch // fits)}" if fits else "a smaller image"
        found = f"about {needed:.1f} GB where {device} has {there:.1f} GB for each process"
        raise InputError(f"--batch {batch}", found, f"{less}, or --preset lite")
    return needed
