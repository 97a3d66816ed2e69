"""Reading takes no more memory than twice the cap, whatever a file says, and a lack of it is named.

The peak of the process is asked of Linux; files are made small here, and the cap with them.
"""

import gzip
import os
import subprocess
import sys
import zipfile
import zlib
from pathlib import Path

import h5py
import nibabel
import numpy as np
import pytest
import torch
from helpers import PROTOCOL, ROOT, images, kspace, watch_peak

from dcamsr_lite import errors
from dcamsr_lite.cli import main
from dcamsr_lite.data import files, hdf5, memory, volume
from dcamsr_lite.data.files import read_volume, write_m4raw, write_volume
from dcamsr_lite.errors import InputError
from dcamsr_lite.network import checkpoints

CAP = 32 * 2**20
SHAPE = (24, 512, 512)  # 24 MiB as float32


def measure_growth(path: Path) -> int:
    """The most that reading took, in bytes; the file is read or refused in one line."""
    growth = []
    for _ in range(2):  # the system may give more than it is asked for, by chance
        with watch_peak() as grown:
            try:
                read_volume(path)
            except InputError as error:
                assert "found" in str(error) and "\n" not in str(error)
            growth.append(grown())
    return min(growth)


def bright(dtype: str = "f4", shape: tuple[int, ...] = SHAPE, pixels: int = 2) -> np.ndarray:
    """Ones but for some pixels: small when packed, and neither it nor its image is constant."""
    array = np.full(shape, min(pixels, 1), dtype)
    array[0, ..., 1, 2 : 2 + pixels] = 2
    return array


def write_nifti(path: Path, dtype: str, slope=1.0, inter=0.0, pixels=2, shape=SHAPE) -> None:
    header = nibabel.Nifti1Header()
    header.set_data_dtype(dtype)
    header.set_data_shape(shape[::-1])
    header.set_slope_inter(slope, inter)
    header["vox_offset"] = 352
    voxels = bright(dtype, shape, pixels).tobytes()
    path.write_bytes(gzip.compress(header.binaryblock + bytes(4) + voxels, 1))


def write_kspace(path: Path, shape=(48, 1, 256, 256), pixels: int = 2, **options) -> None:
    with h5py.File(path, "w") as file:
        file.create_dataset("kspace", data=bright("c8", shape, pixels), **options)


def write_images(path: Path, pixels: int = 2, shape=SHAPE, **options) -> None:
    with h5py.File(path, "w") as file:
        file.create_dataset("reconstruction_rss", data=bright("f4", shape, pixels), **options)


def write_long_header(path: Path) -> None:
    """64 MB of spaces, which numpy itself would read before it finds them too many."""
    start = b"\x93NUMPY\2\0" + (2**26).to_bytes(4, "little")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.npy", start + b" " * 2**26)


PACKED = {"compression": "gzip", "compression_opts": 1, "shuffle": True}
BOMBS = {
    "packed.npz": lambda path: np.savez_compressed(path, bright()),
    "doubles.npz": lambda path: np.savez_compressed(path, bright("f8")[:12]),
    "whole.npy": lambda path: np.save(path, bright("i4")),
    "header.npz": write_long_header,
    "floats.nii.gz": lambda path: write_nifti(path, "f4"),
    "short.nii.gz": lambda path: write_nifti(path, "i2"),
    "scaled.nii.gz": lambda path: write_nifti(path, "i2", 2.0, 1.0),
    "images.h5": lambda path: write_images(path, chunks=(1, 128, 128), **PACKED),
    "guessed.h5": lambda path: write_images(path, **PACKED),
    "whole.h5": lambda path: write_images(path),
    "deep.h5": lambda path: write_images(path, chunks=SHAPE, **PACKED),
    "packed_kspace.h5": lambda path: write_kspace(path, chunks=(1, 1, 256, 256), **PACKED),
    "cut_kspace.h5": lambda path: write_kspace(path, (12, 1, 512, 512)),
    "guessed_kspace.h5": lambda path: write_kspace(path, **PACKED),
    "whole_kspace.h5": lambda path: write_kspace(path),
}


