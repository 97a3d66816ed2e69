"""What a learner sends along with a question: versions, device, memory, minutes, checks.

>>> report()  # doctest: +ELLIPSIS
dcamsr-lite ...
"""

import ctypes
import os
import platform
import sys
import time
from importlib.metadata import version

from .exercise import Result

_STARTED = time.perf_counter()
results: dict[str, Result] = {}  # of this session, by exercise


def describe_memory() -> str:
    """The most memory that this process has used so far, in words.

    >>> describe_memory() != ""
    True
    """
    try:
        import resource
    except ModuleNotFoundError:  # Windows
        return "not measured on this system"
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    bytes_ = most if sys.platform == "darwin" else 1024 * most
    return f"{bytes_ / 1e9:.2f} GB at most"


def release_memory() -> None:
    """Give back to the system what was freed: glibc keeps it, and a notebook at rest looks full.

    >>> release_memory()
    >>> describe_memory() != ""
    True

    A few milliseconds. Does nothing where the C library has no malloc_trim.
    """
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
        if trim is not None:
            trim(0)


def release_after_cells() -> bool:
    """Whether this is a notebook; if so, memory is released after each of its cells.

    >>> release_after_cells()
    False
    """
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    if shell is None:
        return False
    shell.events.register("post_run_cell", lambda *result: release_memory())
    return True


def describe_device() -> str:
    """The GPU's name where torch finds one, otherwise the number of cores and threads.

    >>> describe_device() != ""
    True
    """
    import torch

    if torch.cuda.is_available():
        return torch.cuda.get_device_name()
    return f"CPU, {os.cpu_count()} cores, {torch.get_num_threads()} threads"


def report() -> None:
    """Print versions, device, memory, minutes since the course was loaded, and the checks so far.

    >>> report()  # doctest: +ELLIPSIS
    dcamsr-lite ...
    """
    import dcamsr_lite

    names = ("torch", "numpy", "matplotlib", "ipywidgets", "anywidget")
    libraries = ", ".join(f"{name} {version(name)}" for name in names)
    print(f"dcamsr-lite {dcamsr_lite.__version__}, Python {platform.python_version()}, {libraries}")
    print(f"device: {describe_device()}")
    print(f"memory: {describe_memory()}")
    print(f"minutes: {(time.perf_counter() - _STARTED) / 60:.1f}")
    states = [result.state for result in results.values()]
    if states:
        passed = states.count("passed")
        print(f"checks: {passed} of {len(states)} passed")
    print("Not for clinical use.")
