"""Readers and writers on small files whose content is known."""

import xml.etree.ElementTree as ElementTree
from pathlib import Path

import h5py
import nibabel
import numpy as np
import pytest
import torch
from helpers import PROTOCOL, Protocol, coil_kspace, m4raw_kspace, phantom

from dcamsr_lite import kspace as ks
from dcamsr_lite.data.files import Volume, read_volume, write_m4raw, write_volume
from dcamsr_lite.data.pairs import load_input, load_pair
from dcamsr_lite.errors import InputError

NS = "{http://www.ismrm.org/ISMRMRD}"


def test_m4raw_layout_exactly(tmp_path):
    path, data = tmp_path / "2022061003_T201.h5", m4raw_kspace()
    write_m4raw(path, data, "AXT2", Protocol(), "2022061003")
    with h5py.File(path, "r") as file:
        assert set(file) == {"kspace", "reconstruction_rss", "ismrmrd_header"}
        assert file["kspace"].shape == (18, 4, 256, 256)
        assert file["kspace"].dtype == np.complex64
        assert np.array_equal(file["kspace"][()], data.numpy())
        assert file["reconstruction_rss"].shape == (18, 256, 256)
        assert file["reconstruction_rss"].dtype == np.float32
        stored = torch.from_numpy(file["reconstruction_rss"][()])
        assert file["ismrmrd_header"].shape == ()
        header = file["ismrmrd_header"][()]
        attributes = dict(file.attrs)
    assert set(attributes) == {"acquisition", "max", "patient_id"}
    assert attributes["acquisition"] == "AXT2" and attributes["patient_id"] == "2022061003"
    assert attributes["max"] == stored.max()
    assert torch.equal(stored, ks.rss(ks.ifft2c(data)))

    assert isinstance(header, bytes) and header.startswith(b"<ns0:ismrmrdHeader")
    root = ElementTree.fromstring(header)
    expected = {
        "encoding/encodedSpace/matrixSize": (256, 256, 1),
        "encoding/reconSpace/matrixSize": (256, 256, 1),
        "encoding/encodedSpace/fieldOfView_mm": (240, 240, 5),
        "encoding/reconSpace/fieldOfView_mm": (240, 240, 5),
        "encoding/encodingLimits/kspace_encoding_step_1": (0, 195, 97),
        "encoding/echoTrainLength": 15,
        "acquisitionSystemInformation/receiverChannels": 4,
        "sequenceParameters/TR": 5500,
        "sequenceParameters/TE": 128,
        "sequenceParameters/TI": 0,
        "sequenceParameters/flipAngle_deg": 160,
        "sequenceParameters/echo_train_length": 15,
    }
    for path_in_header, value in expected.items():
        node = root.find("/".join(NS + name for name in path_in_header.split("/")))
        if isinstance(value, tuple):
            children = ("minimum", "maximum", "center") if "Limits" in path_in_header else "xyz"
            assert tuple(float(node.find(NS + axis).text) for axis in children) == value
        else:
            assert float(node.text) == value

    volume = read_volume(path)
    scale = float(stored.max())
    assert float((volume.images - stored).abs().max()) <= 2e-6 * scale
    assert torch.equal(volume.kspace, data)
    assert (volume.contrast, volume.field_of_view) == ("T2", (240.0, 240.0))
    assert volume.path == str(path) and volume.affine is None


def test_m4raw_protocol_as_mapping_and_full_sampling(tmp_path):
    path = tmp_path / "1_FLAIR01.h5"
    flair = {"tr": 7500, "te": 96, "ti": 1655, "flip": 160, "echo_train": 15}
    write_m4raw(path, coil_kspace(2, 32), "AXFLAIR", flair, "1")
    with h5py.File(path) as file:
        header = file["ismrmrd_header"][()]
    assert b"<ns0:TI>1655.0</ns0:TI>" in header and b"<ns0:maximum>32</ns0:maximum>" in header
    assert b"<ns0:matrixSize><ns0:x>32</ns0:x><ns0:y>32</ns0:y>" in header
    assert read_volume(path).contrast == "FLAIR"


def write_fastmri(path: Path, data: torch.Tensor, **datasets) -> None:
    with h5py.File(path, "w") as file:
        file["kspace"] = data.numpy()
        for name, value in datasets.items():
            file[name] = value
        file.attrs["acquisition"] = "CORPDFS_FBK"


