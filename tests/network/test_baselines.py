"""What the paper compares with: each does what its name says, and can be used as DCAMSR is."""

import json
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from einops import rearrange
from helpers import awake, coil_kspace, phantom

import dcamsr_lite as dl
from dcamsr_lite.cli import main
from dcamsr_lite.data.pairs import load_pair
from dcamsr_lite.kspace import (
    center_crop,
    crop_kspace,
    degrade,
    fft2c,
    ifft2c,
    restore_measured,
)
from dcamsr_lite.metrics import psnr
from dcamsr_lite.network.baselines import NETWORKS
from dcamsr_lite.network.baselines.elan import MultiSizeAttention, SharedPair, ShiftConv
from dcamsr_lite.network.baselines.masa import coarse_to_fine
from dcamsr_lite.network.baselines.matching import (
    as_blurred_as_the_input,
    best_of_all,
    gather,
    transfer,
)
from dcamsr_lite.network.baselines.minet import SeparableFusion, StageIntegration
from dcamsr_lite.network.baselines.swinir import WINDOW, SwinLayer, image, windows
from dcamsr_lite.training.dataset import cut_slices
from dcamsr_lite.training.loop import train

ALONE = ("edsr", "swinir", "elan")  # without a reference


def small(method: str, **options) -> torch.nn.Module:
    return dl.baseline(method, image_size=32, **options)


# --- all of them ----------------------------------------------------------------------------------


@pytest.mark.parametrize("scale", [2, 4])
@pytest.mark.parametrize("method", NETWORKS)
def test_any_size_at_both_scales(method, scale):
    model = small(method, scale=scale).eval()
    for rows, columns in ((3, 7), (9, 6)):
        lr, ref = torch.rand(1, 1, rows, columns), torch.rand(1, 1, rows * scale, columns * scale)
        with torch.inference_mode():
            assert model(lr, ref).shape == ref.shape
            assert model(lr).shape == ref.shape


@pytest.mark.parametrize("method", NETWORKS)
def test_gradients_reach_every_parameter(method, images):
    model = awake(small(method)).train()
    sr = model(*images)
    (sr * torch.randn(sr.shape)).sum().backward()
    without = [n for n, p in model.named_parameters() if p.grad is None or not p.grad.any()]
    assert not without


@pytest.mark.parametrize("method", NETWORKS)
@torch.inference_mode()
def test_the_reference_matters_unless_the_method_has_none(method, images):
    lr, ref = images
    model = awake(small(method))
    same = torch.equal(model(lr, ref), model(lr, ref.flip(-1)))
    assert same == (method in ALONE)
    blind = awake(small(method, reference=False))
    assert torch.equal(blind(lr, ref), blind(lr))


@pytest.mark.parametrize("method", NETWORKS)
def test_saved_weights_load_the_same_and_say_what_they_are(method, images):
    model = awake(small(method, channels=12 if method == "elan" else 16, heads=4))
    dl.save(model, "w.safetensors", dtype=torch.float32)
    again = dl.load("w.safetensors")
    assert again.config == model.config and type(again) is type(model)
    with torch.inference_mode():
        assert torch.equal(again(*images), model(*images))


@pytest.mark.parametrize("method", NETWORKS)
def test_about_as_many_parameters_as_dcamsr(method):
    for preset, tolerance in (("lite", 0.05), ("full", 0.08)):
        size = {"image_size": 256 if preset == "full" else 128, "preset": preset}
        ours, theirs = (
            sum(p.numel() for p in model.parameters())
            for model in (dl.DCAMSR(**size), dl.baseline(method, **size))
        )
        assert abs(theirs / ours - 1) < tolerance, (preset, theirs, ours)


def test_wrong_names_say_which_there_are():
    with pytest.raises(ValueError, match="expected one of .'concatenation'"):
        dl.baseline("dcamsr")
    with pytest.raises(ValueError, match="method is 'srgan'"):
        dl.DCAMSR(method="srgan")
    with pytest.raises(ValueError, match="baseline"):
        dl.DCAMSR(method="ttsr")
    with pytest.raises(ValueError, match="unknown option"):
        dl.baseline("edsr", depth=3)


