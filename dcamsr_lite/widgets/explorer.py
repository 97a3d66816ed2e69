"""The attention microscope: one pass of the network, questioned pixel by pixel in the browser.

The kernel sends, per level, queries, projected keys and value footprints, never an n x n or n x p
matrix; the browser computes softmax, lift and picture (attention.js, explorer.js).

>>> import torch
>>> import dcamsr_lite as dl
>>> model = dl.DCAMSR(scale=4, image_size=32)
>>> explorer = explore(model, dl.load_pair(torch.rand(3, 32, 32), torch.rand(3, 32, 32), scale=4))
>>> explorer.query = [3, 5]
>>> explorer.save_html("attention.html")
"""

from pathlib import Path

import torch
from torch import Tensor
from traitlets import Bool, Dict, Int, List, TraitError, validate

from ..data import Pair
from ..errors import InputError
from ..evaluation import check_scale
from ..kspace import center_crop
from ..metrics import psnr
from ..model import DCAMSR
from ..tracing import Record, trace
from .base import SYNC, Explorer, show_reason
from .packing import pack, pack_level, unpack
from .static import page, picture, script

PAGE_BYTES = 6 * 10**6  # a saved page stays below: of larger networks it holds the coarser levels
TITLES = {
    "low": "Zero-filled",
    "reference": "Reference",
    "output": "Output",
    "target": "Target",
    "error": "Error",
}
LAYOUTS = {
    "aligned": "heads merged aligned: what a query finds stays at its pixel",
    "scrambled": "scrambled merge, as released: what a query finds is written to other pixels",
}


