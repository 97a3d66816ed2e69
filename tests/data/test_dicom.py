"""DICOM series: read in their place, written back as derived ones; a landmark stays where it was."""

import json
import os
from pathlib import Path

import nibabel
import numpy as np
import pytest
import torch
from helpers import phantom
from scipy.spatial.transform import Rotation

import dcamsr_lite as dl
from dcamsr_lite import cli
from dcamsr_lite.data.files import read_volume, write_volume
from dcamsr_lite.data.shapes import read_shape
from dcamsr_lite.data.volume import Volume
from dcamsr_lite.errors import InputError
from dcamsr_lite.training.dataset import hash_pair

pydicom = pytest.importorskip("pydicom", reason="pydicom, of the extra [scans], is not here")
from dcamsr_lite.data import dicom  # noqa: E402


def oblique(sizes=(1.5, 2.0, 5.0)):
    affine = np.eye(4)
    affine[:3, :3] = Rotation.from_rotvec([0.2, -0.1, 0.3]).as_matrix() @ np.diag(sizes)
    affine[:3, 3] = (-20, 13, 7)
    return affine


def head(slices=4, size=32, landmark=None):
    images = 300 * phantom(slices, size)
    if landmark:
        images[landmark] = 2000
    return images


def series(folder, images, affine=None, **changes):
    """A series of which the file names say nothing about the order; ``changes`` of every image."""
    like = Volume(images, affine=oblique() if affine is None else affine)
    dicom.write_dicom(folder, images, like)
    files = sorted(Path(folder).iterdir())
    for number, file in enumerate(files):
        data = pydicom.dcmread(file)
        data.PatientName, data.PatientID = "Doe^Jane", "secret-7"
        for name, value in changes.items():
            setattr(data, name, value)
        data.save_as(file.with_name(f"{(7 * number) % len(files)}-{number}.dcm"))
        file.unlink()
    return Path(folder)


def test_a_series_is_read_in_its_place_whatever_the_files_names(tmp_path):
    images = head()
    read = read_volume(series(tmp_path / "t2", images))
    torch.testing.assert_close(read.images, images, atol=0.01, rtol=1e-4)
    np.testing.assert_allclose(read.affine, oblique(), atol=1e-5)
    assert (*read.field_of_view, read.slice_thickness) == pytest.approx((64, 48, 5))
    by_file = read_volume(sorted((tmp_path / "t2").iterdir())[2])  # a file names its series
    assert torch.equal(by_file.images, read.images)


def test_a_multi_frame_file_is_the_same_volume(tmp_path):
    folder = series(tmp_path / "t2", head())
    wanted = read_volume(folder)
    parts = sorted(map(pydicom.dcmread, folder.iterdir()), key=lambda p: p.InstanceNumber)
    whole = parts[0]
    whole.NumberOfFrames = len(parts)
    whole.PixelData = b"".join(part.PixelData for part in parts[::-1])
    item, sequence = pydicom.Dataset, pydicom.Sequence
    shared, pixels, axes, rescale = item(), item(), item(), item()
    pixels.PixelSpacing, pixels.SliceThickness = whole.PixelSpacing, whole.SliceThickness
    axes.ImageOrientationPatient = whole.ImageOrientationPatient
    rescale.RescaleSlope, rescale.RescaleIntercept = whole.RescaleSlope, 0
    rescale.RescaleType = "US"
    shared.PixelMeasuresSequence = sequence([pixels])
    shared.PlaneOrientationSequence = sequence([axes])
    shared.PixelValueTransformationSequence = sequence([rescale])
    frames = []
    for part in parts[::-1]:
        frame, position = item(), item()
        position.ImagePositionPatient = part.ImagePositionPatient
        frame.PlanePositionSequence = sequence([position])
        frames.append(frame)
    for name in ("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing", "RescaleSlope"):
        delattr(whole, name)
    whole.SharedFunctionalGroupsSequence = sequence([shared])
    whole.PerFrameFunctionalGroupsSequence = sequence(frames)
    whole.save_as(tmp_path / "enhanced.dcm")
    read = read_volume(tmp_path / "enhanced.dcm")
    assert torch.equal(read.images, wanted.images)
    np.testing.assert_allclose(read.affine, wanted.affine, atol=1e-6)


