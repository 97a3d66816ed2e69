"""A sign of life of cells that take long: a bar while they run, nothing when they are done."""

from collections.abc import Iterator
from typing import TypeVar

T = TypeVar("T")


class watch(list[T]):  # noqa: N801
    """A list; who walks through it in a notebook sees a bar, which is gone at the end.

    >>> [2 * n for n in watch(range(3))]
    [0, 2, 4]

    A finished notebook looks as if there had been none: not so with lines that are printed, nor with
    bars on the error stream or of a widget.
    """

    def __iter__(self) -> Iterator[T]:
        from IPython import get_ipython
        from IPython.display import display

        if get_ipython() is None:
            yield from super().__iter__()
            return
        handle = display(_draw_bar(0, len(self)), raw=True, display_id=True)
        try:
            for done, item in enumerate(super().__iter__(), 1):
                yield item
                handle.update(_draw_bar(done, len(self)), raw=True)
        finally:
            handle.update({"text/plain": ""}, raw=True)


def _draw_bar(done: int, count: int) -> dict[str, str]:
    words = f"{done} of {count}"
    bar = f'<progress value="{done}" max="{count}" aria-label="done"></progress> {words}'
    return {"text/html": bar, "text/plain": words}