RECON = b"""<?xml version="1.0" encoding="utf-8"?>
<ismrmrdHeader xmlns="http://www.ismrm.org/ISMRMRD"><encoding>
<encodedSpace><matrixSize><x>64</x><y>60</y><z>1</z></matrixSize></encodedSpace>
<reconSpace><matrixSize><x>32</x><y>24</y><z>1</z></matrixSize>
<fieldOfView_mm><x>160</x><y>120</y><z>3</z></fieldOfView_mm></reconSpace>
</encoding></ismrmrdHeader>"""


def test_fastmri_is_cut_in_the_image_before_k_space(tmp_path):
    data = coil_kspace(2, 64)
    coils = ks.center_crop(ks.ifft2c(data), (32, 24))
    expected = ks.rss(coils)
    path = tmp_path / "multi.h5"
    stored = {"reconstruction_rss": expected.numpy(), "ismrmrd_header": RECON}
    write_fastmri(path, data, **stored)
    volume = read_volume(path)
    torch.testing.assert_close(volume.images, expected)
    torch.testing.assert_close(volume.kspace, ks.fft2c(coils))
    assert (volume.contrast, volume.field_of_view) == ("PDFS", (160.0, 120.0))

    write_fastmri(path, data, ismrmrd_header=RECON)  # no reconstruction: the header's matrix
    torch.testing.assert_close(read_volume(path).images, expected)

    write_fastmri(path, data[:, 0], reconstruction_esc=coils[:, 0].abs().numpy())  # single-coil
    volume = read_volume(path)
    assert volume.kspace.shape == (2, 1, 32, 24)
    torch.testing.assert_close(volume.images, coils[:, 0].abs())


def test_fastmri_without_any_size_is_cut_to_320(tmp_path):
    path = tmp_path / "file1000001.h5"
    generator = torch.Generator().manual_seed(0)
    data = torch.randn(1, 2, 640, 368, dtype=torch.complex64, generator=generator)
    write_fastmri(path, data)
    assert read_volume(path).kspace.shape == (1, 2, 320, 320)
    write_fastmri(path, data[..., :256, :256])
    assert read_volume(path).kspace.shape == (1, 2, 256, 256)


@pytest.mark.parametrize("options", [{}, {"shuffle": True}], ids=["gzip", "shuffle"])
@pytest.mark.parametrize("chunks", [(1, 4, 32, 32), (2, 3, 20, 9), (3, 4, 32, 32)])
def test_compressed_chunks_are_read_exactly(tmp_path, chunks, options):
    path, data = tmp_path / "1_T101.h5", coil_kspace(3, 32)
    with h5py.File(path, "w") as file:
        compressed = {"chunks": chunks, "compression": "gzip", **options}
        file.create_dataset("kspace", data=data.numpy(), **compressed)
    assert torch.equal(read_volume(path).kspace, data)


@pytest.mark.parametrize("version", ["earliest", "latest"])
@pytest.mark.parametrize("text", ["AXT2", np.bytes_(b"AXT2"), np.array(b"AXT2", "S9")])
def test_acquisition_in_every_kind_of_string(tmp_path, version, text):
    path = tmp_path / "some.h5"
    with h5py.File(path, "w", libver=version) as file:
        file["reconstruction_rss"] = phantom(1, 16).numpy()
        file.attrs["patient_id"] = "acquisition"
        file.attrs["acquisition"] = text
    assert read_volume(path).contrast == "T2"


def test_nifti_keeps_affine_orientation_and_scaling(tmp_path):
    voxels = np.arange(9 * 8 * 3, dtype=np.int16).reshape(9, 8, 3)  # x, y, z
    affine = np.array([[-2.0, 0, 0, 90], [0, 2.5, 0.1, -126], [0, -0.1, 4, -72], [0, 0, 0, 1]])
    image = nibabel.Nifti1Image(voxels, affine)
    image.header.set_slope_inter(0.5, 10)
    path = tmp_path / "t1.nii"
    path.write_bytes(image.to_bytes())
    volume = read_volume(path)
    expected = np.asarray(nibabel.load(path).dataobj).T
    assert volume.images.shape == (3, 8, 9)
    np.testing.assert_allclose(volume.images.numpy(), expected, rtol=1e-6)
    np.testing.assert_allclose(volume.affine, affine, atol=1e-5)
    assert volume.field_of_view == pytest.approx((8 * np.hypot(2.5, 0.1), 18), rel=1e-5)

    for name in ("sr.nii", "sr.nii.gz"):
        write_volume(tmp_path / name, volume.images * 2, like=volume)
        back = nibabel.load(tmp_path / name)
        np.testing.assert_allclose(back.affine, affine, atol=1e-5)
        np.testing.assert_allclose(np.asarray(back.dataobj), 2 * expected.T, rtol=1e-6)
        assert torch.equal(read_volume(tmp_path / name).images, volume.images * 2)


