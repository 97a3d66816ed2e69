"""What crosses from the kernel to the browser: bytes with a type, a shape and a scale.

>>> pack(torch.tensor([0.0, 3e7]), "float16")["scale"]
30000000.0
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from ..model import DCAMSR
from ..tracing import Record


def pack(x: Tensor, dtype: str) -> dict:
    """Values over their largest magnitude, so that no unit over- or underflows; little-endian.

    >>> pack(torch.tensor([[-2.0, 1.0]]), "int16")["shape"]
    [1, 2]

    ``dtype`` is "float16", "float32", or "int16": fixed point, whose error is the same everywhere,
    a 65534th of the largest value.
    """
    x = x.detach().cpu().double()
    scale = float(x.abs().max()) or 1.0
    if dtype == "int16":
        scale /= 32767
    x = x / scale
    x = x.round() if dtype == "int16" else x
    data = x.to(getattr(torch, dtype)).contiguous().numpy().tobytes()
    return {"data": data, "dtype": dtype, "shape": list(x.shape), "scale": scale}


def unpack(packed: dict) -> Tensor:
    """The float32 tensor back.

    >>> unpack(pack(torch.tensor([-2.0, 1.0]), "float16"))
    tensor([-2.,  1.])
    """
    values = torch.frombuffer(bytearray(packed["data"]), dtype=getattr(torch, packed["dtype"]))
    return values.reshape(packed["shape"]).float() * packed["scale"]


def pack_level(model: DCAMSR, record: Record, level: int) -> dict:
    """One level of a record: queries (head, n, d), keys (head, p, d), footprints (p, rows, columns).

    >>> from dcamsr_lite import trace
    >>> model = DCAMSR(scale=4, image_size=32)
    >>> with trace(model) as record:
    ...     _ = model(torch.rand(1, 1, 8, 8), torch.rand(1, 1, 32, 32))
    >>> pack_level(model, record, 4)["queries"]["shape"]
    [8, 64, 4]

    Footprints that the network holds on a coarser grid go as they are held, with the two matrices
    ("resample") that bring rows and columns to the image's grid. With window attention the side of
    the window goes instead, and the keys are those of all pixels.
    """
    grid = record.grids[level]
    window = record.windows.get(level)
    footprints = record.footprints.get(level)
    held = getattr(model.transformers[str(level)].attention.spatial.project_value, "weight", None)
    resample = None
    if held is not None and held[0].numel() < footprints[0].numel():
        held = held.detach()
        sides = zip(held.shape[-2:], grid, strict=True)
        resample = [pack(_interpolation(a, b), "float32") for a, b in sides]
        footprints = held * (held[0].numel() / footprints[0].numel())
    channel = record.channel.get(level)
    return {
        "grid": list(grid),
        # Fixed point, of float16's size: at temperature 10 the worst of 2400 maps is off by 3e-4 of
        # its largest value, with float16 by 4e-3, because it is coarsest where logits are large.
        "queries": pack(record.queries[level][0], "int16"),
        "keys": pack(record.keys[level][0], "int16" if window else "float32"),
        "window": window.side if window else None,
        "footprints": None if window else pack(footprints, "float16"),
        "resample": resample,
        "channel": None if channel is None else pack(channel[0], "float32"),
        "entropy": {name: rows[0].tolist() for name, rows in record.entropy(level).items()},
    }


def _interpolation(held: int, side: int) -> Tensor:
    """(side, held): one axis of the interpolation in Projection.footprints, which is separable."""
    impulses = torch.eye(held)[None, None]
    return F.interpolate(impulses, (held, side), mode="bilinear", antialias=True)[0, 0].T
