"""The attention explorer's verdict: how far from uniform, and does it matter?"""

import numpy as np
import pytest
import torch
from explorers import ROOT, both, example, recorded, smooth

import dcamsr_lite as dl
from dcamsr_lite.metrics import psnr
from dcamsr_lite.widgets import explore

NAMES = [
    ("spatial", "uniform"),
    ("spatial", "off"),
    ("channel", "uniform"),
    ("channel", "off"),
    ("reference", "blank"),
]


def card(page, title):
    return page.locator("section.dx-card", has_text=title).last


def entropies(weights: torch.Tensor) -> np.ndarray:
    p = weights.double()
    return (-(p * p.clamp_min(1e-300).log()).sum(-1) / np.log(p.shape[-1])).numpy()


@pytest.mark.parametrize("name", [pytest.param("corrected", marks=pytest.mark.slow), "padded"])
def test_what_it_costs_is_what_the_cut_network_gives(name, opened):
    model, pair = example(name)
    explorer = explore(model, pair)
    whole = psnr(pair.target_image, dl.super_resolve(model, pair))
    rows = explorer.networks["corrected"]["cuts"]
    assert [(row["part"], row["state"]) for row in rows] == NAMES
    expected = []
    for part, state in NAMES[:4]:
        with dl.intervene(model, **{part: state}):
            expected.append(psnr(pair.target_image, dl.super_resolve(model, pair)) - whole)
    assert [row["psnr"] for row in rows[:4]] == pytest.approx(expected, abs=1e-4)
    assert all(row["moved"] > 0 for row in rows)
    page = opened(explorer)
    lines = card(page, "Does it matter?").locator(".dx-losses > span").all_text_contents()
    sign = lambda x: "±" if abs(x) < 0.005 else "−" if x < 0 else "+"  # noqa: E731
    wanted = [
        word
        for row in rows
        for word in (
            f"{row['part']} {row['state']}",
            f"{sign(row['psnr'])}{abs(row['psnr']):.2f} dB",
        )
    ]
    assert lines == wanted
    bars = page.locator(".dx-losses i").evaluate_all(
        "all => all.map(e => parseFloat(e.style.width))"
    )
    sizes = np.abs([row["psnr"] for row in rows])
    assert bars == pytest.approx(list(100 * sizes / sizes.max()), abs=0.01)


def test_without_a_target_the_change_of_the_output_is_told(opened):
    model, pair = example("corrected")
    blind = dl.load_input(pair.reference_image, pair.low, 4)
    explorer = explore(model, blind)
    rows = explorer.networks["corrected"]["cuts"]
    assert [row["psnr"] for row in rows] == [None] * 5
    page = opened(explorer)
    text = card(page, "Does it matter?").inner_text()
    assert "root mean square change of the output, % of white" in text and "dB" not in text
    shown = page.evaluate(f"v => {ROOT}.format(v)", 100 * rows[3]["moved"])
    assert f"{shown} %" in text


def test_only_what_is_there_is_cut_and_the_passes_can_be_spared(opened):
    models, pair = both()
    explorer = explore(models, pair)
    parts = [row["part"] for row in explorer.networks["bare"]["cuts"]]
    assert parts == ["spatial", "spatial", "reference"]
    explorer = explore(models["whole"], pair, cuts=False)
    assert explorer.networks["corrected"]["cuts"] == []
    page = opened(explorer)
    assert not card(page, "Does it matter?").is_visible()
    assert card(page, "How far from uniform?").is_visible()


def test_the_rings_are_the_heads_at_this_query(opened):
    model, pair = example("corrected")
    explorer = explore(model, pair)
    explorer.level, explorer.head, explorer.query = 2, None, [20, 40]
    page, record = opened(explorer), recorded(model, pair)
    part = card(page, "How far from uniform?")
    places = "all => all.filter(e => !e.hidden).map(e => parseFloat(e.style.left))"
    expected = 100 * entropies(record.spatial[2][0, :, 10 * 32 + 20])
    rings = part.locator("u").evaluate_all(places)
    assert rings == pytest.approx(list(expected), abs=0.02)
    means = part.locator(".dx-spread > :nth-child(3n)").all_text_contents()
    shown = {
        f"{float(e.mean()):.3f}" for level in (1, 2, 4) for e in record.entropy(level).values()
    }
    assert set(means[:-1]) - {"1.00000"} <= shown | {m for m in means if len(m) == 7}
    page.get_by_label("Head: head 5").check(force=True)
    assert part.locator("u").evaluate_all(places) == pytest.approx([expected[5]], abs=0.02)
    assert "Ring: head 5 at this query." in part.inner_text()
    # dots: each head over all its queries
    dots = part.locator(".dx-spread > div").nth(2).locator("i")
    mean = 100 * entropies(record.spatial[2][0]).mean(-1)
    lefts = dots.evaluate_all("all => all.map(e => parseFloat(e.style.left))")
    assert lefts == pytest.approx(list(mean), abs=0.05)


@pytest.mark.slow
def test_a_map_that_is_uniform_in_practice_says_so(opened):
    torch.manual_seed(0)
    pair = dl.load_pair(smooth(1, (64, 64)), smooth(2, (64, 64)), 4)
    released = dl.DCAMSR(scale=4, image_size=64, variant="released")
    page = opened(explore(released, pair))
    reading = page.locator(".dx-first .dx-reading").first
    assert "Uniform in practice: no weight is off by more than" in reading.inner_text()
    page = opened(explore(*example("corrected")))
    assert "Uniform in practice" not in page.locator(".dx-first .dx-reading").first.inner_text()
