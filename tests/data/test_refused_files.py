"""Files that must be refused, format by format, each with what was found in it."""

import gzip
import io
import struct
import warnings
import zipfile
import zlib

import h5py
import nibabel
import numpy as np
import pytest
import torch
from helpers import PROTOCOL, images, kspace

from dcamsr_lite.data.files import read_volume, write_m4raw, write_volume
from dcamsr_lite.data.volume import MAX_BYTES
from dcamsr_lite.errors import InputError


def refuse(source, match: str) -> None:
    with warnings.catch_warnings(), pytest.raises(InputError, match=match):
        warnings.simplefilter("error")
        read_volume(source)


def test_hdf5_that_must_be_refused(tmp_path):
    whole, path = tmp_path / "whole.h5", tmp_path / "bad.h5"
    write_volume(whole, images())

    def refuse_file(match: str, **contents) -> None:
        with h5py.File(path, "w") as file:
            for name, value in contents.items():
                file[name] = value
        refuse(path, match)

    data = kspace().numpy()
    refuse_file("expected a dataset 'kspace'", other=images())
    refuse_file("no empty axis", kspace=data[:0])
    refuse_file("values of type float32", kspace=data.real)
    refuse_file("values of type", kspace=np.zeros((1, 1, 8, 8), [("a", "f4"), ("b", "f4")]))
    refuse_file("kspace of shape", kspace=data[0, 0])
    refuse_file("kspace of shape", kspace=data[None])
    refuse_file("constant", kspace=np.zeros_like(data))
    refuse_file("not finite", kspace=data * np.nan)
    refuse_file("mask", kspace=data, mask=np.ones(16))
    refuse_file("as many slices", kspace=data, reconstruction_rss=images(3, 16, 16))
    refuse_file("as many slices", kspace=data, reconstruction_rss=images(16, 16))
    refuse_file("values of type object", reconstruction_rss=["a", "b"])
    refuse_file("link or group", kspace=h5py.ExternalLink("whole.h5", "reconstruction_rss"))
    refuse_file("link or group", kspace=h5py.SoftLink("/other"), other=data)

    layout = h5py.VirtualLayout(data.shape, data.dtype)
    layout[:] = h5py.VirtualSource("whole.h5", "kspace", data.shape)
    with h5py.File(path, "w") as file:
        file.create_virtual_dataset("kspace", layout)
    refuse(path, "in this file")
    with h5py.File(path, "w") as file:
        place = [(str(whole), 0, h5py.h5f.UNLIMITED)]
        file.create_dataset("kspace", data.shape, data.dtype, external=place)
    refuse(path, "in this file")
    with h5py.File(path, "w") as file:
        file.create_group("kspace")
    refuse(path, "link or group")
    for shape, chunks in (((2**12, 2**12, 64, 64), None), ((2**12, 2**12, 64, 64), (1, 1, 64, 64))):
        with h5py.File(path, "w") as file:
            file.create_dataset("kspace", shape, "complex64", chunks=chunks)
        refuse(path, f"at most {MAX_BYTES} bytes")
    with h5py.File(path, "w") as file:
        file.create_dataset("kspace", (2, 1, 64, 64), "complex64", chunks=(1, 1, 64, 64))
    refuse(path, "all chunks")


@pytest.mark.parametrize("shuffle", [False, True])
def test_hdf5_chunks_that_hdf5_itself_inflates_without_bound_or_fills_up_from_memory(
    shuffle, tmp_path
):
    path, size = tmp_path / "bad.h5", 16 * 16 * 8
    cases = [(zlib.compress(bytes(n), 9), 0) for n in (10**7, size + 1, size - 1, 1, 0)]
    cases += [(bytes(n), 3 if shuffle else 1) for n in (size + 8, size - 8, 1)]
    for stored, skipped in cases:
        with h5py.File(path, "w") as file:
            options = {"chunks": (1, 1, 16, 16), "compression": "gzip", "shuffle": shuffle}
            dataset = file.create_dataset("kspace", (1, 1, 16, 16), "complex64", **options)
            dataset.id.write_direct_chunk((0, 0, 0, 0), stored, skipped)
        refuse(path, f"expected {size} bytes")


