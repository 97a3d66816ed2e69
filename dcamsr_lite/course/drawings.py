"""The drawings of the network, with the part under discussion lit and the rest pale.

>>> show_part("network", "encoder")
Drawing of the network. Lit: one encoder for both images, at three levels.

The drawings and where their parts lie (parts.json) are those of assets/figures.
"""

import json
import re
from typing import Any

from ..errors import ASSETS


def read_parts() -> dict[str, dict[str, dict[str, Any]]]:
    """Drawing -> part -> its box (x, y, width, height in the drawing's units) and its words.

    >>> read_parts()["attention"]["merge"]["box"]
    [948, 178, 158, 78]
    """
    page = (ASSETS / "figures" / "parts.json").read_text(encoding="utf-8")
    parts: dict[str, dict[str, dict[str, Any]]] = json.loads(page)
    return parts


NUMBER = re.compile(r'<circle [^>]*#7a1fa2[^>]*/>\n|<text [^>]*fill="#7a1fa2"[^>]*>[^<]*</text>\n?')
NOTE = re.compile(
    r'<text x="[\d.]+" y="(?:59|61|64)[\d.]+"[^>]*>[^<]*</text>\n?'
)  # below the drawing


def light(drawing: str, part: str, notes: bool = True) -> str:
    """A drawing as SVG in which all but one part is pale.

    >>> 'fill-opacity="0.6"' in light("network", "decoder")
    True
    >>> "scrambled" in light("attention", "merge", notes=False)
    False

    Without ``notes`` also without the numbered notes below, which give away what an exercise asks.

    Raises ValueError for a drawing or a part that is not there.
    """
    parts = read_parts()
    if part not in parts.get(drawing, {}):
        known = [f"{name}, {lit}" for name, of_it in parts.items() for lit in of_it]
        raise ValueError(f"no part {part!r} in {drawing!r}; expected one of {known}")
    page = (ASSETS / "figures" / f"architecture-{drawing}.svg").read_text(encoding="utf-8")
    if not notes:
        page = NOTE.sub("", NUMBER.sub("", page))
    found = re.search(r'viewBox="0 0 (\d+) (\d+)"', page)
    assert found, drawing
    width, height = found.groups()
    x, y, across, down = parts[drawing][part]["box"]
    veil = (
        f'<path fill="#ffffff" fill-opacity="0.6" fill-rule="evenodd"'
        f' d="M0 0H{width}V{height}H0ZM{x} {y}h{across}v{down}h-{across}Z"/>\n'
        f'<rect x="{x}" y="{y}" width="{across}" height="{down}" rx="9" fill="none"'
        f' stroke="#d55e00" stroke-width="3.5"/>\n</svg>'
    )
    return page.replace("</svg>", veil)


def show_part(drawing: str, part: str, notes: bool = True) -> None:
    """Show a drawing of the network in a notebook, one part of it lit, its notes below or not.

    >>> show_part("attention", "merge")
    Drawing of the attention. Lit: the merge of the heads in the spatial branch.

    Raises ValueError for a drawing or a part that is not there.
    """
    from IPython import get_ipython
    from IPython.display import display

    page = light(drawing, part, notes)
    alt = f"Drawing of the {drawing}. Lit: {read_parts()[drawing][part]['words']}."
    if get_ipython() is None:
        print(alt)
        return
    display({"image/svg+xml": page, "text/plain": alt}, raw=True)
