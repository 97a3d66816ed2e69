"""What Sphinx reads: the repository's pages and notebooks, and those that are made of its code."""

import inspect
import re
import shutil
from pathlib import Path

from links import LIVE, repository
from site_parts import explorers

import dcamsr_lite as dl
from dcamsr_lite.widgets.gallery import GALLERY

ROOT = Path(__file__).resolve().parents[2]
WEBSITE = ROOT / "website"
PAGES = {  # of the repository -> on the site
    "README.md": "start.md",
    "docs/own-data.md": "own-data.md",
    "docs/reproduce-the-paper.md": "reproduce-the-paper.md",
    "docs/architecture.md": "architecture.md",
    "notebooks/TEACHING.md": "teaching.md",
    "notebooks/README.md": "syllabus.md",
    "assets/results/README.md": "results.md",
    "assets/weights/README.md": "weights.md",
    "CHANGELOG.md": "changes.md",
}
CHOSEN = re.compile(r"(!?\[[^\[\]]*\])\((?!https?:|#)([^)#\s]+)(#[^)\s]*)?\)")


def collect_pages(source: Path) -> None:
    """All that Sphinx reads, in one folder; links between the repository's files follow."""
    shutil.copy(WEBSITE / "conf.py", source)
    shutil.copytree(WEBSITE / "static", source / "_static")
    for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
        (source / path.name).write_text(explorers.show_notebook(path), encoding="utf-8")
    for origin, name in PAGES.items():
        text = (ROOT / origin).read_text(encoding="utf-8")
        (source / name).write_text(follow_links(text, Path(origin).parent, source), "utf-8")
    notebooks = "\n".join(path.stem for path in sorted(source.glob("*.ipynb")))
    filled = {
        "notebooks": f"syllabus\n{notebooks}",
        "gallery": "\n\n".join(map(explorers.show_entry, GALLERY)),
        "api": "\n\n".join(map(document, public_names())),
    }
    for path in (WEBSITE / "pages").glob("*.md"):
        text = path.read_text(encoding="utf-8")
        text = text.replace("{entries}", filled.get(path.stem, "{entries}"))
        text = re.sub(r"\{live([^}]*)\}", lambda match: LIVE + match[1], text)
        (source / path.name).write_text(text, encoding="utf-8")
    (source / "cite.md").write_text(cite(), encoding="utf-8")
    (source / "paper-index.md").write_text(index_paper(), encoding="utf-8")


def follow_links(text: str, folder: Path, source: Path) -> str:
    """Links to pages of the site lead there, pictures come along, others lead to the repository."""

    def follow(match: re.Match) -> str:
        words, target, place = match[1], match[2], match[3] or ""
        path = (ROOT / folder / target).resolve()
        if not path.is_relative_to(ROOT) or not path.exists():
            return match[0]
        inside = path.relative_to(ROOT).as_posix()
        if inside in PAGES:
            return f"{words}({PAGES[inside]}{place})"
        if path.parent == ROOT / "notebooks" and path.suffix == ".ipynb":
            return f"{words}({path.name}{place})"
        if words.startswith("!"):
            shutil.copy(path, source)
            return f"{words}({path.name})"
        return f"{words}({repository()}/blob/main/{inside}{place})"

    return CHOSEN.sub(follow, text)


def public_names() -> list[str]:
    """What ``dl`` offers that has a docstring of its own: no rooms, no numbers."""
    things = {name: getattr(dl, name) for name in dl.__all__}
    return [n for n, x in things.items() if inspect.isclass(x) or inspect.isfunction(x)]


def document(name: str) -> str:
    thing = getattr(dl, name)
    kind = "autoclass" if inspect.isclass(thing) else "autofunction"
    members = "\n   :members:" if inspect.isclass(thing) else ""
    return f"## {name}\n\n```{{eval-rst}}\n.. {kind}:: dcamsr_lite.{name}{members}\n```"


def cite() -> str:
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    return f"# How to cite\n\nCite the paper and this software.\n\n```yaml\n{citation}```\n"


def index_paper() -> str:
    """Where each part of the paper is in the code, from what the network's own docstrings say."""
    rows = []
    for path in sorted((ROOT / "dcamsr_lite").rglob("*.py")):
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            if '"""' in line or line.startswith(("#", "    #")):
                for part in re.findall(r"(?:Fig\.|Eqs?\.|Table) \d+[a-z]?(?:-\d+)?", line):
                    place = path.relative_to(ROOT).as_posix()
                    name = place.removeprefix("dcamsr_lite/")
                    link = f"[{name}:{number}]({repository()}/blob/main/{place}#L{number})"
                    words = line.strip().strip('"#').strip().replace("|", "\\|")
                    rows.append((part, f"| {part} | {link} | {words} |"))
    lines = "\n".join(row for _, row in sorted(set(rows)))
    head = "# Index of the paper\n\nWhere its figures, equations and tables are in `dcamsr_lite/`."
    return f"{head}\n\n| in the paper | in the code | what it says |\n|---|---|---|\n{lines}\n"
