"""The explorers: notebook widgets whose numbers the browser computes. Loaded when first used."""

from .attention.explorer import AttentionExplorer, explore
from .attribution.explorer import AttributionExplorer, explore_attribution
from .gallery import save_gallery
from .kspace.explorer import KSpaceExplorer, explore_kspace
from .lab.explorer import InterventionLab, intervention_lab

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
