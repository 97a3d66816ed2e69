"""``dcamsr train``: options to data, network and recipe."""

import json
import os
import shlex
import sys
from argparse import Namespace
from collections.abc import Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path

import torch
from tqdm import tqdm

from ..data.files import read_volume
from ..data.pairs import Pair, load_pair
from ..data.repetitions import read_average
from ..errors import InputError, check_one_of, check_writable, is_out_of_memory
from ..global_state import keep_generators
from ..network.baselines import build
from ..network.checkpoints import load
from ..network.config import SIZES, Config
from ..network.super_resolver import SuperResolver
from ..phantom.subjects import VALIDATION_SEED
from ..training.dataset import Slices, collect_slices, list_files, list_sources, read_simulated_size
from ..training.distributed import count_processes, get_rank, join_processes
from ..training.loop import check_compiler, check_validation, train
from ..training.memory import check_memory, measure_memory
from ..training.recipe import PAPER_STEP, Cutting, Recipe
from ..training.run import SELECTED, check_folder, hold_folder, read_state
from ..training.survey import Survey, check_pair, survey_sources
from .recipe_file import add_recipe, read_settings, write_recipe


def train_network(options: Namespace) -> None:
    """Train as asked; an interrupt says how to go on. Raises InputError."""
    options = add_recipe(options)
    check_one_of("--method", options.method, SIZES)
    settings = read_settings(options.set)
    if "blocks" in settings and options.method == "dcamsr":
        print("note: --set blocks: dcamsr has encoder_blocks and decoder_blocks", file=sys.stderr)
    recipe = Recipe.make(options.preset, vars(options))
    check_device(recipe)
    with join_processes(recipe.device), hold_folder(options.out):
        check_folder(options.out, recipe.resume)
        if (state := Path(options.out) / "state.pt").exists():
            read_state(state)  # a damaged one is found before the data are read
        try:
            train_with(options, recipe, Cutting.make(options.preset, vars(options)))
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


def train_with(options: Namespace, recipe: Recipe, cutting: Cutting) -> None:
    """What can be wrong is looked at in the order of what it costs: headers, validation, all slices."""
    say = print if get_rank() == 0 else lambda *words, **where: None
    if options.cache:
        check_writable(options.cache)
    if recipe.compile:
        check_compiler(recipe.device)
    survey = survey_data(options, recipe, cutting)
    if survey.slices:  # at most so many
        recipe.count_per_step(survey.slices * (1 + cutting.mirror), count_processes())
    exact = survey.slices if cutting.keep_dark and not cutting.mirror else None
    if exact:
        say(count_everything(fit_recipe(options, recipe, exact), exact), file=sys.stderr)
    say(f"reading {', '.join(options.data)}: {survey.pairs} pairs ...", file=sys.stderr)
    # a file whose header does not say its size has to be read for it
    data = None if survey.size else read_slices(options, recipe, cutting, survey.pairs)
    rows, columns = survey.size or measure_slices(data)
    model = build_network(options, recipe, (rows, columns))
    sharing = count_sharing(recipe.device)
    memory = check_memory(model.config, recipe.batch, recipe.device, sharing, recipe.recompute)
    validation = read_validation(options, cutting, max(rows, columns))
    check_validation(model, validation)
    if data is None:
        data = read_slices(options, recipe, cutting, survey.pairs)
    recipe = fit_recipe(options, recipe, len(data))
    counted = count_everything(recipe, len(data))
    if not recipe.patch and (size := measure_slices(data)) != (rows, columns):
        raise InputError("training data", f"slices of {size}", f"{(rows, columns)}, as headers say")
    cut = "cut to" if recipe.patch else "of"
    say(f"{len(data)} slices {cut} {rows} x {columns}, about {memory} GB a step", file=sys.stderr)
    if exact != len(data):
        say(counted, file=sys.stderr)
    notes = recipe.describe() | cutting.describe() | describe_data(options)
    model.sides = survey.sides
    texts = {
        "config.json": json.dumps(vars(model.config), indent=1) + "\n",
        "recipe.json": write_recipe(options, recipe, cutting),
    }
    train(model, data, options.out, validation, notes=notes, texts=texts, **vars(recipe))
    if options.validation:
        say(f"note: {SELECTED}.", file=sys.stderr)
    say(f"wrote {options.out}/last.safetensors: use it with --weights. Not for clinical use.")


def measure_slices(data: Slices | None) -> tuple[int, int]:
    """Rows and columns. Raises InputError where there is no slice."""
    if not data:
        raise InputError("training data", "no slice with contrast", "images")
    rows, columns = data[0][1].shape[-2:]
    return rows, columns


def survey_data(options: Namespace, recipe: Recipe, cutting: Cutting) -> Survey:
    """Look at the headers of all files, the validation's first: there are fewer."""
    first = recipe.seed * 1000
    if any(map(names_simulated, options.data)) and first + options.subjects > VALIDATION_SEED:
        found = f"{recipe.seed}: simulated heads {first} to {first + options.subjects - 1}"
        expected = f"heads below {VALIDATION_SEED}, where those of validation and tests begin"
        raise InputError("--seed", found, expected)
    for name in options.validation:
        if not names_simulated(name):
            for pair in list_files(name, cutting.average_repetitions):
                check_pair(pair, cutting.common_slices, cutting.register)
    size = choose_size(options)
    how = (cutting.common_slices, cutting.register, recipe.patch, cutting.average_repetitions)
    return survey_sources(options.data, size, options.subjects, *how)


