"""The command line as other programs call it: results, formats, and one line for every bad input."""

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import h5py
import nibabel
import numpy as np
import pytest
from helpers import run

import dcamsr_lite as dl
from dcamsr_lite.cli import main
from dcamsr_lite.data.file_lists import read_pairs_csv


def test_the_version_is_told(capsys):
    with pytest.raises(SystemExit) as end:
        main(["--version"])
    assert end.value.code == 0
    assert capsys.readouterr().out == f"dcamsr {dl.__version__}\n"


@pytest.fixture
def formats(tmp_path, volumes):
    """The same pair as .npy, .npz, .nii.gz and simulated-layout .h5."""
    arrays = [np.load(path) for path in volumes]
    for name, array in zip(("t1", "t2"), arrays, strict=True):
        np.savez(tmp_path / f"{name}.npz", volume=array)
        image = nibabel.Nifti1Image(np.moveaxis(array, 0, -1), np.diag([7.5, 7.5, 5, 1]))
        nibabel.save(image, tmp_path / f"{name}.nii.gz")
        with h5py.File(tmp_path / f"{name}.h5", "w") as file:
            from torch import tensor

            from dcamsr_lite.kspace import fft2c

            file["kspace"] = fft2c(tensor(array))[:, None].numpy().astype(np.complex64)
            file["reconstruction_rss"] = array
    return tmp_path


@pytest.mark.parametrize("kind", ["npy", "npz", "nii.gz", "h5"])
@pytest.mark.parametrize("method", ["dcamsr", "zero-fill", "bicubic"])
def test_evaluate_prints_one_json_object_for_every_format(kind, method, formats, weights, capsys):
    files = ["--reference", formats / f"t1.{kind}", "--target", formats / f"t2.{kind}"]
    more = ["--scale", 4, "--method", method, "--weights", weights, "--json"]
    status, out, _ = run("evaluate", *files, *more, capsys=capsys)
    assert status == 0
    result = json.loads(out)
    assert result["method"] == method and result["volumes"] == 1 and result["scale"] == 4
    assert result["convention"].startswith("over the volume: PSNR")
    assert 0 < result["psnr"] < 60 and 0 < result["ssim"] <= 1 and 0 < result["nmse"]
    assert len(result["per_volume"]) == 1


@pytest.mark.parametrize("kind", ["npy", "npz", "nii.gz", "h5"])
def test_super_resolve_takes_full_and_low_resolution_inputs(kind, formats, weights, capsys):
    from dcamsr_lite.data.files import read_volume

    target = np.load(formats / "t2.npy")
    low = dl.load_pair(np.load(formats / "t1.npy"), target, 4).low.numpy()
    np.save("low.npy", low)
    common = ["--reference", formats / "t1.npy", "--scale", 4, "--weights", weights]
    outputs = []
    for name in (formats / "t2.npy", "low.npy"):
        out = Path(f"sharp.{kind}")
        status, _, err = run("super-resolve", *common, "--input", name, "--out", out, capsys=capsys)
        assert status == 0, err
        outputs.append(read_volume(out).images.numpy())
    assert outputs[0].shape == target.shape
    np.testing.assert_allclose(outputs[0], outputs[1], rtol=1e-2, atol=1e-2 * target.max())


def test_explore_writes_a_page(volumes, weights, capsys):
    files = ["--reference", volumes[0], "--target", volumes[1], "--scale", 4]
    status, out, err = run(
        "explore", *files, "--weights", weights, "--out", "page.html", capsys=capsys
    )
    assert status == 0 and "Not for clinical use" in out
    assert "<html" in Path("page.html").read_text(encoding="utf-8")


def test_a_far_matrix_is_warned_about_on_stderr_only(volumes, tmp_path, capsys):
    dl.save(dl.DCAMSR(image_size=128), "wide.safetensors")
    files = ["--reference", volumes[0], "--target", volumes[1], "--scale", 4]
    status, out, err = run(
        "evaluate", *files, "--weights", "wide.safetensors", "--json", capsys=capsys
    )
    assert status == 0 and json.loads(out)
    assert "the matrix is 32 x 32" in err


@pytest.mark.slow
def test_simulate_writes_m4raw_names_that_pair_up(capsys):
    from dcamsr_lite.data.file_lists import find_pairs

    options = ["--out", "made", "--subjects", 2, "--seed", 1, "--size", 32]
    status, out, err = run("data", "simulate", *options, capsys=capsys)
    assert status == 0, err
    names = sorted(path.name for path in Path("made").iterdir())
    assert len(names) == 2 * 8
    assert names[0] == "0000000001_FLAIR01.h5"
    pairs = find_pairs("made")
    assert len(pairs) == 6 and len({subject for *_, subject in pairs}) == 2
    files = ["--reference", pairs[0][0], "--target", pairs[0][1], "--scale", 4]
    status, out, _ = run("evaluate", *files, "--method", "zero-fill", "--json", capsys=capsys)
    assert status == 0 and json.loads(out)["psnr"] > 10


