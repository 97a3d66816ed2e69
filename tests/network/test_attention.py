"""Both branches: what they compute, and that two ways to compute it agree."""

import pytest
import torch
import torch.nn.functional as F
from einops import rearrange
from helpers import awake
from hypothesis import given
from hypothesis import strategies as st

import dcamsr_lite as dl
from dcamsr_lite.network.attention import (
    ChannelBranch,
    DualCrossAttention,
    SpatialBranch,
    merge_heads,
    merge_heads_scrambled,
)
from dcamsr_lite.network.config import VARIANTS
from dcamsr_lite.network.spatial_choices import CHOICES, Projection

GRID, HEADS, D = (8, 8), 4, 4
OPTIONS = {
    "released": dict(choice="token_cosine", merge="scrambled", projections=1),
    "paper": dict(choice="scaled_dot_product"),
    "corrected": dict(choice="cosine", held=4, local=True),
}


def qkv(count: int = 3, dtype=torch.float64, n: int = 64):
    generator = torch.Generator().manual_seed(7)
    shape = (2, HEADS, n, D)
    return [torch.randn(shape, generator=generator, dtype=dtype) for _ in range(count)]


def branch(variant: str) -> SpatialBranch:
    made = SpatialBranch(HEADS, 16, GRID, **OPTIONS[variant]).double().eval()
    with torch.no_grad():
        if (
            variant == "released"
        ):  # as the golden weights do: far from uniform, or nothing is tested
            made.temperature.fill_(40.0)
    return made


@pytest.mark.parametrize("variant", ["paper", "corrected"])
def test_permuting_query_tokens_permutes_the_spatial_output(variant):
    q, k, v = qkv()
    order = torch.randperm(64, generator=torch.Generator().manual_seed(3))
    spatial = branch(variant)
    torch.testing.assert_close(
        spatial(q[:, :, order], k, v, GRID), spatial(q, k, v, GRID)[:, order]
    )


def test_the_released_scramble_breaks_that():
    """Fact 1: the same property fails for the released merge, and only for the merge's sake."""
    q, k, v = qkv()
    order = torch.randperm(64, generator=torch.Generator().manual_seed(3))
    spatial = branch("released")
    moved, straight = spatial(q[:, :, order], k, v, GRID), spatial(q, k, v, GRID)[:, order]
    assert (moved - straight).norm() > 0.1 * straight.norm()
    spatial.merge = merge_heads
    torch.testing.assert_close(
        spatial(q[:, :, order], k, v, GRID), spatial(q, k, v, GRID)[:, order]
    )


@given(st.integers(1, 3), st.integers(1, 4), st.integers(1, 9), st.integers(1, 5))
def test_the_scramble_is_a_bijection_of_feature_planes(b, heads, n, d):
    """Fact 1: nothing is lost; each output token holds c consecutive positions of (d, head, n)."""
    x = torch.arange(b * heads * n * d).reshape(b, heads, n, d)
    scrambled = merge_heads_scrambled(x)
    assert scrambled.shape == merge_heads(x).shape == (b, n, heads * d)
    assert torch.equal(scrambled.flatten().sort().values, x.flatten())
    planes = x.permute(
        0, 3, 1, 2
    )  # the released line: wrong for (b, h, n, d), right for (b, h, d, n)
    assert torch.equal(scrambled, planes.reshape(b, n, heads * d))
    swapped = x.transpose(-2, -1)
    assert torch.equal(merge_heads(x), swapped.permute(0, 3, 1, 2).reshape(b, n, heads * d))


@pytest.mark.parametrize("variant", OPTIONS)
def test_fused_equals_explicit_in_value_and_gradient(variant):
    outcomes = []
    for fused in (True, False):
        torch.manual_seed(5)
        spatial = branch(variant)
        with torch.no_grad():
            for parameter in spatial.parameters():
                parameter += 0.1 * torch.randn_like(parameter)
        inputs = [x.requires_grad_() for x in qkv()]
        spatial.fused = fused
        y = spatial(*inputs, GRID)
        (y * torch.linspace(-1, 1, y.numel(), dtype=y.dtype).view_as(y)).sum().backward()
        outcomes.append([y.detach(), *(p.grad for p in [*inputs, *spatial.parameters()])])
    for fused, explicit in zip(*outcomes, strict=True):
        assert (fused - explicit).norm() <= 1e-5 * explicit.norm()


@pytest.mark.parametrize("variant", VARIANTS)
def test_fused_equals_explicit_for_a_whole_network(variant, images):
    model = awake(dl.DCAMSR(image_size=32, variant=variant))
    with torch.inference_mode():
        model.fused = True
        fused = model(*images)
        model.fused = False
        assert (fused - model(*images)).norm() <= 1e-5 * fused.norm()


def test_the_spatial_branch_is_eq_3_written_out():
    q, k, v = qkv()
    spatial = branch("paper")
    for parameter in spatial.parameters():
        torch.nn.init.normal_(parameter)
    e, f = (p.weight.flatten(1) for p in (spatial.project_key, spatial.project_value))
    projected_k = e @ k + spatial.project_key.bias[:, None]
    projected_v = f @ v + spatial.project_value.bias[:, None]
    x = (q @ projected_k.mT / D**0.5).softmax(-1) @ projected_v
    expected = rearrange(x, "b head n d -> b n (head d)")
    torch.testing.assert_close(spatial(q, k, v, GRID), expected)


def test_the_channel_branch_is_eq_4_written_out():
    q, k, v = qkv()
    x = (q.mT @ k / D**0.5).softmax(-1) @ v.mT
    expected = rearrange(x, "b head d n -> b n (head d)")
    made = ChannelBranch(HEADS, "scaled_dot_product").double()
    torch.testing.assert_close(made(q, k, v), expected)


