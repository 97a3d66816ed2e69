"""Attribution where the answer is known, complete on the shipped weights, stopped and taken up."""

import warnings

import pytest
import torch
import torch.nn.functional as F
from helpers import awake
from torch import nn

import dcamsr_lite as dl
from dcamsr_lite.interpret.attribution import (
    METHODS,
    Attribution,
    blur_path,
    deletion_curve,
    integrated_gradients,
    lifted_attention,
    occlusion,
)
from dcamsr_lite.network.attention import SpatialBranch
from dcamsr_lite.phantom.subjects import simulated_pair


def textured(*shape: int) -> torch.Tensor:
    return torch.randn(1, 1, *shape, generator=torch.Generator().manual_seed(sum(shape)))


def shifted_copy(lr, ref):
    return ref.roll((3, -2), (2, 3))


def top(image: torch.Tensor) -> tuple[int, int]:
    return divmod(int(image.abs().argmax()), image.shape[1])


FINEST = {"occlusion": {"window": 1}}
QUICK = {"blur_path": {"steps": 4}, "integrated_gradients": {"steps": 4}, "occlusion": {}}


@pytest.mark.parametrize("method", METHODS)
def test_of_a_shifted_copy_the_right_pixel_answers(method):
    lr, ref = textured(4, 4), textured(16, 16)
    options = FINEST.get(method, {})
    found = METHODS[method](shifted_copy, lr, ref, (8, 8, 1, 1), "mean", **options).result()
    assert top(found.ref) == (5, 10)
    assert found.share_of_reference == pytest.approx(1, abs=1e-6)
    assert found.completeness_error < 1e-4
    assert found.diffusion_index["ref"] < 1 and found.diffusion_index["lr"] != 0
    # of a patch, all of it answers and nothing else
    found = METHODS[method](shifted_copy, lr, ref, (8, 8, 3, 2), "mean", **options).result()
    answered = found.ref.nonzero()
    assert answered.min(0).values.tolist() == [5, 10] and answered.max(0).values.tolist() == [7, 11]


@pytest.mark.parametrize("method", METHODS)
def test_of_a_copy_of_the_low_resolution_image_the_share_is_zero(method):
    enlarge = nn.Upsample(scale_factor=4)
    f = lambda lr, ref: enlarge(lr)  # noqa: E731
    images, options = (textured(4, 4), textured(16, 16)), FINEST.get(method, {})
    found = METHODS[method](f, *images, (4, 8, 4, 4), "mean", **options).result()
    assert found.share_of_reference == 0 and top(found.lr) == (1, 2)


def test_detail_of_an_edge_is_the_difference_of_its_ends():
    """On a blurred step the gradients telescope: what counts is the patch's first and last column."""
    lr, ref = torch.zeros(1, 1, 8, 8), torch.zeros(1, 1, 16, 16)
    ref[..., 8:] = 1
    found = blur_path(lambda lr, ref: ref, lr, ref, (4, 6, 4, 4)).result()
    columns = found.ref.abs().sum(0)
    assert set(columns.topk(2).indices.tolist()) == {6, 10}  # forward differences reach column 10
    assert found.value == pytest.approx(4, abs=0.02) and found.completeness_error < 0.01


PLANTED = torch.randperm(64, generator=torch.Generator().manual_seed(5))  # query -> reference pixel


def identity(branch: SpatialBranch) -> None:
    with torch.no_grad():
        for projection in (branch.project_key, branch.project_value):
            projection.weight.copy_(torch.eye(64).reshape(64, 8, 8))
            projection.bias.zero_()


def planted(q, k, project, temperature):
    """Queries and keys of 64 tokens such that query i attends to key PLANTED[i]; elsewhere uniform."""
    n, p, heads = q.shape[-2], 64, q.shape[1]
    logits = 30 * torch.eye(p)[PLANTED] if n == 64 else torch.zeros(n, p)
    return logits.expand(q.shape[0], heads, n, p), torch.eye(p).expand(q.shape[0], heads, p, p)


