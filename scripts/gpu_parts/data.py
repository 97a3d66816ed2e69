"""Slices to train on and pairs to judge, made by many processes beside the first parts."""

import json
import multiprocessing
import pickle
import time
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import replace

import torch
from make import HELD_OUT, real_volumes
from torch import Tensor

import dcamsr_lite as dl
from dcamsr_lite.data.pairs import Pair
from dcamsr_lite.errors import InputError, atomic_path
from dcamsr_lite.evaluation import METHODS
from dcamsr_lite.metrics import score
from dcamsr_lite.phantom.subjects import VALIDATION_SEED, simulated_pair, simulated_volumes
from dcamsr_lite.training.dataset import cut_pair, write_slices

from .plan import SCALE, Plan
from .record import write


def prepare_all(plan: Plan) -> None:
    """All subjects, in as many processes as there are cores but two."""
    started = time.perf_counter()
    jobs = [("real", path) for path in sorted(plan.real.glob("*.npz"))] if plan.real else []
    jobs += [("test", VALIDATION_SEED + i) for i in range(plan.tests)]
    jobs += [("simulated", seed) for seed in range(plan.heads)]
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(plan.processes, mp_context=spawn) as pool:
        futures = [pool.submit(prepare_subject, plan, *job) for job in jobs]
        took = dict(future.result() for future in as_completed(futures))
    note = {"seconds": time.perf_counter() - started, "processes": plan.processes, "took": took}
    write(plan.out / "prepare.json", json.dumps(note | {"complete": True}, indent=1) + "\n")


def prepare_subject(plan: Plan, kind: str, source) -> tuple[str, float]:
    """One subject: slices to train on, or a pair to judge with its floors. Finished ones are kept."""
    torch.set_num_threads(1)
    started, size = time.perf_counter(), {"size": plan.size, "slices": plan.slices}
    name = f"{kind}-{source.stem if kind == 'real' else source}"
    judged = kind == "test" or (kind == "real" and HELD_OUT in source.stem.split("_"))
    file = plan.work / ("held_out" if judged else "slices") / name
    file = file.with_name(name + (".pair" if judged else ".safetensors"))
    if file.is_file():
        return name, 0.0
    if kind == "test":
        pair = simulated_pair(source, SCALE, **size)
    else:
        real = kind == "real"
        volumes = real_volumes(source, plan.size) if real else simulated_volumes(source, **size)
        pair = dl.load_pair(*volumes, SCALE) if judged else None
    if not judged:
        write_slices(file, cut_pair(volumes, SCALE))
        return name, time.perf_counter() - started
    scores = {m: score(pair.target_image, make(pair), SCALE) for m, make in METHODS.items()}
    write(file.with_suffix(".json"), json.dumps(scores))
    with atomic_path(file) as temporary:
        temporary.write_bytes(pickle.dumps(choose_slices(pair, torch.arange(len(pair.lr)))))
    return name, time.perf_counter() - started


def choose_slices(pair: Pair, at: Tensor) -> Pair:
    """Some slices of a pair, without k-space, which is large and not needed to judge."""
    volumes = {
        name: replace(volume, images=volume.images[at], kspace=None)
        for name, volume in (("reference", pair.reference), ("given", pair.given))
    }
    tensors = {name: x[at] for name, x in vars(pair).items() if isinstance(x, Tensor)}
    return replace(pair, **volumes, **tensors)


def held_out(plan: Plan, few: bool = False) -> dict[str, Pair]:
    """The pairs that nothing trains on; a few slices of each are enough during a training."""
    pairs = {}
    for file in sorted((plan.work / "held_out").glob("*.pair")):
        pair = pickle.loads(file.read_bytes())  # written by prepare, in this run
        at = torch.linspace(0, len(pair.lr) - 1, min(plan.shown, len(pair.lr))).round().long()
        pairs[file.stem] = choose_slices(pair, at) if few else pair
    if not pairs:
        raise InputError(plan.work, "no held-out pairs", "data that were prepared")
    return pairs
