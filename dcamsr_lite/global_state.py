"""Torch's global settings are the user's: what we need of them holds for a block, or a function.

>>> torch.set_default_dtype(torch.float64)
>>> with single_precision():
...     torch.rand(1).dtype
torch.float32
>>> torch.rand(1).dtype
torch.float64
>>> torch.set_default_dtype(torch.float32)
"""

from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def single_precision() -> Iterator[None]:
    """New tensors are float32, and what is drawn is what it always was, whatever the default is.

    >>> with single_precision():
    ...     torch.get_default_dtype()
    torch.float32
    """
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float32)
    try:
        yield
    finally:
        torch.set_default_dtype(before)


@contextmanager
def keep_generators() -> Iterator[None]:
    """The global random numbers go on afterwards as if nothing had been drawn or seeded.

    >>> _ = torch.manual_seed(0)
    >>> with keep_generators():
    ...     _ = torch.manual_seed(7)
    >>> torch.initial_seed()
    0
    """
    devices = [torch.cuda.current_device()] if torch.cuda.is_initialized() else []
    with torch.random.fork_rng(devices):
        yield
