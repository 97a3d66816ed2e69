"""The explorers: notebook widgets whose numbers the browser computes. Loaded when first used."""

from .explorer import AttentionExplorer, explore
from .lab import InterventionLab, intervention_lab

__all__ = ["AttentionExplorer", "InterventionLab", "explore", "intervention_lab"]
