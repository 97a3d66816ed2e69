"""DCAMSR (paper, Fig. 2): encoder, three dual cross-attention transformers, fusion, decoder.

>>> import torch
>>> model = DCAMSR(scale=4, image_size=64)
>>> model(torch.rand(1, 1, 16, 16), torch.rand(1, 1, 64, 64)).shape
torch.Size([1, 1, 64, 64])
"""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .alignment import AligningTransformer, encode_as_found
from .attention import DualCrossAttentionTransformer
from .config import LEVELS, Config
from .convolution import Conv3x3, measure_spread
from .initialisation import STARTS
from .parts import Chain, Part, Recomputed
from .super_resolver import SuperResolver, upsample


class ResidualBlock(nn.Module):
    """conv, ReLU, conv, plus the input."""

    def __init__(self, channels: int):
        super().__init__()
        self.conv1 = Conv3x3(channels, channels)
        self.conv2 = Conv3x3(channels, channels)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.conv2(F.relu(self.conv1(x)))


class Stage(Chain):
    """A 3x3 convolution with ReLU, then residual blocks; stride 2 halves the image."""

    def __init__(self, inputs: int, channels: int, blocks: int, stride: int = 1):
        conv = Conv3x3(inputs, channels, stride)
        super().__init__(conv, nn.ReLU(), *(ResidualBlock(channels) for _ in range(blocks)))


class Encoder(nn.Module):
    """Features at H, H/2 and H/4, by one encoder for the upsampled input and the reference.

    The first convolution turns one image into c maps: depth-wise, as the paper's text has it, with
    multiplier c. The paper's fourth stage (H/8, low-resolution side only) opens the decoder.
    """

    def __init__(self, channels: int, blocks: tuple[int, ...]):
        super().__init__()
        sources = zip((1, channels, channels), blocks, (1, 2, 2), strict=True)
        self.stages = nn.ModuleList(Stage(i, channels, n, stride) for i, n, stride in sources)

    def forward(self, image: Tensor) -> list[Tensor]:
        features = []
        for stage in self.stages:
            image = stage(image)
            features.append(image)
        return features


class SpatialAdaptation(Recomputed):
    """SAM (Fig. 2d, after MASA): give the texture the mean and deviation of the decoder's feature.

    The maps that are learned on top start at zero. Deviation of y: unbiased, as released.
    """

    def __init__(self, channels: int):
        super().__init__()
        self.style = nn.Sequential(Conv3x3(2 * channels, channels), nn.ReLU())
        self.gamma = Conv3x3(channels, channels)
        self.beta = Conv3x3(channels, channels)
        for parameter in (*self.gamma.parameters(), *self.beta.parameters()):
            nn.init.zeros_(parameter)

    def compute(self, y: Tensor, texture: Tensor) -> Tensor:
        style = self.style(torch.cat([y, texture], dim=1))
        deviation, mean = measure_spread(y)
        gamma, beta = self.gamma(style) + deviation, self.beta(style) + mean
        return F.group_norm(texture, texture.shape[1]) * gamma + beta  # an instance norm


class Fusion(Part):
    """Fig. 2c: adapt the texture to y, concatenate, convolve, residual blocks."""

    def __init__(self, channels: int, blocks: int, adapt: SpatialAdaptation):
        super().__init__()
        self.adapt = adapt
        self.merge = Stage(2 * channels, channels, blocks)

    def compute(self, y: Tensor, texture: Tensor) -> Tensor:
        return self.merge(torch.cat([self.adapt(y, texture), y], dim=1))


