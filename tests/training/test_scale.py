"""As many pairs as the paper has: slices come from disk, a killed run leaves nothing half-written."""

import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from helpers import ROOT

from dcamsr_lite.data.hdf5 import write_m4raw
from dcamsr_lite.training.dataset import StoredSlices, collect_slices, cut_pair, list_files
from dcamsr_lite.training.recipe import Cutting

# Collects all slices; is killed at the n-th write: in it, before the file has its name, or behind
PROGRAM = """
import os, pathlib, re, signal, sys
from dcamsr_lite.training.dataset import collect_slices, list_files

left, moment = int(sys.argv[3]), sys.argv[4]
write, replace = pathlib.Path.write_bytes, pathlib.Path.replace

def die_at(now):
    if left == 0 and now == moment:
        os.kill(os.getpid(), signal.SIGKILL)

def write_bytes(path, content):
    global left
    left -= 1
    write(path, content[: len(content) // 2])
    die_at("half")
    write(path, content)

def rename(path, target):
    die_at("before")
    replace(path, target)
    die_at("behind")

pathlib.Path.write_bytes, pathlib.Path.replace = write_bytes, rename
# getrusage starts with the peak of the process that started this one: what Linux says does not
status = pathlib.Path("/proc/self/status")

def peak():
    return int(re.search(r"VmHWM:\\s+(\\d+)", status.read_text())[1]) if status.is_file() else 0

pairs = list_files(sys.argv[1])
before = peak()
data = collect_slices(pairs, 4, sys.argv[2], limit=0, mirror=False, keep_dark=True)
for number in range(0, len(data), 5):
    data[number]
print(len(data), 1024 * (peak() - before))
"""


READ = Cutting(mirror=False, keep_dark=True)


def write_tree(folder: Path, subjects: int, size: int = 64) -> Path:
    """M4Raw's names, 18 slices, three repetitions; all subjects are links to the files of one."""
    folder.mkdir()
    protocol = {"tr": 500, "te": 18.4, "flip": 90}
    generator = torch.Generator().manual_seed(0)
    for contrast in ("T1", "T2"):
        for k in (1, 2, 3):
            kspace = torch.randn(18, 1, size, size, dtype=torch.complex64, generator=generator)
            first = folder / f"0000_{contrast}0{k}.h5"
            write_m4raw(first, kspace, f"AX{contrast}", protocol, "0")
            for subject in range(1, subjects):
                os.link(first, folder / f"{subject:04d}_{contrast}0{k}.h5")
    return folder


def run(*arguments: object) -> subprocess.CompletedProcess:
    paths = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    command = [sys.executable, "-c", PROGRAM, *map(str, arguments)]
    own = {"PYTHONPATH": paths, "OMP_NUM_THREADS": "1"}
    return subprocess.run(command, env=os.environ | own, capture_output=True, text=True)


@pytest.mark.slow
@pytest.mark.skipif(
    sys.platform != "linux", reason="this system does not say what a process has held at most"
)
def test_the_papers_slices_stream_and_a_run_killed_at_random_moments_is_finished(tmp_path):
    tree, cache = write_tree(tmp_path / "tree", 128), tmp_path / "cache"
    pairs = list_files(str(tree))
    assert len(pairs) == 384
    wanted = [cut_pair(pair, 4, READ) for pair in pairs[:3]]
    for moment in ("half", "before", "behind"):
        there = len([*cache.glob("[!.]*")])
        number = random.randint(1, 60)
        killed = run(tree, cache, number, moment)
        assert killed.returncode == -signal.SIGKILL, killed.stderr
        kept = [*cache.glob("[!.]*")]
        assert len(kept) == there + number - (moment != "behind"), (moment, number)
        StoredSlices(kept)  # each is whole
    parts = [*cache.glob(".part-*")]
    assert len(parts) == 2
    for part in parts:
        os.utime(part, ns=(1, 1))  # long ago
    finished = run(tree, cache, -1, "never")
    assert finished.returncode == 0, finished.stderr
    count, grown = map(int, finished.stdout.split())
    size = sum(file.stat().st_size for file in cache.iterdir())
    assert count == 6912 and len([*cache.iterdir()]) == 384  # the parts are gone, too
    assert grown < size / 4, f"{grown / 1e6:.0f} MB for {size / 1e6:.0f} MB of slices"
    print(f"{grown / 1e6:.0f} MB for {size / 1e6:.0f} MB of slices")
    data = collect_slices(pairs, 4, cache, 0, mirror=False, keep_dark=True)
    for number, part in enumerate(wanted):
        for slice_ in (0, 17):
            found = data[18 * number + slice_]
            assert all(torch.equal(a, b[slice_]) for a, b in zip(found, part, strict=True))
