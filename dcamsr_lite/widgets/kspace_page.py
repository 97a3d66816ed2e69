"""What stands around the k-space explorer: its guided tour and its static twin.

>>> len(guided((64, 64)))
9
"""

from io import BytesIO

from ..kspace import ifft2c, rss


def centred(shape: tuple[int, int], scale: float) -> list[int]:
    """The box in the centre of k-space that keeps 1 / ``scale`` of each axis, as ``crop_kspace``.

    >>> centred((64, 33), 4)
    [24, 12, 16, 8]
    """
    sides = [max(1, int(side / scale)) for side in shape]
    corner = [side // 2 - kept // 2 for side, kept in zip(shape, sides, strict=True)]
    return [*corner, *sides]


def guided(shape: tuple[int, int]) -> list[dict]:
    """The tour: what a crop of k-space does, from the centre to the rim.

    >>> guided((64, 64))[0]["box"]
    [0, 0, 64, 64]
    """
    rows, columns = shape
    plain = {"shape": "box", "noise": 0.0, "window": "none", "matrix": "zero-filled"}
    plain |= {"rescale": True, "box": centred(shape, 4)}
    steps = [
        (
            "All of k-space, and the image it makes. Each sample is one wave across the whole image:"
            " slow waves in the centre, fast ones at the rim.",
            {"box": [0, 0, rows, columns]},
        ),
        (
            "The centre alone. Few samples hold nearly all of the energy (read it below): brightness"
            " and contrast stay, edges and detail are gone.",
            {"box": centred(shape, 8)},
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
            "The small image as it leaves the crop, on its own matrix. It is too bright: the transform"
            " is orthonormal, so fewer samples share the same sum. Rescaling by the crop mends it.",
            {"matrix": "acquired", "rescale": False},
        ),
        (
            "Yours now. Predict first: of all boxes with a sixteenth of the samples, which gives the"
            " highest PSNR? Drag a corner to shape the box, its inside to move it.",
            {},
        ),
    ]
    return [{"text": text, **plain, **changes} for text, changes in steps]


def twin(explorer) -> bytes:
    """PNG of an explorer's k-space with its box, of the image, its difference and its profile.

    >>> import torch
    >>> from dcamsr_lite.widgets import explore_kspace
    >>> twin(explore_kspace(torch.rand(32, 24)))[:4]
    b'\\x89PNG'
    """
    from matplotlib.figure import Figure  # loads when first used
    from matplotlib.patches import Ellipse, Rectangle

    kspace, image, quality = explorer.kspace(), explorer.image(), explorer.quality()
    full, weights = rss(ifft2c(kspace)), explorer.weights()
    shown = explorer.judged()
    top, peak = float(full.quantile(0.995)), float(full.max())
    figure = Figure(figsize=(11, 3.3), layout="constrained", dpi=90)
    axes = figure.subplots(1, 4, width_ratios=(1, 1, 1, 1.3))
    strength = rss(kspace)
    log = (strength / strength.max()).clamp_min(1e-5).log10()
    drawn = axes[0].imshow(log.numpy(), "viridis", vmin=-5, vmax=0)
    axes[0].set_title(
        f"k-space, {100 * float((weights > 0).double().mean()):.3g} % kept", fontsize=8
    )
    row, column, height, width = explorer.covered()
    outline = dict(fill=False, color="white", linewidth=1.5)
    centre = (column + width / 2 - 0.5, row + height / 2 - 0.5)
    disc = explorer.shape == "disc"
    axes[0].add_patch(
        Ellipse(centre, width, height, **outline)
        if disc
        else Rectangle((column - 0.5, row - 0.5), width, height, **outline)
    )
    figure.colorbar(drawn, ax=axes[0], location="bottom", label="log10 of magnitude / largest")
    axes[1].imshow(image.numpy(), "gray", vmin=0, vmax=top)
    psnr = f"{quality['psnr']:.1f} dB, SSIM {quality['ssim']:.3f}"
    axes[1].set_title(f"{explorer.matrix}: {psnr}", fontsize=8)
    error = 100 * (shown - full) / peak
    limit = float(error.abs().max()) or 1.0
    drawn = axes[2].imshow(error.numpy(), "PuOr_r", vmin=-limit, vmax=limit)
    axes[2].set_title("difference from the full image", fontsize=8)
    figure.colorbar(drawn, ax=axes[2], location="bottom", label="% of the full image's maximum")
    at, row_wise = explorer.point, explorer.along == "row"
    for curve, name in ((full, "full"), (shown, "from the box")):
        axes[3].plot((curve[at[0]] if row_wise else curve[:, at[1]]).numpy(), label=name)
    axes[3].set_title(f"profile along {explorer.along} {at[0] if row_wise else at[1]}", fontsize=8)
    axes[3].legend(fontsize=7)
    for axis in axes[:3]:
        axis.set(xticks=[], yticks=[])
    figure.suptitle(f"{explorer.info['title']}. Not for clinical use.", fontsize=8)
    buffer = BytesIO()
    figure.savefig(buffer, format="png")
    return buffer.getvalue()
