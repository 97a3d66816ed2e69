"""`python scripts/release.py v0.2.0`: the changelog's section of a release, if everything agrees.

The tag, ``dcamsr_lite.__version__``, CITATION.cff and CHANGELOG.md must name one version; what does
not is one line on stderr and exit status 1.
"""

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PLACES = {
    "dcamsr_lite/__init__.py": r'^__version__ = "(.+)"$',
    "CITATION.cff": r"^version: (.+)$",
    "CHANGELOG.md": r"^## (\d\S*)",
}


def stated() -> dict[str, str]:
    """The version that each file states; of the changelog, its newest release."""
    found = {}
    for name, pattern in PLACES.items():
        match = re.search(pattern, (ROOT / name).read_text(encoding="utf-8"), re.M)
        found[name] = match[1] if match else "no version"
    return found


def notes(version: str) -> str:
    """What the changelog says of a version."""
    page = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    section = re.search(rf"^## {re.escape(version)} [^\n]*\n(.*?)(?=^## |\Z)", page, re.M | re.S)
    return section[1].strip() if section else ""


def main(tag: str) -> str:
    version = tag.removeprefix("v")
    for name, found in stated().items():
        if found != version:
            raise SystemExit(f"{name}: found {found}; expected {version}, as the tag {tag} says")
    return notes(version)


if __name__ == "__main__":
    print(main(*sys.argv[1:]))