class Decoder(nn.Module):
    """From the quarter-size feature down to an eighth, then up through the three fusions."""

    def __init__(self, channels: int, blocks: tuple[int, ...], shared_sam: bool):
        super().__init__()
        down, deep, join, *fusions = blocks
        self.down = Stage(channels, channels, down, stride=2)
        self.deep = Stage(channels, channels, deep)
        self.join = Stage(2 * channels, channels, join)
        sams = [SpatialAdaptation(channels) for _ in fusions]
        sams = [sams[0]] * 3 if shared_sam else sams
        self.fusions = nn.ModuleList(map(Fusion, [channels] * 3, fusions, sams))

    def forward(self, feature: Tensor, textures: list[Tensor]) -> Tensor:
        """feature (b, c, h/4, w/4), textures fine to coarse -> (b, c, h, w)."""
        y = upsample(self.deep(self.down(feature)))
        y = self.join(torch.cat([y, feature], dim=1))
        for fusion, texture in zip(self.fusions, reversed(textures), strict=True):
            y = fusion(y if y.shape == texture.shape else upsample(y), texture)
        return y


class DCAMSR(SuperResolver):
    """The network: ``model(lr, ref)``, (b,1,H/s,W/s) and (b,1,H,W) -> (b,1,H,W), normalised images.

    >>> model = DCAMSR(scale=2, image_size=32, variant="paper", multiscale=False)
    >>> model(torch.rand(1, 1, 16, 16), torch.rand(1, 1, 32, 32)).shape
    torch.Size([1, 1, 32, 32])

    ``image_size`` is an int or (h, w). ``spatial_attention`` may be a name or a function of yours
    (see attention.SpatialAttention). Every other field of Config is an option. Modes of the paper's
    Table 2: ``reference=False``, ``multiscale=False``, ``channel=False``; ours: ``spatial=False``.
    Raises ValueError for an unknown option, a wrong shape, or a size that the variant cannot take.
    """

    def __init__(
        self,
        scale: int = 4,
        image_size: int | tuple[int, int] | None = None,
        variant: str = "corrected",
        preset: str = "lite",
        spatial_attention: str | Callable | None = None,
        **options: object,
    ):
        options |= {} if image_size is None else {"image_size": image_size}
        if spatial_attention is not None:
            named = isinstance(spatial_attention, str)
            options["spatial_attention"] = spatial_attention if named else "custom"
        config = Config.make(variant, preset, scale=scale, **options)
        if config.method != "dcamsr":
            raise ValueError(f"{config.method!r} is no DCAMSR: build it with dcamsr_lite.baseline")
        super().__init__(config)
        choice = spatial_attention or config.spatial_attention
        self.encoder = Encoder(config.channels, config.encoder_blocks)
        levels = LEVELS if config.multiscale else LEVELS[-1:]
        block = AligningTransformer if config.in_sequence else DualCrossAttentionTransformer
        blocks = {str(n): block(**config.transformer(n), choice=choice) for n in levels}
        self.transformers = nn.ModuleDict(blocks)
        self.decoder = Decoder(config.channels, config.decoder_blocks, config.shared_sam)
        self.last = nn.Conv2d(config.channels, 1, config.last_kernel, padding="same")
        STARTS[config.start](self)

    def detail(self, up: Tensor, reference: Tensor) -> Tensor:
        features = self.encoder(up)
        if self.config.in_sequence:
            references = encode_as_found(self.encoder.stages, self.levels, features, reference)
        else:
            references = features if reference is up else self.encoder(reference)
        return self.last(self.decoder(features[-1], self.textures(features, references)))

    def textures(self, features: list[Tensor], references: list[Tensor]) -> list[Tensor]:
        """One texture per level, fine to coarse: what the attention found in the reference."""
        if self.config.multiscale:
            blocks = self.transformers.values()
            return [f(x, r) for f, x, r in zip(blocks, features, references, strict=True)]
        coarse = self.transformers["4"](features[-1], references[-1])
        return [upsample(coarse, 4), upsample(coarse, 2), coarse]

    @property
    def fused(self) -> bool:
        """Whether the spatial branches run torch's fused attention (False: explicit softmax)."""
        return all(branch.fused for branch in self.spatial_branches())

    @fused.setter
    def fused(self, value: bool) -> None:
        for branch in self.spatial_branches():
            branch.fused = value

    @property
    def levels(self) -> dict[int, nn.Module]:
        """The transformer block of each level."""
        return {int(name): block for name, block in self.transformers.items()}

    def spatial_branches(self) -> list:
        return [b.attention.spatial for b in self.levels.values() if b.attention.spatial]
