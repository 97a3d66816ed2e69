"""Attention in strips is attention: the same numbers, gradients and random numbers."""

import pytest
import torch
import torch.nn.functional as F

from dcamsr_lite.network import fused
from dcamsr_lite.network.fused import attend


def explicit(q, k, v, dropout):
    return F.dropout((q @ k.mT).softmax(-1), dropout) @ v


@pytest.mark.parametrize("strip", [1, 500, 2**20])
def test_what_is_dropped_in_strips_is_what_the_whole_map_drops(monkeypatch, strip):
    monkeypatch.setattr(fused, "STRIP", strip)
    q, k, v = (torch.randn(2, 3, n, 4, dtype=torch.float64) for n in (50, 9, 9))
    found = []
    for way in (attend, explicit):
        inputs = [x.clone().requires_grad_() for x in (q, k, v)]
        torch.manual_seed(5)
        output = way(*inputs, 0.3)
        output.square().sum().backward()
        found.append([output.detach(), *(x.grad for x in inputs), torch.rand(3)])
    for ours, theirs in zip(*found, strict=True):
        torch.testing.assert_close(ours, theirs)


def test_second_gradients_go_through_what_is_dropped():
    found = []
    for way in (attend, explicit):
        torch.manual_seed(5)
        inputs = [
            torch.randn(1, 2, n, 3, dtype=torch.float64, requires_grad=True) for n in (7, 4, 4)
        ]
        (first,) = torch.autograd.grad(way(*inputs, 0.3).sum(), inputs[0], create_graph=True)
        first.square().sum().backward()
        found.append([x.grad for x in inputs])
    for ours, theirs in zip(*found, strict=True):
        torch.testing.assert_close(ours, theirs)