@pytest.mark.parametrize("place", ["last string", "free space"])
def test_a_heap_of_strings_in_which_hdf5_itself_loops_for_ever(place, tmp_path):
    """The collection holds header, patient and acquisition, without which the file's name counts."""
    path = tmp_path / "1_GRE01.h5"
    write_m4raw(path, kspace(), "AXT1", PROTOCOL, "1")
    data = bytearray(path.read_bytes())
    at = data.index(b"GCOL") + 16
    for _ in range(2 if place == "last string" else 3):
        at += 16 + -(-int.from_bytes(data[at + 8 : at + 16], "little") // 8) * 8
    assert data[at] == (3 if place == "last string" else 0)
    data[at + 8 : at + 16] = bytes(8)
    path.write_bytes(data)
    volume = read_volume(path)
    assert volume.field_of_view == (240, 240)
    assert volume.contrast == ("GRE" if place == "last string" else "T1")


def test_nifti_extensions_are_not_read(tmp_path):
    """nibabel itself allocates what an extension declares, or all that there is."""
    path, data = tmp_path / "t1.nii.gz", nifti()
    data[108:112], data[348:352] = struct.pack("<f", 512), bytes([1, 0, 0, 0])
    for declared in (2**31 - 16, -16):
        extension = struct.pack("<ii", declared, 0).ljust(160, b"\0")
        path.write_bytes(gzip.compress(bytes(data[:352]) + extension + bytes(data[352:])))
        assert np.array_equal(read_volume(path).images, np.float32(images(8, 8, 2) * 100).T)


@pytest.mark.parametrize(
    "header",
    [
        b"",
        b"<broken",
        b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "bb"><!ENTITY c "&b;&b;">]><a>&c;</a>',
        b'<?xml version="1.0" encoding="no-such"?><a/>',
        b"<a><reconSpace><matrixSize><x>nan</x><y>1e99</y></matrixSize></reconSpace></a>",
        b"<a>" * 5000,
        b" " * (2**20 + 1),
        np.arange(5),
        np.float64(1),
    ],
)
def test_malformed_header_is_no_obstacle(header, tmp_path):
    path = tmp_path / "1_T101.h5"
    with h5py.File(path, "w") as file:
        file["kspace"] = kspace().numpy()
        file["ismrmrd_header"] = header
    volume = read_volume(path)
    assert volume.field_of_view is None and volume.contrast == "T1"


def nifti(shape=(8, 8, 2), dtype=np.float32, affine=None) -> bytearray:
    voxels = (images(*shape) * 100).astype(dtype)
    return bytearray(
        nibabel.Nifti1Image(voxels, np.eye(4) if affine is None else affine).to_bytes()
    )


def test_nifti_that_must_be_refused(tmp_path):
    path = tmp_path / "bad.nii"

    def refuse_bytes(match: str, data: bytes | bytearray) -> None:
        path.write_bytes(data)
        refuse(path, match)
        packed = tmp_path / "bad.nii.gz"
        packed.write_bytes(gzip.compress(bytes(data)))
        refuse(packed, match)

    refuse_bytes("no NIfTI header", b"")
    refuse_bytes("no NIfTI header", bytes(400))
    refuse_bytes("Expected 512 bytes, got 511 bytes", nifti()[:-1])
    refuse_bytes("three axes", nifti((8, 8, 2, 2)))
    refuse_bytes("values of type complex64", nifti(dtype=np.complex64))
    data = nifti()
    data[42:48] = struct.pack("<3h", 32767, 32767, 32767)
    refuse_bytes(f"at most {MAX_BYTES} bytes", data)
    data = nifti()
    data[42:48] = struct.pack("<3h", 8, -8, 2)
    refuse_bytes("no empty axis", data)
    for offset in (1e30, float("nan"), -5.0, 100.0):
        data = nifti()
        data[108:112] = struct.pack("<f", offset)
        refuse_bytes("expected", data)
    data = nifti()
    data[108:112], data[348:352] = bytes(4), bytes([1, 0, 0, 0])  # an extension, and no offset
    refuse_bytes("voxels in this file", data)
    data = nifti()
    data[352:356] = struct.pack("<f", float("nan"))
    refuse_bytes("not finite", data)
    data = bytearray(gzip.compress(bytes(nifti()), mtime=0))
    data[-6] ^= 1  # the check sum
    (tmp_path / "sum.nii.gz").write_bytes(data)
    refuse(tmp_path / "sum.nii.gz", "CRC")


