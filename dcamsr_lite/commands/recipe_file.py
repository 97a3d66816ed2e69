"""A recipe in a file: what decides a training beside its data, as JSON, read and written.

>>> options = add_recipe(parse(["train", "--data", "simulated", "--out", "run"]))
>>> _ = Path("mine.json").write_text('{"preset": "full", "scale": 2, "set": {"heads": 4}}')
>>> again = add_recipe(parse([*options.arguments, "--recipe", "mine.json", "--scale", "4"]))
>>> again.preset, again.scale, again.set
('full', 4, ['heads=4'])
"""

import json
from argparse import BooleanOptionalAction, Namespace
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

from ..errors import InputError
from ..training.recipe import LENGTH, Cutting, Recipe

NETWORK = ("preset", "variant", "method", "scale", "set", "subjects", "image_size")
OWN = ("preset", "variant", "method", "scale", "image_size")  # fields that --set does not set
ELSEWHERE = ("resume", "until")  # of one run, not of a recipe
MAX_BYTES = 2**20


def parse(arguments: Sequence[str]) -> Namespace:
    from ..cli import parser  # which loads this module when it is asked for

    options = parser().parse_args(arguments)
    options.arguments = [*arguments]
    return options


def add_recipe(options: Namespace) -> Namespace:
    """The options with those of ``--recipe FILE`` before them: what was asked otherwise is kept.

    Raises InputError for a file that cannot be read, names that are no options, and wrong values.
    """
    if options.recipe is None:
        return options
    words = read_recipe(options.recipe)
    if any(getattr(options, name) is not None for name in LENGTH):
        words = [word for word in words if word.split("=")[0] not in ("--steps", "--epochs")]
    command, *rest = options.arguments
    try:
        found = parse([command, *words, *rest])
    except InputError as error:
        raise InputError(options.recipe, str(error), "options of `dcamsr train`") from None
    found.arguments = options.arguments
    return found


def read_recipe(file: str | Path) -> list[str]:
    """The options of a recipe as words of the command line. Raises InputError.

    >>> _ = Path("mine.json").write_text('{"steps": 9, "mirror": false, "vary": ["curve", "mirror"]}')
    >>> read_recipe("mine.json")
    ['--steps=9', '--no-mirror', '--vary=curve,mirror']
    """
    expected = "an object of options of `dcamsr train`, such as a training writes as recipe.json"
    try:
        with open(file, "rb") as stream:  # a pipe does not say its size
            read = stream.read(MAX_BYTES + 1)
        if len(read) > MAX_BYTES:
            raise InputError(file, "more than a megabyte", expected)
        content = json.loads(read.decode("utf-8-sig"))
    except OSError as error:
        raise InputError(file, f"{error.strerror}", expected) from error
    except (ValueError, RecursionError) as error:
        found = "brackets nested too deeply" if isinstance(error, RecursionError) else str(error)
        raise (
            error if isinstance(error, InputError) else InputError(file, found, expected)
        ) from None
    if not isinstance(content, dict):
        raise InputError(file, f"a {type(content).__name__}", expected)
    known = [f.name for f in (*fields(Cutting), *fields(Recipe)) if f.name not in ELSEWHERE]
    if unknown := [name for name in content if name not in (*NETWORK, *known)]:
        raise InputError(file, repr(unknown[0])[:80], f"some of {', '.join([*NETWORK, *known])}")
    return [word for name, value in content.items() for word in spell(file, name, value)]


def spell(file: str | Path, name: str, value: Any) -> list[str]:
    """One option as words."""
    option = f"--{name.replace('_', '-')}"
    if isinstance(value, float) and value.is_integer():  # 4.0 and 1e3 are what other programs write
        value = int(value)
    if name == "set" and isinstance(value, dict):
        return [f"{option}={key}={json.dumps(part)}" for key, part in value.items()]
    both = BooleanOptionalAction  # an option and its --no-
    switches = {f.name for f in fields(Cutting) if f.metadata["option"].get("action") is both}
    if value is None or value == [] or value is False and name not in switches:
        return []
    if isinstance(value, bool):
        return [option if value else f"--no-{option[2:]}"]
    if isinstance(value, list) and all(isinstance(part, str) for part in value):
        return [f"{option}={','.join(value)}"]
    if not isinstance(value, str | int | float):
        raise InputError(
            file, f"{name}: a {type(value).__name__}", "a string, number or truth value"
        )
    return [f"{option}={value}"]


def write_recipe(options: Namespace, recipe: Recipe, cutting: Cutting) -> str:
    """What ``--recipe`` reads: everything that decides the weights but the data.

    >>> options = parse(["train", "--data", "simulated", "--out", "run", "--steps", "9"])
    >>> recipe = Recipe.make(options.preset, vars(options))
    >>> json.loads(write_recipe(options, recipe, Cutting()))["steps"]
    9
    """
    network = {name: getattr(options, name) for name in NETWORK}
    chosen = network | {"set": read_settings(options.set)} | cutting.select("note")
    chosen |= recipe.select("weights") | recipe.select("note")
    if options.accumulate is None:
        del chosen["accumulate"]  # follows from preset and processes
    return json.dumps({k: v for k, v in chosen.items() if v is not None}, indent=1) + "\n"


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
        if key in OWN:
            option = f"--{key.replace('_', '-')}"
            expected = f"{option}, an option of its own"
            if key == "image_size":
                expected += " for simulated heads; files say their size"
            raise InputError("--set", key, expected)
        try:
            chosen[key] = json.loads(value)
        except RecursionError:
            raise InputError("--set", f"{key} nested too deeply", "KEY=VALUE") from None
        except ValueError:
            chosen[key] = value
    return chosen
