"""Who reads a pixel of the reference, and what a map is worth by its values: both exact."""

import itertools

import pytest
import torch
from helpers import awake

import dcamsr_lite as dl

ALL = {
    "footprints": {},
    "released": {"variant": "released", "image_size": (24, 40)},
    "window": {"spatial_attention": "window"},
    "aligned": {"variant": "aligned"},
}


def recorded(name):
    """22 x 36 pixels, padded to 24 x 40 inside; two images."""
    torch.manual_seed(0)
    options = {"image_size": 32, "channels": 8, "heads": 2, "tokens": 9} | ALL[name]
    model = awake(dl.DCAMSR(scale=2, **options))
    with torch.inference_mode(), dl.trace(model) as record:
        model(torch.randn(2, 1, 11, 18), torch.randn(2, 1, 22, 36))
    return record


@pytest.mark.parametrize("name", ALL)
def test_the_readers_of_a_pixel_are_what_the_map_of_each_query_has_there(name):
    record, level = recorded(name), 2
    rows, columns = record.size(level)
    # in a window the border stands in for what is outside
    queries = [(0, 0), (0, 2), (1, columns - 1), (rows - 1, columns - 2), (4, 7), (5, 9)]
    pixels = [(0, 0), (rows - 1, columns - 1), (4, 8)]
    by_value = (False, True) if name != "released" else (False,)
    for head, relative, by in itertools.product((None, 1), (True, False, "queries"), by_value):
        asked = {"head": head, "batch": 1, "relative": relative, "by_value": by}
        maps = torch.stack([record.lift(level, query, **asked) for query in queries])
        for row, column in pixels:
            found = record.find_readers(level, (row, column), **asked)
            assert found.shape == (rows, columns)
            found = torch.stack([found[query] for query in queries])
            limit = float(maps.abs().max())
            torch.testing.assert_close(found, maps[:, row, column], atol=1e-5 * limit, rtol=1e-4)


@pytest.mark.parametrize("name", ["footprints", "window"])
def test_by_value_is_the_length_of_what_one_pixel_brings_through_one_head(name):
    """All other values are zero, in the branch itself: its output is this pixel's, and the bias."""
    record, level, query, pixel = recorded(name), 2, (5, 8), (6, 7)
    block, grid = record.model.levels[level].attention, record.grids[level]
    token, at = (row * grid[1] + column for row, column in (pixel, query))
    seen, images = [], (torch.randn(1, 1, 11, 18), torch.randn(1, 1, 22, 36))
    hook = block.spatial.register_forward_pre_hook(lambda _, given: seen.append(given))
    with hook, torch.inference_mode(), dl.trace(record.model) as record:
        record.model(*images)
    q, k, v, _ = seen[0]
    alone = torch.zeros_like(v)
    alone[:, 1, token] = v[:, 1, token]
    with torch.inference_mode():
        out = [
            block.spatial_out(block.spatial(q, k, values, grid, explicit=True))[0, at]
            for values in (alone, torch.zeros_like(v))
        ]
    shown = record.lift(level, query, head=1, by_value=True)[pixel]
    assert float(shown.abs()) == pytest.approx(float((out[0] - out[1]).norm()), rel=1e-3)


def test_what_is_torn_apart_or_not_there_is_refused():
    record = recorded("released")
    for ask in (record.lift, record.find_readers):
        with pytest.raises(LookupError, match="the released merge writes"):
            ask(2, (1, 1), by_value=True)
    with pytest.raises(IndexError, match="outside of the 11 x 18 of level 2"):
        record.find_readers(2, (11, 0))
    with pytest.raises(LookupError, match="nothing recorded at level 3"):
        record.find_readers(3, (0, 0))
