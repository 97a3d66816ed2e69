"""The simulated head: real anatomy (Colin27), simulated contrasts, one seed for each subject.

>>> simulate(seed=1, size=64, slices=2, repetitions=1).images["T2"].shape
torch.Size([2, 64, 64])
"""

from .head import Head, explained_by, explained_outside_crop, simulate
from .sequences import PROTOCOL, fast_spin_echo, inversion_recovery, spin_echo

__all__ = [
    "PROTOCOL",
    "Head",
    "explained_by",
    "explained_outside_crop",
    "fast_spin_echo",
]
__all__ += ["inversion_recovery", "simulate", "spin_echo"]
