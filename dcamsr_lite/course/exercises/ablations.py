"""Exercises on paired differences, intervals over subjects, seeds, and what an ablation is.

>>> sorted(EXERCISES)
['claim', 'interval', 'paired']
"""

from collections.abc import Callable

import torch
from torch import Tensor

from ...training.study import seed_interval
from ..exercise import Exercise, pick

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
    seeds = pick(size, 3, 2, 4, 5)
    return subjects + 0.3 * random(seeds, size), subjects + 0.3 * random(seeds, size)


def _differences(random, size: int) -> tuple[Tensor, Tensor]:
    draws = (1000 * random(pick(size, 200, 150, 180, 220), size).abs()).long() % size
    return random(size).exp() - 1, draws


def _scattered(mean: float, deviations: float) -> Tensor:
    """Three seeds whose mean is so many of their deviations from zero; t is sqrt(3) times that."""
    return mean * (1 + torch.tensor([-1.0, 0.0, 1.0]) / deviations)


FINDINGS = (6, 9, 12, 16, 18, 20, 22, 24)


def _findings(random, size: int) -> tuple[float, float, Tensor]:
    """One of each kind; a random size would leave it to chance which mistakes can be told apart.

    Student's t of three seeds has to pass 4.30, a normal deviate 1.96: seeds in between tell the two.
    """
    much = 0.3 + float(random(1).abs())
    alike = torch.tensor([1.0, 1.02, 0.98])
    return {
        6: (0.1, much, torch.tensor([0.02, 0.1, 1 + much])),  # one sign, far apart: t 1.2
        9: (0.1, much, torch.tensor([much])),  # one seed
        12: (-much, -0.1, -much * alike),  # worse, clearly
        16: (-0.1, much, much * alike),  # zero inside
        18: (0.1, much, _scattered(much, 1.6)),  # t 2.8, beyond a normal deviate
        20: (0.1, much, _scattered(much, 1.05)),  # t 1.8, further than one deviation of the seeds
        22: (0.1, much, _scattered(much, 2.02)),  # t 3.5, further than two
        24: (0.1, much, _scattered(much, 2.2)),  # t 3.8, 4.7 with a deviation divided by three
    }[size]


def _beyond(share: float, count: int = 0, biased: bool = False) -> Callable:
    """A rule for seeds: the mean lies further from zero than ``share`` deviations (or errors)."""

    def rule(low: float, high: float, seeds: Tensor) -> bool:
        if len(seeds) < 2:
            return False
        spread = seeds.std(correction=0 if biased else 1) / len(seeds) ** (0.5 * count)
        return _outside(low, high) and bool(seeds.mean().abs() > share * spread)

    return rule


EXERCISES = {
    "paired": Exercise(
        solution=paired,
        inputs=_two_rows,
        mistakes={
            "median": lambda a, b: (a - b).median(0).values,
            "median_of_two": lambda a, b: (a - b).quantile(0.5, dim=0),
            "medians": lambda a, b: a.median(0).values - b.median(0).values,
            "per_seed": lambda a, b: (a - b).mean(1),
            "one_for_all": lambda a, b: (a - b).mean(),
            "first_seed": lambda a, b: a[0] - b[0],
            "other_way_round": lambda a, b: b.mean(0) - a.mean(0),
            "unsigned": lambda a, b: (a.mean(0) - b.mean(0)).abs(),
            "per_subject_and_seed": lambda a, b: a - b,
            "best_seed": lambda a, b: a.amax(0) - b.amax(0),
        },
        axes="subject",
    ),
    "interval": Exercise(
        solution=interval,
        inputs=_differences,
        mistakes={
            "single_subjects": lambda d, draws: _between(d),
            "not_averaged": lambda d, draws: _between(d[draws].flatten()),
            "mean_of_draws": lambda d, draws: _between(d[draws].mean(0)),
            "ninety_percent": lambda d, draws: _between(d[draws].mean(-1), (0.05, 0.95)),
            "extremes": lambda d, draws: torch.stack(d[draws].mean(-1).aminmax()),
            "high_first": lambda d, draws: interval(d, draws).flip(0),
            "standard_errors": lambda d, draws: _bell(d, d.std() / len(d) ** 0.5),
            "deviations": lambda d, draws: _bell(d, d[draws].mean(-1).std()),
            "about_the_draws": lambda d, draws: _bell(d[draws].mean(-1), d[draws].mean(-1).std()),
            "of_subjects": lambda d, draws: _bell(d, d.std()),
            "median": lambda d, draws: _between(d[draws].median(-1).values),
        },
        axes="low_high",
    ),
    "claim": Exercise(
        solution=claim,
        inputs=_findings,
        mistakes={
            "seeds_not_asked": lambda low, high, seeds: _outside(low, high),
            "one_sign": lambda low, high, seeds: (
                _outside(low, high) and len(seeds) > 1 and _agree(seeds)
            ),
            "better_only": lambda low, high, seeds: low > 0 and _outside(*seed_interval(seeds)),
            "heads_not_asked": lambda low, high, seeds: _outside(*seed_interval(seeds)),
            "other_way_round": lambda *found: not claim(*found),
            "normal": _beyond(1.96, count=1),
            "one_deviation": _beyond(1.0),
            "two_deviations": _beyond(2.0),
            "biased": _beyond(4.3027, count=1, biased=True),
        },
        sizes=FINDINGS,
    ),
}
