"""Exercises on paired differences, intervals over subjects, seeds, and what an ablation is.

>>> sorted(EXERCISES)
['claim', 'interval', 'paired']
"""

import torch
from torch import Tensor

from ...training.study import seed_interval
from ..exercise import Exercise

TAILS = (0.025, 0.975)


def paired(a: Tensor, b: Tensor) -> Tensor:
    """a minus b, both (seed, subject), mean over the seeds: (subject).

    >>> paired(torch.tensor([[30.0, 28.0], [31.0, 29.0]]), torch.tensor([[30.0, 29.0], [30.0, 29.0]]))
    tensor([ 0.5000, -0.5000])
    """
    return a.mean(0) - b.mean(0)


def _between(values: Tensor, tails: tuple[float, float] = TAILS) -> Tensor:
    return values.quantile(torch.tensor(tails))


def interval(differences: Tensor, draws: Tensor) -> Tensor:
    """The 95 % interval of the mean of (subject); ``draws`` (draw, subject) are indices of subjects.

    >>> interval(torch.tensor([1.0, 1.0]), torch.tensor([[0, 1], [1, 1]]))
    tensor([1., 1.])
    """
    return _between(differences[draws].mean(-1))


def _bell(differences: Tensor, error: Tensor) -> Tensor:
    return differences.mean() + 1.96 * error * torch.tensor([-1.0, 1.0])


def claim(low: float, high: float, seeds: Tensor) -> bool:
    """Whether a difference may be claimed: zero outside of the interval over heads and that over seeds.

    Whether there are heads enough for an interval (six or more) is for the caller to ask.

    >>> claim(0.1, 0.3, torch.tensor([0.2, 0.25, 0.2])), claim(0.1, 0.3, torch.tensor([0.2]))
    (True, False)
    """
    return _outside(low, high) and _outside(*seed_interval(seeds))


def _outside(low: float, high: float) -> bool:
    return low > 0 or high < 0


def _agree(seeds: Tensor) -> bool:
    return bool((seeds > 0).all() or (seeds < 0).all())


def _two_rows(random, size: int) -> tuple[Tensor, Tensor]:
    subjects = 3 + random(size)  # easy and hard heads, for both rows
    return subjects + 0.3 * random(3, size), subjects + 0.3 * random(3, size)


def _differences(random, size: int) -> tuple[Tensor, Tensor]:
    draws = (1000 * random(200, size).abs()).long() % size
    return random(size).exp() - 1, draws


def _findings(random, size: int) -> tuple[float, float, Tensor]:
    """One of each kind; a random size would leave it to chance which mistakes can be told apart."""
    much = 0.3 + float(random(1).abs())
    alike = torch.tensor([1.0, 1.02, 0.98])
    return {
        6: (0.1, much, torch.tensor([0.02, 0.1, 1 + much])),  # one sign, far apart
        9: (0.1, much, torch.tensor([much])),  # one seed
        12: (-much, -0.1, -much * alike),  # worse, clearly
        16: (-0.1, much, much * alike),  # zero inside
    }[size]


EXERCISES = {
    "paired": Exercise(
        solution=paired,
        inputs=_two_rows,
        mistakes={
            "That is the mean over subjects, one number per seed; average over the seeds, axis 0.": (
                lambda a, b: (a - b).mean(1)
            ),
            "One difference for each subject is asked, not one for all.": (
                lambda a, b: (a - b).mean()
            ),
            "That takes the first seed only.": lambda a, b: a[0] - b[0],
            "That is b minus a.": lambda a, b: b.mean(0) - a.mean(0),
            "The sign is lost: where b is better the difference is negative.": (
                lambda a, b: (a.mean(0) - b.mean(0)).abs()
            ),
            "The seeds are still there: average over them, axis 0.": lambda a, b: a - b,
            "That takes the best seed of each subject; nobody gets to choose afterwards.": (
                lambda a, b: a.amax(0) - b.amax(0)
            ),
        },
        axes="subject",
        hint="Subtract, then the mean over the seeds, axis 0.",
    ),
    "interval": Exercise(
        solution=interval,
        inputs=_differences,
        mistakes={
            "That is where single subjects lie, not where the mean may lie: redraw, then average.": (
                lambda d, draws: _between(d)
            ),
            "The redrawn subjects are not averaged: one mean for each draw.": lambda d, draws: (
                _between(d[draws].flatten())
            ),
            "That averages over the draws (axis 0): one mean for each draw is needed, axis 1.": (
                lambda d, draws: _between(d[draws].mean(0))
            ),
            "That leaves 5 % out on each side: a 90 % interval.": lambda d, draws: _between(
                d[draws].mean(-1), (0.05, 0.95)
            ),
            "Smallest and largest mean: with more draws that interval grows without end.": (
                lambda d, draws: torch.stack(d[draws].mean(-1).aminmax())
            ),
            "The low end comes first.": lambda d, draws: interval(d, draws).flip(0),
            "That is 1.96 standard errors to both sides: it takes a bell for granted, and uses no"
            " draws.": lambda d, draws: _bell(d, d.std() / len(d) ** 0.5),
            "A bell is taken for granted by 1.96 deviations to both sides: read off the"
            " quantiles.": lambda d, draws: _bell(d, d[draws].mean(-1).std()),
            "The median is not the mean.": lambda d, draws: _between(d[draws].median(-1).values),
        },
        axes="low_high",
        hint="differences[draws] is (draw, subject): average, then the quantiles 0.025 and 0.975.",
    ),
    "claim": Exercise(
        solution=claim,
        inputs=_findings,
        mistakes={
            "The seeds' own interval has to leave zero out as well: that of one seed has no end.": (
                lambda low, high, seeds: _outside(low, high)
            ),
            "One sign is not enough: three seeds of equal rows agree in one case of four. Ask"
            " seed_interval(seeds).": lambda low, high, seeds: (
                _outside(low, high) and len(seeds) > 1 and _agree(seeds)
            ),
            "A row may also be clearly worse: high < 0.": lambda low, high, seeds: (
                low > 0 and _outside(*seed_interval(seeds))
            ),
            "The interval over heads is not asked: it has to leave zero out.": (
                lambda low, high, seeds: _outside(*seed_interval(seeds))
            ),
            "The other way round: True is a claim.": lambda *found: not claim(*found),
        },
        hint="Zero lies outside of (low, high) and of seed_interval(seeds): True or False.",
    ),
}