@pytest.fixture(scope="module")
def loaded(tmp_path_factory) -> None:
    """What libraries take when they are first used is not the file's."""
    path = tmp_path_factory.mktemp("small") / "t1.h5"
    write_kspace(path, (2, 1, 64, 64), **PACKED)
    read_volume(path)


@pytest.mark.parametrize("name", BOMBS)
def test_reading_takes_at_most_twice_the_cap(name, loaded, tmp_path, monkeypatch):
    monkeypatch.setenv("DCAMSR_MAX_BYTES", str(CAP))
    BOMBS[name](tmp_path / name)
    assert measure_growth(tmp_path / name) < 2 * CAP


@pytest.mark.parametrize("kind", ["contiguous", "chunked", "fill value"])
def test_hdf5_without_stored_values_takes_nothing(kind, loaded, tmp_path):
    path, made = (
        tmp_path / "fill.h5",
        {"chunked": {"chunks": (1, 64, 64)}, "fill value": {"fillvalue": 3}},
    )
    with h5py.File(path, "w") as file:
        file.create_dataset("reconstruction_rss", SHAPE, "f4", **made.get(kind, {}))
    assert path.stat().st_size < 10**4
    assert measure_growth(path) < CAP / 8
    with pytest.raises(InputError, match="0 stored bytes|found 0 chunks"):
        read_volume(path)


LARGE = (40, 512, 512)  # what is larger than 32 MB, the system gives blank and page by page
BLANK = {
    "blank.npz": lambda path: np.savez_compressed(path, np.zeros(LARGE, "f4")),
    "blank.npy": lambda path: np.save(path, np.zeros(LARGE, "i2")),
    "blank.nii.gz": lambda path: write_nifti(path, "i2", slope=2.0, pixels=0, shape=LARGE),
    "blank.h5": lambda path: write_images(path, 0, LARGE, chunks=(1, 128, 128), **PACKED),
    "blank_kspace.h5": lambda path: write_kspace(path, pixels=0, **PACKED),
}


@pytest.fixture(scope="module")
def blank(tmp_path_factory) -> dict[str, int]:
    """What reading each takes in a process of its own: in an older one a blank array may be memory
    that was used before, which has to be written to be blank."""
    folder = tmp_path_factory.mktemp("blank")
    write_kspace(folder / "first.h5", (2, 1, 64, 64), **PACKED)  # what libraries take at first
    for name, write in BLANK.items():
        write(folder / name)
    names = ["first.h5", *BLANK]
    code = (
        "import sys, test_memory as t; print(*(t.measure_growth(t.Path(x)) for x in sys.argv[1:]))"
    )
    paths = os.pathsep.join([str(ROOT), str(ROOT / "tests"), str(Path(__file__).parent)])
    asked = [sys.executable, "-c", code, *(str(folder / name) for name in names)]
    done = subprocess.run(
        asked, capture_output=True, text=True, env=os.environ | {"PYTHONPATH": paths}
    )
    assert done.returncode == 0, done.stderr
    return dict(zip(names, map(int, done.stdout.split()), strict=True))


@pytest.mark.parametrize("name", BLANK)
def test_a_bomb_of_zeros_takes_next_to_nothing(name, blank, tmp_path):
    BLANK[name](tmp_path / name)
    assert blank[name] < CAP / 2
    with pytest.raises(InputError, match=r"a constant volume \(0 everywhere\)"):
        read_volume(tmp_path / name)


def test_two_gigabytes_of_zeros_are_refused_before_they_are_unpacked(tmp_path):
    header = nibabel.Nifti1Header()
    header.set_data_shape((1024, 1024, 480))
    header["vox_offset"] = 352
    start = gzip.compress(header.binaryblock + bytes(4))
    path = tmp_path / "t1.nii.gz"
    path.write_bytes(start + 120 * gzip.compress(bytes(2**24)))
    with pytest.raises(InputError, match=r"2.01e\+09 bytes packed into 1.9.e\+06; .*crop it"):
        read_volume(path)


