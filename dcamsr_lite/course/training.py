"""Exercises on the loss, the learning rate, reading curves, resuming."""

from .exercise import Exercise, Question

EXERCISES: dict[str, Exercise | Question] = {}
