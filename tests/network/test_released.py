"""Our `released` variant is the authors' network, to float precision."""

import json
import pickle
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from helpers import SHARED
from released.state_dict import golden_inputs, released_state_dict

import dcamsr_lite as dl
from dcamsr_lite.cli import main
from dcamsr_lite.network.checkpoints import read_header
from dcamsr_lite.network.wrapped_weights import take_state

HERE = Path(__file__).parents[1] / "released"
TOLERANCE = 2e-6  # at 1e-5 a missing epsilon would pass


def distance(ours, theirs) -> float:
    return float(np.linalg.norm(np.asarray(ours) - theirs) / np.linalg.norm(theirs))


def released(size: int, scale: int) -> dl.DCAMSR:
    weights = {k: torch.from_numpy(v) for k, v in released_state_dict(size).items()}
    return dl.load_released(weights, scale=scale)


def compare(path: Path) -> None:
    golden = np.load(path)
    size, scale, seed = (int(golden[k]) for k in ("image_size", "scale", "seed"))
    model = released(size, scale)
    lr, ref = map(torch.from_numpy, golden_inputs(size, scale, seed))
    with torch.inference_mode():
        assert distance(model(lr, ref), golden["output"]) <= TOLERANCE
        if "texture_3" not in golden:
            return
        textures = []
        handle = model.transformers["4"].register_forward_hook(lambda *a: textures.append(a[2]))
        with dl.trace(model) as record:
            assert distance(model(lr, ref), golden["output"]) <= TOLERANCE
        handle.remove()
    for suffix, level in (("1", 1), ("2", 2), ("3", 4)):
        theirs = golden[f"channel_attention_{suffix}"]
        assert distance(record.channel[level], theirs) <= TOLERANCE
    spatial, texture = golden["spatial_attention_3"], golden["texture_3"]
    every_query = record.spatial[4].shape[2] // spatial.shape[2]
    every_channel = textures[0].shape[1] // texture.shape[1]
    assert distance(record.spatial[4][:, :, ::every_query], spatial) <= TOLERANCE
    assert distance(textures[0][:, ::every_channel], texture) <= TOLERANCE


@pytest.mark.parametrize("name", ["golden_64_4x", "golden_64_2x"])
def test_equals_the_released_network(name):
    compare(HERE / f"{name}.npz")


@pytest.mark.parametrize(
    "name", ["golden_64_4x", "golden_64_2x", pytest.param("golden_256_4x", marks=pytest.mark.slow)]
)
def test_equals_the_released_network_on_the_full_files(name, shared):
    compare(shared / "released" / f"{name}.npz")


def test_the_golden_weights_are_those_of_the_full_files(shared):
    ours = json.loads((HERE / "state_dict_shapes.json").read_text())
    assert ours == json.loads((SHARED / "released" / "state_dict_shapes.json").read_text())


def test_parameter_count_of_the_full_preset():
    model = dl.DCAMSR(scale=4, image_size=256, variant="released", preset="full")
    assert sum(p.numel() for p in model.parameters()) == 9_286_705


def test_a_lightning_prefix_is_taken_off_and_the_file_comes_through_convert(tmp_path):
    state = {f"network.{k}": torch.from_numpy(v) for k, v in released_state_dict(16).items()}
    torch.save({"state_dict": state}, tmp_path / "theirs.ckpt")
    assert main(["convert", str(tmp_path / "theirs.ckpt"), str(tmp_path / "ours.safetensors")]) == 0
    lr, ref = map(torch.from_numpy, golden_inputs(16, 4, 5))
    ours, theirs = dl.load(tmp_path / "ours.safetensors"), released(16, 4)
    with torch.inference_mode():
        assert torch.equal(ours(lr, ref), theirs(lr, ref))
    assert read_header(tmp_path / "ours.safetensors")["normalisation"] == "released"
    assert ours.normalisation == theirs.normalisation == "released"


def test_converted_weights_are_judged_by_the_released_normalisation(tmp_path, capsys):
    from dcamsr_lite.cli import main

    state = {k: torch.from_numpy(v) for k, v in released_state_dict(16).items()}
    torch.save(state, tmp_path / "theirs.pt")
    weights = str(tmp_path / "ours.safetensors")
    assert main(["convert", str(tmp_path / "theirs.pt"), weights]) == 0
    files = [str(tmp_path / name) for name in ("t1.npy", "t2.npy")]
    for number, file in enumerate(files):
        np.save(file, np.random.default_rng(number).random((2, 16, 16), np.float32))
    judge = ["evaluate", "--reference", files[0], "--target", files[1], "--scale", "4", "--json"]
    capsys.readouterr()
    assert main([*judge, "--weights", weights]) == 0
    found = json.loads(capsys.readouterr().out)["psnr"]
    pairs = [dl.load_pair(*files, 4, normalisation=name) for name in ("released", "clean")]
    theirs, clean = (dl.evaluate(dl.load(weights), [pair])["psnr"] for pair in pairs)
    assert found == theirs != clean


@pytest.mark.parametrize(
    ("change", "word"),
    [
        (lambda s: s.pop("decoder.conv_out.bias"), "decoder.conv_out.bias|last.bias"),
        (lambda s: s.update({"trans_lv1.0.epa_block.F.bias": torch.ones(64)}), "differs from E"),
        (lambda s: s.update({"enc.conv_L1.weight": torch.ones(3)}), "encoder.stages.0.0.weight"),
        (lambda s: s.update({"enc.conv_L1.bias": torch.full((64,), torch.nan)}), "finite"),
        (lambda s: s.pop("trans_lv1.0.epa_block.E.weight"), "no trans_lv1.0.epa_block.E.weight"),
        (lambda s: s.update({"extra": torch.ones(1)}), "extra"),
    ],
)
def test_a_wrong_state_dict_is_refused(change, word):
    state = {k: torch.from_numpy(v) for k, v in released_state_dict(16).items()}
    change(state)
    with pytest.raises(dl.InputError, match=word):
        dl.load_released(state)