@pytest.mark.parametrize("method", METHODS)
def test_planted_keys_of_a_spatial_branch(method):
    """8 x 8 tokens, identity footprints: lifted attention and attribution name the planted pixel."""
    branch = SpatialBranch(heads=1, tokens=64, grid=(8, 8), choice=planted)
    branch.fused = False
    identity(branch)

    def f(lr, ref):
        v = ref.flatten(2).mT[:, None]
        return branch(v, v, v, (8, 8)).mT.reshape(ref.shape)

    seen = []
    branch.attention.register_forward_hook(lambda module, inputs, output: seen.append(output))
    lr, ref = textured(4, 4), textured(8, 8)
    for query in (0, 27, 63):
        patch = (*divmod(query, 8), 1, 1)
        found = METHODS[method](f, lr, ref, patch, "mean", **FINEST.get(method, {})).result()
        lifted = torch.einsum("p,phw->hw", seen[-1][0, 0, query], branch.project_value.weight)
        assert top(found.ref) == top(lifted) == divmod(int(PLANTED[query]), 8)
        assert found.share_of_reference == pytest.approx(1, abs=1e-6)


@pytest.mark.slow
def test_planted_keys_of_the_whole_network():
    """The same through encoder and decoder, every convolution cut to its centre: pixels stay apart."""
    torch.manual_seed(1)
    model = dl.DCAMSR(scale=2, image_size=8, spatial_attention=planted, start="torch").eval()
    for module in model.modules():
        if isinstance(module, nn.Conv2d) and module.kernel_size == (3, 3):
            with torch.no_grad():
                centre = module.weight[..., 1, 1].clone()
                module.weight.zero_()[..., 1, 1] = centre
    identity(model.transformers["1"].attention.spatial)
    board = (-1.0) ** torch.arange(8)
    lr, ref = textured(4, 4), board[:, None] * board * (2 + 0.2 * textured(8, 8))  # blur moves all
    with (
        dl.intervene(model, channel="off"),
        dl.intervene(model, spatial="off", levels=[2, 4]),
    ):
        for query in (9, 27, 36, 54):
            patch = (*divmod(query, 8), 1, 1)
            lifted = lifted_attention(model, lr, ref, patch)[1]
            found = blur_path(model, lr, ref, patch, "mean").result()
            assert top(found.ref) == top(lifted) == divmod(int(PLANTED[query]), 8)
            assert 0 < found.share_of_reference < 1


@pytest.mark.parametrize(
    "method, patch, target",
    [
        pytest.param(blur_path, (30, 30, 8, 8), "detail", marks=pytest.mark.slow),
        pytest.param(blur_path, (20, 40, 4, 12), "mean", marks=pytest.mark.slow),
        pytest.param(integrated_gradients, (42, 20, 8, 8), "detail", marks=pytest.mark.slow),
    ],
)
def test_complete_to_one_percent_on_the_shipped_weights(method, patch, target):
    pair = simulated_pair(seed=990_001, scale=4, slices=1, size=64)
    found = method(
        dl.load("lite-4x-footprints"), pair.lr, pair.ref, patch, target, steps=12
    ).result()
    assert found.completeness_error <= 0.01
    explained = found.lr.double().sum() + found.ref.double().sum()
    assert float(explained) == pytest.approx(found.value - found.start, rel=0.01)


def small(**options) -> tuple:
    model = awake(dl.DCAMSR(scale=4, image_size=32, **options))
    return model, textured(8, 8), textured(32, 32)


@pytest.mark.slow
def test_one_way_from_start_to_end_is_captums():
    """The straight line in one piece is captum's own integrated gradients, from the same grey."""
    from captum.attr import IntegratedGradients

    model, lr, ref = small(start="torch")  # gently curved: 32 equal steps are enough
    found = integrated_gradients(model, lr, ref, (8, 8, 8, 8), "mean", steps=32).result()
    grey = tuple(x.mean((2, 3), keepdim=True).expand_as(x) for x in (lr, ref))
    patch_mean = lambda *images: model(*images)[..., 8:16, 8:16].mean((1, 2, 3))  # noqa: E731
    whole = IntegratedGradients(patch_mean)
    maps = whole.attribute((lr, ref), grey, n_steps=32, method="riemann_middle")
    for mine, theirs in zip((found.lr, found.ref), maps, strict=True):
        torch.testing.assert_close(mine, theirs[0, 0].float(), rtol=0, atol=2e-2 * mine.abs().max())


def test_occlusion_is_what_the_patch_loses():
    model, lr, ref = small()
    found = occlusion(model, lr, ref, (8, 8, 4, 4), "mean", window=8, sigma=4.0).result()
    from dcamsr_lite.interpret.patch_target import smooth

    changed = ref.clone()
    changed[..., 8:16, 16:24] = smooth(ref, 4.0)[..., 8:16, 16:24]
    with torch.inference_mode():
        before, after = (model(lr, x)[0, 0, 8:12, 8:12].mean() for x in (ref, changed))
    assert float(found.ref[8:16, 16:24].sum()) == pytest.approx(float(before - after), abs=1e-5)


