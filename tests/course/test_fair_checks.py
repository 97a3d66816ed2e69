"""No check is about how an answer is written, and no help is the answer."""

import pytest

from dcamsr_lite import course
from dcamsr_lite.course import examine, staged_help

EXERCISES = course.EXERCISES


@pytest.mark.parametrize(
    "name, written",
    [
        ("start.where", "Removed"),
        ("kspace.overshoot", " Stays"),
        ("microscope.cut", ["Channel", 1]),
        ("kspace.brightness", 4.23),  # what the notebook prints
        ("attention.entropy", 0.99),
    ],
)
def test_no_answer_is_refused_for_how_it_is_written(name, written):
    assert examine(EXERCISES[name], written).state == "passed"


def test_an_answer_that_is_nearly_right_is_told_what_is_missing():
    for name, near in {"attention.entropy": 0.95, "kspace.brightness": 3.5}.items():
        assert examine(EXERCISES[name], near).state == "failed"
    assert "Nearly" in examine(EXERCISES["attention.entropy"], 0.95).message


@pytest.mark.parametrize(
    "name, spoiler",
    [
        ("start.ranking", "Zero-fill keeps every"),
        ("kspace.width", "zero every 4"),
        ("contrasts.order", "the shorter the T1"),
        ("microscope.reads", "Row 1"),
        ("microscope.alike", "uniform plus a little"),
    ],
)
def test_the_idea_of_a_prediction_is_not_its_answer(name, spoiler):
    assert spoiler not in staged_help.look_up("help.json", name)["idea"]
    first = EXERCISES["start.ranking"].mistakes["zero-fill", "bicubic", "dcamsr"]
    assert "keeps" not in first


def test_the_model_answers_of_00_say_only_what_is_so_and_was_seen():
    """Noise inside of the crop is in input and target alike; numbers were quoted before they came."""
    words = staged_help.read_words("explanations.json")
    assert "0.0253" not in words["start.floor"]["answer"]
    assert "noisy" not in words["start.measured"]["answer"]
