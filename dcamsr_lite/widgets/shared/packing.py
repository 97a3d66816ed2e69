"""What crosses from the kernel to the browser: bytes with a type, a shape and a scale.

>>> pack(torch.tensor([0.0, 3e7]), "float16")["scale"]
30000000.0
"""

from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ...interpret.record import Record
from ...network.model import DCAMSR
from ...network.spatial_choices import make_resampling

FIXED = {
    f"int{bits}": bits for bits in (8, 10, 11, 12, 15, 16)
}  # fixed point: one error everywhere
SMALL = 64  # sides below are sent as they are; feature maps of larger levels at half resolution


def pack(x: Tensor, dtype: str, maps: bool = False) -> dict:
    """Values over their largest magnitude, so that no unit over- or underflows; little-endian.

    >>> pack(torch.tensor([[-2.0, 1.0]]), "int16")["shape"]
    [1, 2]

    ``dtype`` is "float16", "float32", or fixed point of 8 to 16 bits, without gaps: see FIXED.
    ``maps``: each picture, the last two axes, has a scale of its own; then "scale" is a list.
    """
    x = x.detach().cpu().double()
    scale = x.abs().amax((-2, -1), keepdim=True) if maps else x.abs().max()
    bits = FIXED.get(dtype)
    scale = torch.where(scale == 0, 1.0, scale) / (2 ** (bits - 1) - 1 if bits else 1)
    scaled = x / scale
    data = _squeeze(scaled, bits) if bits else scaled.to(getattr(torch, dtype)).numpy()
    return {
        "data": data.tobytes(),
        "dtype": dtype,
        "shape": list(x.shape),
        "scale": scale.flatten().tolist() if maps else float(scale),
    }


def _squeeze(x: Tensor, bits: int) -> np.ndarray:
    """Whole numbers as so many bits each, low bits first, one behind the other."""
    whole = x.round().flatten().numpy().astype("<i2")
    digits = np.unpackbits(whole.view(np.uint8).reshape(-1, 2), axis=1, bitorder="little")
    return np.packbits(digits[:, :bits], bitorder="little")


def _stretch(data: bytes, bits: int, count: int) -> np.ndarray:
    """What was squeezed."""
    held = np.unpackbits(np.frombuffer(data, np.uint8), bitorder="little", count=count * bits)
    digits = held.reshape(count, bits)
    signs = np.repeat(digits[:, -1:], 16 - bits, axis=1)
    return np.packbits(np.hstack([digits, signs]), bitorder="little").view("<i2")


def unpack(packed: dict) -> Tensor:
    """The float32 tensor back.

    >>> unpack(pack(torch.tensor([-2.0, 1.0]), "float16"))
    tensor([-2.,  1.])
    >>> unpack(pack(torch.tensor([[-4.0], [4.0]]), "int12"))
    tensor([[-4.],
            [ 4.]])
    """
    data, shape = packed["data"], packed["shape"]
    if bits := FIXED.get(packed["dtype"]):
        values = torch.from_numpy(_stretch(data, bits, torch.Size(shape).numel()))
    else:
        values = torch.frombuffer(bytearray(data), dtype=getattr(torch, packed["dtype"]))
    scale = torch.tensor(packed["scale"], dtype=torch.float64)
    if scale.ndim:
        scale = scale.reshape(*shape[:-2], 1, 1)
    return (values.reshape(shape).double() * scale).float()


