"""Single files of public records: out of an archive without the rest of it, checked, and resumed.

>>> sorted(read_records())
['m4raw', 'open-ms']

An archive is read by HTTP Range (remotezip, of the extra ``[scans]``): its directory, then the files
that were asked for. A file appears whole, its check sum compared, or not at all. ``records.json`` is
the table of addresses; ``fetch_record`` takes another address, or a folder, in their place.
"""

import gzip
import json
import re
import shutil
import sys
import time
import zipfile
import zlib
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Any

from tqdm import tqdm

from ..errors import InputError, check_writable, raise_if_out_of_memory
from ..extras import load_extra

TABLE = Path(__file__).with_name("records.json")
TIMEOUT = (10, 60)  # seconds, for a connection and for the next bytes
ATTEMPTS, PAUSE = 5, 2.0  # tries without a byte more, and seconds before the next
PIECE = 2**18  # bytes that are held at once
MAX_INDEX = 2**26  # bytes of an archive's directory
MAX_FILE, MAX_PACKED = 2**31, 100  # bytes of a file, and how many times smaller it may be packed
NAME = re.compile(r"(?:[\w.-]+/)*((\d+)_(T1|T2|FLAIR|GRE)(\d+)\.h5)")  # of M4Raw


@dataclass(frozen=True)
class Wanted:
    """A file of a record: its name there, its place here, bytes and check sum where they are known."""

    name: str
    place: Path
    size: int | None = None
    crc: int | None = None


def read_records(table: str | Path = TABLE) -> dict[str, dict[str, Any]]:
    """The records by name, as the table has them: title, licence, citation, address, files.

    >>> read_records()["m4raw"]["licence"]
    'CC-BY 4.0'
    """
    return json.loads(Path(table).read_text(encoding="utf-8"))


def fetch_record(
    name: str,
    out: str | Path,
    split: str = "val",
    subjects: int = 1,
    contrasts: Sequence[str] = ("T1", "T2"),
    origin: str | None = None,
    limit: float = 4e9,
) -> list[Path]:
    """Bring files of so many subjects into ``out``, and return them; those that are there stay.

    >>> import contextlib
    >>> with zipfile.ZipFile("M4RawV1.5_multicoil_val.zip", "w") as archive:
    ...     for contrast in ("T1", "T2", "FLAIR"):
    ...         archive.writestr(f"multicoil_val/7_{contrast}01.h5", contrast)
    >>> with contextlib.redirect_stderr(sys.stdout):
    ...     files = fetch_record("m4raw", "study", origin=".")
    M4Raw, ...
    >>> [file.as_posix() for file in files]
    ['study/multicoil_val/7_T101.h5', 'study/multicoil_val/7_T201.h5']

    ``split`` is train, val or test, where the record has some. ``origin`` takes the place of the
    table's address: a folder of archives, or an address with ``{name}`` in it, or before the name.
    Licence and citation are printed on stderr. Raises InputError: for more than ``limit`` bytes, a
    server that does not send ranges, an archive that changed or cannot be trusted, and for files that
    are there and others. What is whole stays, so that the same call goes on.
    """
    records = read_records()
    if name not in records:
        raise InputError("record", repr(name), f"one of {', '.join(records)}")
    record, out = records[name], Path(out)
    for key in ("title", "licence", "citation"):
        print(record[key] if key == "title" else f"{key}: {record[key]}", file=sys.stderr)
    check_writable(out)
    address = origin or record["address"]
    if "archives" not in record:
        return _fetch_files(record, out, subjects, contrasts, address, limit)
    if split not in record["archives"]:
        raise InputError("split", repr(split), f"one of {', '.join(record['archives'])}")
    place, file = out / f"multicoil_{split}", record["archives"][split]
    where = find_address(address, file)
    attempts = Attempts(where)
    while True:
        with attempts.watch(), open_archive(where) as archive:
            wanted = choose_members(archive, where, place, subjects, contrasts)
            missing = [one for one in wanted if not is_there(one)]
            check_space(out, missing, limit)
            with tqdm(
                total=sum(one.size or 0 for one in missing),
                desc=file, unit="B", unit_scale=True, disable=None,
            ) as bar:  # fmt: skip
                for one in missing:
                    _save_member(archive, where, one, bar.update)
                    attempts.count = 0
            return [one.place for one in wanted]


def find_address(address: str, name: str) -> str:
    """Where a file of a record lies: below a folder or an address, or in the place of ``{name}``.

    >>> find_address("https://mirror.example/m4raw", "val.zip")
    'https://mirror.example/m4raw/val.zip'
    """
    if "{name}" in address:
        return address.replace("{name}", name)
    return f"{address.rstrip('/')}/{name}"


def is_remote(address: str) -> bool:
    """Whether it is asked by HTTP; what is not is a file.

    >>> is_remote("https://mirror.example/val.zip"), is_remote("archives/val.zip")
    (True, False)
    """
    return address.lower().startswith(("http://", "https://"))


