"""The study behind the results page: rows differ in what they say, resume, and report as measured."""

import json
import re
import sys

import pytest
from helpers import ROOT

import dcamsr_lite as dl
from dcamsr_lite import study as st

sys.path.insert(0, str(ROOT / "assets" / "results"))
import make  # noqa: E402
import report  # noqa: E402
import tables  # noqa: E402

TINY = st.Study(size=32, steps=4, subjects=1, tests=3, slices=2, network={})


@pytest.fixture(scope="module")
def shared():
    tensors = st.training_slices(st.training_volumes(TINY, []), TINY.scale)
    return {"tensors": tensors, "tests": st.held_out_pairs(TINY, [])}


def test_rows_change_one_thing():
    plain = vars(st.network(TINY, "corrected").config)
    for row, options in st.ROWS.items():
        if isinstance(options, dict) and "variant" not in options:
            if options.get("spatial_attention") in ("pooled", "window"):
                continue  # named choices that may not be there yet
            config = vars(st.network(TINY, row).config)
            assert {k for k in config if config[k] != plain[k]} == set(options)
    assert st.network(st.Study(), "torch_start").config.start == "torch"  # over the study's own
    with pytest.raises(dl.InputError, match="row: found 'best'"):
        st.network(TINY, "best")


def test_a_finished_row_is_read_and_another_study_refused(shared, tmp_path):
    first = st.run(TINY, "corrected", 0, tmp_path, **shared)
    before = (tmp_path / "corrected-0.json").stat().st_mtime_ns
    assert st.run(TINY, "corrected", 0, tmp_path) == first
    assert (tmp_path / "corrected-0.json").stat().st_mtime_ns == before
    other = st.Study(size=32, steps=5, subjects=1, tests=3, slices=2, network={})
    with pytest.raises(dl.InputError, match="another folder"):
        st.run(other, "corrected", 0, tmp_path)
    assert len(first["subjects"]) == 3 and set(first["entropy"]) == {"spatial", "channel"}
    json.dumps(first, allow_nan=False)


def test_the_page_says_what_the_tables_say(shared, tmp_path, monkeypatch):
    monkeypatch.setattr(make, "HERE", tmp_path)
    for row in ("corrected", "no_spatial"):
        for seed in (0, 1):
            st.run(TINY, row, seed, tmp_path / "work", **shared)
    make.collect(TINY, shared["tests"], tmp_path / "work")
    (tmp_path / "notes.md").write_text("# Notes\n\n## Question 2\n\nA person's conclusion.\n")
    report.write_page(tmp_path)
    page = (tmp_path / "README.md").read_text()
    table = tables.Table(tables.read(tmp_path / "study.csv"))
    found = table.difference("simulated", "corrected", "no_spatial")
    assert f"**{found['mean']:+.2f} dB**" in page and tables.verdict(found) in page
    assert (
        "corrected (ours) against concatenation in the same trunk, simulated heads: not run."
        in page
    )
    assert "| concatenation in the same trunk |  |  | not run | not run |" in page
    assert f"{table.mean('simulated', 'ceiling', 'psnr'):.2f} dB" in page
    assert "- 2x, simulated heads: not run." in page
    assert (tmp_path / "question-2.png").is_file() and not (tmp_path / "question-1.png").exists()
    assert "A person's conclusion." in page.split("## 2.")[1].split("## 3.")[0]


def test_a_claim_needs_the_interval_and_every_seed():
    clear = {"mean": 0.3, "low": 0.1, "high": 0.5, "seeds": [0.2, 0.4]}
    assert tables.verdict(clear) == "a difference"
    assert tables.verdict(clear | {"seeds": [-0.1, 0.7]}) == "no difference shown"
    assert tables.verdict(clear | {"low": -0.1}) == "no difference shown"
    assert tables.verdict(clear | {"seeds": [0.3]}) == "one seed, no claim"
    assert tables.verdict(clear | {"low": None}) == "too few subjects for an interval"


def test_a_known_difference_is_found():
    rows = [
        {
            "data": "simulated",
            "row": row,
            "subject": s,
            "seed": seed,
            "psnr": 30 + s + gain + 0.1 * seed,
        }
        for row, gain in (("corrected", 0.5), ("paper", 0.0))
        for s in range(5)
        for seed in (0, 1)
    ]
    found = tables.Table(rows).difference("simulated", "corrected", "paper")
    assert found["mean"] == pytest.approx(0.5) and found["seeds"] == pytest.approx([0.5, 0.5])
    assert found["low"] == pytest.approx(0.5) and found["high"] == pytest.approx(0.5)


def scored(row: str, psnr: dict) -> list[dict]:
    """Rows of study.csv: psnr[seed][subject]."""
    return [
        {"data": "simulated", "row": row, "subject": str(i), "seed": seed, "psnr": x}
        for seed, values in psnr.items()
        for i, x in enumerate(values)
    ]


def test_rows_are_compared_at_the_seeds_that_both_have():
    rows = scored("corrected", {"0": [30, 30, 30], "1": [40, 40, 40]})
    rows += scored("edsr", {"0": [29, 29, 29]}) + scored("zero-fill", {"": [20, 20, 20]})
    table = tables.Table(rows)
    assert table.difference("simulated", "corrected", "edsr")["seeds"] == [1]
    assert table.difference("simulated", "corrected", "zero-fill")["seeds"] == [10, 20]
    assert table.difference("simulated", "zero-fill", "edsr")["seeds"] == [-9]


def test_the_page_says_who_is_ahead():
    rows = scored("corrected", {"0": [30, 30]}) + scored("edsr", {"0": [29, 29]})
    first, second = report.ranking({"4": tables.Table(rows)}, "4")
    assert "none is ahead; the closest is EDSR-like, 1.00 dB behind" in first
    assert "Not run: zero-fill" in first and second == "- 4x, real patients: not run."
    rows += scored("masa", {"0": [31, 30.5]})
    (first, _) = report.ranking({"4": tables.Table(rows)}, "4")
    assert "ahead of the corrected network: MASA-like by 0.75 dB" in first


def test_conclusions_hold_no_number():
    """A number in prose could go stale: those on the page are computed."""
    for heading, text in report.notes(ROOT / "assets" / "results").items():
        assert not re.search(r"\d\.\d|dB", text), heading
