"""The switches of an exported network are the cuts of ``intervene``; it gives what a trace has."""

import pytest
import torch
from switched import NETWORKS, example, set_switches

import dcamsr_lite as dl
from dcamsr_lite.export.switches import Switched

QUICK = ("aligned",)  # the others take longer than what they add to this one
EACH = [n if n in QUICK else pytest.param(n, marks=pytest.mark.slow) for n in NETWORKS]
CUTS = [  # state, heads, levels
    ("off", None, None),
    ("uniform", None, None),
    ("off", [1], None),
    ("uniform", [0], None),
    ("off", None, [4]),
    ("uniform", [1], [4]),
]


@pytest.mark.slow
@pytest.mark.parametrize("name", NETWORKS)
@torch.inference_mode()
def test_every_switch_is_the_cut_of_that_name(name):
    model, images = example(name)
    switched = Switched(model).eval()
    branches = [b for b in ("spatial", "channel") if getattr(model.config, b)]
    for branch in branches:
        for state, heads, levels in CUTS:
            with dl.intervene(model, **{branch: state}, heads=heads, levels=levels):
                cut = model(*images)
            switches = set_switches(switched, branch, state, heads, levels)
            found = switched(*images, *switches.values())["sr"]
            torch.testing.assert_close(found, cut, rtol=0, atol=1e-5)


@torch.inference_mode()
def test_cuts_of_both_branches_at_once_are_those_of_cut():
    from dcamsr_lite.interpret.cuts import Cut, cut

    model, images = example("aligned")
    switched = Switched(model).eval()
    switches = switched.defaults()
    switches["spatial_gate"][0] = 0
    switches["spatial_uniform"][2, 1] = 1
    switches["channel_gate"][1, 0] = 0
    cuts = [Cut("spatial", "off", (1,)), Cut("spatial", "uniform", (4,), (1,))]
    with cut(model, (*cuts, Cut("channel", "off", (2,), (0,)))):
        right = model(*images)
    found = switched(*images, *switches.values())["sr"]
    torch.testing.assert_close(found, right, rtol=0, atol=1e-5)


@pytest.mark.parametrize("name", EACH)
@torch.inference_mode()
def test_what_it_gives_beside_the_image_is_what_a_trace_records(name):
    model, images = example(name)
    switched = Switched(model).eval()
    found = switched(*images, *switched.defaults().values())
    with dl.trace(model) as record:
        torch.testing.assert_close(found.pop("sr"), model(*images), rtol=0, atol=1e-5)
    kinds = {"queries": record.queries, "keys": record.keys, "channel": record.channel}
    kinds |= {"footprints": record.footprints, "attention": record.spatial}
    for kind in ("query", "key", "value"):
        kinds[f"channel_{kind}"] = {n: getattr(x, kind) for n, x in record.features.items()}
    assert len(found) >= 3 * len(model.levels)
    for output, values in found.items():
        kind, level = output.rsplit("_", 1)
        right = kinds[kind][int(level)]
        torch.testing.assert_close(values.expand_as(right), right, rtol=0, atol=1e-5)


def test_the_network_that_is_switched_is_a_copy():
    model, images = example("aligned")
    before = model(*images)
    Switched(model)
    assert torch.equal(model(*images), before) and model.fused
    assert not any(part._forward_hooks for part in model.modules())
