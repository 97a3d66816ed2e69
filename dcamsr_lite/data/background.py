"""At which level the background of magnitude images lies: 0, unless something was added to them.

>>> find_offsets(torch.eye(8)[None] - 0.05).flatten()
tensor([-0.0500])
"""

import torch
from torch import Tensor

LEAST = 0.001  # of the maximum: an offset that is smaller changes nothing
DARK = 0.2  # of the maximum: what is brighter is no background
NOISE = 3.2  # times: the 90th percentile of noise, below its mode, over the 50th; Gauss has 2.4
TAIL = 3.5  # standard deviations: how far below its mode noise reaches, in few voxels
SMOOTH = 0.15  # correlation of neighbours, from which on noise was interpolated
ALIKE = 0.7  # of an offset: slices that reach so far below zero have the same one
FAR = 8.0  # times its spread: no noise of a magnitude image has a floor so far above zero (64 coils: 7)
FLAT = 20.0  # times the spread of the background: what the brightest lies above it, at least
SAMPLES = 2**17  # voxels that are looked at in a volume


def find_offsets(images: Tensor) -> Tensor:
    """What was added to magnitude images (slice, row, column), each slice's own: (slice, 1, 1), <= 0.

    >>> images = torch.zeros(3, 8, 8)
    >>> images[:, 2:6, 2:6] = 1
    >>> images[1] -= 0.04
    >>> find_offsets(images).flatten()
    tensor([ 0.0000, -0.0400,  0.0000])

    It is the background's least value where that is below zero. Interpolation undershoots beside
    edges, about a background that lies elsewhere: that is no offset.
    """
    least, high = images.amin((1, 2)), float(images.max())
    levels = torch.zeros_like(least)
    for index in (least < -LEAST * high).nonzero().flatten().tolist():
        levels[index] = _find_floor(images[index], high)
    found = levels < 0
    if not found.any():
        return levels[:, None, None]
    common = levels[found].median()
    reached = least < ALIKE * common
    if 2 * int((found & reached).sum()) >= int(
        reached.sum()
    ):  # those of no clear background follow
        alike = reached & ((levels == 0) | (levels > common / ALIKE))
        levels[alike] = levels[alike & found].min()
    else:  # found in a few of the slices that reach as low: undershoot, here and there
        levels[reached] = 0
    return levels[:, None, None]


def _find_floor(image: Tensor, high: float) -> float:
    """The least value of a slice's background, if that is below zero; else 0."""
    dark = image[image < DARK * high].sort().values.double()
    tenth = max(1, len(dark) // 10)
    narrow = int((dark[tenth:] - dark[:-tenth]).argmin()) if len(dark) > tenth else 0
    mode = float(dark[narrow + tenth // 2])
    below = mode - dark[dark <= mode]
    half, most = (float(below[int(share * len(below))]) for share in (0.5, 0.1))
    least, few = float(dark[0]), float(dark[len(dark) // 1000])
    spread = most / 1.645
    if half > 0 and most <= NOISE * half:  # noise, not the lobes of undershoot beside a flat level
        floor = max(few, mode - TAIL * spread)
        if mode > 1.2 * spread and _correlate(image, mode, 3 * spread) > SMOOTH:
            return 0.0  # noise of a magnitude that was interpolated undershoots, too
    else:
        floor, spread = mode, 0.2 * abs(mode) / TAIL
    return max(least, mode - 1.3 * TAIL * spread) if floor < -LEAST * high else 0.0


def _correlate(image: Tensor, level: float, within: float) -> float:
    """How alike neighbours are in a background: the correlation, of the axis where it is largest."""
    inside = (image - level).abs() < within
    noise = torch.where(inside, image - image[inside].mean(), 0)
    power = float(noise[inside].square().mean())
    products = [
        (one * two)[both & also].mean()
        for one, two, both, also in (
            (noise[1:], noise[:-1], inside[1:], inside[:-1]),
            (noise[:, 1:], noise[:, :-1], inside[:, 1:], inside[:, :-1]),
        )
    ]
    return max(float(product) for product in products) / power


def find_pedestal(images: Tensor) -> float:
    """How far above zero a background lies, if that is no noise of a magnitude; else 0.

    >>> image = torch.zeros(1, 16, 16)
    >>> image[:, 4:12, 4:12] = 1
    >>> find_pedestal(image + 0.125), find_pedestal(image)
    (0.125, 0.0)

    The rim of most slices is background; images cut out of an object have none, and are left alone.
    """
    low, high = (float(bound) for bound in images.aminmax())
    if low < 0.02 * high:
        return 0.0
    some = images.flatten()[:: images.numel() // SAMPLES + 1].sort().values
    floor, tenth = (float(some[int(share * len(some))]) for share in (0.001, 0.1))
    spread = tenth - floor
    if floor < FAR * spread or high - floor < FLAT * spread:
        return 0.0
    bound = floor + 4 * spread + 1e-6 * high
    rim = torch.cat([images[:, [0, -1]].flatten(), images[:, :, [0, -1]].flatten()])
    share = float((some <= bound).float().mean())
    return floor if share < 0.95 and float((rim <= bound).float().mean()) > 0.5 else 0.0
