"""Hostile input: whatever a file holds, a reader gives a sound volume or raises InputError.

The mutations are seeded, so a failure can be repeated from its number.
"""

import json
import signal
import struct
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import h5py
import numpy as np
import pytest
import torch
from helpers import PROTOCOL, images, kspace, watch_peak

import dcamsr_lite as dl
from dcamsr_lite.commands.recipe_file import read_recipe
from dcamsr_lite.data.file_lists import read_pairs_csv
from dcamsr_lite.data.files import read_volume, write_m4raw, write_volume
from dcamsr_lite.data.volume import Volume
from dcamsr_lite.errors import InputError
from dcamsr_lite.training.run import read_log
from dcamsr_lite.training.study import Study, describe_study, read_tables, train_row

FIRST, MORE = range(100), range(100, 2000)  # seeds of mutations
CAP = 2**24  # bytes that one volume may take, while files of some kilobytes are read
SECONDS = 10  # of the processor, for one file
STUDY = Study(subjects=0, tests=0)


def write_fastmri(path: Path) -> None:
    """A single-coil knee file, small: 24 x 20 samples, reconstructed to 16 x 16."""
    with h5py.File(path, "w") as file:
        file["kspace"] = kspace(2, 1, 24).numpy()[:, 0, :, :20]
        file["reconstruction_esc"] = images(2, 16, 16)
        file["ismrmrd_header"] = b"<a><encoding><reconSpace/></encoding></a>"
        file.attrs.update({"acquisition": "CORPD_FBK", "max": 1.0, "patient_id": "1"})


def write_packed(path: Path) -> None:
    """An M4Raw-like file in compressed chunks."""
    with h5py.File(path, "w") as file:
        options = {"chunks": (1, 1, 16, 16), "compression": 4, "shuffle": True}
        file.create_dataset("kspace", data=kspace().numpy(), **options)


def write_csv(path: Path) -> None:
    for name in ("a.h5", "b.h5", "c.h5", "d.h5"):
        (path.parent / name).touch()
    path.write_text("reference,target,distance\na.h5,b.h5,0.25\nc,d\n")


def write_weights(path: Path) -> None:
    sizes = {"channels": 8, "heads": 4, "tokens": 4, "held_footprints": 2}
    dl.save(dl.DCAMSR(image_size=8, **sizes), path)


def write_json(path: Path) -> None:
    recipe = {"preset": "lite", "steps": 9, "rate": 0.001, "vary": ["curve"], "set": {"heads": 4}}
    result = {"study": describe_study(STUDY), "row": "full", "psnr": [30.25, 28.5]}
    path.write_text(json.dumps(recipe if path.name == "recipe.json" else result, indent=1))


def write_table(path: Path) -> None:
    path.write_text("step,loss,validation_psnr\n250,0.25,\n500,0.125,29.5\n750,0.1,30.25\n")


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
    "weights.safetensors": write_weights,
    "recipe.json": write_json,
    "full-0.json": write_json,
    "log.csv": write_table,
    "study.csv": write_table,
}
READERS = {  # of what is no volume
    "pairs.csv": read_pairs_csv,
    "weights.safetensors": dl.load,
    "recipe.json": read_recipe,
    "full-0.json": lambda path: train_row(STUDY, "full", 0, path.parent, (), []),
    "log.csv": read_log,
    "study.csv": lambda path: read_tables(path.parent),
}


def mutate(data: bytes, rng: np.random.Generator) -> bytes:
    """One to three of: flipped bits, a cut, a splice from the file itself, noise, odd numbers."""
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


@contextmanager
def limit_time() -> Iterator[None]:
    """Stop what takes the processor for too long."""

    def stop(*_: object) -> None:
        raise AssertionError(f"more than {SECONDS} s")

    if not hasattr(signal, "setitimer"):  # Windows
        yield
        return
    before = signal.signal(signal.SIGVTALRM, stop)
    signal.setitimer(signal.ITIMER_VIRTUAL, SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


def assert_read_or_refused(path: Path) -> bool:
    """True when the file was refused. Warnings are errors here, whatever the runner's settings."""
    try:
        with warnings.catch_warnings(), limit_time():
            warnings.simplefilter("error")
            found = READERS.get(path.name, read_volume)(path)
    except InputError as error:
        message = str(error)
        assert "\n" not in message and path.name in message
        assert "found" in message and "expected" in message and len(message) < 700
        return True
    if path.name == "pairs.csv":
        assert found and all(one.is_file() and two.is_file() for one, two, _ in found)
    elif path.name == "weights.safetensors":
        assert all(bool(value.isfinite().all()) for value in found.state_dict().values())
    elif path.name == "recipe.json":
        assert all(word.startswith("--") for word in found)
    elif path.name not in READERS:
        assert_sound(found)
    return False


@pytest.mark.parametrize(
    "seeds", [FIRST, pytest.param(MORE, marks=pytest.mark.slow)], ids=["first", "more"]
)
@pytest.mark.parametrize("name", WRITERS)
def test_corrupted_files(name, seeds, tmp_path, capfd, monkeypatch):
    monkeypatch.setenv("DCAMSR_MAX_BYTES", str(CAP))
    whole = tmp_path / name
    WRITERS[name](whole)
    assert not assert_read_or_refused(whole)
    data, refused = whole.read_bytes(), 0
    (tmp_path / "bad").mkdir()
    for other in tmp_path.glob("?.h5"):
        (tmp_path / "bad" / other.name).touch()
    damaged = tmp_path / "bad" / name
    before = sorted(damaged.parent.iterdir())
    with watch_peak() as grown:
        for seed in seeds:
            damaged.write_bytes(mutate(data, np.random.default_rng(seed)))
            refused += assert_read_or_refused(damaged)
        assert grown() < 2 * CAP
    assert {*damaged.parent.iterdir()} <= {*before, damaged}  # nothing half-written
    assert refused > len(seeds) / 10
    assert capfd.readouterr() == ("", "")  # nibabel and HDF5 like to print
