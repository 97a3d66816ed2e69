"""Hard attention on a reference: the best patch for every place, found and carried over.

Grids are (h, w) features at the quarter matrix (or another level); an *index* (b, h w) names one
place of the reference for every place of the input, a *score* (b, 1, h, w) says how alike they are.
"""

from collections.abc import Callable
from itertools import product

import torch
import torch.nn.functional as F
from einops import rearrange
from torch import Tensor, nn

from ...kspace import center_pad, crop_kspace, fft2c, ifft2c
from ..config import LEVELS, Config
from ..model import Decoder, Encoder
from ..super_resolver import SuperResolver


def as_blurred_as_the_input(reference: Tensor, scale: int) -> Tensor:
    """Without the outer k-space that the input lacks: the original papers' Ref, down and up again.

    >>> image = as_blurred_as_the_input(torch.rand(1, 1, 32, 32), scale=4)
    >>> torch.allclose(as_blurred_as_the_input(image, scale=2), image, atol=1e-6)
    True
    """
    cropped = crop_kspace(fft2c(reference), scale)
    return ifft2c(center_pad(cropped, reference.shape[-2:])).real.to(reference)


def patches(x: Tensor, dilation: int = 1) -> Tensor:
    """The 3 x 3 patch around every place, with length 1: (b, c, h, w) -> (b, h w, 9 c)."""
    cut = F.unfold(x, 3, dilation=dilation, padding=dilation)
    return F.normalize(rearrange(cut, "b c n -> b n c"), dim=-1)


def gather(tokens: Tensor, index: Tensor) -> Tensor:
    """(b, n, c) at (b, m) -> (b, m, c)."""
    return tokens[torch.arange(len(tokens), device=tokens.device)[:, None], index]


def best_of_all(query: Tensor, key: Tensor) -> Tensor:
    """The reference patch of highest cosine for every patch of the input, among all: (b, h w).

    >>> x = torch.rand(1, 4, 6, 6)
    >>> torch.equal(best_of_all(x, x), torch.arange(36)[None])
    True
    """
    return (patches(query) @ patches(key).mT).argmax(-1)


def transfer(value: Tensor, index: Tensor, factor: int) -> Tensor:
    """Lay the matched patches where they belong, (3 f) x (3 f) each; where they overlap, average.

    >>> value = torch.rand(1, 4, 12, 12)
    >>> torch.allclose(transfer(value, torch.arange(36)[None], factor=2), value, atol=1e-6)
    True

    value (b, c, f h, f w), index (b, h w) -> (b, c, f h, f w). A patch is 3 x 3 cells of f x f pixels.
    Seen from one cell, each of its nine neighbours brought a patch, and with it its own idea of what
    lies here; the part of a patch that reaches over the border of the reference does not count.
    """
    cells = rearrange(value, "b c (h y) (w x) -> b (h w) (c y x)", y=factor, x=factor)
    height, width = value.shape[-2] // factor, value.shape[-1] // factor
    index = rearrange(index, "b (h w) -> b h w", h=height)
    # -2: no neighbour of it is inside
    rows, columns = (F.pad(i, (1, 1, 1, 1), value=-2) for i in (index // width, index % width))
    total, count = torch.zeros_like(cells), torch.zeros_like(cells[..., :1], dtype=torch.long)
    for y, x in product((-1, 0, 1), repeat=2):  # the neighbour above sits at row - 1: it sees y = 1
        area = (..., slice(1 - y, 1 - y + height), slice(1 - x, 1 - x + width))
        row, column = rows[area] + y, columns[area] + x
        inside = (row >= 0) & (row < height) & (column >= 0) & (column < width)
        source = rearrange((row * width + column).where(inside, 0), "b h w -> b (h w)")
        inside = rearrange(inside, "b h w -> b (h w) 1")
        total = total + gather(cells, source) * inside
        count = count + inside
    shape = {"h": height, "y": factor, "x": factor}
    return rearrange(total / count, "b (h w) (c y x) -> b c (h y) (w x)", **shape)


def enlarge(score: Tensor, factor: int) -> Tensor:
    """The score of a match for the pixels of a finer level."""
    return F.interpolate(score, scale_factor=factor, mode="bilinear")


class TextureTransfer(SuperResolver):
    """DCAMSR's encoder and decoder around a hard match; subclasses say how to find and to weigh.

    One match at the quarter matrix serves all three scales. The index has no gradient; the score
    has, and through it the features learn what is alike.
    """

    find: Callable[[Tensor, Tensor], Tensor]

    def __init__(self, config: Config):
        super().__init__(config)
        self.encoder = Encoder(config.channels, config.encoder_blocks)
        self.decoder = Decoder(config.channels, config.decoder_blocks, config.shared_sam)
        self.last = nn.Conv2d(config.channels, 1, config.last_kernel, padding="same")

    def match(self, query: Tensor, key: Tensor) -> tuple[Tensor, Tensor]:
        """Features of one level -> index (b, h w) and score (b, 1, h, w)."""
        with torch.no_grad():
            index = self.find(query, key)
        score = (patches(query) * gather(patches(key), index)).sum(-1)
        return index, rearrange(score, "b (h w) -> b 1 h w", h=query.shape[-2])

    def detail(self, up: Tensor, reference: Tensor) -> Tensor:
        blurred = as_blurred_as_the_input(reference, self.config.scale)
        features, keys, values = (self.encoder(image) for image in (up, blurred, reference))
        return self.last(self.decoder(features[-1], self.textures(features, keys, values)))

    def textures(self, features: list[Tensor], keys: list[Tensor], values: list[Tensor]) -> list:
        """One texture per level, fine to coarse."""
        index, score = self.match(features[-1], keys[-1])
        made = []
        for level, (x, value) in enumerate(zip(features, values, strict=True)):
            factor = LEVELS[-1] // LEVELS[level]
            found = transfer(value, index, factor)
            made.append(self.texture(level, x, found, enlarge(score, factor)))
        return made

    def texture(self, level: int, x: Tensor, found: Tensor, score: Tensor) -> Tensor:
        raise NotImplementedError
