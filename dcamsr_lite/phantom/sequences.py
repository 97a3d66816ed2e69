"""What a scanner makes of a tissue: relaxation times, protocols and three signal equations.

>>> gray, fluid = TISSUES["gray"], TISSUES["csf"]
>>> t2 = PROTOCOL["T2"]
>>> bool(t2.signal(fluid.pd, fluid.t1, fluid.t2) > 2 * t2.signal(gray.pd, gray.t1, gray.t2))
True

Times are in milliseconds, angles in degrees, signals relative to fully relaxed water.
"""

import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass

import torch
from torch import Tensor

Value = Tensor | float


def _decay(time: float, constant: Value) -> Tensor:
    return torch.exp(-time / torch.as_tensor(constant, dtype=torch.float32))


def spin_echo(pd: Value, t1: Value, t2: Value, tr: float, te: float) -> Tensor:
    """Signal of a 90-180 spin echo: ``PD (1 - 2 E(TR - TE/2) + E(TR)) exp(-TE / T2)``.

    >>> round(float(spin_echo(pd=0.7, t1=400.0, t2=90.0, tr=500, te=18.4)), 3)
    0.399

    ``E(t) = exp(-t / T1)``; times in ms; tensors broadcast. The 180 degree pulse at TE/2 inverts
    what had recovered by then. Source: Bernstein, King, Zhou, Handbook of MRI Pulse Sequences,
    2004, section 14.3.
    """
    recovered = 1 - 2 * _decay(tr - te / 2, t1) + _decay(tr, t1)
    return pd * recovered * _decay(te, t2)


def _train(t1: Value, t2: Value, te: float, echo_train: int, flip: float) -> tuple[float, Tensor]:
    """Length of the echo train and what it leaves of the magnetisation at the effective TE."""
    # The effective echo is taken to stand in the middle of the train.
    length = 2 * te * echo_train / (echo_train + 1)
    # A refocusing pulse below 180 degrees stores cos^2(flip/2) along the field, where it decays
    # with T1 instead of T2 (stimulated echoes; Hennig and Scheffler, Magn Reson Med 46, 2001).
    transverse = math.sin(math.radians(flip) / 2) ** 2
    return length, _decay(te * transverse, t2) * _decay(te * (1 - transverse), t1)


def fast_spin_echo(
    pd: Value,
    t1: Value,
    t2: Value,
    tr: float,
    te: float,
    echo_train: int = 15,
    flip: float = 160.0,
) -> Tensor:
    """Signal of a fast spin echo: recovery after the train, decay up to the effective echo.

    >>> round(float(fast_spin_echo(pd=1.0, t1=2650.0, t2=1500.0, tr=5500, te=128)), 2)
    0.79

    ``PD (1 - exp(-(TR - train) / T1))`` times the decay at TE, in which the share
    ``cos^2(flip / 2)`` of the time counts with T1. Times in ms; tensors broadcast. Source:
    Bernstein, King, Zhou, Handbook of MRI Pulse Sequences, 2004, section 16.4.
    """
    length, echo = _train(t1, t2, te, echo_train, flip)
    return pd * (1 - _decay(tr - length, t1)) * echo


def inversion_recovery(
    pd: Value,
    t1: Value,
    t2: Value,
    tr: float,
    te: float,
    ti: float,
    echo_train: int = 15,
    flip: float = 160.0,
) -> Tensor:
    """Signed signal of an inversion-prepared fast spin echo (FLAIR): negative before the null.

    >>> fluid = inversion_recovery(pd=1.0, t1=2650.0, t2=1500.0, tr=7500, te=96, ti=1655)
    >>> bool(fluid.abs() < 0.05)
    True

    ``PD (1 - 2 exp(-TI / T1) + exp(-(TR - train) / T1))`` times the decay of ``fast_spin_echo``.
    Source: Hajnal et al., J Comput Assist Tomogr 16, 1992.
    """
    length, echo = _train(t1, t2, te, echo_train, flip)
    return pd * (1 - 2 * _decay(ti, t1) + _decay(tr - length, t1)) * echo


@dataclass(frozen=True)
class Protocol:
    """One contrast's sequence; TR, TE, TI in ms, flip (of the refocusing pulses) in degrees.

    >>> PROTOCOL["T1"].TR, dict(PROTOCOL["FLAIR"])["TI"]
    (500.0, 1655.0)
    """

    sequence: str
    TR: float
    TE: float
    TI: float = 0.0
    flip: float = 180.0
    echo_train: int = 1

    def __iter__(self) -> Iterator[tuple[str, float | str]]:
        return iter(asdict(self).items())

    def signal(self, pd: Value, t1: Value, t2: Value) -> Tensor:
        """Signal of a tissue with proton density ``pd`` and relaxation times in ms."""
        if self.sequence == "spin echo":
            return spin_echo(pd, t1, t2, self.TR, self.TE)
        if self.sequence == "fast spin echo":
            return fast_spin_echo(pd, t1, t2, self.TR, self.TE, self.echo_train, self.flip)
        return inversion_recovery(pd, t1, t2, self.TR, self.TE, self.TI, self.echo_train, self.flip)


# M4Raw (Lyu et al., Scientific Data 10, 2023).
PROTOCOL = {
    "T1": Protocol("spin echo", TR=500.0, TE=18.4),
    "T2": Protocol("fast spin echo", TR=5500.0, TE=128.0, flip=160.0, echo_train=15),
    "FLAIR": Protocol(
        "inversion recovery", TR=7500.0, TE=96.0, TI=1655.0, flip=160.0, echo_train=15
    ),
}


@dataclass(frozen=True)
class Tissue:
    """Proton density (water = 1), T1 and T2 in ms at 0.3 T."""

    pd: float
    t1: float
    t2: float


# T1: Rooney et al. (Magn Reson Med 57, 2007) measured white matter 361 and grey matter 635 ms at
# 0.2 T; the power laws of Bottomley et al. (Med Phys 11, 1984) give muscle 442 and fat 196 ms at
# 12.8 MHz. T2 hardly depends on the field; Bottomley et al. list grey 101 (13), white 92 (22),
# muscle 47, fat 84 ms; fat is longer in an echo train, whose pulses undo its J-coupling (Henkelman
# et al., J Magn Reson Imaging 2, 1992). Fluid flows and pulses, so its apparent T1 is below the 4 s
# of water at rest: the value is the one that M4Raw's inversion time nulls.
TISSUES = {
    "white": Tissue(pd=0.70, t1=365.0, t2=84.0),
    "gray": Tissue(pd=0.82, t1=635.0, t2=104.0),
    "csf": Tissue(pd=1.00, t1=2650.0, t2=1500.0),
    "fat": Tissue(pd=1.00, t1=200.0, t2=150.0),
    "soft": Tissue(pd=0.72, t1=450.0, t2=47.0),
    "lesion": Tissue(pd=0.88, t1=800.0, t2=190.0),
}
