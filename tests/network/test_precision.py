"""Networks of any precision, under autocast and any default of torch, from the call to the map."""

import pytest
import torch
from helpers import awake, phantom

import dcamsr_lite as dl
from dcamsr_lite import kspace as ks

PRECISIONS = (torch.float16, torch.bfloat16, torch.float64)
CLOSE = {torch.float16: 0.02, torch.bfloat16: 0.1, torch.float64: 1e-5}
PAIR = dl.load_pair(phantom(1, 32, 1), phantom(1, 32, 2), 4)


def network(**options):
    small = {"image_size": 32, "channels": 8, "heads": 2, "tokens": 16}
    return awake(dl.DCAMSR(**(small | options)))


@pytest.fixture
def double_by_default():
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


@torch.no_grad()
def look_into(model):
    """Output, volume, a map, entropy, and the output with uniform attention."""
    with dl.trace(model) as record:
        sr = model(PAIR.lr, PAIR.ref)
    with dl.intervene(model, spatial="uniform"):
        cut = model(PAIR.lr, PAIR.ref)
    entropy = record.entropy(4)["spatial"]
    return sr, dl.super_resolve(model, PAIR), record.lift(4, query=(3, 5)), entropy, cut


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("choice", ["cosine", "window", "pooled"])
def test_a_network_of_any_precision_takes_images_of_any(precision, choice):
    model = network(spatial_attention=choice)
    expected = look_into(model)
    found = look_into(model.to(precision))
    for one, other in zip(found, expected, strict=True):
        error = (one.float() - other).norm() / other.norm()
        assert float(error) < CLOSE[precision]
    assert found[0].dtype == torch.float32 == found[1].to(found[0]).dtype
    blank = model(PAIR.lr.to(precision), 0 * PAIR.ref)
    assert blank.dtype == precision and bool(blank.isfinite().all())


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("method", ["mcmrsr", "masa"])
def test_baselines_of_any_precision_give_finite_images(precision, method):
    small = {"channels": 16, "heads": 4} if method == "mcmrsr" else {"channels": 16}
    model = awake(dl.baseline(method, image_size=32, **small)).to(precision)
    with torch.no_grad():
        assert bool(model(PAIR.lr, PAIR.ref).isfinite().all())


@pytest.mark.slow
def test_explorers_take_half_precision():
    model = network(spatial_attention="window").bfloat16()
    assert dl.explore(model, PAIR, cuts=False).lift().isfinite().all()
    lab = dl.intervention_lab(model, PAIR)
    assert lab.run(dl.Intervention(cuts=(dl.Cut("channel", "off"),))).change != 0
    explorer = dl.explore_attribution(model, PAIR)
    explorer.patch = [8, 8, 4, 4]
    explorer.run("occlusion")
    assert explorer.results["occlusion"]["share"] is not None


def test_a_trace_under_autocast_is_that_without():
    model = network()
    expected = look_into(model)
    with torch.autocast("cpu", torch.bfloat16):
        found = look_into(model)
    for one, other in zip(found, expected, strict=True):
        assert float((one - other).norm() / other.norm()) < 0.1


def test_loaded_weights_are_float32_whatever_the_default_is(double_by_default):
    """The README's lines failed: the network was of double precision, the pair was not."""
    model = dl.load("lite-4x")
    assert {x.dtype for x in model.parameters()} == {torch.float32}
    pair = dl.load_pair(torch.rand(1, 32, 32), torch.rand(1, 32, 32), 4)
    assert pair.lr.dtype == dl.super_resolve(model, pair).dtype == torch.float32
    assert look_into(network(spatial_attention="pooled").float())[2].isfinite().all()


@pytest.mark.slow
def test_a_simulated_head_does_not_depend_on_the_default(double_by_default):
    found = dl.simulated_volumes(3, size=32, slices=1)
    torch.set_default_dtype(torch.float32)
    expected = dl.simulated_volumes(3, size=32, slices=1)
    for one, other in zip(found, expected, strict=True):
        assert torch.equal(one.images, other.images)


@pytest.mark.parametrize("kind", [torch.float16, torch.bfloat16, torch.uint8])
def test_the_fourier_pair_takes_what_torch_has_no_transform_for(kind):
    image = (200 * torch.rand(16, 16)).to(kind)
    torch.testing.assert_close(ks.fft2c(image), ks.fft2c(image.float()))
    torch.testing.assert_close(ks.degrade(image, 2), ks.degrade(image.float(), 2))
