"""The displacement explorer: the reference shifts or turns, and what looks at it follows, or does not.

The kernel moves the reference, runs every network with it and sends output, arrows and PSNR; the
browser holds the sliders, draws, and says what is seen (explorer.js).

>>> import torch
>>> import dcamsr_lite as dl
>>> model = dl.DCAMSR(scale=4, image_size=32, variant="aligned")
>>> pair = dl.load_pair(torch.rand(1, 32, 32), torch.rand(1, 32, 32), scale=4)
>>> explorer = explore_displacement(model, pair)
>>> explorer.moved = {"right": 1.5}
>>> print(explorer.intervention)
reference shifted 1.5 px right
"""

from collections.abc import Iterable
from contextlib import suppress
from time import perf_counter
from typing import Any, NamedTuple

from torch import Tensor
from traitlets import Bool, Dict, Enum, List, TraitError, Unicode, observe, validate

from ...data.pairs import Pair
from ...errors import InputError, check_between
from ...evaluation import Network, check_pair
from ...interpret.displacements import (
    Found,
    choose_places,
    draw_arrows,
    judge_offsets,
    read_offsets,
)
from ...interpret.image_edits import WHITE
from ...interpret.interventions import Intervention, Outcome, find_outcome
from ...interpret.tracing import trace
from ...metrics import has_signal, psnr
from ...network.model import DCAMSR
from ...network.super_resolver import SuperResolver
from ...panels import SIGNAL, draw_panel, lay_out
from ..shared.base import SYNC, Explorer, draw_words, show_reason
from ..shared.packing import pack
from ..shared.slices import (
    PAGE_BYTES,
    TITLES,
    choose_slice,
    describe_slice,
    name_each,
    name_network,
)
from ..shared.static import script, style
from ..tours import tour_displacement

AXES = {"right": 4.0, "down": 4.0, "turn": 3.0}  # how far each slider goes, both ways
FINE = 0.25  # a slider's step where a kernel answers
CURVE = 8  # steps of a curve from end to end: a pixel each
PREPARED = (CURVE, 4, 2)  # of a saved page's sliders, and where the page would be too large
START = {"right": 2.0}  # what the page opens on: there is something to see


class Seen(NamedTuple):
    """One network with the reference moved: what it gave, and how far its places look."""

    outcome: Outcome
    places: Tensor
    offsets: Tensor | None
    found: Found | None


