"""``evaluate`` and ``super_resolve`` take a network, a method's name, or any function of two images."""

import inspect
import json
from pathlib import Path

import numpy as np
import pytest
import torch

import dcamsr_lite as dl
from dcamsr_lite.figures import overview
from dcamsr_lite.training.dataset import cut_slices, hash_pair
from dcamsr_lite.training.study import Study, make_test_pairs, make_training_slices


def copy_reference(lr, ref):
    return ref


class Upsample(torch.nn.Module):
    """A student's network: no configuration of ours."""

    def __init__(self):
        super().__init__()
        self.gain, self.seen = torch.nn.Parameter(torch.ones(1)), []

    def forward(self, lr, ref):
        self.seen.append(self.training)
        return self.gain * torch.nn.functional.interpolate(lr, ref.shape[-2:])


@pytest.fixture(scope="module")
def head():
    return np.random.default_rng(0).random((2, 32, 36), np.float32)


@pytest.fixture(scope="module")
def folder(tmp_path_factory, head):
    from dcamsr_lite.data.hdf5 import write_m4raw
    from dcamsr_lite.kspace import fft2c

    folder, kspace = tmp_path_factory.mktemp("study"), fft2c(torch.tensor(head))[:, None]
    for contrast in ("T1", "T2"):
        protocol = {"tr": 500, "te": 18, "flip": 90}
        write_m4raw(folder / f"7_{contrast}01.h5", kspace, f"AX{contrast}", protocol, "7")
    return folder


def test_both_orders_give_the_same(head):
    pairs, model = [dl.load_pair(head, 2 * head, 4), (head, head)], dl.DCAMSR(image_size=32)
    asked = dl.evaluate(model, pairs)
    assert asked == dl.evaluate(pairs, 4, "dcamsr", model) == dl.evaluate(pairs, 4, model=model)
    assert asked == dl.evaluate(pairs=pairs, scale=4, model=model)
    assert asked == dl.evaluate(model_or_method=model, pairs=iter(pairs), scale=4)
    floor = dl.evaluate("bicubic", pairs)
    assert floor == dl.evaluate(pairs, 4, "bicubic") == dl.evaluate(pairs, 4, method="bicubic")
    assert floor == dl.evaluate(pairs=pairs, scale=4, method="bicubic")
    assert (floor["method"], floor["variant"], floor["scale"]) == ("bicubic", None, 4)


def test_the_scale_is_the_models_or_the_pairs(head):
    assert dl.evaluate(dl.DCAMSR(scale=2, image_size=32), [(head, head)])["scale"] == 2
    assert dl.evaluate("zero-fill", [dl.load_pair(head, head, 3)])["scale"] == 3
    with pytest.raises(dl.InputError, match="scale: found none, neither in the model nor"):
        dl.evaluate("zero-fill", [(head, head)])
    mixed = [dl.load_pair(head, head, scale) for scale in (2, 4)]
    with pytest.raises(
        dl.InputError, match="pair: found one for 4x; expected one for the asked 2x"
    ):
        dl.evaluate("zero-fill", mixed)


def test_one_pair_may_come_alone(head):
    pair = dl.load_pair(head, head, 4)
    alone = dl.evaluate("zero-fill", pair)
    assert alone == dl.evaluate("zero-fill", (head, head), 4) == dl.evaluate("zero-fill", [pair])
    assert alone == dl.evaluate(pair, 4, "zero-fill") == dl.evaluate((head, head), 4, "zero-fill")


def test_a_subject_is_no_scale(folder, head):
    rows = dl.find_pairs(folder)
    found = dl.evaluate("zero-fill", rows, 4)
    assert found == dl.evaluate(rows, 4, "zero-fill") == dl.evaluate("zero-fill", [*rows], 4)
    assert dl.evaluate("zero-fill", rows[0], 4)["volumes"] == 1
    assert Path(found["per_volume"][0]["target"]).name == "7_T201.h5"
    assert dl.evaluate("zero-fill", [(head, head, 2)], 4)["scale"] == 4  # a subject of that number
    with pytest.raises(dl.InputError, match="scale: found none"):
        dl.evaluate("zero-fill", rows)
    for pairs in (rows, (head, head)):
        with pytest.raises(dl.InputError, match="no model; expected one, for example load"):
            dl.evaluate(pairs, 4)


