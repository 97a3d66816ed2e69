"""``dcamsr super-resolve``: a volume made sharper, guided by another, in its own units and format."""

from argparse import Namespace
from contextlib import suppress

from ..data.files import EXTENSIONS, write_volume
from ..data.pairs import load_input
from ..errors import InputError, check_output
from ..evaluation import super_resolve, warn_if_far
from .evaluate import choose_normalisation, load_asked


def sharpen(options: Namespace) -> None:
    inputs = (options.reference, options.input, options.weights)
    check_output(options.out, *inputs, endings=EXTENSIONS)
    check_raw(options.out)
    model = load_asked(options)
    normalisation = choose_normalisation(options, model)
    pair = load_input(
        options.reference, options.input, options.scale, normalisation, options.common_slices
    )
    warn_if_far(model, pair)
    write_volume(options.out, super_resolve(model, pair), like=pair.grid)
    print(f"wrote {options.out}. Not for clinical use.")


def check_raw(out: str) -> None:
    """Raise InputError where a reconstruction would take the place of k-space."""
    if not out.lower().endswith(".h5"):
        return
    import h5py

    raw = False
    with suppress(Exception), h5py.File(out) as file:  # no file, or none of HDF5
        raw = "kspace" in file
    if raw:
        raise InputError(out, "measured k-space, which would be lost", "another file to write")
