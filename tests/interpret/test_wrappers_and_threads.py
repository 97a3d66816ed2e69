"""A trace and a cut act on the network in a wrapper of torch, in their own thread, or say no."""

import copy
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest
import torch
from helpers import awake
from torch import nn
from torch.nn.parallel import DataParallel, DistributedDataParallel
from torch.optim.swa_utils import AveragedModel

import dcamsr_lite as dl
from dcamsr_lite.evaluation import check_scale, evaluating, name_method
from dcamsr_lite.interpret.hooks import hooking
from dcamsr_lite.network.super_resolver import unwrap

INPUTS = torch.rand(1, 1, 8, 8), torch.rand(1, 1, 32, 32)
OFF = {"spatial": "off", "channel": "off"}


@pytest.fixture
def model():
    return awake(dl.DCAMSR(image_size=32, channels=8, heads=2, tokens=16))


@pytest.fixture
def one_process(tmp_path):
    store = f"file://{tmp_path / 'store'}"
    torch.distributed.init_process_group("gloo", init_method=store, rank=0, world_size=1)
    yield
    torch.distributed.destroy_process_group()


def check_that_cuts_act(handed: nn.Module, called: nn.Module, model: nn.Module) -> None:
    """Traced or cut by the one and run by the other, as if there were no wrapper."""
    with torch.no_grad():
        before = model(*INPUTS)
        with dl.intervene(model, **OFF):
            expected = model(*INPUTS)
        assert (expected - before).abs().max() > 0.01
        with dl.intervene(handed, **OFF):
            torch.testing.assert_close(called(*INPUTS), expected)
        with dl.trace(handed) as record, dl.intervene(handed, spatial="uniform", levels=[4]):
            called(*INPUTS)
        assert bool((record.spatial[4] == 1 / 16).all()) and record.shape == (32, 32)
        torch.testing.assert_close(called(*INPUTS), before)


@pytest.mark.parametrize("wrapper", [DataParallel, AveragedModel])
def test_the_network_in_a_wrapper_is_cut(wrapper, model):
    wrapped = wrapper(model).eval()
    inner = unwrap(wrapped)
    for handed, called in ((wrapped, wrapped), (wrapped, inner), (inner, wrapped)):
        check_that_cuts_act(handed, called, inner)


def test_the_network_in_a_distributed_wrapper_is_cut(one_process, model):
    wrapped = DistributedDataParallel(model)
    for handed, called in ((wrapped, wrapped), (model, wrapped)):
        check_that_cuts_act(handed, called, model)


def test_compiled_code_runs_as_written_while_a_block_of_any_thread_is_open():
    compiled = torch.compile(lambda x: x + torch.compiler.is_compiling(), backend="eager")
    zero = torch.zeros(1)
    assert compiled(zero) == 1
    first, second = ExitStack(), ExitStack()
    first.enter_context(hooking())
    second.enter_context(hooking())
    first.close()
    assert compiled(zero) == 0  # the other block is still open
    second.close()
    assert compiled(zero) == 1


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # torch's own, of its compiler
@pytest.mark.parametrize("warm", [True, False])
def test_a_compiled_network_is_cut(warm, model):
    """Cuts were ignored: a learner concluded that attention does not matter."""
    torch.compiler.reset()
    compiled = torch.compile(model, backend="eager")
    with torch.no_grad():
        if warm:
            compiled(*INPUTS)
        check_that_cuts_act(compiled, compiled, model)
        check_that_cuts_act(model, compiled, model)
        model.compile(backend="eager")
        if warm:
            model(*INPUTS)
        check_that_cuts_act(model, model, model)
        cut = dl.Intervention(cuts=(dl.Cut("channel", "off"),))
        pair = dl.load_pair(INPUTS[1][0], INPUTS[1][0], 4)
        assert dl.run_intervention(compiled, pair, 0, cut).change != 0
        compiled_inside = copy.deepcopy(unwrap(compiled))
        with dl.intervene(compiled_inside, **OFF):
            late = torch.compile(compiled_inside, backend="eager")
            cut_late = late(*INPUTS)
        assert (late(*INPUTS) - cut_late).abs().max() > 0.01


