"""The k-space explorer."""
