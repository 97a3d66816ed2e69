"""What the command line may write over, and that it finds out before the work."""

import os
from pathlib import Path

import h5py
import numpy as np
import pytest
from helpers import run

import dcamsr_lite as dl
from dcamsr_lite.data.files import write_volume
from dcamsr_lite.errors import check_output


def spell(file: Path, how: str, folder: Path) -> str:
    """The same file by another path."""
    if how == "link":
        (folder / "link.npy").symlink_to(file)
    if how == "hard link":
        os.link(file, folder / "link.npy")
    home = f"~/{file.name}"
    ways = {"absolute": str(file), "dots": f"../{folder.name}/{file.name}", "home": home}
    return ways.get(how, str(folder / "link.npy"))


@pytest.mark.parametrize("how", ["absolute", "dots", "home", "link", "hard link"])
@pytest.mark.parametrize("role", ["reference", "input"])
def test_an_output_that_is_an_input_is_refused(
    how, role, volumes, weights, tmp_path, monkeypatch, capsys
):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    before = [file.read_bytes() for file in volumes]
    out = spell(volumes[role == "input"], how, tmp_path)
    files = ["--reference", volumes[0].name, "--input", volumes[1].name, "--weights", weights]
    status, _, err = run("super-resolve", *files, "--scale", 4, "--out", out, capsys=capsys)
    assert status == 2 and "itself; expected another file to write" in err
    assert [file.read_bytes() for file in volumes] == before


def test_other_outputs_over_their_inputs_are_refused(volumes, weights, capsys):
    before = weights.read_bytes()
    assert run("convert", weights, f"./{weights.name}", capsys=capsys)[0] == 2
    files = ["--reference", volumes[0], "--target", volumes[1], "--scale", 4]
    Path("page.html").symlink_to(weights)
    more = ["--weights", weights, "--out", "page.html"]
    status, _, err = run("explore", *files, *more, capsys=capsys)
    assert status == 2 and "itself" in err and weights.read_bytes() == before
    pair = dl.load_pair(*volumes, 4)
    with pytest.raises(dl.InputError, match="itself; expected another file to write"):
        write_volume(volumes[1], pair.target_image, like=pair.grid)


@pytest.mark.parametrize("place", ["a file", "a folder"])
def test_an_output_that_cannot_be_written_is_found_before_the_work(
    place, volumes, weights, readonly, monkeypatch, capsys
):
    def work(*_, **__):
        raise AssertionError("the work has begun")

    for name in (
        "evaluate.load",
        "demo.simulated_pair",
        "data.simulate_head",
        "convert.load_released",
    ):
        monkeypatch.setattr(f"dcamsr_lite.commands.{name}", work)
    monkeypatch.setattr("dcamsr_lite.widgets.save_gallery", work)
    Path("there.npy").mkdir()
    Path("there.html").mkdir()
    pair = ["--reference", volumes[0], "--scale", 4]
    folder, suffix = (readonly, "") if place == "a file" else (Path(), "there")
    asked = [
        ["super-resolve", *pair, "--input", volumes[1], "--out", folder / f"{suffix or 'x'}.npy"],
        ["explore", *pair, "--target", volumes[1], "--out", folder / f"{suffix or 'x'}.html"],
    ]
    if place == "a file":
        asked += [["demo", "--out", readonly], ["explore", "--gallery", readonly]]
        asked += [["data", "simulate", "--subjects", 1, "--out", readonly]]
        asked += [["convert", weights, readonly / "x.safetensors"]]
    for arguments in asked:
        status, out, err = run(*arguments, capsys=capsys)
        assert (status, out) == (2, "") and err.count("\n") == 1, arguments


NAMES = [
    "o.png",
    "o",
    "/dev/stdout",
    ".npy",
    ".nii.gz",
    "n" * 249 + ".npyx",
    "n" * 252 + ".npy",
    "",
]


@pytest.mark.parametrize("name", NAMES)
def test_a_name_that_cannot_be_written_is_found_before_the_work(name, volumes, monkeypatch, capsys):
    monkeypatch.setattr("dcamsr_lite.commands.super_resolve.load_asked", lambda options: 1 / 0)
    pair = ["--reference", volumes[0], "--scale", 4, "--input", volumes[1]]
    status, out, err = run("super-resolve", *pair, "--out", name, capsys=capsys)
    assert (status, out) == (2, "") and err.count("\n") == 1
    assert name[:9] in err if name else "--out: an empty name" in err


def test_a_name_as_long_as_the_system_takes_is_written():
    name = "n" * 251 + ".npy"
    check_output(name)
    write_volume(name, np.ones((2, 8, 8)))
    assert [path.name for path in Path().iterdir()] == [name]


def test_measured_kspace_is_never_overwritten(volumes, weights, monkeypatch, capsys):
    raw = Path("0000000005_T203.h5")
    with h5py.File(raw, "w") as file:
        file["kspace"] = np.ones((2, 2, 32, 32), np.complex64)
    before = raw.read_bytes()
    pair = ["--reference", volumes[0], "--scale", 4, "--input", volumes[1], "--weights", weights]
    asked = {
        "measured k-space": ["super-resolve", *pair, "--out", raw],
        "there already": ["data", "simulate", "--out", ".", "--subjects", 1, "--seed", 5],
    }
    monkeypatch.setattr("dcamsr_lite.commands.data.simulate_head", lambda *_, **__: 1 / 0)
    for word, arguments in asked.items():
        status, _, err = run(*arguments, capsys=capsys)
        assert status == 2 and word in err
    assert raw.read_bytes() == before
