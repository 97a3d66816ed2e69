"""Starts a submission's runner, bounds it, and ends all that it started.

    python keeper.py SECONDS MEGABYTES COMMAND ...

Prints how it ended, as JSON: its status, or "time", "memory", "processes". Stands between the grader
and the submission, so that what kills its parent kills this alone.
"""

import json
import os
import subprocess
import sys
import time

import psutil

PROCESSES = 64
LARGEST_FILE = 10**9  # bytes


def bound(megabytes: int) -> None:
    """Hard limits, where the system has them: twice the memory that ends it, one file's size."""
    import resource

    def lower(which: int, to: int) -> None:
        hard = resource.getrlimit(which)[1]
        to = to if hard == resource.RLIM_INFINITY else min(to, hard)
        resource.setrlimit(which, (to, to))

    lower(resource.RLIMIT_CORE, 0)
    lower(resource.RLIMIT_FSIZE, LARGEST_FILE)
    if sys.platform == "linux":  # elsewhere it counts other things, or nothing
        lower(resource.RLIMIT_DATA, 2 * megabytes * 10**6)


def adopt_orphans() -> None:
    """On Linux what the submission leaves behind becomes this process's child, and is found."""
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)  # PR_SET_CHILD_SUBREAPER


def measure(processes: list[psutil.Process]) -> int:
    """Bytes that they hold together; one that has just ended holds none."""
    held = 0
    for process in processes:
        try:
            held += process.memory_info().rss
        except psutil.Error:
            pass
    return held


def end_all(me: psutil.Process) -> None:
    """Stopped first, so that none starts another meanwhile."""
    for _ in range(10):
        left = [child for child in me.children(recursive=True) if child.status() != "zombie"]
        for act in ("suspend", "kill"):
            for child in left:
                try:
                    getattr(child, act)()
                except (psutil.Error, OSError):
                    pass
        if not left:
            return
        psutil.wait_procs(left, timeout=10)  # the machine may be busy


def keep(command: list[str], seconds: float, megabytes: int) -> int | str:
    """Run ``command`` to its end or its bound; says which."""
    me, parent = psutil.Process(), os.getppid()
    adopt_orphans()
    limits = {"preexec_fn": lambda: bound(megabytes)} if os.name == "posix" else {}
    null = subprocess.DEVNULL
    child = subprocess.Popen(command, stdin=null, stdout=null, stderr=null, **limits)
    last = time.monotonic() + seconds
    try:
        while True:
            try:
                return child.wait(0.1)
            except subprocess.TimeoutExpired:
                pass
            family = me.children(recursive=True)
            if time.monotonic() > last:
                return "time"
            if measure(family) > megabytes * 10**6:
                return "memory"
            if len(family) > PROCESSES:
                return "processes"
            if os.name == "posix" and os.getppid() != parent:
                return "the grader has ended"
    finally:
        end_all(me)
        child.wait()


if __name__ == "__main__":
    seconds, megabytes, *command = sys.argv[1:]
    print(json.dumps(keep(command, float(seconds), int(megabytes))), flush=True)
