"""What an exercise is: a solution, random inputs, and the mistakes that people make.

>>> double = Exercise(
...     solution=lambda x: 2 * x,
...     inputs=lambda random, size: (random(size),),
...     mistakes={"no_factor": lambda x: x},
...     hints={"no_factor": "The factor 2 is missing."},
... )
>>> examine(double, lambda x: x + x).state
'passed'
>>> examine(double, lambda x: x).message
'not yet. The factor 2 is missing.'
"""

import inspect
import json
import re
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, field
from itertools import permutations
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

Answer = float | str | bool
SIZES = (6, 9, 12, 16)  # of the random inputs: even and odd


def pick(size: int, *choices: Any) -> Any:
    """One of four by the size of the inputs, so that no axis and no number is the same in all trials.

    >>> [pick(size, 2, 3, 4, 5) for size in SIZES]
    [2, 3, 4, 5]
    """
    return choices[SIZES.index(size)]


@dataclass(frozen=True)
class Exercise:
    """A function to write. ``mistakes`` maps a name to what someone who makes it would have written.

    ``hints`` has a sentence for each, and under "otherwise" what is said when none is recognised.
    ``inputs(random, size)`` gives the arguments; ``random`` is torch.randn with its own generator.
    ``axes`` names those of the result, ``shown`` turns a result into an image (row, column) that
    can be drawn, or is None. ``view`` takes of a result what has to agree, where results may differ
    in the rest. ``sizes``: one trial for each.
    """

    solution: Callable
    inputs: Callable[..., tuple]
    mistakes: dict[str, Callable]
    hints: dict[str, str] = field(default_factory=dict)
    axes: str = ""
    shown: Callable[[Tensor], Tensor] | None = None
    view: Callable[[Any], Any] = lambda result: result
    sizes: tuple[int, ...] = SIZES

    def same(self, yours: Any, target: Any) -> bool:
        """Whether two results agree, seen through ``view``; one that cannot be viewed does not."""
        try:
            return agree(self.view(yours), self.view(target))
        except (RuntimeError, IndexError, ValueError, AttributeError, TypeError):
            return False


@dataclass(frozen=True)
class Question:
    """A prediction, made before the cell that answers it runs. ``mistakes``: wrong answer -> hint."""

    answer: Answer | list
    mistakes: dict[Answer | tuple, str]
    why: str
    hint: str = "Think of the extreme cases first: nothing cropped, and all but the centre cropped."
    within: float = 0.02  # of a number: by which share an answer may be off


def read_questions(path: Path) -> dict[str, Question]:
    """Questions by name from a JSON file, in which lists stand for tuples.

    >>> text = '{"water": {"answer": 100, "mistakes": [[212, "In Celsius."]], "why": "It boils."}}'
    >>> _ = Path("questions.json").write_text(text)
    >>> read_questions(Path("questions.json"))["water"].mistakes
    {212: 'In Celsius.'}
    """
    entries = json.loads(path.read_text(encoding="utf-8"))
    for entry in entries.values():
        entry["mistakes"] = {to_plain(wrong): hint for wrong, hint in entry["mistakes"]}
    return {name: Question(**entry) for name, entry in entries.items()}


@dataclass(frozen=True)
class Result:
    """``state`` is "passed", "failed" or "not attempted"; the tensors are there to be drawn."""

    state: str
    message: str
    yours: Tensor | None = None
    target: Tensor | None = None


NOT_ATTEMPTED = Result("not attempted", "not attempted yet.")


def fail(hint: str, **drawn: Tensor) -> Result:
    """A wrong attempt, with the hint that names the mistake.

    >>> fail("The axes are swapped.").message
    'not yet. The axes are swapped.'
    """
    return Result("failed", f"not yet. {hint}", **drawn)


def examine(exercise: Exercise | Question, attempt: Any) -> Result:
    """Judge an attempt without printing anything.

    >>> fire = Question("hot", mistakes={"cold": "Touch it."}, why="It glows.")
    >>> examine(fire, ...).state, examine(fire, "cold").message, examine(fire, "hot").message
    ('not attempted', 'not yet. Touch it.', 'right. It glows.')
    """
    if attempt is ...:
        return NOT_ATTEMPTED
    if isinstance(exercise, Question):
        return _judge_answer(exercise, attempt)
    if not callable(attempt):
        return fail(f"Hand over the function itself; this is a {type(attempt).__name__}.")
    return _run(exercise, attempt)