def test_rows_of_a_search_fit_what_takes_pairs(folder, head):
    """Whose subject is no scale, no order, and no third volume."""
    rows = dl.find_pairs(folder)
    (reference, target, _), first = rows[0], dl.load_pair(*rows[0][:2], 4)
    pair = dl.load_pair(*rows[0], 4)
    assert torch.equal(pair.lr, first.lr) and (pair.scale, pair.order) == (4, first.order)
    assert dl.load_pair(*rows[0], 4, normalisation="released").normalisation == "released"
    wanted = cut_slices([(reference, target)], 4)
    assert all(map(torch.equal, cut_slices(rows, 4), wanted))
    assert hash_pair(rows[0], 4) == hash_pair((reference, target), 4)
    study = Study(subjects=0, tests=0)
    assert all(map(torch.equal, make_training_slices(study, rows), wanted))
    assert torch.equal(make_test_pairs(study, rows)[0][2].lr, first.lr)
    made = dl.load_pair(head, 2 * head, 4)
    volumes = made.reference, made.given  # as ``simulated_volumes`` gives them
    assert all(map(torch.equal, cut_slices([made], 4), cut_slices([volumes], 4)))
    assert dl.evaluate("zero-fill", volumes, 4)["volumes"] == 1
    with pytest.raises(dl.InputError, match="did not keep the k-space of its file"):
        cut_slices([first], 4)


def test_any_function_of_two_images_is_scored(head):
    pair, model = dl.load_pair(head, head, 3), Upsample().train()
    found = dl.evaluate(copy_reference, pair)
    assert (found["method"], found["variant"]) == ("copy_reference", None)
    assert found["psnr"] == dl.psnr(head, dl.super_resolve(copy_reference, pair))
    assert dl.evaluate(model, [pair], 3)["method"] == "Upsample"
    assert model.training and model.seen == [False, False]  # in eval mode, slice by slice
    image = dl.super_resolve(model, pair)
    assert image.shape == head.shape and not image.requires_grad


def test_what_cannot_be_scored_ends_in_one_sentence(head):
    pair = dl.load_pair(head, head, 4)
    for wrong, words in (
        (("magic", [pair]), "method: found 'magic'; expected dcamsr or one of .*zero-fill"),
        (("dcamsr", [pair]), "no model"),
        (
            ("zero-fill", [head], 4),
            "pairs: found a ndarray among them; expected Pairs, or rows",
        ),
        (("zero-fill", [Path("t1.nii")], 4), "found a .*Path among them; expected Pairs, or rows"),
        (("zero-fill", "study", 4), "pairs: found 'study'"),
        (("zero-fill", Path("study"), 4), "pairs: found .*study.*; expected Pairs or rows"),
        (("zero-fill", None, 4), "pairs: found None"),
        ((), "method dcamsr: found no model"),
        ((lambda lr, ref: lr, [pair]), r"f: found an output \(1, 1, 8, 10\); expected one of"),
        ((lambda lr, ref: None, [pair]), "f: found an output NoneType"),
        (
            (dl.DCAMSR(scale=2, image_size=32), [pair]),
            "found one for 4x; expected one for the asked 2x",
        ),
        ((dl.DCAMSR(scale=2, image_size=32), [pair], 4), "found a network for 2x"),
    ):
        with pytest.raises(dl.InputError, match=words):
            dl.evaluate(*wrong)
    with pytest.raises(dl.InputError, match="model: found int; expected a function"):
        dl.super_resolve(4, pair)


def test_only_the_attention_of_a_dcamsr_is_recorded_and_cut(head):
    for model in (copy_reference, Upsample(), dl.baseline("concatenation", image_size=32)):
        for attempt in (dl.trace, dl.intervene):
            with pytest.raises(
                dl.InputError, match="expected a DCAMSR, whose attention is what we"
            ):
                with attempt(model):
                    pass


def test_any_function_is_tried_with_another_reference(head):
    pair = dl.load_pair(head, head, 4)
    found = dl.run_intervention(copy_reference, pair, 0, dl.Intervention("blank"))
    assert found.change < 0 and found.output.std() < 1e-6
    cut = dl.Intervention(cuts=(dl.Cut("spatial", "off"),))
    with pytest.raises(dl.InputError, match="a DCAMSR, whose attention is what we cut"):
        dl.run_intervention(copy_reference, pair, 0, cut)


def test_a_method_that_gives_no_finite_numbers_is_named(head):
    def explode(lr, ref):
        return ref * float("inf")

    class Vanish(Upsample):
        def forward(self, lr, ref):
            return super().forward(lr, ref) * float("nan")

    for method, name, what in (
        (explode, "explode", "NaN|infinity"),
        (Vanish(), "Vanish", "NaN in 2304 of 2304 values"),
    ):
        with pytest.raises(dl.InputError, match=f"output of {name}: found .*({what})"):
            dl.evaluate(method, (head, head), 4)


