"""A training survives kill -9, Ctrl-C and a full disk, and several processes train as one."""

import csv
import errno
import functools
import os
import random
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from helpers import ROOT, SMALL, coil_kspace, small_network
from torch.utils.data import TensorDataset

import dcamsr_lite as dl
from dcamsr_lite.cli import main, parser
from dcamsr_lite.data.files import write_m4raw
from dcamsr_lite.network.checkpoints import read_header
from dcamsr_lite.training import memory
from dcamsr_lite.training.dataset import collect_slices, cut_slices
from dcamsr_lite.training.loop import backpropagate, train
from dcamsr_lite.training.recipe import Recipe
from dcamsr_lite.training.run import average_weights, catch_stop

# dropout, variation, accumulation, the moving average: everything that draws numbers or has a state
EVERYTHING = "--variant released --vary --accumulate 2 --batch 1 --average 0.9".split()


@pytest.fixture
def command(volumes, monkeypatch):
    """The arguments of a small training in the current folder."""
    monkeypatch.setattr(sys, "argv", ["dcamsr"])
    Path("pairs.csv").write_text(f"{volumes[0]},{volumes[1]}\n")
    small = [word for k, v in SMALL.items() for word in ("--set", f"{k}={v}")]
    return lambda out, *more: [
        *("train", "--data", "pairs.csv", "--validation", "pairs.csv", "--out", out, *small, *more)
    ]


def state(folder: str) -> dict:
    """Everything that a resumed run has to share with one that was not interrupted."""
    content = torch.load(f"{folder}/state.pt", weights_only=True)
    content["rows"] = [row[:-1] for row in content["rows"]]
    content.pop("seconds")
    return content


def same(a, b) -> bool:
    if isinstance(a, torch.Tensor):
        return torch.equal(a, b)
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(map(same, a, b))
    return a == b


def child(*command: str) -> subprocess.CompletedProcess:
    paths = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    # as many threads as here: sums are taken in another order with another number
    own = {"PYTHONPATH": paths, "OMP_NUM_THREADS": str(torch.get_num_threads())}
    return subprocess.run(
        [sys.executable, *command], env=os.environ | own, capture_output=True, text=True
    )


KILLED = """
import os, pathlib, signal, sys
import torch
from dcamsr_lite.cli import main
from dcamsr_lite.network.model import DCAMSR

left, replace = int(sys.argv.pop(1)), pathlib.Path.replace

def event():
    global left
    left -= 1
    if left == 0:
        os.kill(os.getpid(), signal.SIGKILL)

def before_forward(module, inputs):
    if isinstance(module, DCAMSR) and module.training:
        event()

def before_replace(path, target):
    event()
    return replace(path, target)

torch.nn.modules.module.register_module_forward_pre_hook(before_forward)
pathlib.Path.replace = before_replace
main(sys.argv[1:])
"""


@pytest.mark.slow
def test_killed_at_a_random_step_or_in_a_save_it_resumes_bit_identically(command):
    options = ["--steps", "9", "--every", "2", *EVERYTHING]
    # 3 files are replaced before the first step; then per two steps 4 forwards and 3 or 4 files
    moment = random.randint(4, 36)
    killed = child("-c", KILLED, str(moment), *command("parts", *options))
    assert killed.returncode == -signal.SIGKILL, f"moment {moment}: {killed.stderr}"
    assert main(command("whole", *options)) == 0
    reached = state("parts")["step"]
    assert reached < 9
    assert main(command("parts", *options, "--resume")) == 0
    assert same(state("parts"), state("whole")), f"killed at moment {moment}, after step {reached}"
    for name in ("last", "best"):
        files = [f"{run}/{name}.safetensors" for run in ("parts", "whole")]
        one, two = (dl.load(file).state_dict() | read_header(file) for file in files)
        assert same(one, two), f"{name}, killed at moment {moment}"


