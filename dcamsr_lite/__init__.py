"""DCAMSR-lite: an interactive laboratory for cross-attention in multi-contrast MRI super-resolution.

>>> import dcamsr_lite as dl
>>> dl.DCAMSR(scale=4, image_size=64).config.variant
'corrected'

Names load when they are first used (__init__.pyi lists them), so that ``import dcamsr_lite`` stays
quick. Not for clinical use.
"""

import lazy_loader

__version__ = "0.2.0.dev0"
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
