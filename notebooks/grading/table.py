"""The points as CSV: a row for each check, written as soon as a submission is judged; resumable."""

import csv
import hashlib
import io
import os
from pathlib import Path
from typing import IO

from .judge import Verdict

COLUMNS = ["submission", "check", "points", "note", "sha256"]


def make_printable(words: str) -> str:
    """On one line, without what a file or a terminal may not take; a learner's errors may say anything.

    >>> make_printable("two\\nlines, \\x00, \\ud800")
    'two lines, ?, ?'
    """
    return "".join(c if c.isprintable() else "?" for c in " ".join(words.split()))


def compute_checksum(path: Path) -> str:
    """Of a file's bytes; "" where there is none to read."""
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
    except OSError:
        return ""


def read_rows(path: Path) -> list[list[str]]:
    """The whole rows of a table; one that was cut off by the end of a run is none."""
    if not path.exists():
        return []
    text = path.read_text(encoding="utf-8")
    head, *rows = list(csv.reader(io.StringIO(text[: text.rfind("\n") + 1]))) or [COLUMNS]
    if head != COLUMNS:
        raise SystemExit(f"{path}: found the columns {head}, expected {COLUMNS}; name another file")
    return [row for row in rows if len(row) == len(COLUMNS)]


class Table:
    """Rows to a stream, all of a submission at once, on the disk before the next one."""

    def __init__(self, stream: IO[str], head: bool = False):
        self._stream = stream
        if head:
            self._write([COLUMNS])

    def add(self, submission: str, verdicts: dict[str, Verdict], checksum: str) -> None:
        self._write(
            [
                [submission, check, verdict.points, make_printable(verdict.note), checksum]
                for check, verdict in verdicts.items()
            ]
        )

    def _write(self, rows: list[list]) -> None:
        page = io.StringIO(newline="")
        csv.writer(page, lineterminator="\n").writerows(rows)
        self._stream.write(page.getvalue())
        self._stream.flush()
        try:
            os.fsync(self._stream.fileno())
        except OSError:  # a pipe or a terminal
            pass


def keep_finished(path: Path, wanted: dict[str, tuple[str, int]]) -> set[str]:
    """Leave in the table what needs no grading again; which of ``wanted`` are among that.

    ``wanted``: checksum and number of checks by submission. A file that has changed since, or whose
    rows are not all there, is graded anew; rows of submissions that are not wanted stay.
    """
    rows = read_rows(path)
    done = set()
    for name, (checksum, count) in wanted.items():
        own = [row for row in rows if row[0] == name and row[-1] == checksum]
        if checksum and len(own) == count == sum(row[0] == name for row in rows):
            done.add(name)
    kept = [row for row in rows if row[0] in done or row[0] not in wanted]
    fresh = path.with_name(f"{path.name}.new")
    with fresh.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream, lineterminator="\n").writerows([COLUMNS, *kept])
    os.replace(fresh, path)
    return done
