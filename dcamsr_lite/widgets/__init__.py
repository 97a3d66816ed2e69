"""The explorers: notebook widgets whose numbers the browser computes. Loaded when first used."""

from .explorer import AttentionExplorer, explore

__all__ = ["AttentionExplorer", "explore"]
