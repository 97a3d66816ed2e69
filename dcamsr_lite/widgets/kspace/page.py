"""What stands around the k-space explorer: its guided tour and its static twin.

>>> len(guided((64, 64)))
9
"""

from io import BytesIO

from ...figures import signed_map
from ...kspace import ifft2c, rss


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
            "The centre alone. One sample in 64 is kept; read below how much of the energy that is."
            " Brightness and contrast stay, edges and detail are gone.",
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


def twin(explorer) -> bytes:
    """PNG of an explorer's k-space with its box, of the image, its difference and its profile.

    >>> import torch
    >>> from dcamsr_lite.widgets import explore_kspace
    >>> twin(explore_kspace(torch.rand(32, 24)))[:4]
    b'\\x89PNG'
    """
    from matplotlib.figure import Figure  # loads when first used
    from matplotlib.patches import Ellipse, Rectangle

    full, shown, image = rss(ifft2c(explorer.kspace())), explorer.judged(), explorer.image()
    peak, white = float(full.max()), float(full.quantile(0.995))
    figure = Figure(figsize=(11.5, 3.4), layout="constrained", dpi=90)
    axes = figure.subplots(1, 4, width_ratios=(1, 1, 1, 1.25))

    def draw(axis, values, colours, low, high, title, label):
        drawn = axis.imshow(values.numpy(), colours, vmin=low, vmax=high)
        axis.set(xticks=[], yticks=[])
        axis.set_title(title, fontsize=8)
        bar = figure.colorbar(
            drawn, ax=axis, location="bottom", ticks=[low, (low + high) / 2, high]
        )
        bar.ax.tick_params(labelsize=7)
        bar.set_label(label, fontsize=7)

    strength = rss(explorer.kspace())
    log = (strength / strength.max()).clamp_min(1e-4).log10()
    kept = float((explorer.weights() > 0).double().mean())
    title = f"k-space, {100 * kept:.3g} % kept"
    draw(axes[0], log, "viridis", -4, 0, title, "log10 of the magnitude over its largest")
    row, column, height, width = explorer.covered()
    style = dict(fill=False, color="white", linewidth=1.5)
    centre = (column + width / 2 - 0.5, row + height / 2 - 0.5)
    corner = (column - 0.5, row - 0.5)
    disc = explorer.shape == "disc"
    outline = Ellipse(centre, width, height, **style) if disc else None
    axes[0].add_patch(outline or Rectangle(corner, width, height, **style))

    quality, percent = explorer.quality(), "% of the full image's maximum"
    title = f"{explorer.matrix}, {quality['psnr']:.1f} dB, SSIM {quality['ssim']:.3f}"
    draw(axes[1], 100 * image / peak, "gray", 0, round(100 * white / peak), title, percent)
    error = 100 * (shown - full) / peak
    limit = max(1, round(float(error.abs().max())))
    draw(axes[2], error, signed_map(), -limit, limit, "minus the full image", percent)

    at = explorer.point[0] if explorer.along == "row" else explorer.point[1]
    for curve, name, line in ((full, "full k-space", "--"), (shown, "the box alone", "-")):
        values = 100 * (curve[at] if explorer.along == "row" else curve[:, at]) / peak
        axes[3].plot(values.numpy(), line, label=name)
    axes[3].set_title(f"profile along {explorer.along} {at}, {percent}", fontsize=8)
    axes[3].tick_params(labelsize=7)
    axes[3].legend(fontsize=7)
    figure.suptitle(f"{explorer.info['title']}. Not for clinical use.", fontsize=8)
    buffer = BytesIO()
    figure.savefig(buffer, format="png")
    return buffer.getvalue()