class Attempts:
    """How often something was tried in vain; what helps to try again does not end it at once."""

    def __init__(self, where: str):
        self.where, self.count = where, 0

    @contextmanager
    def watch(self) -> Iterator[None]:
        """Swallow what a bad line does, and wait; raise InputError after too many."""
        try:
            yield
        except InputError:
            raise
        except Exception as error:
            raise_if_out_of_memory(self.where, error)
            self.count += 1
            kind = type(error).__name__
            if kind == "RangeNotSupported":
                expected = "one that sends ranges (HTTP 206), or the archive in a folder: --from"
                found = "a server that sends nothing but whole archives"
                raise InputError(self.where, found, expected) from None
            if self.count >= ATTEMPTS or isinstance(error, FileNotFoundError):
                found = f"{kind}: {str(error)[:200]}"
                expected = "a server and an archive that answer; the same command goes on"
                raise InputError(self.where, found, expected) from None
            time.sleep(PAUSE)


class BoundedFetcher:
    """Asks for parts of a file as remotezip does, and takes no longer answer than was asked for."""

    def __init__(self, address: str, session: Any = None, **options: Any):
        self.address = address
        self.inner = load_extra("remotezip", "scans").RemoteFetcher(address, session, **options)

    def fetch(self, data_range: tuple[int, int | None], stream: bool = False) -> Any:
        """The bytes from first to last, or so many from the end. Raises InputError for too many."""
        low, high = data_range
        asked = -low if high is None else high - low + 1
        if not stream and asked > MAX_INDEX:
            raise InputError(self.address, f"a directory of {asked} bytes", f"at most {MAX_INDEX}")
        answer = self.inner.fetch(data_range, stream)
        if len(answer) > asked or (high is not None and len(answer) < asked):
            answer.close()
            raise OSError(f"{len(answer)} bytes where {asked} were asked for")
        return answer


def open_archive(address: str) -> zipfile.ZipFile:
    """An archive in a folder, or one of which only the directory has been read so far."""
    if not is_remote(address):
        return zipfile.ZipFile(address)
    options = {"timeout": TIMEOUT, "headers": {"Accept-Encoding": "identity"}}
    return load_extra("remotezip", "scans").RemoteZip(address, fetcher=BoundedFetcher, **options)


def choose_members(
    archive: zipfile.ZipFile, where: str, place: Path, subjects: int, contrasts: Sequence[str]
) -> list[Wanted]:
    """The files of the first subjects, by number. Raises InputError for those of strange names."""
    found: dict[str, list[Wanted]] = defaultdict(list)
    places = set()
    for info in archive.infolist():
        if info.is_dir():
            continue
        if ".." in PurePosixPath(info.filename).parts or info.filename.startswith("/"):
            raise InputError(where, f"a file named {info.filename!r}", "names below one folder")
        match = NAME.fullmatch(info.filename)
        if match is None or match[3] not in contrasts:
            continue
        if info.file_size > min(MAX_FILE, MAX_PACKED * max(info.compress_size, 1024)):
            said = f"{info.filename} of {info.file_size} bytes in {info.compress_size}"
            raise InputError(
                where, said, f"files of at most {MAX_FILE} bytes, as k-space is packed"
            )
        if match[1] in places:
            raise InputError(where, f"{match[1]} twice", "every file once")
        places.add(match[1])
        wanted = Wanted(info.filename, place / match[1], info.file_size, info.CRC)
        found[match[2]].append(wanted)
    if not found:
        raise InputError(where, f"no file of {', '.join(contrasts)}", "names such as 7_T201.h5")
    chosen = sorted(found, key=int)[:subjects]
    print(f"{len(chosen)} of {len(found)} subjects", file=sys.stderr)
    return sorted((one for subject in chosen for one in found[subject]), key=lambda one: one.name)


def is_there(wanted: Wanted) -> bool:
    """Whether the very file is there. Raises InputError where another one is in its place."""
    if not wanted.place.exists():
        return False
    crc, size = 0, 0
    with wanted.place.open("rb") as stream:
        while piece := stream.read(PIECE):
            crc, size = zlib.crc32(piece, crc), size + len(piece)
    if (size, crc) != (wanted.size, wanted.crc):
        found = "a file that is not that of the archive, which may have changed"
        raise InputError(wanted.place, found, "the same record, or another --out")
    return True


def check_space(out: Path, missing: Sequence[Wanted], limit: float) -> None:
    """Raise InputError where the files would need more than is allowed, or there is.

    >>> check_space(Path("."), [Wanted("7_T101.h5", Path("7_T101.h5"), 10**9)], limit=5e8)
    Traceback (most recent call last):
    ...
    dcamsr_lite.errors.InputError: .: found 1.00 GB to be fetched; expected at most 0.50 GB ...
    """
    size = sum(one.size or 0 for one in missing)
    if size > limit:
        expected = f"at most {limit / 1e9:.2f} GB (--limit), or fewer subjects"
        raise InputError(out, f"{size / 1e9:.2f} GB to be fetched", expected)
    below = next(folder for folder in (out, *out.absolute().parents) if folder.is_dir())
    if size > (free := shutil.disk_usage(below).free):
        raise InputError(out, f"{free / 1e9:.2f} GB free", f"room for {size / 1e9:.2f} GB")


