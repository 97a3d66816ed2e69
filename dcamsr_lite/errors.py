"""The error that means "your input, not our code", files whole or not at all, and our own assets."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_HERE = Path(__file__).resolve().parent
# An installed package carries the assets inside; a checkout has them beside the package.
ASSETS = next((p for p in (_HERE / "assets", _HERE.parent / "assets") if p.is_dir()), _HERE)


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
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=".part-", suffix=path.name)
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
