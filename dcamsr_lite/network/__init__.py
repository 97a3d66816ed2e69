"""DCAMSR, which reads like the paper from attention to model, its weights, and its baselines.

Another spatial attention is one function beside those in ``spatial_choices``; another network to
compare with is a file in ``baselines``.
"""