@pytest.mark.slow
@pytest.mark.parametrize("method", [*NETWORKS])
def test_a_few_steps_beat_zero_fill(method, volumes):
    """A toy: one pair of three slices, 32 x 32, seen again and again."""
    torch.manual_seed(0)
    model = small(method, consistency=False)
    tensors = cut_slices([volumes], scale=4, flip=False)
    train(model, tensors, "run", steps=100, batch=3, rate=1e-3, every=100, progress=False)
    pair = load_pair(*volumes, 4)
    floor = psnr(pair.target_image, pair.zero_filled)
    assert psnr(pair.target_image, dl.super_resolve(model, pair)) > floor + 0.5


def test_the_command_line_trains_and_scores_a_baseline(volumes, capsys):
    Path("pairs.csv").write_text(f"{volumes[0]},{volumes[1]}\n")
    command = ["train", "--data", "pairs.csv", "--out", "run", "--steps", "2", "--method", "edsr"]
    assert main([*command, "--set", "blocks=[1]"]) == 0
    assert json.loads(Path("run/config.json").read_text())["method"] == "edsr"
    judge = ["evaluate", "--reference", str(volumes[0]), "--target", str(volumes[1])]
    judge += ["--scale", "4", "--weights", "run/last.safetensors", "--json"]
    capsys.readouterr()
    assert main(judge) == 0
    scored = json.loads(capsys.readouterr().out)
    assert scored["method"] == "edsr" and scored["variant"] is None
    assert main([*command[:-1], "srgan"]) == 2
    assert "concatenation" in capsys.readouterr().err


# --- hard attention -------------------------------------------------------------------------------


def planted(height: int, width: int, rows: int, columns: int):
    """A key in which the query's block is hidden elsewhere: query, key, where it went."""
    generator = torch.Generator().manual_seed(4)
    query, key = torch.randn(2, 1, 8, height, width, generator=generator)
    key[..., 5 : 5 + rows, 6 : 6 + columns] = query[..., :rows, :columns]
    return query, key, (5, 6)


def test_hard_attention_takes_the_planted_patch():
    query, key, (row, column) = planted(12, 14, 4, 4)
    index = rearrange(best_of_all(query, key), "1 (h w) -> h w", w=14)
    for y, x in ((1, 1), (2, 2), (1, 2)):
        assert index[y, x] == (row + y) * 14 + column + x
    model = awake(small("ttsr"))
    index, score = model.match(query, key)
    assert score[0, 0, 1, 1] == pytest.approx(1, abs=1e-5)
    assert score[0, 0, 8:].max() < 0.9  # nothing alike was planted for these


def test_coarse_to_fine_finds_the_planted_block():
    query, key, (row, column) = planted(16, 16, 8, 8)
    index = rearrange(coarse_to_fine(query, key), "1 (h w) -> h w", w=16)
    y, x = torch.meshgrid(torch.arange(1, 7), torch.arange(1, 7), indexing="ij")
    assert torch.equal(index[1:7, 1:7], (row + y) * 16 + column + x)


def test_coarse_to_fine_looks_only_around_the_block_that_it_found():
    query, key, _ = planted(32, 32, 8, 8)
    lone = query[..., 0:3, 0:3].clone()
    key[..., 5:8, 6:9] = 0  # the corner's own patch is taken out of the planted block ...
    key[..., 26:29, 26:29] = lone  # ... and hidden far away
    far, near = best_of_all(query, key), coarse_to_fine(query, key)
    assert far[0, 33] == 27 * 32 + 27
    assert near[0, 33] // 32 < 5 + 8 + 3 and near[0, 33] % 32 < 6 + 8 + 3


def test_matched_patches_are_laid_as_folding_lays_them():
    value, index = torch.rand(2, 3, 12, 18), torch.randint(0, 24, (2, 24))
    how = {"kernel_size": 9, "stride": 3, "padding": 3}

    def lay(image):
        cut = rearrange(F.unfold(image, **how), "b c n -> b n c")
        return F.fold(rearrange(gather(cut, index), "b n c -> b c n"), (12, 18), **how)

    expected = lay(value) / lay(torch.ones_like(value))
    torch.testing.assert_close(transfer(value, index, 3), expected)


