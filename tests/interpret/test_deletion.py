"""Deletion tells what a map knows from chance and rulers; shares are those of what is explained."""

import math

import pytest
import torch

from dcamsr_lite.interpret.attribution import Attribution, blur_path
from dcamsr_lite.interpret.deletion import (
    Deletion,
    deletion_curve,
    draw_orders,
    edges,
    nearness,
)


def images(seed=0):
    generator = torch.Generator().manual_seed(seed)
    return (torch.rand(1, 1, side, side, generator=generator) for side in (8, 32))


def around(lr, ref):
    """Each pixel depends on its own 5 x 5 pixels of the reference, unevenly."""
    return torch.nn.functional.avg_pool2d(ref.abs().sqrt(), 5, stride=1, padding=2)


@pytest.mark.parametrize("patch", [(12, 16, 4, 4), (4, 6, 3, 5)])
def test_the_early_score_tells_what_matters_from_chance_where_the_area_does_not(patch):
    lr, ref = images()
    found = blur_path(around, lr, ref, patch, steps=8).result()

    def judge(order):
        return deletion_curve(around, lr, ref, patch, order).result()

    known, chance = judge(found.ref), [judge(order) for order in draw_orders((32, 32))]
    early = [one.early for one in chance]
    assert known.early > 1.2 * max(early) and known.early > 2 * sorted(early)[5]
    # what was shown before: the best chance comes within a third of the attribution's area
    assert max(one.area for one in chance) > 0.66 * known.area
    assert judge(nearness((32, 32), patch)).early > max(early)  # a ruler does it as well


def test_the_early_score_by_hand():
    assert Deletion((0.1, 1.0), (1.0, 1.0)).early == pytest.approx(0.5)
    assert Deletion((0.05, 0.1, 1.0), (2.0, 2.0, 2.0)).early == pytest.approx(0.75)
    assert Deletion((0.5, 1.0), (2.0, 4.0)).early == pytest.approx(0.05)  # a tenth is interpolated
    assert math.isnan(Deletion((0.1, 1.0), (0.0, 0.0)).early)


def test_chance_is_drawn_anew_each_time_and_alike_in_each_run():
    one, other = draw_orders((5, 7), 6), draw_orders((5, 7), 6)
    assert len({float(order[0, 0]) for order in one}) == 6
    assert all(torch.equal(a, b) for a, b in zip(one, other, strict=True))


def test_edges_are_where_the_reference_changes():
    ref = torch.zeros(1, 1, 16, 16)
    ref[..., 8:] = 1
    row = edges(ref)[8]
    assert float(row[[7, 8]].min()) > 5 * float(row[[4, 11]].max())  # at the step, not beside it


def attributed(lr, ref, value):
    maps = (torch.tensor(x).view(1, -1) for x in (lr, ref))
    return Attribution("by hand", "mean", (0, 0, 1, 1), *maps, value, 0.0)


def test_signed_sums_are_the_share_of_what_is_explained():
    found = attributed([2.0, 1.0], [3.0, -2.0], 4.0)  # as much cancels on the reference as is left
    assert found.net_share == pytest.approx(0.25)
    assert found.share_of_reference == pytest.approx(5 / 8)
    against = attributed([5.0, 0.0], [-1.0, 0.0], 4.0)
    assert against.net_share == pytest.approx(-0.25)


@pytest.mark.parametrize("value", [3.0, 5.0, 0.0])
def test_maps_that_do_not_add_up_are_no_shares(value):
    found = attributed([2.0, 1.0], [3.0, -2.0], value)
    assert not found.is_complete and math.isnan(found.net_share)