def test_channel_attention_does_not_care_where_the_pixels_are():
    """Permuting all tokens of both images permutes the output and leaves the d x d map alone."""
    q, k, v = qkv()
    order = torch.randperm(64, generator=torch.Generator().manual_seed(3))
    made = ChannelBranch(HEADS).double()
    moved = made(q[:, :, order], k[:, :, order], v[:, :, order])
    torch.testing.assert_close(moved, made(q, k, v)[:, order])


@given(held=st.sampled_from([None, 4, 8, 16]), rows=st.integers(2, 6), columns=st.integers(2, 6))
def test_footprints_at_the_native_size_are_the_weights_themselves(held, rows, columns):
    grid = (4 * rows, 4 * columns)
    native = Projection(16, grid, held, local=False)
    shape = tuple(native.weight.shape[-2:])
    assert torch.equal(native.footprints(shape), native.weight)


def test_resampled_footprints_keep_their_sums_and_their_place():
    projection = Projection(16, (32, 32), 16, local=True)
    for grid in ((32, 32), (64, 48), (8, 8), (20, 28)):
        footprints = projection.footprints(grid)
        assert footprints.shape == (16, *grid)
        torch.testing.assert_close(footprints.sum((-2, -1)), torch.ones(16), atol=0.03, rtol=0)
        row = torch.arange(grid[0]).add(0.5).div(grid[0])
        centre = (footprints.sum(-1) * row).sum(-1) / footprints.sum((-2, -1))
        expected = torch.arange(4).add(0.5).div(4).repeat_interleave(4)
        torch.testing.assert_close(centre, expected, atol=0.04, rtol=0)


def test_local_footprints_start_as_tiles_on_any_grid():
    """Where a bilinear tile meets a pixel it is the start, to the bit; no tile is left without."""
    tiles = rearrange(torch.eye(64), "p (row column) -> 1 p row column", row=8)
    for grid in ((2, 2), (2, 16), (3, 4), (4, 4), (8, 8), (12, 10), (16, 16)):
        start = Projection(64, grid, held=16, local=True).weight
        bilinear = F.interpolate(tiles, grid, mode="bilinear")[0]
        total = bilinear.sum((-2, -1), keepdim=True)
        met = (total > 0).flatten()
        assert bool(met.all()) == (min(grid) > 3)
        assert torch.equal(start[met], (bilinear / total)[met])
        torch.testing.assert_close(start.sum((-2, -1)), torch.ones(64))


def test_a_network_resampled_to_its_own_size_is_unchanged(images):
    model = awake(dl.DCAMSR(image_size=32, held_footprints=32))
    projection = model.transformers["1"].attention.spatial.project_key
    assert projection.footprints((32, 32)) is projection.weight
    exact = dl.DCAMSR(image_size=32, held_footprints=None).eval()
    state = {k: v for k, v in model.state_dict().items()}
    for key, value in exact.state_dict().items():
        assert value.shape == state[key].shape
    exact.load_state_dict(state)
    assert torch.equal(model(*images), exact(*images))


def test_a_fixed_grid_says_which_size_it_takes():
    model = dl.DCAMSR(scale=4, image_size=32, variant="paper")
    with pytest.raises(ValueError, match="fixed to a 32 x 32 grid and was given 64 x 64"):
        model(torch.rand(1, 1, 16, 16), torch.rand(1, 1, 64, 64))


def test_a_function_of_the_users_own_takes_part_in_everything(images):
    def nearest(q, k, project, temperature):
        return -torch.cdist(q, project(k)) * temperature

    def twice_cosine(q, k, project, temperature):
        q, k = CHOICES["cosine"](q, k, project, temperature)
        return 2 * q, k

    for own in (nearest, twice_cosine):
        model = awake(dl.DCAMSR(image_size=32, spatial_attention=own))
        assert model.config.spatial_attention == "custom"
        with dl.trace(model) as record:
            sr = model(*images)
        torch.testing.assert_close(record.spatial[1].sum(-1), torch.ones(2, 8, 32 * 32))
        assert record.lift(2, (3, 4)).shape == (16, 16)
        torch.testing.assert_close(model(*images), sr, atol=1e-5, rtol=1e-5)
        sr.mean().backward()
        assert model.transformers["1"].attention.spatial.temperature.grad.abs().sum() > 0
        dl.save(model, "own.safetensors", dtype=torch.float32)
        with pytest.raises(dl.InputError, match="pass it as spatial_attention"):
            dl.load("own.safetensors")
        again = dl.load("own.safetensors", spatial_attention=own)
        assert torch.equal(again(*images), model(*images))


@pytest.mark.parametrize(
    ("options", "word"),
    [
        (dict(choice="nearest"), "expected one of"),
        (dict(choice="custom"), "pass it as spatial_attention"),
    ],
)
def test_unknown_choices_name_the_known_ones(options, word):
    with pytest.raises(ValueError, match=word):
        SpatialBranch(HEADS, 16, GRID, **options)


def test_switched_off_branches_leave_the_other_all_channels():
    x = torch.rand(2, 64, 16)
    for off in ("spatial", "channel"):
        made = DualCrossAttention(16, HEADS, 16, GRID, **{off: False})
        assert made(x, x, GRID).shape == x.shape
        assert getattr(made, off) is None
    with pytest.raises(ValueError, match="both branches are off"):
        DualCrossAttention(16, HEADS, 16, GRID, spatial=False, channel=False)
