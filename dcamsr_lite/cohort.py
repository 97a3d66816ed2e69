"""Many pairs, several methods: a row for each, means over subjects with their intervals.

>>> import numpy as np
>>> a, b = np.random.default_rng(0).random((2, 2, 2, 32, 32))
>>> rows = [(one, two, str(n)) for n, (one, two) in enumerate(zip(a, b))]
>>> found = summarise(list(score_rows({"zero-fill": "zero-fill"}, rows, scale=4)))
>>> found["zero-fill"]["subjects"], len(found["zero-fill"]["interval"]["psnr"])
(2, 2)
"""

import csv
import io
import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor

from .data.matching import Source
from .data.pairs import Pair, load_pair
from .data.repetitions import read_average
from .errors import InputError, atomic_path
from .evaluation import METHODS, Network, run_network
from .metrics import check_finite, score
from .network.super_resolver import unwrap

MEASURES = ("psnr", "ssim", "nmse")
DRAWS = 10_000  # of the bootstrap
COLUMNS = (
    "subject",
    "reference",
    "target",
    "method",
    *MEASURES,
    "misalignment",
    "doubtful",
    "error",
)


@dataclass(frozen=True)
class Reading:
    """How every pair is read, and what the truth is: see ``load_pair`` and ``protocols``."""

    order: str | None = None
    normalisation: str | None = None
    common_slices: bool = False
    register: bool = False
    clamp: bool = False
    average: bool = False

    def load(self, reference: Source, target: Source, scale: int, normalisation: str) -> Pair:
        """One pair, so read. Raises InputError.

        >>> a = np.random.default_rng(0).random((2, 32, 32))
        >>> Reading(order="image").load(a, a, 4, "clean").order
        'image'
        """
        if self.average:
            reference, target = read_average(reference), read_average(target)
        return load_pair(
            reference, target, scale, self.order, normalisation, self.common_slices, self.register
        )


def score_rows(
    methods: dict[str, Network | str],
    rows: Iterable[Sequence],
    scale: int,
    reading: Reading | None = None,
    done: Sequence[dict] = (),
) -> Iterator[dict]:
    """A row of numbers for every pair (reference, target, subject) and method, as it is finished.

    >>> a = np.random.default_rng(0).random((2, 32, 32))
    >>> next(score_rows({"bicubic": "bicubic"}, [(a, a, "7")], scale=4))["subject"]
    '7'

    ``methods``: a name -> a network, or a name of ``evaluation.METHODS``. Rows that are ``done``
    are passed over. A pair that cannot be read has an ``error`` in the place of numbers.
    """
    reading = reading or Reading()
    known = {(row["reference"], row["target"], row["method"]) for row in done}
    for reference, target, subject in rows:
        names = {"subject": subject, "reference": str(reference), "target": str(target)}
        if not isinstance(reference, str | Path):
            names |= {"reference": "array", "target": "array"}
        pairs: dict[str, Pair] = {}  # by normalisation: a pair is read, and registered, once
        for name, method in methods.items():
            row: dict[str, Any] = names | {"method": name}
            if (names["reference"], names["target"], name) in known:
                continue
            try:
                kind = choose_normalisation(method, reading)
                if kind not in pairs:
                    pairs[kind] = reading.load(reference, target, scale, kind)
                row |= score_pair(method, pairs[kind], reading.clamp)
            except InputError as error:
                row |= {"error": str(error)}
            yield row


def choose_normalisation(method: Network | str, reading: Reading) -> str:
    """The asked one, else what a network was trained with, else the authors' where their truth counts.

    >>> choose_normalisation("bicubic", Reading(clamp=True))
    'released'
    """
    if reading.normalisation:
        return reading.normalisation
    trained = None if isinstance(method, str) else getattr(unwrap(method), "normalisation", None)
    return trained or ("released" if reading.clamp else "clean")


def score_pair(method: Network | str, pair: Pair, clamp: bool = False) -> dict[str, Any]:
    """The measures of one method on one pair, and how the pair was registered.

    >>> a = np.random.default_rng(0).random((2, 32, 32))
    >>> sorted(score_pair("bicubic", load_pair(a, a, 4)))
    ['nmse', 'psnr', 'ssim']
    """
    image = run_method(method, pair)
    truth = find_truth(pair, clamp) - pair.offset
    found = score(truth, image - pair.offset, pair.scale)
    row: dict[str, Any] = {name: found[name] for name in MEASURES}
    if (done := pair.registration) is not None:
        row |= {"misalignment": done.misalignment, "doubtful": done.doubtful}
        row |= {"registration": done.to_json()}
    return row


