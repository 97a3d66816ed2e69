"""`dcamsr explore --page`: other explorers than that of attention, of files."""

from pathlib import Path

import numpy as np
import pytest
import torch

import dcamsr_lite as dl
from dcamsr_lite import cli
from dcamsr_lite.commands.explore import PAGES

FOLDERS = {
    "swipe": "comparison",
    "contrasts": "contrast",
}  # of the page's script, where it has another name


@pytest.fixture
def asked(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    torch.manual_seed(0)
    dl.save(dl.DCAMSR(image_size=32, channels=8, heads=2), "w.safetensors")
    t1, t2 = (torch.rand(1, 32, 32).cumsum(-1) for _ in range(2))
    for name, volume in (("t1.npy", t1), ("t2.npy", t2)):
        np.save(name, volume.numpy())
    files = "--reference t1.npy --target t2.npy --scale 4 --weights w.safetensors --out page.html"
    return ["explore", *files.split()]


LONG = ("lab", "attribution", "displacement", "contrasts")


@pytest.mark.parametrize(
    "page",
    [page if page not in LONG else pytest.param(page, marks=pytest.mark.slow) for page in PAGES],
)
def test_every_kind_of_page_is_written_whole(asked, page):
    asked = ["explore", "--out", "page.html"] if page == "contrasts" else asked
    assert cli.main([*asked, "--page", page]) == 0
    text = Path("page.html").read_text(encoding="utf-8")
    assert f"widgets/{FOLDERS.get(page, page)}/explorer.js" in text
    assert 'src="data:image/png' in text


def test_the_contrasts_take_no_files(asked, capsys):
    assert cli.main([*asked, "--page", "contrasts"]) == 2
    assert "--reference beside it" in capsys.readouterr().err


def test_a_page_that_there_is_not_is_refused(asked, capsys):
    assert cli.main([*asked, "--page", "map"]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1 and "--page" in said and "swipe" in said
    assert not Path("page.html").exists()
