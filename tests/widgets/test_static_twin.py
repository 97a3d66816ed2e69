"""The picture of an explorer without a kernel, and what its saved page weighs."""

import numpy as np
import pytest
from explorers import example, recorded

import dcamsr_lite as dl
from dcamsr_lite.widgets import explore


def test_the_twin_of_a_network_with_offsets_shows_arrows_and_the_map_near_its_query():
    """One orange pixel below the mark of the query was all that it showed; padded by 2 and 2."""
    model, pair = example("aligned")
    explorer, record = explore(model, pair, cuts=False), recorded(model, pair)
    explorer.query, explorer.level = [20, 30], 1
    figure = explorer._draw()
    titled = {axes.get_title().split(",")[0]: axes for axes in figure.axes}
    dots, arrows = titled["Reference"].collections
    near, (left, right) = titled["Attention"], titled["Attention"].get_xlim()
    assert left < 30 < right and right - left == record.windows[1].side + 1
    assert near.lines[-1].get_xydata().tolist() == [[30, 20]]
    columns, rows = dots.get_offsets().data.astype(int).T
    expected = record.displacement(1)[1, rows + 2, columns + 2]
    np.testing.assert_allclose(arrows.U, expected.numpy(), atol=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize("name", dl.weights())
def test_a_saved_page_of_shipped_weights_leaves_room(name, tmp_path):
    """lite-4x-paper's had 38 kB left of 6 MB: half of it are footprints, fixed to one grid."""
    pair = dl.simulated_pair(dl.DEMO_SEED, scale=int(name[5]), slices=2)
    explorer = explore(dl.load(name), pair, tour=True)
    explorer.save_html(tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert len(page.encode()) <= 5.6e6 and "without level" not in page
