"""Everything that needs a GPU, in one run of at most nine minutes on one H100.

    python scripts/gpu.py --out FOLDER [--work FOLDER] [--minutes 9] [--real FOLDER] [--golden FILE]
    python scripts/gpu.py --out FOLDER --rehearse

Parts: correct, bench, profile, equal, train. Each has its own clock and writes FOLDER/PART.json (and
CSV, text) as its numbers come; started again, finished parts are kept, and the training goes on. A
part that fails leaves FOLDER/PART.error.txt, and the next one begins. ``--real`` holds the open MS
pairs (.npz; patient p19 is held out), ``--rehearse`` runs the same on a CPU in tiny sizes. Needs no
installed package: it uses the checkout that it lies in.
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path

import torch
from gpu_parts.bench import bench_networks
from gpu_parts.correct import check_device
from gpu_parts.data import prepare_all
from gpu_parts.equal import train_equally
from gpu_parts.measure import clean
from gpu_parts.plan import REHEARSAL, Plan
from gpu_parts.profile import profile_step
from gpu_parts.record import Clock, Record, alarm, write
from gpu_parts.train import train_full

END = 15.0  # seconds that are left when the script ends
PARTS = {  # and the most seconds of each; what is left is the last one's
    "correct": (check_device, 45),
    "bench": (bench_networks, 100),
    "profile": (profile_step, 30),
    "equal": (train_equally, 90),
    "train": (train_full, 3600),
}


@contextmanager
def preparing(plan: Plan, arguments: list[str]) -> Iterator[Callable[[float], None]]:
    """The same script with --prepare beside this one; the function given waits for it."""
    command = [sys.executable, __file__, *arguments, "--prepare"]
    quiet = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""}
    with open(plan.work / "prepare.log", "w") as file:
        own = {"env": os.environ | quiet, "start_new_session": True}
        child = subprocess.Popen(command, stdout=file, stderr=file, **own)

    def wait(seconds: float) -> None:
        started = time.monotonic()
        if child.wait(max(1.0, seconds)):
            raise RuntimeError(f"no data: {(plan.work / 'prepare.log').read_text()[-2000:]}")
        print(f"data are ready, waited {time.monotonic() - started:.0f} s")

    try:
        yield wait
    finally:
        if child.poll() is None:
            os.killpg(child.pid, signal.SIGTERM)  # its own group: the pool's processes, too


def run(plan: Plan, name: str, clock: Clock) -> bool:
    """One part, unless it is there already; whether all is well."""
    file, (part, most) = plan.out / f"{name}.json", PARTS[name]
    if file.is_file() and (old := json.loads(file.read_text()))["complete"]:
        print(f"{name}: kept")
        return not old["failed"]
    seconds = min(most * plan.patience, clock.left())
    print(f"{name}: at most {seconds:.0f} s")
    trouble, started = plan.out / f"{name}.error.txt", time.monotonic()
    trouble.unlink(missing_ok=True)
    try:
        record = Record(plan, name)
        with alarm(seconds + 1) if name != "train" else nullcontext():
            part(plan, record, Clock(seconds))
        record.add(complete=True, seconds=time.monotonic() - started)
        print(f"{name}: {time.monotonic() - started:.0f} s; failed: {record.content['failed']}")
        return not record.content["failed"]
    except Exception:
        write(trouble, traceback.format_exc())
        traceback.print_exc()
        return False
    finally:
        clean(plan.device)


def main(arguments: list[str]) -> int:
    top = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    top.add_argument("--out", type=Path, required=True, help="results; small files only")
    top.add_argument("--work", type=Path, help="slices and states (default: OUT/work)")
    top.add_argument("--minutes", type=float, default=9.0, help="the most that all parts take")
    top.add_argument("--real", type=Path, help="folder with the open MS pairs as .npz")
    top.add_argument("--golden", type=Path, help="another golden file of the released network")
    top.add_argument("--rates", nargs="+", type=float, help="of the training, till one is finite")
    top.add_argument("--parts", nargs="+", choices=PARTS, default=[*PARTS])
    top.add_argument("--rehearse", action="store_true", help="on a CPU, tiny")
    top.add_argument("--device", choices=("cpu", "cuda"), help="of a rehearsal (default: cpu)")
    top.add_argument("--prepare", action="store_true", help="only the data (the script's own use)")
    chosen = top.parse_args(arguments)
    plan = Plan(chosen.out, chosen.work or chosen.out / "work", chosen.real, chosen.golden)
    plan = replace(plan, **REHEARSAL) if chosen.rehearse else plan
    plan = replace(plan, rates=tuple(chosen.rates)) if chosen.rates else plan
    plan = replace(plan, device=chosen.device) if chosen.device else plan
    clock = Clock(60 * chosen.minutes * plan.patience - END)
    plan.work.mkdir(parents=True, exist_ok=True)
    if chosen.prepare:
        prepare_all(plan)
        return 0
    for path in filter(None, (plan.real, plan.golden)):
        if not path.exists() or (path.is_dir() and not [*path.glob("*.npz")]):
            top.error(f"nothing at {path}")
    if plan.device == "cuda" and not torch.cuda.is_available():
        top.error("no CUDA device; --rehearse runs on a CPU")
    # deterministic products, where correct.py asks for them: read when the first one is computed
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
    sys.stdout.reconfigure(line_buffering=True)
    good = True
    with preparing(plan, arguments) as wait:
        for name in chosen.parts:
            if name in ("bench", "equal", "train"):
                try:  # its processes would disturb what is timed
                    wait(min(150 * plan.patience, clock.left() - 60))
                except Exception as error:
                    good = False
                    print(error)
            good &= run(plan, name, clock)
    print(f"done with {clock.left() + END:.0f} s to spare")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
