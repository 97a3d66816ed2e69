"""The study behind the results page: rows differ in what they say, resume, and report as measured."""

import json
import sys

import pytest
from helpers import ROOT

import dcamsr_lite as dl
from dcamsr_lite import study as st

sys.path.insert(0, str(ROOT / "assets" / "results"))
import make  # noqa: E402
import report  # noqa: E402

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
    report.write_page(tmp_path)
    page = (tmp_path / "README.md").read_text()
    table = report.Table(report.read(tmp_path / "study.csv"))
    found = table.difference("simulated", "corrected", "no_spatial")
    assert f"**{found['mean']:+.2f} dB**" in page and report.verdict(found) in page
    assert (
        "corrected (ours) against concatenation in the same trunk, simulated heads: not run."
        in page
    )
    assert "| concatenation in the same trunk | not run |" in page
    assert f"{table.mean('simulated', 'ceiling', 'psnr'):.2f} dB" in page
    assert (tmp_path / "question-2.png").is_file() and not (tmp_path / "question-1.png").exists()


def test_a_claim_needs_the_interval_and_every_seed():
    clear = {"mean": 0.3, "low": 0.1, "high": 0.5, "seeds": [0.2, 0.4]}
    assert report.verdict(clear) == "a difference"
    assert report.verdict(clear | {"seeds": [-0.1, 0.7]}) == "no difference shown"
    assert report.verdict(clear | {"low": -0.1}) == "no difference shown"
    assert report.verdict(clear | {"seeds": [0.3]}) == "one seed, no claim"
    assert report.verdict(clear | {"low": None}) == "too few subjects for an interval"


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
    found = report.Table(rows).difference("simulated", "corrected", "paper")
    assert found["mean"] == pytest.approx(0.5) and found["seeds"] == pytest.approx([0.5, 0.5])
    assert found["low"] == pytest.approx(0.5) and found["high"] == pytest.approx(0.5)
