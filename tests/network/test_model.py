"""Shapes, sizes, modes and refusals of the whole network."""

import pytest
import torch
import torch.nn.functional as F
from helpers import awake
from hypothesis import given
from hypothesis import strategies as st

import dcamsr_lite as dl
from dcamsr_lite.kspace import degrade, upsample_fourier
from dcamsr_lite.network.config import PRESETS, VARIANTS
from dcamsr_lite.network.model import SpatialAdaptation, upsample


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("scale", [2, 4])
@pytest.mark.parametrize("preset", PRESETS)
def test_every_variant_preset_and_scale_runs(variant, scale, preset):
    model = dl.DCAMSR(scale=scale, image_size=(32, 48), variant=variant, preset=preset).eval()
    lr, ref = torch.rand(1, 1, 32 // scale, 48 // scale), torch.rand(1, 1, 32, 48)
    with torch.inference_mode():
        assert model(lr, ref).shape == (1, 1, 32, 48)


@given(st.integers(3, 14), st.integers(3, 14), st.sampled_from([2, 4]))
def test_the_corrected_network_takes_any_size(rows, columns, scale):
    model = dl.DCAMSR(scale=scale, image_size=32).eval()
    lr = torch.rand(1, 1, rows, columns)
    ref = torch.rand(1, 1, rows * scale, columns * scale)
    with torch.inference_mode():
        assert model(lr, ref).shape == ref.shape


@pytest.mark.parametrize("size", [8, (8, 40)])
def test_the_smallest_network_is_finite(size):
    model = dl.DCAMSR(scale=4, image_size=size)
    lr, ref = torch.rand(1, 1, 2, 2), torch.rand(1, 1, 8, 8)
    sr = model(lr, ref)
    sr.square().mean().backward()
    assert bool(sr.isfinite().all())
    assert all(bool(p.grad.isfinite().all()) for p in model.parameters() if p.grad is not None)


@pytest.mark.parametrize("mode", ["reference", "multiscale", "channel", "spatial"])
@pytest.mark.parametrize("variant", VARIANTS)
def test_every_mode_trains_every_parameter_that_it_keeps(mode, variant, images):
    model = awake(dl.DCAMSR(image_size=32, variant=variant, **{mode: False})).train()
    model(*images).square().mean().backward()
    without = [n for n, p in model.named_parameters() if p.grad is None or not p.grad.any()]
    # a bias that shifts all logits of a row alike may not matter
    assert not [n for n in without if not n.endswith("bias")]


def test_modes_change_what_the_network_looks_at(images):
    lr, ref = images
    other = ref.flip(-1)
    guided, alone = (
        awake(dl.DCAMSR(image_size=32)),
        awake(dl.DCAMSR(image_size=32, reference=False)),
    )
    with torch.inference_mode():
        assert not torch.allclose(guided(lr, ref), guided(lr, other))
        assert torch.equal(alone(lr, ref), alone(lr, other))
        assert torch.equal(alone(lr), alone(lr, ref))
        up = upsample_fourier(lr, 4)
        assert torch.allclose(guided(lr), guided(lr, up), atol=1e-5)
    assert set(dl.DCAMSR(image_size=32, multiscale=False).transformers) == {"4"}


def test_paper_and_corrected_have_a_sam_per_fusion_and_released_shares_one():
    for variant, count in (("released", 1), ("paper", 3), ("corrected", 3)):
        model = dl.DCAMSR(image_size=32, variant=variant)
        assert len({id(m) for m in model.modules() if isinstance(m, SpatialAdaptation)}) == count


def test_variants_differ_where_the_ledger_says():
    made = {v: dl.DCAMSR(image_size=32, variant=v) for v in VARIANTS}
    assert {v: m.last.kernel_size[0] for v, m in made.items()} == {
        "released": 3,
        "paper": 1,
        "corrected": 3,
        "aligned": 3,
    }
    assert [made[v].config.residual for v in ("released", "paper", "corrected")] == [
        True,
        False,
        True,
    ]
    shared = made["released"].transformers["1"].attention.spatial
    assert shared.project_key is shared.project_value
    assert isinstance(made["released"].transformers["1"].norm_ffn, torch.nn.Identity)
    assert isinstance(made["paper"].transformers["1"].norm_ffn, torch.nn.LayerNorm)


def test_fourier_upsampling_lands_where_the_crop_came_from_and_bilinear_does_not():
    """The released first step shifts the input by (scale - 1) / 2 pixels against the reference."""
    rows = torch.arange(64.0).sub(32).square()
    blob = torch.exp(-(rows[:, None] + rows[None]) / 40)[None, None]

    def centre(image):
        return (image.sum((0, 1, 3)) * torch.arange(64.0)).sum() / image.sum()

    for scale in (2, 4):
        low = degrade(blob, scale)
        assert centre(upsample_fourier(low, scale)).item() == pytest.approx(32, abs=0.05)
        shift = centre(upsample(low, scale)).item() - 32
        assert shift == pytest.approx((scale - 1) / 2, abs=0.05)


def test_sam_gives_the_texture_the_moments_of_the_feature():
    y, texture = 3 + 2 * torch.randn(1, 4, 16, 16), 50 * torch.rand(1, 4, 16, 16)
    adapted = SpatialAdaptation(4)(y, texture)
    torch.testing.assert_close(adapted.mean((-2, -1)), y.mean((-2, -1)), atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(
        adapted.std((-2, -1), correction=0), y.std((-2, -1)), atol=1e-3, rtol=1e-3
    )
    assert torch.equal(SpatialAdaptation(4).gamma.weight, torch.zeros(4, 4, 3, 3))


@pytest.mark.parametrize(
    ("options", "word"),
    [
        (dict(variant="printed"), "expected one of"),
        (dict(preset="huge"), "expected one of"),
        (dict(scale=3), "expected one of .2, 4."),
        (dict(chanel=False), "unknown option .'chanel'"),
        (dict(image_size=4), "at least 8"),
        (dict(spatial_attention="nearest"), "expected one of"),
        (dict(channel_logits="nearest"), "expected one of .'cosine'"),
        (dict(upsampling="nearest"), "expected one of .'fourier'"),
        (dict(merge="shuffled"), "expected one of .'aligned'"),
        (dict(spatial=False, channel=False), "both branches are off"),
        (dict(channels=20), "do not split"),
    ],
)
def test_wrong_options_say_what_was_expected(options, word):
    with pytest.raises(ValueError, match=word):
        dl.DCAMSR(**options)


@pytest.mark.parametrize(
    ("lr", "ref", "word"),
    [
        ((8, 8), (1, 1, 32, 32), r"lr has shape \(8, 8\)"),
        ((1, 2, 8, 8), (1, 1, 32, 32), "lr has shape"),
        ((1, 1, 8, 8), (1, 1, 32, 30), r"expected \(1, 1, 32, 32\): 4 x lr's"),
        ((2, 1, 8, 8), (1, 1, 32, 32), r"expected \(2, 1, 32, 32\)"),
    ],
)
def test_wrong_shapes_say_what_was_expected(lr, ref, word):
    with pytest.raises(ValueError, match=word):
        dl.DCAMSR(scale=4, image_size=32)(torch.rand(lr), torch.rand(ref))


def test_dropout_is_in_training_only(images):
    model = awake(dl.DCAMSR(image_size=32, variant="released"))
    assert torch.equal(model(*images), model(*images))
    model.train()
    assert not torch.equal(model(*images), model(*images))
    model.fused = False
    assert not torch.equal(model(*images), model(*images))


def test_the_residual_of_an_untrained_last_layer_is_the_upsampled_input():
    model = dl.DCAMSR(image_size=32).eval()
    torch.nn.init.zeros_(model.last.weight)
    torch.nn.init.zeros_(model.last.bias)
    image = torch.rand(1, 1, 32, 32)
    low = degrade(image, 4)
    up = model(low, image)
    assert torch.equal(up, upsample_fourier(low, 4))
    assert F.mse_loss(up, image) < F.mse_loss(upsample(low, 4), image)


@pytest.mark.parametrize("scale", [2, 4])
def test_every_level_has_a_voice_from_the_start(scale):
    """With torch's own start, cutting a level changes the output by less than a thousandth."""
    effect = {}
    for start in ("torch", "he"):
        torch.manual_seed(0)
        model = dl.DCAMSR(scale=scale, image_size=64, start=start).eval()
        lr, ref = torch.randn(1, 1, 64 // scale, 64 // scale), torch.randn(1, 1, 64, 64)
        with torch.inference_mode():
            whole = model(lr, ref)
            for level in (1, 2, 4):
                with dl.intervene(model, spatial="off", channel="off", levels=[level]):
                    effect[start, level] = (model(lr, ref) - whole).abs().mean().item()
    assert all(effect["he", level] > 10 * effect["torch", level] for level in (1, 2, 4)), effect
    assert effect["he", 4] > effect["he", 1] / 5
