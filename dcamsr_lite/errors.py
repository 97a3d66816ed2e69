"""The error that means "your input, not our code", checks that raise it, files whole or not at all."""

import errno
import mmap
import os
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from math import isfinite
from numbers import Integral, Real
from pathlib import Path

_HERE = Path(__file__).resolve().parent
# An installed package carries the assets inside; a checkout has them beside the package.
ASSETS = next((p for p in (_HERE / "assets", _HERE.parent / "assets") if p.is_dir()), _HERE)

LONGEST = 255  # bytes of one name in a path


class InputError(ValueError):
    """A file, array or option that cannot be used.

    >>> raise InputError("t1.h5", "no dataset 'kspace'", "an M4Raw or fastMRI file")
    Traceback (most recent call last):
    ...
    dcamsr_lite.errors.InputError: t1.h5: found no dataset 'kspace'; expected an M4Raw or fastMRI file

    The command line prints the message as one line and exits with status 2.
    """

    def __init__(self, where: object, found: str, expected: str):
        self._told = (str(where), found, expected)
        super().__init__(" ".join(f"{where}: found {found}; expected {expected}".split()))

    def __reduce__(self):
        # an exception is rebuilt from its message alone; processes send theirs as pickles
        return type(self), self._told


def is_out_of_memory(error: BaseException) -> bool:
    """Python's own error, the system's, or that of torch or HDF5, which only their words tell.

    >>> is_out_of_memory(RuntimeError("DefaultCPUAllocator: can't allocate memory"))
    True
    """
    if "memory allocation failed" in str(
        error
    ):  # HDF5, which believes what a damaged file asks for
        return not _is_memory_left()
    system = (os.strerror(errno.ENOMEM), f"os error {errno.ENOMEM}")
    words = ("DefaultCPUAllocator", "out of memory", *system)
    return isinstance(error, MemoryError) or any(word in str(error) for word in words)


def _is_memory_left(size: int = 2**28) -> bool:
    """Whether so many bytes can be had; they are not touched. No sound chunk of HDF5 has more."""
    try:
        mmap.mmap(-1, size).close()
    except (OSError, MemoryError):
        return False
    return True


def raise_if_out_of_memory(where: object, error: BaseException) -> None:
    """For those who turn errors into InputError: a lack of memory is no fault of the input.

    >>> raise_if_out_of_memory("t1.h5", RuntimeError("CUDA out of memory"))
    Traceback (most recent call last):
    ...
    MemoryError: t1.h5: CUDA out of memory
    >>> raise_if_out_of_memory("t1.h5", RuntimeError("bad magic number"))
    """
    if is_out_of_memory(error):
        why = " ".join(f"{error}".split())[:200] or "no memory left to read it"
        raise MemoryError(f"{where}: {why}") from error


def check_one_of(name: str, value: object, known: Iterable) -> None:
    """Raise InputError unless the value is a known one.

    >>> check_one_of("image", "targets", ("reference", "target"))
    Traceback (most recent call last):
    ...
    dcamsr_lite.errors.InputError: image: found 'targets'; expected one of reference, target
    """
    if value not in list(known):
        raise InputError(name, repr(value), f"one of {', '.join(known)}")


def check_between(name: str, value: float, low: float, high: float) -> None:
    """Raise InputError unless the value is a number in these bounds.

    >>> check_between("blur", -1.5, 0, 100)
    Traceback (most recent call last):
    ...
    dcamsr_lite.errors.InputError: blur: found -1.5; expected a number from 0 to 100
    """
    number = isinstance(value, Real) and not isinstance(value, bool)
    if not number or not isfinite(value) or not low <= value <= high:
        raise InputError(name, repr(value), f"a number from {low:g} to {high:g}")


