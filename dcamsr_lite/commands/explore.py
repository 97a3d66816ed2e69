"""``dcamsr explore``: the attention microscope on a slice, or all explorers, as pages."""

from argparse import Namespace

from .. import widgets
from ..errors import InputError, check_output, check_writable
from ..evaluation import warn_if_far
from .evaluate import load_asked, load_asked_pair

NEEDED = ("reference", "target", "scale", "out")  # unless it is the gallery


def write_page(options: Namespace) -> None:
    given = [name for name in NEEDED if getattr(options, name) is not None]
    if options.gallery is not None:
        if given:
            raise InputError("--gallery", f"--{given[0]} beside it", "--gallery alone")
        check_writable(options.gallery)
        index = widgets.save_gallery(options.gallery)
        print(f"wrote {index}: open it in a browser. Not for clinical use.")
        return
    if missing := [f"--{name}" for name in NEEDED if name not in given]:
        raise InputError("dcamsr explore", f"no {', '.join(missing)}", "them, or --gallery FOLDER")
    if not options.out.lower().endswith(".html"):
        raise InputError("--out", options.out, "a name that ends in .html")
    check_output(options.out, options.reference, options.target, options.weights)
    model = load_asked(options)
    pair = load_asked_pair(options, model)
    if options.slice is not None and not 0 <= options.slice < len(pair.lr):
        raise InputError("--slice", str(options.slice), f"0 to {len(pair.lr) - 1}")
    warn_if_far(model, pair)
    widgets.explore(model, pair, slice=options.slice, tour=True).save_html(options.out)
    print(f"wrote {options.out}: open it in a browser. Not for clinical use.")