def name_part(place: Path) -> Path:
    """The file that is not whole yet; the next run takes its place or goes on with it.

    >>> name_part(Path("study/7_T101.h5")).as_posix()
    'study/.7_T101.h5.part'
    """
    return place.with_name(f".{place.name}.part")


def _save_member(
    archive: zipfile.ZipFile, where: str, one: Wanted, tell: Callable[[int], Any]
) -> None:
    part = name_part(one.place)
    part.parent.mkdir(parents=True, exist_ok=True)
    part.unlink(missing_ok=True)  # a link would be written through
    with archive.open(one.name) as stream, part.open("xb") as file:
        size = 0
        while piece := stream.read(PIECE):  # the check sum is compared where it ends
            size += len(piece)
            file.write(piece)
            tell(len(piece))
    if size != one.size:
        raise OSError(f"{one.name}: {size} bytes of {one.size}")
    part.replace(one.place)


def _fetch_files(
    record: dict, out: Path, subjects: int, contrasts: Sequence[str], address: str, limit: float
) -> list[Path]:
    """Packed NIfTI files, named as BIDS has them."""
    places = []
    for subject in record["subjects"][:subjects]:
        for contrast in contrasts:
            if contrast not in ("T1", "T2"):
                raise InputError("contrasts", contrast, "T1, T2")
            name = record["files"].format(subject=subject, contrast=contrast)
            file = f"sub-{subject}_{contrast}w.nii.gz"
            places.append(place := out / f"sub-{subject}" / "anat" / file)
            if place.exists():
                check_gzip(place)
            else:
                limit -= _save_file(find_address(address, name), place, limit)
    return places


def _save_file(where: str, place: Path, limit: float) -> int:
    """One file, from where the last run stopped; its size."""
    part = name_part(place)
    part.parent.mkdir(parents=True, exist_ok=True)
    if part.is_symlink():
        part.unlink()
    attempts = Attempts(where)
    bound = int(min(limit, MAX_FILE))
    with tqdm(desc=place.name, unit="B", unit_scale=True, disable=None) as bar:
        while True:
            before = part.stat().st_size if part.exists() else 0
            with attempts.watch():
                try:
                    _copy(where, part, bound, bar.update)
                finally:
                    if part.exists() and part.stat().st_size > before:
                        attempts.count = 0
                try:
                    check_gzip(part, bound)
                except InputError:
                    part.unlink()  # of two versions, or damaged on the way
                    raise OSError("what came is no whole gzip file") from None
                size = part.stat().st_size
                part.replace(place)
                return size


def _copy(where: str, part: Path, bound: int, tell: Callable[[int], Any]) -> None:
    """Append what is missing of a file; from its start where the server does not send ranges."""
    have = part.stat().st_size if part.exists() else 0
    if not is_remote(where):
        with open(where, "rb") as source, part.open("wb") as file:
            _pour(source, file, bound, tell)
        return
    requests = load_extra("requests", "scans")
    headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={have}-"} if have else {})
    with requests.get(where, stream=True, headers=headers, timeout=TIMEOUT) as answer:
        if answer.status_code == 416:  # nothing lies behind what is here
            return
        if answer.status_code == 404:
            raise FileNotFoundError(f"{where}: HTTP 404")
        answer.raise_for_status()
        goes_on = answer.headers.get("Content-Range", "").startswith(f"bytes {have}-")
        with part.open("ab" if have and goes_on else "wb") as file:
            _pour(answer.raw, file, bound, tell)


def _pour(source: Any, file: IO[bytes], bound: int, tell: Callable[[int], Any]) -> None:
    while piece := source.read(PIECE):
        if file.tell() + len(piece) > bound:
            raise InputError(file.name, "a file without end", f"at most {bound} bytes (--limit)")
        file.write(piece)
        tell(len(piece))


def check_gzip(path: Path, bound: int = MAX_FILE) -> None:
    """Raise InputError unless a file is whole by gzip's own check sum, and no bomb.

    >>> _ = Path("a.gz").write_bytes(gzip.compress(b"voxels")[:-3])
    >>> check_gzip(Path("a.gz"))
    Traceback (most recent call last):
    ...
    dcamsr_lite.errors.InputError: a.gz: found EOFError: ...; expected a whole gzip file
    """
    size = 0
    try:
        with gzip.open(path) as stream:
            while piece := stream.read(PIECE):
                size += len(piece)
                if size > MAX_FILE:
                    raise InputError(path, f"more than {MAX_FILE} bytes packed", "an image")
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(path, f"{type(error).__name__}: {error}", "a whole gzip file") from None
