"""Exercises on reading lifted maps, entropy, footprints and channel matrices, and on cuts."""

from .exercise import Exercise, Question

EXERCISES: dict[str, Exercise | Question] = {}
