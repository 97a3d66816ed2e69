"""Hard attention on a reference: the best patch for every place, found and carried over.

Grids are (h, w) features at the quarter matrix (or another level); an *index* (b, h w) names one
place of the reference for every place of the input, a *score* (b, 1, h, w) says how alike they are.
"""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from einops import rearrange, repeat
from torch import Tensor, nn

from ..config import LEVELS, Config
from ..frame import SuperResolver
from ..kspace import center_pad, crop_kspace, fft2c, ifft2c
from ..model import Decoder, Encoder


def as_blurred_as_the_input(reference: Tensor, scale: int) -> Tensor:
    """Without the outer k-space that the input lacks: the original papers' Ref, down and up again.

    >>> image = as_blurred_as_the_input(torch.rand(1, 1, 32, 32), scale=4)
    >>> torch.allclose(as_blurred_as_the_input(image, scale=2), image, atol=1e-6)
    True
    """
    cropped = crop_kspace(fft2c(reference), scale)
    return ifft2c(center_pad(cropped, reference.shape[-2:])).real


def patches(x: Tensor, dilation: int = 1) -> Tensor:
    """The 3 x 3 patch around every place, with length 1: (b, c, h, w) -> (b, h w, 9 c)."""
    cut = F.unfold(x, 3, dilation=dilation, padding=dilation)
    return F.normalize(rearrange(cut, "b c n -> b n c"), dim=-1)


def gather(tokens: Tensor, index: Tensor) -> Tensor:
    """(b, n, c) at (b, m) -> (b, m, c)."""
    return tokens.gather(1, repeat(index, "b m -> b m c", c=tokens.shape[-1]))


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

    value (b, c, f h, f w), index (b, h w) -> (b, c, f h, f w).
    """
    how = {"kernel_size": 3 * factor, "stride": factor, "padding": factor}

    def lay(image: Tensor) -> Tensor:
        cut = rearrange(F.unfold(image, **how), "b c n -> b n c")
        return F.fold(rearrange(gather(cut, index), "b n c -> b c n"), value.shape[-2:], **how)

    # a patch from the border holds zeros from beyond it, which do not count
    return lay(value) / lay(torch.ones_like(value[:, :1])).clamp_min(1)


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