def test_a_landmark_lies_in_one_place_in_nibabel_and_in_pydicom(tmp_path, capsys):
    """Through super-resolve, and as NIfTI and DICOM from the same series."""
    spot = (2, 9, 21)
    t1 = series(tmp_path / "t1", head(landmark=spot))
    t2 = series(tmp_path / "t2", head(landmark=spot))
    dl.save(dl.DCAMSR(image_size=32), tmp_path / "w.safetensors")
    asked = ["super-resolve", "--reference", t1, "--input", t2, "--scale", 4]
    asked += ["--weights", tmp_path / "w.safetensors", "--out"]
    for out in ("sr/", "sr.nii.gz"):
        assert cli.main([*map(str, asked), f"{tmp_path}/{out}"]) == 0
    wanted = (oblique() @ [spot[2], spot[1], spot[0], 1])[:3]
    image = nibabel.load(tmp_path / "sr.nii.gz")
    place = np.linalg.inv(image.affine) @ [*wanted, 1]
    np.testing.assert_allclose(place[:3], [spot[2], spot[1], spot[0]], atol=0.1)
    assert image.header["sform_code"] > 0 and image.header["qform_code"] > 0
    assert image.header.get_xyzt_units()[0] == "mm"
    files = sorted((tmp_path / "sr").iterdir())
    data = pydicom.dcmread(files[spot[0]])
    right, down = np.reshape(data.ImageOrientationPatient, (2, 3))
    found = np.array(data.ImagePositionPatient, float) + spot[2] * data.PixelSpacing[1] * right
    found += spot[1] * data.PixelSpacing[0] * down
    np.testing.assert_allclose(found, wanted * [-1, -1, 1], atol=0.1)
    stored = data.pixel_array * float(data.RescaleSlope)
    written = np.asanyarray(image.dataobj).T[spot[0]]
    np.testing.assert_allclose(stored, written.clip(0), atol=2 * float(data.RescaleSlope))
    # a new series of the same study, which says what it is
    source = pydicom.dcmread(next(t2.iterdir()))
    numbers = {pydicom.dcmread(f).SOPInstanceUID for f in (*files, *t2.iterdir())}
    assert len(numbers) == 8 and data.SeriesInstanceUID != source.SeriesInstanceUID
    assert data.StudyInstanceUID == source.StudyInstanceUID and data.PatientID == "secret-7"
    assert data.ImageType[0] == "DERIVED"
    for text in (data.SeriesDescription, data.DerivationDescription):
        assert "not for clinical use" in text
    assert "Doe" not in capsys.readouterr().out
    assert cli.main([*map(str, asked), f"{tmp_path}/sr/"]) == 2  # nothing is replaced


def test_what_is_no_series_is_refused_without_a_word_of_the_patient(tmp_path, capsys):
    good = series(tmp_path / "good", head())

    def refuse(path, words):
        with pytest.raises(InputError, match=words) as caught:
            read_volume(path)
        assert "Doe" not in str(caught.value) and "secret" not in str(caught.value)

    (tmp_path / "empty").mkdir()
    refuse(tmp_path / "empty", "a folder without DICOM files")
    both = series(tmp_path / "both", head())
    for file in good.iterdir():
        (both / f"other{file.name}").write_bytes(file.read_bytes())
    refuse(both, "2 series: number")
    gap = series(tmp_path / "gap", head(5))
    next(gap.glob("*-2.dcm")).unlink()
    refuse(gap, "is one missing")
    twice = series(tmp_path / "twice", head())
    file = next(twice.iterdir())
    (twice / "again.dcm").write_bytes(file.read_bytes())
    refuse(twice, "several images at one place")
    colour = series(tmp_path / "colour", head(), PhotometricInterpretation="RGB")
    refuse(colour, "grey images")
    cut = series(tmp_path / "cut", head())
    for file in cut.iterdir():
        file.write_bytes(file.read_bytes()[:-100])
    refuse(cut, "cannot read")
    huge = series(tmp_path / "huge", head(), Rows=65535, Columns=65535)
    refuse(huge, "at most")
    strange = series(tmp_path / "strange", head(), PixelSpacing=None)
    refuse(strange, "no PixelSpacing")
    assert "Doe" not in "".join(capsys.readouterr())


def test_planes_are_taken_by_the_body_and_written_back_in_their_place(tmp_path):
    images = np.random.default_rng(0).random((24, 16, 20), np.float32)  # axial as stored
    affine = np.diag([2.0, 2, 2, 1])
    for name in ("t1", "t2"):
        nibabel.save(nibabel.Nifti1Image(images.T, affine), tmp_path / f"{name}.nii")
    dl.save(dl.DCAMSR(image_size=32), tmp_path / "w.safetensors")
    asked = ["super-resolve", "--reference", "t1.nii", "--input", "t2.nii", "--scale", "2"]
    asked = [str(tmp_path / a) if a.endswith(".nii") else a for a in asked]
    dl.save(dl.DCAMSR(scale=2, image_size=32), tmp_path / "w.safetensors")
    asked += ["--weights", str(tmp_path / "w.safetensors"), "--out", str(tmp_path / "sr.nii")]
    for plane, shape in (("sagittal", (20, 24, 16)), ("coronal", (16, 24, 20))):
        assert cli.main([*asked, "--plane", plane, "--slices", "3:5"]) == 0
        written = nibabel.load(tmp_path / "sr.nii")
        assert written.shape[::-1] == (2, *shape[1:])
        corner = (written.affine @ [0, 0, 0, 1])[:3]
        assert sorted(corner.tolist()) == [0, 0, 6]  # of the fourth slice
    assert cli.main([*asked, "--slices", "30:31"]) == 2


