"""How much memory there is, and how much of it one volume may take.

>>> count_memory() > 0
True
"""

import os
from collections.abc import Iterator
from pathlib import Path

from ..errors import InputError

CGROUPS = Path(
    "/sys/fs/cgroup"
)  # where Linux says what a container, or a job of a cluster, may have
OWN_GROUPS = Path("/proc/self/cgroup")
VARIABLE = (
    "DCAMSR_MAX_BYTES"  # of the environment: what one volume may take, instead of the default
)


def count_memory(*limits: Path) -> float:
    """Bytes that this process may have: the least of machine, container, cluster job, ulimit -v.

    ``limits`` are files with one more bound each. Infinite on Windows, which is not asked.
    """
    if not hasattr(os, "sysconf"):
        return float("inf")
    import resource

    bounds = [os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")]
    bounds += [n for n in [resource.getrlimit(resource.RLIMIT_AS)[0]] if n > 0]  # -1: none
    for text in map(_read_text, (*_list_limits(), *limits)):
        bounds += [int(text)] if text.isdecimal() else []  # or "max"
    return min(bounds)


def _read_text(file: Path) -> str:
    try:
        return file.read_text().strip()
    except OSError:  # not there, or not for us
        return ""


def _list_limits() -> Iterator[Path]:
    """The files that bound the memory of this process, of both versions of Linux's control groups."""
    for line in _read_text(OWN_GROUPS).splitlines():
        _, kinds, place = line.split(":", 2)
        if kinds in ("", "memory"):  # versions 2 and 1
            top = CGROUPS / kinds
            folder = top / place.lstrip("/")
            name = "memory.limit_in_bytes" if kinds else "memory.max"
            yield from (f / name for f in (folder, *folder.parents) if f.is_relative_to(top))


def read_cap(default: int) -> int:
    """Bytes that one volume may take: ``DCAMSR_MAX_BYTES`` of the environment, or the default.

    >>> read_cap(2**29)
    536870912
    """
    asked = os.environ.get(VARIABLE)
    try:
        cap = int(float(asked)) if asked else default
    except (ValueError, OverflowError):
        cap = 0
    if cap < 1:
        raise InputError(VARIABLE, repr(asked), "a number of bytes, such as 4e9")
    return cap
