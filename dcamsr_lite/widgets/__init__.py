"""The explorers: notebook widgets whose numbers the browser computes. Loaded when first used.

A folder each: ``explorer.py`` sends, ``explorer.js`` puts the panels on the page, and every panel is
a module of its own; ``bundles`` are built from these by ``make bundles``.
"""

from .attention.explorer import AttentionExplorer, explore
from .attribution.explorer import AttributionExplorer, explore_attribution
from .comparison.explorer import Comparison, compare_images
from .contrast.explorer import ContrastExplorer, explore_contrasts
from .displacement.explorer import DisplacementExplorer, explore_displacement
from .gallery import save_gallery
from .kspace.explorer import KSpaceExplorer, explore_kspace
from .lab.explorer import InterventionLab, intervention_lab

__all__ = [
    "AttentionExplorer",
    "AttributionExplorer",
    "Comparison",
    "ContrastExplorer",
    "DisplacementExplorer",
    "InterventionLab",
    "KSpaceExplorer",
    "compare_images",
    "explore",
    "explore_attribution",
    "explore_contrasts",
    "explore_displacement",
    "explore_kspace",
    "intervention_lab",
    "save_gallery",
]
