"""The slice that an explorer of a network shows: its images, titles, grey scales, and its picture.

>>> import torch
>>> import dcamsr_lite as dl
>>> pair = dl.load_pair(torch.rand(3, 32, 32), torch.rand(3, 32, 32), scale=4)
>>> index, images = choose_slice(pair, 1)
>>> sorted(images), describe_slice(pair, index, images)["slices"]
(['low', 'reference', 'target'], 3)
"""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from torch import Tensor

from ...data.pairs import Pair
from ...errors import InputError
from ...evaluation import Network, name_method
from ...figures import brightest_slice
from ...interpret.image_edits import WHITE
from ...metrics import band_error, has_signal, psnr
from ...network.model import DCAMSR
from ...network.super_resolver import unwrap
from ...panels import draw_panel, lay_out, outline_anatomy

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PAGE_BYTES = 6 * 10**6  # of a saved page, for each network that it shows
TITLES = {
    "low": "Input",
    "reference": "Reference",
    "output": "Output",
    "target": "Target",
    "error": "Error",
}


def choose_slice(pair: Pair, index: int | None) -> tuple[int, dict[str, Tensor]]:
    """The slice to show, by default the one with the brightest reference, and its images.

    >>> import torch
    >>> import dcamsr_lite as dl
    >>> choose_slice(dl.load_pair(torch.rand(3, 32, 32), torch.rand(3, 32, 32), scale=4), 3)
    Traceback (most recent call last):
    ...
    dcamsr_lite.errors.InputError: slice: found 3; expected 0 to 2
    """
    if not isinstance(pair, Pair):
        raise InputError("pair", type(pair).__name__, "a Pair, from load_pair or load_input")
    index = brightest_slice(pair) if index is None else index
    if not 0 <= index < len(pair.lr):
        raise InputError("slice", str(index), f"0 to {len(pair.lr) - 1}")
    images = {"low": pair.zero_filled[index], "reference": pair.reference_image[index]}
    if pair.target_image is not None:
        images["target"] = pair.target_image[index]
    return index, {name: image.float() for name, image in images.items()}


def describe_slice(pair: Pair, index: int, images: dict[str, Tensor]) -> dict:
    """Files, slice, sizes, and where each image is white: one grey scale for all but the reference.

    >>> import torch
    >>> import dcamsr_lite as dl
    >>> pair = dl.load_pair(torch.rand(1, 30, 30), torch.rand(1, 30, 30), scale=2)
    >>> describe_slice(pair, *choose_slice(pair, 0))["offset"]
    [1, 1]
    """
    grid = pair.ref.shape[-2:]
    white = {name: float(image.quantile(WHITE)) or 1.0 for name, image in images.items()}
    common = white.get("target", white["low"])
    files = {"reference": pair.reference_path, "target": pair.target_path}
    return {
        "files": [f"{role}: {Path(path).name}" for role, path in files.items() if path],
        "slice": index,
        "slices": len(pair.lr),
        "shape": list(pair.shape),
        "grid": list(grid),  # what the network sees: the image in its zero padding
        "offset": [a // 2 - b // 2 for a, b in zip(grid, pair.shape, strict=True)],
        "titles": TITLES,
        "windows": {n: white["reference"] if n == "reference" else common for n in TITLES},
    }


def judge_slice(images: dict[str, Tensor], image: Tensor, scale: int) -> dict | None:
    """PSNR of the slice, and where in k-space its error lies, as shares of the target's energy.

    >>> import torch
    >>> target = torch.rand(32, 32)
    >>> sorted(judge_slice({"target": target}, target / 2, scale=4))
    ['measured', 'psnr', 'removed']

    None without a target, or where it is blank.
    """
    if "target" not in images or not has_signal(images["target"]):
        return None
    bands = band_error(images["target"][None], image[None], scale)
    return {"psnr": f"{psnr(images['target'], image):.1f} dB", **bands}


def name_network(model: Network, scale: int) -> str:
    """What a network, or a function f(lr, ref), is called on a page.

    >>> name_network(DCAMSR(scale=4, image_size=32), 4), name_network(max, 4)
    ('corrected network (lite), 4x', 'max, 4x')
    """
    model = unwrap(model)
    if isinstance(model, DCAMSR):
        return f"{model.config.variant} network ({model.config.preset}), {scale}x"
    return f"{name_method(model)}, {scale}x"


def name_each(models: Any) -> dict[str, Network]:
    """Names for one network, a list or a dict: those given, else what they are, numbered if again.

    >>> [*name_each([DCAMSR(scale=4, image_size=32), max, max])]
    ['corrected', 'max', 'max 2']

    Raises InputError where there is none.
    """
    if isinstance(models, Mapping):
        named: dict[str, Any] = {str(name): unwrap(model) for name, model in models.items()}
    else:
        named = {}
        for model in map(unwrap, models if isinstance(models, list | tuple) else [models]):
            kind = model.config.variant if isinstance(model, DCAMSR) else name_method(model)
            again = sum(name.split(" ")[0] == kind for name in named)
            named[f"{kind} {again + 1}" if again else kind] = model
    if not named:
        raise InputError("models", "none", "one network or more")
    return named


def draw_slice(
    info: dict,
    images: dict[str, Tensor],
    maps: dict[str, Tensor],
    words: str,
    label: str = "weight",
) -> tuple["Figure", list["Axes"]]:
    """The images of a slice in grey, then signed maps (title -> map), which lie on them.

    >>> import torch
    >>> info = {"shape": [6, 6], "grid": [8, 8], "offset": [1, 1]}
    >>> info |= {"titles": TITLES, "windows": {"low": 1.0}}
    >>> maps = {"a map of level 4": torch.randn(2, 2)}
    >>> _, (image, lifted) = draw_slice(info, {"low": torch.rand(6, 6)}, maps, "One head")
    >>> lifted.images[0].get_extent(), lifted.get_xlim() == image.get_xlim()
    ([-1.5, 6.5, 6.5, -1.5], True)

    A map is of the whole grid, padding included, at any level. Returns the figure and its axes.
    """
    figure, panels = lay_out(len(images) + len(maps), words=words)
    rows, columns = info["shape"]
    corner = tuple(-side for side in info["offset"])
    for axes, (name, image) in zip(panels, images.items(), strict=False):
        draw_panel(axes, info["titles"][name], image, limit=info["windows"][name])
    for axes, (title, image) in zip(panels[len(images) :], maps.items(), strict=True):
        level = info["grid"][0] // len(image)
        draw_panel(axes, title, image, "signed", label=label, corner=corner, pixel=level)
        if "reference" in images:
            outline_anatomy(axes, images["reference"])
    for axes in panels:
        axes.set(xlim=(-0.5, columns - 0.5), ylim=(rows - 0.5, -0.5))
    return figure, panels
