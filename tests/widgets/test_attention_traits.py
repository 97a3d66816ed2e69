"""The attention explorer without a browser: what is sent, the reader's place, what stays on a page."""

import base64
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from explorers import CASES, both, example, logits_only, network, recorded, smooth
from helpers import ROOT, phantom, pip
from torch.nn.functional import normalize
from traitlets import TraitError

import dcamsr_lite as dl
from dcamsr_lite.interpret.interventions import Intervention
from dcamsr_lite.metrics import band_error, psnr
from dcamsr_lite.widgets import AttentionExplorer, explore
from dcamsr_lite.widgets.shared.base import draw_words
from dcamsr_lite.widgets.shared.packing import pack, unpack
from dcamsr_lite.widgets.shared.static import script

# --- what is sent ---------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [name for name in CASES if name not in ("aligned", "logits")])
def test_what_is_sent_is_what_was_recorded(name):
    model, pair = example(name)
    explorer, record = explore(model, pair, cuts=False), recorded(model, pair)
    assert sorted(map(int, explorer.levels)) == sorted(record.queries)
    for level, sent in ((int(name), sent) for name, sent in explorer.levels.items()):
        q, k = unpack(sent["queries"]), unpack(sent["keys"])
        weights = torch.einsum("hnd,hpd->hnp", q, k).softmax(-1)
        assert (weights - record.spatial[level][0]).abs().max() < 1e-3
        footprints = unpack(sent["footprints"])
        if sent["resample"]:
            rows, columns = map(unpack, sent["resample"])
            footprints = torch.einsum("ir,prc,jc->pij", rows, footprints, columns)
        expected = record.footprints[level]
        torch.testing.assert_close(footprints, expected, rtol=0, atol=6e-4 * float(expected.max()))
        torch.testing.assert_close(unpack(sent["channel"]["matrix"]), record.channel[level][0])
        for branch, values in record.entropy(level).items():
            torch.testing.assert_close(torch.tensor(sent["entropy"][branch]), values[0])


def test_no_attention_matrix_is_sent():
    explorer = explore(*example("corrected"), cuts=False)
    for sent in explorer.levels.values():
        rows, columns = sent["grid"]
        for part in sent.values():
            if isinstance(part, dict) and "data" in part:
                assert len(part["data"]) <= rows * columns * 32 * 2 + 64 * 32 * 32 * 2


def test_the_pictures_are_the_pair_and_its_output():
    model, pair = example("padded")
    explorer = explore(model, pair, cuts=False)
    expected = {"low": pair.zero_filled[0], "reference": pair.reference_image[0]}
    expected["target"] = pair.target_image[0]
    assert list(explorer.images) == list(expected)
    expected["output"] = dl.super_resolve(model, pair)[0]
    packed = explorer.images | {"output": explorer.networks[explorer.network]["output"]}
    for name, image in expected.items():
        sent = unpack(packed[name])
        torch.testing.assert_close(sent, image.float(), rtol=0, atol=5e-4 * float(image.max()))


def test_slice_default_is_the_brightest_reference_as_in_the_demo():
    reference, target = smooth(1, (32, 32), 3), smooth(2, (32, 32), 3)
    reference[1] *= 5
    pair = dl.load_pair(reference, target, 4)
    model = network((32, 32))
    assert explore(model, pair).info["slice"] == 1
    assert explore(model, pair, slice=2).info["slice"] == 2
    with pytest.raises(dl.InputError, match="slice: found 3"):
        explore(model, pair, slice=3)


def test_an_input_without_target_has_no_error_panel():
    pair = dl.load_input(smooth(1, (32, 32)), smooth(2, (8, 8)), 4)
    explorer = explore(network((32, 32)), pair, cuts=False)
    assert list(explorer.images) == ["low", "reference"]
    assert explorer.info["quality"] is explorer.networks["corrected"]["quality"] is None
    assert explorer.png()[:4] == b"\x89PNG"


