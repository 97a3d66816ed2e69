"""The course's checks: right passes, untouched says so, typical mistakes are named."""

import inspect
import json
import math
import re
from importlib.resources import files

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from einops import rearrange

from dcamsr_lite import course
from dcamsr_lite.course import Exercise, Question, examine
from dcamsr_lite.course.exercise import agree

EXERCISES = course.EXERCISES
FUNCTIONS = [name for name, exercise in EXERCISES.items() if isinstance(exercise, Exercise)]
QUESTIONS = [name for name, exercise in EXERCISES.items() if isinstance(exercise, Question)]


def untouched(*arguments):
    raise NotImplementedError


@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_solution_passes_and_the_stub_is_not_attempted(name):
    assert examine(EXERCISES[name], EXERCISES[name].solution).state == "passed"
    assert examine(EXERCISES[name], untouched).state == "not attempted"
    assert examine(EXERCISES[name], lambda *arguments: ...).state == "not attempted"


@pytest.mark.parametrize("name", FUNCTIONS)
def test_each_mistake_gets_its_own_hint(name):
    """Three or more each, and random inputs tell them apart from each other."""
    exercise = EXERCISES[name]
    assert len(exercise.mistakes) >= 3
    for mistake, wrong in exercise.mistakes.items():
        result = examine(exercise, wrong)
        assert (result.state, result.message) == ("failed", f"not yet. {exercise.hints[mistake]}")


def test_every_mistake_has_a_hint_and_every_hint_a_mistake():
    """In one order too, so that both files are read side by side; no two mistakes share a hint."""
    hints = json.loads(files(course).joinpath("hints.json").read_text(encoding="utf-8"))
    assert [*hints] == FUNCTIONS
    for name, sentences in hints.items():
        assert [*sentences] == [*EXERCISES[name].mistakes, "otherwise"], name
        assert len({*sentences.values()}) == len(sentences), name


@pytest.mark.parametrize("name", QUESTIONS)
def test_each_prediction_knows_its_answer_and_typical_wrong_ones(name):
    question = EXERCISES[name]
    assert examine(question, ...).state == "not attempted"
    assert examine(question, question.answer).message == f"right. {question.why}"
    assert len(question.mistakes) >= 3
    for wrong, hint in question.mistakes.items():
        answer = list(wrong) if isinstance(wrong, tuple) else wrong
        assert examine(question, answer).message == f"not yet. {hint}"
    assert examine(question, "something else").message == f"not yet. {question.hint}"


# What learners write, in their own words: the name of the mistake has to come back.


def fft_without_fftshift(image):
    return torch.fft.fft2(torch.fft.ifftshift(image, dim=(-2, -1)), norm="ortho")


def crop_from_index_zero(k, scale):
    n = k.shape[-1] // scale
    return k[:, :n, :n]


