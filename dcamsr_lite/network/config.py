"""Variants, presets, methods: every point where the networks here differ, as a switch.

>>> Config.make("released", "full").merge
'scrambled'
"""

from dataclasses import asdict, dataclass
from typing import Any

LEVELS = (1, 2, 4)  # attention at the full, half and quarter matrix
MULTIPLE = 8  # the deepest feature is an eighth of the image: sizes are padded to a multiple of it


@dataclass(frozen=True)
class Config:
    """Everything that shapes a network; it travels in the weight file. Defaults: `corrected`, `lite`.

    >>> Config.make("paper", "lite", scale=2)
    Config.make('paper', 'lite', scale=2)
    >>> Config.make("paper", "lite").last_kernel, Config(variant="paper").last_kernel
    (1, 3)
    """

    method: str = "dcamsr"  # or what the paper compares with, see dcamsr_lite.baseline
    variant: str = "corrected"
    preset: str = "lite"
    scale: int = 4
    image_size: tuple[int, int] = (128, 128)
    channels: int = 32
    heads: int = 8
    tokens: int = 64
    encoder_blocks: tuple[int, ...] = (1, 1, 1)  # at levels 1, 2, 4
    decoder_blocks: tuple[int, ...] = (1, 1, 1, 2, 1, 1)  # level 8 twice, 4, fusions 4, 2, 1
    channel_logits: str = "cosine"
    spatial_attention: str = "cosine"
    merge: str = "aligned"
    projections: int = 2
    held_footprints: int | None = 32  # side of the grid that holds them; None: the image's own grid
    local_footprints: bool = True
    dropout: float = 0.0
    norm_before_ffn: bool = True
    shared_sam: bool = False
    last_kernel: int = 3
    residual: bool = True
    upsampling: str = "fourier"  # the first step; "bilinear" is off by (scale - 1) / 2 pixels
    start: str = "he"  # see initialisation.py; "torch" lets the coarse levels fall silent
    reference: bool = True
    multiscale: bool = True
    channel: bool = True
    spatial: bool = True
    in_sequence: bool = False  # both branches read the reference as the spatial attention found it
    reach: int = 4  # of attention over offsets, in pixels of the image
    consistency: bool = False  # the output takes over the measured k-space
    blocks: tuple[int, ...] = ()  # depth of a baseline, each docstring says of what

    @classmethod
    def make(cls, variant: str, preset: str, **changes: Any) -> "Config":
        """The configuration of a variant and a preset, with ``changes`` to single fields."""
        known = CHOICES | {"variant": VARIANTS, "preset": PRESETS, "method": SIZES}
        for name, value in ({"variant": variant, "preset": preset} | changes).items():
            if name in known and value not in known[name]:
                raise ValueError(f"{name} is {value!r}, expected one of {[*known[name]]}")
        unknown = set(changes) - set(cls.__dataclass_fields__)
        if unknown:
            raise ValueError(f"unknown option {sorted(unknown)}; see dcamsr_lite.Config")
        sizes = SIZES[changes.get("method", "dcamsr")].get(preset, {})
        fields = VARIANTS[variant] | PRESETS[preset] | sizes | changes
        fields = {k: tuple(v) if isinstance(v, list) else v for k, v in fields.items()}
        if isinstance(size := fields.get("image_size", cls.image_size), int):
            size = (size, size)
        fields |= {"variant": variant, "preset": preset, "image_size": size}
        for name, value in fields.items():
            check(name, value, cls.__dataclass_fields__[name].default)
        if fields.get("in_sequence") and fields.get("spatial_attention") != "offsets":
            found = fields.get("spatial_attention", cls.spatial_attention)
            raise ValueError(f"spatial_attention is {found!r}, in_sequence takes 'offsets' alone")
        if min(size) < MULTIPLE:
            raise ValueError(f"image_size is {size}, expected at least {MULTIPLE} x {MULTIPLE}")
        return cls(**fields)

    def __repr__(self) -> str:
        """As it would be typed: what differs from the variant, preset and method alone."""
        method = {"method": self.method} if self.method != "dcamsr" else {}
        usual = asdict(Config.make(self.variant, self.preset, **method))
        changes = method | {k: v for k, v in asdict(self).items() if v != usual[k]}
        told = [repr(self.variant), repr(self.preset), *(f"{k}={v!r}" for k, v in changes.items())]
        return f"Config.make({', '.join(told)})"

    def transformer(self, level: int) -> dict:
        """Arguments of the transformer block at ``level``; sizes are padded to a multiple of 8."""
        height, width = (-(-side // MULTIPLE) * MULTIPLE // level for side in self.image_size)
        offsets = (2 * max(self.reach // level, 1) + 1) ** 2
        return {
            "channel_logits": self.channel_logits,
            "merge": self.merge,
            "channels": self.channels,
            "heads": self.heads,
            "tokens": offsets if self.spatial_attention == "offsets" else self.tokens,
            "grid": (height, width),
            "spatial": self.spatial,
            "channel": self.channel,
            "projections": self.projections,
            "held": self.held_footprints,
            "local": self.local_footprints,
            "dropout": self.dropout,
            "norm_before_ffn": self.norm_before_ffn,
        }


def check(name: str, value: Any, default: Any) -> None:
    """Raise ValueError unless a field has the kind of its default, and a size is positive.

    >>> check("channel", "False", True)
    Traceback (most recent call last):
    ...
    ValueError: channel is 'False', expected true or false
    """
    if isinstance(default, bool):
        right, expected = isinstance(value, bool), "true or false"
    elif isinstance(default, tuple):  # an empty default: any number of them
        right = isinstance(value, tuple) and all(type(n) is int and n >= 0 for n in value)
        right = right and len(value) == (len(default) or len(value))
        expected = f"{len(default) or 'a list of'} whole numbers"
    elif isinstance(default, int):
        right, expected = type(value) is int and value > 0, "a whole number above 0"
        right = right or (name, value) == ("held_footprints", None)
    elif isinstance(default, float):
        right = type(value) in (int, float) and 0 <= value < 1
        expected = "a number from 0 to below 1"
    else:
        return
    if not right:
        raise ValueError(f"{name} is {value!r}, expected {expected}")


CHOICES: dict[str, tuple] = {
    "scale": (2, 4),
    "channel_logits": ("cosine", "scaled_dot_product"),
    "merge": ("aligned", "scrambled"),
    "projections": (1, 2),
    "last_kernel": (1, 3),
    "upsampling": ("fourier", "bilinear"),
    "start": ("he", "torch"),
}
VARIANTS: dict[str, dict] = {
    "released": dict(
        spatial_attention="token_cosine",
        merge="scrambled",
        projections=1,
        held_footprints=None,
        local_footprints=False,
        dropout=0.1,
        norm_before_ffn=False,
        shared_sam=True,
        upsampling="bilinear",
        start="torch",
    ),
    "paper": dict(
        channel_logits="scaled_dot_product",
        spatial_attention="scaled_dot_product",
        held_footprints=None,
        local_footprints=False,
        last_kernel=1,
        residual=False,
        upsampling="bilinear",
        start="torch",
    ),
    "corrected": {},
    "aligned": dict(spatial_attention="offsets", in_sequence=True),
}
PRESETS: dict[str, dict] = {
    "lite": {},
    "full": dict(
        image_size=(256, 256),
        channels=64,
        encoder_blocks=(4, 4, 4),
        decoder_blocks=(2, 2, 2, 12, 8, 4),
    ),
}
# What the paper compares with, near DCAMSR's number of parameters in either preset.
SIZES: dict[str, dict[str, dict]] = {
    "dcamsr": {},
    "concatenation": {"lite": dict(blocks=(1, 6, 12)), "full": dict(blocks=(0, 1, 2))},
    "edsr": {"lite": dict(channels=64, blocks=(10,)), "full": dict(channels=128, blocks=(14,))},
    "swinir": {
        "lite": dict(channels=60, heads=6, blocks=(4,) * 5),
        "full": dict(channels=144, heads=6, blocks=(4,) * 5),
    },
    "elan": {"lite": dict(channels=72, blocks=(11,)), "full": dict(channels=180, blocks=(10,))},
    "minet": {
        "lite": dict(channels=56, blocks=(1, 1, 1, 1)),
        "full": dict(channels=104, blocks=(2, 2, 2, 2)),
    },
    "ttsr": {"lite": dict(blocks=(1, 6, 12)), "full": dict(blocks=(0, 1, 2))},
    "masa": {
        "lite": dict(decoder_blocks=(6, 6, 7, 7, 1, 1)),
        "full": dict(decoder_blocks=(4, 4, 4, 12, 8, 4)),
    },
    "mcmrsr": {
        "lite": dict(heads=4, blocks=(2, 6), decoder_blocks=(4, 4, 4, 5, 1, 1), consistency=True),
        "full": dict(blocks=(2, 6), consistency=True),
    },
}
