"""The second loss: where the attention looks, beside how far the reference was moved."""

import pytest
import torch
from torch.utils.data import TensorDataset

import dcamsr_lite as dl
from dcamsr_lite.data.augmentation import vary
from dcamsr_lite.training.batches import Shares, VariedSlices, make_loader
from dcamsr_lite.training.finding import measure_error, watch
from dcamsr_lite.training.loop import backpropagate, train
from dcamsr_lite.training.recipe import Recipe
from dcamsr_lite.training.run import identify

MOVED = ("misalignment",)


def aligned(size=(32, 32)):
    torch.manual_seed(0)
    return dl.DCAMSR(scale=4, image_size=size, variant="aligned", channels=8, heads=2)


def slices(count=4):
    images = torch.rand(2, count, 1, 32, 32, generator=torch.Generator().manual_seed(1))
    return TensorDataset(torch.rand(count, 1, 8, 8), *images)


def test_what_is_watched_is_what_the_record_says_of_sizes_that_are_padded_too():
    model = aligned((36, 40))
    lr, ref = torch.rand(2, 1, 9, 10), torch.rand(2, 1, 36, 40)
    with watch(model) as found:
        model(lr, ref)
    with dl.trace(model) as record:
        model(lr, ref)
    said = torch.stack([record.displacement(1, batch=i) for i in range(2)])
    everywhere = torch.ones(2, 1, 36, 40)
    everywhere[..., 0, 0] = 0  # a range; the corner is darkest
    assert measure_error(found[0], said, everywhere) < 1e-4
    assert measure_error(found[0], said + 1, everywhere) > 0.99
    model(lr, ref)
    assert len(found) == 1  # nothing is watched any more


def test_the_data_say_how_far_each_reference_was_moved():
    asked = VariedSlices(slices(), 4, MOVED, tell=True)
    images = [asked[i % 4, i] for i in range(24)]
    plain = VariedSlices(slices(), 4, MOVED)[0, 0]
    assert len(plain) == 3 and torch.equal(plain[1], images[0][1])
    still = [torch.equal(ref, slices()[i % 4][1]) for i, (_, ref, *_) in enumerate(images)]
    assert 0 < sum(still) < 24
    assert all(
        (moved.abs().max() == 0) == lies for lies, (*_, moved) in zip(still, images, strict=True)
    )


def test_the_error_reaches_what_finds():
    model, data = aligned(), slices()
    shares = Shares(len(data), 2, 0, range(1), 1)
    batch = next(iter(make_loader(data, shares, 4, MOVED, tell=True)))
    first = model.levels[1].attention
    gradients = []
    for weight in (0.0, 10.0):
        model.zero_grad()
        backpropagate(model, batch, True, 2, Recipe(finding=weight, vary=MOVED))
        gradients.append([first.query.weight.grad.clone(), first.spatial.attention.sharpness.grad])
    for without, with_error in zip(*gradients, strict=True):
        assert with_error.isfinite().all() and not torch.allclose(without, with_error)


def test_training_with_it_ends_and_its_run_is_another_run(tmp_path):
    told = {"steps": 2, "batch": 2, "vary": MOVED, "progress": False}
    train(aligned(), slices(), tmp_path, finding=0.1, **told)
    with pytest.raises(dl.InputError, match="finding"):
        train(aligned(), slices(), tmp_path, resume=True, **told)


def test_states_from_before_it_are_resumed():
    said = identify(Recipe(steps=1), aligned(), slices(), 1, 2)
    assert "finding" not in said


@pytest.mark.parametrize(
    "variant, options, words",
    [
        ("corrected", {"vary": MOVED}, "looks at no offsets"),
        ("aligned", {}, "lie in place"),
        ("aligned", {"vary": MOVED, "compile": True}, "--compile"),
    ],
)
def test_it_is_refused_where_nothing_can_be_found(variant, options, words, tmp_path):
    model = dl.DCAMSR(scale=4, image_size=32, variant=variant, channels=8, heads=2)
    with pytest.raises(dl.InputError, match=words):
        train(model, slices(), tmp_path, steps=1, finding=0.1, progress=False, **options)


def test_a_weight_that_is_none_is_refused():
    for weight in (-1.0, float("nan"), float("inf")):
        with pytest.raises(dl.InputError, match="--finding"):
            Recipe(finding=weight)
    assert len(vary(*slices()[0], scale=4)) == 3
