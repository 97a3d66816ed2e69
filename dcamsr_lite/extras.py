"""Packages that an extra brings: imported when they are used, and missed in one sentence.

>>> load_extra("json", "scans").dumps([1])
'[1]'
"""

from importlib import import_module
from typing import Any

from .errors import InputError


def load_extra(package: str, extra: str) -> Any:
    """A package of an extra, as ``import`` gives it.

    >>> load_extra("no_such_package", "scans")
    Traceback (most recent call last):
    ...
    dcamsr_lite.errors.InputError: no_such_package: found no such package; expected it, by
    `pip install 'dcamsr-lite[scans]'`

    Raises InputError where it is missing.
    """
    try:
        return import_module(package)
    except ImportError as error:
        expected = f"it, by `pip install 'dcamsr-lite[{extra}]'`"
        raise InputError(package, "no such package", expected) from error
