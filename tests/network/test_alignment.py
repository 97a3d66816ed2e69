"""The variant ``aligned``: votes find where the reference lies, and both branches read it there."""

import pytest
import torch
from einops import rearrange
from hypothesis import given
from hypothesis import strategies as st

import dcamsr_lite as dl
from dcamsr_lite.data.augmentation import SHIFT, draw_misalignment, measure_warp, warp
from dcamsr_lite.kspace import shift, upsample_fourier
from dcamsr_lite.network.alignment import AligningTransformer
from dcamsr_lite.network.motion import (
    average_near,
    find_places,
    place_tiles,
    prefilter,
    share_pixels,
    spread_tiles,
)
from dcamsr_lite.network.spatial_choices import WINDOWS
from dcamsr_lite.network.windows import Prefilter, SharedVotes, Window, point

GRID = (32, 40)


def planted(sharp: float = 400.0) -> AligningTransformer:
    """Not trained: queries and keys are the features themselves."""
    block = AligningTransformer(16, heads=4, tokens=81, grid=GRID, choice="offsets").eval()
    with torch.no_grad():
        block.attention.query.weight.copy_(torch.eye(16))
        block.attention.query.bias.zero_()
        block.attention.key_values.weight[:16] = torch.eye(16)
        block.attention.key_values.bias.zero_()
        block.attention.spatial.attention.sharpness.fill_(sharp).log_()
    return block


def features(generator: int = 0) -> torch.Tensor:
    return torch.randn(1, 16, *GRID, generator=torch.Generator().manual_seed(generator))


@pytest.mark.parametrize("offset", [(0, 0), (2, -1), (-4, 4), (0, 3)])
def test_a_planted_displacement_is_found_exactly_everywhere(offset):
    image = features()
    moved = image.roll(offset, (2, 3))
    block = planted()
    found = block.find(image, moved, moved)
    inside = (slice(None), slice(None), slice(5, -5), slice(5, -5))
    torch.testing.assert_close(found[inside], image[inside], rtol=0, atol=1e-3)


def test_two_halves_that_moved_apart_are_found_by_those_near_by():
    votes = torch.zeros(1, 9, 9, 64, 64)
    votes[:, 6, 4, :, :32] = votes[:, 2, 4, :, 32:] = 1
    places = find_places(votes.flatten(1, 2), torch.tensor([1e-3, 2000.0]))
    expected = torch.tensor([2.0, 0.0]).view(2, 1, 1).expand(2, 64, 8)
    torch.testing.assert_close(places[0, ..., :8], expected, rtol=0, atol=0.05)
    torch.testing.assert_close(places[0, ..., -8:], -expected, rtol=0, atol=0.05)


