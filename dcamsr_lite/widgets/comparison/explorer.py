"""Images of the same place: one over another with a line to drag, all of them magnified below.

>>> import torch
>>> explorer = compare_images({"zero-fill": torch.rand(32, 24), "target": torch.rand(32, 24)})
>>> explorer.left, explorer.right, explorer.point
('zero-fill', 'target', [16, 12])
>>> explorer.save_html("compare.html")
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from torch import Tensor
from traitlets import Float, Int, List, TraitError, Unicode, validate

from ...errors import InputError
from ...figures import draw_magnified
from ...panels import SIGNAL, draw_bar
from ..shared.base import SYNC, Explorer
from ..shared.packing import pack, unpack
from ..shared.static import script, style

if TYPE_CHECKING:
    from matplotlib.figure import Figure

HALF = 14  # pixels from the middle of a magnified part to its edge


class Comparison(Explorer):
    """What ``compare_images`` returns: a widget that also shows as a picture and saves as a page.

    >>> Comparison(message="nothing to show")
    nothing to show

    ``left`` and ``right`` are names of images, ``at`` the line between them (0: all is the right
    one, 1: all is the left one), ``point`` [row, column] the middle of what is magnified. Raises
    TraitError for a value that is not there.
    """

    _esm = script("comparison")
    _css = style("comparison/explorer.css")
    _kept = ("left", "right", "at", "point")

    left = Unicode().tag(**SYNC)
    right = Unicode().tag(**SYNC)
    at = Float(0.5, min=0.0, max=1.0).tag(**SYNC)
    point = List(Int(), [0, 0], minlen=2, maxlen=2).tag(**SYNC)

    @validate("left", "right")
    def _is_an_image(self, proposal):
        if self.info and proposal["value"] not in self.info["names"]:
            raise TraitError(f"{proposal['value']!r} is none of {self.info['names']}")
        return proposal["value"]

    @validate("point")
    def _is_a_pixel(self, proposal):
        value = proposal["value"]
        if self.info and not all(
            0 <= x < n for x, n in zip(value, self.info["shape"], strict=True)
        ):
            raise TraitError(f"point {value} is not in {self!r}")
        return value

    def _arrays(self) -> dict[str, Tensor]:
        return {name: unpack(self.images[name]) for name in (self.left, *self.info["names"])}

    def _draw(self) -> "Figure":
        images = {name: unpack(self.images[name]) for name in self.info["names"]}
        row, column = self.point
        figure = draw_magnified(images, (row, column), HALF, self.info["white"])
        draw_bar(figure.axes, SIGNAL, size=10)
        return figure


def compare_images(
    images: Mapping[str, Tensor], point: tuple[int, int] | None = None, white: float | None = None
) -> Comparison:
    """Swipe between images (row, column) of one size, by name; each of them is magnified below.

    >>> import torch
    >>> zero, one = torch.zeros(32, 24), torch.ones(32, 24)
    >>> compare_images({"low": zero, "high": one}, point=(3, 4)).point
    [3, 4]

    ``point`` is the middle of what is magnified, by default that of the image. All share one scale
    of grey, from 0 to ``white``, by default the 99.5 % quantile of the last image. Raises InputError
    for fewer than two images, for other shapes and for a point that lies outside.
    """
    shapes = {name: tuple(image.shape) for name, image in images.items()}
    if len(shapes) < 2 or len({*shapes.values()}) > 1 or any(len(s) != 2 for s in shapes.values()):
        raise InputError("images", str(shapes), "two or more images (row, column) of one shape")
    names = [*images]
    rows, columns = shapes[names[0]]
    row, column = (rows // 2, columns // 2) if point is None else point
    if not (0 <= row < rows and 0 <= column < columns):
        raise InputError("point", f"({row}, {column})", f"a pixel of {rows} x {columns}")
    top = float(images[names[-1]].quantile(0.995)) if white is None else white
    return Comparison(
        info={
            "title": f"{', '.join(names)}, {rows} x {columns}",
            "names": names,
            "shape": [rows, columns],
            "white": top or 1.0,
            "half": HALF,
        },
        images={
            name: pack(image.detach().cpu().float(), "float32") for name, image in images.items()
        },
        left=names[0],
        right=names[-1],
        point=[int(row), int(column)],
    )
