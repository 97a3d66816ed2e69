"""Where else spatial attention may look: pooled tiles and a window, alone and in whole networks."""

import pytest
import torch
import torch.nn.functional as F
from einops import rearrange
from helpers import awake

import dcamsr_lite as dl
from dcamsr_lite.network.attention import SpatialBranch
from dcamsr_lite.network.spatial_choices import CHOICES, WINDOWS, Pooling, Projection, Window

NEW = ("pooled", "window", "offsets")
HEADS, D = 4, 4


def qkv(grid, dtype=torch.float64):
    generator = torch.Generator().manual_seed(7)
    shape = (2, HEADS, grid[0] * grid[1], D)
    return [torch.randn(shape, generator=generator, dtype=dtype) for _ in range(3)]


def test_every_choice_is_named():
    assert set(CHOICES) == {"scaled_dot_product", "token_cosine", "cosine", *NEW}


@pytest.mark.parametrize("choice", NEW)
def test_they_have_no_projection_to_learn(choice):
    branch = SpatialBranch(HEADS, 16, (8, 8), choice)
    learned = {name: value.detach() for name, value in branch.named_parameters()}
    if choice == "offsets":
        assert learned.pop("attention.sharpness").shape == (2,) and not learned
    else:
        assert [*learned] == ["temperature"] and float(learned["temperature"].mean()) == 10


@pytest.mark.parametrize("grid", [(64, 48), (8, 24), (33, 7)])
def test_footprints_on_another_grid_are_resampled_as_images(grid):
    projection = Projection(16, (16, 20), held=16, local=False)
    held = projection.weight[None]
    expected = F.interpolate(held, grid, mode="bilinear", antialias=True)[0]
    expected = expected * (held[0, 0].numel() / (grid[0] * grid[1]))
    torch.testing.assert_close(projection.footprints(grid), expected, rtol=1e-5, atol=1e-8)


