"""Pairs from the simulated head: which seeds train, which validate, which are shown.

>>> pair, _ = simulated_pair(seed=3, scale=4, size=64, slices=2)
>>> pair.lr.shape
torch.Size([2, 1, 16, 16])
"""

from torch import Tensor

from . import brain
from .data import Pair, load_pair
from .kspace import ifft2c, rss
from .volume import Volume

# Training takes seeds from 0 on; these two lie far above, so that no run can have seen them.
VALIDATION_SEED = 900_000
DEMO_SEED = 990_000


def simulated_volume(head: "brain.Head", contrast: str, repetition: int = 0) -> Volume:
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

    Real anatomy (Colin27), simulated contrasts: see ``dcamsr_lite.brain``.
    """
    head = brain.simulate(seed, size=size, slices=slices, repetitions=1, contrasts=contrasts)
    return tuple(simulated_volume(head, contrast) for contrast in contrasts)


def simulated_pair(
    seed: int, scale: int, size: int = 128, slices: int = 18, repetitions: int = 1
) -> tuple[Pair, Tensor | None]:
    """T1 guides T2 in one simulated subject; and T2's second repetition if there is one."""
    head = brain.simulate(
        seed, size=size, slices=slices, repetitions=repetitions, contrasts=("T1", "T2")
    )
    volumes = (simulated_volume(head, "T1"), simulated_volume(head, "T2"))
    again = simulated_volume(head, "T2", 1).images if repetitions > 1 else None
    return load_pair(*volumes, scale), again
