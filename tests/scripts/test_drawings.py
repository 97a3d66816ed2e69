"""The drawings that are made by scripts: every word of them can be read."""

from pathlib import Path

import pytest
from helpers import ROOT

DRAWINGS = sorted([*ROOT.glob("assets/figures/*.svg"), *ROOT.glob("docs/*.svg")])
OUTSIDE = r"""() => {
  const over = (inner, outer) => inner.left < outer.left - 1 || inner.right > outer.right + 1
    || inner.top < outer.top - 1 || inner.bottom > outer.bottom + 1;
  const boxes = [...document.querySelectorAll("rect")].map((box) => box.getBoundingClientRect());
  const area = (box) => box.width * box.height;
  const words = [...document.querySelectorAll("text")].filter((text) => !/^\d$/.test(text.textContent));
  return words.filter((text) => {  // the numbers are marks on the edge of a box
    const place = text.getBoundingClientRect();
    const x = (place.left + place.right) / 2, y = (place.top + place.bottom) / 2;
    const around = boxes
      .filter((box) => box.left < x && x < box.right && box.top < y && y < box.bottom)
      .sort((one, other) => area(one) - area(other));
    return over(place, around[0]);
  }).map((text) => text.textContent);
}"""


@pytest.mark.parametrize("drawing", DRAWINGS, ids=lambda path: path.stem)
def test_every_word_lies_in_its_box_and_in_the_drawing(browser, drawing: Path):
    page = browser.new_page(viewport={"width": 1120, "height": 800})
    page.set_content(drawing.read_text(encoding="utf-8"))
    assert page.locator("text").count() > 5
    outside = page.evaluate(OUTSIDE)
    page.close()
    assert outside == []