def test_a_wrapped_network_is_known_by_what_is_inside(model, tmp_path):
    wrapped = DataParallel(model)
    pair = dl.load_pair(INPUTS[1][0], 1 - INPUTS[1][0], 4)
    assert name_method(wrapped) == "dcamsr"
    with pytest.raises(dl.InputError, match="a network for 4x"):
        check_scale(wrapped, 2)
    assert dl.evaluate(wrapped, pair)["variant"] == "corrected"
    assert list(dl.explore(wrapped, pair, cuts=False).networks) == ["corrected"]
    assert dl.intervention_lab(wrapped, pair).info["branches"] == ["spatial", "channel"]
    assert dl.explore_attribution(wrapped, pair).info["attends"]
    dl.save(wrapped, tmp_path / "wrapped.safetensors", dtype=torch.float32)
    loaded = dl.load(tmp_path / "wrapped.safetensors")
    assert all(
        torch.equal(a, b) for a, b in zip(loaded.parameters(), model.parameters(), strict=True)
    )


def test_a_module_of_ones_own_is_no_wrapper(model):
    class Doubled(nn.Module):
        def __init__(self, module):
            super().__init__()
            self.module = module

        def forward(self, lr, ref):
            return 2 * self.module(lr, ref)

    own = Doubled(model)
    assert unwrap(own) is own and name_method(own) == "Doubled"
    with pytest.raises(dl.InputError, match="a Doubled without such attention"), dl.trace(own):
        pass


@pytest.mark.filterwarnings("ignore")  # torch gives it up
def test_a_scripted_copy_is_refused_and_never_left_whole_in_silence(model):
    with torch.no_grad():
        copied = torch.jit.trace(model, INPUTS, check_trace=False)
        with pytest.raises(dl.InputError, match="without such attention"), dl.trace(copied):
            pass
        with pytest.raises(RuntimeError, match="nothing was cut: run the model itself"):
            with dl.intervene(model, **OFF):
                copied(*INPUTS)
        with pytest.raises(RuntimeError, match="nothing was recorded: run the model itself"):
            with dl.trace(model):
                copied(*INPUTS)


def test_a_replica_is_refused_in_one_sentence(model):
    """What DataParallel runs on each of several GPUs, all at once."""
    replica = model._replicate_for_data_parallel()
    for context in (dl.trace(model), dl.intervene(model, spatial="off")):
        with pytest.raises(dl.InputError, match="found a replica of DataParallel"), context:
            replica(*INPUTS)


@torch.no_grad()
def test_other_threads_are_neither_recorded_nor_cut(model):
    before = model(*INPUTS)
    other = INPUTS[0], INPUTS[1].flip(-1)
    with ThreadPoolExecutor(1) as threads:
        elsewhere = lambda images: threads.submit(torch.no_grad()(model), *images).result()  # noqa: E731
        with dl.intervene(model, spatial="uniform", channel="off"):
            assert torch.equal(elsewhere(INPUTS), before)
            cut = model(*INPUTS)
        with dl.trace(model) as alone:
            model(*INPUTS)
        with dl.trace(model) as record:
            model(*INPUTS)
            assert torch.equal(elsewhere(INPUTS), before)
            elsewhere(other)
        assert torch.equal(record.spatial[1], alone.spatial[1])
        with pytest.raises(RuntimeError, match="in the same thread"), dl.trace(model):
            elsewhere(INPUTS)
        with pytest.raises(RuntimeError, match="in the same thread"):
            with dl.intervene(model, channel="off"):
                elsewhere(INPUTS)
    assert (cut - before).abs().max() > 0.001 and torch.equal(model(*INPUTS), before)


@torch.no_grad()
def test_blocks_that_cross_leave_the_network_as_it_was(model):
    before = model(*INPUTS)
    first, second = dl.trace(model), dl.trace(model)
    first.__enter__()
    record = second.__enter__()
    model(*INPUTS)
    first.__exit__(None, None, None)
    assert model.fused and model(*INPUTS) is not None
    second.__exit__(None, None, None)
    assert set(record.spatial) == {1, 2, 4}
    assert model.fused and torch.equal(model(*INPUTS), before)


@torch.no_grad()
def test_a_copy_made_inside_a_block_is_whole_afterwards(model):
    before = model(*INPUTS)
    with dl.intervene(model, **OFF):
        copied = copy.deepcopy(model)
        model(*INPUTS)
    assert torch.equal(copied(*INPUTS), before)


def test_eval_mode_ends_where_it_began():
    network = nn.Sequential(nn.Dropout(), nn.Dropout().eval())  # one part kept in eval mode
    with evaluating(network):
        assert not any(module.training for module in network.modules())
    assert [module.training for module in network.modules()] == [True, True, False]
