"""The attribution explorer: drag a patch, run a method, see what the patch owes to either contrast.

No threads: the browser asks the kernel for one short chunk of a run after the other, so that to stop
is to ask no more, and the kernel stays free in between.

>>> import torch
>>> import dcamsr_lite as dl
>>> model = dl.DCAMSR(scale=4, image_size=32)
>>> pair = dl.load_pair(torch.rand(3, 32, 32), torch.rand(3, 32, 32), scale=4)
>>> explorer = explore_attribution(model, pair)
>>> explorer.patch = [8, 8, 4, 4]
>>> explorer.run("occlusion")
>>> sorted(explorer.results)
['occlusion']
>>> explorer.save_html("attribution.html")
"""

import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from math import isfinite
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from traitlets import Dict, Int, List, TraitError, Unicode, validate

from ...data.pairs import Pair
from ...errors import InputError
from ...evaluation import check_pair
from ...interpret.attribution import METHODS, Attribution, lifting
from ...interpret.deletion import (
    Deletion,
    deletion_curve,
    draw_orders,
    edges,
    nearness,
)
from ...interpret.patch_target import TARGETS, PatchTarget, check_patch
from ...network.model import DCAMSR
from ...network.super_resolver import unwrap
from ..shared.base import SYNC, Explorer, show_reason
from ..shared.packing import pack, unpack
from ..shared.slices import (
    TITLES,
    choose_slice,
    describe_slice,
    draw_slice,
    judge_slice,
    name_network,
)
from ..shared.static import script, style
from ..tours import tour_attribution

CHUNK = 0.25  # seconds: the kernel answers after the first step that ends later
LARGEST_SIDE = 32  # of a patch, in pixels
STEPS = 8  # of a path, as in notebook 07; more where it does not add up
# parts of the reference; all of it is one end for every order
BLURRED = (0.01, 0.02, 0.05, 0.1, 0.3)
NAMES = {
    "blur_path": "Blur path (LAM)",
    "integrated_gradients": "Integrated gradients",
    "occlusion": "Occlusion",
}


