"""Training: it learns, it can be interrupted anywhere, and it goes on exactly."""

import csv
import errno
import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch

import dcamsr_lite as dl
from dcamsr_lite.cli import main
from dcamsr_lite.data.pairs import load_pair
from dcamsr_lite.data.volume import Volume
from dcamsr_lite.training.batches import draw_batches
from dcamsr_lite.training.dataset import cut_slices, mirror
from dcamsr_lite.training.loop import learning_rate, train
from dcamsr_lite.training.run import WRITTEN


@pytest.fixture
def tensors(volumes):
    return cut_slices([volumes], scale=4)


def network(variant: str = "corrected", **options) -> dl.DCAMSR:
    small = dict(channels=16, heads=4, encoder_blocks=(1, 1, 1), decoder_blocks=(1,) * 6)
    torch.manual_seed(0)
    return dl.DCAMSR(image_size=32, variant=variant, **small, **options)


def same(a: dl.DCAMSR, b: dl.DCAMSR) -> bool:
    return all(torch.equal(x, y) for x, y in zip(a.parameters(), b.parameters(), strict=True))


@pytest.mark.slow
def test_it_learns_and_logs(tensors, volumes):
    model = network()
    options = dict(steps=60, batch=3, rate=2e-3, every=20, progress=False)
    train(model, tensors, "run", validation=[volumes], **options)
    rows = list(csv.DictReader(Path("run/log.csv").read_text().splitlines()))
    assert [row["step"] for row in rows] == ["20", "40", "60"]
    assert float(rows[2]["loss"]) < 0.9 * float(rows[0]["loss"])
    assert float(rows[-1]["validation_psnr"]) > float(rows[0]["validation_psnr"])
    again = dl.load("run/last.safetensors")
    with torch.inference_mode():
        lr, ref = tensors[0][:1], tensors[1][:1]
        assert (again(lr, ref) - model(lr, ref)).norm() <= 2e-3 * model(lr, ref).norm()


class PressedEarly(dl.DCAMSR):
    """Ctrl-C as early as it can be: while the very first state is put together."""

    def state_dict(self, *arguments, **options):
        if not Path("run/state.pt").exists():
            signal.raise_signal(signal.SIGINT)
        return super().state_dict(*arguments, **options)


def test_a_stop_before_the_first_state_is_written_saves_one(tensors):
    model = PressedEarly(image_size=32, channels=16, heads=4)
    with pytest.raises(KeyboardInterrupt):
        train(model, tensors, "run", steps=3, batch=2, progress=False)
    assert torch.load("run/state.pt", weights_only=True)["step"] == 1


@pytest.mark.parametrize(
    "variant", ["corrected", "released"]
)  # released: dropout draws numbers too
def test_resuming_gives_bit_identical_weights(tensors, variant):
    options = dict(steps=7, batch=2, every=2, progress=False)
    whole, first = network(variant), network(variant)
    train(whole, tensors, "whole", **options)

    class Killed(BaseException):
        pass

    calls = 0

    def kill(module, inputs, output):
        nonlocal calls
        calls += 1
        if calls == 6:
            raise Killed

    handle = first.register_forward_hook(kill)
    with pytest.raises(Killed):
        train(first, tensors, "parts", **options)
    handle.remove()
    train(network(variant), tensors, "parts", resume=True, until=6, **options)
    resumed = train(network(variant), tensors, "parts", resume=True, **options)
    assert same(whole, resumed)
    assert Path("whole/log.csv").read_text().count("\n") == Path("parts/log.csv").read_text().count(
        "\n"
    )


def test_a_loss_that_is_not_finite_stops_before_it_spoils_the_weights(tensors):
    lr, ref, target = (t.clone() for t in tensors)
    target[:] = torch.inf
    model = network()
    with pytest.raises(dl.InputError, match="a loss of inf after 0 steps"):
        train(model, (lr, ref, target), "run", steps=3, progress=False)
    assert same(dl.load("run/last.safetensors").half(), network().half())


def test_a_gradient_that_is_not_finite_spoils_nothing_that_was_saved(tensors):
    """A finite loss may have one, as at the root of zero; after that step no weight is a number."""
    model = network()
    calls = []

    def spoil(gradient):
        calls.append(1)
        return gradient * float("nan") if len(calls) == 4 else gradient

    model.last.weight.register_hook(spoil)
    with pytest.raises(dl.InputError, match="a gradient of nan after 3 steps"):
        train(model, tensors, "run", steps=6, every=2, progress=False)
    dl.load("run/last.safetensors")
    resumed = train(network(), tensors, "run", steps=6, every=2, resume=True, progress=False)
    assert same(resumed, train(network(), tensors, "whole", steps=6, every=2, progress=False))


