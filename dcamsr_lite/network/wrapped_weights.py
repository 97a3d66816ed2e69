"""Weights as other programs wrap them: an entry of a checkpoint, prefixes before the names."""

import sys
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..errors import InputError

# what wrappers put before the names: Lightning, torch.compile, several GPUs, BasicSR's averages
PREFIXES = ("network.", "_orig_mod.", "module.", "params_ema.", "params.")
CONTAINERS = ("state_dict", "params_ema", "params", "model")  # Lightning's, BasicSR's, many others'
CHECKPOINT = "a torch checkpoint or .safetensors file with plain tensors (re-save its state_dict)"


def take_state(where: object, content: Any) -> dict[str, Tensor]:
    """The state dict in what was saved: itself, or an entry of it. Which of several is said.

    >>> [*take_state("net.pth", {"epoch": 3, "state_dict": {"last.bias": torch.ones(1)}})]
    ['last.bias']

    Raises InputError, which names what is there instead.
    """
    if not isinstance(content, Mapping):
        raise InputError(where, f"no state dict but a {type(content).__name__}", CHECKPOINT)
    held = [key for key, value in content.items() if _is_state(value)]
    known = [key for key in CONTAINERS if isinstance(content.get(key), Mapping)]
    state: Any = content
    if chosen := (known or held)[:1]:
        if not known and len(held) > 1:
            raise InputError(where, f"state dicts {held}", "one of them")
        state = content[chosen[0]]
        others = [key for key in held if key != chosen[0]]
        if others or not known:
            beside = f", not {', '.join(map(repr, others))}" if known else ""
            print(f"note: {where}: {chosen[0]!r} is taken of it{beside}", file=sys.stderr)
    if not _is_state(state) and state:
        wrong = [key for key, value in state.items() if not _is_state({key: value})]
        raise InputError(where, f"no state dict: {wrong[0]!r} is no tensor"[:120], CHECKPOINT)
    return {name: torch.as_tensor(value) for name, value in state.items()}


def _is_state(value: Any) -> bool:
    """Whether it maps names to tensors, or to numpy's arrays and numbers."""
    if not isinstance(value, Mapping) or not value:
        return False
    kinds = (Tensor, np.ndarray, np.generic)
    return all(isinstance(k, str) and isinstance(v, kinds) for k, v in value.items())


def strip_prefixes(where: object, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Names as the network itself has them; of several copies of the weights the averaged one.

    >>> [*strip_prefixes("net.pth", {"module.last.bias": torch.ones(1)})]
    ['last.bias']

    Raises InputError where two sets of weights would fall together.
    """
    if averaged := {n: v for n, v in state.items() if n.startswith("params_ema.")}:
        if {*state} - {*averaged, "n_averaged"}:
            print(f"note: {where}: params_ema.* is taken of its names", file=sys.stderr)
        state = averaged
    stripped: dict[str, Tensor] = {}
    for name, value in state.items():
        own = name
        while prefix := next((p for p in PREFIXES if own.startswith(p)), ""):
            own = own.removeprefix(prefix)
        if own in stripped and not _is_same(stripped[own], value):
            found = f"two sets of weights: {name!r} and another {own!r}"
            raise InputError(where, found, "one of them in a file of its own")
        stripped[own] = value
    stripped.pop("n_averaged", None)  # AveragedModel's count of its updates
    return stripped


def _is_same(one: Tensor, other: Tensor) -> bool:
    alike = one.dtype == other.dtype and one.layout == other.layout == torch.strided
    return alike and torch.equal(one, other)