class AttributionExplorer(Explorer):
    """What ``explore_attribution`` returns: a widget that also shows as a picture and saves as a page.

    >>> import dcamsr_lite as dl
    >>> pair = dl.load_pair(torch.rand(1, 32, 32), torch.rand(1, 32, 32), scale=4)
    >>> explorer = explore_attribution(lambda lr, ref: 2 * ref, pair)
    >>> explorer.run("blur_path")
    >>> explorer.results["blur_path"]["share"]  # of what the patch owes, on the reference
    1.0
    >>> explorer.chunk("occlusion", "mean", [0, 0, 4, 4])["total"] > 0
    True

    The reader's place: ``patch`` [row, column, rows, columns] in the image's pixels, ``method`` and
    ``target`` (names in METHODS and TARGETS of interpret). ``results``: method -> what its last run
    found, packed: the maps as soon as they are there, what they are compared with at the run's end.
    Raises TraitError for a place that is not there.
    """

    _esm = script("attribution")
    _css = style("attribution/explorer.css")
    _kept = ("patch", "method", "target")
    _held = ("results",)  # the last of each method
    _of_slice = ("_network", "_job", "results")

    results = Dict().tag(**SYNC)
    patch = List(Int(), [0, 0, 1, 1], minlen=4, maxlen=4).tag(**SYNC)
    method = Unicode("blur_path").tag(**SYNC)
    target = Unicode("detail").tag(**SYNC)

    def __init__(self, network: tuple[Callable, Tensor, Tensor] | None = None, **traits: Any):
        self._network: Any = network  # f, lr, ref
        self._job: Any = None  # (place, work) of a run that can go on
        self._progress = (0, 0)
        super().__init__(**traits)
        self.on_msg(self._answer)

    @validate("patch", "method", "target")
    def _is_there(self, proposal):
        name, value = proposal["trait"].name, proposal["value"]
        known: dict[str, dict] = {"method": METHODS, "target": TARGETS}
        if name in known and value not in known[name]:
            raise TraitError(f"{name} {value!r} is none of {[*known[name]]}")
        if name == "patch" and self.info:
            try:
                check_patch(value, self.info["shape"])
            except InputError as error:
                raise TraitError(str(error)) from error
            if max(value[2:]) > LARGEST_SIDE:
                raise TraitError(f"patch {value} is larger than {LARGEST_SIDE} x {LARGEST_SIDE}")
        return value

    def run(self, *methods: str) -> None:
        """Run methods on the current patch to their end, by default the current one."""
        for name in methods or (self.method,):
            self.method = name
            while not self.chunk(name, self.target, self.patch)["finished"]:
                pass

    def chunk(self, method: str, target: str, patch: list[int]) -> dict:
        """About a quarter of a second of this run: goes on where it stands, or begins it.

        Returns ``done`` and ``total`` steps, and ``finished``: the result is then in ``results``.
        """
        if self._network is None:
            raise LookupError("nothing to run: the explorer is empty")
        place = (method, target, tuple(patch))
        if self._job is None or self._job[0] != place:
            self._job = (place, self._work(*place))
        _, work = self._job
        self._job = None  # where the function raises, the run is over
        end = time.monotonic() + CHUNK
        for self._progress in work:
            if time.monotonic() >= end:
                self._job = (place, work)
                break
        done, total = self._progress
        return {"done": done, "total": total, "finished": self._job is None}

    def _answer(self, _widget, content: dict, _buffers) -> None:
        """The browser asks for the next chunk; an error in the user's function is shown there."""
        if content.get("ask") != "chunk":
            return
        try:
            reply = self.chunk(*(content[name] for name in ("method", "target", "patch")))
        except Exception as error:
            reply = {"error": f"{type(error).__name__}: {error}"}
        self.send({"id": content["id"], **reply})

    def _work(self, method: str, target: str, patch: tuple) -> Iterator[tuple[int, int]]:
        f, lr, ref = self._network
        inside = (*(a + b for a, b in zip(patch[:2], self.info["offset"], strict=True)), *patch[2:])
        steps = {} if method == "occlusion" else {"steps": STEPS}
        run = METHODS[method](f, lr, ref, inside, target, **steps)
        lifts = lifting(f, lr, ref, inside, (False, True)) if self.info["attends"] else None
        orders = {"nearness": nearness(ref.shape[2:], inside), "edges": edges(ref)}
        orders |= {f"chance {k}": order for k, order in enumerate(draw_orders(ref.shape[2:]))}
        count = len(orders) + 1 + len(self.info["levels"])
        later = 1 + len(BLURRED) * count + (lifts.total if lifts else 0)
        for done, total in run.steps():
            yield done, total + later
        found = run.result()
        self.results = self.results | {method: _packed(found, patch)}
        for _ in lifts.steps() if lifts else ():
            done += 1
            yield done, total + later
        lifted, relative = lifts.result() if lifts else ({}, {})
        maps = {"attribution": found.ref}
        maps |= {f"attention, level {level}": lifted[level] for level in lifted}
        curves = {}
        whole = deletion_curve(f, lr, ref, inside, found.ref, fractions=(1.0,)).result()
        done += 1
        yield done, total + later
        for name, order in (maps | orders).items():
            curve = deletion_curve(f, lr, ref, inside, order, fractions=BLURRED)
            for _ in curve.steps():
                done += 1
                yield done, total + later
            change = curve.result().change
            curves[name] = Deletion((*BLURRED, 1.0), (*change, *whole.change))
        agreement = [
            {
                "level": n,
                "lifted": found.agreement(lifted[n]),
                "relative": found.agreement(relative[n]),
            }
            for n in lifted
        ]
        packed = _packed(found, patch) | _compared(agreement, curves)
        self.results = self.results | {method: packed}

    def state(self, picture: str | None = None) -> dict:
        """What a saved page holds: it opens on a method that has a result.

        >>> AttributionExplorer(message="nothing to show").state()["results"]
        {}
        """
        known = [self.method] if self.method in self.results else [*self.results, self.method]
        return super().state(picture) | {"method": known[0]}

    def save_html(self, path: str | Path) -> None:
        """As every explorer's; where nothing has run yet, the method on screen runs first.

        >>> AttributionExplorer(message="nothing to show").save_html("empty.html")
        >>> Path("empty.html").is_file()
        True
        """
        if self._network is not None and not self.results:
            with suppress(InputError):  # a function without a gradient: a page without a result
                self.run()
        super().save_html(path)

    def __repr__(self) -> str:
        if not self.info:
            return super().__repr__()
        done = ", ".join(NAMES[name] for name in self.results) or "no result yet"
        return f"{super().__repr__()}, patch {self.patch}: {done}"

    def _arrays(self) -> dict[str, Tensor]:
        """The map on the reference, that on the input, and the images; nothing before a run."""
        if not (found := self.results.get(self.method)):
            return {}
        (top, left), (rows, columns) = self.info["offset"], self.info["shape"]
        reference = unpack(found["ref"])[top : top + rows, left : left + columns]
        maps = {"attribution_reference": reference, "attribution_input": unpack(found["lr"])}
        return maps | {name: unpack(packed) for name, packed in self.images.items()}

    def _draw(self):
        """The images with the patch, and the maps of the current method if it ran."""
        from matplotlib.patches import Rectangle  # loads when first used

        found = self.results.get(self.method)
        row, column, height, width = found["patch"] if found else self.patch
        images = {name: unpack(packed) for name, packed in self.images.items()}
        words, maps = "attribution not run yet", {}
        if found:
            part = found["net_share"]
            share = f", {part:.0%} from the reference (signed)" if part is not None else ""
            words = f"{NAMES[self.method]}{share}"
            maps = {"Attribution: input": found["lr"], "Attribution: reference": found["ref"]}
            maps = {title: _trim(unpack(packed)) for title, packed in maps.items()}
        words = f"{self.info['title']}. {words}"
        figure, panels = draw_slice(self.info, images, maps, words, "change of the patch")
        for axes in panels:
            box = Rectangle((column - 0.5, row - 0.5), width, height, fill=False, color="red")
            axes.add_patch(box)
        return figure


