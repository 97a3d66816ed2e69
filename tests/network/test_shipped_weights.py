"""What the shipped weights are worth, by the command line, on heads that no training has seen."""

import csv
import json
import shlex
import subprocess
import sys

import nibabel
import numpy as np
import pytest
import torch
from helpers import ROOT, SHARED

import dcamsr_lite as dl
from dcamsr_lite.cli import main
from dcamsr_lite.data.augmentation import warp
from dcamsr_lite.data.files import write_m4raw
from dcamsr_lite.data.volume import Volume
from dcamsr_lite.kspace import ifft2c, rss
from dcamsr_lite.phantom.subjects import VALIDATION_SEED, simulated_pair, simulated_volumes


def evaluate(capsys, reference, target, scale: int, method: str = "dcamsr") -> dict:
    files = ["--reference", str(reference), "--target", str(target), "--scale", str(scale)]
    assert main(["evaluate", *files, "--method", method, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def gain(capsys, reference, target, scale: int) -> float:
    """dB over zero-fill, the measured k-space padded with zeros."""
    ours = evaluate(capsys, reference, target, scale)["psnr"]
    return ours - evaluate(capsys, reference, target, scale, "zero-fill")["psnr"]


@pytest.fixture(scope="module")
def held_out(tmp_path_factory):
    """The real subject that was kept out, on the lite grid, as the card's command prepares it."""
    source = SHARED / "data" / "open_ms"
    if not source.is_dir():
        pytest.skip("no real pairs in a folder `shared` beside the checkout")
    folder = tmp_path_factory.mktemp("real")
    make = ROOT / "scripts" / "weights" / "make.py"
    subprocess.run([sys.executable, make, "prepare", source, folder], check=True)
    ((reference, target),) = [
        line.split(",") for line in (folder / "held_out.csv").read_text().split()
    ]
    assert "p19" in reference and "p19" not in (folder / "train.csv").read_text()
    return folder / reference, folder / target


@pytest.mark.slow
@pytest.mark.parametrize(("scale", "least"), [(4, 4.5), (2, 2.0)])
def test_the_real_subject_that_was_kept_out(held_out, scale, least, capsys):
    assert gain(capsys, *held_out, scale) >= least


@pytest.mark.parametrize(
    ("scale", "least", "slices"),
    [
        pytest.param(4, 3.0, 4, marks=pytest.mark.slow),
        pytest.param(4, 3.0, 18, marks=pytest.mark.slow),
        pytest.param(2, 2.0, 18, marks=pytest.mark.slow),
    ],
)
def test_a_simulated_head_in_every_format(scale, least, slices, tmp_path, capsys):
    from dcamsr_lite import phantom

    head = phantom.simulate(VALIDATION_SEED, 128, slices, repetitions=1, contrasts=("T1", "T2"))
    gains = {}
    for contrast, kspace in head.kspace.items():
        protocol = {key.lower(): value for key, value in head.protocol[contrast] if value}
        write_m4raw(tmp_path / f"1_{contrast}01.h5", kspace[0], f"AX{contrast}", protocol, "1")
        image = rss(ifft2c(kspace[0])).numpy()
        np.save(tmp_path / f"{contrast}.npy", image)
        nifti = nibabel.Nifti1Image(image.T, np.diag([1.875, 1.875, 5, 1]))
        nibabel.save(nifti, tmp_path / f"{contrast}.nii.gz")
    for name in ("1_{}01.h5", "{}.npy", "{}.nii.gz"):
        files = [tmp_path / name.format(contrast) for contrast in ("T1", "T2")]
        gains[name] = gain(capsys, *files, scale)
    assert gains["1_{}01.h5"] >= least, gains
    # from a magnitude image the floor is higher: there is no phase to lose
    assert gains["{}.npy"] >= least / 2, gains
    assert gains["{}.npy"] == pytest.approx(gains["{}.nii.gz"], abs=0.01)


def test_every_level_of_the_shipped_network_matters():
    """Weights made with torch's own start had silent coarse levels: cutting them changed nothing."""
    model = dl.load("lite-4x-footprints")
    pair = simulated_pair(VALIDATION_SEED, 4, slices=2)
    with torch.inference_mode():
        whole = model(pair.lr, pair.ref)
        for level in (1, 2, 4):
            with dl.intervene(model, spatial="off", channel="off", levels=[level]):
                change = (model(pair.lr, pair.ref) - whole).abs().mean()
            assert change > 0.003 * whole.abs().mean(), (level, change)


@pytest.mark.parametrize(
    ("scale", "least", "without", "shift"),
    [
        (4, 3.0, 1.0, (-1.0, 3.0)),
        *(pytest.param(4, 3.0, 1.0, s, marks=pytest.mark.slow) for s in ((0.0, 0.0), (2.0, 0.0))),
        *(pytest.param(2, 2.0, 1.5, s, marks=pytest.mark.slow) for s in ((0.0, 0.0), (-1.0, 3.0))),
    ],
)
def test_the_aligned_network_finds_a_displaced_reference(scale, least, without, shift):
    reference, target = simulated_volumes(VALIDATION_SEED)
    few = slice(3, 18, 5)
    moved = warp(reference.images[few], shift=tuple(x / 128 for x in shift))
    pair = dl.load_pair(moved, Volume(target.images[few], kspace=target.kspace[few]), scale)
    model = dl.load(f"lite-{scale}x")
    floor = dl.evaluate("zero-fill", [pair])["psnr"]
    assert dl.evaluate(model, [pair])["psnr"] - floor >= least
    with dl.trace(model) as record, torch.inference_mode():
        model(pair.lr, pair.ref)
    for n, image in enumerate(pair.target_image):
        found = record.displacement(1, batch=n)[:, image > image.max() / 8]
        error = (found - torch.tensor(shift)[:, None]).norm(dim=0).median()
        assert error <= 0.5, (n, float(error))
    with dl.intervene(model, spatial="off"):
        not_searched = dl.evaluate(model, [pair])["psnr"]
    if any(shift):  # then what it finds is what the gain rests on
        assert not_searched < floor + without


@pytest.mark.slow
def test_the_command_of_the_card_follows_the_shipped_curve(tmp_path):
    """A quarter of the way; validation on the same two held-out heads."""
    card = dl.weights()["lite-4x-corrected"]
    command = shlex.split(card["command"])
    assert command[0] == "dcamsr" and command[-2:] == ["--out", "RUN"]
    assert main([*command[1:-1], str(tmp_path / "run"), "--until", "250"]) == 0
    with open(tmp_path / "run" / "log.csv", newline="") as file:
        (mine,) = csv.DictReader(file)
    with open(ROOT / "assets" / "weights" / card["log"], newline="") as file:
        shipped = next(row for row in csv.DictReader(file) if row["step"] == mine["step"])
    for name, within in (("validation_psnr", 0.2), ("learning_rate", 1e-9)):
        assert float(mine[name]) == pytest.approx(float(shipped[name]), abs=within), name
