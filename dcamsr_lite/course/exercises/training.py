"""Exercises on the loss, the loop, the learning rate, reading curves, mirroring, resuming.

>>> sorted(EXERCISES)
['fit', 'l1', 'schedule', 'trailing']
"""

from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ...training.loop import learning_rate
from ..exercise import Exercise, pick


class Guided(nn.Module):
    """The least that takes a low-resolution image and a reference: two convolutions.

    >>> Guided(2)(torch.rand(1, 1, 4, 4), torch.rand(1, 1, 8, 8)).shape
    torch.Size([1, 1, 8, 8])
    """

    def __init__(self, scale: int):
        super().__init__()
        self.scale = scale
        self.of_lr = nn.Conv2d(1, 1, 3, padding=1)
        self.of_ref = nn.Conv2d(1, 1, 3, padding=1)

    def forward(self, lr: Tensor, ref: Tensor) -> Tensor:
        return F.interpolate(self.of_lr(lr), scale_factor=self.scale) + self.of_ref(ref)


def absolute(sr: Tensor, target: Tensor) -> Tensor:
    """The L1 loss of normalised images.

    >>> absolute(torch.zeros(2), torch.tensor([1.0, -3.0]))
    tensor(2.)
    """
    return (sr - target).abs().mean()


def fit(
    model: nn.Module,
    batches: Sequence[tuple],
    rates: Sequence[float],
    *,
    loss: Callable = absolute,
    cleared: bool = True,
    early: bool = False,
    own_rate: bool = True,
    method: Callable[..., torch.optim.Optimizer] = torch.optim.Adam,
    anew: bool = False,
) -> Tensor:
    """Adam, one step per batch; the loss before each step. The switches are what people get wrong.

    >>> batch = (torch.rand(1, 1, 4, 4), torch.rand(1, 1, 8, 8), torch.rand(1, 1, 8, 8))
    >>> fit(Guided(2), [batch, batch], [0.1, 0.01]).shape
    torch.Size([2])
    """
    optimizer = method(model.parameters(), lr=1e-3)
    losses = []
    for (lr, ref, target), rate in zip(batches, rates, strict=True):
        if anew:
            optimizer = method(model.parameters(), lr=1e-3)
        if own_rate:
            optimizer.param_groups[0]["lr"] = rate
        if early:
            optimizer.step()  # with the gradients of the step before
        if cleared:
            optimizer.zero_grad()
        error = loss(model(lr, ref), target)
        error.backward()
        if not early:
            optimizer.step()
        losses.append(error.item())
    return torch.tensor(losses)


def _few_batches(random, size: int) -> tuple[nn.Module, list[tuple], list[float]]:
    model = Guided(2)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(random(*parameter.shape))
    batch, count = pick(size, (2, 5), (3, 4), (2, 3), (4, 5))
    shapes = [(batch, 1, size * times, (size + 1) * times) for times in (1, 2, 2)]
    batches = [tuple(random(*shape) for shape in shapes) for _ in range(count)]
    rate = pick(size, 0.1, 0.08, 0.12, 0.09)
    return model, batches, [rate * part for part in (1, 1, 2, 1, 0.5)[:count]]


def l1(sr: Tensor, target: Tensor, deviation: Tensor) -> Tensor:
    """Mean absolute error of images (b 1 h w) in units of each slice's own deviation (b).

    >>> target = torch.tensor([2.0, 30.0]).view(2, 1, 1, 1)
    >>> l1(torch.zeros(2, 1, 1, 1), target, torch.tensor([1.0, 10.0]))
    tensor(2.5000)
    """
    return absolute(sr / deviation.view(-1, 1, 1, 1), target / deviation.view(-1, 1, 1, 1))


def schedule(steps: int, first: float) -> Tensor:
    """The paper's learning rate of every step.

    >>> schedule(5, 1.0)
    tensor([1.0000, 1.0000, 1.0000, 1.0000, 0.1000])
    """
    return torch.tensor([learning_rate(step, steps, first) for step in range(steps)])


