"""Every address that opens something: the repository, the site, Colab, Binder, the live page.

>>> open_live(2, branch="channel")
'live/index.html?scale=2&branch=channel'

Two constants in pyproject.toml, the repository and the site, say where they lead.
"""

import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

ROOT = Path(__file__).resolve().parents[1]
LIVE = "live/index.html"  # inside the site


def _constant(name: str) -> str:
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    found = re.search(rf'^{name} = "(.+)"$', text, re.MULTILINE)
    if not found:
        raise SystemExit(f"pyproject.toml: found no {name}; expected one under [project.urls]")
    return found[1]


def repository() -> str:
    """The public repository."""
    return _constant("Repository")


def site() -> str:
    """The published site, with a slash at its end."""
    return _constant("Homepage")


def open_colab(notebook: str) -> str:
    """Opens ``notebook``, a path inside the repository, on Colab."""
    owner = repository().removeprefix("https://github.com/")
    return f"https://colab.research.google.com/github/{owner}/blob/main/{notebook}"


def open_binder(notebook: str) -> str:
    """Opens ``notebook``, a path inside the repository, on Binder."""
    owner = repository().removeprefix("https://github.com/")
    return f"https://mybinder.org/v2/gh/{owner}/main?labpath={quote(notebook, safe='')}"


def open_live(scale: int = 4, intervention: dict | None = None, **look: Any) -> str:
    """The live page in a state, from the site's root; website/live/address.js reads it.

    ``intervention`` as ``Intervention.as_dict`` or parts of it, by default the page's own; ``look`` is
    where a pixel looks: ``query`` (row, column), ``level``, ``head``, ``branch``.
    """
    asked: dict[str, Any] = {"scale": scale}
    if intervention is not None:
        asked["intervention"] = json.dumps(intervention, separators=(",", ":"))
    if "query" in look:
        look["query"] = ",".join(map(str, look["query"]))
    return f"{LIVE}?{urlencode(asked | look)}"


def offer(notebook: str) -> str:
    """The line at the top of a notebook."""
    return f"[Open in Colab]({open_colab(notebook)}) | [Open in Binder]({open_binder(notebook)})"