def test_npy_and_npz_that_must_be_refused(tmp_path):
    def refuse_array(match: str, array, **options) -> None:
        np.save(tmp_path / "bad.npy", array, **options)
        refuse(tmp_path / "bad.npy", match)
        np.savez_compressed(tmp_path / "bad.npz", array)
        refuse(tmp_path / "bad.npz", match)

    refuse_array("values of type object", np.array([[{}, 1], [2, 3]], dtype=object))
    refuse_array("values of type <U1", np.array([["a", "b"]]))
    refuse_array("values of type complex", images() * 1j)
    refuse_array("values of type", np.zeros((8, 8), [("x", "f4")]))
    refuse_array("values of type", np.zeros((8, 8), "datetime64[s]"))
    refuse_array("an array of shape", images(2, 2, 8, 8))
    refuse_array("an array of shape", images(8))
    refuse_array("an array of shape", np.float32(3))
    refuse_array("no empty axis", images(0, 8, 8))
    refuse_array("constant", np.full((2, 8, 8), 7))
    refuse_array("not finite", np.where(images() > 0.5, np.inf, 0))
    refuse_array("not finite", images().astype(np.float64) * 1e300)
    refuse_array("expected at most 1e", images() * 1e30)

    np.savez(tmp_path / "two.npz", first=images(), second=images())
    refuse(tmp_path / "two.npz", r"2 entries \['first', 'second'\]")
    np.savez(tmp_path / "none.npz")
    refuse(tmp_path / "none.npz", "0 entries")
    header = io.BytesIO()
    fields = {"descr": "<f4", "fortran_order": False, "shape": (2**10, 2**10, 2**5)}
    np.lib.format.write_array_header_1_0(header, fields)
    (tmp_path / "short.npy").write_bytes(header.getvalue() + bytes(100))
    refuse(tmp_path / "short.npy", "expected a whole file")
    fields["shape"] = (2**20, 2**20, 2**20)
    np.lib.format.write_array_header_1_0(header := io.BytesIO(), fields)
    for method in (zipfile.ZIP_DEFLATED, zipfile.ZIP_LZMA):
        with zipfile.ZipFile(tmp_path / "bomb.npz", "w", method) as archive:
            archive.writestr("a.npy", header.getvalue() + bytes(10**6))
        refuse(tmp_path / "bomb.npz", "at most|deflated")


def test_paths_and_types_that_must_be_refused(tmp_path):
    (tmp_path / "image.dcm").write_bytes(b"DICM")
    (tmp_path / "folder.h5").mkdir()
    refuse(tmp_path / "image.dcm", "extension '.dcm'")
    refuse(tmp_path / "folder.h5", "a folder")
    refuse(tmp_path / "absent.npy", "no such file")
    refuse("", "a folder")
    refuse("nul\0.npy", "expected")
    refuse("long" * 2000 + ".npy", "expected")
    refuse(None, "NoneType")
    refuse([[1.0, 2.0]], "a list")
    refuse(torch.zeros(2, 8, 8), "constant")
    refuse(torch.rand(2, 8, 8, dtype=torch.complex64), "complex")
    refuse(torch.rand(8, 8).to_sparse(), "expected")
