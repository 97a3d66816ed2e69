"""What DCAMSR is compared with: networks of about its size.

>>> import torch
>>> model = baseline("concatenation", scale=2, image_size=32)
>>> model(torch.rand(1, 1, 16, 16), torch.rand(1, 1, 32, 32)).shape
torch.Size([1, 1, 32, 32])

One file per idea. All networks share DCAMSR's frame, SuperResolver: Fourier upsampling, padding,
the global residual; they train, load and are scored as it does. They keep the mechanism that their
paper is known for, and each says what was left out: their numbers are ours, not their authors'.
"""

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from ..config import Config
from ..initialisation import STARTS
from ..model import DCAMSR
from ..super_resolver import SuperResolver
from .concatenation import Concatenation
from .edsr import EDSR
from .elan import ELAN
from .masa import MASA
from .mcmrsr import McMRSR
from .minet import MINet
from .swinir import SwinIR
from .ttsr import TTSR

__all__ = ["NETWORKS", "baseline", "build"]

NETWORKS: dict[str, Callable[[Config], SuperResolver]] = {
    "concatenation": Concatenation,
    "edsr": EDSR,
    "swinir": SwinIR,
    "elan": ELAN,
    "minet": MINet,
    "ttsr": TTSR,
    "masa": MASA,
    "mcmrsr": McMRSR,
}


def baseline(
    method: str,
    scale: int = 4,
    image_size: int | tuple[int, int] = 128,
    preset: str = "lite",
    **options: Any,
) -> SuperResolver:
    """A network by the name of its method, see ``NETWORKS``; used like DCAMSR.

    >>> baseline("concatenation", channels=16).config.channels
    16

    ``options`` are fields of Config; every network takes ``channels``, ``blocks`` and
    ``consistency``. Raises ValueError for an unknown method or option.
    """
    if method not in NETWORKS:
        raise ValueError(f"method is {method!r}, expected one of {[*NETWORKS]}")
    options |= {"method": method, "scale": scale, "image_size": image_size}
    return build(Config.make("corrected", preset, **options))


def build(config: Config, **own: Any) -> SuperResolver:
    """The network that a configuration describes; ``own`` may hold a function for DCAMSR.

    >>> type(build(Config())).__name__
    'DCAMSR'
    """
    if config.method == "dcamsr":
        return DCAMSR(**(asdict(config) | own))
    network = NETWORKS[config.method](config)
    STARTS[config.start](network)
    return network