def check_whole(name: str, value: int, low: int, high: int) -> int:
    """The value as an int. Raises InputError unless it is a whole number, of any type, in these bounds.

    >>> check_whole("scale", True, 2, 8)
    Traceback (most recent call last):
    ...
    dcamsr_lite.errors.InputError: scale: found True; expected a whole number from 2 to 8
    """
    whole = isinstance(value, Integral) and not isinstance(value, bool)
    if not whole or not low <= value <= high:
        raise InputError(name, repr(value)[:80], f"a whole number from {low} to {high}")
    return int(value)


def check_count(name: str, value: int) -> int:
    """The value as an int. Raises InputError unless it is a whole number of 1 or more.

    >>> check_count("steps", 8.0)
    8
    """
    if int(value) != value or value < 1:
        raise InputError(name, repr(value), "a whole number of 1 or more")
    return int(value)


def check_output(path: str | Path, *inputs: object, endings: Iterable[str] = ()) -> None:
    """Raise InputError where a file cannot be written, or is one of the files that are read.

    >>> _ = Path("t2.h5").write_text("raw data")
    >>> check_output("../" + Path.cwd().name + "/t2.h5", "t1.h5", "t2.h5")
    Traceback (most recent call last):
    ...
    dcamsr_lite.errors.InputError: .../t2.h5: found the input t2.h5 itself; expected another file ...

    Asked before the work. Links, other spellings of a path and of a name are seen through. ``inputs``
    that are no paths, or lead nowhere, are passed over. With ``endings`` its name has one of them.
    """
    name = Path(path).name.lower()
    if endings and not any(name.endswith(end) and name != end for end in endings):
        raise InputError(path, f"the name {name!r}", f"one that ends in {', '.join(endings)}")
    for given in inputs:
        same = False
        if isinstance(given, str | Path):
            with suppress(OSError, ValueError):  # one of them is not there, or no path at all
                same = os.path.samefile(path, given)
        if same:
            raise InputError(path, f"the input {given} itself", "another file to write")
    if os.path.exists(path) and not os.path.isfile(path):
        found = "a folder" if os.path.isdir(path) else "a device or a pipe"
        raise InputError(path, found, "a file to write")
    check_writable(Path(path).parent, path)


def check_writable(folder: str | Path, file: str | Path | None = None) -> None:
    """Raise InputError unless files can be written into a folder that is there or can be made.

    >>> check_writable("new/folder")
    >>> Path("new").exists()
    False

    The error names the ``file`` that is to be written there, if it is given.
    """
    whole = Path(folder).absolute()
    if any(len(os.fsencode(part)) > LONGEST for part in Path(file or folder).parts):
        raise InputError(file or folder, f"a name of more than {LONGEST} bytes", "a shorter one")
    try:
        there = next(place for place in (whole, *whole.parents) if os.path.lexists(place))
        with tempfile.TemporaryDirectory(dir=there, prefix=".part-"):
            pass
    except OSError as error:
        raise InputError(
            file or folder, f"{error.strerror or error}", "a place that can be written"
        ) from error


@contextmanager
def atomic_path(path: str | Path) -> Iterator[Path]:
    """Give a temporary path beside ``path``; rename it to ``path`` when the block ends well.

    >>> with atomic_path("result.txt") as temporary:
    ...     _ = temporary.write_text("whole")
    >>> Path("result.txt").read_text()
    'whole'

    The temporary name keeps the suffixes of ``path``. When the block raises, ``path`` is untouched
    and the temporary file is gone. Raises InputError when the folder cannot be written.
    """
    path = Path(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.is_dir():
            raise IsADirectoryError(f"{path} is a directory")
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=".part-", suffix=path.name[-50:])
    except OSError as error:
        raise InputError(
            path, f"{error.strerror or error}", "a place that can be written"
        ) from error
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        umask = os.umask(0)
        os.umask(umask)
        temporary.chmod(0o666 & ~umask)
        temporary.replace(path)
    except OSError as error:
        raise InputError(
            path, f"{error.strerror or error}", "a place that can be written"
        ) from error
    finally:
        temporary.unlink(missing_ok=True)
