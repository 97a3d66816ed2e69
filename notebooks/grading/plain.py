"""Results as JSON and back: numbers, words, tuples, tensors. Reading one runs no code of its writer."""

import base64
from math import prod

import numpy as np
import torch
from torch import Tensor

KINDS = ("bool", "uint8", "int8", "int16", "int32", "int64", "float16", "bfloat16", "float32")
KINDS += ("float64", "complex64", "complex128")


def pack(x: object) -> object:
    """What JSON can hold of ``x``; of an object of another kind the name of its type alone.

    >>> pack((1, True, None, "word", ...))
    {'tuple': [1, True, None, 'word', {'untouched': True}]}
    """
    if x is None or isinstance(x, bool | str):
        return x
    if x is ...:
        return {"untouched": True}
    if isinstance(x, int | float):
        return x + 0
    if isinstance(x, complex):
        return {"complex": [x.real, x.imag]}
    if isinstance(x, np.generic):
        return pack(x.item())
    if isinstance(x, np.ndarray):
        return {"array": pack(torch.from_numpy(np.ascontiguousarray(x)))}
    if isinstance(x, tuple | list):
        return {"tuple" if isinstance(x, tuple) else "list": [pack(part) for part in x]}
    if isinstance(x, Tensor):
        return {"tensor": _pack_tensor(x)}
    return {"other": type(x).__name__}


def _pack_tensor(x: Tensor) -> list:
    x = x.detach().resolve_conj().resolve_neg().cpu().contiguous()
    data = x.reshape(-1).view(torch.uint8).numpy().tobytes() if x.numel() else b""
    return [str(x.dtype).removeprefix("torch."), list(x.shape), base64.b64encode(data).decode()]


def unpack(packed: object) -> object:
    """The result again; ValueError (or TypeError, KeyError) for what `pack` cannot have written.

    >>> unpack(pack((torch.eye(2), 0.5)))
    (tensor([[1., 0.],
            [0., 1.]]), 0.5)
    """
    if not isinstance(packed, dict):
        return packed
    [(kind, value)] = packed.items()
    if kind == "untouched":
        return ...
    if kind == "complex":
        return complex(*value)
    if kind in ("tuple", "list"):
        return (tuple if kind == "tuple" else list)(map(unpack, value))
    if kind == "tensor":
        return _unpack_tensor(*value)
    if kind == "array":
        return unpack(value).numpy()
    if kind == "other":
        return type(str(value)[:80], (), {})()
    raise ValueError(f"found a result of kind {kind!r}, which is none")


def _unpack_tensor(kind: str, shape: list[int], data: str) -> Tensor:
    if kind not in KINDS:
        raise ValueError(f"found a tensor of {kind!r}, expected one of {KINDS}")
    dtype, raw = getattr(torch, kind), bytearray(base64.b64decode(data))
    if min(shape, default=1) < 0 or len(raw) != prod(shape) * dtype.itemsize:
        raise ValueError(f"found {len(raw)} bytes for a tensor of {shape} {kind}")
    flat = torch.frombuffer(raw, dtype=dtype) if raw else torch.empty(0, dtype=dtype)
    return flat.reshape(shape)
