"""Pictures for the page: the overview of one super-resolved slice with both attentions.

>>> import numpy as np
>>> import dcamsr_lite as dl
>>> head = np.random.default_rng(0).random((1, 64, 64), np.float32)
>>> figure = overview(dl.DCAMSR(scale=4, image_size=64), dl.load_pair(head, head, scale=4))
>>> len(figure.axes) > 12
True

Grey for MR images, viridis for magnitudes, a blue-orange map for signed weights.
"""

from math import floor, log10
from pathlib import Path

import torch
from torch import Tensor

from .data.pairs import Pair
from .errors import InputError, atomic_path
from .evaluation import super_resolve
from .interpret.tracing import Record, trace
from .metrics import band_error, has_signal, psnr
from .network.model import DCAMSR

WARNING = "Not for clinical use."


def signed_map():
    """Blue for negative, orange for positive, near-white at zero: readable by colour-blind eyes."""
    from matplotlib.colors import LinearSegmentedColormap

    stops = ["#08306b", "#4292c6", "#f7f7f7", "#f16913", "#7f2704"]
    return LinearSegmentedColormap.from_list("blue_orange", stops)


def brightest_slice(pair: Pair) -> int:
    """The slice with the brightest reference: well inside the head."""
    return int(pair.reference_image.mean((-2, -1)).argmax())


@torch.inference_mode()
def record_slice(model: DCAMSR, pair: Pair, index: int) -> Record:
    """Both attentions of one slice, run on the model's device, on the CPU to be drawn."""
    device = next(model.parameters()).device
    with trace(model) as record:
        model(*(x[index : index + 1].to(device) for x in (pair.lr, pair.ref)))
    for levels in (record.spatial, record.channel):
        levels.update({level: attention.cpu() for level, attention in levels.items()})
    return record


