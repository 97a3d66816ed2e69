"""Notebook 08, when it fails: what learners write, in their own words, is recognised."""

import math
import re

import pytest
import torch

from dcamsr_lite import course, kspace, metrics
from dcamsr_lite.course import examine

EXERCISES = course.EXERCISES


def bands_not_centred(target, image, scale):
    error = torch.fft.fft2(target - image, norm="ortho").abs() ** 2
    kept = kspace.crop_kspace(error, scale).sum() / (target**2).sum()
    return kept.item(), (error.sum() / (target**2).sum() - kept).item()


def bands_as_shares_of_the_error(target, image, scale):
    error = kspace.fft2c(target - image).abs() ** 2
    kept = kspace.crop_kspace(error, scale).sum() / error.sum()
    return kept.item(), 1 - kept.item()


def nearest_point(shifts, psnr, floor):
    return float(shifts[psnr < floor][0])


def last_above(shifts, psnr, floor):
    return float(shifts[int((psnr < floor).int().argmax()) - 1])


def gaussian_only(image, real, imaginary, sigma):
    return image + real * sigma


def noise_power(image, real, imaginary, sigma):
    return torch.sqrt((image + sigma**2 * real) ** 2 + (sigma**2 * imaginary) ** 2)


def weber(image, disc, ring):
    return float((image[disc].mean() - image[ring].mean()) / image[ring].mean())


def masked_by_multiplication(image, disc, ring):
    return (image * disc).mean() - (image * ring).mean()


def strided(output, low, scale):
    return float(((output[:, ::scale, ::scale] - low) ** 2).sum() / (low**2).sum())


def too_bright(output, low, scale):
    crop = kspace.ifft2c(kspace.crop_kspace(kspace.fft2c(output), scale)).abs()
    return float(((crop - low) ** 2).sum() / (low**2).sum())


@pytest.mark.parametrize(
    "name, wrong, named",
    [
        ("bands", bands_not_centred, "transform is not centred"),
        ("bands", bands_as_shares_of_the_error, "not of the error"),
        ("tolerance", nearest_point, "first point below the floor"),
        ("tolerance", last_above, "last point before the crossing"),
        ("noisy", gaussian_only, "magnitude is never negative"),
        ("noisy", noise_power, "you squared it"),
        ("contrast", weber, "divided by the ring's mean"),
        ("contrast", masked_by_multiplication, "count as zeros"),
        ("disagreement", strided, "every scale-th pixel"),
        ("disagreement", too_bright, "times too bright"),
    ],
)
def test_what_learners_write_is_recognised(name, wrong, named):
    result = examine(EXERCISES[f"failures.{name}"], wrong)
    assert result.state == "failed"
    assert re.search(named, result.message), result.message


@pytest.mark.parametrize(
    "never, named",
    [
        (lambda shifts, psnr: float(shifts[-1]), "larger than the last shift"),
        (lambda shifts, psnr: 0.0, "no tolerance of zero"),
        (lambda shifts, psnr: float(psnr[psnr < 0][0]), "if no point lies below"),
    ],
)
def test_a_curve_that_never_falls_to_the_floor_has_its_tolerance_beyond_the_shifts(never, named):
    """The package's own ended in an IndexError, and the check never asked."""
    exercise = EXERCISES["failures.tolerance"]
    shifts, psnr = torch.tensor([0.0, 1.0, 2.0]), torch.tensor([30.0, 29.5, 29.9])
    assert exercise.solution(shifts, psnr, 25.0) == math.inf

    def mine(shifts, psnr, floor):
        if (psnr < floor).any():
            return exercise.solution(shifts, psnr, floor)
        return never(shifts, psnr)

    assert named in examine(exercise, mine).message


def test_a_solution_in_other_words_passes():
    def bands(target, image, scale):
        found = metrics.band_error(target, image, scale)
        return found["measured"], found["removed"]

    def tolerance(shifts, psnr, floor):
        for i in range(1, len(shifts)):
            if psnr[i] < floor:
                slope = (psnr[i] - psnr[i - 1]) / (shifts[i] - shifts[i - 1])
                return float(shifts[i - 1] + (floor - psnr[i - 1]) / slope)
        return math.inf

    def noisy(image, real, imaginary, sigma):
        return torch.hypot(image + sigma * real, sigma * imaginary)

    def contrast(image, disc, ring):
        return (image * disc).sum() / disc.sum() - (image * ring).sum() / ring.sum()

    def disagreement(output, low, scale):
        crop = kspace.ifft2c(kspace.crop_kspace(kspace.fft2c(output), scale)).abs()
        size = output.shape[-1] / low.shape[-1]
        return float(((crop / size - low) ** 2).sum() / (low**2).sum())

    for solution in (bands, tolerance, noisy, contrast, disagreement):
        state = examine(EXERCISES[f"failures.{solution.__name__}"], solution).state
        assert state == "passed", solution.__name__


def test_the_curve_of_the_exercise_crosses_the_floor_more_than_once():
    """Or else the last crossing could not be told from the first."""
    exercise = EXERCISES["failures.tolerance"]
    for size in (6, 9, 12, 16):
        generator = torch.Generator().manual_seed(size)
        _, psnr, floor = exercise.inputs(lambda *s, g=generator: torch.randn(*s, generator=g), size)
        below = (psnr < floor).int()
        assert below[0] == 0 and below[-1] == 1
        assert below.diff().abs().sum() > 1
