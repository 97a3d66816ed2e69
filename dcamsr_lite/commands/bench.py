"""``dcamsr bench``: plain and fast side by side on this machine, as lines, JSON, or a page."""

import json
import os
import platform
from argparse import Namespace
from pathlib import Path

import torch

from ..bench.measure import measure_rates
from ..bench.networks import BenchPlan, bench_networks, fit_exponents
from ..bench.page import join_rows, read_result, write_page
from ..errors import InputError, check_writable


def measure(options: Namespace) -> None:
    if options.device == "cuda" and not torch.cuda.is_available():
        raise InputError("--device", "cuda, of which there is none here", "cpu")
    if bad := [size for size in options.sizes if size % 8]:
        raise InputError("--sizes", f"{bad}", "multiples of 8")
    if options.out:
        check_writable(options.out)
    torch.set_num_threads(options.threads or min(2, os.cpu_count() or 1))
    plan = BenchPlan(
        device=options.device, pair_seconds=options.seconds, repeats=options.repeats,
        sizes=tuple(options.sizes), presets=tuple(options.presets),
        variants=tuple(options.variants), batches=tuple(options.batch),
    )  # fmt: skip
    say = (lambda *words: None) if options.json else print
    rates = measure_rates(plan)
    machine = describe_machine(plan.device)
    say(f"{machine['processor']}, {machine['threads']} threads, torch {machine['torch']}; "
        + ", ".join(f"{value:.3g} {name}" for name, value in rates.items()))  # fmt: skip
    rows = []
    for row in bench_networks(plan, rates):
        rows.append(row | {"load": measure_load()})
        say(tell(row))
    if options.out:
        rows = join_rows(read_result(Path(options.out)), {"machine": machine, "rows": rows})
    result = {"machine": machine, "rates": rates, "rows": rows, "exponents": fit_exponents(rows)}
    if options.out:
        write_page(Path(options.out), result)
        say(f"page: {Path(options.out) / 'bench.md'}")
    if options.json:
        print(json.dumps(result, indent=1))


def describe_machine(device: str) -> dict:
    names = [platform.processor() or platform.machine()]
    if Path("/proc/cpuinfo").is_file():
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        names = [line.split(":")[1].strip() for line in lines if line.startswith("model name")]
    gpu = torch.cuda.get_device_name() if device == "cuda" else None
    known = {"processor": names[0] if names else platform.machine(), "cores": os.cpu_count()}
    about = {"gpu": gpu, "threads": torch.get_num_threads(), "torch": torch.__version__}
    return known | about | {"load": measure_load()}


def measure_load() -> float | None:
    """How many processes wanted a core in the last minute, this one among them."""
    return round(os.getloadavg()[0], 1) if hasattr(os, "getloadavg") else None


def tell(row: dict) -> str:
    which = f"{row['preset']} {row['variant']} {row['size']} batch {row['batch']}, {row['pass']}"
    times = f"{row['median_ms']:8.1f} ms ({row['q25_ms']:.1f} to {row['q75_ms']:.1f})"
    ratio = f"{row['times_plain']:.2f} x plain ({row['times_plain_busy']:.2f} in processor time)"
    return f"{which:<52} {row['path']:<6}{times}, {ratio}, peak {row['peak_gb']:.3f} GB"
