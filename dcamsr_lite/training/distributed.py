"""Several processes under ``torchrun``, one per GPU or CPU; without it everything here is one process.

>>> get_rank(), count_processes()
(0, 1)
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import torch
import torch.distributed as dist

from ..errors import InputError


@contextmanager
def join_processes(device: str) -> Iterator[None]:
    """Join the group that torchrun has started: NCCL between GPUs, gloo between CPUs.

    >>> with join_processes("cpu"):
    ...     count_processes()
    1

    Every process takes the GPU with its own number on this machine. Raises InputError when there
    are more processes than GPUs.
    """
    if int(os.environ.get("WORLD_SIZE", 1)) == 1:
        yield
        return
    if device == "cuda":
        local, count = int(os.environ["LOCAL_RANK"]), torch.cuda.device_count()
        if local >= count:
            raise InputError("torchrun", f"process {local} beside {count} GPUs", "one for each GPU")
        torch.cuda.set_device(local)
    # two hours: one process may still be reading or judging whole volumes while the others wait
    dist.init_process_group("nccl" if device == "cuda" else "gloo", timeout=timedelta(hours=2))
    try:
        yield
    finally:
        dist.destroy_process_group()


def get_rank() -> int:
    """The number of this process, from 0: the one that writes and speaks."""
    return dist.get_rank() if dist.is_initialized() else 0


def count_processes() -> int:
    """How many processes train together."""
    return dist.get_world_size() if dist.is_initialized() else 1


def wait_for_all() -> None:
    """Until every process has come here."""
    if count_processes() > 1:
        dist.barrier()


def sum_over_processes(values: list[float]) -> list[float]:
    """The sums of the values over all processes, the same in each."""
    if count_processes() == 1:
        return values
    device = "cuda" if dist.get_backend() == "nccl" else "cpu"
    summed = torch.tensor(values, dtype=torch.float64, device=device)
    dist.all_reduce(summed)
    return summed.tolist()
