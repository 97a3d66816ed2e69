"""What the notebooks' cells say of the network is what they compute: peaks, cores and rims, stops."""

import re
from types import SimpleNamespace

import pytest
import torch
from helpers import ROOT

import dcamsr_lite as dl
from dcamsr_lite import course, kspace
from dcamsr_lite.course import examine
from dcamsr_lite.phantom import simulate

SOURCE = ROOT / "notebooks" / "source"


def read(name: str) -> str:
    return (SOURCE / f"{name}.py").read_text(encoding="utf-8")


def define(name: str, function: str, **known):
    """One function of a notebook, as its source has it."""
    body = re.search(rf"^def {function}\(.*?(?=^(?:\S|\Z))", read(name), re.M | re.S)
    scope = {"torch": torch, **known}
    exec(body[0], scope)
    return scope[function]


def test_the_disc_of_04_lies_where_the_map_is_most_positive():
    """It lay where the absolute map was largest: at two of three queries, where it was negative."""
    weights = torch.zeros(128, 128)
    weights[100, 20], weights[30, 90], weights[64, 64], weights[5, 5] = 0.5, -2.0, 9.0, 9.0
    inside = torch.ones(128, 128, dtype=torch.bool)
    inside[:10] = False  # the air does not count, nor does the query's own surroundings
    rows, columns = torch.meshgrid(torch.arange(128), torch.arange(128), indexing="ij")
    record = SimpleNamespace(lift=lambda level, query, relative: weights)
    peaks = define(
        "04_attention_microscope", "peaks", inside=inside, rows=rows, columns=columns, record=record
    )
    assert peaks((64, 66)) == ((100, 20), (30, 90))
    assert "strength=-0.3" not in read("04_attention_microscope")  # a dark disc stops at zero


def test_05_stops_at_a_step_and_not_when_a_clock_says_so():
    source = read("05_training")
    assert "interrupt_main" not in source and "Timer" not in source
    assert re.search(r'runs / "stopped", until=half', source)


def test_07_leads_with_signed_sums_and_judges_three_patches_against_a_band():
    source = read("07_attribution")
    assert source.index("*Signed*") < source.index("*Absolute*")
    assert source.index("one.net_share") < source.index("share_(one.lr, one.ref)")
    assert "fill_between(parts" in source and ".early" in source and ".area" not in source
    assert '"edges of T1": edges' in source and "for name in found" in source


@pytest.mark.parametrize("answer", ["a dark disc", "nothing", "a bright disc", "its outline"])
def test_08_knows_why_each_other_answer_is_not_the_whole(answer):
    question = course.EXERCISES["failures.t1_only"]
    assert question.answer == "a dark core, a bright rim"
    assert answer in question.mistakes
    if answer != "nothing":  # what is true of it is said
        assert re.search("core|rim", examine(question, answer).message)


@pytest.mark.slow
def test_08_asks_for_what_the_network_shows_core_and_rim_apart():
    """It called dark wrong: at three of four places the core is dark and the rim bright."""
    pair = dl.load_pair(*dl.simulated_volumes(dl.DEMO_SEED, slices=6), scale=4)
    model, radius = dl.load("lite-4x-footprints"), 4
    base = dl.run_intervention(model, pair, 3)
    painted = {}
    for place in [(50, 48), (50, 80), (85, 45), (85, 80)]:
        disc = dl.Lesion("reference", *place, radius=radius, strength=-0.25)
        wanted = dl.Intervention(lesions=(disc,))
        painted[place, radius] = {"T1 only": dl.run_intervention(model, pair, 3, wanted, base=base)}
    height = 0.4 * float(base.target.quantile(0.995))
    split = define("08_when_it_fails", "core_and_rim", painted=painted, base=base, height=height)
    found = [split(*place) for place in painted]
    assert sum(core < -0.1 and rim > 0.02 for core, rim in found) >= 3, found


def test_06_prints_the_interval_that_decides_beside_the_other():
    """It printed that of the heads, which left zero out, and then "none shown"."""
    from dcamsr_lite.training.study import seed_interval

    found = (0.14, 0.12, 0.17, torch.tensor([0.02, 0.1, 0.3]), False)
    said = []
    tell = define(
        "06_ablations",
        "tell",
        finding=lambda better, than: found,
        seed_interval=seed_interval,
        print=said.append,
    )
    tell("corrected", "uniform_spatial")
    low, high = seed_interval(found[3])
    assert f"over 3 seeds {low:+.2f} to {high:+.2f}" in said[0] and "none shown" in said[0]


def test_07_asks_the_network_that_looks_with_the_reference_moved():
    source = read("07_attribution")
    assert 'dl.load("lite-4x")' in source and "moved = ref.roll(" in source


@pytest.mark.parametrize("name", ["realdata.spread", "realdata.gap", "failures.answer"])
def test_a_model_answer_quotes_no_decibels_of_a_network_that_is_trained_anew(name):
    """They said 3.9 to 4.8 dB and seven to eight where the screen had other numbers."""
    said = course.staged_help.read_words("explanations.json")[name]
    assert not re.search(r"\d\.\d|\d dB|[Ss]even|eight", said["answer"]), said["answer"]


def test_01_says_why_the_explorers_numbers_are_not_those_of_its_cells():
    """0.94 and 3.77 stood there beside 4.23, 84.1 % beside 89.9 %, and nobody said why."""
    words = " ".join(read("01_kspace").replace("#", "").split())
    assert "noise and all, as four coils received it" in words and "*without* noise" in words
    assert "numbers below its box should be predictions" not in words
    head = simulate(dl.DEMO_SEED, size=128, slices=6, repetitions=1, contrasts=("T2",))
    shares = []
    for k in (head.kspace["T2"][0, 3], kspace.fft2c(head.images["T2"][3])):
        shares.append(float(kspace.center_crop(k, (32, 32)).abs().square().sum()))
        shares[-1] /= float(k.abs().square().sum())
    assert shares == pytest.approx([0.84, 0.90], abs=0.005)


def test_04_says_at_which_levels_maps_agree_and_what_is_shared():
    words = " ".join(read("04_attention_microscope").replace("#", "").split())
    assert "at levels 2 and 4 even the maps" in words and "most of it is shared" not in words
    assert '"footprints": model}, pair, slice=slice_)' in words  # the cells' slice
    for name in ("00_start_here", "04_attention_microscope"):
        assert "T1 lies 0.28 pixels above T2" in " ".join(read(name).replace("#", "").split())


def test_the_simulated_t1_of_the_demo_lies_above_its_t2(monkeypatch):
    """So what is found is a third of a pixel beside what was put: 1.875 mm are a pixel."""
    from dcamsr_lite.phantom import head

    seen, real = [], head.small_motion
    monkeypatch.setattr(head, "small_motion", lambda draw: seen.append(real(draw)) or seen[-1])
    head.simulate(dl.DEMO_SEED, size=16, slices=2, repetitions=1, contrasts=("T1", "T2"))
    down = float(seen[1][1][1] - seen[0][1][1]) / (240 / 128)
    assert down == pytest.approx(-0.28, abs=0.01)
