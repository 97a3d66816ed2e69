"""Hostile input: whatever a file holds, a reader gives a sound volume or raises InputError.

The mutations are seeded, so a failure can be repeated from its number.
"""

import gzip
import io
import struct
import warnings
import zipfile
import zlib
from pathlib import Path

import h5py
import nibabel
import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from dcamsr_lite.data import load_input, load_pair, read_pairs_csv
from dcamsr_lite.errors import InputError
from dcamsr_lite.files import read_volume, write_m4raw, write_volume
from dcamsr_lite.volume import MAX_BYTES, Volume

VARIANTS = 500
PROTOCOL = {"tr": 500, "te": 18.4, "flip": 90}


def kspace(slices: int = 2, coils: int = 4, size: int = 16) -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.randn(slices, coils, size, size, dtype=torch.complex64, generator=generator)


def images(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).random(shape or (2, 16, 12), dtype=np.float32)


def write_fastmri(path: Path) -> None:
    """A single-coil knee file, small: 24 x 20 samples, reconstructed to 16 x 16."""
    with h5py.File(path, "w") as file:
        file["kspace"] = kspace(2, 1, 24).numpy()[:, 0, :, :20]
        file["reconstruction_esc"] = images(2, 16, 16)
        file["ismrmrd_header"] = b"<a><encoding><reconSpace/></encoding></a>"
        file.attrs.update({"acquisition": "CORPD_FBK", "max": 1.0, "patient_id": "1"})


def write_packed(path: Path) -> None:
    """An M4Raw-like file in compressed chunks with a check sum."""
    with h5py.File(path, "w") as file:
        options = {"chunks": (1, 1, 16, 16), "compression": 4, "shuffle": True, "fletcher32": True}
        file.create_dataset("kspace", data=kspace().numpy(), **options)


def write_csv(path: Path) -> None:
    for name in ("a.h5", "b.h5", "c.h5", "d.h5"):
        (path.parent / name).touch()
    path.write_text("reference,target,distance\na.h5,b.h5,0.25\nc,d\n")


WRITERS = {
    "m4raw.h5": lambda path: write_m4raw(path, kspace(), "AXT1", PROTOCOL, "1"),
    "fastmri.h5": write_fastmri,
    "packed.h5": write_packed,
    "image.h5": lambda path: write_volume(path, images()),
    "volume.nii": lambda path: write_volume(path, images()),
    "volume.nii.gz": lambda path: write_volume(path, images()),
    "volume.npy": lambda path: write_volume(path, images()),
    "volume.npz": lambda path: write_volume(path, images()),
    "pairs.csv": write_csv,
}


def mutate(data: bytes, rng: np.random.Generator) -> bytes:
    """One to three of: flipped bits, a cut, a splice of the file into itself, odd header numbers."""
    out = bytearray(data)
    for _ in range(rng.integers(1, 4)):
        if not out:
            return b""
        # headers, where the sizes stand, are at the front in most formats
        reach = len(out) if rng.random() < 0.4 else min(len(out), 3000)
        place, length = int(rng.integers(reach)), int(rng.integers(1, 64))
        kind = rng.integers(5)
        if kind == 0:
            for _ in range(rng.integers(1, 9)):
                out[rng.integers(reach)] ^= 1 << rng.integers(8)
        elif kind == 1:
            del out[int(rng.integers(len(out))) :]
        elif kind == 2:
            source = int(rng.integers(len(out)))
            out[place : place + length] = out[source : source + length]
        elif kind == 3:
            out[place:place] = rng.bytes(length)
        else:
            odd = (0, 1, -1, 2**31 - 1, 2**32, 2**63 - 1, -(2**63), 0x7FF0 << 48, 255)
            number = struct.pack("<Q", odd[rng.integers(len(odd))] % 2**64)
            width = int(rng.choice([1, 2, 4, 8]))
            out[place : place + width] = number[:width]
    return bytes(out)


def assert_sound(volume: Volume) -> None:
    assert volume.images.ndim == 3 and volume.images.dtype == torch.float32
    assert bool(torch.isfinite(volume.images).all())
    assert float(volume.images.max()) > float(volume.images.min())
    if volume.kspace is not None:
        assert volume.kspace.dtype == torch.complex64
        slices, coils, rows, columns = volume.kspace.shape
        assert (slices, rows, columns) == tuple(volume.images.shape)


def assert_read_or_refused(path: Path) -> bool:
    """True when the file was refused. Warnings are errors here, whatever the runner's settings."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            found = read_pairs_csv(path) if path.suffix == ".csv" else read_volume(path)
    except InputError as error:
        message = str(error)
        assert "\n" not in message and path.name in message
        assert "found" in message and "expected" in message and len(message) < 700
        return True
    if path.suffix == ".csv":
        assert found and all(one.is_file() and two.is_file() for one, two, _ in found)
    else:
        assert_sound(found)
    return False


@pytest.mark.parametrize("name", WRITERS)
def test_corrupted_files(name, tmp_path, capfd):
    whole = tmp_path / name
    WRITERS[name](whole)
    assert not assert_read_or_refused(whole)
    data, refused = whole.read_bytes(), 0
    (tmp_path / "bad").mkdir()
    for other in tmp_path.glob("?.h5"):
        (tmp_path / "bad" / other.name).touch()
    damaged = tmp_path / "bad" / name
    for seed in range(VARIANTS):
        damaged.write_bytes(mutate(data, np.random.default_rng(seed)))
        refused += assert_read_or_refused(damaged)
    assert refused > VARIANTS / 10
    assert capfd.readouterr() == ("", "")  # nibabel and HDF5 like to print