def test_nifti_keeps_units_and_both_affines_with_their_codes(tmp_path):
    """A scanner's qform and a template's sform differ: neither may be called the other."""
    sform, qform = np.diag([2.0, 2.5, 4, 1]), np.diag([-2.0, 2.5, 4, 1])
    sform[:3, 3], qform[:3, 3] = (-8, -9, -7), (8, 9, 7)
    voxels = np.random.default_rng(0).random((8, 8, 3), dtype=np.float32)
    for codes in ((4, 1), (1, 1), (0, 1), (2, 0), (0, 0)):
        for kind in (nibabel.Nifti1Image, nibabel.Nifti2Image):
            image = kind(voxels, np.eye(4))
            image.set_sform(sform, codes[0])
            image.set_qform(qform, codes[1])
            image.header.set_xyzt_units("micron", "sec")
            image.header["descrip"] = "a name"
            image.header.set_intent("estimate", name="T2 signal")
            (tmp_path / "t1.nii").write_bytes(image.to_bytes())
            volume = read_volume(tmp_path / "t1.nii")
            pair = load_pair(volume, volume, 2)
            for like in (volume, pair.grid, load_input(volume, pair.low, 2).grid):
                write_volume(tmp_path / "sr.nii.gz", volume.images, like=like)
                back = nibabel.load(tmp_path / "sr.nii.gz").header
                assert (back["sform_code"], back["qform_code"]) == codes
                np.testing.assert_allclose(back.get_best_affine(), image.header.get_best_affine())
                np.testing.assert_allclose(back.get_sform(), sform)
                np.testing.assert_allclose(back.get_qform(), qform)
                assert back.get_xyzt_units() == ("micron", "sec") and not back["descrip"].item()
                assert back.get_intent() == ("estimate", (), "T2 signal")


@pytest.mark.parametrize(("unit", "length"), [("meter", 1e-3), ("micron", 1e3), ("mm", 1)])
def test_nifti_sizes_are_millimetres_whatever_the_units_of_the_file(tmp_path, unit, length):
    """0.24 m were 0 x 0 mm, and 240,000 micrometres no field of view at all."""
    affine = np.diag([length * 15.0, length * 15, length * 5, 1])
    image = nibabel.Nifti1Image(np.random.default_rng(0).random((16, 16, 3)), affine)
    image.header.set_xyzt_units(unit)
    (tmp_path / "t1.nii").write_bytes(image.to_bytes())
    volume = read_volume(tmp_path / "t1.nii")
    assert volume.field_of_view == pytest.approx((240, 240))
    np.testing.assert_allclose(volume.affine, np.diag([15, 15, 5, 1]), rtol=1e-6)
    write_volume(tmp_path / "sr.nii", volume.images, like=volume)
    back = nibabel.load(tmp_path / "sr.nii")
    np.testing.assert_allclose(back.affine, affine, rtol=1e-6)
    assert back.header.get_xyzt_units()[0] == unit


@pytest.mark.parametrize("kind", [nibabel.Nifti1Image, nibabel.Nifti2Image])
def test_nifti_that_does_not_say_where_its_voxels_start_has_them_behind_its_header(tmp_path, kind):
    image = kind(np.arange(9 * 8 * 3, dtype=np.float32).reshape(9, 8, 3), np.eye(4))
    data = bytearray(image.to_bytes())
    place = slice(108, 112) if kind is nibabel.Nifti1Image else slice(168, 176)
    data[place] = bytes(len(data[place]))
    (tmp_path / "t1.nii").write_bytes(data)
    assert np.array_equal(read_volume(tmp_path / "t1.nii").images, image.get_fdata().T)


