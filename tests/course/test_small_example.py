"""Three tokens by hand: the numbers drawn are those of the exercises' solutions."""

import pytest
import torch

from dcamsr_lite import course
from dcamsr_lite.course import small_example as small


def arrays(name):
    return {step.name: step.values for step in small.walk(name)}


def solve(name, *inputs):
    return course.EXERCISES[name].solution(*inputs)


def as_head(x):
    return x[None, None]


def test_heads_are_split_and_merged_as_the_exercises_do():
    heads = solve("attention.split_heads", small.TOKENS[None], 2)
    drawn = arrays("attention.split_heads")
    assert torch.equal(heads[0], torch.stack([drawn["head 0"], drawn["head 1"]]))
    merged = solve("attention.merge_heads", heads)
    assert torch.equal(merged[0], arrays("attention.merge_heads")["merged"])


def test_spatial_attention_ends_where_the_exercise_does():
    drawn = arrays("attention.spatial")
    q, k, v = (as_head(drawn[name]) for name in "qkv")
    result = solve("attention.spatial", q, k, v, drawn["e"], drawn["f"])
    torch.testing.assert_close(result[0, 0], drawn["result"])
    # as the text of notebook 03 follows it on paper
    assert drawn["weights"][1].tolist() == pytest.approx([0.67, 0.33], abs=0.005)
    assert float(drawn["result"][1, 0]) == pytest.approx(0.67 * 15 - 0.33 * 10, abs=0.05)


def test_channel_attention_ends_where_the_exercise_does():
    temperature = torch.full((1, 1, 1), 2.0)
    inputs = (as_head(x) for x in (small.QUERIES, small.KEYS, small.VALUES))
    result = solve("attention.channel", *inputs, temperature)
    torch.testing.assert_close(result[0, 0], arrays("attention.channel")["result"])


def test_a_row_of_the_released_merge_mixes_tokens():
    drawn = arrays("attention.keeps_place")
    tokens = [{int(value) // 10 for value in row} for row in drawn["as released"].tolist()]
    assert all(len(row) > 1 for row in tokens)
    assert sorted(drawn["as released"].flatten().tolist()) == small.TOKENS.flatten().tolist()


def test_the_microscopes_numbers_are_those_of_its_exercises():
    drawn = arrays("microscope.lift")
    footprints = drawn["footprints"][:, None]  # p h w: one row of three pixels
    for relative, maps in ((False, "maps"), (True, "relative maps")):
        for attention, own in zip(drawn["attention"], drawn[maps], strict=True):
            lifted = solve("microscope.lift", attention, footprints, relative)
            torch.testing.assert_close(lifted[0], own)
    assert drawn["maps"].min() < 0  # what notebook 04 asks to be explained
    entropy = solve("microscope.entropy", as_head(drawn["attention"]))
    torch.testing.assert_close(entropy[0], arrays("microscope.entropy")["mean"][0])
    drawn = arrays("microscope.mix")
    value = drawn["value"].T[None, :, None]  # head d h w
    mixed = solve("microscope.mix", drawn["weights"][None], value)
    torch.testing.assert_close(mixed[0, :, 0].T, drawn["mixed"])


@pytest.mark.parametrize("name", small.WALKS)
def test_every_array_is_drawn_with_its_axes_and_all_of_its_numbers(name):
    steps = small.walk(name)
    figure = small.draw_steps(steps)
    for axes, step in zip(figure.axes, steps, strict=True):
        words = [text.get_text() for text in axes.texts]
        assert axes.get_title() == step.name and len(words) == step.values.numel() + 1
        down, _, along = step.axes.partition(" ")
        assert axes.get_ylabel() == down and words[-1] == along
    alt = small.describe(steps)
    assert all(step.name in alt for step in steps) and ";" in alt


def test_an_exercise_without_a_small_example_is_refused():
    with pytest.raises(ValueError, match="no small example for 'start.psnr'"):
        course.by_hand("start.psnr")
