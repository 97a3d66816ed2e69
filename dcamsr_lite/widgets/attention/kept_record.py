"""A record as an explorer keeps it: small. The attention is computed again when it is asked for.

>>> import torch
>>> from dcamsr_lite import trace
>>> model = DCAMSR(scale=4, image_size=32)
>>> with trace(model) as record:
...     _ = model(torch.rand(1, 1, 8, 8), torch.rand(1, 1, 32, 32))
>>> before = record.lift(1, (3, 5))
>>> kept = keep(record)
>>> dict(kept.spatial), kept.lift(1, (3, 5)).allclose(before)
({}, True)
"""

from torch import Tensor

from ...interpret.record import Levels, Record
from ...network.model import DCAMSR  # noqa: F401  of the example above
from ...network.spatial_choices import AttentionMap


class Recalled(Levels):
    """level -> attention (b, head, n, p): held where it has no keys, else made of queries and keys."""

    def __init__(self, record: Record):
        super().__init__({n: a for n, a in record.spatial.items() if record.keys[n] is None})
        self._record = record

    def __missing__(self, level: int) -> Tensor:
        record = self._record
        if level not in record.queries:
            return super().__missing__(level)
        q, k, window = record.queries[level], record.keys[level], record.windows.get(level)
        return window(q, k, record.grids[level]) if window else AttentionMap()(q, k)


def keep(record: Record) -> Record:
    """The record without what maps do not need, or can be made again; on the CPU. Changes it."""
    for levels in (record.queries, record.keys, record.footprints, record.value_norms):
        levels.update({n: x if x is None else x.cpu() for n, x in levels.items()})
    record.spatial = Recalled(record)
    record.features.clear()
    return record