def test_nifti_of_a_scan_without_a_place_has_its_sizes_and_no_affine(tmp_path):
    for name in ("1_T101.h5", "1_T201.h5"):
        write_m4raw(tmp_path / name, coil_kspace(3, 16), "AX" + name[2:4], PROTOCOL, "1")
    pair = load_pair(tmp_path / "1_T101.h5", tmp_path / "1_T201.h5", 2)
    write_volume(tmp_path / "sr.nii", pair.target_image, like=pair.grid)
    image = nibabel.load(tmp_path / "sr.nii")
    assert image.header.get_zooms() == (15, 15, 5) and image.shape == (16, 16, 3)
    assert (image.header["sform_code"], image.header["qform_code"]) == (0, 0)
    assert image.header.get_xyzt_units()[0] == "mm"
    assert nibabel.affines.voxel_sizes(image.affine).tolist() == [15, 15, 5]  # readers take them
    assert read_volume(tmp_path / "sr.nii").field_of_view == (240, 240)
    write_volume(tmp_path / "unknown.nii", pair.target_image)
    header = nibabel.load(tmp_path / "unknown.nii").header
    assert (header["sform_code"], header["qform_code"]) == (0, 0)
    assert header.get_zooms() == (1, 1, 1) and header.get_xyzt_units()[0] == "unknown"


def test_nifti_2_big_endian_and_trailing_axis(tmp_path):
    voxels = np.arange(9 * 8 * 3, dtype=np.float32).reshape(9, 8, 3, 1)
    big = nibabel.Nifti1Header(endianness=">")
    for name, image in {
        "two.nii": nibabel.Nifti2Image(voxels, np.eye(4)),
        "big.nii": nibabel.Nifti1Image(voxels.astype(">f4"), np.eye(4), big),
    }.items():
        (tmp_path / name).write_bytes(image.to_bytes())
        assert np.array_equal(read_volume(tmp_path / name).images, voxels[..., 0].T)


@pytest.mark.parametrize("name", ["a.npy", "a.npz", "a.nii", "a.nii.gz", "a.h5"])
def test_write_and_read_back(name, tmp_path):
    images = phantom(2, 16)
    like = Volume(images, contrast="FLAIR", field_of_view=(240.0, 240.0))
    write_volume(tmp_path / name, images, like=like)
    volume = read_volume(tmp_path / name)
    assert torch.equal(volume.images, images) and volume.images.dtype == torch.float32
    if name == "a.h5":
        assert volume.contrast == "FLAIR" and volume.kspace is None
    if "nii" in name:
        assert volume.field_of_view == pytest.approx((240.0, 240.0))


def test_arrays_of_every_kind(tmp_path):
    images = (100 * phantom(2, 16)).round()
    for dtype in (np.uint8, ">i2", np.float16, np.float64, np.int64):
        array = images.numpy().astype(dtype)
        assert torch.equal(read_volume(array).images, images)
        np.save(tmp_path / "a.npy", np.asfortranarray(array))
        assert torch.equal(read_volume(str(tmp_path / "a.npy")).images, images)
    assert torch.equal(read_volume(images.bfloat16()).images, images)
    assert read_volume(images[0]).images.shape == (1, 16, 16)
    data = coil_kspace(2, 16)
    volume = read_volume(data.requires_grad_())
    assert torch.equal(volume.kspace, data.detach())
    assert read_volume(volume) is volume
    source = images.clone()
    read_volume(source).images.zero_()
    assert torch.equal(source, images)


@pytest.mark.parametrize("name", ["a.npy", "a.npz", "a.nii.gz", "a.h5"])
def test_what_torch_holds_in_other_ways_is_written_and_read(name, tmp_path):
    images = (100 * phantom(2, 16)).round()
    lazy = torch.complex(torch.zeros_like(images), -images).conj().imag
    for given in (images.bfloat16(), torch._neg_view(-images), lazy):
        write_volume(tmp_path / name, given)
        assert torch.equal(read_volume(tmp_path / name).images, images)
        assert torch.equal(read_volume(given).images, images)


@pytest.mark.parametrize(
    "given",
    [
        np.zeros((0, 8, 8)),
        torch.zeros(2, 0, 8),
        torch.eye(8).to_sparse(),
        np.arange(64.0).reshape(8, 8) * 1e14,
        -torch.eye(8) * 3.4e38,
        np.eye(8) * 1e-60,  # nothing of it is left in float32
        torch.eye(8, dtype=torch.complex64).conj(),
        torch.empty(8, 8, device="meta"),
        "images",
        None,
    ],
)
def test_what_no_reader_would_take_is_not_written(given, tmp_path):
    for name in ("a.npy", "a.npz", "a.nii", "a.h5"):
        with pytest.raises(InputError, match=name):
            write_volume(tmp_path / name, given)
        assert not (tmp_path / name).exists()