@pytest.mark.parametrize("method", METHODS)
def test_stopped_and_taken_up_it_ends_the_same(method):
    model, lr, ref = small()
    whole = METHODS[method](model, lr, ref, (8, 8, 8, 8), **QUICK[method]).result()
    run = METHODS[method](model, lr, ref, (8, 8, 8, 8), **QUICK[method])
    for done, total in run.steps():
        assert 0 < done <= total
        if done == 3:
            break
    assert run.done == 3
    torch.testing.assert_close(run.result().ref, whole.ref, rtol=0, atol=0)
    assert run.done == run.total


def test_a_run_that_broke_off_gives_no_result():
    calls = []

    def tired(lr, ref):
        calls.append(0)
        if len(calls) > 6:
            raise OSError("the disk is gone")
        return ref

    run = occlusion(tired, textured(4, 4), textured(16, 16), (0, 0, 4, 4), window=4)
    with pytest.raises(OSError):
        run.result()
    with pytest.raises(RuntimeError, match="broke off after 4 of 32 steps"):
        run.result()


def test_the_model_is_left_as_it_was():
    model, lr, ref = small()
    model.train()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    for name, method in METHODS.items():
        method(model, lr, ref, (8, 8, 8, 8), **QUICK[name]).result()
    lifted_attention(model, lr, ref, (8, 8, 8, 8))
    assert model.training and model.fused
    assert all(torch.equal(before[name], value) for name, value in model.state_dict().items())
    assert all(parameter.grad is None for parameter in model.parameters())


def test_lifted_attention_is_the_mean_of_the_records():
    model, lr, ref = small()
    with torch.no_grad(), dl.trace(model) as record:
        model(lr, ref)
    lifted = lifted_attention(model, lr, ref, (9, 4, 3, 2), relative=True)
    queries = [(row, column) for row in (4, 5) for column in (2,)]
    expected = sum(record.lift(2, query, relative=True) for query in queries) / len(queries)
    torch.testing.assert_close(lifted[2], expected)
    assert [tuple(lifted[level].shape) for level in (1, 2, 4)] == [(32, 32), (16, 16), (8, 8)]


def test_agreement_is_a_rank_correlation():
    ref = torch.arange(64.0).reshape(8, 8)
    found = Attribution("by hand", "mean", (0, 0, 1, 1), torch.zeros(2, 2), -ref, 1.0, 0.0)
    assert found.agreement(ref.square()) == pytest.approx(1)
    assert found.agreement(63 - ref) == pytest.approx(-1)
    assert found.agreement(ref[::4, ::4]) == pytest.approx(1)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert found.agreement(torch.ones(8, 8)) != found.agreement(torch.ones(8, 8))  # nan


def test_diffusion_index_by_its_definition():
    map_ = textured(8, 8)[0, 0]
    g = map_.abs().flatten().double()
    gini = (g[:, None] - g).abs().sum() / (2 * len(g) ** 2 * g.mean())
    found = Attribution("by hand", "mean", (0, 0, 1, 1), map_, torch.ones(4, 4), 1.0, 0.0)
    assert found.diffusion_index["lr"] == pytest.approx(100 * (1 - float(gini)))
    assert found.diffusion_index["ref"] == pytest.approx(100)


def test_the_right_order_of_deletion_rises_first():
    lr, ref = textured(4, 4), textured(16, 16)
    patch, few = (8, 8, 2, 2), (4 / 256, 0.5, 1.0)
    found = blur_path(shifted_copy, lr, ref, patch, "mean").result()
    known = deletion_curve(shifted_copy, lr, ref, patch, found.ref, fractions=few).result()
    assert known.change[0] == known.change[1] == known.change[2] > 0
    chance = torch.rand(16, 16, generator=torch.Generator().manual_seed(0))
    random = deletion_curve(shifted_copy, lr, ref, patch, chance, fractions=few).result()
    assert random.change[-1] == known.change[-1] and random.area < known.area


