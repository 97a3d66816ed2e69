"""Pictures in a notebook: every one with a colour bar with numbers, and with words for who cannot see.

>>> import torch
>>> figure = picture({"T1": torch.rand(8, 8), "T2": torch.rand(8, 8)}, shared=True)
>>> [axes.get_title() for axes in figure.axes if axes.get_title()]
['T1', 'T2']
"""

import base64
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from torch import Tensor

from ..figures import CELL_COLOURS, render_png
from ..panels import (
    default_style,
    draw_bar,
    draw_panel,
    lay_out,
    mark_pixel,
    name_scale,
    outline_anatomy,
)
from .exercise import Result

if TYPE_CHECKING:
    from matplotlib.figure import Figure

WIDTH, LARGEST = 11.8, 4.2  # inches: of a notebook's cell, and of one panel


@default_style()
def picture(
    images: Mapping[str, Tensor],
    kind: str = "signal",
    label: str | None = None,
    shared: bool = False,
    limit: float | None = None,
    outline: Tensor | None = None,
    marks: Sequence[tuple[int, int]] = (),
) -> "Figure":
    """Images (row, column) side by side: title -> image.

    >>> import torch
    >>> picture({"error": torch.randn(4, 4)}, kind="signed").axes[0].images[0].get_clim()[0] < 0
    True

    ``kind`` is "signal" (grey), "magnitude" (viridis, from zero) or "signed" (blue-orange). ``shared``
    puts all on one scale with one colour bar; ``limit`` is its end. ``outline`` is the image whose
    anatomy is drawn over maps of any level; ``marks`` are (row, column) in its pixels, one for all
    panels or one for each. As wide as a notebook. Raises ValueError for another kind.
    """
    if shared and limit is None:
        limit = max(float(image.abs().max()) for image in images.values())
    side = min(LARGEST, WIDTH / max(len(images), 1))
    tallest = max((x.shape[0] / x.shape[1] for x in images.values()), default=1.0)
    figure, row = lay_out(len(images), side, min(1.2, tallest) * (side - 0.4))
    one = shared and limit is not None
    for axes, (title, image) in zip(row, images.items(), strict=True):
        pixel = 1 if outline is None else len(outline) // len(image)
        bar = "" if one else "right"
        draw_panel(axes, title, image, kind, limit, label=label, bar=bar, pixel=pixel, size=9)
        if outline is not None:
            outline_anatomy(axes, outline)
    if one:
        draw_bar(row, label or name_scale(kind), "right", 9)
    for axes, (y, x) in zip(row, [*marks] * (len(row) if len(marks) == 1 else 1), strict=False):
        mark_pixel(axes, y, x)
    return figure


def show(images: "Mapping[str, Tensor] | Figure", alt: str, dpi: int = 80, **options: Any) -> None:
    """Show images or a figure in a notebook; ``alt`` says in words what is to be seen.

    >>> import torch
    >>> show({"T1": torch.rand(8, 8)}, alt="Random pixels.")
    Random pixels.

    Outside of a notebook the words are printed. ``options`` go to ``picture``. Raises ValueError
    when the words are missing.
    """
    from IPython import get_ipython
    from IPython.display import display

    if not alt.strip():
        raise ValueError("alt is empty, expected a sentence that says what is to be seen")
    figure = picture(images, **options) if isinstance(images, Mapping) else images
    if get_ipython() is None:
        print(alt)
        return
    data = {"image/png": base64.b64encode(render_png(figure, dpi, CELL_COLOURS)).decode()}
    data["text/plain"] = alt
    display(data, raw=True, metadata={"image/png": {"alt": alt}})


def compare(result: Result) -> None:
    """Draw the learner's result beside the target, in a notebook, if there is something to draw."""
    from IPython import get_ipython

    if result.target is None or result.yours is None or get_ipython() is None:
        return
    images = {"yours": result.yours, "expected": result.target}
    if result.yours.shape == result.target.shape:
        images["difference"] = result.yours - result.target
    limit = float(result.target.abs().max())
    words = "Your result, the expected one and their difference, with random input."
    show(images, alt=words, kind="signed", label="value", limit=limit)
