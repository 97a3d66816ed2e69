"""``dcamsr data simulate``: heads with real anatomy and simulated contrasts, as M4Raw's files."""

from argparse import Namespace
from pathlib import Path

from tqdm import tqdm

from ..data.hdf5 import write_m4raw
from ..errors import InputError, check_writable
from ..phantom.head import simulate as simulate_head

REPETITIONS = {"T1": 3, "T2": 3, "FLAIR": 2}  # as M4Raw has them


def simulate(options: Namespace) -> None:
    """Write every repetition of ``subjects`` heads, from ``seed`` on, into the folder ``out``."""
    if options.size < 32 or options.size % 2 or options.size > 1024:
        raise InputError("--size", str(options.size), "an even number from 32 to 1024")
    check_writable(options.out)
    seeds = range(options.seed, options.seed + options.subjects)
    for seed in tqdm(seeds, desc="subjects", disable=None):
        head = simulate_head(seed, size=options.size, repetitions=3)
        for contrast, count in REPETITIONS.items():
            protocol = {key.lower(): value for key, value in head.protocol[contrast] if value}
            for k in range(count):
                path = Path(options.out) / f"{seed:010d}_{contrast}{k + 1:02d}.h5"
                name = f"simulated {seed:010d}"
                write_m4raw(path, head.kspace[contrast][k], f"AX{contrast}", protocol, name)
    print(f"{options.subjects} subjects in {options.out}: real anatomy, simulated contrasts")