def _stairs(steps: int, first: float) -> Tensor:
    return torch.tensor([first * 0.1 ** (5 * step // steps) for step in range(steps)])


def _tail(steps: int, first: float, count: int, by: float = 0.1) -> Tensor:
    return torch.tensor([first if step < steps - count else by for step in range(steps)])


def trailing(losses: Tensor, window: int) -> Tensor:
    """The mean of each loss and up to ``window`` - 1 before it.

    >>> trailing(torch.tensor([4.0, 2.0, 0.0]), 2)
    tensor([4., 3., 1.])
    """
    return torch.stack([losses[max(i - window + 1, 0) : i + 1].mean() for i in range(len(losses))])


def _ahead(losses: Tensor, ahead: int, back: int, divisor: int | None = None) -> Tensor:
    """Means of windows that look at losses to come; by their own number or by ``divisor``."""
    parts = [losses[max(i - back, 0) : i + ahead + 1] for i in range(len(losses))]
    return torch.stack([part.sum() / (divisor or len(part)) for part in parts])


def _as_if_zero_before(losses: Tensor, window: int) -> Tensor:
    return F.pad(losses, (window - 1, 0)).unfold(0, window, 1).mean(-1)


def _slices(random, size: int) -> tuple[Tensor, Tensor, Tensor]:
    deviation = 10 * random(size).abs() + 1
    scaled = deviation.view(-1, 1, 1, 1)
    shape = (
        size,
        1,
        pick(size, 8, 7, 10, 5),
        size,
    )  # as many columns as slices: a deviation (b) broadcasts over columns
    return scaled * random(*shape), scaled * random(*shape), deviation


EXERCISES = {
    "l1": Exercise(
        solution=l1,
        inputs=_slices,
        mistakes={
            "image_units": lambda sr, target, d: absolute(sr, target),
            "mean_deviation": lambda sr, target, d: absolute(sr, target) / d.mean(),
            "not_broadcast": lambda sr, target, d: absolute(sr / d, target / d),
            "multiplied": lambda sr, target, d: absolute(
                sr * d.view(-1, 1, 1, 1), target * d.view(-1, 1, 1, 1)
            ),
            "squared_error": lambda sr, target, d: (
                ((sr - target) / d.view(-1, 1, 1, 1)).square().mean()
            ),
            "squared_deviation": lambda sr, target, d: (
                (sr - target).abs() / d.view(-1, 1, 1, 1).square()
            ).mean(),
            "summed": lambda sr, target, d: ((sr - target) / d.view(-1, 1, 1, 1)).abs().sum(),
            "signed": lambda sr, target, d: ((sr - target) / d.view(-1, 1, 1, 1)).mean(),
        },
    ),
    "fit": Exercise(
        solution=lambda model, batches, rates: fit(model, batches, rates),
        inputs=_few_batches,
        mistakes={
            "gradients_add_up": lambda *x: fit(*x, cleared=False),
            "step_before_backward": lambda *x: fit(*x, early=True),
            "default_rate": lambda *x: fit(*x, own_rate=False),
            "first_rate": lambda model, batches, rates: fit(
                model, batches, [rates[0]] * len(rates)
            ),
            "one_step_late": lambda model, batches, rates: fit(
                model, batches, [rates[0], *rates[:-1]]
            ),
            "late_from_default": lambda model, batches, rates: fit(
                model, batches, [1e-3, *rates[:-1]]
            ),
            "new_adam": lambda *x: fit(*x, anew=True),
            "adamw": lambda *x: fit(*x, method=torch.optim.AdamW),
            "sgd": lambda *x: fit(*x, method=torch.optim.SGD),
            "squared_error": lambda *x: fit(*x, loss=F.mse_loss),
            "nothing_learned": lambda model, batches, rates: fit(
                model, batches, [0.0] * len(rates)
            ),
            "first_batch": lambda model, batches, rates: fit(
                model, [batches[0]] * len(batches), rates
            ),
            "last_loss": lambda *x: fit(*x)[-1],
        },
        axes="step",
    ),
    "schedule": Exercise(
        solution=schedule,
        inputs=lambda random, size: (5 * size, float(random(1).abs()) + 1),
        mistakes={
            "last_tenth": lambda steps, first: _tail(steps, first, steps // 10, 0.1 * first),
            "first_fifth": lambda steps, first: _tail(
                steps, first, steps - steps // 5, 0.1 * first
            ),
            "stairs": _stairs,
            "tenth_itself": lambda steps, first: _tail(steps, first, steps // 5),
            "to_nine_tenths": lambda steps, first: _tail(steps, first, steps // 5, 0.9 * first),
            "cosine": lambda steps, first: torch.tensor(
                [learning_rate(s, steps, first, "cosine") for s in range(steps)]
            ),
            "one_step_late": lambda steps, first: _tail(steps, first, steps // 5 - 1, 0.1 * first),
        },
        axes="step",
    ),
    "trailing": Exercise(
        solution=trailing,
        inputs=lambda random, size: (random(size), {6: 3, 9: 4, 12: 2, 16: 5}[size]),
        mistakes={
            "centred": lambda losses, window: _ahead(losses, window // 2, window // 2),
            "centred_late": lambda losses, window: _ahead(losses, window // 2, (window - 1) // 2),
            "centred_early": lambda losses, window: _ahead(losses, (window - 1) // 2, window // 2),
            "centred_zeros": lambda losses, window: _ahead(
                losses, window // 2, (window - 1) // 2, window
            ),
            "convolved": lambda losses, window: _ahead(
                losses, (window - 1) // 2, window // 2, window
            ),
            "forward": lambda losses, window: _ahead(losses, window - 1, 0),
            "zero_before": _as_if_zero_before,
            "one_too_many": lambda losses, window: trailing(losses, window + 1),
            "of_all": lambda losses, window: trailing(losses, len(losses)),
            "full_windows": lambda losses, window: losses.unfold(0, window, 1).mean(-1),
        },
        axes="step",
    ),
}
