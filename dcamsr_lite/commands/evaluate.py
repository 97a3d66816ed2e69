"""``dcamsr evaluate``: PSNR, SSIM and NMSE of a method on a pair of volumes."""

import json
import sys
from argparse import Namespace
from pathlib import Path

from .. import evaluation
from ..data.pairs import Pair, load_pair
from ..network.checkpoints import load, read_header
from ..network.super_resolver import SuperResolver


def score(options: Namespace) -> None:
    model = load_asked(options) if options.method == "dcamsr" else None
    pair = load_asked_pair(options)
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
    evaluation.check_scale(model, options.scale)
    return model


def load_asked_pair(options: Namespace) -> Pair:
    """Reference and target as the options say."""
    return load_pair(
        options.reference,
        options.target,
        options.scale,
        options.order,
        choose_normalisation(options),
        options.common_slices,
    )


def choose_normalisation(options: Namespace) -> str:
    """The asked one, else the one that the weights were trained with, as their file says."""
    trained = "clean"
    if options.weights and Path(options.weights).suffix == ".safetensors":
        trained = read_header(options.weights).get("normalisation", trained)
    chosen = options.normalisation or trained
    if chosen != trained:
        words = f"the weights were trained with {trained} normalisation, this is {chosen}"
        print(f"warning: {words}: expect a lower quality", file=sys.stderr)
    return chosen
