"""``dcamsr super-resolve``: a volume made sharper, guided by another, in its own units and format."""

from argparse import Namespace

from ..data.files import write_volume
from ..data.pairs import load_input
from ..errors import check_output
from ..evaluation import super_resolve, warn_if_far
from .evaluate import choose_normalisation, load_asked


def sharpen(options: Namespace) -> None:
    check_output(options.out, options.reference, options.input, options.weights)
    model = load_asked(options)
    normalisation = choose_normalisation(options)
    pair = load_input(options.reference, options.input, options.scale, normalisation)
    warn_if_far(model, pair)
    write_volume(options.out, super_resolve(model, pair), like=pair.grid)
    print(f"wrote {options.out}. Not for clinical use.")
