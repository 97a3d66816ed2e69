"""Figures of a super-resolved slice: its overview, a worst case, a part magnified; and as PNG.

>>> import numpy as np
>>> import dcamsr_lite as dl
>>> head = np.random.default_rng(0).random((1, 64, 64), np.float32)
>>> figure = overview(dl.DCAMSR(scale=4, image_size=64), dl.load_pair(head, head, scale=4))
>>> len(figure.axes) > 12
True
"""

import io
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from einops import rearrange
from torch import Tensor

from .data.pairs import Pair
from .errors import InputError, atomic_path
from .evaluation import check_pair, run_network
from .interpret.displacements import LONGER, choose_places, draw_arrows, read_offsets
from .interpret.record import Record
from .interpret.tracing import trace
from .metrics import band_error, has_signal, psnr
from .network.super_resolver import SuperResolver, unwrap
from .panels import COLOURS as COLOURS
from .panels import (
    SIGNAL,
    WARNING,
    default_style,
    draw_panel,
    lay_out,
    mark_pixel,
    outline_anatomy,
)

CELL_COLOURS = 256  # of a picture in a notebook, which has a megabyte for all of them

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@default_style()
def draw_magnified(
    images: Mapping[str, Tensor], point: tuple[int, int], half: int, limit: float | None = None
) -> "Figure":
    """Images (row, column) of one size side by side, and below each its part around ``point``, large.

    >>> figure = draw_magnified({"low": torch.zeros(32, 32), "high": torch.ones(32, 32)}, (16, 16), 4)
    >>> [axes.get_title() for axes in figure.axes[:3]]
    ['low', 'high', '']

    The part reaches ``half`` pixels to each side, inside of the image. All are on one scale of grey,
    from 0 to ``limit``, by default the largest value: one bar (``panels.draw_bar``) has room on the
    right. The width is that of a notebook.
    """
    from matplotlib.figure import Figure

    rows, columns = next(iter(images.values())).shape
    side = min(2 * half, rows, columns)
    corner = (min(max(x - half, 0), n - side) for x, n in zip(point, (rows, columns), strict=True))
    top, left = corner
    high = max(float(image.max()) for image in images.values()) if limit is None else limit
    across = (11.8 - 0.8) / len(images)  # beside them the bar
    down = across * rows / columns
    figure = Figure(figsize=(11.8, down + across + 0.35), layout="constrained", dpi=80)
    grid = figure.subplots(2, len(images), squeeze=False, height_ratios=[rows / columns, 1])
    for column, (title, image) in enumerate(images.items()):
        whole, part = grid[0, column], grid[1, column]
        grey = {"cmap": "gray", "vmin": 0, "vmax": high}
        whole.imshow(image.numpy(), **grey)
        whole.set_title(title, fontsize=11)
        box = [left - 0.5, left + side - 0.5, top - 0.5, top + side - 0.5]
        x = [box[i] for i in (0, 1, 1, 0, 0)]
        whole.plot(x, [box[i] for i in (2, 2, 3, 3, 2)], color="#ffb000", linewidth=1.5)
        part.imshow(image[top : top + side, left : left + side].numpy(), **grey)
        part.spines[:].set(color="#ffb000", linewidth=2)
        for axes in (whole, part):
            axes.set(xticks=[], yticks=[])
    return figure


def brightest_slice(pair: Pair) -> int:
    """The slice with the brightest reference: well inside the head."""
    return int(pair.reference_image.mean((-2, -1)).argmax())


def record_slice(model: SuperResolver, pair: Pair, index: int) -> tuple[Record, Tensor]:
    """Both attentions of one slice, on the CPU, and the output (row, column) in the target's units."""
    with trace(model) as record:
        output = run_network(model, pair.take_slice(index))[0]
    for levels in (record.spatial, record.channel):
        levels.update({level: attention.cpu() for level, attention in levels.items()})
    return record, output


