"""What a course shows: its report, and the pictures beside an attempt."""

import pytest
import torch

from dcamsr_lite import course


def test_the_report_says_what_a_question_needs(capsys):
    course.check("kspace.noise", ...)
    course.report()
    shown = capsys.readouterr().out
    for word in ("torch", "numpy", "device", "GB at most", "minutes", "checks", "clinical"):
        assert word in shown


def test_pictures_have_colour_bars_with_numbers_and_words(capsys):
    figure = course.picture({"a": torch.rand(4, 4), "b": torch.rand(4, 4)}, shared=True)
    limits = {axes.images[0].get_clim() for axes in figure.axes if axes.images}
    assert len(limits) == 1
    figure.canvas.draw()
    bars = [axes for axes in figure.axes if axes.get_label() == "<colorbar>"]
    assert len(bars) == 1  # one scale: one bar
    each = course.picture({"a": torch.rand(4, 4), "b": torch.rand(4, 4)})
    assert len([axes for axes in each.axes if axes.get_label() == "<colorbar>"]) == 2
    assert all(len(bar.get_yticklabels()) > 1 for bar in bars)
    with pytest.raises(ValueError, match="alt is empty"):
        course.show({"a": torch.rand(4, 4)}, alt=" ")
    with pytest.raises(ValueError, match="expected one of"):
        course.picture({"a": torch.rand(4, 4)}, kind="jet")
