"""The attention microscope: one pass of the network, questioned pixel by pixel in the browser.

The kernel sends, per level, queries, projected keys and value footprints, never an n x n or n x p
matrix (but where the queries share their votes, or a function of yours gave the logits); the
browser computes softmax, lift and picture (level.js).

>>> import torch
>>> import dcamsr_lite as dl
>>> model = dl.DCAMSR(scale=4, image_size=32)
>>> explorer = explore(model, dl.load_pair(torch.rand(3, 32, 32), torch.rand(3, 32, 32), scale=4))
>>> explorer.query, explorer.level = [3, 5], 1
>>> explorer.lift().shape
torch.Size([32, 32])
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from torch import Tensor
from traitlets import Bool, Dict, Enum, Int, List, TraitError, Unicode, observe, validate

from ...data.pairs import Pair
from ...errors import InputError
from ...evaluation import check_pair
from ...figures import record_slice
from ...interpret.displacements import LONGER, choose_places, draw_arrows, read_offsets
from ...interpret.image_edits import WHITE
from ...interpret.interventions import Cut, Intervention, find_outcome
from ...interpret.record import Record
from ...network.model import DCAMSR
from ...network.super_resolver import SuperResolver
from ...panels import mark_pixel
from ..shared.base import SYNC, Explorer, show_reason
from ..shared.packing import pack, pack_level, unpack
from ..shared.slices import (
    PAGE_BYTES,
    TITLES,
    choose_slice,
    describe_slice,
    draw_slice,
    judge_slice,
    name_each,
    name_network,
)
from ..shared.static import script, style
from ..tours import tour_attention
from .kept_record import keep

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LAYOUTS = {
    "aligned": "heads merged aligned: what a query finds stays at its pixel",
    "scrambled": "scrambled merge, as released: what a query finds is written to other pixels",
}
VALUES = {"aligned": "projected", "scrambled": "torn"}  # behind the output projection
WHOSE = {False: "Attention", True: "Readers"}
MINUS = {False: "", True: " minus uniform", "queries": " minus the queries' mean"}
Models = SuperResolver | Mapping[str, SuperResolver] | Sequence[SuperResolver]
OPENED = (
    "opened on level {}, head {}, whose maps differ most from query to query: of a query's weight"
    " {:.0%} is its own"
)


class AttentionExplorer(Explorer):
    """What ``explore`` returns: a widget that also shows as a picture and saves as a page.

    >>> import torch
    >>> import dcamsr_lite as dl
    >>> pair = dl.load_pair(torch.rand(1, 64, 64), torch.rand(1, 64, 64), scale=4)
    >>> explorer = dl.explore(DCAMSR(scale=4, image_size=64), pair)
    >>> explorer.query, explorer.level, explorer.head = [9, 30], 2, 5
    >>> explorer.lift().shape, [*explorer.levels]
    (torch.Size([32, 32]), ['1', '2', '4'])

    ``networks`` holds, packed, what each network on this pair brings: output and attention. The
    reader's place, shared with the browser, which saves it when the pointer is lifted: ``network``
    (a name), ``branch`` ("spatial", "channel"), ``query`` [row, column] in the image's pixels,
    ``level`` (1, 2, 4), ``head`` (None: the mean), ``side_by_side`` (True: all heads, "levels": of all
    levels), ``relative`` (True: minus uniform attention, "queries": minus the mean over all queries),
    ``reverse`` (which queries read this pixel), ``by_value`` (times the length of the values: see
    ``Record.lift``), ``cell`` [head, query feature, reference feature] of the channel branch.
    Raises TraitError for a place that is not there; a network that lacks it sets it anew.
    """

    _esm = script("attention")
    _css = style("attention/explorer.css")
    _kept = (
        *("network", "branch", "query", "level", "head", "side_by_side"),
        *("relative", "reverse", "by_value", "cell"),
    )
    _CHECKED = ("network", "branch", "query", "level", "head", "by_value", "cell")
    _held = ("networks",)
    _of_slice = ("_records", "networks")

    networks = Dict().tag(**SYNC)
    network = Unicode().tag(**SYNC)
    branch = Enum(("spatial", "channel"), "spatial").tag(**SYNC)
    query = List(Int(), [0, 0], minlen=2, maxlen=2).tag(**SYNC)
    level = Int(1).tag(**SYNC)
    head = Int(None, allow_none=True).tag(**SYNC)
    side_by_side = Enum((False, True, "levels"), False).tag(**SYNC)
    relative = Enum((True, False, "queries"), True).tag(**SYNC)
    reverse = Bool(False).tag(**SYNC)
    by_value = Bool(False).tag(**SYNC)
    cell = List(Int(), [0, 0, 0], minlen=3, maxlen=3).tag(**SYNC)

    def __init__(self, records: dict[str, Record] | None = None, **traits: Any):
        self._records = records or {}  # of each network
        super().__init__(**traits)

    def _has(self, name: str, value, shown: dict | None = None) -> bool:
        """Whether this place is in a packed network, by default the one on screen."""
        shown = shown or self.networks.get(self.network, {})
        if name == "network":
            return value in self.networks
        known = {
            "level": [int(level) for level in shown["levels"]],
            "head": [None, *range(shown["heads"])],
            "branch": ["spatial", "channel"] if shown["d"] else ["spatial"],
            "by_value": [False] if shown["values"] == "torn" else [False, True],
        }
        if name in known:
            return value in known[name]
        features = max(shown["d"], 1)
        cell = (shown["heads"], features, features)
        sides = self.info["shape"] if name == "query" else cell
        return all(0 <= at < side for at, side in zip(value, sides, strict=True))

    @validate(*_CHECKED)
    def _is_there(self, proposal):
        name, value = proposal["trait"].name, proposal["value"]
        if self.info and not self._has(name, value):
            raise TraitError(f"{name} {value} is not in this explorer: {self!r}")
        return value

    @validate("tour")
    def _tour_is_there(self, proposal):
        steps = super()._can_be_walked(proposal)
        for number, step in enumerate(steps, 1):
            for name in set(step) & set(self._CHECKED) if self.info else ():
                within = self.networks.get(step.get("network", self.network))
                if within is None or not self._has(name, step[name], within):
                    raise TraitError(f"step {number} of the tour: {name} {step[name]} is not there")
        return steps

    @observe("network")
    def _stays_inside(self, change) -> None:
        if not self.info or not change["old"]:
            return
        first = {"level": min(map(int, self.levels)), "head": None, "branch": "spatial"}
        for name, start in (first | {"by_value": False, "cell": [0, 0, 0]}).items():
            if not self._has(name, getattr(self, name)):
                setattr(self, name, start)

    @property
    def levels(self) -> dict:
        """The packed attention of the network on screen, by level."""
        return self.networks[self.network]["levels"] if self.networks else {}

    def __repr__(self) -> str:
        if not self.info:
            return super().__repr__()
        rows, columns = self.info["shape"]
        shown = self.networks[self.network]
        place = f"levels {', '.join(shown['levels'])}, {shown['heads']} heads"
        return f"AttentionExplorer: {shown['title']}, {rows} x {columns} pixels, {place}"

    def lift(self) -> Tensor:
        """The map on screen, (rows, columns) of the level: as ``Record.lift``, at this query.

        With ``reverse``, as ``Record.find_readers`` of this pixel.
        """
        if not self._records:
            raise LookupError("nothing to lift: the explorer is empty")
        record = self._records[self.network]
        at = zip(self.query, self.info["offset"], strict=True)
        place = [(pixel + offset) // self.level for pixel, offset in at]
        ask = record.find_readers if self.reverse else record.lift
        look: Any = {"relative": self.relative, "by_value": self.by_value}
        return ask(self.level, place, self.head, **look)

    def _arrays(self) -> dict[str, Tensor]:
        shown = self.networks[self.network]
        packed = self.images | {"output": shown["output"]}
        return {"map": self.lift()} | {name: unpack(packed[name]) for name in packed}

    def _draw(self):
        """The images, and the map of this query."""
        shown = self.networks[self.network]
        packed = self.images | {"output": shown["output"]}
        images = {name: unpack(packed[name]) for name in TITLES if name in packed}
        head = "mean" if self.head is None else f"head {self.head}"
        maps = {f"{WHOSE[self.reverse]}, level {self.level}, {head}": self.lift()}
        label = f"weight{MINUS[self.relative]}{' by value' if self.by_value else ''}"
        figure, panels = draw_slice(self.info, images, maps, shown["title"], label)
        for axes in panels:
            mark_pixel(axes, *self.query)
        if self._records[self.network].windows.get(self.level):
            self._draw_window(dict(zip([*images, "map"], panels, strict=True)))
        return figure

    def _draw_window(self, panels: dict[str, "Axes"]) -> None:
        """Where every place looks, on the reference; of the map what lies around the query."""
        record, (row, column) = self._records[self.network], self.query
        reference, first = unpack(self.images["reference"]), min(record.windows)
        places = choose_places(reference)
        offsets = read_offsets(record, first, places, reference.shape)
        draw_arrows(panels["reference"], places, offsets)
        title = f"{panels['reference'].get_title()}, arrows {LONGER} x as long"
        panels["reference"].set_title(title, fontsize=8)
        reach = (record.windows[self.level].side + 1) * self.level / 2
        panels["map"].set(xlim=(column - reach, column + reach), ylim=(row + reach, row - reach))

    def state(self, picture: str | None = None) -> dict:
        """What a saved page holds: below 6 MB a network, so of larger ones the coarser levels only.

        >>> AttentionExplorer(message="nothing to show").state()["networks"]
        {}
        """
        if not self.info:
            return super().state()
        held = sorted({int(level) for one in self.networks.values() for level in one["levels"]})
        states = (super(AttentionExplorer, self).state() | self._from_level(n) for n in held)
        return self._fit(states, PAGE_BYTES * len(self.networks), picture)

    def _from_level(self, finest: int) -> dict:
        """What changes in a page that holds no finer level than this one."""
        networks = {
            name: one | {"levels": {n: x for n, x in one["levels"].items() if int(n) >= finest}}
            for name, one in self.networks.items()
        }
        gone = ", ".join(level for level in self.levels if int(level) < finest)
        note = f"without level {gone}: the page would pass 6 MB for each network"
        return {
            "networks": networks,
            "level": max(self.level, finest),
            "tour": [
                s | {"level": max(s["level"], finest)} if "level" in s else s for s in self.tour
            ],
            "info": self.info | {"notes": [*self.info["notes"], *[note] * bool(gone)]},
        }


@show_reason()
def explore(
    models: Models, pair: Pair, slice: int | None = None, cuts: bool = True, tour: bool = False
) -> AttentionExplorer:
    """The attention microscope on one slice, by default the one with the brightest reference.

    It opens on the level and head of the first network whose maps differ most from query to query.

    >>> import torch
    >>> import dcamsr_lite as dl
    >>> pair = dl.load_pair(torch.rand(3, 32, 32), torch.rand(3, 32, 32), scale=4)
    >>> explore(dl.DCAMSR(scale=4, image_size=32), pair, slice=1).info["slice"]
    1
    >>> both = [dl.DCAMSR(scale=4, image_size=32, variant=v) for v in ("corrected", "released")]
    >>> list(explore(both, pair).networks)
    ['corrected', 'released']

    ``models`` is one network, a list, or a dict of names: several are switched in the page. Runs one
    forward pass of each in eval mode, and with ``cuts`` six more, which say what the output loses
    without a branch or the reference. ``tour``: with a guided tour that fits any network. Raises
    InputError, and in a notebook also shows the reason, when there is no spatial attention to look
    at or model and pair do not fit.
    """
    index, images = choose_slice(pair, slice)
    named = _attending(models)
    check_pair(pair, *named.values())
    networks, records, opens = {}, {}, None
    for name, model in named.items():
        record, output = record_slice(model, pair, index)
        networks[name] = _network(model, record, output.float(), images, pair.scale)
        networks[name]["cuts"] = _cuts(model, pair, index) if cuts else []
        opens = opens or record.find_most_telling()
        records[name] = keep(record)
    assert opens  # there is a first network
    first = next(iter(networks))
    one = networks[first]["title"]
    explorer = AttentionExplorer(
        records,
        info=describe_slice(pair, index, images)
        | {
            "title": one if len(networks) == 1 else f"{len(networks)} networks, {pair.scale}x",
            "notes": [] if opens.head is None else [OPENED.format(*opens)],
            "quality": judge_slice(images, images["low"], pair.scale),
        },
        images={name: pack(image, "float16") for name, image in images.items()},
        networks=networks,
        network=first,
        level=opens.level,
        head=opens.head,
        query=[side // 2 for side in pair.shape],
        tour=tour_attention(all(one["d"] for one in networks.values()), cuts) if tour else [],
    )
    explorer.let_turn(lambda other: explore(models, pair, other, cuts))
    return explorer


def _attending(models: Models) -> dict[str, DCAMSR]:
    """The networks by name. Raises InputError for one without spatial attention."""
    named: dict[str, Any] = name_each(models)
    for name, model in named.items():
        if not isinstance(model, DCAMSR):
            raise InputError("model", type(model).__name__, "a DCAMSR network")
        if not model.config.spatial:
            found = f"{name}, a network without its spatial branch (spatial=False)"
            raise InputError("model", found, "spatial attention, which this explorer shows")
    return named


def _cuts(model: DCAMSR, pair: Pair, index: int) -> list[dict]:
    """What the output loses without a branch or the reference: one pass of the network for each."""
    config = model.config
    whole = find_outcome(model, pair, index, keep=True)
    white = float(whole.output.quantile(WHITE)) or 1.0
    tried = {
        (branch, state): Intervention(cuts=(Cut(branch, state),))
        for branch in ("spatial", "channel")
        if getattr(config, branch)
        for state in ("uniform", "off")
    }
    if config.reference:
        tried["reference", "blank"] = Intervention("blank")
    rows = []
    for (part, state), wanted in tried.items():
        found = find_outcome(model, pair, index, wanted, base=whole)
        moved = float((found.output - whole.output).square().mean().sqrt()) / white
        rows.append({"part": part, "state": state, "psnr": found.change, "moved": moved})
    return rows


def _network(
    model: DCAMSR, record: Record, output: Tensor, images: dict[str, Tensor], scale: int
) -> dict:
    """What one network brings to the page."""
    config = model.config
    own = "built without a reference: it attends to its own input"
    return {
        "title": name_network(model, scale),
        "merge": config.merge,
        "values": "moved" if config.in_sequence else VALUES[config.merge],
        "layout": LAYOUTS[config.merge],
        "notes": [] if config.reference else [own],
        "heads": config.heads,
        "d": config.channels // config.heads if config.channel else 0,
        "quality": judge_slice(images, output, scale),
        "output": pack(output, "float16"),
        "levels": {str(level): pack_level(model, record, level) for level in record.queries},
    }
