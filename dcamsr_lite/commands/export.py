"""``dcamsr export``: a network as one ONNX file, compared with torch before it is believed."""

from argparse import Namespace
from pathlib import Path

from ..errors import InputError, check_output
from ..export.onnx_file import LICENCE, export_onnx, measure_difference
from ..network.checkpoints import ENDING, load, read_header, weights

FAR = 1e-3  # of the output's range: more than rounding


def write_onnx(options: Namespace) -> None:
    check_output(options.out, options.weights, endings=(".onnx",))
    model = load(options.weights)
    export_onnx(model, options.out, choose_size(options.image_size), **find_origin(options.weights))
    far = measure_difference(options.out, model)
    if not far < FAR:
        raise InputError(options.out, f"an output {far:.1g} of its range from torch's", "the same")
    size = Path(options.out).stat().st_size / 1e6
    print(f"wrote {options.out}: {size:.1f} MB, within {far:.0e} of torch. Not for clinical use.")


def choose_size(given: list[int] | None) -> tuple[int, int] | None:
    """Rows and columns from one or two numbers.

    >>> choose_size([128]), choose_size([128, 96])
    ((128, 128), (128, 96))
    """
    if given is None:
        return None
    if len(given) > 2:
        raise InputError(
            "--image-size", f"{len(given)} numbers", "rows and columns, or one for both"
        )
    return given[0], given[-1]


def find_origin(name: str) -> dict[str, str]:
    """Which weights these are, and what is known of their licence.

    >>> find_origin("lite-4x")["licence"]
    'MIT (weights); data as named in README.md'
    """
    if Path(name).suffix != ENDING:
        card = weights()[name]
        return {"weights": name, "weights_sha256": card["sha256"], "licence": card["licence"]}
    return {"weights": Path(name).name, "licence": read_header(name).get("licence", LICENCE)}
