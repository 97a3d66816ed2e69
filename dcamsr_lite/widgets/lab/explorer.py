"""The intervention lab: cut a trained network, question its reference, and see what it costs.

The kernel runs the network, once per intervention, and sends the images that it got and gave; the
browser holds the switches, draws the differences and keeps what was tried (explorer.js).

>>> import torch
>>> import dcamsr_lite as dl
>>> model = dl.DCAMSR(scale=4, image_size=32)
>>> pair = dl.load_pair(torch.rand(1, 32, 32), torch.rand(1, 32, 32), scale=4)
>>> lab = intervention_lab(model, pair)
>>> lab.intervention = {"reference": "blank"}
>>> [row["tried"] for row in lab.table()]
['nothing changed', 'reference blank']
"""

import csv
import json
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from time import perf_counter
from typing import Any

from torch import Tensor
from traitlets import Bool, Dict, List, TraitError, observe, validate

from ...data.pairs import Pair
from ...errors import InputError, atomic_path
from ...evaluation import Network, check_pair
from ...interpret.cuts import BRANCHES, Cut, check_cuts
from ...interpret.floors import measure_floors
from ...interpret.interventions import REFERENCES, Intervention, Outcome, find_outcome
from ...kspace import center_pad
from ...network.model import DCAMSR
from ...network.super_resolver import SuperResolver, unwrap
from ...panels import SIGNAL
from ..shared.base import SYNC, Explorer, draw_words, show_reason
from ..shared.packing import pack, unpack
from ..shared.slices import (
    PAGE_BYTES,
    TITLES,
    choose_slice,
    describe_slice,
    draw_slice,
    name_network,
)
from ..shared.static import script, style
from ..tours import LAB

IMAGES = ("low", "reference", "output", "target")
SCORES = ("tried", "psnr_db", "delta_psnr_db", "ssim", "error_measured", "error_removed")
SETTINGS = ("reference", "seed", "shift_down", "shift_right", "rotate", "blur", "lesions", "cuts")
COLUMNS = (*SCORES, *SETTINGS, "network", "slice")  # of a file


def _sent(result: dict, _=None) -> dict:
    """Without the output: a page has the base's and the change."""
    images = {n: packed for n, packed in result.get("images", {}).items() if n != "output"}
    return result | {"images": images}


