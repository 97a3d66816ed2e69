"""Checks that accept nothing by chance: shapes vary, axes differ, hints nudge and do not tell."""

import itertools
import math
import re
from copy import deepcopy

import pytest
import torch
import torch.nn.functional as F

from dcamsr_lite import course
from dcamsr_lite.course import Exercise, Question, examine
from dcamsr_lite.course.exercise import SIZES, draw_inputs

EXERCISES = course.EXERCISES
FUNCTIONS = [name for name, exercise in EXERCISES.items() if isinstance(exercise, Exercise)]
ALIKE = {  # axes that are alike for a reason: the argument's number, and the two axes
    "microscope.mix": {0: (1, 2)},  # a channel matrix is d x d
    "training.l1": {0: (0, 3), 1: (0, 3)},  # a deviation (b) broadcasts over columns in silence
}


ORDERLESS = ("attention.keeps_place", "ablations.claim", "reliance.diffusion")  # no axis counts
REACHED = {  # what an argument that is a function hands out
    "attention.cosine": lambda q, k, project, t: (q, k, project(k), t),
    "reliance.integrate": lambda gradient, path, steps: (path(0.5), gradient(path(0.5)), steps),
}


def flat(arguments):
    """What is in lists and tuples, too: batches, say."""
    for x in arguments:
        yield from flat(x) if isinstance(x, list | tuple) else [x]


def tensors(name, of=torch.Tensor):
    """The arguments of each kind, over the trials: number of the argument -> one for each trial."""
    drawn = [REACHED.get(name, lambda *x: x)(*x) for x in draw_inputs(EXERCISES[name])]
    trials = zip(*map(flat, drawn), strict=False)  # as many batches as the shortest has
    return {n: given for n, given in enumerate(trials) if all(isinstance(x, of) for x in given)}


def long_axes(shape):
    return {axis: side for axis, side in enumerate(shape) if side > 1}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_no_two_axes_are_equal_in_at_least_two_trials(name):
    for argument, given in tensors(name).items():
        different = 0
        for x in given:
            sides = long_axes(x.shape)
            for axis in ALIKE.get(name, {}).get(argument, ())[1:]:
                sides.pop(axis)
            different += len({*sides.values()}) == len(sides)
        assert different >= 2, [tuple(x.shape) for x in given]


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_axis_and_every_number_varies_over_the_trials(name):
    """What is written into a function as a number (d = 4) is wrong in one of the trials."""
    for given in tensors(name).values():
        if len({x.ndim for x in given}) == 1:
            for axis in long_axes(given[0].shape):
                assert len({x.shape[axis] for x in given}) > 1, [tuple(x.shape) for x in given]
    for given in tensors(name, (int, float)).values():
        assert len({*given}) > 1, given


def turn(x, axis, other):
    return x.transpose(axis, other)


def flip(x, axis, other):
    return x.flip(axis)


def shift(x, axis, other):
    return x.roll(1, axis)


def scaled(x, *_):
    return x * 1.001 if isinstance(x, torch.Tensor) and x.dtype != torch.bool else x


def spoil(name):
    """Wrong attempts, each by what is wrong: an axis of an argument or of the result, a constant."""
    solution, first = EXERCISES[name].solution, draw_inputs(EXERCISES[name])[0]

    def of_argument(n, change, *axes):
        return lambda *x: solution(*x[:n], change(x[n], *axes), *x[n + 1 :])

    def of_result(change, *axes):
        return lambda *x: change(solution(*x), *axes)

    target = solution(*first)
    pairs = [(n, x, of_argument) for n, x in enumerate(first)] + [(None, target, None)]
    for n, x, wrap in pairs:
        make = of_result if wrap is None else lambda *how, n=n: of_argument(n, *how)
        if isinstance(x, torch.Tensor):
            for axis, other in itertools.combinations(range(x.ndim), 2):
                yield f"{n}: axes {axis}, {other} exchanged", make(turn, axis, other)
            for axis, change in itertools.product(range(x.ndim), (flip, shift)):
                yield f"{n}: {change.__name__} along axis {axis}", make(change, axis, axis)
            yield f"{n}: scaled", make(scaled)
        elif isinstance(x, int | float) and n is not None:
            yield f"{n}: always {x}", make(lambda _, x=x: x)


def drawn_anew(name):
    """Other random numbers than those of the check, in the same shapes, whose axes differ."""
    for seed, size in enumerate(SIZES, 100):
        generator = torch.Generator().manual_seed(seed)
        yield EXERCISES[name].inputs(lambda *s, g=generator: torch.randn(*s, generator=g), size)


