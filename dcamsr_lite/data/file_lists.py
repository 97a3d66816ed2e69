"""Which files belong together: pairs by name in a folder, pairs in a CSV, and subjects kept whole.

>>> pairs = [(Path(f"{n}_T101.h5"), Path(f"{n}_T201.h5"), str(n)) for n in range(4)]
>>> [len(part) for part in split_by_subject(pairs, fraction=0.5, seed=0)]
[2, 2]
"""

import csv
import io
import os
import random
import re
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import suppress
from functools import cache, partial
from os.path import expanduser
from pathlib import Path

from ..errors import InputError
from .dicom import is_dicom
from .hdf5 import M4RAW_NAME, read_patient
from .volume import refuse_errors

CONTRASTS = ("T1", "T2", "FLAIR", "GRE")
OTHER_HDF5 = (".hdf5", ".hdf", ".he5")  # endings that no reader of ours takes
MAX_CSV_BYTES = 2**22  # of some hundred thousand pairs at most
BIDS_SUBJECT = re.compile(r"(?:^|/)sub-([A-Za-z0-9]+)(?=[/_.])")

Names = tuple[Path, Path, str]  # reference, target, subject


def find_pairs(folder: str | Path, reference: str = "T1", target: str = "T2") -> list[Names]:
    """Pairs of single repetitions by M4Raw's names, repetition k with repetition k, recursively.

    >>> Path("study").mkdir(exist_ok=True)
    >>> for name in ("7_T101.h5", "7_T201.h5", "7_T202.h5"):
    ...     Path("study", name).touch()
    >>> [(t1.name, t2.name, subject) for t1, t2, subject in find_pairs("study")]
    [('7_T101.h5', '7_T201.h5', '7')]

    ``reference`` and ``target`` are two of T1, T2, FLAIR, GRE. Returns (reference, target,
    subject), sorted; the subject is the number before ``_``. Linked folders are searched too, each
    folder once, hidden ones (``.ipynb_checkpoints``) are not. What is left out is counted on stderr,
    unless it is other contrasts alone. Raises InputError when there is no pair.
    """
    for contrast in (reference, target):
        if contrast not in CONTRASTS:
            raise InputError("contrast", repr(contrast), f"one of {', '.join(CONTRASTS)}")
    with refuse_errors(folder, "a folder of M4Raw files"):
        if not Path(folder).is_dir():
            raise InputError(folder, "no such folder", "a folder of M4Raw files")
        found, left_out = _search(Path(folder))
    files: dict[tuple[Path, str, str, int], Path] = {}
    for path in found:
        match = M4RAW_NAME.fullmatch(path.stem)
        key = match and (path.parent, match[1], match[2], int(match[3]))
        if not key:
            left_out["without a name of M4Raw's"].append(path)
        elif key in files:  # 7_T11 beside 7_T101
            left_out["with the number of another"].append(path)
        else:
            files[key] = path
    pairs = [
        (path, files[parent, subject, target, repetition], subject)
        for (parent, subject, contrast, repetition), path in files.items()
        if contrast == reference and (parent, subject, target, repetition) in files
    ]
    used = {path for pair in pairs for path in pair[:2]}
    for (_, _, contrast, _), path in files.items():
        if path not in used:
            alone = contrast in (reference, target)
            left_out["without a partner" if alone else "of another contrast"].append(path)
    counts = [f"{len(paths)} {why} ({paths[0].name}{', ...' * (len(paths) > 1)})"
              for why, paths in left_out.items()]  # fmt: skip
    said = f"; left out: {', '.join(counts)}" if counts else ""
    if not pairs:
        expected = f"pairs such as 2022061003_{reference}01.h5 and 2022061003_{target}01.h5"
        raise InputError(folder, f"{len(files)} M4Raw files but no pair{said}", expected)
    if {*left_out} - {"of another contrast"}:  # those nobody has asked for
        print(f"note: {folder}: {len(pairs)} pairs{said}", file=sys.stderr)
    return pairs


BIDS_NAME = re.compile(
    r"(sub-[A-Za-z0-9]+(?:_[a-z]+-[A-Za-z0-9]+)*)_(T1w|T2w|FLAIR|PDw)\.nii(\.gz)?"
)


def find_bids_pairs(folder: str | Path, reference: str = "T1w", target: str = "T2w") -> list[Names]:
    """Pairs of a BIDS tree: files of one subject, session, run and so on, by their names.

    >>> place = Path("bids/sub-01/anat")
    >>> place.mkdir(parents=True)
    >>> for name in ("sub-01_T1w.nii.gz", "sub-01_T2w.nii.gz", "sub-01_run-2_T2w.nii.gz"):
    ...     (place / name).touch()
    >>> [(t1.name, t2.name, subject) for t1, t2, subject in find_bids_pairs("bids")]
    [('sub-01_T1w.nii.gz', 'sub-01_T2w.nii.gz', '01')]

    What has no partner is counted on stderr. Raises InputError when there is no pair.
    """
    found: dict[str, dict[str, Path]] = defaultdict(dict)
    for path in sorted(Path(folder).glob("sub-*/**/anat/*.nii*")):
        if match := BIDS_NAME.fullmatch(path.name):
            found[f"{path.parent} {match[1]}"][match[2]] = path
    pairs = [
        (files[reference], files[target], BIDS_SUBJECT.findall(files[target].as_posix())[-1])
        for files in found.values()
        if reference in files and target in files
    ]
    alone = sum((reference in files) != (target in files) for files in found.values())
    said = f"{alone} files of {reference} or {target} without a partner"
    if not pairs:
        expected = f"pairs such as sub-01/anat/sub-01_{reference}.nii.gz and sub-01_{target}.nii.gz"
        raise InputError(folder, f"no pair; {said}", expected)
    if alone:
        print(f"note: {folder}: {len(pairs)} pairs; left out: {said}", file=sys.stderr)
    return pairs


