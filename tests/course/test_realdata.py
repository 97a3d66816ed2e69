"""Notebook 09: what learners write, in their own words, and that the course counts as the package."""

import re

import numpy as np
import pytest
import torch

from dcamsr_lite.course import EXERCISES, examine


def rows(kspace):
    return float((kspace.abs().sum(dim=(0, 1, 3)) > 0).double().mean())


def samples(kspace):
    return (kspace != 0).sum() / kspace.numel()


def crop_of_kspace(kspace, shape):
    n, m = kspace.shape[-2:]
    top, left = n // 2 - shape[0] // 2, m // 2 - shape[1] // 2
    return kspace[..., top : top + shape[0], left : left + shape[1]]


def peak_of_the_volume(target, image):
    return np.mean(
        [
            float(10 * torch.log10(target.max() ** 2 / ((t - i) ** 2).mean()))
            for t, i in zip(target, image, strict=True)
        ]
    )


def over_the_volume(target, image):
    return float(20 * torch.log10(target.max() / (target - image).square().mean().sqrt()))


def both_noises(first, second, scale, acquired):
    sigma = (first - second).std()
    kept = torch.tensor(1 - 1 / scale**2 / acquired)
    return float(20 * torch.log10(first.max() / sigma) - 10 * torch.log10(kept))


def one_term(first, second, scale, acquired):
    return float(20 * torch.log10(first.max() / ((first - second).std() / 2**0.5)))


def all_of_kspace(first, second, scale, acquired):
    return one_term(first, second, scale, acquired) - 10 * np.log10(1 - 1 / scale**2)


@pytest.mark.parametrize(
    "name, wrong, named",
    [
        ("realdata.acquired", rows, "along the readout"),
        ("realdata.acquired", samples, "samples that are not zero"),
        ("realdata.cut", crop_of_kspace, "cropped k-space"),
        ("realdata.slice_psnr", peak_of_the_volume, "peak is the volume's"),
        ("realdata.slice_psnr", over_the_volume, "the paper's convention"),
        ("realdata.ceiling", both_noises, "noise of both repetitions"),
        ("realdata.ceiling", one_term, "1 - f. is missing"),
        ("realdata.ceiling", all_of_kspace, "acquired"),
    ],
)
def test_what_learners_write_is_recognised(name, wrong, named):
    result = examine(EXERCISES[name], wrong)
    assert result.state == "failed"
    assert re.search(named, result.message), result.message


def test_a_solution_in_other_words_passes():
    def ceiling(first, second, scale, acquired):
        sigma = torch.std(second - first, correction=0) / np.sqrt(2)
        lost = 1 - 1 / (scale * scale * acquired)
        return float(10 * torch.log10(first.max() ** 2 / (sigma**2 * lost)))

    def acquired(kspace):
        columns = (kspace != 0).any(0).any(0).any(0)
        return columns.sum() / len(columns)

    mine = {"realdata.ceiling": ceiling, "realdata.acquired": acquired}
    for name, solution in mine.items():
        assert examine(EXERCISES[name], solution).state == "passed", name
