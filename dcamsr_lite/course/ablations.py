"""Exercises on seeds, intervals, and what a table of ablations can show."""

from .exercise import Exercise, Question

EXERCISES: dict[str, Exercise | Question] = {}
