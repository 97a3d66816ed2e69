"""The site's pages: what they link to is there, and nothing is asked of another host."""

import re
import subprocess
import sys
from urllib.parse import unquote

import pytest
from explorers import example
from helpers import ROOT

import dcamsr_lite as dl

LATER = ("live/", "gallery-pages/")  # made beside the pages


@pytest.mark.slow
def test_every_link_of_the_pages_leads_somewhere_and_none_loads_from_elsewhere(tmp_path):
    for name in ("sphinx", "myst_nb", "furo"):
        pytest.importorskip(name, reason="needs the extra [site]")
    from site_parts import pages

    source, out = tmp_path / "source", tmp_path / "out"
    source.mkdir()
    pages.collect_pages(source)
    command = ["-m", "sphinx", "-q", "-W", "-b", "html", "-d", source / "_build", source, out]
    subprocess.run([sys.executable, *command], check=True, cwd=ROOT)
    made = {path.name: path.read_text(encoding="utf-8") for path in out.glob("*.html")}
    assert {"index.html", "api.html", "gallery.html", "results.html", "cite.html"} < set(made)
    assert len([name for name in made if re.match(r"0\d_", name)]) == 10
    for name, text in made.items():
        for target in re.findall(r'(?:src|href)="([^"#?]+)', text):
            if not target.startswith((*LATER, "http", "mailto:", "data:")):
                assert (out / unquote(target)).exists(), (name, target)
        loaded = re.findall(
            r'(?:<(?:script|img|iframe|source)[^>]*?src|<link[^>]*?href)="(http[^"]+)', text
        )
        assert not loaded, (name, loaded)
    for word in ("export_onnx", "intervene", "load_pair", "trace"):
        assert f'id="dcamsr_lite.{word}"' in made["api.html"]


def test_links_of_a_page_follow_to_the_site_or_to_the_repository(tmp_path):
    from site_parts import pages

    text = "[a](../README.md#x) [b](../LICENSE) ![c](rooms.svg) [d](https://a.org) [e](nowhere.md)"
    text += " [![f](rooms.svg)](https://a.org)"
    found = pages.follow_links(text, ROOT / "docs", tmp_path)
    address = pages.repository()
    assert found == (
        f"[a](start.md#x) [b]({address}/blob/main/LICENSE) ![c](rooms.svg)"
        " [d](https://a.org) [e](nowhere.md) [![f](rooms.svg)](https://a.org)"
    )
    assert (tmp_path / "rooms.svg").is_file()


@pytest.mark.slow
def test_a_page_that_the_site_has_no_room_for_lacks_its_finest_level_and_says_so(tmp_path):
    from site_parts import explorers

    model, pair = example("padded")
    explorer = dl.explore(model, pair, cuts=False)
    explorer.tour = [{"text": "See level 1."}, {"text": "See all.", "level": 1}]
    explorer.save_html(tmp_path / "whole.html")
    explorers.save_coarse(explorer, tmp_path / "coarse.html")
    whole, coarse = ((tmp_path / f"{n}.html").read_text("utf-8") for n in ("whole", "coarse"))
    assert len(coarse) < 0.8 * len(whole)
    assert "without level 1, for which this site has no room" in coarse
    assert "See level 1." in whole and "See level 1." not in coarse
    assert '{"text": "See all.", "level": 2}' in coarse
