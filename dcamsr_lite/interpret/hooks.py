"""Hooks on a network while a block runs: in the thread that entered it, and nowhere else.

>>> layer = torch.nn.Identity()
>>> with hooking() as hooks:
...     hooks.after(layer, lambda module, inputs, output: 2 * output)
...     layer(21)
42
>>> hooks.acted, layer(21)
(True, 21)
"""

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from threading import Lock, get_ident
from typing import Any

import torch
from torch import nn

from ..errors import InputError


class Hooks:
    """What ``hooking`` gives: adds hooks, and knows whether one of them ran (``acted``)."""

    def __init__(self, stack: ExitStack):
        self._stack, self.thread, self.acted = stack, get_ident(), False

    def before(self, module: nn.Module, hook: Callable) -> None:
        """``hook(module, args, kwargs)`` runs before the module, and may return other arguments."""
        limited = self._limit(hook)
        handle = module.register_forward_pre_hook(limited, with_kwargs=True)
        self._stack.enter_context(handle)

    def after(self, module: nn.Module, hook: Callable, first: bool = False) -> None:
        """``hook(module, args, output)`` runs after the module, and may return another output."""
        handle = module.register_forward_hook(self._limit(hook), prepend=first)
        self._stack.enter_context(handle)

    def _limit(self, hook: Callable) -> Callable:
        def limited(module: nn.Module, *inputs: Any) -> Any:
            if getattr(module, "_is_replica", False):
                found = "a replica of DataParallel, one of several that run at once"
                raise InputError("model", found, "one network: call wrapper.module in this block")
            if self.thread != get_ident():
                return None
            self.acted = True
            return hook(module, *inputs)

        return limited


@contextmanager
def hooking() -> Iterator[Hooks]:
    """Give ``Hooks`` that are gone afterwards, from copies of the modules that were made inside, too.

    Compiled code knows nothing of hooks that came later, so that meanwhile it is run as it was written.
    """
    with _uncompiled(), ExitStack() as stack:
        hooks = Hooks(stack)
        try:
            yield hooks
        finally:
            hooks.thread = -1  # of no thread


_lock, _blocks = Lock(), ExitStack()
_inside = 0  # blocks of all threads: what torch.compile gave is switched off for all of them


@contextmanager
def _uncompiled() -> Iterator[None]:
    global _inside
    compiles = "torch._dynamo" in sys.modules and hasattr(torch.compiler, "set_stance")  # torch 2.6
    with _lock:
        if compiles and not _inside:
            _blocks.enter_context(torch.compiler.set_stance("force_eager"))
        _inside += compiles
    try:
        yield
    finally:
        with _lock:
            _inside -= compiles
            if not _inside:
                _blocks.close()
