"""Attention to a few pixels around each place, in the attention explorer."""

import numpy as np
import torch
from explorers import ROOT, example, recorded

from dcamsr_lite.widgets import explore

SEEN = """() => {
  const paints = [...document.querySelectorAll(".dx-tile canvas")].map((canvas) => {
    const { width, height } = canvas;
    const data = canvas.getContext("2d").getImageData(0, 0, width, height).data;
    // orange beyond blue, as far as it is laid on
    const light = ([red, , blue, opacity]) => (red - blue) * opacity;
    const lit = Array.from({ length: width * height }, (_, i) => light(data.slice(4 * i, 4 * i + 4)));
    return [width, height, lit.indexOf(Math.max(...lit))];
  });
  return paints;
}"""


def test_a_tile_shows_what_the_window_reaches_and_where_the_largest_weight_lies(opened):
    """On a tile of the whole image it would be a pixel under the mark."""
    model, pair = example("aligned")
    explorer = explore(model, pair, cuts=False)
    explorer.query, explorer.level, explorer.side_by_side = [30, 25], 2, True
    page, record = opened(explorer), recorded(model, pair)
    side = record.windows[2].side
    tiles = page.evaluate(SEEN)
    assert len(tiles) == 9 and {(w, h) for w, h, _ in tiles} == {(side, side)}
    lifted = explorer.lift().numpy()
    corner = [x // 2 - side // 2 for x in (30 + 2, 25 + 2)]  # padded by 2, 2
    row, column = np.unravel_index(lifted.argmax(), lifted.shape)
    assert tiles[-1][2] == (row - corner[0]) * side + column - corner[1]
    page.get_by_label("View: all heads of all levels").check(force=True)
    widths = [width for width, _, _ in page.evaluate(SEEN)]
    assert widths == [record.windows[level].side for level in (1, 2, 4) for _ in range(9)]
    assert page.locator(".dx-near").first.bounding_box()["width"] < 250


def test_the_map_of_one_place_opens_where_it_is_asked_for(opened):
    model, pair = example("aligned")
    page = opened(explore(model, pair, cuts=False))
    whole = page.locator(".dx-map")
    assert not whole.is_visible()
    page.get_by_label("Pixel: which queries read this pixel").check(force=True)
    assert whole.is_visible()
    page.get_by_label("Pixel: what the query").check(force=True)
    assert not whole.is_visible()
    page.locator(".dx-first summary").click()
    page.get_by_label("Level: level 2").check(force=True)
    assert whole.is_visible()  # opened by a reader it stays so
    assert torch.isfinite(torch.tensor(page.evaluate(f"[...{ROOT}.numbers().values]"))).all()
