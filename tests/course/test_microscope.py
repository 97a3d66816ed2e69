"""Notebook 04, the attention microscope: what learners write, in their own words, is recognised."""

import math
import re

import pytest
import torch

from dcamsr_lite import DCAMSR, course, trace
from dcamsr_lite.course import examine

EXERCISES = course.EXERCISES


def ratio_to_uniform(attention, footprints, relative):
    if relative:
        attention = attention / (1 / attention.shape[0])
    return (attention[:, None, None] * footprints).sum(0)


def mean_of_tokens(attention, footprints, relative):
    weights = attention - 1 / len(attention) if relative else attention
    return (weights[:, None, None] * footprints).mean(0)


def safe_log(attention):
    return torch.log(attention.clamp_min(1e-30))


def entropy_over_queries(attention):
    bits = -(attention * safe_log(attention)).sum(2)
    return bits.mean(-1) / math.log(attention.shape[2])


def entropy_in_bits(attention):
    return -(attention * safe_log(attention) / math.log(2)).sum(-1).mean(-1)


def entropy_of_the_mean(attention):
    mean = attention.mean(dim=2)
    return -(mean * safe_log(mean)).sum(-1) / math.log(attention.shape[-1])


def entropy_naive(attention):
    return -(attention * attention.log()).sum(-1).mean(-1) / math.log(attention.shape[-1])


def mixed_by_columns(attention, value):
    return torch.einsum("hij,hixy->hjxy", attention, value)


def pearson(x, y):
    x, y = x - x.mean(), y - y.mean()
    return float((x * y).sum() / (x.norm() * y.norm()))


def one_argsort(x, y):
    return pearson(x.argsort().float(), y.argsort().float())


@pytest.mark.parametrize(
    "name, wrong, named",
    [
        ("lift", ratio_to_uniform, "difference, A - 1/p"),
        ("lift", mean_of_tokens, "mean over the tokens"),
        ("lift", lambda a, f, relative: f[int(a.argmax())], "strongest token"),
        ("entropy", entropy_over_queries, "wrong axis, the queries"),
        ("entropy", entropy_in_bits, "maximum is then log2 p"),
        ("entropy", entropy_of_the_mean, "entropy of the mean attention"),
        ("entropy", entropy_naive, "0 log 0 is 0"),
        ("mix", mixed_by_columns, "transposed"),
        ("mix", lambda a, v: torch.einsum("hij,hjxy->ihxy", a, v), r"axes are \(d head h w\)"),
        ("rank", pearson, "Pearson"),
        ("rank", one_argsort, "argsort it once more"),
    ],
)
def test_what_learners_write_is_recognised(name, wrong, named):
    result = examine(EXERCISES[f"microscope.{name}"], wrong)
    assert result.state == "failed"
    assert re.search(named, result.message), result.message


def test_a_solution_in_other_words_passes():
    def lift(attention, footprints, relative):
        map_ = (attention[:, None, None] * footprints).sum(0)
        return map_ - footprints.mean(0) if relative else map_

    def entropy(attention):
        bits = torch.where(attention > 0, -attention * safe_log(attention), 0 * attention)
        return bits.sum(-1).mean(2) / math.log(attention.size(-1))

    def mix(attention, value):
        heads, d, *size = value.shape
        return (attention @ value.reshape(heads, d, -1)).reshape(heads, d, *size)

    def rank(x, y):
        n = len(x)
        apart = (x.argsort().argsort() - y.argsort().argsort()).double()
        return 1 - 6 * apart.square().sum() / (n * (n**2 - 1))

    for solution in (lift, entropy, mix, rank):
        state = examine(EXERCISES[f"microscope.{solution.__name__}"], solution).state
        assert state == "passed", solution.__name__


def test_the_exercises_are_what_the_record_computes():
    torch.manual_seed(0)
    model = DCAMSR(scale=4, image_size=32).eval()
    with torch.inference_mode(), trace(model) as record:
        model(torch.rand(1, 1, 8, 8), torch.rand(1, 1, 32, 32))
    lift, entropy = (EXERCISES[f"microscope.{name}"].solution for name in ("lift", "entropy"))
    attention = record.spatial[2][0, 3, 5 * 16 + 7]
    for relative in (False, True):
        expected = record.lift(2, (5, 7), head=3, relative=relative)
        torch.testing.assert_close(lift(attention, record.tokens(2), relative), expected)
    for branch in ("spatial", "channel"):
        expected = record.entropy(2)[branch]
        torch.testing.assert_close(entropy(getattr(record, branch)[2]), expected)
