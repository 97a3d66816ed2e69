"""From slices to weights: what a training reads, its loop, its folder, and the study of claims."""
