"""``dcamsr data simulate``: heads with real anatomy and simulated contrasts, as M4Raw's files."""

import os
from argparse import Namespace
from pathlib import Path

from tqdm import tqdm

from ..data.hdf5 import write_m4raw
from ..errors import InputError, check_writable
from ..phantom.head import simulate as simulate_head

REPETITIONS = {"T1": 3, "T2": 3, "FLAIR": 2}  # as M4Raw has them
REPEATED = [(contrast, k) for contrast, count in REPETITIONS.items() for k in range(count)]


def simulate(options: Namespace) -> None:
    """Write every repetition of ``subjects`` heads, from ``seed`` on, into the folder ``out``.

    Raises InputError, before the work, where one of the files is there: it may be a measured one.
    """
    if options.size < 32 or options.size % 2 or options.size > 1024:
        raise InputError("--size", str(options.size), "an even number from 32 to 1024")
    check_writable(options.out)
    seeds = range(options.seed, options.seed + options.subjects)
    for path in (name_file(options.out, seed, *which) for seed in seeds for which in REPEATED):
        if os.path.lexists(path):
            expected = "another folder, or other seeds: no file is replaced"
            raise InputError(path, "a file that is there already", expected)
    for seed in tqdm(seeds, desc="subjects", disable=None):
        head = simulate_head(seed, size=options.size, repetitions=3)
        for contrast, k in REPEATED:
            protocol = {key.lower(): value for key, value in head.protocol[contrast] if value}
            path, name = name_file(options.out, seed, contrast, k), f"simulated {seed:010d}"
            write_m4raw(path, head.kspace[contrast][k], f"AX{contrast}", protocol, name)
    print(f"{options.subjects} subjects in {options.out}: real anatomy, simulated contrasts")


def name_file(folder: str | Path, seed: int, contrast: str, repetition: int) -> Path:
    """As M4Raw names its files.

    >>> name_file("out", 7, "T1", 0).name
    '0000000007_T101.h5'
    """
    return Path(folder) / f"{seed:010d}_{contrast}{repetition + 1:02d}.h5"