def _trim(image: Tensor) -> Tensor:
    """Without the few largest magnitudes, beside which all others would be pale."""
    limit = float(image.abs().quantile(0.995))
    return image.clamp(-limit, limit) if limit else image


def _number(x: float) -> float | None:
    return x if isfinite(x) else None  # a page holds no nan


def _packed(found: Attribution, patch: tuple) -> dict:
    """The maps and their numbers; what they are compared with comes later."""
    di = found.diffusion_index
    return {
        "patch": [*patch],
        "target": found.target,
        "lr": pack(found.lr, "float16"),
        "ref": pack(found.ref, "float16"),
        "value": found.value,
        "start": found.start,
        "net": found.net,
        "complete": found.is_complete,
        "net_share": _number(found.net_share),
        "share": _number(found.share_of_reference),
        "completeness": _number(found.completeness_error),
        "diffusion": {name: _number(x) for name, x in di.items()},
        "deletion": None,
    }


def _compared(agreement: list[dict], curves: dict[str, Deletion]) -> dict:
    controls = {name: curves.pop(name) for name in ("nearness", "edges")}
    drawn = [curves.pop(name) for name in [*curves] if name.startswith("chance")]
    return {
        "agreement": [{name: _number(x) for name, x in row.items()} for row in agreement],
        "deletion": {n: _curve(c) for n, c in curves.items()} | {"chance": _band(drawn)},
        "controls": {name: _curve(c) for name, c in controls.items()},
    }


def _curve(c: Deletion) -> dict:
    numbers = {"area": _number(c.area), "early": _number(c.early)}
    return {"fractions": c.fractions, "change": c.change} | numbers


def _band(drawn: list[Deletion]) -> dict:
    """The curve of the median over orders by chance, and what the lowest and the highest gave."""
    changes = torch.tensor([one.change for one in drawn])
    early = [found for one in drawn if (found := _number(one.early)) is not None]
    middle = changes.median(0).values.tolist()
    return _curve(Deletion(drawn[0].fractions, tuple(middle))) | {
        "low": changes.amin(0).tolist(),
        "high": changes.amax(0).tolist(),
        "early_range": [min(early), max(early)] if len(early) == len(drawn) else None,
        "draws": len(drawn),
    }


@show_reason("f and pair")
def explore_attribution(f: Callable, pair: Pair, slice: int | None = None) -> AttributionExplorer:
    """Ask what a patch of the output owes to which pixel, on one slice, by default the brightest.

    >>> import dcamsr_lite as dl
    >>> pair = dl.load_pair(torch.rand(3, 32, 32), torch.rand(3, 32, 32), scale=4)
    >>> explore_attribution(lambda lr, ref: ref, pair, slice=1).info["slice"]
    1

    ``f(lr, ref) -> sr`` is any function of normalised images, as ``DCAMSR``: (1, 1, H/s, W/s) and
    (1, 1, H, W) -> (1, 1, H, W). With a DCAMSR the result is compared with its lifted attention, too.
    A path starts with 8 steps, and takes more until its sum is off by less than 0.5 %. It has a guided
    tour; ``save_html`` runs the method on screen where none has run.
    Raises InputError, and in a notebook also shows the reason, when they do not fit.
    """
    index, images = choose_slice(pair, slice)
    f = unwrap(f)
    check_pair(pair, f)
    one = pair.take_slice(index)
    parameter = next(f.parameters(), one.lr) if isinstance(f, nn.Module) else one.lr
    lr, ref = one.lr.to(parameter.device), one.ref.to(parameter.device)
    sr = PatchTarget(f, lr, ref, (0, 0, 1, 1)).output.cpu()
    images["output"] = one.restore(sr)[0].float()
    images = {name: images[name] for name in TITLES if name in images}
    side = min(8, *pair.shape)
    explorer = AttributionExplorer(
        (f, lr, ref),
        info=describe_slice(pair, index, images) | _info(f, pair, images),
        images={name: pack(image, "float16") for name, image in images.items()},
        patch=[*((length - side) // 2 for length in pair.shape), side, side],
        tour=tour_attribution(),
    )
    explorer.let_turn(lambda other: explore_attribution(f, pair, other))
    return explorer


def _info(f: Callable, pair: Pair, images: dict[str, Tensor]) -> dict:
    attends = isinstance(f, DCAMSR) and f.config.spatial
    return {
        "title": name_network(f, pair.scale),
        "quality": {n: judge_slice(images, images[n], pair.scale) for n in ("low", "output")},
        "methods": NAMES,
        "attends": attends,
        "levels": [*f.levels] if isinstance(f, DCAMSR) and attends else [],
        "largest": LARGEST_SIDE,
    }