def differs(name, attempt) -> bool:
    exercise = EXERCISES[name]
    for given in drawn_anew(name):
        try:
            if not exercise.same(attempt(*deepcopy(given)), exercise.solution(*deepcopy(given))):
                return True
        except Exception:  # a shape that does not fit is a difference
            return True
    return False


@pytest.mark.slow
@pytest.mark.parametrize("name", FUNCTIONS)
def test_what_is_wrong_along_any_axis_or_for_any_other_number_is_not_accepted(name):
    """Whatever differs from the solution on other inputs has to fail in the check."""
    tried = {what: attempt for what, attempt in spoil(name) if differs(name, attempt)}
    passed = [what for what, f in tried.items() if examine(EXERCISES[name], f).state == "passed"]
    assert passed == []
    if name not in ORDERLESS:
        assert tried


def heads_of_four(x, heads):
    return x.unflatten(-1, (x.shape[-1] // 4, 4)).transpose(1, 2)


def root_of_four(q, k, v, e, f):
    return torch.softmax(q @ (e @ k).mT / 2, -1) @ (f @ v)


def three_heads(x, heads):
    return x.unflatten(-1, (3, -1)).transpose(1, 2)


def merged_to_twelve(x):
    return x.transpose(1, 2).reshape(x.shape[0], -1, 12)


def channel_of_two(q, k, v, temperature):
    q, k = F.normalize(q, dim=2), F.normalize(k, dim=2)
    return v @ (q.mT @ k * temperature).softmax(-1).mT if q.shape[0] == 2 else v


def entropy_of_seven(attention):
    return torch.special.entr(attention).sum(-1).mean(-1) / math.log(7)


def relative_to_seven(attention, footprints, relative):
    return torch.tensordot(attention - relative / 7, footprints, 1)


def four_bins(t1, t2, bins):
    return EXERCISES["contrasts.explained"].solution(t1, t2, 4)


def psnr_of_three(target, image):
    return float(
        10 * torch.log10(target.max() ** 2 / (target - image).square().sum() * 108 * 3 / 2)
    )


@pytest.mark.parametrize(
    "name, wrong",
    [
        ("attention.split_heads", heads_of_four),
        ("attention.split_heads", three_heads),
        ("attention.spatial", root_of_four),
        ("attention.merge_heads", merged_to_twelve),
        ("attention.channel", channel_of_two),
        ("microscope.entropy", entropy_of_seven),
        ("microscope.lift", relative_to_seven),
        ("contrasts.explained", four_bins),
        ("start.psnr", psnr_of_three),
    ],
)
def test_a_number_that_belongs_to_one_size_is_not_accepted(name, wrong):
    assert examine(EXERCISES[name], wrong).state == "failed"


@pytest.mark.parametrize(
    "wrong",
    [
        lambda target, image: 10 * torch.log10(target.max() ^ 2 / (target - image).mean()),
        lambda target, image: 10 * math.log10(float(target.max()) ^ 2),
        lambda target, image: (target - image) ^ 2,
    ],
)
def test_a_caret_is_an_attempt_and_is_told_what_a_power_is(wrong):
    """torch raises NotImplementedError for it, which is no untouched stub."""
    result = examine(EXERCISES["start.psnr"], wrong)
    assert result.state == "failed" and "a power is `**`" in result.message


def test_a_function_of_math_is_told_to_take_single_numbers():
    def wrong(pd, t1, t2, tr, te):
        return pd * (1 - math.exp(-tr / t1)) * math.exp(-te / t2)

    result = examine(EXERCISES["contrasts.spin_echo"], wrong)
    assert result.state == "failed" and "those of `torch` take tensors" in result.message


def test_an_operation_that_torch_does_not_have_is_an_attempt_too():
    result = examine(EXERCISES["start.psnr"], lambda target, image: target.bool().svd())
    assert result.state == "failed" and "Your function stopped" in result.message


CODE = r"[=^\[]|\w\(|\*\*|[a-z]\.[a-z]"


@pytest.mark.parametrize("name", FUNCTIONS)
def test_what_is_said_to_an_unknown_mistake_is_no_solution(name):
    """A nudge in words: neither a call nor a formula."""
    nudge = EXERCISES[name].hints["otherwise"]
    assert not re.search(CODE, nudge), nudge


ORDERS = [
    name
    for name, question in EXERCISES.items()
    if isinstance(question, Question)
    and isinstance(question.answer, list)
    and len(question.answer) > 2
]


@pytest.mark.parametrize("name", ORDERS)
def test_the_hint_about_an_order_lists_the_names_by_the_alphabet_and_says_so(name):
    """Else it reads like the answer, and is a wrong one."""
    question = EXERCISES[name]
    named = re.findall(r'"([^"]+)"', question.hint)
    assert named == sorted(question.answer) and "alphabet" in question.hint