def test_pictures_are_pairs_of_one_slice(tmp_path):
    image = pytest.importorskip("PIL.Image")
    grey = (255 * phantom(1, 32)[0] / phantom(1, 32).max()).to(torch.uint8).numpy()
    image.fromarray(grey).save(tmp_path / "t1.png")
    image.fromarray(grey).save(tmp_path / "t2.jpg", quality=95)
    image.fromarray(np.stack([grey, grey, grey // 2], -1)).save(tmp_path / "colour.png")
    image.fromarray(256 * grey.astype(np.uint16)).save(tmp_path / "deep.png")
    pair = dl.load_pair(tmp_path / "t1.png", tmp_path / "t2.jpg", 4)
    np.testing.assert_array_equal(pair.reference_image[0], grey)
    assert read_shape(tmp_path / "t1.png") == (1, 32, 32)  # `data check` called all broken
    assert (pair.target_image[0] - torch.tensor(grey)).abs().mean() < 3
    assert "brightness" in read_volume(tmp_path / "colour.png").notes[0]
    np.testing.assert_array_equal(read_volume(tmp_path / "deep.png").images[0], 256.0 * grey)
    (tmp_path / "broken.png").write_bytes((tmp_path / "t1.png").read_bytes()[:60])
    with pytest.raises(InputError, match=r"broken.png"):
        read_volume(tmp_path / "broken.png")


def test_dicom_round_trip_of_a_nifti_volume_keeps_its_place(tmp_path):
    images = head()
    write_volume(tmp_path / "t2.nii", images, Volume(images, affine=oblique()))
    volume = read_volume(tmp_path / "t2.nii")
    dicom.write_dicom(tmp_path / "out", volume.images, volume)
    again = read_volume(tmp_path / "out")
    np.testing.assert_allclose(again.affine, volume.affine, atol=1e-4)


def test_data_check_tells_the_series_of_a_folder_and_pairs_of_them_are_read(tmp_path, capsys):
    """By headers alone, in folders of their own or in one; nothing of the patient is told."""
    t1, t2 = (
        series(tmp_path / "p7" / name, head(), SeriesNumber=n) for n, name in ((3, "t1"), (4, "t2"))
    )
    gap = series(tmp_path / "p8", head(5), SeriesNumber=5)
    next(gap.glob("*-2.dcm")).unlink()
    other = series(
        tmp_path / "other", head(3, 40), np.diag([0.0, 0, 0, 1]) + np.eye(4)[[2, 0, 1, 3]]
    )
    for file in other.iterdir():
        file.rename(gap / f"sagittal{file.name}")
    assert cli.main(["data", "check", str(tmp_path), "--json"]) == 0
    said = capsys.readouterr().out
    assert "Doe" not in said and "secret" not in said
    found = {one["number"]: one for one in json.loads(said)["series"]}
    assert found["3"]["shape"] == [4, 32, 32] and found["3"]["path"] == str(t1)
    assert found["3"]["sizes"] == [1.5, 2, 5] and found["3"]["plane"] == "axial"
    assert "is one missing" in found["5"]["why"] and found["5"]["files"] == 4
    sagittal = found["9000"]
    assert sagittal["shape"] == [3, 40, 40] and sagittal["plane"] == "sagittal"
    assert read_volume(sagittal["path"]).images.shape == (3, 40, 40)  # its path names it
    cut = series(tmp_path / "cut", head())
    for file in cut.iterdir():
        file.write_bytes(file.read_bytes()[:-100])
    assert cli.main(["data", "check", str(cut)]) == 0
    assert cli.main(["data", "check", str(cut), "--read"]) == 0
    without, read = capsys.readouterr().out.split("a CSV\n")[:2]
    assert "broken" not in without and "broken" in read
    (tmp_path / "pairs.csv").write_text("p7/t1,p7/t2\n")
    assert cli.main(["data", "check", str(tmp_path / "pairs.csv"), "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert (report["pairs"], report["broken"], report["shapes"]) == (1, [], {"4 x 32 x 32": 1})
    asked = ["evaluate", str(tmp_path / "pairs.csv"), "--scale", "4", "--method", "zero-fill"]
    assert cli.main(asked) == 0
    before = hash_pair((t1, t2), 4)
    os.utime(next(t2.iterdir()), ns=(1, 1))
    assert hash_pair((t1, t2), 4) != before  # stored slices of a training
