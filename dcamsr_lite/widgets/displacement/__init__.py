"""The displacement explorer."""
