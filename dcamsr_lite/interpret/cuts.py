"""Cuts of a trained network's attention as data: named, printed, and made all at once.

>>> import torch
>>> from dcamsr_lite import DCAMSR
>>> model = DCAMSR(scale=4, image_size=32).eval()
>>> with cut(model, (Cut("channel", "uniform", levels=(4,)),)):
...     model(torch.rand(1, 1, 8, 8), torch.rand(1, 1, 32, 32)).shape
torch.Size([1, 1, 32, 32])
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from ..errors import InputError, check_one_of
from ..evaluation import Network
from ..network.model import DCAMSR
from .tracing import STATES, check_attends, check_cut, intervene

BRANCHES = ("spatial", "channel")


@dataclass(frozen=True)
class Cut:
    """One branch of the attention "off", "uniform" or "on", as ``intervene`` takes it.

    >>> print(Cut("spatial", "off", levels=(1,), heads=(0, 3)))
    spatial attention off at level 1 in heads 0, 3

    ``levels`` and ``heads`` default to all. Raises InputError; what this network does not have is
    found when it is cut.
    """

    branch: str
    state: str
    levels: tuple[int, ...] | None = None
    heads: tuple[int, ...] | None = None

    def __post_init__(self):
        check_one_of("branch", self.branch, BRANCHES)
        check_one_of("state", self.state, STATES)
        for name in ("levels", "heads"):
            value = getattr(self, name)
            if value is None:
                continue
            whole = isinstance(value, tuple | list) and value
            if not whole or any(type(number) is not int for number in value):
                raise InputError(name, repr(value), "whole numbers, or None for all")
            object.__setattr__(self, name, tuple(value))

    def __str__(self) -> str:
        words = f"{self.branch} attention {self.state}"
        for word, numbers in (("at level", self.levels), ("in head", self.heads)):
            if numbers:
                words += f" {word}{'s' * (len(numbers) > 1)} {', '.join(map(str, numbers))}"
        return words


@contextmanager
def cut(model: Network, cuts: tuple[Cut, ...]) -> Iterator[Network]:
    """All cuts at once while the block runs; of two that meet, the later one counts.

    >>> import torch
    >>> from dcamsr_lite import DCAMSR, trace
    >>> model = DCAMSR(scale=4, image_size=32).eval()
    >>> with cut(model, (Cut("spatial", "off"), Cut("spatial", "uniform", heads=(1,)))):
    ...     with trace(model) as record:
    ...         _ = model(torch.rand(1, 1, 8, 8), torch.rand(1, 1, 32, 32))
    >>> bool((record.spatial[4][:, 1] == 1 / 64).all())
    True

    Raises ValueError for a branch, level or head that the network does not have.
    """
    if not cuts:  # any network can be left whole
        yield model
        return
    attending, plan = check_cuts(model, cuts)
    with ExitStack() as stack:
        for options in plan:
            stack.enter_context(intervene(attending, **options))
        yield model


def check_cuts(model: Network, cuts: tuple[Cut, ...]) -> tuple[DCAMSR, list[dict]]:
    """The network that is cut, and the options of ``intervene`` that together are these cuts.

    >>> from dcamsr_lite import DCAMSR
    >>> check_cuts(DCAMSR(scale=4, image_size=32), (Cut("spatial", "off", (4,), (0, 3)),))[1]
    [{'spatial': 'off', 'channel': 'on', 'heads': [0, 3], 'levels': [4]}]

    Raises as ``cut``.
    """
    attending = check_attends(model, "cut; any f(lr, ref) takes an intervention on its reference")
    everywhere, heads = [*attending.levels], range(attending.config.heads)
    grid = {
        (c.branch, level, head): c.state
        for c in cuts
        for level in c.levels or everywhere
        for head in c.heads or heads
    }
    together: dict[tuple, list[int]] = {}  # intervene has one setting for all heads it is given
    for (branch, level, head), state in grid.items():
        together.setdefault((branch, level, state), []).append(head)
    plan: list[dict] = []
    for (branch, level, state), chosen in together.items():
        options = {"spatial": "on", "channel": "on", branch: state}
        plan.append({**options, "heads": chosen, "levels": [level]})
        check_cut(attending, **plan[-1])
    return attending, plan
