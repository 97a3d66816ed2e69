"""The methods of the paper's tables by name, and in which files of weights they are.

>>> name_row({"method": "dcamsr", "reference": False})
'lr-guided'
"""

import json
import sys
from argparse import Namespace
from collections import defaultdict
from pathlib import Path

from ..data.volume import refuse_errors
from ..errors import InputError
from ..evaluation import METHODS, Network, check_scale
from ..network.checkpoints import ENDING, load, read_header, weights
from ..network.config import SIZES

# The rows of Table 1, and what `dcamsr train` calls them
TABLE_ONE = {
    "elan": "--method elan",
    "swinir": "--method swinir",
    "lr-guided": "--set reference=false",
    "sanet": "--method minet",  # which stands for MINet and SANet
    "ttsr": "--method ttsr",
    "masa": "--method masa",
    "dcamsr": "--method dcamsr",
}
CUTS = {"reference": "lr-guided", "multiscale": "no-multiscale", "channel": "no-channel",
        "spatial": "no-spatial"}  # fmt: skip


def name_row(config: dict) -> str:
    """What the tables call a network of this configuration.

    >>> name_row({"method": "minet"}), name_row({"method": "dcamsr", "multiscale": False})
    ('sanet', 'no-multiscale')
    """
    method = config.get("method", "dcamsr")
    if method != "dcamsr":
        return {"minet": "sanet"}.get(method, method)
    return next((row for part, row in CUTS.items() if config.get(part) is False), "dcamsr")


def find_weights(folder: str | Path, scale: int) -> dict[str, Path]:
    """The weights of one scale in a folder, and in the folders of trainings in it, by their rows.

    >>> from dcamsr_lite import DCAMSR, save
    >>> Path("runs/a").mkdir(parents=True)
    >>> save(DCAMSR(image_size=32, channel=False), "runs/a/last.safetensors")
    >>> find_weights("runs", scale=4)
    {'no-channel': ...Path('runs/a/last.safetensors')}

    Where several are of one row, each is called by its folder, too. Raises InputError for a damaged
    file.
    """
    found: dict[str, list[Path]] = defaultdict(list)
    for file in sorted([*Path(folder).glob(f"*{ENDING}"), *Path(folder).glob(f"*/last{ENDING}")]):
        header = read_header(file)
        with refuse_errors(file, "weights of ours, with their configuration"):
            config = json.loads(header["config"])
        if config.get("scale") == scale:
            found[name_row(config)].append(file)
    named = {}
    for row, files in found.items():
        for file in files:
            own = file.parent.name if file.stem == "last" else file.stem
            named[row if len(files) == 1 else f"{row} ({own})"] = file
    return named


def choose_methods(options: Namespace, scale: int) -> dict[str, Network | str]:
    """The asked methods by name: without a network, weights of the package or of files, table rows.

    ``--weights`` may be a folder of trainings. Raises InputError, also for a row without weights.
    """
    asked = options.weights
    rows = find_weights(asked, scale) if asked and Path(asked).is_dir() else {}
    own = [name for name in weights() if f"{scale}x" in name.split("-")]
    rows = ({} if rows or not asked else {"dcamsr": Path(asked)}) | rows
    names = (options.methods or options.method).split(",")
    if names == ["all"]:
        names = [*METHODS, *own, *rows]
        known = {row.split(" (")[0] for row in rows} | {"dcamsr"}
        if missing := [row for row in TABLE_ONE if row not in known]:
            how = (
                f"dcamsr train {TABLE_ONE[missing[0]]} --scale {scale} ... --out RUNS/{missing[0]}"
            )
            said = f"no weights of {', '.join(missing)}; `{how}`, and --weights RUNS"
            print(f"note: --methods all: {said}", file=sys.stderr)
    chosen: dict[str, Network | str] = {}
    for name in dict.fromkeys(names):
        if name in METHODS:
            chosen[name] = name
            continue
        is_row = name in TABLE_ONE or name in SIZES or name in CUTS.values()
        if is_row and name != "dcamsr" and name not in rows:
            several = [row for row in rows if row.startswith(f"{name} (")]
            expected = f"one of {several}" if several else "--weights, a folder of trainings"
            raise InputError(f"--methods {name}", "no weights of it", expected)
        model = load(rows.get(name, f"lite-{scale}x" if name == "dcamsr" else name))
        model.normalisation = model.normalisation or "clean"  # of files that do not say it
        check_scale(model, scale)
        chosen[name] = model
    return chosen