def test_the_readers_place_is_checked():
    model, pair = example("padded")
    explorer = explore(model, pair)
    opens = recorded(model, pair).find_most_telling()
    assert (explorer.query, explorer.level, explorer.head) == ([30, 26], *opens[:2])
    explorer.query, explorer.level, explorer.head = [59, 51], 4, 7
    for name, wrong in {"query": [60, 0], "level": 3, "head": 8}.items():
        with pytest.raises(TraitError, match=f"{name} .* is not in this explorer"):
            setattr(explorer, name, wrong)


def test_lift_is_the_records():
    model, pair = example("padded")
    explorer, record = explore(model, pair, cuts=False), recorded(model, pair)
    explorer.query, explorer.level, explorer.head, explorer.relative = [59, 3], 2, 5, False
    torch.testing.assert_close(explorer.lift(), record.lift(2, (30, 2), head=5))  # padded by 2, 2
    explorer.reverse, explorer.by_value, explorer.head = True, True, None
    expected = record.find_readers(2, (30, 2), by_value=True)
    torch.testing.assert_close(explorer.lift(), expected)
    assert explorer.png()[:4] == b"\x89PNG"


def test_another_slice_is_shown_at_the_readers_place(opened):
    model, volume = network((32, 32), channels=16), smooth(1, (32, 32), slices=3)
    pair = dl.load_pair(volume, smooth(2, (32, 32), slices=3), 4)
    explorer = explore(model, pair, slice=0, cuts=False)
    explorer.query, explorer.level, explorer.head, explorer.relative = [9, 20], 2, 3, False
    explorer.slice = 2
    assert explorer.info["slice"] == 2 and (explorer.query, explorer.level) == ([9, 20], 2)
    expected = explore(model, pair, slice=2, cuts=False)
    assert explorer.networks == expected.networks and explorer.images == expected.images
    record = recorded(model, pair.take_slice(2))
    torch.testing.assert_close(explorer.lift(), record.lift(2, (4, 10), head=3))
    with pytest.raises(TraitError, match="slice 3 is not there, expected 0 to 2"):
        explorer.slice = 3
    page = opened(explorer)
    assert page.get_by_label("Slice", exact=True).count() == 0
    assert "this page keeps slice 2 alone" in page.locator(".dx-about").first.inner_text()


def test_the_other_explorers_of_a_network_turn_to_another_slice_too():
    model = network((32, 32), channels=16)
    pair = dl.load_pair(smooth(1, (32, 32), slices=2), smooth(2, (32, 32), slices=2), 4)
    lab = dl.intervention_lab(model, pair, slice=0, other=pair)
    lab.intervention = {"reference": "blank"}
    lab.slice = 1
    expected = dl.intervention_lab(model, pair, slice=1, other=pair).run(Intervention("blank"))
    assert lab.result["tried"] == "reference blank"
    assert lab.result["psnr_db"] == expected.psnr and len(lab.rows) == 2
    lab.intervention = {"shift": [0, 1]}
    assert lab.rows[-1]["slice"] == 1 and lab.info["slice"] == 1
    asked = dl.explore_attribution(lambda lr, ref: 2 * ref, pair, slice=0)
    asked.patch, asked.slice = [3, 4, 5, 6], 1
    assert (asked.patch, asked.info["slice"], asked.results) == ([3, 4, 5, 6], 1, {})
    assert torch.equal(asked._network[2], pair.ref[1:])
    moved = dl.explore_displacement(model, pair, slice=0)
    moved.moved, moved.slice = {"down": 1.0}, 1
    psnr = dl.explore_displacement(model, pair, slice=1).rows[0]["psnr"]
    assert moved.rows[0]["psnr"] == psnr and moved.result["moved"]["down"] == 1.0


