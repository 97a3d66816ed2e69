"""``dcamsr train``: options to data, network and recipe."""

import json
import os
import shlex
import sys
from argparse import Namespace
from collections.abc import Sequence
from itertools import islice
from pathlib import Path

import torch

from ..data.pairs import load_pair
from ..errors import InputError, atomic_path
from ..network.baselines import build
from ..network.checkpoints import load
from ..network.config import Config
from ..network.super_resolver import SuperResolver
from ..phantom.subjects import VALIDATION_SEED
from ..training.dataset import Slices, collect_slices, list_sources
from ..training.distributed import count_processes, get_rank, join_processes
from ..training.loop import train
from ..training.memory import check_memory, measure_memory
from ..training.recipe import Recipe
from ..training.run import SELECTED


def train_network(options: Namespace) -> None:
    """Train as asked; an interrupt says how to go on. Raises InputError."""
    recipe = Recipe.make(options.preset, vars(options))
    check_device(recipe)
    with join_processes(recipe.device):
        try:
            train_with(options, recipe)
        except KeyboardInterrupt:
            if get_rank() == 0 and (Path(options.out) / "state.pt").is_file():
                print(f"\nsaved in {options.out}. To go on:", file=sys.stderr)
                print(f"    {name_command(options.arguments, sys.argv[0])}", file=sys.stderr)
            raise
        except torch.cuda.OutOfMemoryError as error:
            found = f"no memory left on the GPU for {recipe.batch} slices at once"
            expected = f"a smaller --batch with --accumulate; the state in {options.out} is kept"
            raise InputError(f"--batch {recipe.batch}", found, expected) from error


def check_device(recipe: Recipe) -> None:
    if recipe.device != "cuda":
        return
    if not torch.cuda.is_available():
        raise InputError("--device cuda", "no CUDA device in torch", "a GPU build, or --device cpu")
    if recipe.bf16 and torch.cuda.get_device_capability() < (8, 0):  # a T4 only imitates it
        name = torch.cuda.get_device_name()
        raise InputError("--bf16", f"a {name}, which is slow at it", "float32: no --bf16")


def name_command(arguments: Sequence[str], program: str) -> str:
    """The command that goes on where this one was stopped.

    >>> name_command(["train", "--data", "my pairs.csv", "--out", "run"], "bin/dcamsr")
    "dcamsr train --data 'my pairs.csv' --out run --resume"
    """
    start = ["dcamsr"]
    if Path(program).name == "__main__.py":
        start = ["python", "-m", "dcamsr_lite"]
    if count_processes() > 1:
        local = os.environ.get("LOCAL_WORLD_SIZE", str(count_processes()))
        start = ["torchrun", f"--nproc-per-node={local}", "-m", "dcamsr_lite"]
    more = [] if "--resume" in arguments else ["--resume"]
    return shlex.join([*start, *arguments, *more])


def train_with(options: Namespace, recipe: Recipe) -> None:
    say = print if get_rank() == 0 else lambda *words, **where: None
    say(f"reading {', '.join(options.data)} ...", file=sys.stderr)
    data = read_slices(options, recipe)
    rows, columns = data[0][1].shape[-2:]
    model = build_network(options, recipe, (rows, columns))
    memory = check_memory(model.config, recipe.batch, recipe.device, count_sharing(recipe.device))
    say(f"{len(data)} slices of {rows} x {columns}, about {memory} GB a step", file=sys.stderr)
    # simulated heads of the data's own size: a network may be made for one size alone
    held_out = list_sources(options.validation, max(rows, columns), VALIDATION_SEED, 2)
    common = options.common_slices
    held_out = (load_pair(*pair, options.scale, common_slices=common) for pair in held_out)
    validation = islice(held_out, get_rank(), None, count_processes())
    notes = recipe.describe() | describe_data(options)
    train(model, data, options.out, validation, notes=notes, **vars(recipe))
    if get_rank() == 0:
        with atomic_path(Path(options.out) / "config.json") as temporary:
            temporary.write_text(json.dumps(vars(model.config), indent=1) + "\n", encoding="utf-8")
    if options.validation:
        say(f"note: {SELECTED}.", file=sys.stderr)
    say(f"wrote {options.out}/last.safetensors: use it with --weights. Not for clinical use.")


def count_sharing(device: str) -> int:
    """How many processes share the memory: those on this machine, unless each has its own GPU."""
    return 1 if device == "cuda" else int(os.environ.get("LOCAL_WORLD_SIZE", 1))


def read_slices(options: Namespace, recipe: Recipe) -> Slices:
    """All slices: in memory, or on disk if asked or when they need over a quarter of the memory."""
    first = recipe.seed * 1000
    if "simulated" in options.data and first + options.subjects > VALIDATION_SEED:
        found = f"{recipe.seed}: simulated heads {first} to {first + options.subjects - 1}"
        expected = f"heads below {VALIDATION_SEED}, where those of validation and tests begin"
        raise InputError("--seed", found, expected)
    size = options.image_size or (256 if options.preset == "full" else 128)
    pairs = list_sources(options.data, size, first, options.subjects)
    folder = options.cache or Path(options.out) / "slices"
    limit = 0.0 if options.cache else measure_memory("cpu") * 1e9 / 4 / count_sharing("cpu")
    return collect_slices(pairs, options.scale, folder, limit, options.common_slices)


def build_network(options: Namespace, recipe: Recipe, size: tuple[int, int]) -> SuperResolver:
    torch.manual_seed(recipe.seed)
    choices = read_settings(options.set) | {"image_size": size}
    choices |= {"method": options.method, "scale": options.scale}
    try:
        model = build(Config.make(options.variant, options.preset, **choices))
    except (TypeError, ValueError, RecursionError) as error:
        raise InputError("--set", str(error)[:200], "fields of dcamsr_lite.Config") from error
    if options.init:
        start = load(options.init, image_size=size).state_dict()
        shapes = [{k: v.shape for k, v in state.items()} for state in (start, model.state_dict())]
        if shapes[0] != shapes[1]:
            raise InputError("--init", "a network of other shapes", "the one that is trained")
        model.load_state_dict(start)
    return model


def read_settings(pairs: Sequence[str]) -> dict:
    """KEY=VALUE options; a value is JSON where it reads as such, else a string.

    >>> read_settings(["channel=false", "merge=scrambled"])
    {'channel': False, 'merge': 'scrambled'}
    """
    chosen = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals:
            raise InputError("--set", repr(pair), "KEY=VALUE")
        try:
            chosen[key] = json.loads(value)
        except RecursionError:
            raise InputError("--set", f"{key} nested too deeply", "KEY=VALUE") from None
        except ValueError:
            chosen[key] = value
    return chosen


def describe_data(options: Namespace) -> dict[str, str]:
    """What the weight file says about its making, beside the recipe."""
    return {
        "data": " + ".join(Path(name).name for name in options.data),
        "subjects": str(options.subjects),
        "processes": str(count_processes()),
        "init": Path(options.init).name if options.init else "random",
    }
