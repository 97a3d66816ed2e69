"""Panels of images, drawn one way everywhere: colours, colour bars, marks, and the anatomy's outline.

>>> _, (axes,) = lay_out(1)
>>> draw_panel(axes, "error", torch.tensor([[-2.0, 1.0]]), kind="signed")
>>> mark_pixel(axes, 0, 1)
>>> axes.get_title()
'error'

Grey for MR images, viridis and cividis for magnitudes, a blue-orange map for signed values.
"""

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from textwrap import fill
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colors import LinearSegmentedColormap
    from matplotlib.figure import Figure

WARNING = "Not for clinical use."
SIGNAL = "signal, a.u."  # arbitrary units: those of the file
COLOURS = {"signal": "gray", "magnitude": "viridis", "share": "cividis", "signed": "blue-orange"}


def signed_map() -> "LinearSegmentedColormap":
    """Blue for negative, orange for positive, near-white at zero: readable by colour-blind eyes."""
    from matplotlib.colors import LinearSegmentedColormap

    stops = ["#08306b", "#4292c6", "#f7f7f7", "#f16913", "#7f2704"]
    return LinearSegmentedColormap.from_list("blue_orange", stops)


@contextmanager
def default_style() -> Iterator[None]:
    """Matplotlib's own defaults inside, whatever the reader's matplotlibrc says.

    >>> import matplotlib
    >>> with matplotlib.rc_context({"image.origin": "lower"}), default_style():
    ...     matplotlib.rcParams["image.origin"]
    'upper'
    """
    from matplotlib import style  # loads when first used

    with style.context("default"):
        yield


@default_style()
def lay_out(
    count: int, width: float = 2.1, height: float = 3.1, words: str = "", **options: Any
) -> tuple["Figure", list["Axes"]]:
    """A figure, and its ``count`` axes side by side, each ``width`` x ``height`` inches.

    >>> figure, axes = lay_out(3, words="One head")
    >>> figure.get_suptitle(), len(axes)
    ('One head. Not for clinical use.', 3)

    ``words`` stand above all, with the warning. ``options`` go to ``Figure.subplots``.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width * count, height), layout="constrained", dpi=90)
    if words:
        figure.suptitle(fill(f"{words}. {WARNING}", 26 * count), fontsize=8)
    return figure, [*figure.subplots(1, count, squeeze=False, **options)[0]]


@default_style()
def draw_panel(
    axes: "Axes",
    title: str,
    image: Tensor,
    kind: str = "signal",
    limit: float | None = None,
    low: float | None = None,
    label: str | None = None,
    corner: tuple[int, int] = (0, 0),
    pixel: int = 1,
    bar: str = "bottom",
    size: float = 8,
) -> None:
    """One image (row, column), its title, and a colour bar with numbers.

    >>> _, (axes,) = lay_out(1)
    >>> draw_panel(axes, "error", torch.tensor([[-2.0, 1.0]]), kind="signed")
    >>> axes.images[0].get_clim()
    (-2.0, 2.0)

    ``kind``: "signal" (grey), "magnitude" (viridis), "share" (cividis), "signed" (blue-orange). The
    scale goes from ``low`` (0, or minus the limit) to ``limit`` (the largest magnitude). ``corner``
    (row, column) and ``pixel`` (its side) place a map of a level on the image's pixels, whose centres
    are whole numbers. ``bar`` is its side ("": none), ``size`` the title's. Raises ValueError for
    another kind.
    """
    if kind not in COLOURS:
        raise ValueError(f"kind is {kind!r}, expected one of {[*COLOURS]}")
    image = torch.as_tensor(image).detach().float()
    high = float(image.abs().max()) if limit is None else limit
    if low is None:
        high = high or 1.0
        low = -high if kind == "signed" else 0.0
    (top, left), (rows, columns) = corner, image.shape
    axes.imshow(
        image.cpu().numpy(),
        cmap=signed_map() if kind == "signed" else COLOURS[kind],
        origin="upper",
        vmin=low,
        vmax=high,
        extent=(left - 0.5, left + pixel * columns - 0.5, top + pixel * rows - 0.5, top - 0.5),
    )
    axes.set(xticks=[], yticks=[])
    axes.set_title(title, fontsize=size)
    if bar:
        draw_bar([axes], label or name_scale(kind), bar, size)


def name_scale(kind: str) -> str:
    """What stands at the colour bar of a kind of panel where nobody says it.

    >>> name_scale("signal")
    'signal, a.u.'
    """
    return SIGNAL if kind == "signal" else kind


def draw_bar(panels: "Sequence[Axes]", label: str, bar: str = "right", size: float = 8) -> None:
    """One colour bar with numbers for panels (a row of them) whose images have one scale.

    >>> figure, panels = lay_out(2)
    >>> for axes in panels:
    ...     draw_panel(axes, "T1", torch.rand(4, 4), limit=1, bar="")
    >>> draw_bar(panels, "signal")
    >>> len(figure.axes)
    3
    """
    drawn = panels[-1].images[0]
    low, high = drawn.get_clim()
    figure = drawn.figure
    scale = figure.colorbar(drawn, ax=[*panels], location=bar, shrink=0.75, aspect=22, pad=0.03)
    power = math.floor(math.log10(max(abs(low), abs(high)) or 1))
    unit = 1.0 if -2 < power < 4 else 10.0**power  # long numbers would lie on each other
    scale.long_axis.set_major_formatter(
        lambda value, _: f"{value / unit:.4g}".replace("-", "\N{MINUS SIGN}")
    )
    words = label + ("" if unit == 1 else f", in {unit:.0e}")
    scale.set_label(words, fontsize=size - 1)
    scale.ax.tick_params(labelsize=size - 1)
    scale.ax.locator_params(nbins=6 if bar == "right" else 4)


@default_style()
def mark_pixel(axes: "Axes", row: float, column: float) -> None:
    """A cross, black with a white rim: seen on grey, on blue and on orange.

    >>> _, (axes,) = lay_out(1)
    >>> mark_pixel(axes, 3, 5)
    >>> axes.lines[0].get_xydata()
    array([[5., 3.]])
    """
    for colour, width in (("white", 3), ("black", 1.2)):
        axes.plot(column, row, "x", color=colour, markersize=8, markeredgewidth=width)


@default_style()
def outline_anatomy(axes: "Axes", image: Tensor) -> None:
    """The edges of the head and of what is bright in it, thin and grey, on a map of the same place.

    >>> _, (axes,) = lay_out(1)
    >>> draw_panel(axes, "a map", torch.randn(4, 4), kind="signed", pixel=4)
    >>> outline_anatomy(axes, torch.eye(16))
    >>> len(axes.collections)
    1

    ``image`` (row, column) is what the map's pixels belong to, at full size; a blank one has none.
    """
    image = torch.as_tensor(image).detach().float().cpu()
    white = float(image.quantile(0.995))
    if not white > 0 or not bool((image < white / 4).any()):
        return
    rows, columns = image.shape
    extent = (-0.5, columns - 0.5, rows - 0.5, -0.5)
    levels = [white / 4, white * 0.6]
    style: Any = {"colors": "#444444", "linewidths": 0.5, "alpha": 0.6}
    limits = axes.get_xlim(), axes.get_ylim()
    axes.contour(image.numpy(), levels=levels, origin="upper", extent=extent, **style)
    axes.set(xlim=limits[0], ylim=limits[1])
