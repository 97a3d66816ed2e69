"""What the shipped weights are worth, by the command line, on heads that no training has seen."""

import json
import subprocess
import sys

import nibabel
import numpy as np
import pytest
from helpers import ROOT, SHARED

from dcamsr_lite.cli import main
from dcamsr_lite.files import write_m4raw
from dcamsr_lite.kspace import ifft2c, rss
from dcamsr_lite.simulated import VALIDATION_SEED


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
    make = ROOT / "assets" / "weights" / "make.py"
    subprocess.run([sys.executable, make, "prepare", source, folder], check=True)
    ((reference, target),) = [
        line.split(",") for line in (folder / "held_out.csv").read_text().split()
    ]
    assert "p03" in reference and "p03" not in (folder / "train.csv").read_text()
    return folder / reference, folder / target


NOT_YET = "asked: 4.5 dB at 4x; not reached yet, see assets/weights/README.md"


@pytest.mark.parametrize(
    ("scale", "least"),
    [
        (4, 3.5),
        pytest.param(4, 4.5, marks=pytest.mark.xfail(strict=True, reason=NOT_YET)),
        (2, 2.0),
    ],
)
def test_the_real_subject_that_was_kept_out(held_out, scale, least, capsys):
    assert gain(capsys, *held_out, scale) >= least


@pytest.mark.parametrize(("scale", "least"), [(4, 3.0), (2, 2.0)])
def test_a_simulated_head_in_every_format(scale, least, tmp_path, capsys):
    from dcamsr_lite import brain

    head = brain.simulate(VALIDATION_SEED, size=128, repetitions=1, contrasts=("T1", "T2"))
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