class InterventionLab(Explorer):
    """What ``intervention_lab`` returns: a widget that also shows as a picture and saves as a page.

    >>> import torch
    >>> import dcamsr_lite as dl
    >>> pair = dl.load_pair(torch.rand(1, 32, 32), torch.rand(1, 32, 32), scale=4)
    >>> lab = intervention_lab(DCAMSR(scale=4, image_size=32), pair)
    >>> print(lab.run(Intervention(shift=(0, 2))).intervention)
    reference shifted 2 px right
    >>> lab.prepare(lab.clicks()[:3])  # all of them take a pass of the network each
    >>> len(lab.table()), len(lab.run_standard())
    (2, 18)
    >>> lab.to_csv("tried.csv")
    >>> Path("tried.csv").read_text()[:13]
    'tried,psnr_db'

    ``intervention`` is what is on screen, an ``Intervention`` as a dict (or the object itself); what
    is left out keeps its default. ``result`` answers it, ``rows`` is the table. While ``draft`` is
    true (a slider is being dragged) nothing is added to the table. Raises TraitError for an
    intervention that this network or pair does not allow.
    """

    _esm = script("lab")
    _css = style("lab/explorer.css")
    _kept = ("intervention",)
    _of_slice = ("_slice", "_base", "_tried", "_ready", "_last", "_heard", "rows", "result")

    intervention = Dict(Intervention().as_dict()).tag(**SYNC)
    draft = Bool(False).tag(**SYNC)
    result = Dict().tag(**SYNC, to_json=_sent)
    rows = List(Dict()).tag(**SYNC)

    def __init__(self, asked: tuple = (None,) * 4, base: Outcome | None = None, **traits: Any):
        self._model, self._pair, self._slice, self._other = asked
        self._base = base  # nothing changed
        self._tried: dict[Intervention, Outcome] = {}
        self._ready: dict[Intervention, Outcome] = {}  # prepared: without a row in the table
        self._last: Outcome | None = base
        self._heard: tuple | None = None  # the last question: an intervention, and whether a draft
        self._count = 0  # so that each answer is a change, also when its numbers are the same
        super().__init__(**traits)
        if base is not None:
            self.result = self._answer(base.intervention, keep=True)

    @validate("intervention")
    def _is_possible(self, proposal):
        return self._checked(proposal["value"]).as_dict()

    @validate("tour")
    def _can_be_walked(self, proposal):
        """Each step's intervention whole: a page would be told of what a kernel completes, too late."""
        steps = []
        for number, step in enumerate(super()._can_be_walked(proposal), 1):
            try:
                wanted = self._checked(step.get("intervention", {})).as_dict()
            except TraitError as error:
                raise TraitError(f"step {number} of the tour: {error}") from error
            steps.append(step | {"intervention": wanted} if "intervention" in step else step)
        return steps

    def _checked(self, given: dict | Intervention) -> Intervention:
        try:
            wanted = given if isinstance(given, Intervention) else Intervention.from_dict(given)
            if self._model is not None:
                if wanted.cuts:
                    check_cuts(self._model, wanted.cuts)
                if self._pair.target_image is None and wanted.needs_target:
                    raise InputError("pair", "no target", "one, for what is tried here")
        except ValueError as error:
            raise TraitError(str(error)) from error
        return wanted

    @observe("intervention", "draft")
    def _respond(self, _) -> None:
        wanted, start = Intervention.from_dict(self.intervention), perf_counter()
        if self._base is None or self._heard == (wanted, self.draft):
            return  # both changed: one question, which comes twice
        self._heard = (wanted, self.draft)
        with self.hold_sync():  # picture and table arrive in one message
            answer = self._answer(wanted, keep=not self.draft)
            self.result = answer | {"seconds": perf_counter() - start}

    def _run(self, wanted: Intervention) -> Outcome:
        if self._last is None or self._last.intervention != wanted:
            place = (self._model, self._pair, self._slice)
            self._last = (
                self._tried.get(wanted)
                or self._ready.get(wanted)
                or find_outcome(*place, wanted, self._other, self._base)
            )
        return self._last

    def _keep(self, found: Outcome) -> None:
        if found.intervention not in self._tried:
            self._tried[found.intervention] = found
            wanted = found.intervention.as_dict()
            place = {"network": self.info["title"], "slice": self.info["slice"]}
            row = found.row() | _spell_settings(wanted) | place | {"intervention": wanted}
            self.rows = [*self.rows, row]

    def _answer(self, wanted: Intervention, keep: bool = False) -> dict:
        """What it gave, with those of its images that are not the base's, or why it cannot be made.

        The change is packed for itself: between two packed outputs a tiny one would be rounding noise.
        """
        self._count += 1
        asked: dict[str, Any] = {
            "intervention": wanted.as_dict(),
            "count": self._count,
            "seconds": 0.0,
        }
        try:
            found = self._run(wanted)
        except InputError as error:
            return asked | {"refused": str(error)}
        if keep:
            self._keep(found)
        images = _packed(found, self._base)
        if "output" in images:  # as a page adds it up
            asked["change"] = pack(found.output - self._base.output, "float16")
            base = unpack(self.images["output"])
            images["output"] = pack(base + unpack(asked["change"]), "float32")
        return found.row() | asked | {"images": images}

    def run(self, intervention: Intervention) -> Outcome:
        """Try one, show it, get images and numbers. Raises InputError for what cannot be made."""
        if self._base is None:
            raise LookupError("nothing to run: the lab is empty")
        with self.hold_trait_notifications():
            self.draft, self.intervention = False, intervention.as_dict()
        return self._run(intervention)

    def run_standard(self) -> list[dict]:
        """Try the standard set, and return the table: each branch, each level, each reference.

        Takes one pass of the network for each that was not tried yet; ``save_html`` does the same.
        """
        for wanted in self._standard():
            self._keep(self._run(wanted))
        return self.table()

    def _standard(self) -> Iterable[Intervention]:
        if self._base is None:
            return []
        levels = self.info["levels"]
        branches = [Cut(b, state) for b in self.info["branches"] for state in ("off", "uniform")]
        sets: list[tuple[Cut, ...]] = [(c,) for c in branches]
        sets.append(tuple(c for c in branches if c.state == "off"))
        if len(levels) > 1:
            sets += [tuple(Cut(b, "off", (n,)) for b in self.info["branches"]) for n in levels]
        moves = [{"shift": (0, n)} for n in (1, 2, 4)] + [{"rotate": 3}, {"blur": 2}]
        return [
            *(Intervention(name) for name in self.info["references"] if name != "own"),
            *(Intervention(**move) for move in moves),
            *(Intervention(cuts=cuts) for cuts in dict.fromkeys(sets)),
        ]

    def prepare(self, interventions: Iterable[Intervention]) -> None:
        """Compute answers that a saved page will have ready, without a row in the table."""
        for wanted in interventions:
            self._ready[wanted] = self._run(wanted)

    def clicks(self) -> list[Intervention]:
        """What one click on a switch asks for: off at a level, in a head, in a head of one level."""
        return [
            Intervention(cuts=(Cut(branch, "off", level, head),))
            for branch in self.info["branches"]
            for level in (None, *((one,) for one in self.info["levels"]))
            for head in (None, *((one,) for one in range(self.info["heads"])))
        ]

    def table(self) -> list[dict]:
        """What was tried, a dict per row: sentence, PSNR and its change, SSIM, error by band."""
        return [found.row() for found in self._tried.values()]

    def to_csv(self, path: str | Path) -> None:
        """Write the table, and what was set, a column each. Atomic.

        Lesions and cuts are lists in JSON. Raises InputError when it cannot be written.
        """
        with atomic_path(path) as temporary, temporary.open("w", newline="") as file:
            writer = csv.DictWriter(file, COLUMNS, extrasaction="ignore")
            writer.writeheader()
            writer.writerows(self.rows)

    def state(self, picture: str | None = None) -> dict:
        """What a saved page holds: the table with its pictures, the standard set, and the tour's.

        >>> InterventionLab(message="nothing to show").state()["results"]
        []

        Below 6 MB: of more, what was prepared goes first, then the oldest rows' pictures. What is on
        screen stays.
        """
        steps = [self._checked(step.get("intervention", {})) for step in self.tour]
        wanted = [*self._standard(), *steps] if self._base else []
        for one in wanted:
            with suppress(InputError):
                self._keep(self._run(one))
        current = [Intervention.from_dict(self.intervention)] if self._base else []
        order = [*current, *wanted, *reversed(self._tried), *self._ready]  # what must stay first
        results = [_sent(self._answer(one)) for one in dict.fromkeys(order)]
        state = super().state() | {"rows": self.rows, "result": _sent(self.result)}
        counts = range(max(1, len(results)), 0, -1)
        return self._fit((state | {"results": results[:n]} for n in counts), PAGE_BYTES, picture)

    def _arrays(self) -> dict[str, Tensor]:
        """The change of the output, and the images on screen."""
        shown = self._run(Intervention.from_dict(self.intervention))
        images = {n: getattr(shown, n) for n in IMAGES if getattr(shown, n) is not None}
        return {"change": shown.output - self._base.output} | images

    def _draw(self):
        """The images on screen, and what changed against the network left alone."""
        try:
            shown = self._run(Intervention.from_dict(self.intervention))
        except InputError as error:
            return draw_words(f"{self!r}. {error}")
        images = {n: getattr(shown, n) for n in IMAGES if getattr(shown, n) is not None}
        change = center_pad(shown.output - self._base.output, self.info["grid"])
        quality = "" if shown.psnr is None else f": {shown.psnr:.2f} dB ({shown.change:+.2f})"
        maps = {self.info["titles"]["change"]: change}
        words = f"{shown.intervention}{quality}"
        return draw_slice(self.info, images, maps, words, SIGNAL)[0]