def pack_level(model: DCAMSR, record: Record, level: int) -> dict:
    """One level of a record: queries (head, n, d), keys (head, p, d), footprints (p, rows, columns).

    >>> from dcamsr_lite import trace
    >>> model = DCAMSR(scale=4, image_size=32)
    >>> with trace(model) as record:
    ...     _ = model(torch.rand(1, 1, 8, 8), torch.rand(1, 1, 32, 32))
    >>> pack_level(model, record, 4)["queries"]["shape"]
    [8, 64, 4]

    Footprints that the network holds on a coarser grid go as they are held, with the two matrices
    ("resample") that bring rows and columns to the image's grid. Those of a network that is fixed to
    one grid, nearly half of its page, go in 11 bits, off by 5e-4 of the largest,
    or the paper's ``lite`` would leave no room below 6 MB. With window attention the side of the
    window goes instead, and the keys are those of all pixels. Attention that no query has alone goes
    as it is, once where the heads share it; that to a window, where few pixels have all, in 11 bits.
    """
    grid, heads = record.grids[level], record.spatial[level].shape[1]
    window = record.windows.get(level)
    footprints: Any = record.footprints.get(level)
    projection = model.levels[level].attention.spatial.project_value
    held, resample = getattr(projection, "weight", None), None
    keys, fixed = record.keys[level], getattr(projection, "fixed_grid", None)
    if window:
        sent = None
    elif fixed:
        sent = pack(footprints, "int11", maps=True)
    elif held is not None and held[0].numel() < footprints[0].numel():
        held = held.detach()
        sides = zip(held.shape[-2:], grid, strict=True)
        resample = [pack(make_resampling(a, b), "float32") for a, b in sides]
        sent = pack(held * (held[0].numel() / footprints[0].numel()), "float16")
    else:
        sent = pack(footprints, "float16")
    return {
        "grid": list(grid),
        "heads": model.config.heads,
        "d": model.config.channels // model.config.heads,
        # Fixed point, of float16's size: at temperature 10 the worst of 2400 maps is off by 3e-4 of
        # its largest value, with float16 by 4e-3, because it is coarsest where logits are large. A
        # scale for each head: of lite-4x-paper the worst map is off by 7e-4, in 15 bits by 2e-3.
        "queries": None if keys is None else pack(record.queries[level][0], "int16", maps=True),
        "keys": None if keys is None else pack(keys[0], "int16" if window else "float32"),
        "attention": None if keys is not None else pack_attention(record, level),
        "window": window.side if window else None,
        "footprints": sent,
        "resample": resample,
        # what all queries have in common, and which share of the rest is their own: heads, mean last
        "common": pack(record.common(level)[0], "float32"),
        "own": [_number(record.own_share(level, head)[0]) for head in (*range(heads), None)],
        "norms": _pack_norms(record, level),
        "channel": pack_channel(record, level) if level in record.channel else None,
        "entropy": {name: rows[0].tolist() for name, rows in record.entropy(level).items()},
    }


def _number(x: Tensor) -> float | None:
    return float(x) if x.isfinite() else None  # a page holds no nan


def _pack_norms(record: Record, level: int) -> dict | None:
    """How long each value is behind the output projection, (head, h, w); see ``Record.lift``."""
    norms = record.value_norms.get(level)
    return None if norms is None else pack(norms[0], "int12", maps=True)


def pack_attention(record: Record, level: int) -> dict:
    """(head, n, p), or (1, n, p) where all heads have one map."""
    attention = record.spatial[level][0]
    if torch.equal(attention, attention[:1].expand_as(attention)):
        attention = attention[:1]
    return pack(attention, "int11" if level in record.windows else "float16", maps=True)


def pack_channel(record: Record, level: int) -> dict:
    """The channel branch: its matrices (head, d, d), and the feature maps (head, d, h, w) it mixes.

    >>> from dcamsr_lite import trace
    >>> model = DCAMSR(scale=4, image_size=64)
    >>> with trace(model) as record:
    ...     _ = model(torch.rand(1, 1, 16, 16), torch.rand(1, 1, 64, 64))
    >>> pack_channel(record, 1)["value"]["shape"]
    [8, 4, 32, 32]

    ``cosine`` is between each query map and each key map, over all pixels.
    """
    maps = {kind: x[0] for kind, x in record.features[level]._asdict().items()}
    query, key = (F.normalize(maps[kind].flatten(2), dim=-1) for kind in ("query", "key"))
    halve = min(maps["query"].shape[-2:]) >= SMALL
    pooled = {kind: F.avg_pool2d(x, 2) if halve else x for kind, x in maps.items()}
    sent = {kind: pack(x, "int8", maps=True) for kind, x in pooled.items()}
    matrices = {"matrix": record.channel[level][0], "cosine": query @ key.mT}
    return sent | {name: pack(x, "float32") for name, x in matrices.items()}
