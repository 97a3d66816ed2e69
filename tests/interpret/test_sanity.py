"""The sanity check: weights are drawn anew part by part, and a map that does not care is found out."""

import math

import pytest
import torch
from torch import nn

from dcamsr_lite.errors import InputError
from dcamsr_lite.interpret.attribution import blur_path
from dcamsr_lite.interpret.sanity import compare_maps, compare_randomised, list_parts, randomise
from dcamsr_lite.network.model import DCAMSR


def network():
    torch.manual_seed(0)
    return DCAMSR(scale=4, image_size=16, channels=8, heads=2).eval().requires_grad_(False)


def test_parts_go_from_the_output_to_the_input_and_hold_all_weights():
    parts = list_parts(model := network())
    assert [name for name, _ in parts][::5] == ["last", "encoder"]
    counted = sum(p.numel() for _, part in parts for p in part.parameters())
    assert counted == sum(p.numel() for p in model.parameters())


def test_ever_more_is_drawn_anew_and_the_network_itself_is_not_touched():
    model = network()
    before = {name: weights.clone() for name, weights in model.state_dict().items()}
    changed = []
    for name, copy in randomise(model):
        now = copy.state_dict()
        changed.append({k.split(".")[0] for k in before if not torch.equal(before[k], now[k])})
        same = [w for k, w in now.items() if k.startswith("encoder")]
        assert name == "encoder" or all(
            map(torch.equal, same, [before[k] for k in before if k.startswith("encoder")])
        )
    assert changed[0] == {"last"} and changed[-1] == {"last", "decoder", "transformers", "encoder"}
    assert all(a <= b for a, b in zip(changed, changed[1:], strict=False))
    assert all(torch.equal(before[k], w) for k, w in model.state_dict().items())


def test_weights_drawn_anew_keep_their_size():
    layer = nn.Sequential(nn.Linear(200, 50))
    ((_, copy),) = randomise(layer)
    for old, new in zip(layer.parameters(), copy.parameters(), strict=True):
        assert new.std().item() == pytest.approx(old.std().item(), rel=0.25)


def test_an_attribution_depends_on_the_weights_and_edges_do_not():
    """A trained network is stood for by one that copies the reference, shifted: its map is known."""

    class Shift(nn.Module):
        def __init__(self):
            super().__init__()
            self.one = nn.Conv2d(1, 1, 5, padding=2, bias=False)
            self.two = nn.Conv2d(1, 1, 5, padding=2, bias=False)
            for layer in (self.one, self.two):
                layer.weight.data.zero_()
                layer.weight.data[0, 0, 1, 2] = 1.0  # each moves it down by one row

        def forward(self, lr, ref):
            return self.two(self.one(ref))

    generator = torch.Generator().manual_seed(0)
    lr, ref = (torch.rand(1, 1, side, side, generator=generator) for side in (6, 24))
    patch = (10, 10, 2, 2)
    explain = lambda f: blur_path(f, lr, ref, patch, "mean", steps=2).result().ref  # noqa: E731
    found = compare_randomised(Shift().requires_grad_(False), explain)
    assert [*found] == ["as trained", "two", "one"]
    assert found["as trained"] == {"signed": pytest.approx(1.0), "absolute": pytest.approx(1.0)}
    assert abs(found["one"]["signed"]) < 0.5
    edges = compare_randomised(Shift(), lambda f: ref[0, 0].diff(dim=0))
    assert all(one["signed"] == pytest.approx(1.0) for one in edges.values())


def test_a_map_without_ranks_is_no_number_and_a_network_without_parts_is_refused():
    flat = compare_maps(torch.ones(3, 3), torch.rand(3, 3))
    assert math.isnan(flat["signed"]) and math.isnan(flat["absolute"])
    with pytest.raises(InputError, match="one with parts that hold weights"):
        list_parts(nn.ReLU())