def bad_inputs(folder: Path, weights: Path, reference: Path, target: Path) -> dict[str, list]:
    """Name -> arguments; each must end with status 2 and one line."""
    array = np.load(target)
    np.save("nan.npy", np.where(array > 600, np.nan, array))
    np.save("flat.npy", np.ones_like(array))
    np.save("small.npy", array[:, :16, :16])
    np.save("four.npy", array[None])
    np.save("odd.npy", array[:, :9, :9])
    np.save("pickled.npy", np.array([{"a": 1}], dtype=object), allow_pickle=True)
    Path("cut.npy").write_bytes(target.read_bytes()[:200])
    Path("text.h5").write_text("not HDF5")
    with h5py.File("empty.h5", "w"):
        pass
    Path("text.safetensors").write_text("not weights")
    Path("picture.jpg").write_bytes(b"jpg")
    judge = ["evaluate", "--reference", reference, "--scale", 4, "--weights", weights, "--target"]
    sharpen = ["super-resolve", "--reference", reference, "--scale", 4, "--weights", weights]
    files = "missing.npy nan.npy flat.npy small.npy four.npy pickled.npy cut.npy text.h5 empty.h5"
    cases = {name: [*judge, name] for name in [*files.split(), "picture.jpg", "."]}
    for scale in ("3", "four"):
        cases[f"scale {scale}"] = [*judge, target, "--scale", scale]
    cases["2x weights"] = [*judge, target, "--scale", 2]
    cases["weights missing"] = [*judge, target, "--weights", "none.safetensors"]
    cases["weights unknown"] = [*judge, target, "--weights", "none"]
    cases["weights text"] = [*judge, target, "--weights", "text.safetensors"]
    dl.save(dl.DCAMSR(image_size=40, variant="paper"), "fixed.safetensors")
    fixed = ["--weights", "fixed.safetensors"]
    cases["fixed to another matrix"] = [*judge, target, *fixed]
    cases["fixed, input"] = [*sharpen, "--input", target, "--out", "sharp.npy", *fixed]
    cases["method"] = [*judge, target, "--method", "magic"]
    cases["no target"] = judge[:-1]
    cases["no command"] = []
    cases["input size"] = [*sharpen, "--input", "odd.npy", "--out", "sharp.npy"]
    cases["output type"] = [*sharpen, "--input", target, "--out", "sharp.gif"]
    cases["output place"] = [*sharpen, "--input", target, "--out", target / "sharp.npy"]
    cases["output folder"] = [*sharpen, "--input", target, "--out", "folder.npy"]
    cases["explore type"] = ["explore", *judge[1:], target, "--out", "page.txt"]
    cases["explore slice"] = ["explore", *judge[1:], target, "--out", "p.html", "--slice", 99]
    cases["explore place"] = ["explore", *judge[1:], target, "--out", target / "page.html"]
    cases["demo place"] = ["demo", "--out", target]
    cases["simulate size"] = ["data", "simulate", "--out", "made", "--subjects", 1, "--size", 33]
    cases["simulate none"] = ["data", "simulate", "--out", "made", "--subjects", 0]
    simulate = ["data", "simulate", "--out", "made", "--subjects", 1, "--size", 32, "--seed"]
    train = ["train", "--data", "simulated", "--out", "trained", "--steps", 1]
    for seed in (-1, 10**6 + 1, 99999999999999, "one"):
        cases[f"simulate seed {seed}"] = [*simulate, seed]
        cases[f"train seed {seed}"] = [*train, "--seed", seed]
    for rate in (-1, 0, "inf", "nan", "fast"):
        cases[f"rate {rate}"] = [*train, "--rate", rate]
    cases["convert"] = ["convert", "text.safetensors", "out.safetensors"]
    return cases


def test_every_bad_input_is_status_2_one_line_and_no_output(volumes, weights, tmp_path, capsys):
    cases = bad_inputs(tmp_path, weights, *volumes)
    Path("folder.npy").mkdir()
    before = sorted(Path().rglob("*"))
    for name, arguments in cases.items():
        status, out, err = run(*arguments, capsys=capsys)
        lines = [line for line in err.strip().splitlines() if "simulating head" not in line]
        assert status == 2, name
        assert out == "", name
        errors = [line for line in lines if line.startswith("dcamsr: error: ")]
        assert len(errors) == 1 and lines[-1] == errors[0], (name, err)
        assert "found" in errors[0] and "expected" in errors[0], (name, err)
        assert "Traceback" not in err, name
    assert sorted(Path().rglob("*")) == before


