"""Guided tours: what a page says step by step, and the traits that each step sets; see tours.json.

>>> [tour[0]["text"][:18] for tour in (FINDING, ATTENTION, VARIANTS, ATTRIBUTION)]
['A query is one pix', 'A query is one pix', 'The network as its', 'A patch of the out']

A tour is a plain list: ``explorer.tour = [{"text": "Look here.", "query": [3, 5]}, ...]``. Each step
ends with what is seen, and what follows from it. Four are for the head of ``dcamsr demo`` (128 x 128,
``lite``): FINDING for its network, with a reference that was moved; ATTENTION for one that looks at
footprints; VARIANTS for the gallery's page of the variants that were trained alike, ATTRIBUTION for
the page that keeps two methods at one patch. Their query lies in bright fluid behind the thalamus.
LAB fits any head.
"""

import json
from collections.abc import Sequence
from pathlib import Path

from ..data.pairs import Pair
from ..kspace import shift

_TOURS = json.loads(Path(__file__).with_suffix(".json").read_text(encoding="utf-8"))
FINDING, ATTENTION, VARIANTS, ATTRIBUTION, LAB = (
    _TOURS[name] for name in ("finding", "attention", "variants", "attribution", "lab")
)

MISPLACED = 2, -3  # rows and columns: how far the reference of the tour FINDING was moved


def misplace(pair: Pair) -> Pair:
    """The pair with its reference moved as the tour FINDING says, in whole pixels.

    >>> import torch
    >>> from dcamsr_lite import load_pair
    >>> pair = load_pair(torch.eye(16)[None], torch.rand(1, 16, 16), scale=2)
    >>> torch.allclose(misplace(pair).reference_image, torch.eye(16).roll((2, -3), (0, 1)), atol=1e-5)
    True
    """
    return pair.with_reference(shift(pair.reference_image, *MISPLACED).clamp_min(0))


def center_box(shape: Sequence[int], scale: float) -> list[int]:
    """The box in the centre of k-space that keeps 1 / ``scale`` of each axis, as ``crop_kspace``.

    >>> center_box((64, 33), 4)
    [24, 12, 16, 8]
    """
    sides = [max(1, int(side / scale)) for side in shape]
    corner = [side // 2 - kept // 2 for side, kept in zip(shape, sides, strict=True)]
    return [*corner, *sides]


def tour_kspace(shape: Sequence[int]) -> list[dict]:
    """The k-space explorer's tour for k-space of this shape (rows, columns), from centre to rim.

    >>> tour_kspace((64, 64))[0]["box"], len(tour_kspace((64, 64)))
    ([0, 0, 64, 64], 9)
    """
    rows, columns = shape
    boxes = {"all": [0, 0, rows, columns], "rim": [0, 0, max(1, rows // 2 - rows // 8), columns]}
    boxes |= {"quarter": center_box(shape, 4), "eighth": center_box(shape, 8)}
    plain = {"shape": "box", "noise": 0.0, "window": "none", "matrix": "zero-filled"}
    plain |= {"rescale": True, "box": "quarter"}
    steps = [plain | step for step in _TOURS["kspace"]]
    return [step | {"box": boxes[step["box"]]} for step in steps]


def tour_displacement() -> list[dict]:
    """The displacement explorer's tour: it names no network, and moves one slider at a time.

    >>> [step["moved"]["right"] for step in tour_displacement()][:3]
    [0.0, 2.0, 4.0]

    Each step's place whole: a page would be told of what a kernel completes, too late.
    """
    still = {"right": 0.0, "down": 0.0, "turn": 0.0}
    steps = _TOURS["displacement"]
    return [dict(step) | {"moved": still | step["moved"]} for step in steps]


def tour_attribution() -> list[dict]:
    """The attribution explorer's tour, for any patch of any function.

    >>> [step["method"] for step in tour_attribution() if "method" in step]
    ['blur_path', 'occlusion', 'blur_path']
    """
    first, *others = _TOURS["attribution"]
    return [_TOURS["any attribution"][0], *map(dict, others)]


def tour_contrasts() -> list[dict]:
    """The contrast explorer's tour: each step's times on one side, whole.

    >>> tour_contrasts()[0]["active"], len(tour_contrasts())
    ('left', 6)
    """
    return [dict(step) for step in _TOURS["contrasts"]]


def tour_attention(channel: bool, cuts: bool) -> list[dict]:
    """A tour that fits every attention explorer: no step names a place, a level or a network.

    >>> len(tour_attention(channel=True, cuts=True)), len(tour_attention(channel=False, cuts=False))
    (6, 4)

    Without the step on the channel branch, or on cuts, where there is none.
    """
    steps = [dict(step) for step in _TOURS["any attention"]]
    if not cuts:
        steps.pop()
    return [step for step in steps if channel or step.get("branch") != "channel"]
