"""The contrast explorer: TR, TE and TI make an image of six tissues."""
