"""Exercises on attribution: completeness, diffusion index, share of the reference, agreement."""

from .exercise import Exercise, Question

EXERCISES: dict[str, Exercise | Question] = {}
