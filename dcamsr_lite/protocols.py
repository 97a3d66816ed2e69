"""Named ways to score a data set, each with everything that its numbers depend on.

>>> PROTOCOLS["m4raw-4x"].scale
4
"""

from dataclasses import dataclass
from pathlib import Path

from .errors import InputError


@dataclass(frozen=True)
class Protocol:
    """What is fixed beside the metrics' convention, which is always that of ``metrics``.

    >>> print(PROTOCOLS["fastmri-2x"].describe("fastmri-2x"))
    fastmri-2x: proton density guides fat-suppressed proton density (pairs of a CSV), 2x; ...

    ``folder`` is looked for below the given one. ``clamp``: the truth is the target as the authors'
    code has it, normalised by its low-resolution image and clamped to +-6, its maximum the range.
    """

    scale: int
    pairs: str
    folder: str
    order: str = "coils"
    clamp: bool = True

    def describe(self, name: str) -> str:
        """One line on everything that it fixes.

        >>> "coil" in PROTOCOLS["m4raw-2x"].describe("m4raw-2x")
        True
        """
        said = f"{name}: {self.pairs}, {self.scale}x; split: {self.folder} where it is there"
        said += ", all subjects; k-space of each coil is cropped, magnitude, root-sum-of-squares"
        said += "; truth: the target clamped at 6 deviations of its low-resolution image, its"
        said += " maximum is the range; networks get what they were trained with, others the"
        return f"{said} authors' normalisation"

    def find_data(self, data: str) -> str:
        """The split's folder below the given one, or the given one.

        >>> PROTOCOLS["m4raw-4x"].find_data("nowhere")
        'nowhere'
        """
        below = Path(data) / self.folder
        return str(below) if below.is_dir() else data


M4RAW = "repetition k of T1 guides repetition k of T2, one pair each"
KNEES = "proton density guides fat-suppressed proton density (pairs of a CSV)"
PROTOCOLS = {
    f"{name}-{scale}x": Protocol(scale, pairs, folder)
    for name, pairs, folder in (
        ("m4raw", M4RAW, "multicoil_val"),
        ("fastmri", KNEES, "singlecoil_val"),
    )
    for scale in (4, 2)
}


def choose_protocol(name: str) -> Protocol:
    """A protocol by its name. Raises InputError with all names.

    >>> choose_protocol("m4raw-2x").scale
    2
    """
    if name not in PROTOCOLS:
        known = ", ".join(PROTOCOLS)
        raise InputError("--protocol", repr(name), f"{known}, or list, which explains them")
    return PROTOCOLS[name]