class Bomb:
    def __reduce__(self):
        return (Path("exploded").touch, ())


def test_pickled_code_in_a_checkpoint_is_never_executed(tmp_path):
    torch.save({"state_dict": {}, "hyper_parameters": Bomb()}, tmp_path / "bomb.ckpt")
    (tmp_path / "raw.ckpt").write_bytes(pickle.dumps(Bomb()))
    with zipfile.ZipFile(tmp_path / "zip.ckpt", "w") as archive:
        archive.writestr("archive/data.pkl", pickle.dumps(Bomb()))
    (tmp_path / "empty.ckpt").write_bytes(b"")
    for name in ("bomb.ckpt", "raw.ckpt", "zip.ckpt", "empty.ckpt", "missing.ckpt"):
        with pytest.raises(dl.InputError):
            dl.load_released(tmp_path / name)
    assert not Path("exploded").exists()


@pytest.mark.parametrize("prefix", ["module.", "_orig_mod.", "params_ema.", "module._orig_mod."])
def test_prefixes_of_wrappers_are_taken_off(prefix):
    state = {name: torch.tensor(value) for name, value in released_state_dict(32).items()}
    wrapped = {prefix + name: value for name, value in state.items()} | {
        "n_averaged": torch.ones(())
    }
    found, expected = (dl.load_released(one).state_dict() for one in (wrapped, state))
    assert all(torch.equal(found[name], value) for name, value in expected.items())
    with pytest.raises(dl.InputError, match="names that begin with 'student.net.'"):
        dl.load_released({f"student.net.{name}": value for name, value in state.items()})


def test_basicsr_keeps_its_average_beside_the_weights(tmp_path):
    state = {name: torch.tensor(value) for name, value in released_state_dict(32).items()}
    other = {name: 2 * value for name, value in state.items()}
    torch.save({"params": other, "params_ema": state}, tmp_path / "net.pth")
    found, expected = (dl.load_released(one).state_dict() for one in (tmp_path / "net.pth", state))
    assert all(torch.equal(found[name], value) for name, value in expected.items())


def make_states() -> tuple[dict, dict]:
    state = {name: torch.tensor(value) for name, value in released_state_dict(16).items()}
    return state, {name: value / 2 for name, value in state.items()}


@pytest.mark.parametrize("count", [1, None])
def test_two_sets_of_weights_are_never_mixed(count):
    state, other = make_states()
    added = {f"module.{name}": value for name, value in [*other.items()][:count]}
    with pytest.raises(dl.InputError, match="two sets of weights"):
        dl.load_released(state | added)
    dl.load_released(state | {name: state[name.removeprefix("module.")] for name in added})


@pytest.mark.parametrize(
    ("keys", "note"),
    [
        (["params"], ""),
        (["state_dict"], ""),
        (["state_dict", "params_ema"], "'state_dict' is taken of it, not 'params_ema'"),
        (["params_ema", "params"], "'params_ema' is taken of it, not 'params'"),
        (["model_state_dict"], "'model_state_dict' is taken of it"),
        (["net"], "'net' is taken of it"),
    ],
)
def test_an_entry_of_a_checkpoint_is_taken_and_said(keys, note, capsys):
    states = [{"last.bias": torch.ones(1)}, {"last.bias": torch.zeros(1)}]
    assert take_state("net.pth", {"epoch": 3} | dict(zip(keys, states, strict=False))) == states[0]
    said = capsys.readouterr().err
    assert note in said and bool(note) == bool(said)


def test_a_state_dict_in_memory_may_be_wrapped_as_one_in_a_file():
    state, _ = make_states()
    found, expected = (dl.load_released(one).state_dict() for one in ({"params": state}, state))
    assert all(torch.equal(found[name], value) for name, value in expected.items())


def test_a_checkpoint_without_one_state_dict_names_its_entries():
    state, other = make_states()
    for content, word in (
        ({"ema": state, "net": other}, "'ema', 'net'"),
        ({"epoch": 3}, "'epoch'"),
    ):
        with pytest.raises(dl.InputError, match=word):
            dl.load_released(content)


def test_convert_refuses_a_name_that_nothing_reads_before_it_works(tmp_path, capsys):
    assert main(["convert", "no-such-file.pth", str(tmp_path / "out.pth")]) == 2
    assert "out.pth: found a name that ends in '.pth'" in capsys.readouterr().err
    assert not (tmp_path / "out.pth").exists()


@pytest.mark.parametrize("command", ["evaluate", "super-resolve", "explore"])
def test_another_normalisation_is_said_once_by_every_command(command, tmp_path, capsys):
    model = dl.DCAMSR(image_size=16, channels=8, heads=2, tokens=4)
    model.normalisation = "released"
    weights, out = tmp_path / "ours.safetensors", tmp_path / "out"
    dl.save(model, weights)
    files = [str(tmp_path / name) for name in ("t1.npy", "t2.npy")]
    for number, file in enumerate(files):
        np.save(file, np.random.default_rng(number).random((1, 16, 16), np.float32))
    second = "--input" if command == "super-resolve" else "--target"
    asked = [command, "--reference", files[0], second, files[1], "--scale", "4"]
    asked += ["--weights", str(weights)]
    if command != "evaluate":
        asked += ["--out", str(out.with_suffix(".html" if command == "explore" else ".npy"))]
    for more, count in (([], 0), (["--normalisation", "clean"], 1)):
        capsys.readouterr()
        assert main([*asked, *more]) == 0
        assert capsys.readouterr().err.count("trained with released normalisation") == count
