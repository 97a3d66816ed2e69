"""``dcamsr figure``: whether two contrasts lie on each other, before and after a registration."""

from argparse import Namespace

from ..errors import check_output
from ..figures import write_png
from ..overlays import draw_overlays
from .evaluate import load_asked_pair


def draw(options: Namespace) -> None:
    check_output(options.out, options.reference, options.target, endings=(".png",))
    pair = load_asked_pair(options, None)
    write_png(draw_overlays(pair, options.slice), options.out)
    print(f"wrote {options.out}. Not for clinical use.")
