"""The explorers: notebook widgets whose numbers the browser computes. Loaded when first used."""

from .attribution import AttributionExplorer, explore_attribution
from .explorer import AttentionExplorer, explore
from .gallery import save_gallery
from .kspace import KSpaceExplorer, explore_kspace
from .lab import InterventionLab, intervention_lab

__all__ = [
    "AttentionExplorer",
    "AttributionExplorer",
    "InterventionLab",
    "KSpaceExplorer",
    "explore",
    "explore_attribution",
    "explore_kspace",
    "intervention_lab",
    "save_gallery",
]
