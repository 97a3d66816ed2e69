"""Notebook 06: what learners write about differences and intervals; rows that were not run."""

import csv
import re

import numpy as np
import pytest
import torch

from dcamsr_lite import course
from dcamsr_lite.course import examine
from dcamsr_lite.training.study import read_tables, select_psnr

EXERCISES = course.EXERCISES
ENDS = torch.tensor([-1.0, 1.0])


def own_draws(differences, draws):
    generator = np.random.default_rng(0)
    n = len(differences)
    picks = generator.integers(n, size=(1000, n))
    means = differences.numpy()[picks].mean(1)
    return torch.tensor(np.percentile(means, [2.5, 97.5])).float()


def loop_over_draws(differences, draws):
    means = torch.stack([differences[draw].mean() for draw in draws])
    return torch.quantile(means, torch.tensor([0.025, 0.975]))


def normal(differences, draws):
    half = 1.96 * differences.std() / len(differences) ** 0.5
    return torch.stack([differences.mean() - half, differences.mean() + half])


def agree_in_sign(low, high, seeds):
    return low * high > 0 and len(seeds) > 1 and abs(int(seeds.sign().sum())) == len(seeds)


@pytest.mark.parametrize(
    "name, wrong, named",
    [
        ("ablations.paired", lambda a, b: (a - b).mean(), "not one for all"),
        ("ablations.paired", lambda a, b: (a - b).mean(dim=1), "one number per seed"),
        ("ablations.paired", lambda a, b: a.max(0).values - b.max(0).values, "best seed"),
        ("ablations.interval", normal, "bell"),
        ("ablations.interval", own_draws, "quantiles 0.025"),
        ("ablations.interval", lambda d, draws: d.quantile(torch.tensor([0.025, 0.975])), "single"),
        ("ablations.claim", lambda low, high, seeds: low > 0, "expected"),
        ("ablations.claim", lambda low, high, seeds: low * high > 0, "seeds' own interval"),
        ("ablations.claim", agree_in_sign, "One sign is not enough"),
    ],
)
def test_what_learners_write_is_recognised(name, wrong, named):
    result = examine(EXERCISES[name], wrong)
    assert result.state == "failed"
    assert re.search(named, result.message), result.message


def further_than(share, errors=False, correction=1):
    def claim(low, high, seeds):
        if len(seeds) < 2 or low <= 0 <= high:
            return False
        spread = float(seeds.std(correction=correction)) / (len(seeds) ** 0.5 if errors else 1)
        return abs(float(seeds.mean())) > share * spread

    return claim


@pytest.mark.parametrize(
    "wrong, named",
    [
        (further_than(2, errors=True), "about two standard errors"),
        (further_than(1.96, errors=True), "about two standard errors"),
        (further_than(1), "than one deviation of the seeds"),
        (further_than(2), "Two deviations"),
        (further_than(1.96), "Two deviations"),
        (further_than(4.3027, errors=True, correction=0), "not by one less"),
    ],
)
def test_three_seeds_are_too_few_for_a_normal_deviate(wrong, named):
    """All of these were told to be right."""
    result = examine(EXERCISES["ablations.claim"], wrong)
    assert result.state == "failed"
    assert named in result.message, result.message


def test_a_number_in_a_message_has_its_name():
    """It said "That is for 0.1"."""
    result = examine(EXERCISES["ablations.claim"], lambda low, high, seeds: low > 0)
    assert "low = 0.1, high = " in result.message and "seeds = [" in result.message


@pytest.mark.parametrize(
    "name, wrong",
    [
        ("ablations.paired", lambda a, b: (a - b).median(dim=0).values),
        ("ablations.interval", lambda d, k: d[k].mean(1).mean() + 1.96 * d[k].mean(1).std() * ENDS),
        ("ablations.interval", lambda d, k: d.mean() + 1.96 * d.std() * ENDS),
    ],
)
def test_a_common_mistake_is_not_told_by_the_share_of_values_alone(name, wrong):
    assert "% of the values" not in examine(EXERCISES[name], wrong).message


def test_solutions_in_other_words_pass():
    def claim(low, high, seeds):
        if len(seeds) < 2:
            return False
        half = {2: 12.706, 3: 4.3027}[len(seeds)] * float(seeds.std()) / len(seeds) ** 0.5
        mean = float(seeds.mean())
        return not low <= 0 <= high and (mean - half) * (mean + half) > 0

    assert examine(EXERCISES["ablations.interval"], loop_over_draws).state == "passed"
    assert examine(EXERCISES["ablations.paired"], lambda a, b: (a - b).mean(0)).state == "passed"
    assert examine(EXERCISES["ablations.claim"], claim).state == "passed"


def made_up(row, gain, seeds=3, subjects=8):
    return [
        {
            "data": "simulated",
            "row": row,
            "subject": str(s),
            "seed": str(n),
            "psnr": str(s + gain + n),
        }
        for n in range(seeds)
        for s in range(subjects)
    ]


def test_scores_are_seeds_by_subjects_and_none_where_a_row_was_not_run():
    lines = made_up("corrected", 1.0) + made_up("paper", 0.0, seeds=1)
    assert select_psnr(lines, "corrected").shape == (3, 8)
    assert select_psnr(lines, "corrected")[2, 5] == 8
    assert select_psnr(lines[::-1], "paper").tolist() == [[float(s) for s in range(8)]]
    assert select_psnr(lines, "edsr") is None
    assert select_psnr(lines, "corrected", "real") is None


def test_tables_are_found_and_a_folder_without_them_is_empty(tmp_path):
    assert read_tables(tmp_path) == ([], [])
    with open(tmp_path / "study.csv", "w", newline="") as file:
        writer = csv.DictWriter(file, ["data", "row", "subject", "seed", "psnr"])
        writer.writeheader()
        writer.writerows(made_up("edsr", 0.0, seeds=1))
    study, runs = read_tables(tmp_path)
    assert (select_psnr(study, "edsr").shape, runs) == ((1, 8), [])
