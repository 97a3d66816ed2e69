"""A long cell shows that it lives, and a finished notebook looks as if it had not."""

from types import SimpleNamespace

import IPython
import IPython.display
import pytest
from helpers import ROOT

from dcamsr_lite import course


@pytest.fixture
def shown(monkeypatch):
    """What a notebook would have on its screen, one picture after the other."""
    pictures = []

    def display(data, raw, display_id=None):
        pictures.append(data)
        return SimpleNamespace(update=display)

    monkeypatch.setattr(IPython, "get_ipython", lambda: "a notebook")
    monkeypatch.setattr(IPython.display, "display", display)
    return pictures


def test_a_bar_grows_and_is_gone_at_the_end(shown):
    assert [*zip(course.watch("ab"), (1, 2), strict=True)] == [("a", 1), ("b", 2)]
    words = [picture["text/plain"] for picture in shown]
    assert words == ["0 of 2", "1 of 2", "2 of 2", ""]
    assert 'value="1" max="2"' in shown[1]["text/html"] and "text/html" not in shown[-1]


def test_a_bar_is_gone_after_an_error_too(shown):
    with pytest.raises(ZeroDivisionError):
        for number in course.watch([1, 0]):
            1 / number
    assert shown[-1] == {"text/plain": ""}


def test_a_built_notebook_keeps_nothing_of_a_bar(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "notebooks"))
    import build
    import nbformat

    kinds = ({"text/plain": ""}, {"text/plain": "a picture"})
    outputs = [nbformat.v4.new_output("display_data", data) for data in kinds]
    cell = nbformat.v4.new_code_cell("", outputs=outputs)
    build.strip(nbformat.v4.new_notebook(cells=[cell]))
    assert [output.data for output in cell.outputs] == [kinds[1]]