def list_rows(name: str | Path) -> list[Names]:
    """Pairs (reference, target, subject) of a CSV, a BIDS tree (``sub-*`` folders), or M4Raw's layout.

    >>> for file in ("some.csv", "one.npy", "two.npy"):
    ...     _ = Path(file).write_text("one.npy,two.npy")
    >>> [(one.name, two.name) for one, two, _ in list_rows("some.csv")]
    [('one.npy', 'two.npy')]
    """
    if not Path(name).is_dir():
        return read_pairs_csv(name)
    is_bids = any(path.is_dir() for path in Path(name).glob("sub-*"))
    return find_bids_pairs(name) if is_bids else find_pairs(name)


def _search(top: Path) -> tuple[list[Path], dict[str, list[Path]]]:
    """Every .h5 file below, sorted, and what else was met, by the reason for which it is left out.

    A folder is searched once, however many links lead to it, and none that ``top`` lies in, so that
    loops end; where a link and the folder itself are both below, the files keep their own folder.
    """
    found: list[Path] = []
    left_out: dict[str, list[Path]] = defaultdict(list)
    waiting, seen = [top], {str(folder) for folder in top.resolve().parents}

    def keep(error: OSError) -> None:
        left_out["folders that cannot be read"].append(Path(error.filename))

    while waiting:
        for name, folders, files in os.walk(waiting.pop(0), onerror=keep):  # follows no links
            here, place = Path(name), os.path.realpath(name)
            if place in seen:
                left_out["folders that are searched elsewhere"].append(here)
                folders.clear()
                continue
            seen.add(place)
            for folder in [folder for folder in folders if folder.startswith(".")]:
                left_out["hidden folders"].append(here / folder)
                folders.remove(folder)
            waiting += [here / folder for folder in sorted(folders) if (here / folder).is_symlink()]
            for file in files:
                path = here / file
                if not path.exists():
                    left_out["links that lead nowhere"].append(path)
                elif path.suffix.lower() == ".h5":
                    found.append(path)
                elif path.suffix.lower() in OTHER_HDF5:
                    left_out["that do not end in .h5"].append(path)
    return sorted(found), left_out


def read_pairs_csv(path: str | Path) -> list[Names]:
    """Pairs from a CSV of rows ``reference,target[,distance]``, as ``find_pairs`` returns them.

    >>> for name in ("list.csv", "file1.h5", "file2.h5"):
    ...     _ = Path(name).write_text("file1,file2,0.1")
    >>> [(pd.name, fs.name, subject) for pd, fs, subject in read_pairs_csv("list.csv")]
    [('file1.h5', 'file2.h5', 'file1')]

    Names are relative to the CSV's folder, absolute, or from home (``~``); ``.h5`` may be left out, as
    in the lists of fastMRI pairs; a DICOM series is its folder, or one of its files; a first row that
    starts with "reference" is a title. The subject is the number before ``_`` of an M4Raw name, else
    the reference's name. Raises InputError, also for a file that does not exist.
    """
    path = Path(path)
    expected = "rows 'reference,target[,distance]'"
    pairs = []
    find = cache(partial(_find_listed, path.parent))
    with refuse_errors(path, expected):
        if not path.is_file() or path.stat().st_size > MAX_CSV_BYTES:
            raise InputError(path, "no such file, or more than 4 MB", expected)
        rows = csv.reader(io.StringIO(path.read_text("utf-8-sig")), strict=True)
        for number, row in enumerate(rows, 1):
            cells = [cell.strip() for cell in row]
            if not any(cells) or number == 1 and cells[0].lower() == "reference":
                continue
            if len(cells) < 2 or not cells[0] or not cells[1]:
                raise InputError(f"{path}, row {number}", repr(row)[:80], expected)
            first, second = (find(cell) for cell in cells[:2])
            if first is None or second is None:
                missing = cells[0 if first is None else 1][:80]
                expected = "a file that exists"
                raise InputError(f"{path}, row {number}", f"no file '{missing}'", expected)
            match = M4RAW_NAME.match(first.name)
            pairs.append((first, second, match[1] if match else first.name.split(".")[0]))
    if not pairs:
        raise InputError(path, "no pair", expected)
    return pairs


