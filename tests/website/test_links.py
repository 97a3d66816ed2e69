"""Links to the live page, Colab and Binder are spelled in one place, and lead to what they say."""

import json
import re
import shutil
import subprocess
from urllib.parse import parse_qs, urlsplit

import links
import pytest
from helpers import ROOT
from site_parts import explorers

from dcamsr_lite import Cut, Intervention, Lesion
from dcamsr_lite.widgets.gallery import GALLERY

HOSTS = r"colab\.research\.google\.com|mybinder\.org|live/index\.html"
MADE = (":!*.ipynb", ":!CHANGELOG.md", ":!tests")
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))


def test_no_other_file_spells_them():
    command = ["git", "grep", "-I", "--untracked", "-E", HOSTS, "--", *MADE]
    told = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    if told.returncode > 1:
        pytest.skip("not a checkout of git")
    lines = [line.split(":", 1) for line in told.stdout.splitlines()]
    assert {name for name, words in lines if not words.startswith("//")} == {"scripts/links.py"}


def test_what_the_pages_spell_of_the_site_is_its_address():
    for name in ("README.md", "notebooks/TEACHING.md"):
        text = (ROOT / name).read_text(encoding="utf-8")
        found = re.findall(r"https://[\w.-]+\.github\.io[^)\s]*", text)
        known = {links.site(), links.site() + links.LIVE.removesuffix("index.html")}
        assert found and set(found) <= known


def test_every_notebook_begins_with_the_line_that_offers_it():
    for path in NOTEBOOKS:
        first = json.loads(path.read_text(encoding="utf-8"))["cells"][0]
        assert "".join(first["source"]) == links.offer(f"notebooks/{path.name}")


def test_the_live_page_reads_what_is_written_here_and_refuses_the_rest():
    if not shutil.which("node"):
        pytest.skip("node is not installed")
    wanted = Intervention(
        "other",
        shift=(2, -3),
        lesions=(Lesion("reference", 5, 6.5, radius=3),),
        cuts=(Cut("spatial", "uniform", levels=(1, 4)),),
    )
    blank = Intervention().as_dict()
    info = {"shape": [128, 128], "levels": [1, 2, 4], "heads": 8, "blank": blank}
    info |= {"branches": ["spatial", "channel"], "references": ["own", "blank", "other"]}
    look = {"query": (79, 64), "level": 2, "head": 3, "branch": "channel"}
    addresses = [
        links.open_live(4, wanted.as_dict(), **look),
        links.open_live(2),
        links.open_live(4, {}),
        links.open_live(4, {"shift": [1, "x"]}),
        links.open_live(4, {"cuts": [{"branch": "spatial", "state": "off", "levels": [3]}]}),
        links.open_live(4, {"reference": "target"}),
        links.open_live(4, {"fhift": [1, 2]}, level=3, head=9, query=(1, 500)),
        "?intervention={&branch=all",
    ]
    given = {"info": info, "addresses": [urlsplit(address).query for address in addresses]}
    command = ["node", ROOT / "tests" / "js" / "address_cases.mjs"]
    done = subprocess.run(command, input=json.dumps(given), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    whole, none, empty, *odd = found
    assert Intervention.from_dict(whole["intervention"]) == wanted
    assert whole["look"] == {"query": [79, 64], "level": "2", "head": 3, "branch": "channel"}
    assert whole["again"] == {key: whole[key] for key in ("intervention", "look", "odd")}
    assert none["intervention"] is None  # as the page opens, which is not as it was trained
    assert Intervention.from_dict(empty["intervention"]) == Intervention()
    assert [one["odd"] for one in odd] == [
        ["intervention"],
        ["intervention"],
        ["intervention"],
        ["query", "level", "head", "intervention"],
        ["branch", "intervention"],
    ]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_what_stands_for_an_explorer_in_the_course_answers(path):
    explorers_in = [*explorers.list_explorers(json.loads(path.read_text(encoding="utf-8")))]
    shown = json.loads(explorers.show_notebook(path))
    assert not [*explorers.list_explorers(shown)]  # no picture is left in the place of one
    frames = re.findall(r'<iframe src=\\"([^"]+)\\"', json.dumps(shown))
    assert len(frames) == len(explorers_in) == len(explorers.STANDS.get(path.stem, []))
    pages = {f"{explorers.FOLDER}/{entry.name}.html" for entry in explorers.saved()}
    for address in (frame.replace("&amp;", "&") for frame in frames):
        if not address.startswith(links.LIVE):
            assert address in pages
            continue
        asked = parse_qs(urlsplit(address).query)
        assert Intervention.from_dict(json.loads(asked["intervention"][0])) != Intervention()
    assert f"({links.LIVE})" in "".join(shown["cells"][0]["source"])


def test_the_gallery_of_the_site_has_every_explorer():
    text = "\n".join(map(explorers.show_entry, GALLERY))
    for entry in GALLERY:
        assert f"## {entry.title}\n" in text
        page = f'"{explorers.FOLDER}/{entry.name}.html"' in text
        assert page or f'"{links.LIVE}?' in text and entry.name in explorers.LIVE