@pytest.mark.parametrize("options", [{"merge": "scrambled"}, {"residual": False}, {"scale": 2}])
def test_another_network_does_not_go_on_where_this_one_stopped(options, tensors):
    train(network(), tensors, "run", steps=3, until=1, progress=False)
    other = network(**options)
    with pytest.raises(dl.InputError, match=f"{next(iter(options))}"):
        train(other, tensors, "run", steps=3, resume=True, progress=False)


def test_other_data_do_not_go_on_where_these_stopped(tensors):
    train(network(), tensors, "run", steps=3, until=1, progress=False)
    lr, ref, target = tensors
    with pytest.raises(dl.InputError, match="'data'"):
        train(network(), (lr, ref * 1.1, target), "run", steps=3, resume=True, progress=False)
    rounded = tuple(t * (1 + 1e-6) for t in tensors)  # as another number of threads may leave them
    train(network(), rounded, "run", steps=3, resume=True, progress=False)


def test_a_validation_volume_of_another_size_is_refused_before_the_first_step(tensors):
    wide = torch.rand(2, 48, 48)
    model = dl.DCAMSR(image_size=32, variant="paper")
    with pytest.raises(dl.InputError, match="validation: found a volume of 48 x 48"):
        train(model, tensors, "run", steps=3, validation=[(wide, wide)], progress=False)


def test_what_cannot_be_trained_or_judged_is_refused_before_the_first_step(tensors):
    model = dl.DCAMSR(image_size=32)
    with pytest.raises(dl.InputError, match="steps: found none"):
        train(model, tensors, "run", steps=None, progress=False)
    without = dl.load_input(torch.rand(1, 32, 32), torch.rand(1, 8, 8), scale=4)
    with pytest.raises(dl.InputError, match="validation: found a pair without a target"):
        train(model, tensors, "run", steps=3, validation=[without], progress=False)
    assert not Path("run").exists()


def test_validation_has_the_normalisation_of_the_training_or_it_is_said(tensors, capsys):
    images = torch.rand(2, 2, 32, 32).tolist()
    rows = tuple(np.array(image, np.float32) for image in images)
    pairs = {n: dl.load_pair(*rows, 4, normalisation=n) for n in ("clean", "released")}
    found = {}
    for name, one in (pairs | {"rows": rows}).items():
        options = {"steps": 1, "progress": False, "notes": {"normalisation": "released"}}
        train(network(), tensors, name, validation=[one, one], **options)
        with open(Path(name, "log.csv"), newline="") as file:
            found[name] = next(csv.DictReader(file))["validation_psnr"]
        said = capsys.readouterr().err.count("trained with released normalisation")
        assert said == (name == "clean"), name
    assert found["rows"] == found["released"]


def test_another_run_is_not_overwritten_nor_resumed_by_mistake(tensors):
    train(network(), tensors, "run", steps=1, progress=False)
    before = Path("run/last.safetensors").read_bytes()
    with pytest.raises(dl.InputError, match="an earlier run"):
        train(network(), tensors, "run", steps=1, progress=False)
    with pytest.raises(dl.InputError, match="a run with"):
        train(network(), tensors, "run", steps=2, resume=True, progress=False)
    assert Path("run/last.safetensors").read_bytes() == before


def test_an_unwritable_folder_is_found_before_the_first_step(tensors, readonly):
    with pytest.raises(dl.InputError, match="a place that can be written"):
        train(network(), tensors, readonly / "run", steps=10**9, progress=False)


def test_batches_are_the_same_for_a_seed_and_cover_every_slice():
    one, two = (draw_batches(10, 3, seed, 0) for seed in (4, 4))
    drawn = [next(one) for _ in range(6)]
    assert all(torch.equal(a, next(two)) for a in drawn)
    assert len(set(torch.cat(drawn[:3]).tolist())) == 9
    assert not torch.equal(drawn[0], next(draw_batches(10, 3, 5, 0)))


def test_the_papers_schedule_decays_in_the_last_fifth():
    rates = [learning_rate(step, 50, 2e-4) for step in range(50)]
    assert rates[:40] == [2e-4] * 40
    assert rates[40:] == pytest.approx([2e-5] * 10)


def test_mirrored_heads_are_degraded_after_mirroring():
    generator = torch.Generator().manual_seed(0)
    kspace = torch.randn(2, 4, 16, 16, dtype=torch.complex64, generator=generator)
    from dcamsr_lite.kspace import ifft2c, rss

    volume = Volume(rss(ifft2c(kspace)), kspace=kspace)
    turned = mirror(volume)
    torch.testing.assert_close(turned.images, volume.images.flip(-1))
    torch.testing.assert_close(rss(ifft2c(turned.kspace)), turned.images)
    straight = load_pair(volume, volume, 4).low
    assert not torch.allclose(load_pair(turned, turned, 4).low, straight.flip(-1), rtol=1e-2)


def test_volumes_of_different_sizes_are_refused():
    a, b = np.random.default_rng(0).random((2, 1, 32, 40), np.float32)
    with pytest.raises(dl.InputError, match="pair 2 .* volumes of one size"):
        cut_slices([(a, a), (b[:, :, :32], b[:, :, :32])], scale=4)