def test_the_key_is_blurred_as_the_input_is():
    reference = torch.randn(1, 1, 32, 32)
    outside = fft2c(as_blurred_as_the_input(reference, 4)).abs()
    outside[..., 12:21, 12:21] = 0
    assert outside.max() < 1e-5


@torch.inference_mode()
def test_mcmrsr_matches_two_levels_by_their_own_features(images, monkeypatch):
    model, grids = awake(small("mcmrsr")), []
    match = model.match
    monkeypatch.setattr(model, "match", lambda q, k: grids.append(q.shape[-1]) or match(q, k))
    model(*images)
    assert grids == [16, 8]


# --- windows --------------------------------------------------------------------------------------


def touched(layer, row: int, column: int) -> torch.Tensor:
    """Which pixels of a 16 x 24 image change when one of them does."""
    x = torch.randn(1, 8, 16, 24)
    moved = x.clone()
    moved[:, 0, row, column] += 1  # in all channels alike the norm would take it away
    with torch.inference_mode():
        return ((layer(moved) - layer(x)).abs().amax((0, 1)) > 1e-6).int()


def test_windows_confine_attention_and_shifted_ones_reach_across():
    straight, shifted = (awake(SwinLayer(8, 2, s)) for s in (False, True))
    expected = torch.zeros(16, 24, dtype=torch.int)
    expected[:8, 8:16] = 1
    assert torch.equal(touched(straight, 6, 9), expected)
    expected = torch.zeros(16, 24, dtype=torch.int)
    expected[4:12, 4:12] = 1
    assert torch.equal(touched(shifted, 6, 9), expected)
    # rolled around the border, opposite corners share a window but do not meet
    expected = torch.zeros(16, 24, dtype=torch.int)
    expected[:4, :4] = 1
    assert torch.equal(touched(shifted, 1, 1), expected)


def test_windows_are_cut_and_put_back():
    x = torch.rand(2, 3, 16, 24)
    assert torch.equal(image(windows(x), 16), x)
    assert torch.equal(windows(x)[1, 1, 0], x[1, :, 0, WINDOW])


def test_elan_shifts_a_fifth_of_the_channels_each_way():
    conv = ShiftConv(5, 5)
    torch.nn.init.dirac_(conv.mix.weight)
    torch.nn.init.zeros_(conv.mix.bias)
    x = torch.rand(1, 5, 4, 6)
    y = conv(x)[0]
    assert torch.equal(y[0, :, 1:], x[0, 0, :, :-1]) and not y[0, :, 0].any()
    assert torch.equal(y[3, :-1], x[0, 3, 1:]) and torch.equal(y[4], x[0, 4])


def test_elan_uses_its_maps_twice_in_windows_of_three_sizes():
    first, second = SharedPair(12).attend
    x = torch.rand(1, 12, 16, 32)
    _, maps = first(x, None)
    assert [tuple(m.shape[1:]) for m in maps] == [(32, 16, 16), (8, 64, 64), (2, 256, 256)]
    assert second.query is None
    assert second(x, maps)[1] is maps
    attend = awake(MultiSizeAttention(12, query=True))
    changed = touched_channels(attend)
    assert changed == [16, 64, 256]


def touched_channels(attend) -> list[int]:
    """How many pixels of each third of the channels answer to one pixel."""
    torch.nn.init.dirac_(attend.out.weight)
    torch.nn.init.dirac_(attend.value.weight)
    x = torch.randn(1, 12, 16, 32)
    moved = x.clone()
    moved[..., 5, 6] += 1
    with torch.inference_mode():
        change = (attend(moved, None)[0] - attend(x, None)[0]).abs() > 1e-7
    return [int(part.any(1).sum()) for part in change.chunk(3, dim=1)]


# --- stages ---------------------------------------------------------------------------------------