def _judge_answer(question: Question, answer: Any) -> Result:
    answer, right = to_plain(answer), to_plain(question.answer)
    if _same_answer(answer, right, question.within):
        return Result("passed", f"right. {question.why}")
    for wrong, hint in question.mistakes.items():
        if _same_answer(answer, wrong):
            return fail(hint)
    return fail(question.hint)


def to_plain(x: Any) -> Any:
    """Numbers of torch and numpy as Python's, lists as tuples; everything else as it is.

    >>> to_plain([torch.tensor(7), 6.0]), to_plain(torch.tensor([7, 6]))
    ((7, 6.0), (7, 6))
    """
    if isinstance(x, list | tuple):
        return tuple(map(to_plain, x))
    if isinstance(x, Tensor | np.ndarray | np.generic):
        return to_plain(x.tolist())
    return x


def _same_answer(answer: Any, expected: Any, within: float = 0.02) -> bool:
    if isinstance(answer, tuple) and isinstance(expected, tuple):
        same = (_same_answer(a, e, within) for a, e in zip(answer, expected, strict=False))
        return len(answer) == len(expected) and all(same)
    if type(answer) in (int, float) and type(expected) in (int, float):
        return abs(answer - expected) <= within * abs(expected)
    if isinstance(answer, str) and isinstance(expected, str):  # not asked: how it is written
        return " ".join(answer.casefold().split()) == expected.casefold()
    return type(answer) is type(expected) and answer == expected


@dataclass
class _Trial:
    """One set of random inputs, and what came of it."""

    inputs: tuple
    target: Any
    yours: Any = field(default=None)


def _copy(inputs: tuple) -> tuple:
    """Every attempt gets its own tensors and networks: it may change them."""
    return tuple(deepcopy(x) if isinstance(x, Tensor | nn.Module) else x for x in inputs)


def draw_inputs(exercise: Exercise) -> list[tuple]:
    """The arguments that every attempt is called with, one tuple for each of the sizes.

    >>> of_size = Exercise(len, inputs=lambda random, size: (random(size),), mistakes={})
    >>> [len(x) for (x,) in draw_inputs(of_size)]
    [6, 9, 12, 16]
    """
    drawn = []
    for seed, size in enumerate(exercise.sizes):
        generator = torch.Generator().manual_seed(seed)

        def random(*shape: int, generator: torch.Generator = generator) -> Tensor:
            return torch.randn(*shape, generator=generator)

        drawn.append(exercise.inputs(random, size))
    return drawn


def _make_trials(exercise: Exercise) -> list[_Trial]:
    drawn = draw_inputs(exercise)
    return [_Trial(inputs, exercise.solution(*_copy(inputs))) for inputs in drawn]


def _run(exercise: Exercise, attempt: Callable) -> Result:
    trials, stopped = _make_trials(exercise), ""
    ran: list[_Trial] = []
    for trial in trials:
        try:
            trial.yours = _match_kind(attempt(*_copy(trial.inputs)), trial.target)
        except Exception as error:  # whatever the learner's code raises is told, not hidden
            if type(error) is NotImplementedError and not error.args:  # torch's own say more
                return NOT_ATTEMPTED
            where = f" for {_name_inputs(exercise, trial.inputs)}" if ran else ""
            stopped = f"Your function stopped{where}: {_say_error(error)}"
            break
        if trial.yours is ...:
            return NOT_ATTEMPTED
        ran.append(trial)
    wrong = [trial for trial in ran if not exercise.same(trial.yours, trial.target)]
    if wrong:  # first what it is, then where it stops
        return fail(_find_mistake(exercise, ran, wrong), **_choose_drawn(exercise, wrong[0]))
    if stopped:
        nudge = exercise.hints.get("otherwise") if ran else None
        return fail(" ".join(filter(None, [stopped, nudge])))
    return Result("passed", "right.", **_choose_drawn(exercise, trials[-1]))


