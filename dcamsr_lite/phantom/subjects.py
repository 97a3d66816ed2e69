"""Pairs from the simulated head: which seeds train, which validate, which are shown.

>>> pair = simulated_pair(seed=3, scale=4, size=64, slices=2)
>>> pair.lr.shape
torch.Size([2, 1, 16, 16])
"""

from functools import lru_cache

from torch import Tensor

from ..data.pairs import Pair, load_pair
from ..data.volume import Volume
from ..kspace import center_crop, ifft2c, rss
from .head import Head, simulate

# Training takes seeds from 0 on; these lie far above, so that no run can have seen them.
VALIDATION_SEED = 900_000
DEMO_SEED = 990_000
OTHER_SEED = 980_000  # the other subject, whose reference guides the wrong head
OTHER_SLICES = 18  # at most: memory and time grow with them


def simulated_volume(head: Head, contrast: str, repetition: int = 0) -> Volume:
    """One repetition of one contrast as a volume with k-space, as a reader would return it."""
    kspace = head.kspace[contrast][repetition]
    view = (head.field_of_view, head.field_of_view)
    return Volume(rss(ifft2c(kspace)), kspace=kspace, contrast=contrast, field_of_view=view)


def simulated_volumes(
    seed: int, size: int = 128, slices: int = 18, contrasts: tuple[str, str] = ("T1", "T2")
) -> tuple[Volume, Volume]:
    """One repetition of a reference and a target contrast of one simulated subject.

    >>> [v.contrast for v in simulated_volumes(seed=3, size=64, slices=2)]
    ['T1', 'T2']

    Real anatomy (Colin27), simulated contrasts: see ``dcamsr_lite.phantom.head``.
    """
    head = simulate(seed, size=size, slices=slices, repetitions=1, contrasts=contrasts)
    reference, target = contrasts
    return simulated_volume(head, reference), simulated_volume(head, target)


def simulated_pair(seed: int, scale: int, size: int = 128, slices: int = 18) -> Pair:
    """T1 guides T2 in one simulated subject.

    >>> simulated_pair(seed=3, scale=4, size=64, slices=2).contrast
    'T2'
    """
    return load_pair(*simulated_volumes(seed, size, slices), scale)


def simulated_repetitions(
    seed: int, size: int = 128, slices: int = 18, contrast: str = "T2"
) -> tuple[Tensor, Tensor]:
    """Two measurements of one simulated subject, (slice, row, column) each: they differ by noise.

    >>> from dcamsr_lite.metrics import ceiling_from_repetitions
    >>> first, second = simulated_repetitions(seed=3, size=64, slices=2)
    >>> 30 < ceiling_from_repetitions(first, second, scale=4) < 50
    True

    The first is the target of ``simulated_pair``.
    """
    head = simulate(seed, size=size, slices=slices, repetitions=2, contrasts=(contrast,))
    return simulated_volume(head, contrast).images, simulated_volume(head, contrast, 1).images


@lru_cache(maxsize=2)
def simulated_reference(
    seed: int, shape: tuple[int, int], slices: int, field_of_view: float = 240.0
) -> Tensor:
    """T1 of one simulated subject, (slice, *shape), kept for the next call; ``field_of_view`` in mm.

    >>> simulated_reference(3, (32, 30), slices=2).shape
    torch.Size([2, 32, 30])
    """
    side = max(*shape, 16)
    head = simulate(
        seed, side + side % 2, slices, 1, contrasts=("T1",), field_of_view=field_of_view
    )
    return center_crop(simulated_volume(head, "T1").images, shape).contiguous()  # not its rim
