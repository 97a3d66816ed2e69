"""Images compared: a swipe and a magnifier."""
