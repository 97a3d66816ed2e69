"""The drawings of the network: what is lit is what is named."""

import re

import pytest
from helpers import ROOT

from dcamsr_lite.course import drawings

PARTS = [(name, part) for name, parts in drawings.read_parts().items() for part in parts]
# words of each drawing that lie in the lit part, and some that do not
LIT = {
    ("network", "encoder"): ({"Encoder", "level 1", "level 4"}, {"transformer", "SR image"}),
    ("network", "transformers"): ({"transformer"}, {"fusion 1", "level 1"}),
    ("network", "decoder"): ({"fusion 1", "fusion 4"}, {"transformer", "convolution"}),
    ("network", "global residual"): ({"convolution", "+"}, {"fusion 1", "SR image"}),
    ("block", "attention"): ({"dual cross-attention"}, {"FFN"}),
    ("attention", "heads"): ({"q", "k", "v, channel"}, {"merge heads", "input"}),
    ("attention", "spatial branch"): (
        {"E k", "softmax(q · E k)"},
        {"softmax(qᵀ · k)", "concatenate"},
    ),
    ("attention", "merge"): ({"merge heads"}, {"concatenate", "weights · F v"}),
    ("attention", "channel branch"): ({"softmax(qᵀ · k)"}, {"concatenate", "E k"}),
    ("aligned", "votes"): (
        {"votes, b n p", "motion: a shift with a turn"},
        {"q", "reference, moved"},
    ),
    ("aligned", "moved"): ({"channel branch", "reference, moved"}, {"concatenate", "k"}),
}


def words_within(page: str, box: list[int]) -> set[str]:
    x, y, width, height = box
    found = re.findall(r'<text x="([\d.]+)" y="([\d.]+)"[^>]*>([^<]*)</text>', page)
    return {
        words
        for left, top, words in found
        if x <= float(left) <= x + width and y <= float(top) <= y + height
    }


@pytest.mark.parametrize("drawing, part", PARTS)
def test_the_lit_part_holds_what_it_is_named_after(drawing, part):
    page = drawings.light(drawing, part)
    box = drawings.read_parts()[drawing][part]["box"]
    inside, outside = LIT[drawing, part]
    found = words_within(page, box)
    assert inside <= found and not outside & found
    width, height = map(int, re.search(r'viewBox="0 0 (\d+) (\d+)"', page).groups())
    assert 0 <= box[0] < box[0] + box[2] <= width and 0 <= box[1] < box[1] + box[3] <= height
    assert page.count("<svg") == page.count("</svg>") == 1 and page.rstrip().endswith("</svg>")


def test_the_first_notebook_and_the_one_on_einops_show_the_network():
    for stem in ("00_start_here", "03_dcamsr_in_einops"):
        source = (ROOT / "notebooks" / "source" / f"{stem}.py").read_text(encoding="utf-8")
        shown = re.findall(r'course\.show_part\("(\w+)", "([\w ]+)"', source)
        assert len(shown) >= 2 and set(shown) <= {*PARTS}
    first = (ROOT / "notebooks" / "source" / "00_start_here.py").read_text(encoding="utf-8")
    assert first.index("*global residual*") < first.index("## Exercise 4")


def test_a_drawing_without_notes_keeps_its_parts_and_spoils_no_exercise():
    """Its legend said "scrambled", "uniform" and "one-hot" before 03 asks for them."""
    whole = drawings.light("attention", "merge")
    bare = drawings.light("attention", "merge", notes=False)
    assert "scrambled" in whole and "so uniform" in whole and "one-hot" in whole
    assert not re.search("scrambled|uniform|one-hot|released|>[1-5]<", bare)
    assert "merge heads" in bare and bare.count("<rect") == whole.count("<rect")
    source = (ROOT / "notebooks" / "source" / "03_dcamsr_in_einops.py").read_text(encoding="utf-8")
    early = source[: source.index("There it is.")]
    assert early.count("show_part(") == early.count("notes=False)") == 4


def test_a_part_that_is_not_there_is_refused_with_those_that_are():
    with pytest.raises(
        ValueError, match="'fusion' in 'network'; expected one of .*network, encoder"
    ):
        drawings.show_part("network", "fusion")
