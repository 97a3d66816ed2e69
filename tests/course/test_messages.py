"""What a check says: of another type, of a number, of names in another order."""

import re
from itertools import permutations

import pytest
import torch

from dcamsr_lite.course import EXERCISES, Question, examine

QUESTIONS = [name for name, exercise in EXERCISES.items() if isinstance(exercise, Question)]


@pytest.mark.parametrize("kind", [list, tuple])
@pytest.mark.parametrize("name", ["training.schedule", "training.trailing", "ablations.interval"])
def test_right_numbers_of_another_type_get_no_nudge_about_the_numbers(name, kind):
    exercise = EXERCISES[name]
    message = examine(exercise, lambda *x: kind(exercise.solution(*x).tolist())).message
    assert f"a {kind.__name__}, expected a tensor. Its numbers are right" in message
    assert exercise.hints["otherwise"] not in message


@pytest.mark.parametrize("kind", [list, torch.tensor])
def test_a_tuple_is_asked_for_where_two_numbers_come_as_something_else(kind):
    exercise = EXERCISES["failures.bands"]
    message = examine(exercise, lambda *x: kind(exercise.solution(*x))).message
    assert "expected a tuple. Its numbers are right" in message


def test_a_number_in_a_message_is_rounded():
    message = examine(
        EXERCISES["failures.contrast"], lambda i, d, r: 2 / 3 + float(i[d].sum())
    ).message
    assert not re.search(r"\d\.\d{7}", message), message


@pytest.mark.parametrize("name", QUESTIONS)
def test_every_order_of_the_right_names_is_told_what_is_wrong_with_it(name):
    question = EXERCISES[name]
    if isinstance(question.answer, list) and len(question.answer) > 2:
        for order in map(list, permutations(question.answer)):
            assert order == question.answer or question.hint not in examine(question, order).message
