"""The command ``dcamsr train``: options to data, network and recipe."""

import json
import os
import shlex
import sys
from argparse import Namespace
from collections.abc import Sequence
from itertools import islice
from pathlib import Path

import torch
from torch.utils.data import Dataset

from ..data.augmentation import choose_kinds
from ..errors import InputError, atomic_path
from ..network.baselines import build
from ..network.checkpoints import load
from ..network.config import Config
from ..network.super_resolver import SuperResolver
from ..phantom.subjects import VALIDATION_SEED
from ..training.dataset import collect, sources
from ..training.distributed import processes, rank, world
from ..training.loop import RECIPES, train
from ..training.memory import check_memory, device_memory
from ..training.run import SELECTED

NOT_OF_THE_PRESET = "accumulate seed bf16 average".split()
NOTES = "seed accumulate loss subjects average".split()


def settings(pairs: Sequence[str]) -> dict:
    """KEY=VALUE options; a value is JSON where it reads as such, else a string.

    >>> settings(["channel=false", "merge=scrambled"])
    {'channel': False, 'merge': 'scrambled'}
    """
    chosen = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals:
            raise InputError("--set", repr(pair), "KEY=VALUE")
        try:
            chosen[key] = json.loads(value)
        except ValueError:
            chosen[key] = value
    return chosen


def run(options: Namespace) -> None:
    """Train as asked; an interrupt says how to go on. Raises InputError."""
    check_device(options)
    options.batch = options.batch or RECIPES[options.preset]["batch"]
    with processes(options.device):
        try:
            train_with(options)
        except KeyboardInterrupt:
            if rank() == 0 and (Path(options.out) / "state.pt").is_file():
                print(f"\nsaved in {options.out}. To go on:", file=sys.stderr)
                print(f"    {to_go_on(options.arguments, sys.argv[0])}", file=sys.stderr)
            raise
        except torch.cuda.OutOfMemoryError as error:
            found = f"no memory left on the GPU for {options.batch} slices at once"
            expected = f"a smaller --batch with --accumulate; the state in {options.out} is kept"
            raise InputError(f"--batch {options.batch}", found, expected) from error


def check_device(options: Namespace) -> None:
    if options.device != "cuda":
        return
    if not torch.cuda.is_available():
        raise InputError("--device cuda", "no CUDA device in torch", "a GPU build, or --device cpu")
    if options.bf16 and torch.cuda.get_device_capability() < (8, 0):  # a T4 only imitates it
        name = torch.cuda.get_device_name()
        raise InputError("--bf16", f"a {name}, which is slow at it", "float32: no --bf16")


def to_go_on(arguments: Sequence[str], program: str) -> str:
    """The command that goes on where this one was stopped.

    >>> to_go_on(["train", "--data", "my pairs.csv", "--out", "run"], "bin/dcamsr")
    "dcamsr train --data 'my pairs.csv' --out run --resume"
    """
    start = ["dcamsr"]
    if Path(program).name == "__main__.py":
        start = ["python", "-m", "dcamsr_lite"]
    if world() > 1:
        local = os.environ.get("LOCAL_WORLD_SIZE", str(world()))
        start = ["torchrun", f"--nproc-per-node={local}", "-m", "dcamsr_lite"]
    more = [] if "--resume" in arguments else ["--resume"]
    return shlex.join([*start, *arguments, *more])