def names_simulated(name: str) -> bool:
    return read_simulated_size(name, 1) is not None


def choose_size(options: Namespace) -> int:
    """Rows and columns of simulated heads."""
    return options.image_size or (256 if options.preset == "full" else 128)


def fit_recipe(options: Namespace, recipe: Recipe, slices: int) -> Recipe:
    """A step of the paper's recipe has 32 slices: fewer than its eight GPUs take several each."""
    asked = any(getattr(options, name) for name in ("steps", "batch", "accumulate"))
    if options.preset != "full" or asked:
        return recipe
    once = recipe.batch * count_processes()
    return replace(recipe, accumulate=max(1, min(PAPER_STEP, slices) // once))


def count_everything(recipe: Recipe, slices: int) -> str:
    """How much the training is, in one line.

    >>> count_everything(Recipe.make("full", {"accumulate": 8}), 6912)
    '6912 slices, 32 a step (4 at once, 8 times, 1 process): 216 steps an epoch, 10800 steps in all'
    """
    processes = count_processes()
    together = recipe.count_per_step(slices, processes)
    steps = recipe.count_steps(slices, processes)
    once = -(-together // (recipe.accumulate * processes))
    times = f"{once} at once, {recipe.accumulate} times, {processes} process"
    parts = f"{slices} slices, {together} a step ({times}{'es' * (processes > 1)})"
    return f"{parts}: {slices // together} steps an epoch, {steps} steps in all"


def read_validation(options: Namespace, cutting: Cutting, side: int) -> list[Pair]:
    """This process's share; simulated heads have the data's size: networks may be made for it."""
    average = cutting.average_repetitions
    sources = list_sources(options.validation, side, VALIDATION_SEED, 2, average)
    names = ("order", "normalisation", "common_slices", "register")
    given = {name: getattr(cutting, name) for name in names}
    mine = islice(sources, get_rank(), None, count_processes())
    read = read_average if average else read_volume
    return [load_pair(read(pair[0]), read(pair[1]), options.scale, **given) for pair in mine]


def count_sharing(device: str) -> int:
    """How many processes share the memory: those on this machine, unless each has its own GPU."""
    return 1 if device == "cuda" else int(os.environ.get("LOCAL_WORLD_SIZE", 1))


def read_slices(options: Namespace, recipe: Recipe, cutting: Cutting, count: int) -> Slices:
    """All slices: in memory, or on disk if asked or when they need over a quarter of the memory."""
    first = recipe.seed * 1000
    chosen = (choose_size(options), first, options.subjects, cutting.average_repetitions)
    pairs = list_sources(options.data, *chosen)
    quiet = None if get_rank() == 0 else True  # None: wherever there is a terminal
    shown = tqdm(pairs, "reading", count, unit="pair", disable=quiet)
    folder = options.cache or Path(options.out) / "slices"
    limit = 0.0 if options.cache else measure_memory("cpu") * 1e9 / 4 / count_sharing("cpu")
    return collect_slices(shown, options.scale, folder, limit, recipe.patch, **vars(cutting))


@keep_generators()
def build_network(options: Namespace, recipe: Recipe, size: tuple[int, int]) -> SuperResolver:
    torch.manual_seed(recipe.seed)
    choices = read_settings(options.set) | {"image_size": size}
    choices |= {"method": options.method, "scale": options.scale}
    try:
        model = build(Config.make(options.variant, options.preset, **choices))
    except (TypeError, ValueError, RuntimeError, MemoryError) as error:
        if is_out_of_memory(error):
            found = "a network that needs more memory than there is"
            raise InputError("--set", found, "fewer channels, tokens or blocks") from error
        raise InputError("--set", str(error)[:200], "fields of dcamsr_lite.Config") from error
    if options.init:
        start_from(model, load(options.init, image_size=size))
    return model


def start_from(model: SuperResolver, other: SuperResolver) -> None:
    """Take over the weights of another network, of another variant too: the parts that both have.

    >>> from dcamsr_lite import DCAMSR
    >>> start_from(DCAMSR(image_size=32, spatial=False), DCAMSR(image_size=32, channels=16))
    Traceback (most recent call last):
    ...
    dcamsr_lite.errors.InputError: --init: found a network of other shapes; expected the one ...

    One line says what starts afresh. Raises InputError.
    """
    own, given = model.state_dict(), other.state_dict()
    common = own.keys() & given.keys()
    same = all(own[name].shape == given[name].shape for name in common)
    if not (same and common):
        raise InputError("--init", "a network of other shapes", "the one that is trained")
    if missing := sorted(own.keys() - common):
        words = f"{len(missing)} of {len(own)} tensors are not in it and start afresh"
        more = " ..." if len(missing) > 3 else ""
        print(f"note: --init: {words}: {', '.join(missing[:3])}{more}", file=sys.stderr)
    model.load_state_dict({**own, **{name: given[name] for name in common}})


def describe_data(options: Namespace) -> dict[str, str]:
    """What the weight file says about its making, beside the recipe."""
    return {
        "data": " + ".join(Path(name).name for name in options.data),
        "subjects": str(options.subjects),
        "processes": str(count_processes()),
        "init": Path(options.init).name if options.init else "random",
    }
