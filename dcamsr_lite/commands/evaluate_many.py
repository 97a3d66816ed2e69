"""``dcamsr evaluate FOLDER|CSV``: every pair, several methods, one table."""

import contextlib
import io
import json
import re
import sys
from argparse import Namespace
from pathlib import Path
from typing import Any

from tqdm import tqdm

from ..cohort import (
    MEASURES,
    Reading,
    choose_normalisation,
    find_worst,
    read_done,
    run_method,
    score_rows,
    summarise,
    write_table,
)
from ..data.file_lists import list_rows, name_subjects
from ..data.repetitions import join_repetitions
from ..errors import InputError, atomic_path, check_writable
from ..figures import draw_case, write_png
from ..metrics import CONVENTION
from ..protocols import PROTOCOLS, choose_protocol
from .table_one import choose_methods

ROWS, TABLE, RESULT = "rows.jsonl", "table.csv", "result.json"


def explain_protocols() -> None:
    for name, protocol in PROTOCOLS.items():
        print(protocol.describe(name))
    print(f"metrics: {CONVENTION}")


def score_all(options: Namespace) -> None:
    """Score every pair of a folder or CSV; ``--out`` takes tables that ``--resume`` goes on with.

    Raises InputError where no pair could be scored.
    """
    protocol = choose_protocol(options.protocol) if options.protocol else None
    if protocol and options.scale not in (None, protocol.scale):
        beside = f"{options.scale} beside {options.protocol}"
        raise InputError("--scale", beside, "no --scale, or the protocol's")
    scale = protocol.scale if protocol else options.scale
    if scale is None:
        raise InputError("dcamsr evaluate", "no --scale", "it, or --protocol")
    if options.resume and not options.out:
        raise InputError("--resume", "no --out", "the folder of the run to go on with")
    data = protocol.find_data(options.data) if protocol else options.data
    rows = name_subjects(list_rows(data))
    if options.average:
        rows = join_repetitions(rows)
    methods = choose_methods(options, scale)
    reading = Reading(
        order=options.order or (protocol.order if protocol else None),
        normalisation=options.normalisation,
        common_slices=options.common_slices,
        register=options.register,
        clamp=bool(protocol and protocol.clamp),
        average=options.average,
    )
    key: dict[str, Any] = {"data": str(Path(data).resolve()), "scale": scale}
    key |= {"protocol": options.protocol, "reading": vars(reading)}
    done: list[dict] = []
    kept: contextlib.AbstractContextManager[Any] = contextlib.nullcontext()
    if options.out:
        check_writable(options.out)
        file = Path(options.out) / ROWS
        if file.exists() and not options.resume:
            raise InputError(file, "rows of an earlier run", "--resume, or another --out")
        done = read_done(file, key)
        with atomic_path(file) as temporary:  # without what was not written whole
            temporary.write_text("".join(json.dumps(row) + "\n" for row in (key, *done)))
        kept = file.open("a", encoding="utf-8")
    found = list(done)
    made = score_rows(methods, rows, scale, reading, done)
    count = len(rows) * len(methods)
    with kept as stream:  # a row of each volume is there as soon as it is scored
        for row in tqdm(made, "scoring", count, initial=len(done), unit="volume", disable=None):
            found.append(row)
            if stream:
                stream.write(json.dumps(row) + "\n")
                stream.flush()
            if "error" in row:
                print(f"warning: left out: {row['error']}", file=sys.stderr)
    finish(options, found, methods, scale, reading)


def draw_worst(folder: Path, worst: dict, methods: dict, scale: int, reading: Reading) -> None:
    """The worst volumes of every method, a picture each."""
    cases = [
        (name, place, row) for name, rows in worst.items() for place, row in enumerate(rows, 1)
    ]
    for name, place, row in tqdm(cases, "drawing", unit="picture", disable=None):
        method = methods[name]
        with contextlib.redirect_stderr(io.StringIO()):  # its notes were printed when it was scored
            pair = reading.load(
                row["reference"], row["target"], scale, choose_normalisation(method, reading)
            )
        words = f"{name}, subject {row['subject']}, {Path(row['target']).name}"
        words += f", the volume {row['psnr']:.2f} dB"
        file = f"worst-{re.sub(r'[^A-Za-z0-9.-]+', '_', name)}-{place}.png"
        write_png(draw_case(pair, run_method(method, pair), words), folder / file)


def finish(
    options: Namespace, found: list[dict], methods: dict, scale: int, reading: Reading
) -> None:
    """The tables, in files and printed, and the worst cases as pictures."""
    found = [row for row in found if row["method"] in methods]
    broken = [row for row in found if "error" in row]
    if len(broken) == len(found):
        raise InputError(options.data, f"no pair that can be scored: {broken[0]['error']}", "pairs")
    result: dict[str, Any] = {"scale": scale, "protocol": options.protocol}
    result |= {"methods": summarise(found), "per_volume": found, "failed": broken}
    result |= {"worst": find_worst(found), "convention": CONVENTION}
    if options.protocol:
        result["protocol_says"] = PROTOCOLS[options.protocol].describe(options.protocol)
    if options.out:
        write_table(Path(options.out) / TABLE, found)
        with atomic_path(Path(options.out) / RESULT) as temporary:
            temporary.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
        drawn = find_worst(found, options.worst)
        draw_worst(Path(options.out), drawn, methods, scale, reading)
    if options.json:
        print(json.dumps(result))
        return
    print(
        f"{'method':<28}{'volumes':>8}{'subjects':>9}{'PSNR dB (95 %)':>26}{'SSIM':>8}{'NMSE':>9}"
    )
    for name, told in result["methods"].items():
        if not told["volumes"]:
            print(f"{name:<28}{0:>8}")
            continue
        low, high = told["interval"]["psnr"]
        psnr = f"{told['psnr']:.2f} ({low:.2f} to {high:.2f})"
        line = f"{name:<28}{told['volumes']:>8}{told['subjects']:>9}{psnr:>26}"
        print(f"{line}{told['ssim']:>8.3f}{told['nmse']:>9.4f}")
    for name, rows in result["worst"].items():
        worst = ", ".join(f"{Path(row['target']).name} {row[MEASURES[0]]:.2f} dB" for row in rows)
        print(f"worst of {name}: {worst}")
    if broken:
        print(f"left out: {len(broken)} of {len(found)}")
    print(f"convention: {CONVENTION}")
    if options.protocol:
        print(f"protocol: {result['protocol_says']}")
    print("Not for clinical use.")
