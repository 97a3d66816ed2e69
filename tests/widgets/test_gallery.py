"""The gallery opens as files, without a server; the tour is on the demo's page."""

import json
import re
from pathlib import Path

import pytest

import dcamsr_lite as dl
from dcamsr_lite import cli, widgets
from dcamsr_lite.widgets.gallery import GALLERY, Entry, save_gallery
from dcamsr_lite.widgets.shared.base import Explorer

WIDGETS = Path(widgets.__file__).parent
FIRST = [entry for entry in GALLERY if entry.name in ("kspace", "swipe")]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return save_gallery(tmp_path_factory.mktemp("gallery") / "pages", FIRST).parent


@pytest.mark.slow
def test_every_explorer_has_a_page_and_a_picture(folder):
    assert len({entry.name for entry in GALLERY}) == len(GALLERY)
    holds_all(folder, FIRST)


@pytest.mark.slow
def test_the_whole_gallery(tmp_path):
    """Slow: the lab computes its page's answers in advance."""
    holds_all(dl.save_gallery(tmp_path).parent, GALLERY)


def holds_all(folder, entries):
    index = (folder / "index.html").read_text()
    for entry in entries:
        assert f'href="{entry.name}.html"' in index and entry.sentence in index
        assert (folder / f"{entry.name}.png").read_bytes()[:4] == b"\x89PNG"
        page = folder / f"{entry.name}.html"
        networks = 3 if entry.name == "variants" else 1
        assert page.stat().st_size < 6e6 * networks and "without level" not in page.read_text()
        assert "Not for clinical use." in page.read_text()
    assert "Not for clinical use." in index
    assert not re.search(r"(src|href)=\"(https?:)?//|<script", index)
    assert len(list(folder.iterdir())) == 2 * len(entries) + 1


@pytest.mark.slow
def test_it_opens_from_files_with_the_network_off(folder, browser):
    context = browser.new_context(offline=True)
    page, problems = context.new_page(), []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda message: problems.append(message.text))
    page.on("requestfailed", lambda request: problems.append(request.url))
    page.goto((folder / "index.html").as_uri())
    drawn = "[...document.images].every(i => i.complete && i.naturalWidth > 0)"
    assert page.evaluate(drawn) and page.locator("img").count() == len(FIRST)
    for entry in FIRST:
        page.get_by_role("link", name=entry.title, exact=True).click()
        page.wait_for_selector(".dcamsr-explorer footer")
        page.go_back()
    context.close()
    assert not problems


def test_titles_are_text(tmp_path):
    entry = Entry("one", "<b>one</b>", "a & b", lambda: Explorer(message="empty"))
    index = save_gallery(tmp_path, [entry]).read_text()
    assert "&lt;b&gt;one&lt;/b&gt;" in index and "a &amp; b" in index


def test_the_command_takes_a_folder_or_a_pair(tmp_path, monkeypatch, capsys):
    saved = []
    monkeypatch.setattr("dcamsr_lite.widgets.save_gallery", lambda f: saved.append(f) or f)
    assert cli.main(["explore", "--gallery", str(tmp_path)]) == 0 and saved == [str(tmp_path)]
    assert cli.main(["explore", "--gallery", str(tmp_path), "--scale", "4"]) == 2
    assert "--scale beside it" in capsys.readouterr().err
    assert cli.main(["explore", "--out", "page.html"]) == 2
    assert "no --reference, --target, --scale" in capsys.readouterr().err


def test_a_place_that_cannot_be_written_is_named(readonly):
    entry = Entry("one", "One", "Nothing.", lambda: Explorer(message="empty"))
    with pytest.raises(dl.InputError, match="a place that can be written"):
        save_gallery(readonly / "gallery", [entry])


def test_every_step_of_every_tour_says_what_is_seen_and_what_follows():
    for name, steps in json.loads((WIDGETS / "tours.json").read_text("utf-8")).items():
        for number, step in enumerate(steps, 1):
            seen, follows = (step["text"].lower().rfind(word) for word in ("you see", "therefore"))
            assert 0 <= seen < follows, f"{name}, step {number}"


def test_no_tour_takes_what_a_cut_costs_for_what_the_part_is_worth():
    """A cut says what this trained network leans on; 06 trains others without the part."""
    cutting = 0
    for name, steps in json.loads((WIDGETS / "tours.json").read_text("utf-8")).items():
        for number, step in enumerate(steps, 1):
            assert not re.search(r"\bworth\b|gives goes", step["text"]), (name, number)
            asked = step.get("intervention", {})
            cuts = asked.get("cuts") or asked.get("reference") == "blank"
            if cuts or re.search(r"\bbars?\b.*without a part|bars at the foot", step["text"]):
                cutting += 1
                assert re.search(r"trained\s+network leans", step["text"]), (name, number)
    assert cutting >= 8
