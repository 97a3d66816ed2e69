"""What is done here leaves torch's random numbers and its default precision to their owner."""

import pytest
import torch
from helpers import phantom

import dcamsr_lite as dl
from dcamsr_lite.training.dataset import cut_slices
from dcamsr_lite.training.loop import train
from dcamsr_lite.training.study import Study, make_test_pairs, make_training_slices, train_row

SMALL = {"channels": 8, "heads": 2, "tokens": 16}


def goes_on(work) -> bool:
    """Whether the next random number is what it would have been without the work."""
    torch.manual_seed(7)
    expected = torch.rand(1)
    torch.manual_seed(7)
    work()
    return torch.equal(torch.rand(1), expected) and torch.get_default_dtype() == torch.float32


def test_loading_draws_no_random_number():
    assert goes_on(lambda: dl.load("lite-4x"))
    dl.save(dl.DCAMSR(image_size=32, variant="released", **SMALL), "mine.safetensors")
    assert goes_on(lambda: dl.load("mine.safetensors"))


def test_training_reseeds_nothing():
    data = cut_slices([(phantom(2, 32, 1), phantom(2, 32, 2))], scale=4)
    model = dl.DCAMSR(image_size=32, dropout=0.1, **SMALL)
    assert goes_on(lambda: train(model, data, "run", steps=2, batch=2, progress=False))


@pytest.mark.slow
def test_a_study_reseeds_nothing():
    study = Study(size=32, steps=1, subjects=1, tests=1, slices=1, network=SMALL)
    data = make_training_slices(study), make_test_pairs(study)
    assert goes_on(lambda: train_row(study, "no_spatial", 0, "work", *data))


@pytest.mark.slow
def test_what_is_seeded_by_itself_draws_nothing_else():
    pair = dl.load_pair(phantom(1, 32, 1), phantom(1, 32, 2), 4)
    model = dl.DCAMSR(image_size=32, **SMALL)
    explorer = dl.explore_attribution(model, pair)
    explorer.patch = [8, 8, 4, 4]
    for work in (
        lambda: dl.simulated_volumes(3, size=32, slices=1),
        lambda: dl.run_intervention(model, pair, 0, dl.Intervention("noise")),
        lambda: explorer.run("blur_path", "occlusion"),
        lambda: dl.explore(model, pair),
    ):
        assert goes_on(work)