def test_ctrl_c_finishes_the_step_saves_and_names_the_command_to_go_on(command, capsys):
    options = ["--steps", "6", "--every", "4", *EVERYTHING]
    assert main(command("whole", *options)) == 0
    calls = 0

    def press(module, inputs):
        nonlocal calls
        calls += isinstance(module, dl.DCAMSR) and module.training
        if calls == 5 and isinstance(module, dl.DCAMSR):  # in the first half of the third step
            signal.raise_signal(signal.SIGINT)

    handle = torch.nn.modules.module.register_module_forward_pre_hook(press)
    capsys.readouterr()
    assert main(command("parts", *options)) == 130
    handle.remove()
    assert state("parts")["step"] == 3
    line = capsys.readouterr().err.split("To go on:\n")[1].splitlines()[0]
    program, *arguments = shlex.split(line)
    assert program == "dcamsr" and arguments == [*command("parts", *options), "--resume"]
    assert main(arguments) == 0
    assert same(state("parts"), state("whole"))


def test_signals_act_as_before_when_training_is_over(volumes):
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    train(small_network(), cut_slices([volumes], scale=4), "run", steps=1, progress=False)
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before


@pytest.mark.parametrize(
    "file",
    [
        "last.safetensors",
        *(pytest.param(n, marks=pytest.mark.slow) for n in ("best.safetensors", "state.pt")),
    ],
)
def test_a_full_disk_loses_no_earlier_checkpoint(command, file, monkeypatch, capsys):
    assert main(command("whole", "--steps", "4", "--every", "2")) == 0
    options = ["--steps", "4", "--every", "2"]
    assert main(command("parts", *options, "--until", "2")) == 0
    before = {path.name: path.read_bytes() for path in Path("parts").iterdir()}
    write = Path.write_bytes

    def until_full(path, content):
        if path.name.endswith(file):
            write(path, bytes(content)[: len(content) // 2])
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return write(path, content)

    with monkeypatch.context() as full:
        full.setattr(Path, "write_bytes", until_full)
        # nothing is best at the second time unless the first was worse
        full.setattr("dcamsr_lite.training.loop.measure_psnr", lambda model, pairs: 99.0)
        capsys.readouterr()
        assert main(command("parts", *options, "--resume")) == 2
    assert "No space left on device" in capsys.readouterr().err.splitlines()[-1]
    assert Path(f"parts/{file}").read_bytes() == before[file]
    assert {path.name for path in Path("parts").iterdir()} == {*before}
    assert dl.load("parts/last.safetensors").config == dl.load("parts/best.safetensors").config
    assert main(command("parts", *options, "--resume")) == 0
    assert same(state("parts"), state("whole"))


def test_a_damaged_state_is_refused_in_one_line(command, capsys):
    assert main(command("run", "--steps", "1")) == 0
    content = Path("run/state.pt").read_bytes()
    Path("run/state.pt").write_bytes(content[: len(content) // 2])
    assert main(command("run", "--steps", "1", "--resume")) == 2
    assert "the state of a training" in capsys.readouterr().err.splitlines()[-1]


def test_identical_networks_are_written_as_identical_files():
    notes = {name: name for name in "abcdefgh"} | {"data": "caf\udce9.csv"}
    for number in range(3):
        dl.save(small_network(), f"{number}.safetensors", **notes)
    assert len({Path(f"{number}.safetensors").read_bytes() for number in range(3)}) == 1
    assert read_header("0.safetensors")["data"] == r"caf\udce9.csv"


@pytest.mark.slow
def test_two_processes_train_as_one_with_the_same_global_batch(command):
    options = ["--steps", "50", "--every", "1", "--vary", "--rate", "5e-4"]
    assert main(command("one", *options, "--batch", "4")) == 0
    torchrun = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    shared = command("two", *options, "--batch", "2", "--workers", "1", "--cache", "slices")
    done = child(*torchrun, "-m", "dcamsr_lite", *shared)
    assert done.returncode == 0, done.stderr
    curves = []
    for run in ("one", "two"):
        rows = [*csv.DictReader(Path(run, "log.csv").read_text().splitlines())]
        curves.append(torch.tensor([float(row["loss"]) for row in rows]))
        assert rows[-1]["validation_psnr"]
    assert len(curves[0]) == 50 and curves[0].unique().numel() > 40
    torch.testing.assert_close(curves[0], curves[1], rtol=0, atol=1e-4)


def test_accumulation_equals_the_large_batch(volumes):
    tensors = cut_slices([volumes], scale=4)
    gradients = []
    for parts in (1, 2, 4):
        model = small_network()
        for number, part in enumerate(zip(*(t[:4].chunk(parts) for t in tensors), strict=True), 1):
            backpropagate(model, part, number == parts, 4, Recipe(accumulate=parts))
        gradients.append(torch.cat([p.grad.flatten() for p in model.parameters()]))
    for divided in gradients[1:]:
        assert (divided - gradients[0]).norm() < 1e-5 * gradients[0].norm()


def test_the_moving_average_is_what_is_saved_and_follows_its_rule(volumes):
    tensors = cut_slices([volumes], scale=4)
    model = train(small_network(), tensors, "run", steps=3, average=0.9, rate=1e-2, progress=False)
    content = state("run")
    average = {k.removeprefix("module."): v for k, v in content["average"].items()}
    kept = dl.load("run/last.safetensors").state_dict()
    for name, value in model.state_dict().items():
        assert torch.equal(value, average[name])
        assert torch.equal(value.half().float(), kept[name])
    assert not all(torch.equal(content["model"][name], average[name]) for name in kept)
    weight = torch.nn.Linear(1, 1, bias=False)
    followed, expected = average_weights(weight, 0.999), None
    for step in range(5):
        with torch.no_grad():
            weight.weight.fill_(float(step))
        followed.update_parameters(weight)
        share = (1 + step) / (10 + step)
        expected = float(step) if expected is None else share * expected + (1 - share) * step
    assert followed.module.weight.item() == pytest.approx(expected)


def test_best_is_chosen_by_validation_and_says_so(command, monkeypatch, capsys):
    found = iter([20.0, 22.0, 21.0])
    monkeypatch.setattr("dcamsr_lite.training.loop.measure_psnr", lambda model, pairs: next(found))
    assert main(command("run", "--steps", "3", "--every", "1")) == 0
    assert read_header("run/best.safetensors")["step"] == "2"
    assert "optimistic" in read_header("run/best.safetensors")["selection"]
    assert "optimistic" in capsys.readouterr().err
    assert Path("run/best.safetensors").read_bytes() != Path("run/last.safetensors").read_bytes()


def test_slices_on_disk_are_those_in_memory(volumes, tmp_path):
    for name in ("1_T101", "1_T201"):
        kspace = coil_kspace(2, 32, seed=len(name))
        write_m4raw(tmp_path / f"{name}.h5", kspace, "AXT1", {"tr": 1, "te": 1, "flip": 90}, "1")
    pairs = [tuple(volumes), (tmp_path / "1_T101.h5", tmp_path / "1_T201.h5"), (torch.eye(32),) * 2]
    held = TensorDataset(*cut_slices(pairs, 4))
    stored = collect_slices(pairs, 4, "cache", limit=0)
    partly = collect_slices(
        pairs, 4, "other", limit=60_000
    )  # the first pair fits, all three do not
    assert isinstance(collect_slices(pairs, 4, "third", limit=1e9), TensorDataset)
    assert not Path("third").exists()
    for lazy in (stored, partly):
        assert len(lazy) == len(held) > 6
        assert all(same(lazy[i], held[i]) for i in range(len(held)))
    options = dict(steps=3, batch=2, vary=True, progress=False)
    one = train(small_network(), held.tensors, "one", **options)
    two = train(small_network(), stored, "two", **options)
    assert same(one.state_dict(), two.state_dict())


def test_too_large_a_batch_is_refused_with_one_that_fits(command, capsys, monkeypatch):
    config = dl.Config(image_size=(32, 32), **SMALL)
    there = memory.estimate_memory(config, 500)
    monkeypatch.setattr(memory, "measure_memory", lambda device: there)
    assert main(command("run", "--batch", "1000")) == 2
    lines = capsys.readouterr().err.strip().splitlines()
    assert "GB" in lines[-1] and "--accumulate" in lines[-1]
    fits = int(lines[-1].split("expected --batch ")[1].split()[0])
    assert 450 < fits <= 520 and not Path("run").exists()


def test_a_container_limits_the_memory(tmp_path, monkeypatch):
    machine = memory.measure_memory("cpu")
    limit = tmp_path / "memory.max"
    monkeypatch.setattr(memory, "CGROUP_LIMIT", limit)
    limit.write_text("2000000000\n")
    assert memory.measure_memory("cpu") == min(2.0, machine)
    limit.write_text("max\n")
    assert memory.measure_memory("cpu") >= machine


def test_presets_bring_their_recipe_and_epochs_count_whole_batches(command, volumes):
    def recipe(*more):
        options = vars(parser().parse_args(command("run", *more)))
        chosen = Recipe.make(options["preset"], options)
        return {
            name: getattr(chosen, name) for name in ("steps", "epochs", "rate", "schedule", "batch")
        }

    paper = dict(steps=None, epochs=50, rate=2e-4, schedule="paper", batch=4)
    assert recipe("--preset", "full") == paper
    assert recipe("--preset", "full", "--steps", "9") == paper | dict(steps=9, epochs=None)
    assert recipe() == dict(steps=1000, epochs=None, rate=1e-3, schedule="cosine", batch=2)
    train(small_network(), cut_slices([volumes], scale=4), "run", epochs=3, batch=4, progress=False)
    assert state("run")["step"] == 3  # six slices: one whole batch of four in each epoch


@pytest.mark.parametrize(
    ("options", "word"),
    [
        (["--average", "1.5"], "--average"),
        (["--rate", "1e300"], "below 1e30"),
        (["--set", "channels=" + 5000 * "["], "--set: found channels nested too deeply"),
        (["--vary", "colour"], "geometry,mirror,contrast,curve"),
        (["--steps", "3", "--epochs", "3"], "not allowed with"),
        (["--accumulate", "99"], "more slices"),
    ],
)
def test_wrong_recipes_are_one_line(command, options, word, capsys):
    assert main(command("run", *options)) == 2
    lines = capsys.readouterr().err.strip().splitlines()
    assert word in lines[-1] and lines[-1].startswith("dcamsr: error: ")


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # of the compiler, about our Fourier transforms
def test_a_compiled_network_trains_alike_and_saves_under_the_same_names(volumes, monkeypatch):
    # the whole graph is taken and differentiated, but no code is generated: that takes minutes
    monkeypatch.setattr(torch, "compile", functools.partial(torch.compile, backend="aot_eager"))
    tensors, rows = cut_slices([volumes], scale=4), []
    for out in ("plain", "compiled"):
        options = dict(steps=3, batch=2, every=1, progress=False, compile=out == "compiled")
        train(small_network(), tensors, out, **options)
        rows.append([row[1] for row in state(out)["rows"]])
    assert rows[0] == pytest.approx(rows[1], abs=1e-4)
    assert state("plain")["model"].keys() == state("compiled")["model"].keys()


def test_no_compiler_is_one_line(command, monkeypatch, capsys):
    def missing(function):
        raise RuntimeError("no C++ compiler\nand more")

    monkeypatch.setattr(torch, "compile", missing)
    assert main(command("run", "--compile")) == 2
    line = capsys.readouterr().err.strip().splitlines()[-1]
    assert line.startswith("dcamsr: error: --compile: found no C++ compiler; expected")


def test_other_validation_volumes_choose_the_best_anew_and_first_notes_stay(
    volumes, monkeypatch, capsys
):
    found = iter([30.0, 20.0, 10.0])
    monkeypatch.setattr("dcamsr_lite.training.loop.measure_psnr", lambda model, pairs: next(found))
    tensors, options = cut_slices([volumes], scale=4), {"steps": 9, "progress": False}
    one, other = ([dl.load_pair(volumes[k], volumes[1 - k], 4)] for k in (0, 1))
    first, later = {"init": "mine"}, {"init": "random"}
    train(small_network(), tensors, "run", one, notes=first, until=1, **options)
    steps = []
    for until, pairs in ((2, one), (3, other)):
        options |= {"until": until, "resume": True}
        train(small_network(), tensors, "run", pairs, notes=later, **options)
        steps.append(read_header("run/best.safetensors")["step"])
        assert ("chosen anew" in capsys.readouterr().err) == (pairs is other)
    assert steps == ["1", "3"]
    for name in ("last", "best"):
        assert read_header(f"run/{name}.safetensors")["init"] == "mine"


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="no terminals of this kind")
def test_the_end_of_a_terminal_asks_to_stop_unless_it_is_ignored():
    before = signal.getsignal(signal.SIGHUP)
    try:
        for handler, asked in ((signal.SIG_DFL, True), (signal.SIG_IGN, False)):
            signal.signal(signal.SIGHUP, handler)
            with catch_stop() as stop_was_asked:
                signal.raise_signal(signal.SIGHUP)
                assert stop_was_asked() is asked
            assert signal.getsignal(signal.SIGHUP) == handler
    finally:
        signal.signal(signal.SIGHUP, before)
