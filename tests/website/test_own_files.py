"""Files that a reader drops on the live page lie on each other there as ``load_pair`` has them."""

import json
import shutil
import subprocess

import nibabel
import numpy as np
import pytest
import torch
from helpers import ROOT
from nibabel.orientations import axcodes2ornt, io_orientation, ornt_transform

from dcamsr_lite.data.matching import read_pair
from dcamsr_lite.errors import InputError

pytestmark = pytest.mark.slow
RAS = np.diag([1.5, 1.5, 4, 1])
T1, T2 = np.random.default_rng(0).random((2, 20, 18, 5), np.float32)  # x, y, z


def store(path, volume, codes="RAS", affine=RAS, form="sform", kind=nibabel.Nifti1Image):
    """Write a volume with its axes in another order and direction, which the file says."""
    plain = kind(volume, affine)
    image = plain.as_reoriented(ornt_transform(io_orientation(RAS), axcodes2ornt(codes)))
    where = image.affine.copy()
    image.set_sform(where if form == "sform" else None, int(form == "sform"))
    image.set_qform(where if form == "qform" else None, int(form == "qform"))
    nibabel.save(image, path)
    return path


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Pairs by what is odd about them."""
    folder = tmp_path_factory.mktemp("files")

    def reference(name, codes="RAS", volume=T1, **options):
        return store(folder / f"{name}.nii", volume, codes, **options)

    plain = store(folder / "t2.nii.gz", T2)
    down, shifted = store(folder / "lps.nii", T2, "LPS"), RAS.copy()
    shifted[0, 3] = 3
    np.save(folder / "f.npy", np.asfortranarray(T1.T))
    np.save(folder / "whole.npy", (100 * T2.T).astype(np.int64))
    return {
        "alike": (reference("t1"), plain),
        "mirrored": (reference("las", "LAS"), plain),
        "all back": (reference("lpi", "LPI"), plain),
        "exchanged": (reference("asr", "ASR"), plain),
        "target back": (reference("ras"), down),
        "both back": (reference("las2", "LPS"), down),
        "quaternion": (reference("q", "LAS", form="qform"), plain),
        "NIfTI-2": (reference("two", "LAI", kind=nibabel.Nifti2Image), plain),
        "no place": (reference("none", form=""), plain),
        "sagittal": (reference("sag"), store(folder / "sag2.nii", T2, "SRA")),
        "arrays": (folder / "f.npy", folder / "whole.npy"),
        "array beside": (folder / "f.npy", plain),
        "moved": (reference("moved", affine=shifted), plain),
        "thicker": (reference("thick", affine=np.diag([1.5, 1.5, 5, 1])), plain),
        "fewer": (reference("few", volume=T1[..., :3]), plain),
    }


@pytest.fixture(scope="module")
def on_page(files):
    """What the page makes of each pair: its images and notes, or why it refuses them."""
    if not shutil.which("node") or not (ROOT / "node_modules" / "nifti-reader-js").is_dir():
        pytest.skip("node, or nifti-reader-js in node_modules, is not here")
    given = json.dumps([[str(path) for path in pair] for pair in files.values()])
    command = ["node", ROOT / "tests" / "js" / "own_files.mjs"]
    done = subprocess.run(command, input=given, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return dict(zip(files, json.loads(done.stdout), strict=True))


def test_orientations_are_undone_as_python_undoes_them(files, on_page):
    for name, found in on_page.items():
        if name in ("moved", "thicker", "fewer"):
            continue
        right = read_pair(*files[name])
        # rows that run to the front or to the top are drawn from above
        up = right[1].affine is None or nibabel.aff2axcodes(right[1].affine)[1] in "AS"
        up = up and name != "arrays"
        for volume, image in zip(right, found["images"], strict=True):
            wanted = volume.images.flip(1) if up else volume.images
            slices = torch.tensor(image["slices"]).reshape(wanted.shape)
            torch.testing.assert_close(slices * float(wanted.max()), wanted, rtol=0, atol=1e-5)
        notes = [note for volume in right for note in volume.notes]
        for told in found["notes"]:
            assert told in notes, (name, notes)
        turned = [note for note in notes if "axes turned" in note]
        assert turned == [note for note in found["notes"] if "axes turned" in note]
    assert on_page["mirrored"]["notes"] == ["las.nii: axes turned, LAS to RAS"]


def test_files_that_lie_elsewhere_are_one_sentence(files, on_page):
    for name, words in {
        "moved": "moved.nii: found 1.5 x 1.5 x 4 mm voxels, RAS, the first at (3, 0, 0), beside"
        " 1.5 x 1.5 x 4 mm voxels, RAS, the first at (0, 0, 0) of t2.nii.gz, up to 2 voxels apart;"
        " expected one grid within 0.5 voxels",
        "thicker": "up to 1 voxels apart",
        "fewer": "t2.nii.gz: found 5 slices of 18 x 20; expected 3 slices of 18 x 20, as few.nii has",
    }.items():
        assert words in on_page[name]["refused"]
        with pytest.raises(InputError):
            read_pair(*files[name])
