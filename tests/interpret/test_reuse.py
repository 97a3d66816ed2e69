"""What is kept between interventions saves computing, and never changes an answer."""

import copy

import pytest
import torch

import dcamsr_lite as dl
from dcamsr_lite.bench.measure import count_work
from dcamsr_lite.interpret.interventions import Cut, Intervention, find_outcome
from dcamsr_lite.interpret.reuse import Kept

SMALL = dict(scale=4, image_size=32, channels=16, heads=4, tokens=16)
TRIED = [
    Intervention(cuts=(Cut("channel", "off", (1,)),)),
    Intervention(cuts=(Cut("spatial", "uniform"),)),
    Intervention("blank"),
    Intervention(shift=(0, 2)),
]


@pytest.fixture(scope="module")
def pair():
    draw = torch.Generator().manual_seed(0)
    return dl.load_pair(*(torch.rand(1, 32, 32, generator=draw) for _ in range(2)), scale=4)


def build(variant="corrected"):
    torch.manual_seed(1)
    return dl.DCAMSR(variant=variant, **SMALL).eval()


@pytest.mark.parametrize("variant", ["corrected", "released", "aligned"])
def test_an_answer_with_what_was_kept_is_the_answer_to_the_bit(pair, variant):
    model = build(variant)
    base = find_outcome(model, pair, 0, keep=True)
    assert base.kept.known
    plain = find_outcome(model, pair, 0)
    for wanted in TRIED:
        ours, whole = (find_outcome(model, pair, 0, wanted, base=b) for b in (base, plain))
        assert torch.equal(ours.output, whole.output), wanted
        assert ours.change == whole.change and ours.kept is None
    assert all(part.memory is None for part in model.modules() if hasattr(part, "memory"))


def test_what_is_not_changed_is_not_computed_again(pair):
    model = build()
    base, plain = (find_outcome(model, pair, 0, keep=keep) for keep in (True, False))
    for wanted, most in zip(TRIED, (0.55, 0.75, 0.9, 0.9), strict=True):
        kept, whole = (
            count_work(lambda b=b, w=wanted: find_outcome(model, pair, 0, w, base=b))["flop"]
            for b in (base, plain)
        )
        assert kept < most * whole, wanted


CHANGES = {
    "a weight": lambda model: model.encoder.stages[0][0].weight.data.mul_(2),
    "a setting": lambda model: setattr(model.levels[1].attention.spatial, "prepare", sharpen),
    "a part": lambda model: setattr(model.decoder, "join", torch.nn.Conv2d(32, 16, 1)),
}


def sharpen(q, k, project, temperature):
    return 9 * q, project(k)


@pytest.mark.parametrize("what", CHANGES)
def test_a_network_that_was_changed_computes_all_again(pair, what):
    model = build()
    base = find_outcome(model, pair, 0, keep=True)
    CHANGES[what](model)
    changed = find_outcome(model, pair, 0, Intervention(), base=base)
    assert torch.equal(changed.output, find_outcome(model, pair, 0).output)
    assert not torch.equal(changed.output, base.output)


def test_a_hook_of_the_users_sees_every_pass(pair):
    model, seen = build(), []
    base = find_outcome(model, pair, 0, keep=True)
    model.encoder.stages[1].register_forward_hook(lambda *_: seen.append(1))
    find_outcome(model, pair, 0, Intervention(cuts=(Cut("channel", "off"),)), base=base)
    assert len(seen) == 2


def test_what_is_kept_stays_small_and_is_not_copied(pair, monkeypatch):
    base = find_outcome(build(), pair, 0, keep=True)
    assert not copy.deepcopy(base).kept.known
    monkeypatch.setattr("dcamsr_lite.network.parts.MOST", 100)
    assert not find_outcome(build(), pair, 0, keep=True).kept.known
    assert Kept().room == 100
