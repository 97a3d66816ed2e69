"""Recording and cutting: what is recorded is what ran, and leaving restores the network exactly."""

import pytest
import torch
from helpers import awake

import dcamsr_lite as dl
from dcamsr_lite.figures import overview, record_slice
from dcamsr_lite.network.config import VARIANTS
from dcamsr_lite.training.study import measure_entropies


@pytest.fixture(params=VARIANTS)
def model(request):
    return awake(dl.DCAMSR(image_size=32, variant=request.param))


def explicit(model, *inputs):
    fused = model.fused
    model.fused = False
    try:
        return model(*inputs)
    finally:
        model.fused = fused


@torch.inference_mode()
def test_recording_is_bit_equal_to_the_explicit_path(model, images):
    with dl.trace(model) as record:
        recorded = model(*images)
    assert torch.equal(recorded, explicit(model, *images))
    assert (recorded - model(*images)).norm() <= 1e-5 * recorded.norm()
    assert model.fused
    for level, n in ((1, 1024), (2, 256), (4, 64)):
        side = record.windows[level].side if level in record.windows else 8
        assert record.spatial[level].shape == (2, 8, n, side**2)
        assert record.channel[level].shape == (2, 8, 4, 4)
        for attention in (record.spatial[level], record.channel[level]):
            torch.testing.assert_close(attention.sum(-1), torch.ones(attention.shape[:-1]))
        if record.keys[level] is None:  # no query votes alone
            continue
        logits = record.queries[level] @ record.keys[level].mT
        torch.testing.assert_close(logits.softmax(-1), record.spatial[level], atol=1e-6, rtol=1e-4)


def test_recording_nothing_is_an_error(model):
    with pytest.raises(RuntimeError, match="nothing was recorded"), dl.trace(model):
        pass
    with pytest.raises(LookupError, match="recorded"), dl.trace(model) as record:
        record.lift(1, (0, 0))


@torch.inference_mode()
def test_the_lift_says_what_a_reference_pixel_weighs(model, images):
    """Move the values of one reference pixel: the query's output moves by its lifted weight."""
    with dl.trace(model) as record:
        model(*images)
    block = model.transformers["4"].attention.spatial
    v = torch.randn(2, 8, 64, 4)
    query, pixel, head = (3, 5), (6, 2), 2
    moved = v.clone()
    moved[:, head, pixel[0] * 8 + pixel[1]] += 1

    def output(values):
        if block.window:
            mixed = block.window.mix(record.spatial[4], values, (8, 8))
        else:
            mixed = record.spatial[4] @ block.project_value(values, (8, 8))
        return mixed[0, head, query[0] * 8 + query[1]]

    weight = record.lift(4, query, head=head)[pixel]
    torch.testing.assert_close(output(moved) - output(v), weight.expand(4), atol=1e-5, rtol=1e-4)


@torch.inference_mode()
def test_lift_mean_relative_and_tokens(images):
    model = awake(dl.DCAMSR(image_size=32))
    with dl.trace(model) as record:
        model(*images)
    heads = torch.stack([record.lift(2, (3, 4), head=h, batch=1) for h in range(8)])
    torch.testing.assert_close(record.lift(2, (3, 4), batch=1), heads.mean(0))
    uniform = record.tokens(2, (3, 4)).mean(0)
    relative = record.lift(2, (3, 4), relative=True)
    torch.testing.assert_close(relative, record.lift(2, (3, 4)) - uniform)
    assert record.tokens(2, query=(0, 0)).shape == (64, 16, 16)
    with pytest.raises(IndexError, match="outside of the 16 x 16"):
        record.lift(2, (16, 0))
    with pytest.raises(LookupError, match=r"recorded: \[1, 2, 4\]"):
        record.lift(3, (0, 0))


