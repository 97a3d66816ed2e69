"""What can be chosen about a training, said once: `train`, the command line and weight files follow.

>>> recipe = Recipe.make("lite", {"steps": 50, "vary": "mirror"})
>>> recipe.steps, recipe.batch, recipe.describe()["vary"]
(50, 2, 'mirror')
"""

import argparse
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from math import inf
from typing import Any, ClassVar, TypeVar

from ..errors import InputError
from ..network.config import MULTIPLE

MAX_SEED = 10**6
LENGTH = ("steps", "epochs")  # one of them
PAPER_STEP = 32  # slices: a batch of 4 on each of 8 GPUs
SCHEDULES, LOSSES = ("paper", "cosine"), ("l1", "l2")
ORDERS, NORMALISATIONS = ("coils", "image"), ("clean", "released")


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
workers = make_reader("workers", int, lambda n: 0 <= n <= 64, "from 0 to 64")
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


T = TypeVar("T", bound="Choices")


class Choices:
    """A dataclass of declared fields: presets fill in what was not asked."""

    __dataclass_fields__: ClassVar[dict]

    @classmethod
    def make(cls: type[T], preset: str, asked: dict) -> T:
        """The choices of "lite" or "full" (the paper's, section 3) with what was asked otherwise.

        >>> Recipe.make("full", {"steps": 9, "rate": None, "out": "run"}).rate
        0.0002
        >>> Cutting.make("lite", {}).mirror, Cutting.make("full", {}).mirror
        (True, False)

        What is None was not asked; names that are no field are passed over.
        """
        own = {f.name: f.metadata["presets"].get(preset, f.default) for f in fields(cls)}
        chosen = {f.name: asked[f.name] for f in fields(cls) if asked.get(f.name) is not None}
        if chosen.keys() & {*LENGTH}:
            own |= dict.fromkeys(LENGTH)
        return cls(**own | chosen)

    def select(self, role: str) -> dict:
        """The fields of a role, as name -> value."""
        return {f.name: getattr(self, f.name) for f in fields(self) if role in f.metadata["role"]}

    def describe(self) -> dict[str, str]:
        """What a weight file says about it."""
        said = {name: value for name, value in self.select("note").items() if value is not None}
        lists = {name: ",".join(x) or "nothing" for name, x in said.items() if isinstance(x, tuple)}
        return {name: str(value) for name, value in (said | lists).items()}


@dataclass(frozen=True)
class Cutting(Choices):
    """How volumes become training slices; each field is an option of ``dcamsr train``.

    >>> Cutting(mirror=False, keep_dark=True)  # the paper's
    Cutting(mirror=False, keep_dark=True, order=None, normalisation='clean',
    average_repetitions=False, common_slices=False, register=False)

    ``mirror``: every slice also with left and right exchanged. ``keep_dark``: also slices whose
    target is below a quarter of the brightest slice's mean, air and skull. The others are options of
    ``load_pair``, for the validation too.
    """

    # fmt: off
    mirror: bool = declare("note", True, "every slice also mirrored: lite does, full (the paper) not",
                           {"full": False}, action=argparse.BooleanOptionalAction)
    keep_dark: bool = declare("note", False, "also slices of air and skull: full does, lite not",
                              {"full": True}, action=argparse.BooleanOptionalAction)
    order: str | None = declare("note", None, "crop k-space of each coil, or of the image"
                                " (default: coils where there are some)", choices=ORDERS)
    normalisation: str = declare("note", "clean", "or the authors' code's", choices=NORMALISATIONS)
    average_repetitions: bool = declare("note", False, "learn from the mean of an M4Raw file's"
                                        " repetitions, one pair of a subject", action="store_true")
    common_slices: bool = declare("note", False, "of a pair with unlike slice counts",
                                  action="store_true")
    register: bool = declare("note", False, "bring each reference onto its target's grid and place",
                             action="store_true")
    # fmt: on