class DisplacementExplorer(Explorer):
    """What ``explore_displacement`` returns: a widget that also shows as a picture and saves as a page.

    >>> import torch
    >>> import dcamsr_lite as dl
    >>> pair = dl.load_pair(torch.rand(1, 32, 32), torch.rand(1, 32, 32), scale=4)
    >>> explorer = dl.explore_displacement(dl.DCAMSR(scale=4, image_size=32), pair)
    >>> explorer.moved = {"turn": -3}
    >>> [row["turn"] for row in explorer.table()][-1], explorer.axis
    (-3.0, 'right')

    ``moved`` is where the reference is: "right" and "down" in pixels (-4 to 4), "turn" in degrees (-3
    to 3, counter-clockwise); what is left out is 0. ``result`` answers it. ``network`` (a name) is
    the one whose output and arrows are on screen, ``axis`` the slider that PSNR is drawn over, the
    others where they are; ``rows`` is all that was answered. While ``draft`` is true (a slider is
    being dragged) no curve is begun. Raises TraitError for a place or a name that is not there.
    """

    _esm = script("displacement")
    _css = style("displacement/explorer.css")
    _kept = ("network", "axis", "moved")
    _of_slice = ("_slice", "_seen", "rows", "result")

    network = Unicode().tag(**SYNC)
    axis = Enum(tuple(AXES), "right").tag(**SYNC)
    moved = Dict().tag(**SYNC)
    draft = Bool(False).tag(**SYNC)
    result = Dict().tag(**SYNC)
    rows = List(Dict()).tag(**SYNC)

    def __init__(self, asked: tuple | None = None, **traits: Any):
        self._models: dict[str, Network] = {}
        self._seen: dict[tuple, dict[str, Seen]] = {}
        self._count = 0  # so that each answer is a change, also when its numbers are the same
        self._heard: tuple | None = None  # the last question: a place, and whether a draft
        super().__init__(**traits)
        if asked:
            self._models, self._pair, self._slice = asked
            self._respond(None)

    @validate("moved")
    def _is_near(self, proposal):
        given = proposal["value"]
        if unknown := sorted(map(str, set(given) - set(AXES))):
            raise TraitError(f"moved: found {', '.join(unknown)}; expected {', '.join(AXES)}")
        try:
            for axis, most in AXES.items():
                check_between(axis, given.get(axis, 0.0), -most, most)
        except ValueError as error:
            raise TraitError(str(error)) from error
        return {axis: float(given.get(axis, 0.0)) for axis in AXES}

    @validate("network")
    def _is_there(self, proposal):
        if self._models and proposal["value"] not in self._models:
            known = ", ".join(self._models)
            raise TraitError(f"network: found {proposal['value']}; expected one of {known}")
        return proposal["value"]

    @property
    def intervention(self) -> Intervention:
        """What was done to the reference on screen."""
        return _intervene(self.moved)

    @observe("moved", "draft", "axis")
    def _respond(self, _) -> None:
        """The picture first; the curve through it once its slider is let go."""
        if not self._models:
            return
        if self._heard != (_key(self.moved), self.draft):
            self._heard = (_key(self.moved), self.draft)
            start = perf_counter()
            with self.hold_sync():  # picture and number arrive in one message
                answer = self._answer(self.moved)
                for moved in (_ZERO, self.moved):
                    self._note(moved)
                self.result = answer | {"seconds": perf_counter() - start}
        if not self.draft:
            self._draw_curve()

    def _draw_curve(self) -> None:
        """PSNR at the steps of this slider through the place on screen, those not known yet."""
        with self.hold_sync():
            for moved in _steps(self.axis, CURVE, self.moved):
                self._note(moved)

    def _note(self, moved: dict[str, float]) -> None:
        if any(row["moved"] == moved for row in self.rows):
            return
        with suppress(InputError):
            seen = self._see(moved)
            row = {
                "moved": moved,
                "psnr": {name: one.outcome.psnr for name, one in seen.items()},
                "off": {name: one.found and one.found.off for name, one in seen.items()},
            }
            self.rows = [*self.rows, row]

    def _see(self, moved: dict[str, float]) -> dict[str, Seen]:
        key = _key(moved)
        if key not in self._seen:
            base = self._see(_ZERO) if any(key) else {}
            place = (self._pair, self._slice, _intervene(moved))
            self._seen[key] = {
                name: _look(model, *place, base[name].outcome if base else None)
                for name, model in self._models.items()
            }
        return self._seen[key]

    def _answer(self, moved: dict[str, float]) -> dict:
        """Reference, outputs, arrows and numbers, or why there are none."""
        self._count += 1
        asked: dict[str, Any] = {"moved": dict(moved), "count": self._count, "seconds": 0.0}
        try:
            seen = self._see(moved)
        except InputError as error:
            return asked | {"refused": str(error)}
        first = next(iter(seen.values()))
        return asked | {
            "reference": pack(first.outcome.reference, "int8"),
            "places": first.places.tolist(),
            "networks": {name: _pack_seen(one) for name, one in seen.items()},
        }

    def table(self) -> list[dict]:
        """What was tried, a dict per place of the reference and network.

        Of each: "right", "down" (pixels), "turn" (degrees), "network", "psnr_db" of the slice, None
        without a target, and "pixels_off", between the places where it looks and where they lie.
        """
        return [
            {**row["moved"], "network": name, "psnr_db": psnr, "pixels_off": row["off"][name]}
            for row in self.rows
            for name, psnr in row["psnr"].items()
        ]

    def state(self, picture: str | None = None) -> dict:
        """What a saved page holds: the answers to one slider at a time in steps, and to the tour.

        >>> DisplacementExplorer(message="nothing to show").state()["results"]
        []

        Below 6 MB: of a larger one only the ends of each slider, and its middle.
        """
        if not self._models:
            return super().state() | {"rows": [], "result": {}, "results": []}
        return self._fit((self._in_steps(count) for count in PREPARED), PAGE_BYTES, picture)

    def _in_steps(self, count: int) -> dict:
        self._draw_curve()
        toured = [step["moved"] for step in self.tour if "moved" in step]
        wanted: list[dict] = [self.moved, *({**_ZERO, **one} for one in toured)]
        for axis in AXES:
            wanted += _steps(axis, count)
            for moved in _steps(axis, CURVE):
                self._note(moved)
        steps = {axis: 2 * most / count for axis, most in AXES.items()}
        unique = {_key(moved): moved for moved in wanted}
        return super().state() | {
            "info": self.info | {"steps": steps},
            "rows": self.rows,
            "result": self.result,
            "results": [self._answer(moved) for moved in unique.values()],
        }

    def _arrays(self) -> dict[str, Tensor]:
        """The output on screen, the reference as used, and the arrows: places and offsets."""
        seen = self._see(self.moved)[self.network]
        arrows = {} if seen.offsets is None else {"places": seen.places, "offsets": seen.offsets}
        return {"output": seen.outcome.output, "reference": seen.outcome.reference} | arrows

    def _draw(self):
        """The reference with its arrows, output, error, and the curve of the slider."""
        try:
            seen = self._see(self.moved)[self.network]
        except InputError as error:
            return draw_words(f"{self!r}. {error}")
        result, windows = seen.outcome, self.info["windows"]
        numbers = [
            f"{name} {row['psnr_db']:.1f} dB"
            + ("" if row["pixels_off"] is None else f", looks {row['pixels_off']:.1f} px off")
            for row in self.table()
            for name in [row["network"]]
            if row["psnr_db"] is not None and _key(row) == _key(self.moved)
        ]
        words = ". ".join([f"{result.intervention}", *numbers])
        figure, axes = lay_out(4 if result.psnr is not None else 2, words=words)
        draw_panel(axes[0], "Reference, as used", result.reference, limit=windows["reference"])
        if seen.offsets is not None:
            draw_arrows(axes[0], seen.places, seen.offsets)
        draw_panel(axes[1], f"Output, {self.network}", result.output, limit=windows["output"])
        if result.psnr is not None and result.target is not None:
            away = (result.output - result.target).abs()
            most = float((result.low - result.target).abs().quantile(WHITE)) or None
            draw_panel(axes[2], "Error", away, "magnitude", limit=most, label=SIGNAL)
            self._plot(axes[3])
        return figure

    def _plot(self, axes) -> None:
        self._draw_curve()
        for number, name in enumerate(self._models):
            points = sorted(
                (row["moved"][self.axis], row["psnr"][name])
                for row in self.rows
                if _on_line(row["moved"], self.axis, self.moved)
            )
            axes.plot(*zip(*points, strict=True), "o-", markersize=2.5, linewidth=1, label=name)
            here = self.moved[self.axis], dict(points)[self.moved[self.axis]]
            axes.plot(*here, "o", markersize=6, color=f"C{number}", markeredgecolor="white")
        axes.axhline(self.info["floor"], color="grey", linestyle="--", label="zero-fill")
        unit = "degrees" if self.axis == "turn" else "px"
        held = [f"{name} {self.moved[name]:g}" for name in AXES if name != self.axis]
        title = f"PSNR, dB, over {self.axis}, {unit}\n{' and '.join(held)} held"
        axes.set_title(title, fontsize=8)
        axes.tick_params(labelsize=7)
        axes.legend(fontsize=6)


