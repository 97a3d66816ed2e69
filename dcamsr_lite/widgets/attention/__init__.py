"""The attention microscope."""
