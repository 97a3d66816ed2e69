"""What a network with a reference has to beat: what needs none.

>>> import dcamsr_lite as dl
>>> pair = dl.load_pair(torch.rand(1, 32, 32), torch.rand(1, 32, 32), scale=4)
>>> next(iter(measure_floors(pair, 0)))
'zero-fill'
"""

import torch

from ..data.pairs import Pair
from ..metrics import has_signal, psnr
from ..network.checkpoints import load, weights
from .interventions import run_intervention

ALONE = "lite-{scale}x-no-reference"  # weights that were trained without a reference


def measure_floors(pair: Pair, slice: int) -> dict[str, float]:
    """PSNR in dB of one slice, its largest value the peak: zero-fill, and a network without reference.

    >>> import dcamsr_lite as dl
    >>> images = torch.rand(1, 32, 32)
    >>> 0 < measure_floors(dl.load_pair(images, images, scale=4), 0)["zero-fill"] < 20
    True

    The second, "no reference", is of the weights ``lite-SCALEx-no-reference``, and is there only where
    they ship for the scale of the pair, and the pair has the normalisation that they were trained with.
    A slice without a target, or with a blank one, has no floors.
    """
    if pair.target_image is None or not has_signal(pair.target_image[slice]):
        return {}
    floors = {"zero-fill": float(psnr(pair.target_image[slice], pair.zero_filled[slice]))}
    name = ALONE.format(scale=pair.scale)
    alone = load(name) if name in weights() else None
    if alone is not None and alone.normalisation == pair.normalisation:
        found = run_intervention(alone, pair, slice)
        floors["no reference"] = float(found.psnr or torch.nan)
    return floors