_ZERO = dict.fromkeys(AXES, 0.0)


def _key(moved: dict) -> tuple:
    return tuple(moved.get(axis, 0.0) for axis in AXES)


def _steps(axis: str, count: int, through: dict[str, float] = _ZERO) -> Iterable[dict[str, float]]:
    """From end to end of one slider, the others held. Middle first."""
    most = AXES[axis]
    found = [{**through, axis: most * (2 * i / count - 1)} for i in range(count + 1)]
    return sorted(found, key=lambda moved: abs(moved[axis]))


def _on_line(moved: dict[str, float], axis: str, through: dict[str, float]) -> bool:
    return all(value == through[name] for name, value in moved.items() if name != axis)


def _intervene(moved: dict) -> Intervention:
    right, down, turn = _key(moved)
    return Intervention(shift=(down, right), rotate=turn)


def _look(model: Network, pair: Pair, index: int, move: Intervention, base: Outcome | None) -> Seen:
    """One pass of the network; arrows where its attention looks at pixels around each place."""
    looking = _find_window(model)
    if looking is None:
        result = find_outcome(model, pair, index, move, base=base, keep=base is None)
        return Seen(result, choose_places(result.reference), None, None)
    with trace(looking) as record:
        result = find_outcome(model, pair, index, move, base=base, keep=base is None)
    level = min(record.windows)  # coarser ones only look at what it left
    places = choose_places(result.reference)
    offsets = read_offsets(record, level, places, pair.shape)
    return Seen(result, places, offsets, judge_offsets(places, offsets, move, pair.shape))