@pytest.mark.parametrize(
    "arguments",
    [
        {"shift": (0.5 / 96, -1.5 / 80)},
        {"angle": 3.0},
        {"angle": -2.0, "shift": (0.75 / 96, 1 / 80)},
    ],
)
def test_parts_of_a_pixel_and_turns_are_found_everywhere(arguments):
    size = 96, 80
    image = 9 + upsample_fourier(torch.randn(16, size[0] // 2, size[1] // 2), 2)
    q, k = (rearrange(x, "c h w -> 1 1 (h w) c") for x in (image, warp(image, **arguments)))
    votes = Window(tokens=81).logits(point(q), point(k), size)
    votes = rearrange(votes, "1 1 (h w) p -> 1 p h w", h=size[0])
    found = find_places(votes, torch.tensor([1000.0, 30.0]))[0]
    truth = measure_warp(size, **arguments)
    assert (found - truth).norm(dim=0)[8:-8, 8:-8].max() < 0.1


def test_what_is_drawn_at_the_border_has_no_vote():
    """Convolutions see the same zeros beyond both images, wherever the heads lie."""
    votes = torch.zeros(1, 9, 9, 64, 64)
    votes[:, 4, 4] = 1  # in place
    votes[..., 4:-4, 4:-4] = 0
    votes[:, 6, 5, 20:40, 20:40] = 0.5  # a head, two rows and a column further
    found = find_places(votes.flatten(1, 2), torch.tensor([4000.0, 30.0]))
    expected = torch.tensor([2.0, 1.0]).view(2, 1, 1).expand(2, 64, 64)
    torch.testing.assert_close(found[0], expected, rtol=0, atol=0.05)


@pytest.mark.parametrize("place", [(0.5, 0.5), (-1.5, 0.25), (2.0, -3.0), (4.0, -4.0)])
def test_a_place_between_pixels_is_read_without_a_blur(place):
    small = torch.randn(1, 3, 20, 20, generator=torch.Generator().manual_seed(0))
    image = upsample_fourier(small, 2)  # nothing beyond half of what the pixels can hold
    window, v = SharedVotes(tokens=81), rearrange(image, "1 c h w -> 1 1 (h w) c")
    places = torch.tensor(place).view(1, 2, 1, 1).expand(1, 2, 40, 40)
    shares = share_pixels(places, window.side)[:, None]
    read = window.mix(shares, Prefilter()(v, (40, 40)), (40, 40))
    read = rearrange(read, "1 1 (h w) c -> 1 c h w", h=40)
    there = shift(image, -place[0], -place[1])
    inside = (..., slice(10, -10), slice(10, -10))
    assert (read - there)[inside].square().mean() < 0.01 * there[inside].square().mean()


@pytest.mark.parametrize("size", [(5, 7), (60, 50)])
def test_the_mean_near_by_is_over_the_tiles_of_the_image_alone(size):
    votes = torch.randn(1, 2, *size, dtype=torch.float64)
    mean = average_near(votes, 5)
    for row, column in ((0, 0), (2, 3), (4, 6)):
        near = votes[..., max(row - 2, 0) : row + 3, max(column - 2, 0) : column + 3]
        torch.testing.assert_close(mean[..., row, column], near.mean((-2, -1)))


@given(st.integers(1, 40), st.integers(1, 40))
def test_a_field_that_grows_evenly_is_spread_as_it_is(rows, columns):
    """Between the middles of the tiles at the borders; on any grid, whole tiles or not."""
    middles = place_tiles((rows, columns))
    pixels = spread_tiles(middles[None], (rows, columns))[0]
    for axis, n in enumerate((rows, columns)):
        own = torch.arange(n) - (n - 1) / 2
        low, high = middles[axis].min(), middles[axis].max()
        shape = [-1 if axis == 0 else 1, 1 if axis == 0 else -1]
        torch.testing.assert_close(
            pixels[axis], own.clamp(low, high).view(shape).expand(rows, columns)
        )


def aligned(**options) -> dl.DCAMSR:
    torch.manual_seed(0)
    return dl.DCAMSR(scale=4, image_size=(32, 40), variant="aligned", **options).eval()


def images() -> tuple[torch.Tensor, torch.Tensor]:
    return torch.rand(1, 1, 8, 10), torch.rand(1, 1, 32, 40)


def test_a_record_tells_the_planted_displacement_at_every_query():
    model, image = aligned(channels=16, heads=4), features()
    model.transformers["1"] = block = planted()
    block.attention.spatial.attention.sharpness.data.fill_(4000.0).log_()
    with dl.trace(model) as record:
        model(*images())  # says how large the image is
        block.find(image, image.roll((1, -2), (2, 3)), image)
    found = record.displacement(1)
    assert found.shape == (2, *GRID) and record.keys[1] is None
    inside = found[:, 5:-5, 5:-5].flatten(1)
    torch.testing.assert_close(inside, torch.tensor([[1.0], [-2.0]]).expand_as(inside))
    with pytest.raises(LookupError, match="whose tokens are footprints"):
        usual = dl.DCAMSR(scale=4, image_size=GRID)
        with dl.trace(usual) as record:
            usual(*images())
        record.displacement(1)


def test_off_reads_the_reference_where_it_lies_and_is_restored():
    model, (lr, ref) = aligned(), images()
    whole = model(lr, ref)
    with dl.intervene(model, spatial="off"):
        off = model(lr, ref)
    with dl.intervene(model, spatial="off"), dl.trace(model) as record:
        again = model(lr, ref)
    assert torch.equal(off, again) and sorted(record.spatial) == [1, 2, 4]
    assert torch.equal(model(lr, ref), whole)
    # the same network, told that everything was found where it lies
    with torch.no_grad():
        for block in model.levels.values():
            block.attention.spatial_out.weight.zero_()
            block.attention.spatial_out.bias.zero_()
            block.find = lambda image, reference, values: values
    torch.testing.assert_close(model(lr, ref), off)


def test_uniform_blurs_the_reference_over_the_window():
    model, (lr, ref) = aligned(), images()
    seen = {}
    block = model.transformers["1"]
    block.attention.place.register_forward_hook(lambda module, inputs, out: seen.update(out=out))
    with dl.intervene(model, spatial="uniform"):
        model(lr, ref)
    found = seen["out"].view(32, 40)
    around = torch.nn.functional.pad(prefilter(ref), (5,) * 4, mode="replicate")
    expected = torch.nn.functional.avg_pool2d(around, 11, 1)[0, 0]
    torch.testing.assert_close(found, expected)
    with dl.intervene(model, spatial="off", channel="off"):
        blind = model(lr, ref)
    with dl.intervene(model, spatial="off", channel="off"):
        torch.testing.assert_close(blind, model(lr, 0 * ref))


def test_explicit_and_fused_agree_and_everything_trains():
    model, (lr, ref) = aligned(), images()
    with torch.no_grad():
        fused = model(lr, ref)
        model.fused = False
        torch.testing.assert_close(model(lr, ref), fused)
    model.train().fused = True
    model(lr, ref).square().mean().backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in model.parameters())


@pytest.mark.parametrize(
    "options", [{}, {"multiscale": False}, {"spatial": False}, {"channel": False}]
)
def test_weights_of_every_mode_are_saved_and_loaded(options, tmp_path):
    model, (lr, ref) = aligned(**options), images()
    dl.save(model, tmp_path / "w.safetensors", dtype=torch.float32)
    torch.testing.assert_close(dl.load(tmp_path / "w.safetensors")(lr, ref), model(lr, ref))


def test_only_offsets_come_before_the_channel_branch():
    with pytest.raises(ValueError, match="in_sequence takes 'offsets' alone"):
        aligned(spatial_attention="cosine")
    assert WINDOWS["offsets"] is SharedVotes


def test_misalignment_moves_the_reference_alone_and_stays_within_its_sizes():
    from dcamsr_lite.data.augmentation import vary

    lr, (ref, target) = torch.rand(1, 8, 8), torch.rand(2, 1, 32, 32)
    generator = torch.Generator().manual_seed(0)
    moved = [vary(lr, ref, target, 4, ("misalignment",), generator) for _ in range(40)]
    assert all(torch.equal(m[0], lr) and torch.equal(m[2], target) for m in moved)
    share = sum(not torch.equal(m[1], ref) for m in moved) / 40
    assert 0.5 < share < 0.95
    for _ in range(20):
        drawn = draw_misalignment((32, 40), generator)
        assert abs(drawn["angle"]) <= 3
        assert all(abs(s) * n <= SHIFT for s, n in zip(drawn["shift"], (32, 40), strict=True))