BAD = [
    ({"f": "lite-4x-footprints"}, "f: found str; expected a function"),
    ({"f": lambda lr, ref: lr}, r"f: found an output \(1, 1, 4, 4\)"),
    ({"f": lambda lr, ref: 0}, "f: found an output int"),
    ({"lr": torch.zeros(4, 4)}, r"lr: found \(4, 4\)"),
    ({"lr": torch.zeros(2, 1, 4, 4)}, "one slice"),
    ({"ref": torch.zeros(1, 1, 16, 18)}, "an integer times larger"),
    ({"ref": torch.full((1, 1, 16, 16), float("nan"))}, "no finite floats"),
    ({"ref": torch.zeros(1, 1, 16, 16, dtype=torch.int64)}, "no finite floats"),
    ({"patch": (0, 0, 4)}, "patch"),
    ({"patch": (0, 0, 0, 4)}, "1 pixel or more inside 16 x 16"),
    ({"patch": (13, 0, 4, 4)}, "inside 16 x 16"),
    ({"patch": (0.5, 0, 4, 4)}, "patch"),
    ({"target": "sharpness"}, "target: found 'sharpness'"),
]


@pytest.mark.parametrize("wrong, match", BAD)
@pytest.mark.parametrize("method", METHODS)
def test_bad_arguments_are_refused_before_the_run(method, wrong, match):
    good = {"f": shifted_copy, "lr": textured(4, 4), "ref": textured(16, 16), "patch": (0, 0, 4, 4)}
    with pytest.raises(dl.InputError, match=match):
        METHODS[method](**good | wrong)


def test_bad_options_are_refused():
    images = textured(4, 4), textured(16, 16)
    patch = (0, 0, 4, 4)
    for method, wrong, match in (
        (blur_path, {"steps": 0}, "steps"),
        (blur_path, {"sigma": 0}, "sigma"),
        (integrated_gradients, {"steps": 1.5}, "steps"),
        (occlusion, {"window": 0}, "window"),
    ):
        with pytest.raises(dl.InputError, match=match):
            method(shifted_copy, *images, patch, **wrong)
    blind = lambda lr, ref: ref.detach()  # noqa: E731
    with pytest.raises(dl.InputError, match="without a gradient.*occlusion"):
        blur_path(blind, *images, patch)
    assert occlusion(blind, *images, patch).result().share_of_reference == 1
    for fractions in ((), (0.5, 0.2), (0.5, 1.5), (0.0, 1.0)):
        with pytest.raises(dl.InputError, match="fractions"):
            deletion_curve(shifted_copy, *images, patch, images[1][0, 0], fractions=fractions)
    with pytest.raises(dl.InputError, match="order"):
        deletion_curve(shifted_copy, *images, patch, images[1])
    with pytest.raises(dl.InputError, match="spatial branch"):
        lifted_attention(dl.DCAMSR(image_size=32, spatial=False), *images, patch)
    with pytest.raises(dl.InputError, match="spatial branch"):
        lifted_attention(shifted_copy, *images, patch)


def in_place(lr, ref):
    """Works in place on what it gets, and gives the same buffer each time."""
    lr.mul_(0.5)
    ref.add_(F.interpolate(lr, scale_factor=4))
    return BUFFER.copy_(ref) if not ref.requires_grad else ref


def not_in_place(lr, ref):
    return ref + F.interpolate(0.5 * lr, scale_factor=4)


BUFFER = torch.empty(1, 1, 32, 32)


@pytest.mark.parametrize("method", [blur_path, integrated_gradients, occlusion])
def test_a_function_that_works_in_place_changes_nothing_but_its_own(method):
    """Occlusion gave a share of 0.384 for 0.441, captum 156."""
    generator = torch.Generator().manual_seed(0)
    lr, ref = (torch.rand(1, 1, n, n, generator=generator) for n in (8, 32))
    before = lr.clone(), ref.clone()
    found, expected = (
        method(f, lr, ref, (8, 8, 4, 4), "mean").result() for f in (in_place, not_in_place)
    )
    assert torch.equal(lr, before[0]) and torch.equal(ref, before[1])
    torch.testing.assert_close(found.ref, expected.ref)
    assert found.share_of_reference == pytest.approx(expected.share_of_reference, rel=1e-5)
    order = torch.rand(32, 32, generator=generator)
    curves = [
        deletion_curve(f, lr, ref, (8, 8, 4, 4), order).result() for f in (in_place, not_in_place)
    ]
    assert curves[0].change == pytest.approx(curves[1].change)


def test_a_pair_survives_a_function_that_works_in_place():
    images = torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    pair = dl.load_pair(*images, 4)
    before = pair.lr.clone(), pair.ref.clone()
    first, again = (dl.super_resolve(in_place, pair) for _ in range(2))
    torch.testing.assert_close(first, dl.super_resolve(not_in_place, pair))
    assert torch.equal(first, again)
    assert torch.equal(pair.lr, before[0]) and torch.equal(pair.ref, before[1])