class AttentionExplorer(Explorer):
    """What ``explore`` returns: a widget that also shows as a picture and saves as a page.

    >>> AttentionExplorer(message="nothing to show")
    nothing to show

    The reader's place, shared with the browser, which saves it when the pointer is lifted: ``query``
    [row, column] in the image's pixels, ``level`` (1, 2, 4), ``head`` (None: the mean), ``relative``
    (minus uniform attention). Raises TraitError for a place that is not there. ``levels`` is the
    attention, packed.
    """

    _esm = script("attention.js", "explorer.js")
    _kept = ("query", "level", "head", "relative")

    levels = Dict().tag(**SYNC)
    query = List(Int(), [0, 0], minlen=2, maxlen=2).tag(**SYNC)
    level = Int(1).tag(**SYNC)
    head = Int(None, allow_none=True).tag(**SYNC)
    relative = Bool(True).tag(**SYNC)

    def __init__(self, attention: dict[int, tuple[Tensor, ...]] | None = None, **traits):
        self._attention = attention or {}  # level -> queries, keys, footprints
        super().__init__(**traits)

    @validate("query", "level", "head")
    def _is_there(self, proposal):
        name, value = proposal["trait"].name, proposal["value"]
        if self.info:
            rows, columns = self.info["shape"]
            known = {
                "query": lambda: 0 <= value[0] < rows and 0 <= value[1] < columns,
                "level": lambda: str(value) in self.levels,
                "head": lambda: value is None or 0 <= value < self.info["heads"],
            }
            if not known[name]():
                raise TraitError(f"{name} {value} is not in this explorer: {self!r}")
        return value

    def __repr__(self) -> str:
        if not self.info:
            return super().__repr__()
        (rows, columns), heads = self.info["shape"], self.info["heads"]
        levels = ", ".join(self.levels)
        return f"{super().__repr__()}, {rows} x {columns} pixels, levels {levels}, {heads} heads"

    def lift(self) -> Tensor:
        """The map on screen, (rows, columns) of the level: as ``Record.lift``, at this query.

        >>> AttentionExplorer().lift()
        Traceback (most recent call last):
        ...
        LookupError: nothing to lift: the explorer is empty
        """
        if self.level not in self._attention:
            raise LookupError("nothing to lift: the explorer is empty")
        q, k, footprints, (window, grid) = self._attention[self.level]
        at = zip(self.query, self.info["offset"], strict=True)
        row, column = ((pixel + offset) // self.level for pixel, offset in at)
        q = q[:, row * grid[1] + column]
        if window:
            footprints = window.footprints(grid, (row, column))
            k = footprints.flatten(1) @ k
        weights = torch.einsum("hd,hpd->hp", q, k).softmax(-1)
        weights = weights.mean(0) if self.head is None else weights[self.head]
        weights = weights - self.relative / len(weights)
        return torch.einsum("p,phw->hw", weights, footprints)

    def png(self) -> bytes:
        """The static twin, for readers without a kernel: panels and the map of this query, as PNG.

        >>> AttentionExplorer(message="nothing to show").png()[:4]
        b'\\x89PNG'
        """
        if not self.info:
            return picture({}, {}, None, (0, 0), repr(self))
        images = {name: unpack(packed) for name, packed in self.images.items()}
        head = "mean" if self.head is None else f"head {self.head}"
        title = f"Attention, level {self.level}, {head}" + ", minus uniform" * self.relative
        return picture(self.info, images, self.lift(), self.query, title)

    def state(self) -> dict:
        """What a saved page holds: below 6 MB, so of a larger network the coarser levels only.

        >>> AttentionExplorer(message="nothing to show").state()["levels"]
        {}
        """
        state = super().state() | {"levels": self.levels}
        while len(state["levels"]) > 1 and len(page(state, self._esm, self._css)) > PAGE_BYTES:
            kept = sorted(state["levels"], key=int)[1:]
            state["levels"] = {level: self.levels[level] for level in kept}
            state["level"] = max(self.level, int(kept[0]))
            gone = ", ".join(level for level in self.levels if level not in kept)
            note = f"without level {gone}: the page would pass 6 MB"
            state["info"] = self.info | {"notes": [*self.info["notes"], note]}
        return state


def explore(model: DCAMSR, pair: Pair, slice: int | None = None) -> AttentionExplorer:
    """The attention microscope on one slice, by default the one with the brightest target.

    >>> import dcamsr_lite as dl
    >>> pair = dl.load_pair(torch.rand(3, 32, 32), torch.rand(3, 32, 32), scale=4)
    >>> explore(dl.DCAMSR(scale=4, image_size=32), pair, slice=1).info["slice"]
    1

    Runs one forward pass in eval mode. Raises InputError, and in a notebook also shows the reason,
    when there is no spatial attention to look at or model and pair do not fit.
    """
    try:
        return _explorer(model, pair, slice)
    except ValueError as error:
        show_reason(str(error))
        if isinstance(error, InputError):
            raise
        raise InputError("model and pair", str(error), "two that fit each other") from error


def _explorer(model: DCAMSR, pair: Pair, index: int | None) -> AttentionExplorer:
    if not isinstance(model, DCAMSR):
        raise InputError("model", type(model).__name__, "a DCAMSR network")
    if not isinstance(pair, Pair):
        raise InputError("pair", type(pair).__name__, "a Pair, from load_pair or load_input")
    check_scale(model, pair.scale)
    if not model.config.spatial:
        found = "a network without its spatial branch (spatial=False)"
        raise InputError("model", found, "spatial attention, which this explorer shows")
    index = _brightest(pair) if index is None else index
    if not 0 <= index < len(pair.lr):
        raise InputError("slice", str(index), f"0 to {len(pair.lr) - 1}")
    record, output = _run(model, pair, index)
    if None in record.keys.values():
        found = "a spatial attention function that returns logits, so there are no keys to send"
        raise InputError("model", found, "a function that returns the pair (q, k)")
    images = {"low": pair.zero_filled[index], "reference": pair.reference_image[index]}
    images["output"] = output
    if pair.target_image is not None:
        images["target"] = pair.target_image[index]
    images = {name: image.float() for name, image in images.items()}
    attention = {}
    for level, q in record.queries.items():
        footprints, place = record.footprints.get(level), record.windows.get(level)
        footprints = None if place else footprints.cpu()
        k = record.keys[level][0].cpu()
        attention[level] = q[0].cpu(), k, footprints, (place, record.grids[level])
    return AttentionExplorer(
        attention,
        info=_info(model, pair, index, images),
        images={name: pack(image, "float16") for name, image in images.items()},
        levels={str(level): pack_level(model, record, level) for level in record.queries},
        level=min(record.queries),
        query=[side // 2 for side in pair.shape],
    )


def _brightest(pair: Pair) -> int:
    volume = pair.zero_filled if pair.target_image is None else pair.target_image
    return int(volume.mean((1, 2)).argmax())


@torch.inference_mode()
def _run(model: DCAMSR, pair: Pair, index: int) -> tuple[Record, Tensor]:
    device = next(model.parameters()).device
    lr, ref, std, mean = (x[index : index + 1] for x in (pair.lr, pair.ref, pair.std, pair.mean))
    training = model.training
    model.eval()
    try:
        with trace(model) as record:
            sr = model(lr.to(device), ref.to(device)).cpu()
    finally:
        model.train(training)
    return record, center_crop((sr * std + mean)[0, 0], pair.shape)


def _info(model: DCAMSR, pair: Pair, index: int, images: dict[str, Tensor]) -> dict:
    config, grid = model.config, pair.ref.shape[-2:]
    bright = {name: float(image.quantile(0.995)) or 1.0 for name, image in images.items()}
    common = bright.get("target", bright["low"])  # one grey scale for all but the reference
    quality = {}
    if "target" in images:
        quality = {n: f"{psnr(images['target'], images[n]):.1f} dB" for n in ("low", "output")}
    own = "built without a reference: it attends to its own input"
    files = {"reference": pair.reference_path, "target": pair.target_path}
    return {
        "title": f"{config.variant} network ({config.preset}), {config.scale}x",
        "merge": config.merge,
        "layout": LAYOUTS[config.merge],
        "notes": [] if config.reference else [own],
        "files": [f"{role}: {Path(path).name}" for role, path in files.items() if path],
        "slice": index,
        "slices": len(pair.lr),
        "shape": list(pair.shape),
        "grid": list(grid),  # what the network sees: the image in its zero padding
        "offset": [a // 2 - b // 2 for a, b in zip(grid, pair.shape, strict=True)],
        "heads": config.heads,
        "titles": TITLES,
        "windows": {n: bright[n] if n == "reference" else common for n in images},
        "psnr": quality,
    }
