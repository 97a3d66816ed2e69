"""From slices to weights: what a training reads, its loop, its folder, and the study of claims.

A step, from its slices to the gradient that is applied, is ``loop.train``.
"""