def _say_error(error: Exception) -> str:
    """The error in its own words, what Python calls a power, and that `math` takes single numbers."""
    said = f"{type(error).__name__}: {error}"
    if re.search(r"bitwise_xor|for \^:", said):
        said += ". In Python `^` is exclusive or, bit by bit; a power is `**`."
    if "can be converted to Python scalars" in said:  # math.exp of a tensor
        said += ". Functions of `math` take single numbers; those of `torch` take tensors."
    return said


def _match_kind(yours: Any, target: Any) -> Any:
    """A number as the target has it: Python's, or a tensor without axes."""
    if isinstance(target, Tensor) and target.ndim == 0 and type(to_plain(yours)) in (int, float):
        return torch.tensor(to_plain(yours), dtype=target.dtype)
    return to_plain(yours) if isinstance(yours, np.generic) else yours


def _find_mistake(exercise: Exercise, trials: list[_Trial], failing: list[_Trial]) -> str:
    """The hint of the known mistake that gives the same results, or what can be said in general."""
    if trials[0].yours is None:
        return "Your function returns nothing: is the `return` missing?"
    if of_type := _say_right_but(trials):
        return of_type
    first = trials[: len(SIZES)]  # a further trial, wrong in its own way, hides no mistake
    for few in (trials, first) if any(t is failing[0] for t in first) else (trials,):
        for mistake, wrong in exercise.mistakes.items():
            if all(exercise.same(t.yours, wrong(*_copy(t.inputs))) for t in few):
                return exercise.hints[mistake]
    some = len(failing) < len(trials)
    named = _name_inputs(exercise, failing[0].inputs)
    where = f"That is for {named}; others are right." if some else ""
    said = [_say_in_general(exercise, failing), where, exercise.hints.get("otherwise")]
    return " ".join(filter(None, said))


def _say_right_but(trials: list[_Trial]) -> str:
    """What is said of right numbers that come as another type, and nothing else."""

    def alike(trial: _Trial) -> bool:
        plain = to_plain(trial.yours)
        if isinstance(trial.target, Tensor) and isinstance(trial.yours, list | tuple):
            try:
                return agree(torch.tensor(plain, dtype=trial.target.dtype), trial.target)
            except (TypeError, ValueError):  # None, or lists of unequal lengths
                return False
        plural = isinstance(trial.target, tuple) and isinstance(trial.yours, list | Tensor)
        return plural and agree(plain, to_plain(trial.target))

    if not all(map(alike, trials)):
        return ""
    found, expected = (type(x).__name__.lower() for x in (trials[0].yours, trials[0].target))
    how = "torch.tensor(...)" if expected == "tensor" else "tuple(...)"
    return f"Your result is a {found}, expected a {expected}. Its numbers are right: {how} of it."


def _name_inputs(exercise: Exercise, inputs: tuple) -> str:
    """The first input, or all where it is a number: with their names, for a number says nothing alone.

    >>> part = Exercise(lambda low, high: low, inputs=lambda random, size: (), mistakes={})
    >>> _name_inputs(part, (0.1, torch.tensor([0.25, 1.0])))
    'low = 0.1, high = [0.25, 1]'
    """
    if isinstance(inputs[0], Tensor) or not isinstance(inputs[0], int | float | str):
        return _describe(inputs[0])
    names = inspect.signature(exercise.solution).parameters
    few = [
        f"[{', '.join(f'{v:.4g}' for v in x)}]"
        if isinstance(x, Tensor) and x.ndim == 1 and len(x) <= 5
        else _describe(x)
        for x in inputs
    ]
    return ", ".join(f"{name} = {value}" for name, value in zip(names, few, strict=True))


