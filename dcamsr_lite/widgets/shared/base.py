"""What every explorer shares: a widget with a static twin, a page of its own, and a guided tour.

>>> Explorer(message="nothing to show")
nothing to show
"""

import base64
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import anywidget
import numpy as np
from torch import Tensor
from traitlets import Dict, Int, List, TraitError, Unicode, observe, validate

from ...errors import InputError, atomic_path
from ...figures import CELL_COLOURS, render_png
from ...panels import default_style, lay_out
from .static import exported, page, script, style

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SYNC = {"sync": True}
PRINTED = {".png": "Software", ".svg": "Date", ".pdf": "CreationDate"}  # what each writes of itself


class Explorer(anywidget.AnyWidget):
    """A widget that also shows as a picture and saves as a page. ``message`` says why it is empty.

    >>> Explorer(message="nothing to show").png()[:4]
    b'\\x89PNG'

    ``info`` and ``images`` are what is shown, packed. ``tour`` is a list of steps, each a dict of a
    ``text`` and the traits that the step sets: ``[{"text": "Look here.", "query": [3, 5]}]``. A child
    names its script in ``_esm`` (static.script), its style in ``_css`` (static.style), in ``_kept`` the
    traits that a page keeps, and in ``_held`` those that it holds besides; ``_draw`` is its picture.
    ``slice`` is the one on screen: where ``let_turn`` was called, setting it shows another.
    """

    _esm = script()
    _css = style()
    _ipython_display_ = None  # that of ipywidgets 7 would show the widget without its picture
    _kept: tuple[str, ...] = ()
    _held: tuple[str, ...] = ()

    info = Dict().tag(**SYNC)
    images = Dict().tag(**SYNC)
    message = Unicode().tag(**SYNC)
    slice = Int(0).tag(**SYNC)
    tour = List(Dict()).tag(**SYNC)

    @validate("tour")
    def _can_be_walked(self, proposal):
        for number, step in enumerate(proposal["value"], 1):
            if not isinstance(step.get("text"), str):
                raise TraitError(f"step {number} of the tour has no text: {step}")
            if unknown := sorted(set(step) - {"text", *self._kept}):
                known = ", ".join(self._kept)
                raise TraitError(f"step {number} of the tour sets {unknown}, expected {known}")
        return proposal["value"]

    _of_slice: tuple[str, ...] = ()  # traits and attributes that belong to a slice, beside images
    _reopen: "Callable[[int], Explorer] | None" = None

    def let_turn(self, reopen: "Callable[[int], Explorer]") -> None:
        """Show other slices, too: those that ``reopen`` opens by their number.

        >>> explorer = Explorer(message="nothing to show")
        >>> explorer.let_turn(lambda index: Explorer())
        >>> explorer.slice
        0
        """
        self._reopen = reopen
        if self.info:
            self.info = self.info | {"turns": True}
            self.slice = self.info["slice"]

    @validate("slice")
    def _can_be_turned(self, proposal):
        value, count = proposal["value"], self.info.get("slices", 1)
        if self.info and value != self.info.get("slice"):
            if self._reopen is None:
                raise TraitError(f"slice {value}: this explorer holds one slice")
            if not 0 <= value < count:
                raise TraitError(f"slice {value} is not there, expected 0 to {count - 1}")
        return value

    @observe("slice")
    def _turn(self, _) -> None:
        """The reader's place stays; what belongs to the slice is that of a new explorer."""
        if self._reopen is None or self.slice == self.info.get("slice", self.slice):
            return
        try:
            other = self._reopen(self.slice)
        except InputError as error:  # a blank slice, say: the one on screen stays, with the reason
            with self.hold_sync():
                self.info = self.info | {"refused": str(error)}
                self.slice = self.info["slice"]
            raise
        for name in self._kept:
            with suppress(TraitError):  # a place that the other slice does not have
                setattr(other, name, getattr(self, name))
        with self.hold_sync():  # the page is built anew once, with all of it
            for name in (*self._of_slice, "images"):
                setattr(self, name, getattr(other, name))
            self.info = other.info | {"turns": True}

    def __repr__(self) -> str:
        name = type(self).__name__
        return f"{name}: {self.info['title']}" if self.info else self.message or f"{name}: empty"

    def _repr_mimebundle_(self, **kwargs):
        from IPython import get_ipython
        from IPython.display import display

        data, metadata = super()._repr_mimebundle_(**kwargs)  # type: ignore[misc]
        twin = {"image/png": picture} if (picture := self._twin()) else {}
        if picture and get_ipython() is not None:  # in front, for a page that nbconvert will make
            display({"text/html": exported(repr(self), picture), "text/plain": ""}, raw=True)
        return data | twin | {"text/plain": repr(self)}, metadata

    def _twin(self) -> str:
        """The picture in base64; none where it cannot be drawn, for the widget shows without it."""
        try:
            return base64.b64encode(self.png()).decode()
        except Exception as error:  # matplotlib of this kernel: its fonts, its settings, its memory
            warnings.warn(f"no picture of {self!r}: {error}", stacklevel=3)
            return ""

    def png(self) -> bytes:
        """The static twin, for readers without a kernel: what is on screen, or why nothing is.

        >>> Explorer(message="nothing to show").png()[:4]
        b'\\x89PNG'

        In 256 colours, for every page and cell carries it; ``save_figure`` has them all.
        """
        with default_style():
            figure = self._draw() if self.info else draw_words(repr(self))
            return render_png(figure, colours=CELL_COLOURS)

    def save_figure(self, path: str | Path, dpi: int = 300) -> None:
        """Write the view on screen for print, by the path's ending: .png, .svg, .pdf; atomic.

        >>> Explorer(message="nothing to show").save_figure("empty.pdf")
        >>> Path("empty.pdf").read_bytes()[:4]
        b'%PDF'

        ``.npy`` is the map or image on screen alone, ``.npz`` it with the other images, by name.
        ``dpi`` is that of pixels. Raises InputError for another ending, where there is no map, and
        when it cannot be written.
        """
        ending = Path(path).suffix.lower()
        arrays = self._arrays() if self.info else {}
        if ending not in (*PRINTED, ".npy", ".npz"):
            raise InputError(str(path), repr(ending), f"one of {', '.join(PRINTED)}, .npy, .npz")
        if ending not in PRINTED and not arrays:
            raise InputError(str(path), f"no map in {self!r}", f"one of {', '.join(PRINTED)}")
        with atomic_path(path) as temporary, default_style(), temporary.open("wb") as file:
            if ending == ".npy":
                np.save(file, next(iter(arrays.values())).numpy())
            elif ending == ".npz":
                held: dict[str, Any] = {name: array.numpy() for name, array in arrays.items()}
                np.savez(file, **held)
            else:
                self._print(file, ending, dpi)

    def _print(self, file: IO[bytes], ending: str, dpi: int) -> None:
        from matplotlib import rc_context

        figure = self._draw() if self.info else draw_words(repr(self))
        with rc_context({"svg.hashsalt": "dcamsr"}):  # the same view gives the same file
            figure.savefig(file, format=ending[1:], dpi=dpi, metadata={PRINTED[ending]: None})

    def _arrays(self) -> dict[str, Tensor]:
        """What is on screen as numbers, the map or image first; none where there is no such thing."""
        return {}

    def state(self, picture: str | None = None) -> dict:
        """What a saved page holds beside its ``picture``, which is drawn where it is not given.

        >>> sorted(Explorer(message="nothing to show").state())
        ['images', 'info', 'message', 'tour']
        """
        names = ("info", "images", "message", "tour", *self._kept, *self._held)
        return {name: getattr(self, name) for name in names}

    def _fit(self, states: Iterable[dict], limit: float, picture: str | None) -> dict:
        """The first of ever smaller states whose page is small enough, or the last."""
        picture = self._twin() if picture is None else picture
        for state in states:
            if len(page(state, self._esm, self._css, picture)) <= limit:
                break
        return state

    def save_html(self, path: str | Path) -> None:
        """Write one page that shows the explorer anywhere: no kernel, no network. Atomic.

        >>> Explorer(message="nothing to show").save_html("empty.html")
        >>> Path("empty.html").read_text(encoding="utf-8")[:15]
        '<!doctype html>'

        Raises InputError when it cannot be written.
        """
        with atomic_path(path) as temporary:
            picture = self._twin()  # once: it takes as long as all the rest
            temporary.write_bytes(page(self.state(picture), self._esm, self._css, picture))


def draw_words(words: str) -> "Figure":
    """A picture of words, where there is nothing else to draw.

    >>> draw_words("nothing to show").texts
    [Text(0.5, 0.5, 'nothing to show')]
    """
    figure, (axes,) = lay_out(1)
    axes.axis("off")
    figure.text(0.5, 0.5, words, ha="center", wrap=True)
    return figure


@contextmanager
def show_reason(two: str = "model and pair") -> Iterator[None]:
    """In a notebook, also show the reason why there is nothing to explore; always an InputError.

    >>> with show_reason():
    ...     raise ValueError("a token projection for 32 x 32")
    Traceback (most recent call last):
    ...
    dcamsr_lite.errors.InputError: model and pair: found a token projection for 32 x 32; expected two
    that fit each other
    """
    from IPython import get_ipython
    from IPython.display import display

    try:
        yield
    except ValueError as error:
        if get_ipython() is not None:
            display(Explorer(message=str(error)))
        if isinstance(error, InputError):
            raise
        raise InputError(two, str(error), "two that fit each other") from error
