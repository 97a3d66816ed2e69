"""What of a map belongs to the query: minus the mean over queries, and its share."""

import json

import pytest
import torch
from helpers import ROOT, awake

import dcamsr_lite as dl


def recorded(model, *images):
    with torch.inference_mode(), dl.trace(model) as record:
        model(*images)
    return record


@pytest.fixture
def padded():
    """36 x 52 pixels, padded to 40 x 56 inside."""
    model = awake(dl.DCAMSR(image_size=64))
    return recorded(model, torch.randn(2, 1, 9, 13), torch.randn(2, 1, 36, 52))


def maps_of(record, level, relative, head=None):
    """Of every query of the second image: (query, row, column)."""
    rows, columns = record.size(level)
    return torch.stack(
        [
            record.lift(level, (row, column), head=head, batch=1, relative=relative)
            for row in range(rows)
            for column in range(columns)
        ]
    )


@pytest.mark.parametrize("level", [2, 4])
@pytest.mark.parametrize("head", [None, 5])
def test_minus_the_mean_over_queries_leaves_nothing_in_common(padded, level, head):
    columns = padded.size(level)[1]
    maps = maps_of(padded, level, "queries", head)
    assert float(maps.mean(0).abs().max()) < 1e-4 * float(maps.abs().max())
    absolute = padded.lift(level, (3, 4), head=head, batch=1)
    common = absolute - maps[3 * columns + 4]
    other = padded.lift(level, (0, 1), head=head, batch=1) - maps[1]
    torch.testing.assert_close(common, other, atol=1e-5, rtol=1e-4)


def test_the_share_is_0_where_all_queries_agree_and_1_where_they_share_nothing(padded):
    one = torch.randn(64).softmax(0)
    padded.spatial[4] = one.expand(2, 8, 10 * 14, 64)
    assert padded.own_share(4).tolist() == pytest.approx([0, 0], abs=1e-6)
    padded.spatial[4] = torch.full((2, 8, 10 * 14, 64), 1 / 64)
    assert bool(padded.own_share(4).isnan().all())  # uniform: no difference to share
    own = 0.01 * torch.randn(2, 8, 10 * 14, 64)
    inside = own.view(2, 8, 10, 14, 64)[:, :, :9, :13]
    own = own - inside.mean((2, 3)).unsqueeze(2)
    padded.spatial[4] = 1 / 64 + own
    assert padded.own_share(4, head=2).tolist() == pytest.approx([1, 1], abs=1e-4)
    common = 0.01 * torch.randn(2, 8, 1, 64)
    padded.spatial[4] = 1 / 64 + own + common
    maps = {how: maps_of(padded, 4, how) for how in (True, "queries")}
    expected = maps["queries"].square().sum() / maps[True].square().sum()
    assert float(padded.own_share(4)[1]) == pytest.approx(float(expected), rel=1e-3)


def test_what_the_padding_asks_does_not_count(padded):
    before = padded.own_share(1)
    padded.spatial[1] = padded.spatial[1].clone()
    padded.spatial[1][:, :, -56 * 4 :] = torch.eye(64)[0]  # four rows below the image
    torch.testing.assert_close(padded.own_share(1), before)


def test_minus_uniform_is_not_the_querys_own_part():
    """The tour and notebook 04 said that it was. At one level nearly all of it is every query's."""
    pair = dl.simulated_pair(dl.DEMO_SEED, scale=4, slices=1)
    record = recorded(dl.load("lite-4x-corrected").eval(), pair.lr, pair.ref)
    level = min((1, 2, 4), key=lambda n: float(record.own_share(n)))
    assert float(record.own_share(level)) < 0.2
    side = 128 // level
    few = torch.randperm(side**2, generator=torch.Generator().manual_seed(0))[:12].tolist()

    def alike(relative):
        at = [divmod(one, side) for one in few]
        maps = torch.stack([record.lift(level, q, relative=relative).flatten() for q in at])
        return float(torch.corrcoef(maps)[tuple(torch.triu_indices(12, 12, 1))].mean())

    assert alike(True) > 0.7 > 0.3 > alike("queries")


def test_tour_and_notebook_say_which_part_is_shown():
    tour = json.loads((ROOT / "dcamsr_lite/widgets/tours.json").read_text("utf-8"))["attention"]
    assert any(step.get("relative") == "queries" for step in tour)
    assert not any("every query shares is taken away" in step["text"] for step in tour)
    source = (ROOT / "notebooks/source/04_attention_microscope.py").read_text("utf-8")
    assert "record.own_share(" in source and '"queries"' in source


def test_the_most_telling_head_is_the_one_whose_maps_depend_on_the_query():
    model = dl.DCAMSR(scale=4, image_size=32, variant="corrected")
    images = torch.rand(1, 1, 8, 8), torch.rand(1, 1, 32, 32)
    with dl.trace(model) as record:
        model(*images)
    for level, attention in record.spatial.items():
        attention.fill_(1 / attention.shape[-1])
        if level == 2:  # one head of one level: every other query reads another token
            attention[:, 6] = 0
            attention[:, 6, ::2, 0] = attention[:, 6, 1::2, 1] = 1
    assert record.find_most_telling() == (2, 6, 0.5)
    record.spatial[2].fill_(1 / record.spatial[2].shape[-1])
    assert record.find_most_telling() == (1, None, 0)
