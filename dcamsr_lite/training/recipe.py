"""What can be chosen about a training, said once: `train`, the command line and weight files follow.

>>> recipe = Recipe.make("lite", {"steps": 50, "vary": "mirror"})
>>> recipe.steps, recipe.batch, recipe.describe()["vary"]
(50, 2, 'mirror')
"""

import argparse
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from typing import Any

from ..errors import InputError

MAX_SEED = 10**6
LENGTH = ("steps", "epochs")  # one of them
SCHEDULES, LOSSES = ("paper", "cosine"), ("l1", "l2")


def make_reader(name: str, kind: type, fits: Callable, said: str) -> Callable[[str], int | float]:
    """What argparse calls with an option's words; ``name`` is how it calls words that are no number."""

    def read(text: str):
        if not fits(value := kind(text)):
            raise argparse.ArgumentTypeError(f"{value} is not {said}")
        return value

    read.__name__ = name
    return read


positive = make_reader("positive", int, lambda n: n >= 1, "positive")
seed = make_reader("seed", int, lambda n: 0 <= n <= MAX_SEED, f"from 0 to {MAX_SEED}")
rate = make_reader("rate", float, lambda x: 0 < x < 1e30, "above 0 and below 1e30")
# unless a field says otherwise
READERS: dict[Any, Callable] = {int: positive, int | None: positive, float: float}


def declare(
    role: str, default: Any, help: str | None = None, presets: Any = (), **option: Any
) -> Any:
    """A field. Its role: "weights" if it decides them, "note" if their file says it, both, or "how".

    ``presets``: what "lite" and "full" set otherwise. ``option``: how argparse reads it.
    """
    told = {"role": role, "presets": dict(presets), "option": option | {"help": help}}
    return field(default=default, metadata=told)


@dataclass(frozen=True)
class Recipe:
    """How to train a network on data; each field is an option of ``dcamsr train``.

    >>> Recipe(batch=2, accumulate=4).count_per_step(slices=100)
    8

    A step takes ``batch`` slices at once, ``accumulate`` times, in each process. ``epochs`` go
    before ``steps``; ``until`` stops at a step before the schedule's end, and ``resume`` goes on
    from the last save. The loss "l2" is the squared error, which is what PSNR counts. ``average``:
    how much of the weights' moving average stays per step; 0 is none. ``vary``: kinds of
    ``augmentation.vary``. ``workers`` read and vary slices ahead of the network. Raises InputError
    for an unknown schedule, loss or kind.
    """

    # fmt: off
    steps: int | None = declare("weights note", 1500, "default: lite 1000",
                                {"lite": 1000, "full": None})
    epochs: int | None = declare("note", None, "default: full 50, as the paper", {"full": 50})
    until: int | None = declare("how", None, "stop there, to be resumed", metavar="N")
    batch: int = declare("weights note", 4, "at once, per process: lite 2, full 4", {"lite": 2})
    accumulate: int = declare("note", 1, "such batches per step")
    rate: float = declare("weights note", 2e-4, "Adam's; default: lite 1e-3, full 2e-4",
                          {"lite": 1e-3}, type=rate)
    schedule: str = declare("weights", "paper", "default: full paper, lite cosine",
                            {"lite": "cosine"}, choices=SCHEDULES)
    every: int = declare("how", 250, "steps between checkpoints")
    seed: int = declare("weights note", 0, type=seed)
    device: str = declare("how", "cpu", choices=("cpu", "cuda"))
    bf16: bool = declare("weights", False, "bfloat16 where the hardware is fast", action="store_true")
    compile: bool = declare("how", False, "torch.compile: slow start, faster", action="store_true")
    workers: int = declare("how", 0, "processes that read slices ahead",
                           type=int, choices=range(65), metavar="N")
    loss: str = declare("weights note", "l1", "l1: the paper's", choices=LOSSES)
    vary: tuple[str, ...] = declare(  # or a str, or True for all, until it is made
        "weights note", False, "some of geometry,mirror,contrast,curve (default: all)",
        nargs="?", const=True, metavar="KINDS")
    average: float = declare("weights note", 0.0, "keep the weights' moving average, e.g. 0.999",
                             metavar="DECAY")
    resume: bool = declare("how", False, "go on from --out", action="store_true")
    # fmt: on

    def __post_init__(self):
        from ..data.augmentation import choose_kinds  # needs torch: not for a page of help

        for name, known in (("schedule", SCHEDULES), ("loss", LOSSES)):
            if (value := getattr(self, name)) not in known:
                raise InputError(name, repr(value), f"one of {known}")
        if not 0 <= self.average < 1:
            raise InputError("--average", str(self.average), "0 (none) to below 1, as 0.999")
        object.__setattr__(self, "vary", choose_kinds(self.vary))

    @classmethod
    def make(cls, preset: str, asked: dict) -> "Recipe":
        """The recipe of "lite" or "full" (the paper's, section 3) with what was asked otherwise.

        >>> Recipe.make("full", {"steps": 9, "rate": None, "out": "run"}).rate
        0.0002

        What is None was not asked; names that are no field of a recipe are passed over.
        """
        own = {f.name: f.metadata["presets"].get(preset, f.default) for f in fields(cls)}
        chosen = {f.name: asked[f.name] for f in fields(cls) if asked.get(f.name) is not None}
        if chosen.keys() & {*LENGTH}:
            own |= dict.fromkeys(LENGTH)
        return cls(**own | chosen)

    def count_per_step(self, slices: int, processes: int = 1) -> int:
        """Slices per step over all processes, no more than there are."""
        parts = self.accumulate * processes
        if slices < parts:
            raise InputError("training data", f"{slices} slices for {parts} parts", "more slices")
        return min(self.batch * parts, slices)

    def select(self, role: str) -> dict:
        """The fields of a role, as name -> value."""
        return {f.name: getattr(self, f.name) for f in fields(self) if role in f.metadata["role"]}

    def describe(self) -> dict[str, str]:
        """What a weight file says about it."""
        notes = self.select("note") | {"vary": ",".join(self.vary) or "nothing"}
        return {name: str(value) for name, value in notes.items() if value is not None}


def add_options(parser: argparse.ArgumentParser) -> None:
    """Every field as an option; what was not asked is None, so that presets can decide."""
    length = parser.add_mutually_exclusive_group()
    for f in fields(Recipe):
        place, option = length if f.name in LENGTH else parser, dict(f.metadata["option"])
        if f.type in READERS:
            option = {"type": READERS[f.type]} | option
        place.add_argument(f"--{f.name}", default=None, **option)
