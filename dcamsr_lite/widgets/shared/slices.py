"""What the explorers of a network say alike of the slice they show: images, titles, grey scales.

>>> import torch
>>> import dcamsr_lite as dl
>>> pair = dl.load_pair(torch.rand(3, 32, 32), torch.rand(3, 32, 32), scale=4)
>>> index, images = chosen(pair, 1)
>>> sorted(images), slice_info(pair, index, images)["slices"]
(['low', 'reference', 'target'], 3)
"""

from pathlib import Path

from torch import Tensor

from ...data.pairs import Pair
from ...errors import InputError
from ...figures import brightest_slice
from ...interpret.image_edits import WHITE
from ...metrics import band_error, has_signal, psnr

PAGE_BYTES = 6 * 10**6  # of a saved page, for each network that it shows
TITLES = {
    "low": "Input",
    "reference": "Reference",
    "output": "Output",
    "target": "Target",
    "error": "Error",
}


def chosen(pair: Pair, index: int | None) -> tuple[int, dict[str, Tensor]]:
    """The slice to show, by default the one with the brightest reference, and its images.

    >>> import torch
    >>> import dcamsr_lite as dl
    >>> chosen(dl.load_pair(torch.rand(3, 32, 32), torch.rand(3, 32, 32), scale=4), 3)
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


def slice_info(pair: Pair, index: int, images: dict[str, Tensor]) -> dict:
    """Files, slice, sizes, and where each image is white: one grey scale for all but the reference.

    >>> import torch
    >>> import dcamsr_lite as dl
    >>> pair = dl.load_pair(torch.rand(1, 30, 30), torch.rand(1, 30, 30), scale=2)
    >>> slice_info(pair, *chosen(pair, 0))["offset"]
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


def quality(images: dict[str, Tensor], image: Tensor, scale: int) -> dict | None:
    """PSNR of the slice, and where in k-space its error lies, as shares of the target's energy.

    >>> import torch
    >>> target = torch.rand(32, 32)
    >>> sorted(quality({"target": target}, target / 2, scale=4))
    ['measured', 'psnr', 'removed']

    None without a target, or where it is blank.
    """
    if "target" not in images or not has_signal(images["target"]):
        return None
    bands = band_error(images["target"][None], image[None], scale)
    return {"psnr": f"{psnr(images['target'], image):.1f} dB", **bands}
