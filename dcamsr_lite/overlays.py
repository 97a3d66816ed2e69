"""Whether two contrasts lie on each other, as a picture: before and after a registration.

>>> import dcamsr_lite as dl
>>> head = torch.rand(1, 32, 32)
>>> figure = draw_overlays(dl.load_pair(head, head.square(), scale=4))
>>> [axes.get_title() for axes in figure.axes[1:3]]
['its edges on the target', 'squares of both in turn']

Two contrasts cannot be subtracted. So the target is first foretold from the reference's grey values
alone; what is left shows an outline wherever the two do not lie on each other.
"""

from textwrap import fill
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from .data.pairs import Pair
from .errors import InputError
from .figures import brightest_slice
from .panels import SIGNAL, WARNING, default_style, draw_panel

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LEVELS = 32  # of grey, of equally many pixels each, from which the target is foretold
STRONG = (0.8, 0.9)  # of all pixels have weaker edges than a line has, and than it begins with
SQUARES = 8  # along the shorter side
ORANGE = (0.945, 0.412, 0.075)


@default_style()
def draw_overlays(pair: Pair, index: int | None = None) -> "Figure":
    """Reference, its edges on the target, squares of both in turn, and what is left of the target.

    >>> import dcamsr_lite as dl
    >>> pair = dl.load_pair(torch.rand(2, 32, 32), torch.rand(2, 32, 32), scale=4)
    >>> draw_overlays(pair, index=1).get_suptitle()
    'As the files say. Slice 1. Not for clinical use.'

    ``index`` is the slice (default: the brightest). A registered pair has a row for how the files'
    own places laid the reference, and one for what the registration made of it. Where there is no
    target, the zero-filled image stands for it. Returns a matplotlib figure; raises InputError.
    """
    from matplotlib.figure import Figure

    index = brightest_slice(pair) if index is None else index
    if not 0 <= index < len(pair.zero_filled):
        raise InputError("slice", str(index), f"0 to {len(pair.zero_filled) - 1}")
    target = pair.zero_filled[index] if pair.target_image is None else pair.target_image[index]
    rows = {"reference": pair.reference_image[index]}
    done = pair.registration
    if done is not None and done.resampled and done.unmoved is not None:
        rows = {"reference, before": done.unmoved[index], "reference, after": rows["reference"]}
    high, wide = pair.shape
    inches = 3.1
    height = len(rows) * (inches * min(high / wide, 1.6) + 0.95) + 0.5
    figure = Figure(figsize=(4 * inches, height), layout="constrained", dpi=90)
    words = "As the files say" if done is None else str(done)
    figure.suptitle(fill(f"{words}. Slice {index}. {WARNING}", 150), fontsize=9)
    grid = figure.subplots(len(rows), 4, squeeze=False)
    left = {name: find_rest(image, target) for name, image in rows.items()}
    limit = max(float(rest.abs().quantile(0.99)) for rest, _ in left.values())
    for axes, (name, image) in zip(grid, rows.items(), strict=True):
        white = float(image.quantile(0.995)) or 1.0
        draw_panel(axes[0], name, image, limit=white, size=9)
        _draw_edges(axes[1], image, target)
        mixed = mix_squares(image, target)
        draw_panel(axes[2], "squares of both in turn", mixed, limit=1.0, size=9, label="of white")
        rest, share = left[name]
        title = f"target minus what the reference\nforetells of it: {share:.0%} of its variance"
        draw_panel(axes[3], title, rest, "signed", limit, size=9, label=SIGNAL)
    return figure


def _draw_edges(axes: "Axes", reference: Tensor, target: Tensor) -> None:
    white = float(target.quantile(0.995)) or 1.0
    draw_panel(axes, "its edges on the target", target, limit=white, size=9)
    from skimage.feature import canny  # loads when first used

    wide = max(1.0, min(reference.shape) / 128)  # pixels
    bright = (reference / reference.quantile(0.995).clamp(min=1e-20)).clamp(0, 1).sqrt().numpy()
    strong = canny(bright, wide, *STRONG, use_quantiles=True)
    overlay = np.zeros((*strong.shape, 4), np.float32)
    overlay[..., :3], overlay[..., 3] = ORANGE, strong
    rows, columns = strong.shape
    axes.imshow(overlay, extent=(-0.5, columns - 0.5, rows - 0.5, -0.5))


def mix_squares(one: Tensor, other: Tensor) -> Tensor:
    """A checkerboard of two images (row, column), each as a share of its own white.

    >>> mix_squares(torch.ones(16, 16), torch.zeros(16, 16))[0, ::2]
    tensor([1., 0., 1., 0., 1., 0., 1., 0.])
    """
    size = max(1, min(one.shape) // SQUARES)
    rows, columns = (torch.arange(n) // size for n in one.shape)
    both = [image / image.quantile(0.995).clamp(min=1e-20) for image in (one, other)]
    return torch.where((rows[:, None] + columns) % 2 == 0, both[0], both[1]).clamp(0, 1)


def find_rest(reference: Tensor, target: Tensor) -> tuple[Tensor, float]:
    """What of the target (row, column) the reference does not foretell, and its share of the variance.

    >>> find_rest(torch.zeros(8, 8), torch.rand(8, 8))[1]
    1.0
    """
    rest = target - foretell(reference, target)
    return rest, float(rest.square().mean() / target.var(correction=0).clamp(min=1e-20))


def foretell(reference: Tensor, target: Tensor) -> Tensor:
    """The mean of the target wherever the reference has the same level of grey.

    >>> reference = torch.arange(64.0).reshape(8, 8)
    >>> torch.allclose(foretell(reference, reference), reference, atol=1)
    True

    Both are (row, column); levels hold equally many pixels.
    """
    ends = np.quantile(reference.numpy(), np.arange(1, LEVELS) / LEVELS).astype(np.float32)
    level = torch.bucketize(reference.flatten(), torch.from_numpy(ends))
    sums = torch.zeros(LEVELS).index_add(0, level, target.flatten().float())
    counts = torch.bincount(level, minlength=LEVELS).clamp(min=1)
    return (sums / counts)[level].reshape(target.shape)
