"""The results page and README say what the tables hold: intervals, floors, shares, smallest effects."""

import re
import sys

import pytest
from helpers import ROOT

sys.path.insert(0, str(ROOT / "scripts" / "results"))
import report
import tables

from dcamsr_lite.training.study import ROWS, Study, build_network, seed_interval

FOLDER = ROOT / "assets" / "results"


@pytest.fixture(scope="module")
def table():
    return tables.Table(tables.read(FOLDER / "study.csv"))


def test_the_share_that_the_readme_gives_to_the_reference_is_that_of_the_table(table):
    """It said "nearly all of the gain" of 71 %."""
    whole, alone, floor = (
        table.mean("simulated", row, "psnr") for row in ("corrected", "no_reference", "zero-fill")
    )
    readme = " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())
    found = re.search(r"of the ([\d.]+) dB over zero-fill ([\d.]+) \((\d+) %\) are the", readme)
    gain, reference, share = map(float, found.groups())
    assert gain == round(whole - floor, 1) and reference == round(whole - alone, 1)
    assert share == round(100 * (whole - alone) / (whole - floor))
    pairs = next(p for p in report.QUESTIONS.values() if ("corrected", "no_reference") in p)
    assert f"{whole - alone:.2f} dB ({share:.0f} %) are the reference's" in report.answer(
        table, pairs
    )
    for text in (readme, (FOLDER / "README.md").read_text(encoding="utf-8")):
        assert not re.search(r"[Nn]early all of the gain", text)


def test_every_row_has_a_name_and_a_place_and_the_shallow_one_is_smaller():
    assert set(ROWS) <= set(tables.NAMES)
    assert set(ROWS) - {"as_large"} <= set(tables.METHODS) | set(tables.ABLATIONS)
    study = Study(size=32)
    sizes = {
        row: sum(p.numel() for p in build_network(study, row).parameters())
        for row in ("corrected", "concatenation", "concatenation_shallow")
    }
    assert sizes["concatenation_shallow"] < 0.7 * sizes["concatenation"]
    for row in ("released_no_channel", "paper_no_spatial"):
        config = build_network(study, row).config
        assert (config.variant, config.channel, config.spatial) == (
            row.split("_")[0],
            "channel" not in row,
            "spatial" not in row,
        )


def test_the_bar_is_the_interval_that_decides(table, tmp_path):
    found = table.difference("simulated", "corrected", "released")
    over_heads, over_seeds = (found["low"], found["high"]), seed_interval(found["seeds"])
    assert over_heads[0] > 0 > over_seeds[0]  # the narrower one alone would look like a claim
    assert tables.find_deciding(found) == over_seeds
    assert tables.find_deciding(found | {"seeds": [0.2]}) is None
    report.figure(table, [("corrected", "released")], tmp_path / "figure.png")
    count, least, middle, most = tables.find_smallest_effect(table, [("corrected", "released")])
    assert (count, least, most) == (1, middle, middle)
    assert middle == pytest.approx((over_seeds[1] - over_seeds[0]) / 2)


def test_the_page_states_alarms_smallest_effect_and_both_floors(table):
    page = " ".join((FOLDER / "README.md").read_text(encoding="utf-8").split())
    alone, both = tables.simulate_false_alarms(trials=400)
    assert both < 0.06 < alone  # of the heads' interval alone notebook 06 measures as much
    assert "The smallest effect that this design can show" in page
    assert "A floor: zero-fill, " in page and "A floor: corrected, no reference, " in page


def test_a_crossing_is_read_between_two_points():
    curve = {0.0: 30.0, 1.0: 28.0, 2.0: 24.0}
    assert report._cross(curve, 26.0) == "1.5"
    assert report._cross(curve, 20.0) == "none of these"
    assert report._cross(curve, 31.0) == "below it from the start"
