"""Notebook 07: what learners write, in their own words, and what the notebook claims of the weights."""

import re

import pytest
import torch
import torch.nn.functional as F

import dcamsr_lite as dl
from dcamsr_lite.course import EXERCISES, examine
from dcamsr_lite.interpret.attribution import (
    Attribution,
    blur_path,
    deletion_curve,
    lifted_attention,
)
from dcamsr_lite.phantom.subjects import DEMO_SEED, simulated_pair


def saliency(gradient, path, steps):
    return gradient(path(1)) * (path(1) - path(0))


def straight(gradient, path, steps):
    total = torch.zeros_like(path(0))
    for k in range(steps):
        total += gradient((path(k / steps) + path((k + 1) / steps)) / 2)
    return total / steps * (path(1) - path(0))


def riemann(gradient, path, steps):
    total = 0
    for k in range(steps):
        total = total + gradient(path(k / steps)) * (path((k + 1) / steps) - path(k / steps))
    return total


def half_time(gradient, path, steps):
    total = 0
    for k in range(steps):
        piece = path((k + 1) / steps) - path(k / steps)
        total = total + gradient(path((k + 0.5) / steps)) * piece
    return total


def trapezoid(gradient, path, steps):
    x = [path(k / steps) for k in range(steps + 1)]
    ends = zip(x[:-1], x[1:], strict=True)
    return sum((gradient(a) + gradient(b)) / 2 * (b - a) for a, b in ends)


def zero_based(x):
    g = torch.sort(x.abs().reshape(-1))[0].double()
    n = g.numel()
    gini = sum((2 * i - n - 1) * float(v) for i, v in enumerate(g)) / (n * float(g.sum()))
    return 100 * (1 - gini)


def argsort_once(attribution, attention):
    a = F.interpolate(attribution.abs()[None, None], attention.shape, mode="area")[0, 0]
    order = torch.stack([a.flatten().argsort(), attention.abs().flatten().argsort()]).float()
    return float(torch.corrcoef(order)[0, 1])


def pearson(attribution, attention):
    a = F.avg_pool2d(attribution.abs()[None], 2)[0]
    return float(torch.corrcoef(torch.stack([a.flatten(), attention.abs().flatten()]))[0, 1])


@pytest.mark.parametrize(
    "name, wrong, named",
    [
        ("reliance.integrate", saliency, "saliency"),
        ("reliance.integrate", straight, "straight line only"),
        ("reliance.integrate", riemann, "at the start of each piece"),
        ("reliance.integrate", trapezoid, "mean of the gradients at both ends"),
        ("reliance.integrate", half_time, "half the time"),
        ("reliance.share", lambda lr, ref: ref.abs().mean() / (lr.abs().mean() + ref.abs().mean()),
         "not means"),
        ("reliance.share", lambda lr, ref: ref.sum() / (lr.sum() + ref.sum()), "cancel"),
        ("reliance.diffusion", zero_based, "from 0"),
        ("reliance.agreement", argsort_once, "not their ranks"),
        ("reliance.agreement", pearson, "correlation of the values"),
    ],
)  # fmt: skip
def test_what_learners_write_is_recognised(name, wrong, named):
    result = examine(EXERCISES[name], wrong)
    assert result.state == "failed"
    assert re.search(named, result.message), result.message


def test_a_solution_in_other_words_passes():
    def integrate(gradient, path, steps):
        x = torch.stack([path(k / steps) for k in range(steps + 1)])
        middles = (x[1:] + x[:-1]) / 2
        return (torch.stack([gradient(m) for m in middles]) * x.diff(dim=0)).sum(0)

    def diffusion(x):
        g = x.abs().flatten()
        pairs = (g[:, None] - g).abs().sum()
        return float(100 * (1 - pairs / (2 * len(g) ** 2 * g.mean())))

    mine = {"reliance.integrate": integrate, "reliance.diffusion": diffusion}
    for name, solution in mine.items():
        assert examine(EXERCISES[name], solution).state == "passed", name


def test_the_courses_numbers_are_the_packages():
    generator = torch.Generator().manual_seed(0)
    lr, ref, attention = (torch.randn(n, n, generator=generator) for n in (8, 32, 16))
    found = Attribution("by hand", "mean", (0, 0, 1, 1), lr, ref, 1.0, 0.0)
    solution = {name: EXERCISES[f"reliance.{name}"].solution for name in ("share", "diffusion")}
    assert solution["share"](lr, ref) == pytest.approx(found.share_of_reference)
    assert solution["diffusion"](ref) == pytest.approx(found.diffusion_index["ref"])
    agreement = EXERCISES["reliance.agreement"].solution(ref, attention)
    assert agreement == pytest.approx(found.agreement(attention))


@pytest.mark.slow
def test_the_answers_are_true_of_the_shipped_weights():
    """New weights may change what the predictions of notebook 07 call right."""
    pair = simulated_pair(DEMO_SEED, scale=4, slices=6)
    model, patch = dl.load("lite-4x-footprints").eval().requires_grad_(False), (62, 68, 8, 8)
    lr, ref = pair.lr[[3]], pair.ref[[3]]
    rows, columns = torch.arange(128.0) - 66, torch.arange(128.0) - 72
    distance = (rows[:, None].square() + columns.square()).sqrt()

    def run():
        return blur_path(model, lr, ref, patch, steps=4).result().ref.abs()

    def soon(order):  # what the first percent of an order moves
        return deletion_curve(model, lr, ref, patch, order, fractions=(0.01,)).result().change[0]

    whole, near = run(), distance < 12
    assert soon(200 - distance) > 0.5 * soon(whole) > 0
    for own in lifted_attention(model, lr, ref, patch).values():
        assert soon(own) < 0.2 * soon(whole)
    with dl.intervene(model, channel="off"):
        without = run()
    assert whole[near].sum() > 0.5 * whole.sum()
    assert without[near].sum() < 0.1 * without.sum()
