"""Images compared: the line, the magnifier, the picture of both."""

import pytest
import torch
from traitlets import TraitError

import dcamsr_lite as dl
from dcamsr_lite.errors import InputError
from dcamsr_lite.figures import draw_magnified

ROOT = "document.querySelector('.dcamsr-explorer').explorer"


def ramp(rows=48, columns=40):
    return torch.arange(rows * columns, dtype=torch.float32).view(rows, columns) / (rows * columns)


def images():
    return {"low": torch.zeros(48, 40), "middle": ramp() / 2, "high": ramp()}


@pytest.mark.parametrize(
    "wrong, options, found",
    [
        ({"one": ramp()}, {}, "two or more"),
        ({"one": ramp(), "two": ramp(40, 48)}, {}, "of one shape"),
        ({"one": ramp()[None], "two": ramp()[None]}, {}, "row, column"),
        (images(), {"point": (48, 0)}, "a pixel of 48 x 40"),
    ],
)
def test_what_cannot_be_compared_is_refused(wrong, options, found):
    with pytest.raises(InputError, match=found):
        dl.compare_images(wrong, **options)


def test_what_is_not_there_cannot_be_set():
    explorer = dl.compare_images(images())
    for trait, value in {"left": "none", "point": [0, 40], "at": 1.5}.items():
        with pytest.raises(TraitError):
            setattr(explorer, trait, value)


def test_the_picture_shows_the_part_around_the_point_on_one_scale():
    figure = draw_magnified(images(), (3, 20), 5)
    assert [axes.get_title() for axes in figure.axes] == ["low", "middle", "high", "", "", ""]
    shown = [axes.images[0] for axes in figure.axes]
    assert {image.get_clim() for image in shown} == {(0, float(ramp().max()))}
    part = torch.from_numpy(shown[5].get_array().data)
    assert torch.equal(part, ramp()[0:10, 15:25])  # moved into the image


def test_line_and_magnifier_answer_pointer_and_keys(opened):
    page = opened(dl.compare_images(images(), point=(20, 20)))
    frame = page.locator(".mx-frame")
    box = frame.bounding_box()
    page.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + box["height"] * 0.5)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.25, box["y"] + box["height"] * 0.5)
    page.mouse.up()
    assert page.evaluate(f"{ROOT}.state.at") == pytest.approx(0.25, abs=0.01)
    page.get_by_label("Line between the two images").press("ArrowRight")
    assert page.evaluate(f"{ROOT}.state.at") == pytest.approx(0.26, abs=0.011)
    page.get_by_label("Left: middle").check()
    assert page.locator(".mx-name").all_text_contents() == ["middle", "high"]
    before = page.evaluate(f"{ROOT}.state.point")
    frame.press("Shift+ArrowDown")
    assert page.evaluate(f"{ROOT}.state.point") == [min(before[0] + 8, 47), before[1]]
    row, column = page.evaluate(f"{ROOT}.state.point")
    top, left = min(max(row - 14, 0), 20), min(max(column - 14, 0), 12)
    lens = torch.tensor(page.evaluate(f"[...{ROOT}.lens('high')]"))
    torch.testing.assert_close(lens.view(28, 28), ramp()[top : top + 28, left : left + 28])
