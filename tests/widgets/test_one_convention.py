"""One number, one name: slices as Python counts them, one error scale, both PSNRs told apart."""

import re

import torch
from explorers import smooth

import dcamsr_lite as dl
from dcamsr_lite.interpret.floors import ALONE, measure_floors
from dcamsr_lite.widgets.shared.slices import TITLES

ROOT = "document.querySelector('.dcamsr-explorer')"


def pair_of(slices=3, side=32) -> dl.Pair:
    return dl.load_pair(*(smooth(seed, (side, side), slices) for seed in (1, 9)), 4)


def networks() -> dict:
    torch.manual_seed(0)
    small = dict(channels=16, encoder_blocks=(1, 1, 1), decoder_blocks=(1,) * 6)
    return {name: dl.DCAMSR(scale=4, image_size=32, **small) for name in ("one", "other")}


def test_pages_count_slices_as_python_does_and_errors_on_one_scale(opened):
    pair, both = pair_of(), networks()
    explorer = dl.explore(both, pair, slice=2, cuts=False)
    explorer.level, explorer.head = 1, None
    page = opened(explorer)
    assert "PSNR of this slice" in page.inner_text("body")
    page.get_by_text("What the numbers are").click()
    words = page.inner_text("body")
    assert "slice 2 (counted 0 to 2)" in words and "slice 2 of 3" not in words
    assert "a volume's PSNR" in words and "as if it had been measured" in words
    error = page.locator("figure", has_text=TITLES["error"]).first
    scales = []
    for name in both:
        page.get_by_label(f"Network: {name}").check()
        scales.append(re.findall(r"[\d.]+", error.inner_text()))
    assert scales[0] == scales[1]
    said = page.inner_text(".dx-reading >> nth=0")
    mean, own = re.search(r"entropy ([\d.]+) of the heads' mean.*here: ([\d.]+) on", said).groups()
    assert float(own) <= float(mean) + 1e-3


def test_the_floors_are_what_needs_no_reference():
    pair = pair_of()
    floors = measure_floors(pair, 1)
    assert floors["zero-fill"] == float(dl.psnr(pair.target_image[1], pair.zero_filled[1]))
    assert ("no reference" in floors) == (ALONE.format(scale=4) in dl.weights())
    lab = dl.intervention_lab(networks()["one"], pair, slice=1)
    assert lab.info["floors"] == floors
    images = (smooth(seed, (32, 32), 3) for seed in (1, 9))
    other = dl.load_pair(*images, 4, normalisation="released")
    assert [*measure_floors(other, 1)] == ["zero-fill"]  # not of weights trained with ours
