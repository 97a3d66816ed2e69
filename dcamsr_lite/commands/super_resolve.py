"""``dcamsr super-resolve``: a volume made sharper, guided by another, in its own units and format."""

import os
from argparse import Namespace
from contextlib import suppress

from ..data.dicom import check_new_folder, is_dicom, write_dicom
from ..data.files import EXTENSIONS, write_volume
from ..data.pairs import load_input
from ..data.repetitions import read_average
from ..errors import InputError, check_output
from ..evaluation import super_resolve, warn_if_far
from .evaluate import choose_normalisation, cut_asked, load_asked, turn_asked


def sharpen(options: Namespace) -> None:
    inputs = (options.reference, options.input, options.weights)
    series = options.out.endswith(("/", os.sep))  # a folder, of a DICOM series
    if series:
        check_new_folder(options.out)
    else:
        check_output(options.out, *inputs, endings=EXTENSIONS)
        check_raw(options.out)
    model = load_asked(options)
    normalisation = choose_normalisation(options, model)
    given = turn_asked(options.input, options)
    pair = load_input(
        read_average(options.reference) if options.average else options.reference,
        given,
        options.scale,
        normalisation,
        options.common_slices,
        options.register,
    )
    pair = cut_asked(pair, options)
    warn_if_far(model, pair)
    said = f"DCAMSR-lite {options.scale}x, not for clinical use"
    if pair.registration is not None:
        said += f"; {pair.registration.summary}"
    images = super_resolve(model, pair)
    if series:
        source = options.input if is_dicom(options.input) else None
        write_dicom(options.out, images, pair.grid, source, said)
    else:
        write_volume(options.out, images, like=pair.grid, description=said)
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