@torch.inference_mode()
def test_padding_is_removed_and_queries_stay_in_place():
    model = awake(dl.DCAMSR(image_size=64))
    lr, ref = torch.randn(1, 1, 9, 13), torch.randn(1, 1, 36, 52)
    with dl.trace(model) as record:
        model(lr, ref)
    assert [record.lift(level, (0, 0)).shape for level in (1, 2, 4)] == [
        (36, 52),
        (18, 26),
        (9, 13),
    ]
    padded = record.footprints[1]
    assert padded.shape == (64, 40, 56)
    weights = record.spatial[1][0, :, 7 * 56 + 50].mean(0)
    expected = torch.einsum("p,phw->hw", weights, padded)[:36, :52]
    torch.testing.assert_close(record.lift(1, (7, 50)), expected)
    assert record.source(1, (7, 50)).row.unique().tolist() == [7]


@torch.inference_mode()
def test_source_names_the_scramble(images):
    aligned = awake(dl.DCAMSR(image_size=32))
    scrambled = awake(dl.DCAMSR(image_size=32, variant="released"))
    for model in (aligned, scrambled):
        with dl.trace(model) as record:
            model(*images)
        source = record.source(2, (3, 4))
        assert len(source.row) == 32
        flat = source.row * 16 + source.column
        if model is aligned:
            assert set(flat.tolist()) == {3 * 16 + 4}
        else:  # c consecutive positions of one plane: token 52 of 256 starts at value 52 * 32
            start = (3 * 16 + 4) * 32 % 256
            assert flat.tolist() == list(range(start, start + 32))
            assert len(source.head.unique()) == len(source.feature.unique()) == 1


def test_entropy_is_one_for_uniform_and_zero_for_one_hot():
    from dcamsr_lite.interpret.record import _entropy

    assert torch.equal(_entropy(torch.eye(4)[None]), torch.zeros(1))
    torch.testing.assert_close(_entropy(torch.full((2, 3, 5, 64), 1 / 64)), torch.ones(2, 3))


@torch.inference_mode()
@pytest.mark.parametrize("branch", ["spatial", "channel"])
def test_uniform_is_what_a_network_with_uniform_attention_computes(model, branch, images):
    with dl.intervene(model, **{branch: "uniform"}):
        edited = model(*images)
    with torch.no_grad():
        edited_by_hand = awake(dl.DCAMSR(image_size=32, variant=model.config.variant))
        edited_by_hand.load_state_dict(model.state_dict())
        for block in edited_by_hand.transformers.values():
            part = getattr(block.attention, branch)
            if branch == "spatial":
                part.prepare = lambda q, k, project, temperature: (0 * q, project(k))
                if model.config.in_sequence:  # votes elect one place, and never all alike
                    tokens = part.attention.side**2
                    part.attention.share = lambda q, k, grid, p=tokens: torch.zeros(
                        1, 1, q.shape[2], p
                    )
            else:
                part.temperature = torch.nn.Parameter(torch.zeros(8, 1, 1))
    torch.testing.assert_close(edited, edited_by_hand(*images), atol=1e-6, rtol=1e-6)
    assert not torch.allclose(edited, model(*images), atol=1e-7)


@torch.inference_mode()
def test_everything_off_is_the_trunk_alone(model, images):
    """Both branches off: the attention term is zero, the feed-forward network stays."""
    lr, ref = images
    with dl.intervene(model, spatial="off", channel="off"):
        blind = model(lr, ref)
        assert torch.equal(blind, model(lr, ref.flip(-1)))
    hooks = [
        block.attention.register_forward_hook(lambda m, i, y: torch.zeros_like(y))
        for block in model.transformers.values()
    ]
    assert torch.equal(model(lr, ref), blind)
    for hook in hooks:
        hook.remove()
    assert not torch.equal(model(lr, ref), blind)


@torch.inference_mode()
def test_cutting_heads_is_zeroing_their_columns_of_the_output_projection(images):
    model, heads = awake(dl.DCAMSR(image_size=32)), [0, 3]
    for branch in ("spatial", "channel"):
        with dl.intervene(model, **{branch: "off"}, heads=heads, levels=[2]):
            cut = model(*images)
        projection = getattr(model.transformers["2"].attention, f"{branch}_out")
        before = projection.weight.clone()
        for head in heads:
            projection.weight[:, head * 4 : head * 4 + 4] = 0
        torch.testing.assert_close(model(*images), cut, atol=1e-6, rtol=1e-5)
        projection.weight.copy_(before)


