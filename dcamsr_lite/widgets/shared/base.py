"""What every explorer shares: a widget with a static twin, a page of its own, and a guided tour.

>>> Explorer(message="nothing to show")
nothing to show
"""

import base64
from pathlib import Path

import anywidget
from traitlets import Dict, List, TraitError, Unicode, validate

from ...errors import atomic_path
from .static import page, picture, script, style

SYNC = {"sync": True}


class Explorer(anywidget.AnyWidget):
    """A widget that also shows as a picture and saves as a page. ``message`` says why it is empty.

    >>> Explorer(message="nothing to show").png()[:4]
    b'\\x89PNG'

    ``info`` and ``images`` are what is shown, packed. ``tour`` is a list of steps, each a dict of a
    ``text`` and the traits that the step sets: ``[{"text": "Look here.", "query": [3, 5]}]``. A child
    names its script in ``_esm`` (static.script), its style in ``_css`` (static.style), and in ``_kept``
    the traits that a page keeps.
    """

    _esm = script()
    _css = style()
    _ipython_display_ = None  # that of ipywidgets 7 would show the widget without its picture
    _kept: tuple[str, ...] = ()

    info = Dict().tag(**SYNC)
    images = Dict().tag(**SYNC)
    message = Unicode().tag(**SYNC)
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

    def __repr__(self) -> str:
        name = type(self).__name__
        return f"{name}: {self.info['title']}" if self.info else self.message or f"{name}: empty"

    def _repr_mimebundle_(self, **kwargs):
        data, metadata = super()._repr_mimebundle_(**kwargs)
        twin = {"image/png": base64.b64encode(self.png()).decode(), "text/plain": repr(self)}
        return data | twin, metadata

    def png(self) -> bytes:
        """The static twin, for readers without a kernel.

        >>> Explorer(message="nothing to show").png()[:4]
        b'\\x89PNG'
        """
        return picture({}, {}, None, (0, 0), repr(self))

    def state(self) -> dict:
        """What a saved page holds.

        >>> sorted(Explorer(message="nothing to show").state())
        ['images', 'info', 'message', 'tour']
        """
        names = ("info", "images", "message", "tour", *self._kept)
        return {name: getattr(self, name) for name in names}

    def save_html(self, path: str | Path) -> None:
        """Write one page that shows the explorer anywhere: no kernel, no network. Atomic.

        >>> Explorer(message="nothing to show").save_html("empty.html")

        Raises InputError when it cannot be written.
        """
        with atomic_path(path) as temporary:
            temporary.write_bytes(page(self.state(), self._esm, self._css))


def show_reason(message: str) -> None:
    """In a notebook, show why there is nothing to explore, beside the exception that says the same.

    >>> show_reason("there is no spatial attention")
    """
    from IPython import get_ipython
    from IPython.display import display

    if get_ipython() is not None:
        display(Explorer(message=message))
