"""ELAN: shifted 1 x 1 convolutions, windows of three sizes, and attention maps used twice."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..config import Config
from ..super_resolver import pad_to_multiple
from .edsr import OnTheCoarseGrid
from .swinir import image, windows

SIDES = (4, 8, 16)


class ShiftConv(nn.Module):
    """A fifth of the channels comes from the left, right, upper and lower neighbour each.

    >>> x = torch.zeros(1, 5, 3, 3)
    >>> x[..., 1, 1] = 1
    >>> [tuple(at) for at in ShiftConv.shifted(x)[0].nonzero()[:, 1:].tolist()]
    [(1, 2), (1, 0), (2, 1), (0, 1), (1, 1)]

    A 1 x 1 convolution then sees as far as a 3 x 3 one, at a ninth of its weights.
    """

    def __init__(self, inputs: int, outputs: int):
        super().__init__()
        self.mix = nn.Conv2d(inputs, outputs, 1)

    @staticmethod
    def shifted(x: Tensor) -> Tensor:
        fifth = x.shape[1] // 5
        right, left, down, up, stay = x.split([fifth] * 4 + [x.shape[1] - 4 * fifth], dim=1)
        moved = [F.pad(right, (1, -1)), F.pad(left, (-1, 1))]
        moved += [F.pad(down, (0, 0, 1, -1)), F.pad(up, (0, 0, -1, 1))]
        return torch.cat([*moved, stay], dim=1)

    def forward(self, x: Tensor) -> Tensor:
        return self.mix(self.shifted(x))


class LocalFeatures(nn.Sequential):
    """Two shifted convolutions with ReLU between, plus the input."""

    def __init__(self, c: int):
        super().__init__(ShiftConv(c, 2 * c), nn.ReLU(), ShiftConv(2 * c, c))

    def forward(self, x: Tensor) -> Tensor:
        return x + super().forward(x)


class MultiSizeAttention(nn.Module):
    """A third of the channels in windows of 4, of 8 and of 16; queries are their own keys.

    With ``query`` False the maps of the attention before are used again, and only values are made.
    """

    def __init__(self, channels: int, query: bool):
        super().__init__()
        self.query = nn.Conv2d(channels, channels, 1) if query else None
        self.value = nn.Conv2d(channels, channels, 1)
        self.out = nn.Conv2d(channels, channels, 1)

    def forward(self, x: Tensor, maps: list[Tensor]) -> tuple[Tensor, list[Tensor]]:
        rows, columns = x.shape[-2:]
        padded = pad_to_multiple(x, SIDES[-1])
        if self.query is not None:
            thirds = zip(self.query(padded).chunk(3, dim=1), SIDES, strict=True)
            tokens = [windows(third, side) for third, side in thirds]
            maps = [(q @ q.mT / q.shape[-1] ** 0.5).softmax(-1) for q in tokens]
        values = zip(maps, self.value(padded).chunk(3, dim=1), SIDES, strict=True)
        height = padded.shape[-2]
        parts = [image(a @ windows(v, side), height, side) for a, v, side in values]
        return x + self.out(torch.cat(parts, dim=1))[..., :rows, :columns], maps


class SharedPair(nn.Module):
    """Local features, attention; local features, the same attention on new values."""

    def __init__(self, channels: int):
        super().__init__()
        self.local = nn.ModuleList(LocalFeatures(channels) for _ in range(2))
        self.attend = nn.ModuleList(MultiSizeAttention(channels, q) for q in (True, False))

    def forward(self, x: Tensor) -> Tensor:
        maps: list[Tensor] = []
        for local, attend in zip(self.local, self.attend, strict=True):
            x, maps = attend(local(x), maps)
        return x


class ELAN(OnTheCoarseGrid):
    """Long-range attention made cheap by sharing, for a single image.

    >>> from dcamsr_lite import baseline
    >>> sum(p.numel() for p in baseline("elan").parameters())
    817576

    Zhang et al., ECCV 2022, section 3. ``blocks``: (n,) pairs that share their maps; channels are a
    multiple of 3. Left out: the shift of the windows between pairs, and batch normalisation (our
    batches are small); inner products are divided by sqrt(d) instead.
    """

    def __init__(self, config: Config):
        super().__init__(config)
        (count,) = config.blocks
        self.body = nn.Sequential(*(SharedPair(config.channels) for _ in range(count)))
