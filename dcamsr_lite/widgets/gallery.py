"""A folder that shows every explorer and needs no server: pages, pictures, and an index of them.

>>> from dcamsr_lite.widgets.shared.base import Explorer
>>> entry = Entry("empty", "Empty", "Nothing to see.", lambda: Explorer(message="nothing to show"))
>>> print(save_gallery("gallery", [entry]))
gallery/index.html
"""

import html
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from tqdm import tqdm

from ..data.pairs import Pair
from ..errors import atomic_path
from ..evaluation import METHODS, super_resolve
from ..figures import brightest_slice
from ..network.checkpoints import load
from ..phantom.subjects import DEMO_SEED, simulated_pair
from .attention.explorer import explore
from .attribution.explorer import explore_attribution
from .comparison.explorer import compare_images
from .contrast.explorer import explore_contrasts
from .displacement.explorer import explore_displacement
from .kspace.explorer import explore_kspace
from .lab.explorer import intervention_lab
from .shared.base import Explorer
from .shared.static import style
from .tours import ATTENTION, ATTRIBUTION, FINDING, VARIANTS, misplace

SCALE = 4
ENTRY = """<section class="dx-card">
<h2><a href="{name}.html">{title}</a></h2>
<p>{sentence}</p>
<a href="{name}.html" tabindex="-1" aria-hidden="true"><img src="{name}.png" alt=""></a>
</section>
"""


class Entry(NamedTuple):
    """One explorer of the gallery: file name, title, one sentence, and what makes it.

    >>> [entry.name for entry in GALLERY]
    ['kspace', 'attention', 'footprints', 'variants', 'displacement', 'lab', 'attribution',
    'contrasts', 'swipe']
    """

    name: str
    title: str
    sentence: str
    make: Callable[[], Explorer]
    pictured: Mapping = MappingProxyType({})  # its place on the picture, if not that of its page


@cache
def example() -> tuple[Pair, int]:
    """The head of ``dcamsr demo``, which no network has seen, and the slice that is shown.

    >>> pair, index = example()
    >>> pair.shape
    (128, 128)
    """
    pair = simulated_pair(DEMO_SEED, SCALE)
    return pair, brightest_slice(pair)


def _attention() -> Explorer:
    """The reference was moved, and the network finds it."""
    pair, index = example()
    explorer = explore(load(f"lite-{SCALE}x"), misplace(pair), slice=index)
    explorer.tour, explorer.query = FINDING, FINDING[0]["query"]
    return explorer


def _footprints() -> Explorer:
    pair, index = example()
    explorer = explore(load(f"lite-{SCALE}x-footprints"), pair, slice=index)
    explorer.tour = ATTENTION
    return explorer


def _variants() -> Explorer:
    """The variants that were trained alike, on one pair."""
    pair, index = example()
    alike = [f"lite-{SCALE}x-{variant}" for variant in ("corrected", "paper", "released")]
    models = {name: load(name) for name in alike}
    explorer = explore(models, pair, slice=index)
    explorer.network, explorer.tour = f"lite-{SCALE}x-released", VARIANTS
    return explorer


def _displacement() -> Explorer:
    """A network that finds the reference, where one is here, beside one that takes it as it lies."""
    pair, index = example()
    names = f"lite-{SCALE}x", f"lite-{SCALE}x-footprints"
    return explore_displacement({name: load(name) for name in names}, pair, slice=index)


def _kspace() -> Explorer:
    pair, index = example()
    return explore_kspace(pair, slice=index)


def _lab() -> Explorer:
    """With an answer to the first click on every switch: a saved page cannot run the network."""
    pair, index = example()
    lab = intervention_lab(load(f"lite-{SCALE}x"), pair, slice=index)
    lab.prepare(lab.clicks())
    return lab


def _attribution() -> Explorer:
    """One patch, asked by two methods: a saved page cannot run them."""
    pair, index = example()
    explorer = explore_attribution(load(f"lite-{SCALE}x"), pair, slice=index)
    explorer.tour = ATTRIBUTION
    explorer.patch = ATTRIBUTION[0]["patch"]  # where the attention explorer's tour looks, too
    explorer.run("occlusion", "blur_path")
    return explorer


def _swipe() -> Explorer:
    pair, index = example()
    ways = {name: method(pair)[index] for name, method in METHODS.items()}
    ways["DCAMSR"] = super_resolve(load(f"lite-{SCALE}x"), pair)[index]
    assert pair.target_image is not None  # it is simulated
    return compare_images(ways | {"target": pair.target_image[index]}, point=(82, 66))


GALLERY = [
    Entry(
        "kspace",
        "k-space explorer",
        "Drag a box on k-space: what does an image lose when the rest is never measured?",
        _kspace,
    ),
    Entry(
        "attention",
        "Attention explorer",
        "The reference lies beside its place, and nobody told the network: where does it look?",
        _attention,
    ),
    Entry(
        "footprints",
        "Attention over footprints, as in the paper",
        "Which pixels and which features of the reference does this network read for one pixel?",
        _footprints,
    ),
    Entry(
        "variants",
        "The released code beside the corrected network",
        "Its spatial attention is uniform and its merge of heads moves every value: see from where.",
        _variants,
    ),
    Entry(
        "displacement",
        "Displacement explorer",
        "Shift or turn the reference: does the network still find it, and what does the output keep?",
        _displacement,
    ),
    Entry(
        "lab",
        "Intervention lab",
        "Cut heads, branches and scales, or change the reference: does the output depend on it?",
        _lab,
        {"intervention": {"reference": "blank"}},
    ),
    Entry(
        "attribution",
        "Attribution explorer",
        "What does a patch of the output owe to each contrast, and does the attention agree?",
        _attribution,
    ),
    Entry(
        "contrasts",
        "Contrast explorer",
        "Move TR, TE and TI: which tissue is bright, and where does a lesion hide?",
        explore_contrasts,
    ),
    Entry(
        "swipe",
        "Swipe",
        "Zero-fill, bicubic, the network and the target under one line, each magnified.",
        _swipe,
    ),
]


def save_gallery(folder: str | Path, entries: Sequence[Entry] = GALLERY) -> Path:
    """Write ``index.html`` with a picture, a title, a sentence and a link per explorer; its path.

    >>> entry = Entry("empty", "Empty", "Nothing.", lambda: Explorer(message="nothing to show"))
    >>> sorted(path.name for path in save_gallery("gallery", [entry]).parent.iterdir())
    ['empty.html', 'empty.png', 'index.html']

    Raises InputError when the folder cannot be written.
    """
    folder = Path(folder)
    for entry in tqdm(entries, desc="gallery", disable=None):  # silent where nobody watches
        explorer = entry.make()
        explorer.save_html(folder / f"{entry.name}.html")
        for name, value in entry.pictured.items():
            setattr(explorer, name, value)
        with atomic_path(folder / f"{entry.name}.png") as temporary:
            temporary.write_bytes(explorer.png())
    texts = [
        {field: html.escape(getattr(entry, field)) for field in ("name", "title", "sentence")}
        for entry in entries
    ]
    cards = "".join(ENTRY.format(**text) for text in texts)
    with atomic_path(folder / "index.html") as temporary:
        index = Path(__file__).with_suffix(".html").read_text(encoding="utf-8")
        temporary.write_text(index.format(style=style("gallery.css"), entries=cards), "utf-8")
    return folder / "index.html"
