"""The k-space explorer's guided tour: what a crop of k-space does, from the centre to the rim.

>>> len(write_tour((64, 64)))
9
"""


def center_box(shape: tuple[int, int], scale: float) -> list[int]:
    """The box in the centre of k-space that keeps 1 / ``scale`` of each axis, as ``crop_kspace``.

    >>> center_box((64, 33), 4)
    [24, 12, 16, 8]
    """
    sides = [max(1, int(side / scale)) for side in shape]
    corner = [side // 2 - kept // 2 for side, kept in zip(shape, sides, strict=True)]
    return [*corner, *sides]


def write_tour(shape: tuple[int, int]) -> list[dict]:
    """The steps for k-space of this shape (rows, columns).

    >>> write_tour((64, 64))[0]["box"]
    [0, 0, 64, 64]
    """
    rows, columns = shape
    plain = {"shape": "box", "noise": 0.0, "window": "none", "matrix": "zero-filled"}
    plain |= {"rescale": True, "box": center_box(shape, 4)}
    steps = [
        (
            "All of k-space, and the image it makes. Each sample is one wave across the whole image:"
            " slow waves in the centre, fast ones at the rim.",
            {"box": [0, 0, rows, columns]},
        ),
        (
            "The centre alone. One sample in 64 is kept; read below how much of the energy that is."
            " Brightness and contrast stay, edges and detail are gone.",
            {"box": center_box(shape, 8)},
        ),
        (
            "The rim alone: the box has left the centre. Contrast is gone; what stays are edges, and"
            " only those that lie across the waves in the box.",
            {"box": [0, 0, max(1, rows // 2 - rows // 8), columns]},
        ),
        (
            "A quarter of each axis, as an image at 4x is made. Two faults: blur, and waves beside"
            " every edge. The profile shows them overshoot: Gibbs ringing.",
            {},
        ),
        (
            "A Hann window lets the box fade out instead of ending. The ringing goes, and the blur"
            " grows: the two are traded, none is free. Tukey's width lies between.",
            {"window": "hann"},
        ),
        (
            "Only phase-encoding lines are left out, which is what saves scan time. Now the blur runs"
            " along one direction alone.",
            {"shape": "lines"},
        ),
        (
            "Noise in every sample. What lies outside the box brings no noise either: widen the box"
            " and watch the error inside grow while that outside falls.",
            {"noise": 0.05},
        ),
        (
            "The small image as it leaves the crop, on its own matrix: too bright. An orthonormal"
            " transform divides by the root of the number of samples, and there are fewer now."
            " Rescaling by the crop mends it.",
            {"matrix": "acquired", "rescale": False},
        ),
        (
            "Yours now. Predict first: of all boxes with a sixteenth of the samples, which gives the"
            " highest PSNR? Drag a corner to shape the box, its inside to move it.",
            {},
        ),
    ]
    return [{"text": text, **plain, **changes} for text, changes in steps]
