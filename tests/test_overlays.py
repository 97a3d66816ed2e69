"""A picture of two contrasts: it shows whether they lie on each other, before and after."""

from dataclasses import replace

import matplotlib.image
import numpy as np
import pytest
import torch
from helpers import phantom

import dcamsr_lite as dl
from dcamsr_lite import cli
from dcamsr_lite.data.registration import Registration
from dcamsr_lite.overlays import draw_overlays, find_rest, foretell, mix_squares


@pytest.fixture
def pair():
    """T2 is a function of T1, so that nothing is left where they lie on each other."""
    image = phantom(3, 48)
    return dl.load_pair(image, (image.max() - image) * (image > 0.1), 4)


def list_titles(figure):
    return [axes.get_title() for axes in figure.axes if axes.get_title()]


def find_share(title):
    return int(title.rpartition(": ")[2].partition("%")[0])


def test_what_is_left_grows_with_the_displacement(pair):
    reference, target = pair.reference_image[1], pair.target_image[1]
    shares = [find_rest(reference.roll(shift, -1), target)[1] for shift in (0, 1, 3)]
    assert shares[0] < 0.1 < shares[1] < shares[2]


def test_a_registered_pair_is_shown_before_and_after(pair):
    before = pair.reference_image.roll(3, -1)
    done = Registration("t1", "t2", 0.0, (0, 0, 9.0), (0, 0, 3.0), 3.0, 0.4, 0.9, unmoved=before)
    figure = draw_overlays(replace(pair, registration=done), 1)
    titles = list_titles(figure)
    assert len(titles) == 8 and "before" in titles[0] and "after" in titles[4]
    assert find_share(titles[3]) > 2 * find_share(titles[7])
    assert "0.0, 0.0, 3.0 pixels" in figure.get_suptitle().replace("\n", " ")
    shown = figure.axes[0].images[0].get_array()
    np.testing.assert_allclose(shown, before[1])


def test_grey_levels_foretell_a_function_of_them_and_no_more():
    torch.manual_seed(0)
    reference = torch.rand(64, 64) * (torch.rand(64, 64) > 0.5)  # half of it is blank
    error = foretell(reference, reference.square()) - reference.square()
    assert error.square().mean() < 1e-2 * reference.square().var()
    independent = torch.rand(64, 64)
    left = independent - foretell(reference, independent)
    assert left.var() > 0.95 * independent.var()


def test_squares_are_of_both_images_and_blank_ones_can_be_drawn():
    mixed = mix_squares(torch.ones(32, 32), torch.zeros(32, 32))
    assert mixed.mean() == 0.5 and mixed[0, 0] == mixed[4, 4] == 1 and mixed[0, 4] == 0
    figure = draw_overlays(dl.load_pair(torch.rand(2, 16, 16), phantom(2, 16), 2).with_reference(
        torch.zeros(2, 16, 16)
    ))  # fmt: skip
    figure.draw_without_rendering()


def test_the_command_writes_a_picture(tmp_path, capsys):
    for name, seed in (("t1", 0), ("t2", 1)):
        np.save(tmp_path / f"{name}.npy", phantom(2, 32, seed).numpy())
    files = ["--reference", str(tmp_path / "t1.npy"), "--target", str(tmp_path / "t2.npy")]
    asked = ["figure", *files, "--scale", "4", "--out", str(tmp_path / "both.png")]
    assert cli.main([*asked, "--slice", "1"]) == 0
    assert matplotlib.image.imread(tmp_path / "both.png").shape[1] > 900
    assert "wrote" in capsys.readouterr().out
    for wrong in (["--slice", "2"], ["--out", str(tmp_path / "both.jpg")]):
        assert cli.main([*asked, *wrong]) == 2