@dataclass(frozen=True)
class Recipe(Choices):
    """How to train a network on data; each field is an option of ``dcamsr train``.

    >>> Recipe(batch=2, accumulate=4).count_per_step(slices=100)
    8

    A step takes ``batch`` slices at once, ``accumulate`` times, in each process. ``epochs`` go
    before ``steps``; ``until`` stops at a step before the schedule's end, and ``resume`` goes on
    from the last save. The loss "l2" is the squared error, which is what PSNR counts. ``average``:
    how much of the weights' moving average stays per step; 0 is none. ``vary``: kinds of
    ``augmentation.vary``. ``patch``: side of the squares that a step sees of its slices, cut after
    the whole slice was varied, degraded and upsampled. ``finding``: see ``training.finding``.
    ``workers`` read and vary slices ahead of the network. Raises InputError for an unknown
    schedule, loss or kind, and for a patch that is no multiple of 8.
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
    recompute: bool = declare("how", False, "half the memory: attention and SAM are computed again"
                              " for the gradient", action="store_true")
    workers: int = declare("how", 0, "processes that read slices ahead",
                           type=workers, metavar="N")
    loss: str = declare("weights note", "l1", "l1: the paper's", choices=LOSSES)
    vary: tuple[str, ...] = declare(  # or a str, or True for all, until it is made
        "weights note", False, "some of geometry,mirror,contrast,curve (default: all)",
        nargs="?", const=True, metavar="KINDS")
    patch: int | None = declare("weights note", None, "learn from squares of so many pixels,"
                                " a multiple of 8: images may then differ in size",
                                metavar="PIXELS")
    average: float = declare("weights note", 0.0, "keep the weights' moving average, e.g. 0.999",
                             metavar="DECAY")
    finding: float = declare("weights note", 0.0, "weight of the error of what attention finds, in"
                             " pixels, e.g. 0.1; needs aligned and --vary misalignment",
                             metavar="WEIGHT")
    resume: bool = declare("how", False, "go on from --out", action="store_true")
    # fmt: on

    def __post_init__(self):
        from ..data.augmentation import choose_kinds  # needs torch: not for a page of help

        for name, known in (("schedule", SCHEDULES), ("loss", LOSSES)):
            if (value := getattr(self, name)) not in known:
                raise InputError(name, repr(value), f"one of {known}")
        if not 0 <= self.average < 1:
            raise InputError("--average", str(self.average), "0 (none) to below 1, as 0.999")
        if not 0 <= self.finding < inf:
            raise InputError("--finding", str(self.finding), "0 (none) or a weight, as 0.1")
        if self.patch and self.patch % MULTIPLE:
            raise InputError("--patch", str(self.patch), f"a multiple of {MULTIPLE}")
        object.__setattr__(self, "vary", choose_kinds(self.vary))

    def count_per_step(self, slices: int, processes: int = 1) -> int:
        """Slices per step over all processes, no more than there are."""
        parts = self.accumulate * processes
        if slices < parts:
            raise InputError("training data", f"{slices} slices for {parts} parts", "more slices")
        return min(self.batch * parts, slices)

    def count_steps(self, slices: int, processes: int = 1) -> int:
        """How many steps the whole training has.

        >>> Recipe.make("full", {}).count_steps(slices=6912, processes=8)  # the paper's, M4Raw
        10800

        Raises InputError where neither steps nor epochs are chosen.
        """
        if self.epochs:
            return self.epochs * (slices // self.count_per_step(slices, processes))
        if self.steps is None:
            raise InputError("steps", "none, and no epochs", "one of the two")
        return self.steps


def add_options(parser: argparse.ArgumentParser) -> None:
    """Every field as an option; what was not asked is None, so that presets can decide."""
    length = parser.add_mutually_exclusive_group()
    for f in (*fields(Cutting), *fields(Recipe)):
        place, option = length if f.name in LENGTH else parser, dict(f.metadata["option"])
        if f.type in READERS:
            option = {"type": READERS[f.type]} | option
        place.add_argument(f"--{f.name.replace('_', '-')}", default=None, **option)
