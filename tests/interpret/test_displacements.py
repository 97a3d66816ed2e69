"""Words, signs and numbers of a moved reference: where its content is, and what finds it."""

import pytest
import torch

import dcamsr_lite as dl
from dcamsr_lite.interpret.displacements import choose_places, judge_offsets, plant
from dcamsr_lite.interpret.interventions import Intervention, edit

MOVES = [
    Intervention(shift=(1.5, -2)),
    Intervention(rotate=3),
    Intervention(rotate=-2.5),
    Intervention(shift=(-3, 1), rotate=-3),
]


@pytest.mark.parametrize("shape", [(48, 64), (45, 37)])
@pytest.mark.parametrize("move", MOVES, ids=str)
def test_a_spot_of_the_reference_lands_where_it_is_planted(shape, move):
    row, column = (torch.arange(n, dtype=torch.float32) for n in shape)
    for place in ((14, 20), (30, 12)):
        away = (row[:, None] - place[0]).square() + (column - place[1]).square()
        spot = (-away / 8).exp()
        moved = edit(dl.load_pair(spot[None], spot[None], 4), 0, move).reference_image[0]
        share = moved / moved.sum()
        landed = torch.stack([(share.sum(1) * row).sum(), (share.sum(0) * column).sum()])
        planted = plant(torch.tensor([place]), shape, move)[0]
        torch.testing.assert_close(landed, torch.tensor(place) + planted, rtol=0, atol=0.02)


def test_words_and_signs_agree():
    place = torch.tensor([[32, 60]])  # right of the middle
    down, right = plant(place, (65, 65), Intervention(shift=(2, 3)))[0]
    assert (down, right) == (2, 3)
    assert str(Intervention(shift=(2, 3))) == "reference shifted 2 px down and 3 px right"
    down, _ = plant(place, (65, 65), Intervention(rotate=3))[0]
    assert down < -1.4  # counter-clockwise: what is on the right goes up


@pytest.mark.parametrize("move", MOVES, ids=str)
def test_what_is_found_is_judged_against_what_was_planted(move):
    shape = (64, 64)
    places = choose_places(torch.ones(shape))
    offsets = plant(places, shape, move)
    found = judge_offsets(places, offsets, move, shape)
    assert found.off == 0
    assert (found.down, found.right) == pytest.approx(move.shift, abs=0.01)
    assert found.turn == pytest.approx(move.rotate, rel=0.01)
    beside = judge_offsets(places, offsets + torch.tensor([0.3, -0.4]), move, shape)
    assert beside.off == pytest.approx(0.5)
    assert beside.down == pytest.approx(move.shift[0] + 0.3, abs=0.01)
    assert beside.right == pytest.approx(move.shift[1] - 0.4, abs=0.01)


def test_air_has_no_places():
    image = torch.zeros(32, 32)
    assert judge_offsets(choose_places(image - 1), torch.zeros(0, 2), MOVES[0], (32, 32)) is None
    image[:, 16:] = 1
    assert choose_places(image)[:, 1].unique().tolist() == [20, 28]