def run_method(method: Network | str, pair: Pair) -> Tensor:
    """What a network, or a method of ``evaluation.METHODS``, makes of a pair, in the target's units.

    >>> a = np.random.default_rng(0).random((2, 32, 32))
    >>> run_method("zero-fill", load_pair(a, a, 4)).shape
    torch.Size([2, 32, 32])

    Raises InputError where it is not finite.
    """
    image = METHODS[method](pair) if isinstance(method, str) else run_network(method, pair)
    check_finite("output", image)
    return image


def find_truth(pair: Pair, clamp: bool) -> Tensor:
    """The target, or what the authors' clamp leaves of it, in the target's units.

    >>> a = np.random.default_rng(0).random((2, 32, 32))
    >>> pair = load_pair(a, a, 4)
    >>> find_truth(pair, clamp=True).shape
    torch.Size([2, 32, 32])
    """
    if pair.target_image is None:
        raise InputError("pair", "no target", "a pair with one, from load_pair")
    if not clamp:
        return pair.target_image
    # by the mean and deviation of the LR image, `scale` times brighter: see `normalisation`
    from .data.normalisation import CLAMP, normalise

    _, mean, std = normalise(pair.scale * (pair.low - pair.offset).unsqueeze(1))
    low, high = ((mean + side * CLAMP * std).squeeze(1) for side in (-1, 1))
    return (pair.target_image - pair.offset).clamp(low, high) + pair.offset


def summarise(rows: Sequence[dict]) -> dict[str, dict]:
    """Of every method: means over volumes, and intervals (95 %) of the mean over subjects.

    >>> rows = [{"method": "a", "subject": n, "psnr": n, "ssim": 0, "nmse": 0} for n in (1, 2)]
    >>> summarise(rows)["a"]["psnr"], summarise(rows)["a"]["interval"]["psnr"]
    (1.5, [1.0, 2.0])

    Subjects are drawn anew, 10,000 times, from seed 0; those with more volumes weigh more.
    """
    found = {}
    sound = [row for row in rows if "error" not in row]
    for method in dict.fromkeys(row["method"] for row in rows):
        subjects: dict[Any, list] = defaultdict(list)
        for row in sound:
            if row["method"] == method:
                subjects[row["subject"]].append([row[measure] for measure in MEASURES])
        told: dict[str, Any] = {"volumes": sum(map(len, subjects.values()))}
        told |= {"subjects": len(subjects)}
        if subjects:
            sums = np.array([np.sum(part, 0) for part in subjects.values()])
            counts = np.array([len(part) for part in subjects.values()])
            drawn = np.random.default_rng(0).integers(len(sums), size=(DRAWS, len(sums)))
            means = sums[drawn].sum(1) / counts[drawn].sum(1)[:, None]
            ends = np.percentile(means, (2.5, 97.5), axis=0).T.tolist()
            told |= dict(zip(MEASURES, (sums.sum(0) / counts.sum()).tolist(), strict=True))
            told |= {"interval": dict(zip(MEASURES, ends, strict=True))}
        found[method] = told
    return found


def find_worst(rows: Sequence[dict], count: int = 3) -> dict[str, list[dict]]:
    """Of every method the volumes with the lowest PSNR.

    >>> rows = [{"method": "a", "target": n, "psnr": n} for n in (3, 1, 2)]
    >>> [row["target"] for row in find_worst(rows, 2)["a"]]
    [1, 2]
    """
    found = {}
    for method in dict.fromkeys(row["method"] for row in rows):
        own = [row for row in rows if row["method"] == method and "error" not in row]
        found[method] = sorted(own, key=lambda row: row["psnr"])[:count]
    return found


def read_done(file: Path, key: dict) -> list[dict]:
    """The rows that a run of the same ``key`` has left; a line that was not written whole is dropped.

    >>> _ = Path("rows.jsonl").write_text('{"scale": 4}\\n{"method": "a"}\\n{"meth')
    >>> read_done(Path("rows.jsonl"), {"scale": 4})
    [{'method': 'a'}]

    Raises InputError for those of another key.
    """
    if not file.is_file():
        return []
    rows = []
    for line in file.read_text(encoding="utf-8").splitlines():
        try:
            rows.append(json.loads(line))
        except ValueError:  # the last one, of a run that was killed
            break
    if rows and rows[0] != key:
        expected = "the same options, or another --out"
        raise InputError(file, "the rows of a run with other options", expected)
    return [row for row in rows[1:] if "error" not in row]


def write_table(file: Path, rows: Sequence[dict]) -> None:
    """A CSV with a line for every pair and method.

    >>> write_table(Path("table.csv"), [{"subject": "7", "method": "bicubic", "psnr": 30.5}])
    >>> Path("table.csv").read_text().splitlines()[1]
    '7,,,bicubic,30.5,,,,,'
    """
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    with atomic_path(file) as temporary:
        temporary.write_text(text.getvalue(), encoding="utf-8")