@pytest.mark.parametrize(("grid", "tokens"), [((9, 21), 9), ((16, 32), 25), ((5, 3), 81)])
def test_a_querys_logits_are_its_products_with_the_pixels_around(grid, tokens):
    q, k, _ = qkv(grid)
    window = Window(tokens)
    logits, side = window.logits(q, k, grid), window.side
    image = rearrange(k, "b head (h w) d -> b head h w d", h=grid[0])
    for row, column in ((0, 0), (grid[0] - 1, grid[1] - 1), (grid[0] // 2, 1)):
        for token, (down, right) in enumerate(window.offsets().tolist()):
            y, x = (
                min(max(a, 0), n - 1)
                for a, n in zip((row + down, column + right), grid, strict=True)
            )
            expected = (q[:, :, row * grid[1] + column] * image[:, :, y, x]).sum(-1)
            found = logits[:, :, row * grid[1] + column, token]
            torch.testing.assert_close(found, expected)
    assert logits.shape[-1] == side**2


@pytest.mark.parametrize("grid", [(8, 8), (12, 20), (2, 6), (9, 7)])
def test_pooling_is_a_projection_whose_footprints_are_tiles(grid):
    pooling = Pooling(16)
    footprints = pooling.footprints(grid)
    torch.testing.assert_close(footprints.sum((-2, -1)), torch.ones(16))
    projection = Projection(16, grid, held=None, local=False)
    with torch.no_grad():
        projection.weight.copy_(footprints)
        projection.bias.zero_()
    x = torch.randn(2, HEADS, grid[0] * grid[1], D)
    torch.testing.assert_close(pooling(x, grid), projection(x, grid).detach())
    if grid == (8, 8):
        assert torch.equal(footprints[5] > 0, footprints[5] == 0.25)
        assert footprints[5].nonzero().tolist() == [[2, 2], [2, 3], [3, 2], [3, 3]]
    with pytest.raises(ValueError, match="15 tokens do not"):
        Pooling(15)


def test_the_window_is_written_out():
    """Softmax over the p pixels around a query, the nearest pixel beyond the border."""
    grid = (6, 9)
    q, k, v = qkv(grid)
    window = Window(9)
    assert window.side == 3
    attention = window.logits(q, k, grid).softmax(-1)
    mixed = window.mix(attention, v, grid)
    for row, column in ((0, 0), (3, 4), (5, 8)):
        around = [
            min(max(row + y, 0), 5) * 9 + min(max(column + x, 0), 8)
            for y in (-1, 0, 1)
            for x in (-1, 0, 1)
        ]
        token = row * 9 + column
        weights = torch.einsum("bhd,bhpd->bhp", q[:, :, token], k[:, :, around]).softmax(-1)
        torch.testing.assert_close(attention[:, :, token], weights)
        expected = torch.einsum("bhp,bhpd->bhd", weights, v[:, :, around])
        torch.testing.assert_close(mixed[:, :, token], expected)


@pytest.mark.parametrize(("tokens", "side"), [(64, 7), (49, 7), (48, 5), (9, 3), (8, 1), (1, 1)])
def test_the_window_is_the_largest_odd_square_of_that_many_pixels(tokens, side):
    assert Window(tokens).side == side


@pytest.mark.parametrize("grid", [(8, 8), (12, 20), (2, 6), (9, 7)])
@pytest.mark.parametrize("choice", NEW)
def test_fused_equals_explicit_in_value_and_gradient(choice, grid):
    outcomes = []
    for fused in (True, False):
        spatial = SpatialBranch(HEADS, 25, grid, choice).double()
        spatial.fused = fused
        inputs = [x.requires_grad_() for x in qkv(grid)]
        y = spatial(*inputs, grid)
        (y * torch.linspace(-1, 1, y.numel(), dtype=y.dtype).view_as(y)).sum().backward()
        outcomes.append([y.detach(), *(p.grad for p in [*inputs, *spatial.parameters()])])
    for fused, explicit in zip(*outcomes, strict=True):
        assert (fused - explicit).norm() <= 1e-5 * explicit.norm()


def test_dropout_is_taken_by_both_ways_to_run_the_window():
    spatial = SpatialBranch(HEADS, 25, (8, 8), "window", dropout=0.5).double().train()
    inputs = qkv((8, 8))
    for spatial.fused in (True, False):
        assert not torch.equal(spatial(*inputs, (8, 8)), spatial(*inputs, (8, 8)))
        spatial.eval()
        assert torch.equal(spatial(*inputs, (8, 8)), spatial(*inputs, (8, 8)))
        spatial.train()


@pytest.mark.parametrize("choice", NEW)
def test_whole_networks_take_any_size_train_everything_and_load(choice):
    model = awake(dl.DCAMSR(scale=2, image_size=32, spatial_attention=choice)).train()
    lr, ref = torch.randn(1, 1, 9, 13), torch.randn(1, 1, 18, 26)
    sr = model(lr, ref)
    assert sr.shape == ref.shape
    sr.square().mean().backward()
    assert not [n for n, p in model.named_parameters() if p.grad is None or not p.grad.any()]
    dl.save(model, "w.safetensors", dtype=torch.float32)
    again = dl.load("w.safetensors", image_size=64)
    assert again.config.spatial_attention == choice
    assert torch.equal(again(lr, ref), model.eval()(lr, ref))


@torch.inference_mode()
def test_the_lift_of_a_window_lies_inside_it(images):
    model = awake(dl.DCAMSR(image_size=32, spatial_attention="window"))
    with dl.trace(model) as record:
        recorded = model(*images)
    torch.testing.assert_close(model(*images), recorded, atol=1e-5, rtol=1e-5)
    for level, query in ((1, (0, 0)), (1, (16, 20)), (2, (15, 3)), (4, (4, 7))):
        assert record.spatial[level].shape[-1] == 49
        torch.testing.assert_close(
            record.spatial[level].sum(-1), torch.ones(2, 8, 1024 // level**2)
        )
        lifted = record.lift(level, query, head=3, batch=1)
        side = 32 // level
        inside = torch.zeros(side, side, dtype=torch.bool)
        row, column = query
        inside[max(row - 3, 0) : row + 4, max(column - 3, 0) : column + 4] = True
        assert (lifted[inside] > 0).all() and not lifted[~inside].any()
        assert lifted.sum() == pytest.approx(1, abs=1e-5)
        assert record.lift(level, query, relative=True).sum() == pytest.approx(0, abs=1e-5)
    with pytest.raises(ValueError, match="its own tokens"):
        record.tokens(1)
    with pytest.raises(IndexError, match="outside of the 32 x 32"):
        record.tokens(1, query=(32, 0))


@pytest.mark.parametrize("choice", NEW)
@torch.inference_mode()
def test_the_lift_says_what_a_reference_pixel_weighs(choice, images):
    """Move the values of one reference pixel: the query's output moves by its lifted weight."""
    model = awake(dl.DCAMSR(image_size=32, spatial_attention=choice))
    with dl.trace(model) as record:
        model(*images)
    spatial = model.transformers["4"].attention.spatial
    v = torch.randn(2, 8, 64, 4)
    query, head = (0, 5), 2
    token = query[0] * 8 + query[1]

    def output(values):
        if choice in WINDOWS:
            mixed = spatial.window.mix(record.spatial[4], values, (8, 8))
        else:
            mixed = record.spatial[4] @ spatial.project_value(values, (8, 8))
        return mixed[0, head, token]

    for pixel in ((0, 5), (1, 7), (6, 0)):
        moved = v.clone()
        moved[:, head, pixel[0] * 8 + pixel[1]] += 1
        weight = record.lift(4, query, head=head)[pixel]
        torch.testing.assert_close(output(moved) - output(v), weight.expand(4), atol=1e-5, rtol=0)


@pytest.mark.parametrize("choice", NEW)
@torch.inference_mode()
def test_they_can_be_cut_made_uniform_and_measured(choice, images):
    model = awake(dl.DCAMSR(image_size=32, spatial_attention=choice))
    before = model(*images)
    with dl.trace(model) as record, dl.intervene(model, spatial="uniform"):
        uniform = model(*images)
    assert not torch.allclose(uniform, before, atol=1e-7)
    torch.testing.assert_close(record.entropy(2)["spatial"], torch.ones(2, 8))
    with dl.intervene(model, spatial="off"):
        assert not torch.allclose(model(*images), before, atol=1e-7)
    assert torch.equal(model(*images), before)
    assert record.source(2, (3, 4)).row.unique().tolist() == [3]


# --- in the explorer ------------------------------------------------------------------------------

EXPLORER = "document.querySelector('.dcamsr-explorer').explorer"


@pytest.fixture(params=NEW)
def explored(request):
    """A padded slice (36 x 44 on 40 x 48), its explorer and what was recorded."""
    model = awake(dl.DCAMSR(image_size=32, spatial_attention=request.param))
    pair = dl.load_pair(*torch.rand(2, 1, 36, 44), 4)
    with torch.inference_mode(), dl.trace(model) as record:
        model(pair.lr, pair.ref)
    return dl.explore(model, pair, cuts=False), record


def test_the_explorers_map_is_the_records(explored):
    explorer, record = explored
    explorer.level, explorer.head, explorer.query = 2, 5, [34, 1]  # the data are padded by 2, 2
    expected = record.lift(2, (18, 1), head=5, relative=explorer.relative)
    torch.testing.assert_close(explorer.lift(), expected, atol=1e-5, rtol=1e-4)


def test_the_browsers_map_is_the_records(explored, opened):
    explorer, record = explored
    page = opened(explorer)
    for call in ((1, None, 0, 0, True), (1, 3, 39, 47, False), (2, 0, 7, 11, True)):
        level, head, row, column, relative = call
        shown = page.evaluate(f"a => [...{EXPLORER}.map(...a)]", list(call))
        expected = record.lift(level, (row, column), head=head, relative=relative)
        error = (torch.tensor(shown).view(expected.shape) - expected).abs().max()
        assert error < 2e-3 * expected.abs().max()