@pytest.mark.parametrize("size", [32, 8])
def test_super_resolve_takes_the_common_slices_where_asked(size, weights, capsys):
    random = np.random.default_rng(0)
    np.save("full.npy", random.random((3, 32, 32)))
    np.save("input.npy", random.random((2, size, size)))
    pair = ["--reference", "full.npy", "--scale", 4, "--input", "input.npy", "--weights", weights]
    status, _, err = run("super-resolve", *pair, "--out", "sr.npy", capsys=capsys)
    assert status == 2 and "--common-slices" in err
    asked = [*pair, "--out", "sr.npy", "--common-slices"]
    status, _, err = run("super-resolve", *asked, capsys=capsys)
    assert status == 0 and "the common 2 are taken" in err, err
    assert np.load("sr.npy").shape == (2, 32, 32)


def test_paths_may_start_at_home(volumes, weights, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    files = [f"--reference=~/{volumes[0].name}", f"--input=~/{volumes[1].name}", "--scale=4"]
    more = [f"--weights=~/{weights.name}", "--out=~/new/sharp.npy"]
    status, _, err = run("super-resolve", *files, *more, capsys=capsys)
    assert status == 0, err
    assert (tmp_path / "new" / "sharp.npy").is_file() and not Path("~").exists()
    Path("pairs.csv").write_text(f"~/{volumes[0].name},~/{volumes[1].name}")
    assert [*map(str, volumes)] == [str(path) for path in read_pairs_csv("pairs.csv")[0][:2]]


STREAMS = {
    "closed": ">&-",
    "both closed": ">&- 2>&-",
    "full": ">/dev/full",
    "both full": ">/dev/full 2>/dev/full",
    "read only": "</dev/null 1<&0",
}


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
@pytest.mark.parametrize("stream", STREAMS)
@pytest.mark.parametrize("optimised", ["", "-OO"])
def test_no_stream_and_no_lack_of_docstrings_gives_a_traceback(stream, optimised):
    """The page of help: it is printed as results are, and is there at once."""
    own = {"PYTHONPATH": str(Path(dl.__file__).parents[1]), "PYTHONUNBUFFERED": ""}
    command = f"{sys.executable} {optimised} -m dcamsr_lite --help {STREAMS[stream]}"
    done = subprocess.run(
        ["sh", "-c", command], env=os.environ | own, capture_output=True, text=True
    )
    assert "Traceback" not in done.stderr and "Exception ignored" not in done.stderr
    assert done.returncode == (0 if "closed" in stream else 2), done.stderr
    assert len(done.stderr.strip().splitlines()) == (stream in ("full", "read only"))


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
def test_names_that_the_terminal_cannot_show_are_written_in_another_way(
    encoding, volumes, weights, monkeypatch
):
    shown = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    monkeypatch.setattr(sys, "stdout", shown)
    files = ["--reference", str(volumes[0]), "--input", str(volumes[1]), "--scale", "4"]
    name = "脳\udce9.npy"
    assert main(["super-resolve", *files, "--weights", str(weights), "--out", name]) == 0
    said = shown.buffer.getvalue().decode(encoding)
    brain = "脳" if encoding == "utf-8" else r"\u8133"
    assert said.startswith(rf"wrote {brain}\udce9.npy")
    assert Path(name).is_file()


@pytest.mark.parametrize("kind", ["python", "torch", "cpu", "other"])
def test_out_of_memory_is_one_line_and_other_errors_stay(kind, volumes, monkeypatch, capsys):
    import torch

    def fail(*_):
        if kind == "cpu":
            torch.empty(2**55)
        errors = {"python": MemoryError(), "other": RuntimeError("mat1 and mat2 do not fit")}
        raise errors.get(kind, torch.cuda.OutOfMemoryError("CUDA out of memory. Tried 9 GiB"))

    monkeypatch.setattr("dcamsr_lite.evaluation.evaluate", fail)
    files = ["--reference", volumes[0], "--target", volumes[1], "--scale", 4]
    arguments = ["evaluate", *files, "--method", "zero-fill"]
    if kind == "other":
        with pytest.raises(RuntimeError, match="mat1"):
            run(*arguments, capsys=capsys)
        return
    status, out, err = run(*arguments, capsys=capsys)
    assert (status, out) == (2, "")
    assert err == "dcamsr: error: out of memory: try fewer or smaller volumes\n"


def test_the_command_is_installed_and_help_explains_every_command():
    environment = os.environ | {"PYTHONPATH": str(Path(dl.__file__).parents[1])}
    shown = subprocess.run(
        [sys.executable, "-m", "dcamsr_lite", "--help"],
        capture_output=True,
        text=True,
        env=environment,
    )
    assert shown.returncode == 0
    for command in "demo data evaluate super-resolve explore figure train bench convert".split():
        assert command in shown.stdout
    wrong = subprocess.run(
        [sys.executable, "-m", "dcamsr_lite", "nothing"],
        capture_output=True,
        text=True,
        env=environment,
    )
    assert wrong.returncode == 2 and len(wrong.stderr.strip().splitlines()) == 1