def test_a_torn_value_has_no_length_to_show():
    """Of the network on screen: another one may have."""
    pair = dl.load_pair(smooth(1, (32, 32)), smooth(2, (32, 32)), 4)
    models = [network((32, 32), variant=name) for name in ("corrected", "released")]
    explorer = explore(models, pair, cuts=False)
    explorer.by_value = True
    explorer.network = "released"
    assert explorer.by_value is False
    with pytest.raises(TraitError, match="by_value True is not in this explorer"):
        explorer.by_value = True


def test_the_model_is_left_as_it_was():
    model, pair = example("corrected")
    model.train()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    explore(model, pair)
    assert model.training and model.fused
    assert all(torch.equal(before[name], value) for name, value in model.state_dict().items())


@pytest.mark.parametrize("options", [{"spatial_attention": logits_only}, {"variant": "aligned"}])
def test_attention_without_keys_is_sent_as_it_is(options):
    model = network((32, 32), **options)
    pair = dl.load_pair(smooth(1, (32, 32)), smooth(2, (32, 32)), 4)
    explorer = explore(model, pair, slice=0, cuts=False)
    with dl.trace(model) as record:
        model(pair.lr[:1], pair.ref[:1])
    for level in (1, 2, 4):
        assert explorer.levels[str(level)]["keys"] is None
        sent = unpack(explorer.levels[str(level)]["attention"])
        assert sent.shape[0] == (1 if options.get("variant") else 8)
        torch.testing.assert_close(
            sent.expand(8, -1, -1), record.spatial[level][0], atol=1e-3, rtol=0
        )
        explorer.level, explorer.query, explorer.head, explorer.relative = level, [9, 20], 3, False
        expected = record.lift(level, (9 // level, 20 // level), head=3)
        torch.testing.assert_close(explorer.lift(), expected)


@pytest.mark.parametrize(
    "options, reason",
    [
        ({"spatial": False}, "without its spatial branch"),
        ({"scale": 2}, "a network for 2x"),
        ({"variant": "released", "image_size": 64}, "fixed to a 64 x 64 grid"),
    ],
)
def test_what_cannot_be_shown_says_why(options, reason, monkeypatch):
    shown = []
    monkeypatch.setattr("IPython.get_ipython", lambda: "a notebook")
    monkeypatch.setattr("IPython.display.display", shown.append)
    model = network((32, 32), **options)
    pair = dl.load_pair(smooth(1, (32, 32)), smooth(2, (32, 32)), 4)
    with pytest.raises(dl.InputError, match=reason):
        explore(model, pair)
    assert reason in shown[0].message and reason in repr(shown[0])
    with pytest.raises(dl.InputError, match="found str; expected a Pair"):
        explore(network((32, 32)), "pair.npy")


# --- without a kernel -----------------------------------------------------------------------------


def test_the_static_twin_stands_beside_the_widget():
    explorer = explore(*example("released"), cuts=False)
    data, _ = explorer._repr_mimebundle_()
    assert "application/vnd.jupyter.widget-view+json" in data
    assert base64.b64decode(data["image/png"])[:8] == b"\x89PNG\r\n\x1a\n"
    assert data["text/plain"].startswith("AttentionExplorer: released network (lite), 4x")
    assert not callable(getattr(explorer, "_ipython_display_", None))


@pytest.mark.parametrize("variant", ["corrected", "released"])
def test_a_saved_page_of_lite_stays_below_6_mb(variant, tmp_path):
    shape = (128, 128)
    pair = dl.load_pair(smooth(1, shape), smooth(2, shape), 4)
    explore(network(shape, variant=variant), pair, cuts=False).save_html(tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text()
    assert len(page) < 6e6 and "without level" not in page
    assert [path.name for path in tmp_path.iterdir()] == ["page.html"]
    inside = page.replace("img-src", "").replace('src="data:image/png;base64,', "")
    for tag in ("src=", "@import", "url(", "fetch(", "XMLHttpRequest"):
        assert tag not in inside


def test_a_larger_network_saves_its_coarser_levels(tmp_path, monkeypatch):
    monkeypatch.setattr("dcamsr_lite.widgets.attention.explorer.PAGE_BYTES", 500_000)
    explorer = explore(*example("corrected"), cuts=False)
    explorer.save_html(tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text()
    assert len(page) <= 500_000 and "without level 1" in page
    assert explorer.level == 1 and list(explorer.levels) == ["1", "2", "4"]


def test_a_page_draws_its_picture_once(monkeypatch):
    """It was drawn twice, the first time to see how much room it leaves: half of all the time."""
    explorer, drawn = explore(*example("coarse only"), cuts=False), []
    monkeypatch.setattr(explorer, "_draw", lambda: drawn.append(0) or draw_words("drawn"))
    explorer.save_html("page.html")
    assert len(drawn) == 1


def test_the_script_can_stand_inside_a_page():
    assert "</" not in AttentionExplorer._esm and "</" not in script()


# --- fixed point, feature maps, several networks -----------------------------------------------------


@pytest.mark.parametrize(
    "dtype, steps",
    [("int8", 127), ("int10", 511), ("int11", 1023), ("int12", 2047), ("int16", 32767)],
)
def test_fixed_point_is_off_by_half_a_step_of_each_picture(dtype, steps):
    x = torch.randn(2, 5, 3, 7) * torch.tensor([1e-6, 1, 50, 0, 1e9])[:, None, None]
    error = (unpack(pack(x, dtype, maps=True)) - x).abs().amax((-2, -1))
    assert (error <= 0.51 / steps * x.abs().amax((-2, -1))).all()
    error = (unpack(pack(x, dtype)) - x).abs().max()
    assert error <= 0.51 / steps * x.abs().max()


def test_the_record_keeps_what_the_channel_branch_mixes():
    model, pair = example("padded")
    record = recorded(model, pair)
    for level, (query, key, value) in record.features.items():
        q, k = (normalize(x.flatten(3), dim=-1) for x in (query, key))
        temperature = model.transformers[str(level)].attention.channel.temperature
        weights = (temperature * (q @ k.mT)).softmax(-1)
        torch.testing.assert_close(weights, record.channel[level])
        assert value.shape == (1, 8, 4, *record.footprints[level].shape[-2:])


def test_the_error_is_split_by_band():
    model, pair = example("padded")
    explorer, target = explore(model, pair, cuts=False), pair.target_image
    ours = dl.super_resolve(model, pair)
    seen = {"low": explorer.info["quality"], "output": explorer.networks["corrected"]["quality"]}
    for image, shown in ((pair.zero_filled, seen["low"]), (ours, seen["output"])):
        expected = band_error(target, image, 4)
        assert shown["psnr"] == f"{psnr(target, image):.1f} dB"
        assert shown["measured"] == pytest.approx(expected["measured"], rel=1e-4)
        assert shown["removed"] == pytest.approx(expected["removed"], rel=1e-4)


def test_several_networks_share_one_pair():
    models, pair = both()
    explorer = explore(models, pair, cuts=False)
    assert (list(explorer.networks), explorer.network) == (["whole", "bare"], "whole")
    explorer.level, explorer.head, explorer.branch, explorer.cell = 1, 7, "channel", [7, 3, 3]
    explorer.network = "bare"  # which has level 4 only, and no channel branch
    assert (explorer.level, explorer.head, explorer.branch) == (4, 7, "spatial")
    assert explorer.cell == [0, 0, 0]
    record = recorded(models["bare"], pair)
    torch.testing.assert_close(explorer.lift(), record.lift(4, (8, 8), head=7, relative=True))
    for name, wrong in {"network": "none", "branch": "channel", "cell": [0, 1, 0]}.items():
        with pytest.raises(TraitError, match=f"{name} .* is not in this explorer"):
            setattr(explorer, name, wrong)


def test_a_list_is_named_by_variant():
    shape, pair = (32, 32), dl.load_pair(smooth(1, (32, 32)), smooth(2, (32, 32)), 4)
    variants = ["corrected", "paper", "corrected"]
    explorer = explore([network(shape, variant=v) for v in variants], pair, cuts=False)
    assert list(explorer.networks) == ["corrected", "paper", "corrected 2"]
    assert "3 networks, 4x" in explorer.info["title"]
    with pytest.raises(dl.InputError, match="models: found none"):
        explore([], pair, cuts=False)
    with pytest.raises(dl.InputError, match="found str"):
        explore({"a": network(shape), "b": "lite-4x-footprints"}, pair, cuts=False)


def test_a_page_of_several_networks_stays_below_the_limit(tmp_path, monkeypatch):
    # for each network
    monkeypatch.setattr("dcamsr_lite.widgets.attention.explorer.PAGE_BYTES", 700_000)
    models, pair = both()
    explorer = explore({"one": models["whole"], "two": models["whole"]}, pair, cuts=False)
    explorer.tour = [{"text": "Fine.", "level": 1, "network": "two"}, {"text": "All.", "level": 4}]
    state = explorer.state()
    assert {name: list(one["levels"]) for name, one in state["networks"].items()} == {
        "one": ["2", "4"],
        "two": ["2", "4"],
    }
    assert [step["level"] for step in state["tour"]] == [2, 4]
    assert "without level 1" in state["info"]["notes"][-1] and state["level"] == 2
    explorer.save_html(tmp_path / "page.html")
    assert (tmp_path / "page.html").stat().st_size <= 1_400_000


# --- with the widget libraries of Colab, and with the newest ----------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize(
    "libraries",
    [("ipywidgets==7.7.1", "anywidget==0.9.21", "ipython_genutils"), ("ipywidgets", "anywidget")],
    ids=["Colab", "newest"],
)
def test_traits_work_with_other_widget_libraries(libraries, tmp_path):
    """All explorers' tests that need no browser, with these in front of what is installed."""
    place = tmp_path / "libraries"
    pip("install", "--quiet", "--no-deps", "--target", str(place), *libraries)
    known = [str(place), str(ROOT), os.environ.get("PYTHONPATH", "")]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(known)}
    show = "import anywidget, ipywidgets; print(*(m.__file__ for m in (anywidget, ipywidgets)))"
    run = {"env": environment, "cwd": ROOT, "capture_output": True, "text": True}
    files = subprocess.run([sys.executable, "-c", show], **run).stdout.split()
    assert len(files) == 2 and all(str(place) in file for file in files)
    run["env"] = environment | {"PATH": str(tmp_path)}  # no browser to be found: its tests skip
    names = ("test_lab.py", "test_kspace_traits.py", "test_attribution.py")
    files = [__file__, *(Path(__file__).with_name(name) for name in names)]
    quiet = ["-q", "-m", "not slow", "-o", "filterwarnings=default"]  # their warnings are not ours
    pytest_ = [sys.executable, "-m", "pytest", *quiet, "-p", "no:cacheprovider"]
    tests = subprocess.run([*pytest_, *map(str, files)], **run)
    assert tests.returncode == 0, tests.stdout[-3000:] + tests.stderr[-1000:]


@pytest.mark.parametrize("changes, steps", [({}, 5), ({"channel": False}, 4)])
def test_a_tour_that_is_asked_for_fits_the_network(changes, steps):
    """Every step of it can be taken: without cuts, and without a channel branch, it is shorter."""
    model = dl.DCAMSR(scale=4, image_size=32, channels=8, heads=2, **changes)
    volume = phantom(1, 32)
    explorer = dl.explore(model, dl.load_pair(volume, volume, 4), cuts=False, tour=True)
    assert len(explorer.tour) == steps
    for step in explorer.tour:
        for name in set(step) - {"text"}:
            setattr(explorer, name, step[name])
        assert explorer.lift().isfinite().all()