def _find_window(model: Network) -> DCAMSR | None:
    """The model, where its attention looks at the pixels around each place."""
    if not isinstance(model, DCAMSR) or not model.config.spatial:
        return None
    windows = [block.attention.spatial.window for block in model.levels.values()]
    return model if any(window is not None for window in windows) else None


def _pack_seen(seen: Seen) -> dict:
    found, offsets = seen.found, seen.offsets
    return {
        "output": pack(seen.outcome.output, "int12"),
        "psnr": seen.outcome.psnr,
        "offsets": None if offsets is None else [[round(float(x), 2) for x in o] for o in offsets],
        "found": found and found._asdict(),
    }


@show_reason()
def explore_displacement(models: Any, pair: Pair, slice: int | None = None) -> DisplacementExplorer:
    """Shift or turn the reference, on one slice, by default the one with the brightest reference.

    >>> import torch
    >>> import dcamsr_lite as dl
    >>> pair = dl.load_pair(torch.rand(1, 32, 32), torch.rand(1, 32, 32), scale=4)
    >>> both = [dl.DCAMSR(scale=4, image_size=32, variant=v) for v in ("aligned", "corrected")]
    >>> explorer = explore_displacement(both, pair)
    >>> explorer.network, len(explorer.rows), explorer.result["networks"]["corrected"]["found"]
    ('aligned', 9, None)

    ``models`` is one network or any function ``f(lr, ref) -> sr``, a list, or a dict of names: their
    PSNR is drawn side by side, against zero-filling. Those with attention to the pixels around each
    place ("aligned", "window") also show where each place looks. Runs nine passes of each, for the
    curve over the shift to the right; up to nine more when another slider is let go, for the curve
    through that place; ``save_html`` needs 25. It has a guided tour.
    Raises InputError, and in a notebook also shows the reason, when models and pair do not fit.
    """
    index, images = choose_slice(pair, slice)
    named = name_each(models)
    check_pair(pair, *named.values())
    target = images.get("target")
    judged = target is not None and has_signal(target)
    alone = [
        f"{name} was built without a reference: moving it changes nothing"
        for name, model in named.items()
        if isinstance(model, SuperResolver) and not model.config.reference
    ]
    titles = {name: name_network(model, pair.scale) for name, model in named.items()}
    explorer = DisplacementExplorer(
        (named, pair, index),
        info=describe_slice(pair, index, images)
        | {
            "title": next(iter(titles.values())) if len(titles) == 1 else " and ".join(titles),
            "titles": TITLES | {"reference": "Reference, as used"},
            "notes": alone,
            "networks": titles,
            "floor": psnr(target, images["low"]) if judged and target is not None else None,
            "bounds": AXES,
            "steps": dict.fromkeys(AXES, FINE),
        },
        images={n: pack(images[n], "float16") for n in ("low", "target")} if judged else {},
        network=next(iter(named)),
        moved=START,
        tour=tour_displacement(),
    )
    explorer.let_turn(lambda other: explore_displacement(models, pair, other))
    return explorer