def overview(
    model: DCAMSR, pair: Pair, index: int | None = None, query: tuple[int, int] | None = None
):
    """Images, errors on one scale, lifted spatial attention at three scales, channel matrices.

    ``query`` is (row, column) at full size; the same place is asked at every level. Needs a pair with
    a target. Returns a matplotlib figure.
    """
    from matplotlib.figure import Figure

    if pair.target_image is None:
        raise InputError("pair", "no target", "a reference and a full-size target")
    index = brightest_slice(pair) if index is None else index
    rows, columns = pair.shape
    query = (rows * 9 // 20, columns * 13 // 20) if query is None else query
    model.eval()
    record = record_slice(model, pair, index)
    ours, target = super_resolve(model, pair)[index], pair.target_image[index]
    floor = pair.zero_filled[index]
    figure = Figure(figsize=(15, 11.6), layout="constrained")
    figure.get_layout_engine().set(rect=(0, 0, 1, 0.97))  # titles of two lines would be cut
    grid = figure.subplots(3, 5, height_ratios=(1, 1.04, 0.9))
    peak = pair.target_image.max()
    top = float(target.max())
    images = [
        (f"low resolution, {pair.low.shape[-2]} x {pair.low.shape[-1]}", pair.low[index], top),
        ("reference", pair.reference_image[index], float(pair.reference_image[index].max())),
        (f"zero-fill, {judged(target, floor, peak, pair.scale)}", floor, top),
        (f"DCAMSR, {judged(target, ours, peak, pair.scale)}", ours, top),
        ("target", target, top),
    ]
    for axis, (title, image, limit) in zip(grid[0], images, strict=True):
        shown = axis.imshow(image.numpy(), cmap="gray", vmin=0, vmax=limit)
        axis.set_title(title, fontsize=10)
        _bar(figure, shown, axis, "signal")
    _errors(figure, grid[1][:2], target, floor, ours)
    _lifted(figure, [*grid[1][2:]], record, query, pair.shape)
    _channel(figure, [*grid[2][:3]], record)
    _entropies(grid[2][3], record)
    _words(grid[2][4], model, pair, index, query)
    for axis in [*grid[0], *grid[1]]:
        axis.set_xticks([])
        axis.set_yticks([])
    return figure


def judged(target: Tensor, image: Tensor, peak: Tensor, scale: int) -> str:
    """PSNR of one slice, and where in k-space its error lies; a blank one has no energy to share."""
    if not has_signal(target):
        return f"{slice_psnr(target, image, peak):.1f} dB"
    bands = band_error(target[None], image[None], scale)
    shares = " + ".join(f"{100 * share:.1f} % {band}" for band, share in bands.items())
    return f"{slice_psnr(target, image, peak):.1f} dB\n{shares}"


def slice_psnr(target: Tensor, image: Tensor, peak: Tensor) -> float:
    """PSNR of one slice against the maximum of the whole volume."""
    return psnr(torch.cat([target.flatten(), peak[None]]), torch.cat([image.flatten(), peak[None]]))


def _bar(figure, shown, axis, label: str) -> None:
    bar = figure.colorbar(
        shown, ax=axis, location="bottom", fraction=0.05, pad=0.03, aspect=30, shrink=0.9
    )
    bar.set_label(label, fontsize=9)
    bar.ax.tick_params(labelsize=8)
    bar.ax.locator_params(nbins=5)


def _errors(figure, axes, target: Tensor, floor: Tensor, ours: Tensor) -> None:
    errors = [("zero-fill", floor - target), ("DCAMSR", ours - target)]
    limit = float(errors[0][1].abs().quantile(0.995))
    for axis, (name, error) in zip(axes, errors, strict=True):
        shown = axis.imshow(error.abs().numpy(), cmap="viridis", vmin=0, vmax=limit)
        axis.set_title(f"|error| of {name}")
        _bar(figure, shown, axis, "signal, one scale for both")


def _lifted(figure, axes, record: Record, query, shape) -> None:
    for axis, level in zip(axes, (1, 2, 4), strict=True):
        if level not in record.spatial:
            axis.text(0.5, 0.5, f"level {level}:\nno spatial attention", ha="center")
            continue
        place = tuple(side // level for side in query)
        lifted = record.lift(level, place, relative=True)
        limit = float(lifted.abs().max()) or 1.0
        unit = 10.0 ** floor(log10(limit))
        extent = (0, shape[1], shape[0], 0)
        shown = axis.imshow(
            (lifted / unit).numpy(),
            cmap=signed_map(),
            vmin=-limit / unit,
            vmax=limit / unit,
            extent=extent,
        )
        axis.plot(query[1] + 0.5, query[0] + 0.5, "x", color="black", markersize=9)
        axis.set_title(
            f"spatial attention of x, level {level}\nminus uniform, mean of heads", fontsize=10
        )
        _bar(figure, shown, axis, f"weight on a reference pixel, in {unit:.0e}")


def _channel(figure, axes, record: Record) -> None:
    for axis, level in zip(axes, (1, 2, 4), strict=True):
        if level not in record.channel:
            axis.text(0.5, 0.5, f"level {level}:\nno channel attention", ha="center")
            continue
        heads = record.channel[level][0]
        # the heads side by side in two rows, a white gap between them
        count, d = heads.shape[:2]
        across = (count + 1) // 2
        canvas = torch.full((2 * (d + 1) - 1, across * (d + 1) - 1), float("nan"))
        for head, matrix in enumerate(heads):
            top, left = head // across * (d + 1), head % across * (d + 1)
            canvas[top : top + d, left : left + d] = matrix
        shown = axis.imshow(canvas.numpy(), cmap="cividis", vmin=0, vmax=1)
        axis.set_title(f"channel attention, level {level}, {count} heads", fontsize=10)
        axis.set_xlabel("reference feature, head by head", fontsize=9)
        axis.set_ylabel("query feature", fontsize=9)
        axis.set_xticks([])
        axis.set_yticks([])
        _bar(figure, shown, axis, "weight")


def _entropies(axis, record: Record) -> None:
    marks = {"spatial": ("#08519c", "o"), "channel": ("#d94801", "s")}
    for branch, (colour, mark) in marks.items():
        levels = sorted(getattr(record, branch))
        for place, level in enumerate(levels):
            values = record.entropy(level)[branch][0]
            label = branch if place == 0 else None
            heads = [place + (0.12 if branch == "channel" else -0.12)] * len(values)
            axis.scatter(heads, values, color=colour, marker=mark, label=label, alpha=0.7)
    axis.set_xticks(range(3), ["1", "2", "4"])
    axis.set_ylim(-0.05, 1.05)
    axis.axhline(1, color="grey", linewidth=0.8)
    axis.set_xlabel("level")
    axis.set_ylabel("entropy: 0 one-hot, 1 uniform")
    axis.set_title("how sharp each head is")
    axis.legend(loc="lower left")


def _words(axis, model: DCAMSR, pair: Pair, index: int, query) -> None:
    c = model.config
    lines = [
        f"variant {c.variant}, preset {c.preset}, {c.scale}x",
        f"slice {index}, matrix {pair.shape[0]} x {pair.shape[1]}",
        f"x: query at row {query[0]}, column {query[1]}",
        "PSNR of this slice against",
        "the volume's maximum; squared",
        "error in % of the target's energy,",
        "in measured and removed k-space",
        "",
        WARNING,
    ]
    axis.axis("off")
    axis.text(0, 0.95, "\n".join(lines), va="top", fontsize=10, linespacing=1.6)


def write_png(figure, path: str | Path, dpi: int = 110) -> None:
    """Save a figure as PNG, whole or not at all.

    >>> from matplotlib.figure import Figure
    >>> write_png(Figure(), "empty.png")
    """
    with atomic_path(path) as temporary:
        figure.savefig(temporary, dpi=dpi, format="png")