def too_bright(image, scale):
    image = torch.fft.ifftshift(image, dim=(-2, -1))
    k = torch.fft.fftshift(torch.fft.fft2(image, norm="ortho"), dim=(-2, -1))
    sides = [(n // 2 - n // scale // 2, n // scale) for n in image.shape[-2:]]
    rows, columns = (slice(start, start + m) for start, m in sides)
    k = k[..., rows, columns]
    low = torch.fft.ifft2(torch.fft.ifftshift(k, dim=(-2, -1)), norm="ortho").abs()
    return torch.fft.fftshift(low, dim=(-2, -1))


def softmax_over_queries(q, k, v, e, f):
    logits = q @ (e @ k).transpose(-1, -2) / math.sqrt(q.shape[-1])
    return torch.softmax(logits, dim=2) @ (f @ v)


def softmax_without_root(q, k, v, e, f):
    return torch.softmax(q @ (e @ k).transpose(-1, -2), dim=-1) @ (f @ v)


def heads_inside(x):
    b, head, n, d = x.shape
    return x.permute(0, 2, 3, 1).reshape(b, n, d * head)


def released_merge(x):
    b, head, n, d = x.shape
    return x.permute(0, 3, 1, 2).reshape(b, n, head * d)


def bare_reshape(x):
    b, head, n, d = x.shape
    return x.reshape(b, n, head * d)


def channel_without_temperature(q, k, v, temperature):
    q, k = F.normalize(q, dim=2), F.normalize(k, dim=2)
    return torch.einsum("bhij,bhnj->bhni", (q.mT @ k).softmax(-1), v)


def normalised_over_features(q, k, v, temperature):
    q, k = F.normalize(q, dim=3), F.normalize(k, dim=3)
    return torch.einsum("bhij,bhnj->bhni", (q.mT @ k * temperature).softmax(-1), v)


def only_the_shape(merge):
    return merge(torch.randn(1, 2, 6, 4)).shape == (1, 6, 8)


def only_a_constant(merge):
    return bool((merge(torch.ones(1, 2, 6, 4)) == 1).all())


def peak_of_the_image(target, image):
    return float(10 * torch.log10(image.max() ** 2 / ((target - image) ** 2).mean()))


def recovery_and_decay_exchanged(pd, t1, t2, tr, te):
    return pd * torch.exp(-tr / t1) * (1 - torch.exp(-te / t2))


def the_first_token_of_half_the_channels(merge):
    """It passed, though the docstring says "every token"."""
    x = torch.randn(1, 2, 6, 4)
    return torch.equal(merge(x)[:, 0, :4], x[:, 0, 0])


def the_first_token(merge):
    x = torch.randn(1, 2, 6, 4)
    return torch.equal(merge(x)[:, 0], x[:, :, 0].flatten(1))


def swapped_times(pd, t1, t2, tr, te):
    return pd * (1 - torch.exp(-tr / t2)) * torch.exp(-te / t1)


def linear(t1, t2, bins):
    a, b = t1 - t1.mean(), t2 - t2.mean()
    return float((a * b).sum() ** 2 / ((a * a).sum() * (b * b).sum()))


@pytest.mark.parametrize(
    "name, wrong, named",
    [
        ("kspace.fft2c", fft_without_fftshift, "fftshift after"),
        ("kspace.fft2c", torch.fft.fft2, "both shifts are missing, and norm"),
        ("kspace.crop", crop_from_index_zero, "not centred"),
        ("kspace.low_resolution", too_bright, "1 / scale is missing"),
        ("kspace.low_resolution", lambda x, s: x[:, ::s, ::s], "aliasing"),
        ("kspace.noise", lambda sigma, scale: sigma / scale**2, "Variances add"),
        ("attention.split_heads", lambda x, heads: x.reshape(2, heads, -1, 4), "bare reshape"),
        ("attention.spatial", softmax_over_queries, "wrong axis, the queries"),
        ("attention.spatial", softmax_without_root, r"1 / sqrt\(d\) is missing"),
        ("attention.merge_heads", heads_inside, "wrong order"),
        ("attention.merge_heads", released_merge, "Features came outermost"),
        ("attention.merge_heads", bare_reshape, "bare reshape"),
        ("attention.channel", channel_without_temperature, "temperature is missing"),
        ("attention.channel", normalised_over_features, "over the tokens"),
        ("attention.keeps_place", only_the_shape, "passes every merge"),
        ("attention.keeps_place", only_a_constant, "passes every merge"),
        ("attention.keeps_place", the_first_token, "first token alone"),
        ("attention.keeps_place", the_first_token_of_half_the_channels, "passes every merge"),
        ("contrasts.spin_echo", recovery_and_decay_exchanged, "Recovery and decay"),
        ("start.psnr", peak_of_the_image, "peak is that of the target"),
        ("contrasts.spin_echo", swapped_times, "T1 and T2 are exchanged"),
        ("contrasts.explained", linear, "linear correlation"),
        ("contrasts.null_time", lambda t1, tr: t1 * math.log(2), "exp.-TR / T1. is missing"),
    ],
)
def test_what_learners_write_is_recognised(name, wrong, named):
    result = examine(EXERCISES[name], wrong)
    assert result.state == "failed"
    assert re.search(named, result.message), result.message


def test_a_solution_in_other_words_passes():
    def channel(q, k, v, temperature):
        q = q / q.norm(dim=2, keepdim=True)
        k = k / k.norm(dim=2, keepdim=True)
        attention = torch.softmax(torch.einsum("bhni,bhnj->bhij", q, k) * temperature, -1)
        return (attention @ v.mT).mT

    def keeps_place(merge):
        x = torch.zeros(1, 3, 5, 2)
        x[:, :, 3] = 1
        rows = merge(x).abs().sum(-1)[0]
        return bool(rows[3] > 0) and bool((rows[[0, 1, 2, 4]] == 0).all())

    def explained(t1, t2, bins):
        parts = t2[t1.argsort()].chunk(bins)
        left = sum(((part - part.mean()) ** 2).sum() for part in parts)
        return 1 - left / ((t2 - t2.mean()) ** 2).sum()

    mine = {"attention.channel": channel, "attention.keeps_place": keeps_place}
    for name, solution in (mine | {"contrasts.explained": explained}).items():
        assert examine(EXERCISES[name], solution).state == "passed", name


def unknown(wrong, axes="b head n d", target=lambda x: x):
    exercise = Exercise(
        target,
        lambda random, size: (random(2, 3, size, 4),),
        mistakes={},
        axes=axes,
        hints={"otherwise": "Look."},
    )
    return examine(exercise, wrong).message


def test_what_is_no_known_mistake_is_still_described():
    assert "(b n head d), expected (b head n d)" in unknown(lambda x: x.transpose(1, 2))
    assert "shape (2, 3, 6), expected (2, 3, 6, 4)" in unknown(lambda x: x[..., 0])
    assert "3 times the expected one" in unknown(lambda x: 3 * x)
    assert "complex" in unknown(lambda x: x + 0j)
    assert "not finite" in unknown(lambda x: x / 0)
    assert "`return` missing" in unknown(lambda x: None)
    assert "is a list, expected a tensor" in unknown(lambda x: [x])
    assert "ZeroDivisionError" in unknown(lambda x: 1 / 0)
    assert unknown(lambda x: x + 1).endswith("values differ. Look.")
    swapped = unknown(lambda x: x[..., :4, :].mT, target=lambda x: x[..., :4, :])
    assert "last two axes are swapped" in swapped


def test_what_fails_for_odd_sizes_only_is_told_and_drawn_from_there():
    def wrong(x):
        return x if x.shape[-1] % 2 == 0 else x + (x > 0)

    exercise = Exercise(
        lambda x: x, lambda random, size: (random(size, size),), mistakes={}, shown=lambda x: x
    )
    result = examine(exercise, wrong)
    assert "not yet. 0 %" not in result.message
    assert "for a tensor of shape (9, 9); others are right" in result.message
    assert result.yours.shape == result.target.shape == (9, 9)
    assert not torch.equal(result.yours, result.target)


@pytest.mark.parametrize("share", [0, 0.5, 1])
def test_the_temperature_may_stand_on_either_side_of_the_product(share):
    def cosine(q, k, project, temperature):
        q, k = F.normalize(q, dim=-1), F.normalize(project(k), dim=-1)
        return q * temperature**share, k * temperature ** (1 - share)

    assert examine(EXERCISES["attention.cosine"], cosine).state == "passed"


@pytest.mark.parametrize("wrong", [lambda q, k, p, t: (q, p(k) + 1), lambda q, k, p, t: (q, k[0])])
def test_no_dump_of_tensors(wrong):
    message = examine(EXERCISES["attention.cosine"], wrong).message
    assert "tensor(" not in message and len(message) < 300
    assert "a tuple (a tensor of shape" in message


def test_inputs_are_the_learners_to_spoil():
    assert examine(EXERCISES["attention.merge_heads"], lambda x: x.zero_()).state == "failed"

    def in_place(image, scale):
        result = EXERCISES["kspace.low_resolution"].solution(image, scale)
        image.zero_()
        return result

    assert examine(EXERCISES["kspace.low_resolution"], in_place).state == "passed"


def test_a_number_may_be_a_tensor_but_no_answer_is_a_truth_value():
    assert agree(torch.tensor(2.0), 2.0)
    assert not agree(True, 1.0)
    assert not agree(1.0, True)
    assert examine(EXERCISES["kspace.noise"], lambda s, scale: torch.tensor(s / scale)).state == (
        "passed"
    )


def test_numbers_of_numpy_and_lists_of_them_are_answers():
    assert examine(EXERCISES["kspace.noise"], lambda s, scale: np.float32(s / scale)).state == (
        "passed"
    )
    assert examine(EXERCISES["training.l1"], plain_l1).state == "passed"
    doubled = examine(EXERCISES["training.l1"], lambda *x: 2 * plain_l1(*x))
    assert "Every value is 2 times the expected one" in doubled.message
    kept = lambda merge: np.bool_(EXERCISES["attention.keeps_place"].solution(merge))  # noqa: E731
    assert examine(EXERCISES["attention.keeps_place"], kept).state == "passed"
    for answer in (np.int64(16), torch.tensor(16), 16.0):
        assert examine(EXERCISES["attention.logits"], answer).state == "passed"
    assert examine(EXERCISES["reliance.where"], np.array([7, 6])).state == "passed"
    assert examine(EXERCISES["attention.entropy"], True).state == "failed"


def plain_l1(sr, target, deviation):
    return float(((sr - target).abs() / deviation.view(-1, 1, 1, 1)).mean())


def test_a_result_that_is_no_image_is_not_drawn():
    for name, wrong in (
        ("microscope.mix", lambda *x: torch.ones(6)),
        ("attention.merge_heads", lambda x: x.flatten()),
        ("microscope.lift", lambda *x: torch.tensor(1.0)),
    ):
        result = examine(EXERCISES[name], wrong)
        assert result.state == "failed" and result.yours is None, name


@pytest.mark.parametrize(
    "name, wrong, named",
    [
        ("kspace.fft2c", lambda x: fft_over((1, 2), x), "stopped for a tensor of shape \\(9, 7\\)"),
        ("kspace.crop", lambda k, s: square_crop(k, s), "expected \\(4, 3\\)"),
        ("kspace.crop", lambda k, s: crop_rounded_up(k, s), r"\(n - m \+ 1\)"),
        ("reliance.agreement", lambda a, b: level_two(a, b), "stopped for a tensor"),
        ("training.trailing", lambda losses, window: window_of_three(losses), "expected|differ"),
        ("attention.cosine", lambda q, k, project, t: (q * t, project), "tensor|two tensors"),
        ("attention.cosine", lambda q, k, project, t: (None, None), "tensor|two tensors"),
        ("attention.keeps_place", lambda merge: shifts_alike(merge), "one shift after another"),
    ],
)
def test_what_would_break_in_a_later_cell_is_refused(name, wrong, named):
    result = examine(EXERCISES[name], wrong)
    assert result.state == "failed"
    assert re.search(named, result.message), result.message


def fft_over(dim, x):
    shifted = torch.fft.fft2(torch.fft.ifftshift(x, dim=dim), dim=dim, norm="ortho")
    return torch.fft.fftshift(shifted, dim=dim)


def square_crop(k, scale):
    n, m = k.shape[-1], k.shape[-1] // scale
    start = n // 2 - m // 2
    return k[..., start : start + m, start : start + m]


def crop_rounded_up(k, scale):
    cut = [
        slice((n - n // scale + 1) // 2, (n - n // scale + 1) // 2 + n // scale)
        for n in k.shape[-2:]
    ]
    return k[..., cut[0], cut[1]]


def level_two(attribution, attention):
    a = torch.nn.functional.avg_pool2d(attribution.abs()[None], 2)[0]
    ranks = [x.flatten().argsort().argsort().double() for x in (a, attention.abs())]
    return float(torch.corrcoef(torch.stack(ranks))[0, 1])


def window_of_three(losses):
    return torch.stack([losses[max(i - 2, 0) : i + 1].mean() for i in range(len(losses))])


def shifts_alike(merge):
    x = torch.rand(1, 2, 6, 4)
    return torch.equal(merge(x.roll(1, 2)), merge(x).roll(1, 1))


def test_check_prints_and_grading_raises(capsys, monkeypatch):
    course.check("kspace.noise", lambda sigma, scale: sigma * scale)
    assert "The other way round" in capsys.readouterr().out
    monkeypatch.setenv("NBGRADER_EXECUTION", "autograde")
    with pytest.raises(AssertionError, match="not attempted"):
        course.check("kspace.noise", ...)
    course.check("kspace.noise", lambda sigma, scale: sigma / scale)
    with pytest.raises(ValueError, match="no exercise 'kspace.nose'"):
        course.check("kspace.nose", ...)


def test_the_next_cells_get_a_function_that_works(capsys):
    mine = EXERCISES["kspace.noise"].solution
    assert course.use("kspace.noise", mine) is mine
    assert course.use("kspace.noise", untouched)(8.0, 4) == 2.0
    assert course.use("kspace.noise", lambda sigma, scale: sigma)(8.0, 4) == 2.0
    assert "not right yet" in capsys.readouterr().out


def test_hints_are_sentences_for_students():
    for name, exercise in EXERCISES.items():
        hints = exercise.hints if name in FUNCTIONS else exercise.mistakes
        for mistake, hint in hints.items():
            sentence = hint[0].isupper() and hint.rstrip(")")[-1] in ".?"
            assert sentence or mistake == "otherwise", (name, hint)
        assert hints["otherwise"] if name in FUNCTIONS else exercise.hint, name
    assert inspect.getdoc(course).endswith("Not for clinical use.")


def test_the_scramble_of_the_exercise_is_the_networks():
    x = torch.randn(1, 3, 6, 4)
    scrambled = EXERCISES["attention.merge_heads"]
    released = next(m for hint, m in scrambled.mistakes.items() if "released" in hint)
    assert torch.equal(released(x), released_merge(x))
    assert not torch.equal(released(x), rearrange(x, "b head n d -> b n (head d)"))
