"""A landmark lies in one place of the body in every file that is read, sharpened and written."""

from pathlib import Path

import nibabel
import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation

from dcamsr_lite import cli
from dcamsr_lite.data.files import read_volume
from dcamsr_lite.data.volume import Volume
from dcamsr_lite.phantom.subjects import simulated_volumes

pydicom = pytest.importorskip("pydicom", reason="pydicom, of the extra [scans], is not here")
from dcamsr_lite.data.dicom import write_dicom  # noqa: E402

SPOT = np.array([3.0, 22.3, 40.6])  # slice, row, column: between pixels
AFFINE = np.eye(4)
AFFINE[:3, :3] = Rotation.from_rotvec([0.2, -0.1, 0.3]).as_matrix() @ np.diag([3.1, 3.4, 6.0])
AFFINE[:3, 3] = (-60, 43, 17)


def find_spot(images):
    """The middle (slice, row, column) of the landmark: the mean of the places where it is bright."""
    images = np.asarray(images, float)
    bright = (images - 0.5 * images.max()).clip(0)
    return np.array([(bright * places).sum() / bright.sum() for places in np.indices(bright.shape)])


def place_in_nibabel(file):
    image = nibabel.load(file)
    return (image.affine @ [*find_spot(np.asanyarray(image.dataobj).T)[::-1], 1])[:3]


def place_in_pydicom(folder):
    """By the tags of the slices between which it lies, in NIfTI's directions."""
    files = [pydicom.dcmread(file) for file in sorted(folder.iterdir())]
    slice_, row, column = find_spot([f.pixel_array * float(f.RescaleSlope) for f in files])
    positions = np.array([f.ImagePositionPatient for f in files], float)
    right, down = np.reshape(files[0].ImageOrientationPatient, (2, 3)).astype(float)
    high, wide = map(float, files[0].PixelSpacing)
    first = int(slice_)
    place = positions[first] + (slice_ - first) * (positions[first + 1] - positions[first])
    return (place + column * wide * right + row * high * down) * [-1, -1, 1]


@pytest.mark.slow
def test_a_dicom_series_and_a_bids_tree_are_sharpened_and_a_landmark_stays(tmp_path):
    volumes = simulated_volumes(900_001, size=64, slices=8)
    axes = np.indices(volumes[0].images.shape)
    away = [(n - middle) / width for n, middle, width in zip(axes, SPOT, (0.9, 3, 3), strict=True)]
    glow = torch.tensor(np.exp(-sum(n**2 for n in away) / 2), dtype=torch.float32)
    anat = tmp_path / "sub-01" / "anat"
    anat.mkdir(parents=True)
    for volume, name in zip(volumes, ("T1w", "T2w"), strict=True):
        images = volume.images + 10 * volume.images.max() * glow
        write_dicom(tmp_path / name, images, Volume(images, affine=AFFINE))
        image = nibabel.Nifti1Image(images.numpy().T, AFFINE)
        nibabel.save(image, anat / f"sub-01_{name}.nii.gz")
    wanted = (AFFINE @ [*SPOT[::-1], 1])[:3]

    def check(found):
        off = np.linalg.inv(AFFINE[:3, :3]) @ (found - wanted)
        assert np.abs(off).max() < 0.1, off

    check(place_in_nibabel(anat / "sub-01_T2w.nii.gz"))
    check(place_in_pydicom(tmp_path / "T2w"))
    bids = [anat / f"sub-01_{name}.nii.gz" for name in ("T1w", "T2w")]
    for number, (reference, given) in enumerate([(tmp_path / "T1w", tmp_path / "T2w"), bids]):
        asked = ["super-resolve", "--reference", reference, "--input", given, "--scale", "2"]
        for out in (f"{tmp_path}/out{number}/", f"{tmp_path}/out{number}.nii.gz"):
            assert cli.main([*map(str, asked), "--out", out]) == 0
            is_series = out.endswith("/")
            check((place_in_pydicom if is_series else place_in_nibabel)(Path(out)))
            again = read_volume(out)  # and back
            check((again.affine @ [*find_spot(again.images)[::-1], 1])[:3])