@torch.inference_mode()
def test_leaving_restores_the_network_exactly_also_after_an_exception(model, images):
    before = model(*images)
    hooks = sum(len(m._forward_hooks) + len(m._forward_pre_hooks) for m in model.modules())
    with pytest.raises(ZeroDivisionError):
        with dl.intervene(model, spatial="uniform", channel="off"), dl.trace(model):
            model(*images)
            raise ZeroDivisionError
    after = sum(len(m._forward_hooks) + len(m._forward_pre_hooks) for m in model.modules())
    assert hooks == after
    assert model.fused
    assert torch.equal(model(*images), before)


@torch.inference_mode()
@pytest.mark.parametrize("trace_outside", [True, False])
def test_a_trace_sees_the_edited_attention(trace_outside, images):
    model = awake(dl.DCAMSR(image_size=32))
    edit = dl.intervene(model, spatial="uniform", heads=[1], levels=[1])
    if trace_outside:
        with dl.trace(model) as record, edit:
            model(*images)
    else:
        with edit, dl.trace(model) as record:
            model(*images)
    torch.testing.assert_close(record.spatial[1][:, 1], torch.full((2, 1024, 64), 1 / 64))
    assert record.entropy(1)["spatial"][0, 0] < 0.9999


@pytest.mark.parametrize(
    ("options", "word"),
    [
        (dict(spatial="cut"), "expected one of"),
        (dict(spatial="off", heads=[8]), "0 to 7"),
        (dict(spatial="off", heads=[]), "0 to 7"),
        (dict(channel="off", levels=[3]), r"levels \[3\] are not in this network"),
    ],
)
def test_wrong_interventions_say_what_was_expected(options, word):
    with pytest.raises(ValueError, match=word), dl.intervene(dl.DCAMSR(image_size=32), **options):
        pass


def test_a_branch_that_was_never_built_cannot_be_cut():
    model = dl.DCAMSR(image_size=32, channel=False)
    with pytest.raises(ValueError, match="without its channel branch"):
        with dl.intervene(model, channel="off"):
            pass


@torch.inference_mode()
@pytest.mark.parametrize("off", ["spatial", "channel", "multiscale"])
def test_networks_with_one_branch_or_one_level_are_recorded_too(off, images):
    model = awake(dl.DCAMSR(image_size=32, **{off: False}))
    with dl.trace(model) as record:
        model(*images)
    assert set(record.entropy(4)) == {"spatial", "channel"} - {off}
    if off == "multiscale":
        with pytest.raises(LookupError, match=r"recorded: \[4\]"):
            record.entropy(1)


def small_pair() -> dl.Pair:
    return dl.load_pair(torch.rand(2, 32, 32), torch.rand(2, 32, 32), 4)


@pytest.mark.parametrize("look", [measure_entropies, lambda *given: record_slice(*given, 0)])
def test_inputs_go_to_the_models_device(look):
    """torch's device without values stands for a GPU: it ends where values come back."""
    model, seen = dl.DCAMSR(image_size=32).to("meta"), []
    model.register_forward_pre_hook(lambda _, inputs: seen.extend(x.device.type for x in inputs))
    with pytest.raises(RuntimeError, match="meta"):
        look(model, small_pair())
    assert seen == ["meta", "meta"]


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_a_network_on_a_gpu_is_looked_into():
    model, pair = awake(dl.DCAMSR(image_size=32)), small_pair()
    expected = measure_entropies(model, pair)
    found = measure_entropies(model.cuda(), pair)
    for branch, values in expected.items():
        assert found[branch] == pytest.approx(values, abs=1e-3)
    assert len(overview(model, pair).axes) > 12
