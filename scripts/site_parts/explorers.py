"""Explorers on the site: in the gallery, and in place of the pictures that notebooks keep of them.

A widget of a notebook asks a kernel, which a site has none of: there it would be an empty cell. So the
page that it saves stands in its place, which answers by itself; and where a reader would be refused
there (painting, other shifts), the live page, opened in the cell's state: it runs the network.
"""

import html
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import links

from dcamsr_lite.widgets.attention.explorer import AttentionExplorer
from dcamsr_lite.widgets.gallery import GALLERY, Entry, save_gallery
from dcamsr_lite.widgets.shared.base import Explorer
from dcamsr_lite.widgets.shared.static import page
from dcamsr_lite.widgets.tours import FINDING, MISPLACED

FOLDER = "gallery-pages"
SHOWN = re.compile(r"(Comparison|\w+Explorer|InterventionLab): ")  # how an explorer prints itself
FOUND = {"query": FINDING[0]["query"], "level": 1}
# Of the gallery: what is larger than the site has room for, and runs live without being saved.
LIVE = {
    "attention": links.open_live(4, {"shift": [*MISPLACED]}, **FOUND),
    "lab": links.open_live(4, {"reference": "blank"}),
}
COARSE = "variants"  # three networks, 14 MB


@dataclass(frozen=True)
class Stand:
    """What stands in a notebook's page for an explorer of that kind, and what is said of it."""

    kind: str
    address: str
    words: str


def _saved(kind: str, name: str, words: str) -> Stand:
    return Stand(kind, f"{FOLDER}/{name}.html", words)


def _paint(image: str, row: int, column: int, strength: float) -> dict:
    lesion = {"image": image, "row": row, "column": column, "radius": 4, "strength": strength}
    return {"lesions": [lesion]}


LAB = "The network of the live page, which finds its reference; the notebook's has footprints."
WHOLE = "The page that this explorer saves, of a slice of the same head."
ADDED = links.open_live(4, _paint("reference", 64, 64, 0.3))
REMOVED = links.open_live(4, _paint("reference", 50, 48, -0.25))
# notebook -> its explorers, from top to bottom
STANDS = {
    "00_start_here": [
        _saved("Comparison", "swipe", WHOLE),
        Stand("AttentionExplorer", f"{LIVE['attention']}&embed=map", "The network runs here."),
    ],
    "01_kspace": [_saved("KSpaceExplorer", "kspace", WHOLE)],
    "02_two_contrasts": [_saved("ContrastExplorer", "contrasts", WHOLE)],
    "03_dcamsr_in_einops": [
        _saved("AttentionExplorer", "footprints", "With the shipped attention, not yours.")
    ],
    "04_attention_microscope": [
        _saved("AttentionExplorer", "footprints", WHOLE),
        Stand("InterventionLab", f"{ADDED}&embed=lab", LAB),
    ],
    "07_attribution": [
        _saved(
            "AttributionExplorer",
            "attribution",
            "One patch of the same head, by two methods.",
        )
    ],
    "08_when_it_fails": [Stand("InterventionLab", f"{REMOVED}&embed=lab", LAB)],
}


def saved() -> list[Entry]:
    """What of the gallery is on the site as pages of their own."""
    return [entry for entry in GALLERY if entry.name not in LIVE]


def save_explorers(folder: Path) -> None:
    """All pages of the gallery that the site has, and the pictures of those that run live."""
    save_gallery(folder, [entry for entry in saved() if entry.name != COARSE])
    for entry in GALLERY:
        if entry.name in (*LIVE, COARSE):
            explorer = entry.make()
            for name, value in entry.pictured.items():
                setattr(explorer, name, value)
            (folder / f"{entry.name}.png").write_bytes(explorer.png())
            if entry.name == COARSE:
                save_coarse(explorer, folder / f"{entry.name}.html")


def save_coarse(explorer: AttentionExplorer, path: Path) -> None:
    """A saved page without its finest level, which is four fifths of it, and the steps about that."""
    finest, second, *_ = sorted(map(int, explorer.levels))
    explorer.tour = [step for step in explorer.tour if f"level {finest}" not in step["text"]]
    picture = explorer._twin()
    state = Explorer.state(explorer) | explorer._from_level(second)
    notes = [note for note in explorer.info["notes"] if f"level {finest}" not in note]
    notes.append(f"without level {finest}, for which this site has no room")
    state["info"] = state["info"] | {"notes": notes}
    path.write_bytes(page(state, explorer._esm, explorer._css, picture))


def show_entry(entry: Entry) -> str:
    """A section of the gallery's page, in Markdown."""
    address = LIVE.get(entry.name, f"{FOLDER}/{entry.name}.html")
    words = "Open it live" if entry.name in LIVE else "Open it"
    picture = f'<img src="{FOLDER}/{entry.name}.png" alt="" style="max-height: 260px">'
    link = f'<a href="{html.escape(address)}">'
    return f"## {entry.title}\n\n{entry.sentence} {link}{words}</a>\n\n{link}{picture}</a>"


def show_notebook(path: Path) -> str:
    """A notebook for the site: a link to the live page, and what answers in its explorers' place."""
    notebook = json.loads(path.read_text(encoding="utf-8"))
    top, offered = notebook["cells"][0], links.offer(f"notebooks/{path.name}")
    live = f"{offered} | [Open the live laboratory]({links.LIVE})"
    top["source"] = "".join(top["source"]).replace(offered, live)
    stands = iter(STANDS.get(path.stem, []))
    for output in list_explorers(notebook):
        words = "".join(output["data"]["text/plain"])
        stand = next(stands, None)
        if stand is None or not words.startswith(f"{stand.kind}: "):
            raise SystemExit(f"{path.name}: nothing in {__file__} stands for its {words}")
        del output["data"]["image/png"]
        output["data"]["text/html"] = frame(stand, words)
    return json.dumps(notebook)


def list_explorers(notebook: dict) -> Iterator[dict]:
    """The outputs of a notebook in which explorers were shown."""
    for cell in notebook["cells"]:
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            if "image/png" in data and SHOWN.match("".join(data.get("text/plain", ""))):
                yield output


def frame(stand: Stand, title: str) -> str:
    """A page in the page, loaded when it is scrolled to."""
    address, title, words = map(html.escape, (stand.address, title, stand.words))
    alone = re.sub(r"&amp;embed=\w+", "", address)
    page = f'<iframe src="{address}" title="{title}" loading="lazy"></iframe>'
    told = f'<figcaption>{words} <a href="{alone}">Alone on its page</a></figcaption>'
    return f'<figure class="explorer">{page}{told}</figure>'