def test_a_model_behind_its_pairs_is_told_the_order(head):
    model = dl.DCAMSR(image_size=32)
    pair = dl.load_pair(head, head, 4)
    for wrong in (((head, head), model, 4), (pair, model), ((head, head), 4, model)):
        with pytest.raises(dl.InputError, match=r"the order evaluate\(model, pairs, scale\)"):
            dl.evaluate(*wrong)


def test_a_scale_of_numpy_is_a_whole_number(head):
    four = np.int64(4)
    for pair in (dl.load_pair(head, head, four), dl.load_input(head, head[:, ::4, ::4], four)):
        assert type(pair.scale) is int
    found = dl.evaluate("zero-fill", (head, head), four)
    assert found == dl.evaluate("zero-fill", (head, head), 4) and json.dumps(found)
    assert dl.load_pair(head, head, "7", np.uint8(4)).scale == 4  # a row of a search
    for scale in (4.0, "4", True, np.int64(9), np.float64(4)):
        with pytest.raises(
            dl.InputError, match="scale: found .*expected a whole number from 2 to 8"
        ):
            dl.evaluate("zero-fill", (head, head), scale)


@pytest.fixture
def pairs(head):
    return {n: dl.load_pair(head, head, 4, normalisation=n) for n in ("clean", "released")}


@pytest.mark.parametrize(
    "known", ["clean", *(pytest.param(n, marks=pytest.mark.slow) for n in ("released", None))]
)
def test_a_pair_of_another_normalisation_than_the_networks_is_said_once(known, pairs, capsys):
    model = dl.DCAMSR(image_size=32, channels=8, heads=2, tokens=4)
    model.normalisation = known
    dl.save(model, "known.safetensors")
    for network in (model, dl.load("known.safetensors"), torch.nn.DataParallel(model)):
        for run in (
            lambda f, pair: dl.evaluate(f, [pair, pair]),
            dl.super_resolve,
            dl.explore,
            dl.explore_attribution,
            dl.intervention_lab,
            lambda f, pair: dl.run_intervention(f, pair, 0, dl.Intervention("blank")),
            overview,
        ):
            for name, pair in pairs.items():
                if network is not model and run is not dl.super_resolve:
                    continue  # others know of it in the same way
                run(network, pair)
                words = f"warning: the network was trained with {known} normalisation, the pair has"
                lines = capsys.readouterr().err.splitlines()
                assert len(lines) == (known not in (None, name)), (run, name, lines)
                assert all(line.startswith(f"{words} the {name} one") for line in lines)


def test_what_a_known_base_is_given_for_is_not_said_again(pairs, capsys):
    model = dl.DCAMSR(image_size=32, channels=8, heads=2, tokens=4)
    model.normalisation = "clean"
    base = dl.run_intervention(model, pairs["released"], 0)
    assert capsys.readouterr().err.count("normalisation") == 1
    dl.run_intervention(model, pairs["released"], 0, dl.Intervention("blank"), base=base)
    assert capsys.readouterr().err == ""


def test_whatever_takes_a_network_and_a_pair_says_another_normalisation(pairs, capsys):
    """Of `dl`'s names, also those to come."""
    model = dl.DCAMSR(image_size=32, channels=8, heads=2, tokens=4)
    model.normalisation = "clean"
    networks = dict.fromkeys(("model", "models", "f", "model_or_method"), model)
    known = networks | {"pair": pairs["released"], "pairs": pairs["released"], "slice": 0}
    found = 0
    for run in filter(inspect.isfunction, (getattr(dl, name) for name in dl.__all__)):
        asked = [*inspect.signature(run).parameters]
        if {*asked[:1]} & {*networks} and {"pair", "pairs"} & set(asked):
            run(*(known[name] for name in asked[: 3 if "slice" in asked[:3] else 2]))
            assert "trained with clean normalisation" in capsys.readouterr().err, run
            found += 1
    assert found >= 6


def test_rows_are_read_with_the_normalisation_of_the_network(head, pairs, capsys):
    model = dl.DCAMSR(image_size=32)
    for model.normalisation in ("clean", "released", "of another file", None):
        expected = dl.evaluate(model, pairs.get(model.normalisation, pairs["clean"]))
        assert dl.evaluate(model, (head, head)) == expected
    assert capsys.readouterr().err == ""


def test_named_weights_are_clean_and_nothing_is_known_of_others():
    assert {dl.load(name).normalisation for name in dl.weights()} == {"clean"}
    dl.save(dl.DCAMSR(image_size=32), "unknown.safetensors")
    assert dl.load("unknown.safetensors").normalisation is None