def _find_listed(folder: Path, cell: str) -> Path | None:
    files = (folder / expanduser(name) for name in (cell, f"{cell}.h5"))
    return next((file for file in files if file.is_file() or is_dicom(file)), None)


def split_by_subject(
    pairs: list[Names], fraction: float, seed: int
) -> tuple[list[Names], list[Names]]:
    """Split pairs into training and validation without splitting a subject.

    A subject is what shares a ``patient_id`` (of HDF5), a ``sub-`` (of BIDS), the pairs' own subject
    or a file, whatever links lead to it; pairs whose only name is their file's are one where they lie
    in one folder, below the one that all lie in. What told the subjects apart is said on stderr.

    >>> pairs = [(Path(f"{n}_T101.h5"), Path(f"{n}_T201.h5"), str(n)) for n in range(10)]
    >>> train, validation = split_by_subject(pairs, fraction=0.2, seed=0)
    >>> len(train), len(validation)
    (8, 2)

    ``fraction`` is the share of subjects for *validation*, at least one subject on either side.
    Raises InputError for fewer than two subjects.
    """
    groups, said = _group_by_subject(pairs)
    subjects = sorted({*groups})
    if len(subjects) < 2 or not 0 < fraction < 1:
        found = f"{len(subjects)} subjects ({said}) and a fraction of {fraction}"
        raise InputError("split", found, "two subjects or more, a fraction between 0 and 1")
    print(f"note: split: {len(subjects)} subjects, {said}", file=sys.stderr)
    random.Random(seed).shuffle(subjects)
    count = min(max(round(fraction * len(subjects)), 1), len(subjects) - 1)
    held = set(subjects[:count])
    parts: tuple[list[Names], list[Names]] = ([], [])
    for pair, group in zip(pairs, groups, strict=True):
        parts[group in held].append(pair)
    return parts


def name_subjects(pairs: list[Names]) -> list[Names]:
    """The pairs with one subject for all of a person's, told apart as ``split_by_subject`` does.

    >>> pairs = [(Path(f"{p}/t1.npy"), Path(f"{p}/t2.npy"), "t1") for p in ("ann", "ben", "ben")]
    >>> [subject for *_, subject in name_subjects(pairs)]
    ['ann', 'ben', 'ben']

    The pairs' own name of a subject is kept unless several persons have it.
    """
    groups, _ = _group_by_subject(pairs)
    shared = Counter(own for own, *_ in {*groups})
    return [
        (reference, target, own if shared[own] == 1 else name)
        for (reference, target, _), (own, _, name) in zip(pairs, groups, strict=True)
    ]


def _group_by_subject(pairs: list[Names]) -> tuple[list[tuple[str, ...]], str]:
    """For every pair what names its subject, and a sentence on how they were told apart."""
    places = [Path(pair[0]).absolute() for pair in pairs]
    root = Path(os.path.commonpath([place.parent for place in places])) if places else Path()
    leaders: dict[tuple[str, str], tuple[str, str]] = {}  # of what names one subject

    def lead(key: tuple[str, str]) -> tuple[str, str]:
        while leaders.setdefault(key, key) != key:
            leaders[key] = leaders[leaders[key]]
            key = leaders[key]
        return key

    keys = [[*_name_subject(pair, place, root)] for pair, place in zip(pairs, places, strict=True)]
    for first, *others in keys:
        for other in others:
            leaders[lead(other)] = lead(first)
    groups = [lead(first) for first, *_ in keys]
    names: dict[tuple[str, str], str] = {}  # by the pairs' own subject, they keep their order
    for group, (*_, subject) in zip(groups, pairs, strict=True):
        names[group] = min(subject, names.get(group, subject))
    used = Counter(first[0] for first, *_ in keys)
    said = ", ".join(f"{count} pairs by {kind}" for kind, count in used.items())
    return [(names[group], *group) for group in groups], said


def _name_subject(pair: Names, place: Path, root: Path) -> Iterator[tuple[str, str]]:
    """All that names the subject of a pair, the best first, as (kind, name)."""
    reference, target, subject = pair
    named = False
    for path in (reference, target):
        if patient := read_patient(Path(path)):
            yield "patient_id", patient
            named = True
    for path in (reference, target):
        if labels := BIDS_SUBJECT.findall(Path(path).as_posix()):
            yield "sub-", labels[-1]
            named = True
    if subject != Path(reference).name.split(".")[0]:
        yield "subject", subject
    elif not named:
        folder, *below = place.relative_to(root).parts
        yield ("folder", folder) if below else ("name", subject)
    for path in (reference, target):
        yield from _name_file(Path(path))


def _name_file(path: Path) -> Iterator[tuple[str, str]]:
    """The file itself, by any of its names, and whose the name is that links lead to."""
    real = Path(os.path.realpath(path))
    if real != path.absolute():
        yield from (("sub-", label) for label in BIDS_SUBJECT.findall(real.as_posix())[-1:])
        if match := M4RAW_NAME.match(real.name):
            yield "subject", match[1]
    with suppress(OSError):  # hard links have one number
        stat = real.stat()
        yield "file", f"{stat.st_dev} {stat.st_ino}"
    yield "file", real.as_posix()