def test_the_command_trains_on_a_csv_resumes_and_its_weights_evaluate(volumes, capsys):
    Path("pairs.csv").write_text(f"{volumes[0]},{volumes[1]}\n")
    train_it = ["train", "--data", "pairs.csv", "--out", "run", "--steps", "4", "--batch", "2"]
    train_it += ["--every", "2", "--set", "channel=false", "--validation", "pairs.csv"]
    assert main(train_it) == 0
    assert main(train_it) == 2
    assert "an earlier run" in capsys.readouterr().err
    assert main([*train_it, "--resume"]) == 0
    judge = ["evaluate", "--reference", str(volumes[0]), "--target", str(volumes[1])]
    judge += ["--scale", "4", "--weights", "run/last.safetensors"]
    assert main(judge) == 0
    assert dl.load("run/last.safetensors").config.channel is False
    assert "PSNR" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("more", "word"),
    [
        (["--data", "nowhere.csv"], "nowhere.csv"),
        (["--data", "pairs.csv", "--set", "chanel=false"], "chanel"),
        (["--data", "pairs.csv", "--set", "channel"], "KEY=VALUE"),
        (["--data", "pairs.csv", "--set", "multiscale=False"], "true or false"),
        (["--data", "pairs.csv", "--set", "heads=0"], "heads is 0"),
        (["--data", "pairs.csv", "--set", "channels=-16"], "channels is -16"),
        (["--data", "pairs.csv", "--set", "decoder_blocks=[1,1,1]"], "6 whole numbers"),
        (["--data", "pairs.csv", "--set", "dropout=1.5"], "below 1"),
        (["--data", "simulated", "--seed", "900"], "heads below 900000"),
        (["--data", "simulated", "--seed", "899", "--subjects", "1001"], "heads below 900000"),
        (["--data", "pairs.csv", "--steps", "0"], "not positive"),
        (["--data", "pairs.csv", "--device", "cuda"], "no CUDA device"),
        (["--data", "pairs.csv", "--init", "nothing"], "no such weights"),
    ],
)
def test_wrong_training_options_are_one_line(more, word, volumes, capsys, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    Path("pairs.csv").write_text(f"{volumes[0]},{volumes[1]}\n")
    assert main(["train", "--out", "run", "--steps", "1", *more]) == 2
    lines = capsys.readouterr().err.strip().splitlines()
    assert word in lines[-1]
    assert lines[-1].startswith("dcamsr: error: ")


@pytest.mark.parametrize("resume", [False, True])
@pytest.mark.parametrize("name", WRITTEN)
def test_a_file_of_another_hand_is_not_overwritten(name, resume, tensors):
    Path("run").mkdir()
    Path("run", name).write_bytes(b"of another hand")
    with pytest.raises(dl.InputError, match=f"{name}: found a file without a state.pt"):
        train(network(), tensors, "run", steps=1, resume=resume, progress=False)
    assert [path.read_bytes() for path in Path("run").iterdir()] == [b"of another hand"]


def test_two_trainings_in_one_folder_are_one_line_and_the_first_goes_on(tensors):
    """From another thread, a link to the folder, and another process."""
    model, found, other_process = network(), [], []
    Path("link").symlink_to("run", target_is_directory=True)

    def disturb(module, inputs):
        if found:
            return
        for out in ("run", "link"):
            with ThreadPoolExecutor() as pool:
                again = pool.submit(train, network(), tensors, out, steps=3, resume=True)
                found.append(str(again.exception()))
        hold = "import filelock; filelock.FileLock('run/.lock', timeout=0).acquire()"
        done = subprocess.run([sys.executable, "-c", hold], capture_output=True, text=True)
        other_process.append(done.stderr)

    handle = model.register_forward_pre_hook(disturb)
    train(model, tensors, "run", steps=3, batch=2, progress=False)
    handle.remove()
    assert len(found) == 2 and all("another training that writes there" in line for line in found)
    assert "Timeout" in other_process[0]
    assert same(model, train(network(), tensors, "whole", steps=3, batch=2, progress=False))
    assert not Path("run/.lock").exists()


def test_a_lock_left_by_a_killed_training_does_not_block(tensors):
    Path("run").mkdir()
    Path("run/.lock").touch()
    train(network(), tensors, "run", steps=1, progress=False)
    assert Path("run/state.pt").is_file()


def test_where_there_are_no_locks_it_trains_and_says_so(tensors, monkeypatch, capsys):
    def acquire(self):
        raise OSError(errno.ENOTSUP, os.strerror(errno.ENOTSUP))

    monkeypatch.setattr("dcamsr_lite.training.run.FileLock.acquire", acquire)
    train(network(), tensors, "run", steps=1, progress=False)
    assert "nothing keeps another training out of run" in capsys.readouterr().err
    assert Path("run/state.pt").is_file()
