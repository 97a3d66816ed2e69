"""Notebook 05: what learners write about training, in their own words; networks as inputs."""

import re

import numpy as np
import pytest
import torch

import dcamsr_lite as dl
from dcamsr_lite import course
from dcamsr_lite.course import examine
from dcamsr_lite.errors import ASSETS, InputError
from dcamsr_lite.training.run import read_log

EXERCISES = course.EXERCISES


def loop(model, batches, rates, clear=True, rate_every_step=True):
    optimiser = torch.optim.Adam(model.parameters(), lr=rates[0])
    kept = []
    for rate, batch in zip(rates, batches, strict=True):
        lr, ref, target = batch
        if rate_every_step:
            for group in optimiser.param_groups:
                group["lr"] = rate
        loss = torch.nn.functional.l1_loss(model(lr, ref), target)
        if clear:
            optimiser.zero_grad(set_to_none=True)
        loss.backward()
        optimiser.step()
        kept.append(float(loss.detach()))
    return torch.tensor(kept)


def never_stepped(model, batches, rates):
    with torch.no_grad():
        return torch.stack([(model(lr, ref) - target).abs().mean() for lr, ref, target in batches])


def per_slice_then_mean_deviation(sr, target, deviation):
    return (sr - target).abs().mean() / deviation.mean()


def deviation_not_shaped(sr, target, deviation):
    return ((sr - target).abs() / deviation).mean()


def convolved(losses, window):
    kernel = torch.ones(1, 1, window) / window
    padded = torch.nn.functional.pad(losses, (window - 1, 0))
    return torch.nn.functional.conv1d(padded[None, None], kernel)[0, 0]


def every_ten_epochs(steps, first):
    epoch = 50 * torch.arange(steps) / steps
    return first * 0.1 ** (epoch // 10)


def new_optimiser(model, batches, rates):
    kept = []
    for rate, (lr, ref, target) in zip(rates, batches, strict=True):
        optimiser = torch.optim.Adam(model.parameters(), lr=rate)
        loss = (model(lr, ref) - target).abs().mean()
        loss.backward()
        optimiser.step()
        optimiser.zero_grad()
        kept.append(float(loss.detach()))
    return torch.tensor(kept)


def rate_after_the_step(model, batches, rates, make=torch.optim.Adam, early=False):
    optimiser, kept = make(model.parameters(), lr=rates[0]), []
    for rate, (lr, ref, target) in zip(rates, batches, strict=True):
        if early:
            optimiser.param_groups[0]["lr"] = rate
        optimiser.zero_grad()
        loss = (model(lr, ref) - target).abs().mean()
        loss.backward()
        optimiser.step()
        optimiser.param_groups[0]["lr"] = rate
        kept.append(float(loss.detach()))
    return torch.tensor(kept)


def of_method(make):
    return lambda *given: rate_after_the_step(*given, make=make, early=True)


@pytest.mark.parametrize(
    "name, wrong, named",
    [
        ("training.fit", lambda *a: loop(*a, clear=False), "Gradients add up"),
        ("training.fit", lambda *a: loop(*a, rate_every_step=False), "stays at the first"),
        ("training.fit", never_stepped, "Nothing is learned"),
        ("training.fit", new_optimiser, "A new Adam in every step"),
        ("training.fit", rate_after_the_step, "one step late"),
        ("training.fit", of_method(torch.optim.AdamW), "That is AdamW"),
        ("training.fit", of_method(torch.optim.SGD), "SGD"),
        ("training.trailing", lambda x, w: torch.stack([x[i : i + w].mean() for i in range(len(x))]),
         "looks forward"),
        ("training.trailing", lambda x, w: torch.from_numpy(
            np.convolve(x.numpy(), np.ones(w, dtype=np.float32) / w, "same")), "centred"),
        ("training.fit", lambda *a: loop(*a).tolist(), "is a list, expected a tensor"),
        ("training.l1", deviation_not_shaped, "broadcast over columns"),
        ("training.l1", per_slice_then_mean_deviation, "mean of all"),
        ("training.l1", lambda a, b, d: (a - b).abs().mean(), "image units"),
        ("training.trailing", convolved, "fewer than `window`"),
        ("training.trailing", lambda x, w: x.cumsum(0) / torch.arange(1, len(x) + 1), "everything"),
        ("training.schedule", every_ten_epochs, "every ten epochs"),
        ("training.schedule", lambda n, r: [r] * n, "is a list, expected a tensor"),
    ],
)  # fmt: skip
def test_what_learners_write_is_recognised(name, wrong, named):
    result = examine(EXERCISES[name], wrong)
    assert result.state == "failed"
    assert re.search(named, result.message), result.message


def test_a_loop_in_other_words_passes():
    assert examine(EXERCISES["training.fit"], loop).state == "passed"


def test_an_attempt_cannot_change_the_network_of_the_next():
    """Otherwise a second run of a check would start from trained weights."""
    states = [examine(EXERCISES["training.fit"], loop).state for _ in range(2)]
    assert states == ["passed", "passed"]


def test_every_log_that_ships_can_be_read():
    for name, card in dl.weights().items():
        log = read_log(ASSETS / "weights" / card["log"])
        assert {"step", "loss", "learning_rate", "validation_psnr"} <= set(log), name
        assert len(log["step"]) > 1


def test_a_missing_log_is_an_error_that_says_so():
    with pytest.raises(InputError, match="no such file"):
        read_log("nowhere.csv")