def _spell_settings(wanted: dict) -> dict:
    """An intervention as a dict, in the columns of a table.

    >>> _spell_settings(Intervention(shift=(1, 0)).as_dict())["shift_down"]
    1
    """
    down, right = wanted["shift"]
    lists = {name: json.dumps(wanted[name]) for name in ("lesions", "cuts")}
    found = wanted | lists | {"shift_down": down, "shift_right": right}
    return {name: found[name] for name in SETTINGS}


def _packed(result: Outcome, base: Outcome | None = None) -> dict:
    images = {name: getattr(result, name) for name in IMAGES}
    return {
        name: pack(image, "float32" if name == "output" else "float16")
        for name, image in images.items()
        if image is not None and (base is None or not image.equal(getattr(base, name)))
    }


@show_reason()
def intervention_lab(
    model: Network, pair: Pair, slice: int | None = None, other: Pair | int | None = None
) -> InterventionLab:
    """The intervention lab on one slice, by default the one with the brightest reference.

    >>> import torch
    >>> import dcamsr_lite as dl
    >>> pair = dl.load_pair(torch.rand(3, 32, 32), torch.rand(3, 32, 32), scale=4)
    >>> intervention_lab(dl.DCAMSR(scale=4, image_size=32), pair, slice=1).info["slice"]
    1

    ``model`` may be any function ``f(lr, ref) -> sr`` of normalised images: only a DCAMSR has an
    attention to cut, but every network has a reference to try.

    ``other`` is another subject, whose reference can be tried: a Pair of the same matrix, or the
    seed of a simulated one; by default a simulated one that no training has seen, made when it is
    first asked for. Raises InputError, and in a notebook also shows the reason, when model and pair
    do not fit.
    """
    index, images = choose_slice(pair, slice)
    model = unwrap(model)
    check_pair(pair, model)
    if not isinstance(other, Pair | int | None) or isinstance(other, bool):
        raise InputError("other", type(other).__name__, "a Pair, the seed of a head, or None")
    if isinstance(other, Pair) and (other.shape, len(other.lr)) != (pair.shape, len(pair.lr)):
        raise InputError("other", f"{len(other.lr)} slices of {other.shape}", "the pair's matrix")
    base = find_outcome(model, pair, index, keep=True)
    config = model.config if isinstance(model, DCAMSR) else None
    alone = isinstance(model, SuperResolver) and not model.config.reference
    own = "built without a reference: it attends to its own input, and edits of it change nothing"
    lab = InterventionLab(
        (model, pair, index, other),
        base,
        info=describe_slice(pair, index, images)
        | {
            "title": name_network(model, pair.scale),
            "notes": [own] if alone else [],
            "heads": config.heads if config else 0,
            "levels": [*model.levels] if isinstance(model, DCAMSR) else [],
            "branches": [name for name in BRANCHES if getattr(config, name, False)],
            "references": [n for n in REFERENCES if n != "target" or base.target is not None],
            "titles": TITLES
            | {"reference": "Reference, as used", "change": "Change of the output"},
            "floors": measure_floors(pair, index),
            "blank": Intervention().as_dict(),
            "columns": list(COLUMNS),
        },
        images=_packed(base),
    )
    for step in LAB:
        with suppress(TraitError):  # what this network or pair does not allow
            lab.tour = [*lab.tour, step]
    lab.let_turn(lambda index: intervention_lab(model, pair, index, other))
    return lab
