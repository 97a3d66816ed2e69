"""What crosses from the kernel to the browser: bytes with a type, a shape and a scale.

>>> pack(torch.tensor([0.0, 3e7]), "float16")["scale"]
30000000.0
"""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from ...interpret.record import Record
from ...network.model import DCAMSR
from ...network.spatial_choices import make_resampling

FIXED = {"int8": 127, "int12": 2047, "int16": 32767}  # fixed point: the same error everywhere
SMALL = 64  # sides below are sent as they are; feature maps of larger levels at half resolution


def pack(x: Tensor, dtype: str, maps: bool = False) -> dict:
    """Values over their largest magnitude, so that no unit over- or underflows; little-endian.

    >>> pack(torch.tensor([[-2.0, 1.0]]), "int16")["shape"]
    [1, 2]

    ``dtype`` is "float16", "float32", or fixed point of 8, 12 (two values in three bytes) or 16 bits.
    ``maps``: each picture, the last two axes, has a scale of its own; then "scale" is a list.
    """
    x = x.detach().cpu().double()
    scale = x.abs().amax((-2, -1), keepdim=True) if maps else x.abs().max()
    scale = torch.where(scale == 0, 1.0, scale) / FIXED.get(dtype, 1)
    scaled = x / scale
    if dtype in FIXED:
        scaled = scaled.round()
    data = _pairs(scaled) if dtype == "int12" else scaled.to(getattr(torch, dtype))
    return {
        "data": data.contiguous().numpy().tobytes(),
        "dtype": dtype,
        "shape": list(x.shape),
        "scale": scale.flatten().tolist() if maps else float(scale),
    }


def _pairs(x: Tensor) -> Tensor:
    """Two 12-bit values in three bytes, low bits first."""
    values = F.pad(x.flatten(), (0, x.numel() % 2)).int() & 0xFFF
    first, second = values[::2], values[1::2]
    parts = [first & 0xFF, first >> 8 | (second & 0xF) << 4, second >> 4]
    return torch.stack(parts, dim=-1).to(torch.uint8)


def _unpaired(data: bytes, count: int) -> Tensor:
    low, middle, high = torch.frombuffer(bytearray(data), dtype=torch.uint8).int().reshape(-1, 3).T
    values = torch.stack([low | (middle & 0xF) << 8, middle >> 4 | high << 4], dim=-1).flatten()
    return torch.where(values > 2047, values - 4096, values)[:count]


def unpack(packed: dict) -> Tensor:
    """The float32 tensor back.

    >>> unpack(pack(torch.tensor([-2.0, 1.0]), "float16"))
    tensor([-2.,  1.])
    >>> unpack(pack(torch.tensor([[-4.0], [4.0]]), "int12"))
    tensor([[-4.],
            [ 4.]])
    """
    data, shape = packed["data"], packed["shape"]
    if packed["dtype"] == "int12":
        values = _unpaired(data, torch.Size(shape).numel())
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
    one grid go in 12 bits, or a page of the released ``lite`` would pass 6 MB. With window attention
    the side of the window goes instead, and the keys are those of all pixels. Attention that no
    query has alone goes as it is, once where the heads share it.
    """
    grid, heads = record.grids[level], record.spatial[level].shape[1]
    window = record.windows.get(level)
    footprints: Any = record.footprints.get(level)
    projection = model.levels[level].attention.spatial.project_value
    held, resample = getattr(projection, "weight", None), None
    keys = record.keys[level]
    if window:
        sent = None
    elif getattr(projection, "fixed_grid", None):
        sent = pack(footprints, "int12", maps=True)
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
        # its largest value, with float16 by 4e-3, because it is coarsest where logits are large.
        "queries": None if keys is None else pack(record.queries[level][0], "int16"),
        "keys": None if keys is None else pack(keys[0], "int16" if window else "float32"),
        "attention": pack(_share_heads(record, level), "float16") if keys is None else None,
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


def _share_heads(record: Record, level: int) -> Tensor:
    """(head, n, p), or (1, n, p) where all heads have one map."""
    attention = record.spatial[level][0]
    return (
        attention[:1] if torch.equal(attention, attention[:1].expand_as(attention)) else attention
    )


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