@default_style()
def overview(
    model: SuperResolver, pair: Pair, index: int | None = None, query: tuple[int, int] | None = None
) -> "Figure":
    """Images, errors on one scale, spatial attention at three scales, channel matrices.

    ``query`` is (row, column) at full size; the same place is asked at every level. Needs a pair with
    a target; of another normalisation than the network's it is said on stderr. Returns a matplotlib
    figure.
    """
    from matplotlib.figure import Figure

    if pair.target_image is None:
        raise InputError("pair", "no target", "a reference and a full-size target")
    check_pair(pair, model)
    index = brightest_slice(pair) if index is None else index
    rows, columns = pair.shape
    query = (rows * 9 // 20, columns * 13 // 20) if query is None else query
    record, ours = record_slice(model, pair, index)
    target, floor = pair.target_image[index], pair.zero_filled[index]
    figure = Figure(figsize=(15, 11.6), layout="constrained")
    # a row for itself, else the numbers of its axis would push a column of all rows aside
    rows_of = figure.subfigures(3, 1, height_ratios=(1.04, 1.04, 0.8))
    grid = [row.subplots(1, 5) for row in rows_of]
    reference = pair.reference_image[index]
    images = {
        f"low resolution, {pair.low.shape[-2]} x {pair.low.shape[-1]}": pair.low[index],
        "reference": reference,
        f"zero-fill, {judge(target, floor, pair.scale)}": floor,
        f"DCAMSR, {judge(target, ours, pair.scale)}": ours,
        "target": target,
    }
    for axes, (title, image) in zip(grid[0], images.items(), strict=True):
        limit = float((reference if image is reference else target).max())
        draw_panel(axes, title, image, limit=limit, size=10)
    _draw_errors(grid[1][:2], {"zero-fill": floor - target, "DCAMSR": ours - target})
    _draw_spatial(grid[1][2:], record, query, reference)
    _draw_channel(grid[2][:3], record)
    _draw_entropies(grid[2][3], record)
    _write_words(grid[2][4], model, pair, index, query)
    return figure


def judge(target: Tensor, image: Tensor, scale: int) -> str:
    """PSNR of one slice, its own peak the scale, as in the explorers; where its error lies in k-space.

    >>> target = torch.eye(32)
    >>> judge(target, 0.9 * target, 4), judge(0 * target, target, 4)
    ('35.1 dB\\n0.2 % measured + 0.8 % removed', 'no signal in the target')
    """
    if not has_signal(target):
        return "no signal in the target"
    quality = f"{psnr(target, image):.1f} dB"
    bands = band_error(target[None], image[None], scale)
    shares = " + ".join(f"{100 * share:.1f} % {band}" for band, share in bands.items())
    return f"{quality}\n{shares}"


def _draw_errors(axes, errors: dict[str, Tensor]) -> None:
    limit = float(errors["zero-fill"].abs().quantile(0.995))
    for one, (name, error) in zip(axes, errors.items(), strict=True):
        label = f"{SIGNAL}, one scale for both"
        draw_panel(one, f"|error| of {name}", error.abs(), "magnitude", limit, label=label, size=10)


def _draw_spatial(axes, record: Record, query: tuple[int, int], reference: Tensor) -> None:
    for one, level in zip(axes, (1, 2, 4), strict=True):
        title = f"spatial attention of x, level {level}\nminus uniform, mean of heads"
        if level not in record.spatial:
            _write_nothing(one, f"level {level}:\nno spatial attention")
            continue
        if level in record.windows:
            first = level == min(record.windows)
            where = "where each place looks" if first else "and from there once more"
            title = f"{where}, level {level}\narrows {LONGER} x as long"
            draw_panel(one, title, reference, size=10)
            places = choose_places(reference)
            draw_arrows(one, places, read_offsets(record, level, places, reference.shape))
            continue
        lifted = record.lift(level, tuple(side // level for side in query), relative=True)
        label = "weight on a reference pixel"
        draw_panel(one, title, lifted, "signed", label=label, pixel=level, size=10)
        outline_anatomy(one, reference)
        mark_pixel(one, *query)


def _draw_channel(axes, record: Record) -> None:
    for one, level in zip(axes, (1, 2, 4), strict=True):
        if level not in record.channel:
            _write_nothing(one, f"level {level}:\nno channel attention")
            continue
        heads = F.pad(record.channel[level][0], (0, 1, 0, 1), value=torch.nan)  # a gap between them
        heads = F.pad(heads, (0, 0, 0, 0, 0, len(heads) % 2), value=torch.nan)
        canvas = rearrange(heads, "(down along) i j -> (down i) (along j)", down=2)[:-1, :-1]
        title = f"channel attention, level {level}, {len(record.channel[level][0])} heads"
        draw_panel(one, title, canvas, "share", 1.0, label="weight", size=10)
        one.set_xlabel("reference feature, head by head", fontsize=9)
        one.set_ylabel("query feature", fontsize=9)


def _write_nothing(axes, words: str) -> None:
    axes.text(0.5, 0.5, words, ha="center")
    axes.set(xticks=[], yticks=[])


def _draw_entropies(axes, record: Record) -> None:
    marks = {"spatial": ("#08519c", "o"), "channel": ("#d94801", "s")}
    for branch, (colour, mark) in marks.items():
        levels = sorted(getattr(record, branch))
        for place, level in enumerate(levels):
            values = record.entropy(level)[branch][0]
            label = branch if place == 0 else None
            heads = [place + (0.12 if branch == "channel" else -0.12)] * len(values)
            axes.scatter(heads, values, color=colour, marker=mark, label=label, alpha=0.7)
    axes.set_xticks(range(3), ["1", "2", "4"])
    axes.axhline(1, color="grey", linewidth=0.8)
    axes.set(ylim=(-0.05, 1.05), xlabel="level")
    axes.set_title("entropy of each head, mean over queries\n0 one-hot, 1 uniform", fontsize=10)
    axes.legend(loc="center left")


def _write_words(axes, model: SuperResolver, pair: Pair, index: int, query) -> None:
    c = unwrap(model).config
    lines = [
        f"variant {c.variant}, preset {c.preset}, {c.scale}x",
        f"slice {index} (counted 0 to {len(pair.lr) - 1})",
        f"matrix {pair.shape[0]} x {pair.shape[1]}",
        "" if c.in_sequence else f"x: query at row {query[0]}, column {query[1]}",
        "PSNR of this slice, its largest value\nthe peak; squared error in %",
        "of the target's energy, in measured\nand removed k-space\n",
        WARNING,
    ]
    axes.axis("off")
    axes.text(0, 0.95, "\n".join(lines), va="top", fontsize=10, linespacing=1.6)


def draw_case(pair: Pair, image: Tensor, words: str) -> "Figure":
    """Of a super-resolved volume the slice with the largest error: inputs, output, target, error.

    >>> from dcamsr_lite.data.pairs import load_pair
    >>> pair = load_pair(*torch.rand(2, 3, 32, 32), scale=4)
    >>> draw_case(pair, pair.zero_filled, "zero-fill").get_suptitle()[:17]
    'zero-fill. Slice '

    ``image`` is (slice, row, column) in the target's units; the PSNR is that of ``judge``. Raises
    InputError without a target.
    """
    if pair.target_image is None:
        raise InputError("pair", "no target", "a reference and a full-size target")
    index = int((image - pair.target_image).square().mean((-2, -1)).argmax())
    target, floor, ours = (x[index] for x in (pair.target_image, pair.zero_filled, image))
    limit = float(target.max()) or None  # the error's too, a quarter: methods are compared
    shown = [("zero-fill", floor)] * (not torch.equal(floor, ours)) + [("output", ours)]
    figure, axes = lay_out(len(shown) + 3, 2.6, 4.1, f"{words}. Slice {index}")
    draw_panel(axes[0], "reference", pair.reference_image[index])
    for one, (name, of) in zip(axes[1:], shown, strict=False):
        score = judge(target, of, pair.scale)
        draw_panel(one, f"{name}\n{score}", of, limit=limit)
    draw_panel(axes[-2], "target", target, limit=limit)
    error, most = (ours - target).abs(), limit and limit / 4
    draw_panel(axes[-1], "|error| of the output", error, "magnitude", most, label=SIGNAL)
    return figure


@default_style()
def render_png(figure: "Figure", dpi: float | str = "figure", colours: int | None = None) -> bytes:
    """A figure as PNG; the same picture gives the same bytes.

    >>> render_png(lay_out(1)[0])[:4]
    b'\\x89PNG'

    ``colours`` as in ``shrink_png``.
    """
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=dpi, metadata={"Software": None})
    return shrink_png(buffer.getvalue(), colours)


def shrink_png(picture: bytes, colours: int | None = None) -> bytes:
    """The same pixels in a tenth fewer bytes: no transparency, for there is none, and packed well.

    >>> shrink_png(shrink_png(render_png(lay_out(1)[0]))) == render_png(lay_out(1)[0])
    True

    With ``colours`` it has so many, the nearest ones, which halves a map: for a notebook's cell.
    """
    from PIL import Image  # comes with matplotlib

    buffer = io.BytesIO()
    with Image.open(io.BytesIO(picture)) as image:
        shown = image.convert("RGB")
        if colours:
            method = Image.Quantize.MAXCOVERAGE  # no colour is far off: a scale keeps its ends
            shown = shown.quantize(colours, method, dither=Image.Dither.NONE)
        shown.save(buffer, "png", optimize=True, dpi=image.info["dpi"])
    return buffer.getvalue()


def write_png(figure: "Figure", path: str | Path, dpi: int = 110) -> None:
    """Save a figure as PNG, whole or not at all.

    >>> write_png(lay_out(1)[0], "empty.png")
    >>> Path("empty.png").stat().st_size > 100
    True
    """
    with atomic_path(path) as temporary:
        temporary.write_bytes(render_png(figure, dpi))
