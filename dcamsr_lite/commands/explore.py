"""``dcamsr explore``: an explorer on a slice, or all of them on a simulated head, as pages."""

from argparse import Namespace

from .. import widgets
from ..data.pairs import Pair
from ..errors import InputError, check_output, check_writable
from ..evaluation import METHODS as WAYS
from ..evaluation import super_resolve, warn_if_far
from ..figures import brightest_slice
from ..interpret.attribution import METHODS
from ..network.super_resolver import SuperResolver
from ..widgets.shared.base import Explorer
from .evaluate import load_asked, load_asked_pair

PAGES = ("attention", "kspace", "swipe", "lab", "attribution", "displacement", "contrasts")
NEEDED = ("reference", "target", "scale", "out")  # unless it is the gallery, or contrasts


def write_page(options: Namespace) -> None:
    given = [name for name in NEEDED if getattr(options, name) is not None]
    if options.gallery is not None:
        if given:
            raise InputError("--gallery", f"--{given[0]} beside it", "--gallery alone")
        check_writable(options.gallery)
        index = widgets.save_gallery(options.gallery)
        print(f"wrote {index}: open it in a browser. Not for clinical use.")
        return
    needed = ("out",) if options.page == "contrasts" else NEEDED
    if missing := [f"--{name}" for name in needed if name not in given]:
        raise InputError("dcamsr explore", f"no {', '.join(missing)}", "them, or --gallery FOLDER")
    if options.page not in PAGES:
        raise InputError("--page", options.page, f"one of {', '.join(PAGES)}")
    if not options.out.lower().endswith(".html"):
        raise InputError("--out", options.out, "a name that ends in .html")
    if options.page == "contrasts":
        _write_contrasts(options.out, given)
        return
    check_output(options.out, options.reference, options.target, options.weights)
    model = load_asked(options)
    pair = load_asked_pair(options, model)
    if options.slice is not None and not 0 <= options.slice < len(pair.lr):
        raise InputError("--slice", str(options.slice), f"0 to {len(pair.lr) - 1}")
    warn_if_far(model, pair)
    make_page(options.page, model, pair, options.slice).save_html(options.out)
    print(f"wrote {options.out}: open it in a browser. Not for clinical use.")


def make_page(page: str, model: SuperResolver, pair: Pair, index: int | None) -> Explorer:
    """The explorer of that name, with the answers that the browser cannot compute itself.

    Of the lab those to one click on every switch, of attribution every method at the middle.
    """
    if page == "kspace":
        return widgets.explore_kspace(pair, slice=index)
    if page == "swipe":
        return _compare_ways(model, pair, brightest_slice(pair) if index is None else index)
    if page == "displacement":
        return widgets.explore_displacement(model, pair, slice=index)
    if page == "lab":
        lab = widgets.intervention_lab(model, pair, slice=index)
        lab.prepare(lab.clicks())
        return lab
    if page == "attribution":
        explorer = widgets.explore_attribution(model, pair, slice=index)
        explorer.run(*reversed(METHODS))  # shows the last one: as it opens in a notebook
        return explorer
    return widgets.explore(model, pair, slice=index, tour=True)


def _write_contrasts(out: str, given: list[str]) -> None:
    if given != ["out"]:
        expected = "--out PAGE.html alone: its head is simulated"
        raise InputError("--page contrasts", f"--{given[0]} beside it", expected)
    check_output(out)
    widgets.explore_contrasts().save_html(out)
    print(f"wrote {out}: open it in a browser. Not for clinical use.")


def _compare_ways(model: SuperResolver, pair: Pair, index: int) -> Explorer:
    ways = {name: method(pair)[index] for name, method in WAYS.items()}
    ways["network"] = super_resolve(model, pair)[index]
    if pair.target_image is not None:
        ways["target"] = pair.target_image[index]
    return widgets.compare_images(ways)
