"""`make bench`: medians on this machine; not a test, since machines differ and get busy."""

import os
import statistics
import subprocess
import sys
import time

import torch

import dcamsr_lite as dl


def median_ms(call, runs: int = 15) -> float:
    for _ in range(3):
        call()
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        call()
        times.append(1000 * (time.perf_counter() - start))
    return statistics.median(times)


def import_seconds(module: str) -> float:
    program = (
        f"import time; t = time.perf_counter(); import {module}; print(time.perf_counter() - t)"
    )
    runs = [subprocess.check_output([sys.executable, "-c", program], text=True) for _ in range(5)]
    return statistics.median(map(float, runs))


@torch.inference_mode()
def main() -> None:
    torch.set_num_threads(min(2, os.cpu_count() or 1))
    print(f"torch {torch.__version__}, {torch.get_num_threads()} threads")
    for variant in ("corrected", "paper", "released"):
        model = dl.DCAMSR(scale=4, image_size=128, variant=variant).eval()
        lr, ref = torch.rand(1, 1, 32, 32), torch.rand(1, 1, 128, 128)

        def traced(model=model, lr=lr, ref=ref):
            with dl.trace(model):
                model(lr, ref)

        forward = median_ms(lambda model=model, lr=lr, ref=ref: model(lr, ref))
        print(f"lite {variant}: forward {forward:.0f} ms, recorded {median_ms(traced):.0f} ms")
    torch_alone = import_seconds("torch")
    both = import_seconds("torch, dcamsr_lite")
    print(f"import: torch {torch_alone:.2f} s, with dcamsr_lite {both:.2f} s")


if __name__ == "__main__":
    main()
