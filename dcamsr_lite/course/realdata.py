"""Exercises on files, pairing, conventions of metrics, and the noise ceiling."""

from .exercise import Exercise, Question

EXERCISES: dict[str, Exercise | Question] = {}
