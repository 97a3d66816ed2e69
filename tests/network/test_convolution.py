"""The quick convolution is the direct one, and its gradient; what is computed again is the same."""

import pytest
import torch
from torch import nn

import dcamsr_lite as dl
from dcamsr_lite.network import convolution
from dcamsr_lite.network.convolution import Conv3x3
from dcamsr_lite.network.parts import set_recompute

SMALL = dict(scale=4, image_size=32, channels=8, heads=2, tokens=16)


def distance(ours, theirs) -> float:
    return float((ours.double() - theirs.double()).norm() / theirs.double().norm())


def run(call, conv, x, gradient) -> list[torch.Tensor]:
    x = x.clone().requires_grad_()
    conv.zero_grad()
    y = call(x)
    y.backward(gradient)
    return [y.detach(), x.grad, conv.weight.grad.clone(), conv.bias.grad.clone()]


@pytest.mark.skipif(not convolution.has_winograd(), reason="no NNPACK in this torch")
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_a_wide_convolution_by_winograd_is_the_direct_one_with_its_gradients(layout):
    conv, x = Conv3x3(48, 56).to(memory_format=layout), torch.randn(2, 48, 96, 101)
    x, gradient = x.to(memory_format=layout), torch.randn(2, 56, 96, 101)
    assert conv._takes_winograd(x)
    ours = run(conv, conv, x, gradient)
    exact = run(lambda x: nn.Conv2d.forward(conv, x), conv.double(), x.double(), gradient.double())
    assert all(distance(a, b) < 1e-5 for a, b in zip(ours, exact, strict=True))


def test_winograd_is_for_wide_and_large_images_in_single_precision():
    conv, x = Conv3x3(48, 48), torch.rand(1, 48, 96, 96)
    assert conv._takes_winograd(x) == convolution.has_winograd()
    assert not Conv3x3(32, 48)._takes_winograd(x[:, :32])
    assert not Conv3x3(48, 48, stride=2)._takes_winograd(x)
    assert not conv._takes_winograd(x[..., :64])
    assert not conv.double()._takes_winograd(x.double())
    with torch.autocast("cpu", torch.bfloat16):
        assert not conv.float()._takes_winograd(x)


def test_without_nnpack_the_direct_sum_is_taken(monkeypatch):
    monkeypatch.setattr(convolution, "has_winograd", lambda: False)
    conv, x = Conv3x3(48, 48), torch.rand(1, 48, 96, 96)
    with torch.no_grad():
        assert distance(conv(x), nn.Conv2d.forward(conv, x)) < 1e-6


@pytest.mark.parametrize("size", [(96, 96), (97, 130)])
def test_second_gradients_go_through(size):
    conv, x = Conv3x3(48, 48), torch.rand(1, 48, *size, requires_grad=True)
    (first,) = torch.autograd.grad(conv(x).square().sum(), x, create_graph=True)
    (second,) = torch.autograd.grad(first.sum(), x)
    assert second.isfinite().all() and second.abs().max() > 0


@pytest.mark.parametrize("variant", ["released", "corrected"])
def test_what_is_computed_again_has_the_same_gradient_and_dropout(variant):
    torch.manual_seed(0)
    model = dl.DCAMSR(variant=variant, **SMALL).train()
    lr, ref = torch.rand(1, 1, 8, 8), torch.rand(1, 1, 32, 32)
    gradients = []
    for again in (False, True):
        set_recompute(model, again)
        model.zero_grad()
        torch.manual_seed(1)
        model(lr, ref).square().sum().backward()
        gradients.append([p.grad.clone() for p in model.parameters() if p.grad is not None])
    assert all(torch.equal(a, b) for a, b in zip(*gradients, strict=True))


def test_silent_channels_have_a_finite_gradient():
    """A channel that is zero everywhere has no norm to be divided by."""
    model = dl.DCAMSR(variant="released", **SMALL).train()
    for block in model.levels.values():
        nn.init.zeros_(block.attention.query.weight)
        nn.init.zeros_(block.attention.query.bias)
    model(torch.rand(1, 1, 8, 8), torch.rand(1, 1, 32, 32)).sum().backward()
    assert all(p.grad.isfinite().all() for p in model.parameters() if p.grad is not None)


def test_a_flat_feature_has_a_finite_gradient_in_sam():
    model = dl.DCAMSR(**SMALL).train()
    adapt = model.decoder.fusions[0].adapt
    y = torch.ones(1, 8, 8, 8, requires_grad=True)
    adapt(y, torch.rand(1, 8, 8, 8)).sum().backward()
    assert y.grad.isfinite().all()
