"""``dcamsr evaluate``: PSNR, SSIM and NMSE of a method on a pair of volumes."""

import json
from argparse import Namespace

from .. import evaluation
from ..data.files import read_volume
from ..data.matching import Source
from ..data.pairs import Pair, load_pair
from ..data.planes import read_slices, take_plane
from ..data.repetitions import read_average
from ..errors import InputError
from ..network.checkpoints import load
from ..network.super_resolver import SuperResolver
from .evaluate_many import explain_protocols, score_all

PAIR = ("reference", "target", "scale")  # of one pair
MANY = ("protocol", "methods", "out", "resume")  # options of many pairs


def score(options: Namespace) -> None:
    if options.protocol == "list":
        explain_protocols()
        return
    if options.data is not None:
        if given := [f"--{name}" for name in PAIR[:2] if getattr(options, name) is not None]:
            found = f"{given[0]} beside {options.data}"
            raise InputError("dcamsr evaluate", found, "one pair, or a folder or CSV of pairs")
        score_all(options)
        return
    if missing := [f"--{name}" for name in PAIR if getattr(options, name) is None]:
        expected = "them, or a folder or CSV of pairs"
        raise InputError("dcamsr evaluate", f"no {', '.join(missing)}", expected)
    if given := [f"--{name}" for name in MANY if getattr(options, name)]:
        raise InputError(given[0], "one pair", "it with a folder or CSV of pairs")
    model = load_asked(options) if options.method == "dcamsr" else None
    pair = load_asked_pair(options, model)
    if model is not None:
        evaluation.warn_if_far(model, pair)
    result = evaluation.evaluate(model or options.method, pair, options.scale)
    if options.json:
        print(json.dumps(result))
        return
    bands = result["per_volume"][0]["error_by_band"]
    print(f"{result['method']} at {result['scale']}x, {result['volumes']} volume")
    print(f"PSNR {result['psnr']:.2f} dB   SSIM {result['ssim']:.3f}   NMSE {result['nmse']:.4f}")
    print(f"NMSE in the measured band {bands['measured']:.4f}, removed {bands['removed']:.4f}")
    print(f"convention: {result['convention']}")
    print("Not for clinical use.")


def load_asked(options: Namespace) -> SuperResolver:
    """The asked network; a scale that it was not trained for is refused."""
    model = load(options.weights or f"lite-{options.scale}x")
    model.normalisation = model.normalisation or "clean"  # of files that do not say it
    evaluation.check_scale(model, options.scale)
    return model


def load_asked_pair(options: Namespace, model: SuperResolver | None) -> Pair:
    """Reference and target as the options say."""
    pair = load_pair(
        read_average(options.reference) if options.average else options.reference,
        turn_asked(options.target, options),
        options.scale,
        options.order,
        choose_normalisation(options, model),
        options.common_slices,
        options.register,
    )
    return cut_asked(pair, options)


def turn_asked(source: str, options: Namespace) -> Source:
    """The file, or its volume: the mean of its repetitions, in the asked plane."""
    given = read_average(source) if options.average else source
    return take_plane(read_volume(given), options.plane) if options.plane else given


def cut_asked(pair: Pair, options: Namespace) -> Pair:
    """The asked slices of a pair."""
    if options.slices is None:
        return pair
    return pair.take_slices(*read_slices(options.slices, len(pair.lr)))


def choose_normalisation(options: Namespace, model: SuperResolver | None) -> str:
    """The asked one, else the one that the network was trained with."""
    trained = model.normalisation if model else None
    return options.normalisation or trained or "clean"