@torch.inference_mode()
def test_minet_mixes_stages_by_their_likeness_and_sanet_splits_the_reference():
    stages = torch.randn(1, 4, 8, 6, 6)
    stages[:, 2] = 3 * stages[:, 0]
    integrate = StageIntegration()
    weights = integrate.weights(stages)
    torch.testing.assert_close(weights.sum(-1), torch.ones(1, 4))
    assert weights[0, 0, 2] == pytest.approx(float(weights[0, 0, 0]), abs=1e-5)
    assert weights[0, 0, 2] > 2 * weights[0, 0, 1]
    x, reference = torch.rand(2, 1, 8, 6, 6)
    torch.testing.assert_close(sum(SeparableFusion(8).separate(x, reference)), reference)


@torch.inference_mode()
def test_concatenation_sees_its_own_surroundings_only():
    """The control: a far pixel of the reference does not reach the join; it reaches attention."""
    concatenation = awake(dl.baseline("concatenation", blocks=(0, 0, 0)))
    attention = awake(dl.DCAMSR(channel=False))
    x, reference = torch.randn(2, 1, 32, 64, 64)
    moved = reference.clone()
    moved[:, 0, 2, 2] += 5
    for texture, reaches in (
        (lambda r: concatenation.joins[0](torch.cat([x, r], dim=1)), False),
        (lambda r: attention.transformers["1"](x, r), True),
    ):
        change = (texture(reference) - texture(moved)).abs().amax((0, 1))
        assert change[:8, :8].max() > 1e-3
        assert bool(change[40:, 40:].any()) == reaches


# --- data consistency -----------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(8, 8), (9, 7), (6, 9)])
@pytest.mark.parametrize("scale", [2, 4])
@pytest.mark.parametrize("dtype", [torch.float64, torch.complex128])
def test_consistency_restores_the_measured_kspace_exactly(dtype, scale, shape):
    low = torch.randn(2, *shape, dtype=dtype)
    sr = torch.randn(2, *(scale * side for side in shape), dtype=dtype)
    restored = restore_measured(sr, low)
    assert restored.dtype == dtype
    measured = center_crop(fft2c(restored), shape)
    torch.testing.assert_close(measured, scale * fft2c(low))
    torch.testing.assert_close(restore_measured(restored, low), restored)
    if dtype.is_complex:  # and nothing else is touched
        change = fft2c(restored - sr)
        assert center_crop(change, shape).norm() == pytest.approx(float(change.norm()))


def test_consistency_leaves_a_complex_truth_alone_but_not_a_magnitude_truth():
    """The magnitude of a cropped image is not a crop of the magnitude image's k-space."""
    kspace = coil_kspace(1, 64)[0]
    coil = ifft2c(kspace)
    low = ifft2c(crop_kspace(kspace, 4)) / 4
    torch.testing.assert_close(restore_measured(coil, low), coil, atol=1e-5, rtol=1e-5)
    truth = phantom(1, 64)
    for data, order in ((kspace, "coils"), (truth, "image")):
        full = ifft2c(data).abs().square().sum(0, keepdim=True).sqrt() if order == "coils" else data
        changed = restore_measured(full, degrade(data, 4, order).view(1, 16, 16))
        assert (changed - full).norm() > 1e-3 * full.norm()


@pytest.mark.parametrize("method", ["dcamsr", "mcmrsr"])
@torch.inference_mode()
def test_networks_with_consistency_keep_what_was_measured(method, images):
    lr, ref = images
    options = {"consistency": True} if method == "dcamsr" else {}
    made = dl.DCAMSR(image_size=32, **options) if method == "dcamsr" else small(method)
    made = awake(made)
    sr = made(lr, ref)
    torch.testing.assert_close(center_crop(fft2c(sr), (8, 8)), 4 * fft2c(lr), atol=1e-4, rtol=1e-4)
    without = awake(
        dl.DCAMSR(image_size=32) if method == "dcamsr" else small(method, consistency=False)
    )
    without = center_crop(fft2c(without(lr, ref)), (8, 8))
    assert (without - 4 * fft2c(lr)).abs().max() > 1e-2
