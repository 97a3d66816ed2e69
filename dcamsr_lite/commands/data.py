"""``dcamsr data``: heads simulated as M4Raw's files, public records, what is in a folder of pairs."""

import json
import os
from argparse import Namespace
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import Any

from tqdm import tqdm

from ..data.dicom_folders import Series, list_series
from ..data.fetching import fetch_record
from ..data.file_lists import list_rows, name_subjects
from ..data.hdf5 import write_m4raw
from ..data.pairs import load_pair
from ..data.shapes import read_shape
from ..errors import InputError, check_writable
from ..phantom.head import simulate as simulate_head
from ..protocols import PROTOCOLS
from ..training.survey import check_pair

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


def fetch(options: Namespace) -> None:
    """Bring files of a public record into ``out``, and say what to do with them."""
    files = fetch_record(
        options.record,
        options.out,
        options.split,
        options.subjects,
        options.contrasts.split(","),
        options.origin,
        1e9 * options.limit,
    )
    size = sum(file.stat().st_size for file in files)
    print(f"{len(files)} files, {size / 1e6:.1f} MB, in {options.out}: whole, check sums compared")
    print(f"look at them: dcamsr data check {options.out}")


def check(options: Namespace) -> None:
    """Say what pairs there are, what is broken and why, and what every protocol would take."""
    report = look_at(options.data, options.read)
    if options.json:
        print(json.dumps(report))
        return
    for found in report["series"]:
        print(Series(**found).describe() if not found["why"] else f"broken: {found['why']}")
    if report["series"]:
        print(
            "two of them make a pair: --reference ONE --target OTHER, or a row ONE,OTHER of a CSV"
        )
        return
    print(f"{report['pairs']} pairs of {report['subjects']} subjects in {options.data}")
    for shape, count in report["shapes"].items():
        print(f"{count} of {shape} (slice, row, column)")
    for found in report["broken"]:
        print(f"broken: {found['why']}")
    for name, count in report["protocols"].items():
        print(f"--protocol {name} would take {count} pairs")


def look_at(data: str, read: bool = False) -> dict[str, Any]:
    """Pairs, subjects, shapes, what is broken, and what the protocols take, of a folder or CSV.

    >>> for file in ("some.csv", "one.npy", "two.npy"):
    ...     _ = Path(file).write_text("one.npy,two.npy")
    >>> look_at("some.csv")["broken"][0]["why"]
    'one.npy: found no header that says a size; expected a whole volume'

    A folder without pairs by name may hold DICOM series: then those are listed. With ``read`` all is
    read, else headers alone. Raises InputError where there is neither.
    """
    try:
        rows, series = name_subjects(list_rows(data)), []
    except InputError:
        rows, series = [], list_series(data, read) if Path(data).is_dir() else []
        if not series:
            raise
    broken: list[dict[str, str]] = []
    shapes: Counter[str] = Counter()
    for reference, target, subject in tqdm(rows, "looking", unit="pair", disable=None):
        try:
            for file in (reference, target):
                if read_shape(file) is None:
                    raise InputError(file, "no header that says a size", "a whole volume")
            shape = check_pair((reference, target), common_slices=False)
            if read:
                load_pair(reference, target, 2)
            shapes[" x ".join(map(str, shape or ()))] += 1
        except InputError as error:
            named = {"subject": subject, "reference": str(reference), "target": str(target)}
            broken.append(named | {"why": str(error)})
    takes = {}
    for name, protocol in PROTOCOLS.items():
        with suppress(InputError):
            takes[name] = len(list_rows(protocol.find_data(data)))
    subjects = len({subject for *_, subject in rows})
    report: dict[str, Any] = {"data": str(data), "pairs": len(rows), "subjects": subjects}
    report["series"] = [vars(found) for found in series]
    return report | {"shapes": dict(shapes), "broken": broken, "protocols": takes}


def name_file(folder: str | Path, seed: int, contrast: str, repetition: int) -> Path:
    """As M4Raw names its files.

    >>> name_file("out", 7, "T1", 0).name
    '0000000007_T101.h5'
    """
    return Path(folder) / f"{seed:010d}_{contrast}{repetition + 1:02d}.h5"
