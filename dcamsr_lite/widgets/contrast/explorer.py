"""The contrast explorer: sliders for TR, TE and TI, two images that follow, and every tissue's curve.

The kernel sends how much of each voxel is which tissue; the browser computes every signal.

>>> import torch
>>> explorer = explore_contrasts({"white": torch.ones(16, 16), "csf": torch.zeros(16, 16)})
>>> explorer.right["TE"], round(explorer.signals("right")["csf"], 2)
(128.0, 0.79)
>>> explorer.save_html("contrasts.html")
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from traitlets import Bool, Dict, Enum, TraitError, validate

from ...errors import InputError
from ...panels import draw_panel, lay_out
from ...phantom.head import simulate
from ...phantom.sequences import PROTOCOL, TISSUES, Protocol
from ...phantom.subjects import DEMO_SEED
from ..shared.base import SYNC, Explorer, show_reason
from ..shared.packing import pack, unpack
from ..shared.static import script, style
from ..tours import tour_contrasts

if TYPE_CHECKING:
    from matplotlib.figure import Figure

BOUNDS = {"TR": (50.0, 9000.0), "TE": (5.0, 250.0), "TI": (0.0, 4000.0)}  # ms
SIDES = ("left", "right")


def tell_timing(name: str) -> dict[str, Any]:
    """The sequence and the times of a contrast of the protocol, as a side of the explorer has them.

    >>> tell_timing("FLAIR")
    {'sequence': 'inversion recovery', 'TR': 7500.0, 'TE': 96.0, 'TI': 1655.0}
    """
    known = dict(PROTOCOL[name])
    return {key: known[key] for key in ("sequence", *BOUNDS)}


class ContrastExplorer(Explorer):
    """What ``explore_contrasts`` returns: a widget that also shows as a picture and saves as a page.

    >>> ContrastExplorer(message="nothing to show")
    nothing to show

    ``left`` and ``right`` are contrasts: a ``sequence`` ("spin echo", "fast spin echo", "inversion
    recovery") with ``TR``, ``TE``, ``TI`` in ms. ``active`` is the side that the sliders set, and
    ``lesions`` whether they are marked. Raises TraitError for a value that is not there.
    """

    _esm = script("contrast")
    _css = style("contrast/explorer.css")
    _kept = (*SIDES, "active", "lesions")

    left = Dict(tell_timing("T1")).tag(**SYNC)
    right = Dict(tell_timing("T2")).tag(**SYNC)
    active = Enum(SIDES, "right").tag(**SYNC)
    lesions = Bool(True).tag(**SYNC)

    @validate(*SIDES)
    def _is_a_contrast(self, proposal):
        value = proposal["value"]
        sequences = [protocol.sequence for protocol in PROTOCOL.values()]
        if set(value) != {"sequence", *BOUNDS} or value["sequence"] not in sequences:
            raise TraitError(f"{value} is no contrast, expected sequence, TR, TE, TI")
        for name, (low, high) in BOUNDS.items():
            if not low <= value[name] <= high:
                raise TraitError(f"{name} is {value[name]} ms, expected {low:g} to {high:g}")
        return value

    def protocol(self, side: str) -> Protocol:
        """The contrast of a side as the package's equations take it.

        >>> explore_contrasts({"csf": torch.ones(16, 16)}).protocol("left").TR
        500.0
        """
        timing = getattr(self, side)
        base = next(dict(p) for p in PROTOCOL.values() if p.sequence == timing["sequence"])
        return Protocol(**{**base, **timing})

    def signals(self, side: str) -> dict[str, float]:
        """The magnitude of each tissue's signal, relative to fully relaxed water.

        >>> explorer = explore_contrasts({"white": torch.ones(16, 16)})
        >>> sorted(explorer.signals("left"))
        ['csf', 'fat', 'gray', 'lesion', 'soft', 'white']
        """
        protocol = self.protocol(side)
        found = {name: protocol.signal(t.pd, t.t1, t.t2) for name, t in TISSUES.items()}
        return {name: abs(float(signal)) for name, signal in found.items()}

    def image(self, side: str) -> Tensor:
        """The image (row, column) of a side: each tissue's signal times how much of it there is.

        >>> explorer = explore_contrasts({"csf": torch.ones(16, 16)})
        >>> bool(explorer.image("right").max() > explorer.image("left").max())
        True

        Signals of one voxel add up with their signs; what is shown is the magnitude.
        """
        protocol = self.protocol(side)
        total = torch.zeros(self.info["shape"])
        for name in self.info["tissues"]:
            t = TISSUES[name]
            total += unpack(self.images[name]) * float(protocol.signal(t.pd, t.t1, t.t2))
        return total.abs()

    def _arrays(self) -> dict[str, Tensor]:
        return {side: self.image(side) for side in (self.active, *SIDES)}

    def _draw(self) -> "Figure":
        figure, axes = lay_out(2, 3.4, 3.6, self.info["title"])
        lesions = unpack(self.images["lesion"]) if "lesion" in self.info["tissues"] else None
        for one, side in zip(axes, SIDES, strict=True):
            timing = getattr(self, side)
            times = ", ".join(f"{name} {timing[name]:g}" for name in BOUNDS if timing[name])
            label = "signal; 1: fully relaxed water"
            draw_panel(one, f"{timing['sequence']}: {times} ms", self.image(side), label=label)
            if self.lesions and lesions is not None and float(lesions.max()) > 0.3:
                one.contour(lesions.numpy(), [0.3], colors="#ffb000", linewidths=1.2)
        return figure


def _example() -> dict[str, Tensor]:
    options: Any = {"size": 128, "slices": 6, "repetitions": 1, "contrasts": ("T2",)}
    return simulate(DEMO_SEED, noise=False, tissues=True, **options).tissues


@show_reason("tissues and slice")
def explore_contrasts(
    tissues: Mapping[str, Tensor] | None = None, slice: int = 3
) -> ContrastExplorer:
    """Set TR, TE and TI of two contrasts, and watch images, lesions and every tissue's curve.

    >>> explore_contrasts({"white": torch.ones(16, 16)}).info["title"]
    'Two contrasts of white, 16 x 16'

    ``tissues``: name -> fraction of each voxel (row, column), or (slice, row, column), of which
    ``slice`` is taken; the names are those of ``phantom.sequences.TISSUES``. Default: the
    simulated head of the demonstration. Signals are those of ``phantom.sequences``, one set of
    relaxation times for each tissue. Raises InputError, and in a notebook also shows the reason.
    """
    volumes = dict(_example() if tissues is None else tissues)
    cut = dict(volumes)
    if not cut or not set(cut) <= set(TISSUES):
        raise InputError("tissues", str(sorted(cut)), f"some of {', '.join(TISSUES)}")
    for name, image in cut.items():
        if image.ndim == 3 and not 0 <= slice < len(image):
            raise InputError("slice", str(slice), f"0 to {len(image) - 1}")
        cut[name] = image[slice] if image.ndim == 3 else image
    shapes = {tuple(image.shape) for image in cut.values()}
    if len(shapes) != 1 or len(shape := next(iter(shapes))) != 2:
        raise InputError("tissues", str(sorted(shapes)), "images (row, column) of one shape")
    names = [name for name in TISSUES if name in cut]
    count = min((len(x) for x in volumes.values() if x.ndim == 3), default=1)
    explorer = ContrastExplorer(
        info={
            "title": f"Two contrasts of {', '.join(names)}, {shape[0]} x {shape[1]}",
            "slice": slice if count > 1 else 0,
            "slices": count,
            "shape": list(shape),
            "tissues": names,
            "times": {name: [t.pd, t.t1, t.t2] for name, t in TISSUES.items()},
            "bounds": {name: list(ends) for name, ends in BOUNDS.items()},
            "protocol": {name: tell_timing(name) for name in PROTOCOL},
            "train": {p.sequence: [p.echo_train, p.flip] for p in PROTOCOL.values()},
        },
        images={name: pack(cut[name].float(), "float16") for name in names},
        tour=tour_contrasts(),
    )
    explorer.let_turn(lambda other: explore_contrasts(volumes, other))
    return explorer