def train_with(options: Namespace) -> None:
    say = print if rank() == 0 else lambda *words, **where: None
    say(f"reading {', '.join(options.data)} ...", file=sys.stderr)
    size = options.image_size or (256 if options.preset == "full" else 128)
    data = read(options, size)
    rows, columns = data[0][1].shape[-2:]
    model = network(options, (rows, columns))
    gigabytes = check_memory(
        model.config, options.batch, options.device, neighbours(options.device)
    )
    say(f"{len(data)} slices of {rows} x {columns}, about {gigabytes} GB a step", file=sys.stderr)
    # simulated heads of the data's own size: a network may be made for one size alone
    held_out = sources(options.validation, options.scale, max(rows, columns), VALIDATION_SEED, 2)
    recipe = recipe_of(options)
    train(
        model,
        data,
        options.out,
        validation=islice(held_out, rank(), None, world()),
        every=options.every,
        resume=options.resume,
        device=options.device,
        compiled=options.compile,
        workers=options.workers,
        until=options.until,
        notes=notes_of(options, recipe),
        **recipe,
    )
    if rank() == 0:
        with atomic_path(Path(options.out) / "config.json") as temporary:
            temporary.write_text(json.dumps(vars(model.config), indent=1) + "\n", encoding="utf-8")
    if options.validation:
        say(f"note: {SELECTED}.", file=sys.stderr)
    say(f"wrote {options.out}/last.safetensors: use it with --weights. Not for clinical use.")


def neighbours(device: str) -> int:
    """How many processes share the memory: those on this machine, unless each has its own GPU."""
    return 1 if device == "cuda" else int(os.environ.get("LOCAL_WORLD_SIZE", 1))


def read(options: Namespace, size: int) -> Dataset:
    """All slices: in memory, or on disk if asked or when they need over a quarter of the memory."""
    first = options.seed * 1000
    if "simulated" in options.data and first + options.subjects > VALIDATION_SEED:
        found = f"{options.seed}: simulated heads {first} to {first + options.subjects - 1}"
        expected = f"heads below {VALIDATION_SEED}, where those of validation and tests begin"
        raise InputError("--seed", found, expected)
    pairs = sources(options.data, options.scale, size, first, options.subjects)
    folder = options.cache or Path(options.out) / "slices"
    limit = 0.0 if options.cache else device_memory("cpu") * 1e9 / 4 / neighbours("cpu")
    return collect(pairs, options.scale, folder, limit)


def network(options: Namespace, size: tuple[int, int]) -> SuperResolver:
    torch.manual_seed(options.seed)
    choices = settings(options.set) | {"image_size": size}
    choices |= {"method": options.method, "scale": options.scale}
    try:
        model = build(Config.make(options.variant, options.preset, **choices))
    except (TypeError, ValueError) as error:
        raise InputError("--set", str(error), "fields of dcamsr_lite.Config") from error
    if options.init:
        start = load(options.init, image_size=size).state_dict()
        shapes = {name: tuple(value.shape) for name, value in model.state_dict().items()}
        if shapes != {name: tuple(value.shape) for name, value in start.items()}:
            raise InputError("--init", "a network of other shapes", "the one that is trained")
        model.load_state_dict(start)
    return model


def recipe_of(options: Namespace) -> dict:
    """The preset's recipe with what was asked otherwise."""
    recipe = dict(RECIPES[options.preset])
    if options.steps:
        recipe.pop("epochs", None)
    for name in ("steps", "epochs", "rate", "schedule", "batch"):
        if getattr(options, name) is not None:
            recipe[name] = getattr(options, name)
    recipe |= {name: getattr(options, name) for name in NOT_OF_THE_PRESET}
    return recipe | {"variation": choose_kinds(options.vary), "squared": options.loss == "l2"}


def notes_of(options: Namespace, recipe: dict) -> dict[str, str]:
    """What the weight file says about its making."""
    notes = {name: str(getattr(options, name)) for name in NOTES}
    length = "epochs" if recipe.get("epochs") else "steps"
    of_the_recipe = (length, "rate", "batch")
    notes |= {name: str(recipe[name]) for name in of_the_recipe if name in recipe}
    notes |= {"vary": ",".join(recipe["variation"]) or "nothing", "processes": str(world())}
    notes |= {"data": " + ".join(Path(name).name for name in options.data)}
    return notes | {"init": Path(options.init).name if options.init else "random"}
