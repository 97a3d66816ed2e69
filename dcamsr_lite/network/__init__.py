"""DCAMSR, which reads like the paper from attention to model, its weights, and its baselines."""