def agree(yours: Any, target: Any) -> bool:
    """Equal to float precision: same type, same shape, no value off by more than 1e-4 of the largest.

    >>> agree(torch.ones(2), torch.ones(2)), agree(torch.ones(2), torch.ones(1, 2)), agree(1, 1.0)
    (True, False, True)
    """
    if isinstance(target, tuple):
        same = isinstance(yours, tuple) and len(yours) == len(target)
        return same and all(map(agree, yours, target))
    if not isinstance(target, Tensor):
        if isinstance(yours, Tensor) and yours.numel() == 1:
            yours = yours.item()
        if isinstance(target, bool) or isinstance(yours, bool | str | None):
            return yours is target
        if not isinstance(yours, int | float):
            return False
        return yours == target or abs(yours - target) <= 1e-4 * min(max(abs(target), 1), 1e300)
    if not isinstance(yours, Tensor) or yours.shape != target.shape:
        return False
    if yours.is_complex() != target.is_complex() or not yours.isfinite().all():
        return False
    off = (yours - target).abs().max() if target.numel() else 0.0
    return bool(off <= 1e-4 * target.abs().max() + 1e-6)


def _describe(x: Any) -> str:
    """Type and shape of what is too long to print.

    >>> _describe((torch.ones(2, 3), 1.5))
    'a tuple (a tensor of shape (2, 3), 1.5)'
    """
    if isinstance(x, tuple | list):
        return f"a {type(x).__name__} ({', '.join(map(_describe, x))})"
    if isinstance(x, Tensor):
        return f"a tensor of shape {tuple(x.shape)}" if x.ndim else f"{x.item():.4g}"
    if isinstance(x, float):
        return f"{x:.6g}"
    return repr(x) if isinstance(x, int | str | None) else f"a {type(x).__name__}"


def _say_in_general(exercise: Exercise, trials: list[_Trial]) -> str:
    """What is wrong, where it first is, in shape, type, axis order or by one factor."""
    yours, target = trials[0].yours, trials[0].target
    if not isinstance(target, Tensor):
        found, expected = _describe(yours), _describe(target)
        if found == expected:
            return f"Your result is {found}, as expected, with other values."
        return f"Your result is {found}, expected {expected}."
    if not isinstance(yours, Tensor):
        return f"Your result is a {type(yours).__name__}, expected a tensor."
    if yours.shape != target.shape:
        return _say_wrong_shape(exercise.axes, yours, target)
    if yours.is_complex() and not target.is_complex():
        return "Your result is complex, expected a real image: take the magnitude."
    if not yours.isfinite().all():
        return "Your result has values that are not finite."
    if yours.ndim > 1 and yours.shape[-1] == yours.shape[-2] and agree(yours.mT, target):
        return "The last two axes are swapped."
    factors = {_find_factor(t.yours, t.target) for t in trials}
    if None not in factors:
        found = " or ".join(f"{factor:.4g}" for factor in sorted(filter(None, factors)))
        return f"Every value is {found} times the expected one: a factor is wrong."
    share = (yours - target).abs().gt(1e-4 * target.abs().max()).float().mean()
    return f"{100 * share:.0f} % of the values differ."


def _say_wrong_shape(axes: str, yours: Tensor, target: Tensor) -> str:
    found, expected = tuple(yours.shape), tuple(target.shape)
    names = axes.split()
    if len(names) == len(found):
        for order in permutations(range(len(names))):
            moved = target.permute(order)
            if moved.shape == yours.shape and agree(yours, moved):
                return f"The axes are ({' '.join(names[i] for i in order)}), expected ({axes})."
    named = f", that is ({axes})" if axes else ""
    return f"Your result has shape {found}, expected {expected}{named}."


def _find_factor(yours: Any, target: Tensor) -> float | None:
    if not isinstance(yours, Tensor) or yours.shape != target.shape or not target.any():
        return None
    factor = ((yours * target.conj()).sum() / target.abs().square().sum()).abs().item()
    same = factor > 0 and agree(yours / factor, target)
    return round(factor, 6) if same else None


def _choose_drawn(exercise: Exercise, trial: _Trial) -> dict[str, Tensor]:
    if exercise.shown is None or not isinstance(trial.yours, Tensor):
        return {}
    try:
        drawn = {"yours": exercise.shown(trial.yours), "target": exercise.shown(trial.target)}
    except (RuntimeError, IndexError, ValueError):  # a result of another shape cannot be drawn
        return {}
    images = all(image.ndim == 2 and image.numel() for image in drawn.values())
    return drawn if images else {}
