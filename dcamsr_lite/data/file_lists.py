"""Which files belong together: pairs by name in a folder, pairs in a CSV, and subjects kept whole.

>>> pairs = [(Path(f"{n}_T101.h5"), Path(f"{n}_T201.h5"), str(n)) for n in range(4)]
>>> [len(part) for part in split_by_subject(pairs, fraction=0.5, seed=0)]
[2, 2]
"""

import csv
import io
import random
from pathlib import Path

from ..errors import InputError
from .hdf5 import M4RAW_NAME
from .volume import refuse_errors

CONTRASTS = ("T1", "T2", "FLAIR", "GRE")
MAX_CSV_BYTES = 2**24

Names = tuple[Path, Path, str]  # reference, target, subject


def find_pairs(folder: str | Path, reference: str = "T1", target: str = "T2") -> list[Names]:
    """Pairs of single repetitions by M4Raw's names, repetition k with repetition k, recursively.

    >>> Path("study").mkdir(exist_ok=True)
    >>> for name in ("7_T101.h5", "7_T201.h5", "7_T202.h5"):
    ...     Path("study", name).touch()
    >>> [(t1.name, t2.name, subject) for t1, t2, subject in find_pairs("study")]
    [('7_T101.h5', '7_T201.h5', '7')]

    ``reference`` and ``target`` are two of T1, T2, FLAIR, GRE. Returns (reference, target,
    subject), sorted; the subject is the number before ``_``. Raises InputError when there is none.
    """
    for contrast in (reference, target):
        if contrast not in CONTRASTS:
            raise InputError("contrast", repr(contrast), f"one of {', '.join(CONTRASTS)}")
    files = {}
    with refuse_errors(folder, "a folder of M4Raw files"):
        if not Path(folder).is_dir():
            raise InputError(folder, "no such folder", "a folder of M4Raw files")
        for path in sorted(Path(folder).rglob("*.h5")):
            match = M4RAW_NAME.fullmatch(path.stem)
            if match:
                files[path.parent, match[1], match[2], int(match[3])] = path
    pairs = [
        (path, files[parent, subject, target, repetition], subject)
        for (parent, subject, contrast, repetition), path in files.items()
        if contrast == reference and (parent, subject, target, repetition) in files
    ]
    if not pairs:
        expected = f"pairs such as 2022061003_{reference}01.h5 and 2022061003_{target}01.h5"
        raise InputError(folder, f"{len(files)} M4Raw files but no pair", expected)
    return pairs


def read_pairs_csv(path: str | Path) -> list[Names]:
    """Pairs from a CSV of rows ``reference,target[,distance]``, as ``find_pairs`` returns them.

    >>> for name in ("list.csv", "file1.h5", "file2.h5"):
    ...     _ = Path(name).write_text("file1,file2,0.1")
    >>> [(pd.name, fs.name, subject) for pd, fs, subject in read_pairs_csv("list.csv")]
    [('file1.h5', 'file2.h5', 'file1')]

    Names are relative to the CSV's folder, or absolute; ``.h5`` may be left out, as in the lists of
    fastMRI pairs; a first row that starts with "reference" is a title. The subject is the number
    before ``_`` of an M4Raw name, else the reference's name. Raises InputError, also for a file
    that does not exist.
    """
    path = Path(path)
    expected = "rows 'reference,target[,distance]'"
    pairs = []
    with refuse_errors(path, expected):
        if not path.is_file() or path.stat().st_size > MAX_CSV_BYTES:
            raise InputError(path, "no such file, or more than 16 MB", expected)
        rows = csv.reader(io.StringIO(path.read_text("utf-8-sig")), strict=True)
        for number, row in enumerate(rows, 1):
            cells = [cell.strip() for cell in row]
            if not any(cells) or number == 1 and cells[0].lower() == "reference":
                continue
            if len(cells) < 2 or not cells[0] or not cells[1]:
                raise InputError(f"{path}, row {number}", repr(row)[:80], expected)
            first, second = (_find_listed(path, number, cell) for cell in cells[:2])
            match = M4RAW_NAME.match(first.name)
            pairs.append((first, second, match[1] if match else first.name.split(".")[0]))
    if not pairs:
        raise InputError(path, "no pair", expected)
    return pairs


def _find_listed(path: Path, number: int, cell: str) -> Path:
    for name in (cell, f"{cell}.h5"):
        file = path.parent / name
        if file.is_file():
            return file
    raise InputError(f"{path}, row {number}", f"no file '{cell[:80]}'", "a file that exists")


def split_by_subject(
    pairs: list[Names], fraction: float, seed: int
) -> tuple[list[Names], list[Names]]:
    """Split pairs into training and validation without splitting a subject.

    >>> pairs = [(Path(f"{n}_T101.h5"), Path(f"{n}_T201.h5"), str(n)) for n in range(10)]
    >>> train, validation = split_by_subject(pairs, fraction=0.2, seed=0)
    >>> len(train), len(validation)
    (8, 2)

    ``fraction`` is the share of subjects for *validation*, at least one subject on either side.
    Raises InputError for fewer than two subjects.
    """
    subjects = sorted({subject for _, _, subject in pairs})
    if len(subjects) < 2 or not 0 < fraction < 1:
        found = f"{len(subjects)} subjects and a fraction of {fraction}"
        raise InputError("split", found, "two subjects or more, a fraction between 0 and 1")
    random.Random(seed).shuffle(subjects)
    count = min(max(round(fraction * len(subjects)), 1), len(subjects) - 1)
    held = set(subjects[:count])
    train = [pair for pair in pairs if pair[2] not in held]
    return train, [pair for pair in pairs if pair[2] in held]
