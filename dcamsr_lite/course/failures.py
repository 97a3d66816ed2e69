"""Exercises on misalignment, noise, wrong references, lesions seen in one contrast only."""

from .exercise import Exercise, Question

EXERCISES: dict[str, Exercise | Question] = {}