@pytest.mark.parametrize("name", BLANK)
def test_what_is_packed_out_of_next_to_nothing_is_refused_in_every_format(
    name, tmp_path, monkeypatch
):
    monkeypatch.setattr(volume, "LONG", 2**22)
    BLANK[name](tmp_path / name)
    with pytest.raises(InputError, match="constant" if name == "blank.npy" else "packed into"):
        read_volume(tmp_path / name)


@pytest.mark.parametrize("name", ["little.npz", "little.nii.gz", "little.h5"])
def test_a_small_object_in_a_large_volume_is_read(name, tmp_path, monkeypatch):
    monkeypatch.setattr(volume, "LONG", 2**20)
    array = np.zeros((24, 128, 128), np.float32)
    array[:, 60:74, 60:74] = np.random.default_rng(0).random((24, 14, 14))  # 1.2 %
    write_volume(tmp_path / name, array)
    np.testing.assert_array_equal(read_volume(tmp_path / name).images, array)


def test_the_cap_follows_the_memory_and_the_environment(tmp_path, monkeypatch):
    assert volume.MAX_BYTES == int(min(2**31, memory.count_memory() // 4))
    write_volume(tmp_path / "t1.npy", images(2, 64, 64))
    monkeypatch.setenv("DCAMSR_MAX_BYTES", "3e4")
    with pytest.raises(
        InputError, match="3.28e.04 bytes; expected at most 30000 bytes .*DCAMSR_MAX"
    ):
        read_volume(tmp_path / "t1.npy")
    monkeypatch.setenv("DCAMSR_MAX_BYTES", "33000")
    assert read_volume(tmp_path / "t1.npy").images.shape == (2, 64, 64)
    for wrong in ("much", "-1", "0", "nan", "inf"):
        monkeypatch.setenv("DCAMSR_MAX_BYTES", wrong)
        with pytest.raises(InputError, match="DCAMSR_MAX_BYTES: found .* such as 4e9"):
            read_volume(tmp_path / "t1.npy")


@pytest.mark.parametrize("version", [1, 2])
def test_containers_and_jobs_have_less_than_the_machine(version, tmp_path, monkeypatch):
    monkeypatch.setattr(memory, "CGROUPS", tmp_path)
    line, kinds, name = {
        1: ("4:memory:/job/step\n", "memory", "memory.limit_in_bytes"),
        2: ("0::/job/step\n", "", "memory.max"),
    }[version]
    monkeypatch.setattr(memory, "OWN_GROUPS", tmp_path / "cgroup")
    (tmp_path / "cgroup").write_text(line)
    (tmp_path / kinds / "job" / "step").mkdir(parents=True)
    machine = memory.count_memory()
    (tmp_path / kinds / "job" / "step" / name).write_text("max\n")
    (tmp_path / kinds / name).write_text(f"{2**63 - 4096}\n")  # version 1's word for none
    assert memory.count_memory() == machine
    (tmp_path / kinds / "job" / name).write_text(f"{2**20}\n")
    assert memory.count_memory() == 2**20


def test_values_are_what_they_were_before_they_came_in_pieces(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "PIECE", 37)
    voxels = (images(5, 6, 7) * 1000).astype(np.int16)
    image = nibabel.Nifti1Image(voxels, np.eye(4))
    image.header.set_slope_inter(0.3, -7.0)
    nibabel.save(image, tmp_path / "t1.nii.gz")
    stored = nibabel.load(tmp_path / "t1.nii.gz")
    expected = np.asanyarray(stored.dataobj).astype(np.float32).T
    assert np.array_equal(read_volume(tmp_path / "t1.nii.gz").images, expected)
    for array in (images(3, 5, 7), np.asfortranarray(images(3, 5, 7)), images(3, 5, 7).astype(">f8"),
                  images(3, 5, 7) > 0.5, voxels.astype("u1")):  # fmt: skip
        np.save(tmp_path / "t1.npy", array)
        np.savez_compressed(tmp_path / "t1.npz", array)
        for name in ("t1.npy", "t1.npz"):
            assert np.array_equal(read_volume(tmp_path / name).images, array.astype(np.float32))


@pytest.mark.parametrize("kind", ["f2", "f4", ">f4", "f8", "c8", ">c8", "c16"])
def test_hdf5_of_every_type_comes_as_it_did(kind, tmp_path):
    data = (kspace(3, 2, 16).numpy() if "c" in kind else images(3, 16, 16)).astype(kind)
    with h5py.File(tmp_path / "t1.h5", "w") as file:
        file["kspace" if "c" in kind else "reconstruction_rss"] = data
    found = read_volume(tmp_path / "t1.h5")
    if "c" in kind:
        assert np.array_equal(found.kspace, data.astype(np.complex64))
    else:
        assert np.array_equal(found.images, data.astype(np.float32))
    if kind in ("f8", "c16"):  # beyond float32
        with h5py.File(tmp_path / "t1.h5", "a") as file:
            for dataset in file.values():
                dataset[0, ..., 3, 4] = 1e300
        with pytest.raises(InputError, match="not finite"):
            read_volume(tmp_path / "t1.h5")


@pytest.mark.parametrize("crop", [16, 12])
@pytest.mark.parametrize("chunks", [None, (1, 1, 8, 8), (3, 2, 16, 16)])
def test_kspace_by_slices_and_coils_is_kspace_at_once(chunks, crop, tmp_path, monkeypatch):
    data = kspace(7, 4, 16)
    with h5py.File(tmp_path / "t1.h5", "w") as file:
        file.create_dataset("kspace", data=data.numpy(), chunks=chunks)
        file["reconstruction_rss"] = images(7, crop, crop)
    whole = volume.volume_from_kspace("array", data, (crop, crop))
    at_once = read_volume(tmp_path / "t1.h5")
    assert torch.equal(at_once.images, whole.images) and torch.equal(at_once.kspace, whole.kspace)
    monkeypatch.setenv("DCAMSR_MAX_BYTES", str(2 * data.nbytes))  # three coils at a time
    in_parts = read_volume(tmp_path / "t1.h5")
    assert torch.equal(in_parts.kspace, whole.kspace)
    torch.testing.assert_close(in_parts.images, whole.images)


def test_chunks_too_many_too_large_or_too_deep_are_refused(tmp_path, monkeypatch):
    path, whole = tmp_path / "t1.h5", kspace(8, 4, 16).numpy()

    def refuse(match: str, cap: int, data: np.ndarray = whole, **options) -> None:
        with h5py.File(path, "w") as file:
            file.create_dataset("kspace", data=data, **options)
        monkeypatch.setenv("DCAMSR_MAX_BYTES", str(cap))
        with pytest.raises(InputError, match=match):
            read_volume(path)

    refuse("chunks .8, 4, 16, 16., 6.55e.04 bytes", 2 * whole.nbytes, chunks=whole.shape)
    refuse("chunks of 8 slices", 2 * whole.nbytes, chunks=(8, 1, 8, 8))
    refuse("a matrix of 16 x 16", 15 * 16 * 16 * 8, whole[:1, :1])
    monkeypatch.setattr(hdf5, "MAX_CHUNKS", 31)
    refuse("32 chunks; expected at most 31", 10**9, chunks=(1, 1, 16, 16))


@pytest.mark.slow  # each of them asked singly takes a minute
def test_sixty_thousand_chunks_are_looked_at_once(tmp_path):
    path, stored = tmp_path / "t1.h5", zlib.compress(bytes(255) + b"\1")
    with h5py.File(path, "w") as file:
        options = {"chunks": (1, 8, 8), "compression": "gzip"}
        dataset = file.create_dataset("reconstruction_rss", (60_000, 8, 8), "float32", **options)
        for number in range(60_000):
            dataset.id.write_direct_chunk((number, 0, 0), stored)
    assert measure_growth(path) < 100 * path.stat().st_size
    assert read_volume(path).images.shape == (60_000, 8, 8)


def test_the_check_sum_of_a_stored_array_is_compared(tmp_path):
    np.savez(tmp_path / "t1.npz", images(2, 64, 64))
    data = bytearray((tmp_path / "t1.npz").read_bytes())
    data[len(data) // 2] ^= 1
    (tmp_path / "t1.npz").write_bytes(data)
    with pytest.raises(InputError, match="Bad CRC-32"):
        read_volume(tmp_path / "t1.npz")


LACKS = [
    MemoryError(),
    OSError(12, "Cannot allocate memory"),
    OSError("Unable to synchronously read data (memory allocation failed for chunk)"),
    RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried 1000000000"),
]


@pytest.mark.parametrize("lack", LACKS, ids=["python", "system", "hdf5", "torch"])
def test_a_lack_of_memory_is_no_fault_of_the_file(lack, tmp_path, monkeypatch, capsys):
    def fail(*_, **__):
        raise lack

    write_volume(tmp_path / "t1.nii.gz", images())
    write_volume(tmp_path / "t1.npz", images())
    write_m4raw(tmp_path / "t1.h5", kspace(), "AXT1", PROTOCOL, "1")
    monkeypatch.setattr(errors, "_is_memory_left", lambda: False)
    monkeypatch.setattr(files, "_read_values", fail)
    monkeypatch.setattr(hdf5, "volume_from_kspace", fail)
    for name in ("t1.nii.gz", "t1.npz", "t1.h5"):
        path = str(tmp_path / name)
        with pytest.raises(MemoryError, match=name):
            read_volume(path)
        volumes = ["--reference", path, "--target", path, "--scale", "4"]
        assert main(["evaluate", *volumes, "--method", "bicubic"]) == 2
        out, err = capsys.readouterr()
        assert out == "" and err.count("\n") == 1 and name in err
        assert err.startswith("dcamsr: error: out of memory: try fewer or smaller volumes (")
    for name in ("build", "safe_open"):
        monkeypatch.setattr(checkpoints, name, fail)
        with pytest.raises(MemoryError, match="lite-4x.safetensors"):
            checkpoints.load(checkpoints.ASSETS / "weights" / "lite-4x.safetensors")
    (tmp_path / "theirs.pth").write_bytes(b"")
    monkeypatch.setattr(torch, "load", fail)
    with pytest.raises(MemoryError, match="theirs.pth"):
        checkpoints.load_released(tmp_path / "theirs.pth")


def test_a_header_that_breaks_pythons_parser_is_the_files_fault(tmp_path):
    text = b"-" * 9000
    start = b"\x93NUMPY\1\0" + len(text).to_bytes(2, "little")
    (tmp_path / "t1.npy").write_bytes(start + text + bytes(400))
    with pytest.raises(InputError, match="t1.npy: found"):
        read_volume(tmp_path / "t1.npy")


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux bounds the memory of a process")
@pytest.mark.parametrize("name", ["t1.npz", "t1.nii.gz", "t1.h5"])
def test_a_process_short_of_memory_says_so_and_not_that_the_file_is_bad(name, tmp_path):
    """192 MB where 100 are left: a cap that was raised beyond what there is."""
    path = tmp_path / name
    write_volume(path, images(192, 512, 512))
    code = (
        "import os, resource, sys\n"
        "import dcamsr_lite.cli, dcamsr_lite.commands.evaluate, dcamsr_lite.evaluation\n"
        "import h5py, nibabel\n"
        "taken = int(open('/proc/self/statm').read().split()[0]) * resource.getpagesize()\n"
        "resource.setrlimit(resource.RLIMIT_AS, (taken + 100 * 2**20,) * 2)\n"
        "sys.exit(dcamsr_lite.cli.main(sys.argv[1:]))\n"
    )
    files = ["--reference", str(path), "--target", str(path), "--scale", "4"]
    asked = [sys.executable, "-c", code, "evaluate", *files, "--method", "zero-fill"]
    environment = os.environ | {"DCAMSR_MAX_BYTES": "1e9", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(asked, capture_output=True, text=True, env=environment)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1 and name in done.stderr
    assert done.stderr.startswith("dcamsr: error: out of memory: try fewer or smaller volumes (")
