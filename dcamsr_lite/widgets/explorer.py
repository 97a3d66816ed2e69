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

import base64
from pathlib import Path

import anywidget
import torch
from torch import Tensor
from traitlets import Bool, Dict, Int, List, TraitError, Unicode, validate

from ..data import Pair
from ..errors import InputError, atomic_path
from ..evaluation import check_scale
from ..kspace import center_crop
from ..metrics import psnr
from ..model import DCAMSR
from ..tracing import Record, trace
from .packing import pack, pack_level, unpack
from .static import SCRIPT, STYLE, page, picture

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
SYNC = {"sync": True}


class AttentionExplorer(anywidget.AnyWidget):
    """What ``explore`` returns: a widget that also shows as a picture and saves as a page.

    >>> AttentionExplorer(message="nothing to show")
    nothing to show

    The reader's place, shared with the browser, which saves it when the pointer is lifted: ``query``
    [row, column] in the image's pixels, ``level`` (1, 2, 4), ``head`` (None: the mean), ``relative``
    (minus uniform attention). Raises TraitError for a place that is not there. ``info``, ``images``
    and ``levels`` are what is shown, packed; ``message`` says why nothing can be.
    """

    _esm = SCRIPT
    _css = STYLE
    _ipython_display_ = None  # that of ipywidgets 7 would show the widget without its picture

    info = Dict().tag(**SYNC)
    images = Dict().tag(**SYNC)
    levels = Dict().tag(**SYNC)
    message = Unicode().tag(**SYNC)
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
            return self.message or "AttentionExplorer: empty"
        (rows, columns), heads = self.info["shape"], self.info["heads"]
        levels = ", ".join(self.levels)
        return (
            f"AttentionExplorer: {self.info['title']}, {rows} x {columns} pixels,"
            f" levels {levels}, {heads} heads"
        )

    def _repr_mimebundle_(self, **kwargs):
        data, metadata = super()._repr_mimebundle_(**kwargs)
        twin = {"image/png": base64.b64encode(self.png()).decode(), "text/plain": repr(self)}
        return data | twin, metadata

    def lift(self) -> Tensor:
        """The map on screen, (rows, columns) of the level: as ``Record.lift``, at this query.

        >>> AttentionExplorer().lift()
        Traceback (most recent call last):
        ...
        LookupError: nothing to lift: the explorer is empty
        """
        if self.level not in self._attention:
            raise LookupError("nothing to lift: the explorer is empty")
        q, k, footprints = self._attention[self.level]
        at = zip(self.query, self.info["offset"], strict=True)
        row, column = ((pixel + offset) // self.level for pixel, offset in at)
        q = q[:, row * footprints.shape[-1] + column]
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

    def save_html(self, path: str | Path) -> None:
        """Write one page that shows the explorer anywhere: no kernel, no network. Atomic.

        >>> AttentionExplorer(message="nothing to show").save_html("empty.html")

        The file stays below 6 MB: of a larger network the coarser levels are written, and the page
        says so. Raises InputError when it cannot be written.
        """
        names = ("info", "images", "levels", "message", "query", "level", "head", "relative")
        state = {name: getattr(self, name) for name in names}
        content = page(state)
        while len(content) > PAGE_BYTES and len(state["levels"]) > 1:
            kept = sorted(state["levels"], key=int)[1:]
            state["levels"] = {level: self.levels[level] for level in kept}
            state["level"] = max(self.level, int(kept[0]))
            gone = ", ".join(level for level in self.levels if level not in kept)
            note = f"without level {gone}: the page would pass 6 MB"
            state["info"] = self.info | {"notes": [*self.info["notes"], note]}
            content = page(state)
        with atomic_path(path) as temporary:
            temporary.write_bytes(content)


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
        _show_reason(str(error))
        if isinstance(error, InputError):
            raise
        raise InputError("model and pair", str(error), "two that fit each other") from error


def _show_reason(message: str) -> None:
    from IPython import get_ipython
    from IPython.display import display

    if get_ipython() is not None:
        display(AttentionExplorer(message=message))


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
    footprints = record.footprints.items()
    return AttentionExplorer(
        {n: (record.queries[n][0].cpu(), record.keys[n][0].cpu(), f.cpu()) for n, f in footprints},
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
