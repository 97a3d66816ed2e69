"""The k-space explorer: the browser's images and numbers are Python's, at the rate of a drag."""

import shutil
import subprocess
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from helpers import coil_kspace, phantom
from torch.testing import assert_close
from traitlets import TraitError

import dcamsr_lite as dl
from dcamsr_lite import kspace as ks
from dcamsr_lite import metrics
from dcamsr_lite.data.volume import Volume, volume_from_kspace
from dcamsr_lite.widgets import KSpaceExplorer, explore_kspace
from dcamsr_lite.widgets.gallery import example
from dcamsr_lite.widgets.tours import center_box

JS = Path(__file__).parents[1] / "js"
ROOT = "document.querySelector('.dcamsr-explorer').explorer"


def odd_coils(shape: tuple[int, int], coils: int = 3) -> torch.Tensor:
    """(slice, coil, rows, columns) k-space of smooth complex coil images, two slices."""
    generator = torch.Generator().manual_seed(5)
    parts = torch.rand(2, 2 * coils, 9, 7, generator=generator)
    parts = torch.nn.functional.interpolate(parts, shape, mode="bicubic")
    return ks.fft2c(torch.complex(parts[:, ::2], parts[:, 1::2] - 0.5))


CASES = {
    "an image": phantom(1, 32)[0],
    "odd sides": phantom(1, 48)[0, :37, :45],
    "four coils": coil_kspace(2, 32),
    "odd coils": odd_coils((27, 34)),
}


# --- what is explored -----------------------------------------------------------------------------


def test_an_image_is_explored_by_its_own_kspace():
    image = phantom(3, 32)
    explorer = explore_kspace(image, slice=2)
    assert_close(explorer.kspace()[0], ks.fft2c(image[2].double()), rtol=1e-5, atol=1e-5)
    assert explorer.box == center_box((32, 32), 4) == [12, 12, 8, 8]
    image[1] *= 2
    assert explore_kspace(image).info["slice"] == 1


def test_another_slice_is_turned_to_with_the_readers_box_and_a_blank_one_is_refused():
    volume = phantom(3, 32) * torch.tensor([1.0, 2.0, 0.0])[:, None, None]
    explorer = explore_kspace(volume)
    explorer.box, explorer.shape = [4, 5, 20, 11], "disc"
    explorer.slice = 0
    assert explorer.info["slice"] == 0 and (explorer.box, explorer.shape) == (
        [4, 5, 20, 11],
        "disc",
    )
    assert_close(explorer.kspace()[0], ks.fft2c(volume[0].double()), rtol=1e-5, atol=1e-5)
    with pytest.raises(dl.InputError, match="slice 2"):
        explorer.slice = 2
    assert explorer.slice == explorer.info["slice"] == 0 and "slice 2" in explorer.info["refused"]
    explorer.slice = 1
    assert explorer.info["slice"] == 1 and "refused" not in explorer.info


def test_a_pair_is_explored_by_its_targets_coils():
    reference, target = Volume(phantom(2, 32)), volume_from_kspace("array", coil_kspace(2, 32))
    pair = dl.load_pair(reference, target, scale=4)
    explorer = explore_kspace(pair, slice=1)
    assert explorer.info["coils"] == 4 and "coil by coil" in explorer.info["origin"]
    assert_close(explorer.image().float(), pair.zero_filled[1], rtol=1e-4, atol=1e-5)
    explorer.matrix = "acquired"
    assert_close(explorer.image().float(), pair.low[1], rtol=1e-4, atol=1e-5)
    combined = dl.load_pair(reference, target, scale=4, order="image")
    explorer = explore_kspace(combined, slice=1)
    assert explorer.info["coils"] == 1 and combined.target_kspace is None
    assert_close(explorer.image().float(), combined.zero_filled[1], rtol=1e-4, atol=1e-5)


def test_the_coils_of_a_file_are_read_again(tmp_path):
    import h5py

    with h5py.File(tmp_path / "7_T201.h5", "w") as file:
        file["kspace"] = coil_kspace(18, 256).numpy()
    pair = dl.load_pair(phantom(18, 256), tmp_path / "7_T201.h5", scale=4)
    assert pair.target_kspace is None
    explorer = explore_kspace(pair, slice=3)
    assert explorer.info["coils"] == 4
    assert_close(explorer.image().float(), pair.zero_filled[3], rtol=1e-4, atol=1e-5)


@pytest.mark.slow
def test_many_coils_are_compressed_to_a_page_and_the_note_says_so(tmp_path):
    kspace = odd_coils((192, 160), coils=40)
    explorer = explore_kspace(kspace, slice=0)
    assert explorer.info["coils"] == 17  # 4 MiB of 8-byte samples
    assert "40 coils compressed to 17, which hold 9" in explorer.info["notes"][0]
    full = ks.rss(ks.ifft2c(kspace[0]))
    share = float(explorer.kspace().abs().square().sum() / kspace[0].abs().square().sum())
    explorer.box = [0, 0, 192, 160]
    assert float(explorer.image().square().sum() / full.square().sum()) == pytest.approx(share)
    assert f"{100 * share:.2f} %" in explorer.info["notes"][0]
    explorer.save_html(tmp_path / "page.html")
    assert (tmp_path / "page.html").stat().st_size < 6e6


@pytest.mark.parametrize(
    "source, slice, reason",
    [
        (torch.rand(4, 9), None, "found 4 x 9; expected 8 x 8 or more"),
        (torch.rand(1024, 1024), None, "expected 8 x 8 or more, 524288 pixels at most"),
        (torch.rand(2, 16, 16), 2, "slice: found 2; expected 0 to 1"),
        (torch.rand(16, 16) - 0.5, None, "expected a magnitude image"),
        (torch.rand(2, 2, 2, 16, 16), None, "shape"),
        (3.0, None, "found a float"),
        (dl.load_input(torch.rand(1, 32, 32), torch.rand(1, 8, 8), 4), None, "found no target"),
    ],
)
def test_what_cannot_be_explored_says_why(source, slice, reason, monkeypatch):
    shown = []
    monkeypatch.setattr("IPython.get_ipython", lambda: "a notebook")
    monkeypatch.setattr("IPython.display.display", shown.append)
    with pytest.raises(dl.InputError, match=reason):
        explore_kspace(source, slice)
    assert reason in shown[0].message


def test_the_readers_setting_is_checked():
    explorer = explore_kspace(CASES["odd sides"])
    explorer.box, explorer.point = [36, 0, 1, 45], [36, 44]
    wrong = {
        "box": [[0, 0, 38, 1], [30, 0, 8, 1], [-1, 0, 4, 4], [0, 0, 0, 4], [0, 41, 4, 5]],
        "point": [[37, 0], [0, -1]],
        "shape": ["circle"],
        "noise": [-0.1, 0.3],
        "window": ["hamming"],
        "taper": [1.5],
        "matrix": ["small"],
        "along": ["slice"],
        "rescale": [3],
    }
    for name, values in wrong.items():
        for value in values:
            before = getattr(explorer, name)
            with pytest.raises(TraitError, match=name):
                setattr(explorer, name, value)
            assert getattr(explorer, name) == before


def test_empty_explorers_say_so():
    explorer = KSpaceExplorer(message="no image")
    assert repr(explorer) == "no image" and explorer.png()[:4] == b"\x89PNG"
    with pytest.raises(LookupError, match="nothing to transform"):
        explorer.kspace()


# --- the forward model ----------------------------------------------------------------------------


@pytest.mark.parametrize("scale", [2, 4])
def test_a_centred_box_is_the_packages_degradation(scale):
    kspace = CASES["odd coils"]
    explorer = explore_kspace(kspace, slice=0)
    explorer.box = center_box(kspace.shape[-2:], scale)
    assert_close(explorer.image().float(), ks.zero_fill(kspace, scale)[0], rtol=1e-4, atol=1e-5)
    explorer.matrix = "acquired"
    assert_close(explorer.image().float(), ks.degrade(kspace, scale)[0], rtol=1e-4, atol=1e-5)
    explorer.rescale = False
    bright = ks.degrade(kspace, scale, restore_brightness=False)[0]
    assert_close(explorer.image().float(), bright, rtol=1e-4, atol=1e-5)


def test_quality_is_that_of_the_metrics():
    image = CASES["odd sides"]
    explorer = explore_kspace(image)
    quality, filled = explorer.quality(), ks.zero_fill(image, 4)
    for name in ("psnr", "ssim", "nmse"):
        expected = getattr(metrics, name)(image[None], filled[None])
        assert quality[name] == pytest.approx(expected, abs=1e-3)
    bands = metrics.band_error(image[None], filled[None], 4)
    assert {name: quality[name] for name in bands} == pytest.approx(bands, abs=1e-6)
    assert quality["inside"] == 0
    assert quality["measured"] + quality["removed"] == pytest.approx(quality["nmse"])


def test_noise_has_the_deviation_it_says_and_is_always_the_same():
    explorer = explore_kspace(phantom(1, 64))
    clean = explorer._measured()
    explorer.box, explorer.noise = [0, 0, 64, 64], 0.05
    clean, noisy = explorer.kspace(), explorer._measured()
    peak = float(ks.rss(ks.ifft2c(clean)).max())
    for part in ((noisy - clean).real, (noisy - clean).imag):
        assert float(part.std()) == pytest.approx(0.05 * peak, rel=0.05)
    assert torch.equal(noisy, explorer._measured())


def test_windows_fall_from_the_centre_and_lose_no_sample():
    explorer = explore_kspace(phantom(1, 32))
    explorer.box = [3, 5, 12, 9]
    for window in ("none", "hann", "tukey"):
        explorer.window = window
        weights = explorer.weights()
        assert int((weights > 0).sum()) == 12 * 9 and float(weights[9, 9]) == 1
    for taper, window in ((0.0, "none"), (1.0, "hann")):
        explorer.window, explorer.taper = "tukey", taper
        weights = explorer.weights()
        explorer.window = window
        assert_close(weights, explorer.weights())
    explorer.window, explorer.shape = "none", "lines"
    assert explorer.weights().sum(0).tolist() == [32.0 * (5 <= c < 14) for c in range(32)]


def random_settings(shape: tuple[int, int], count: int, seed: int = 0):
    """Boxes of any place and size, and everything else drawn as well."""
    random = np.random.default_rng(seed)
    for _ in range(count):
        height, width = (int(random.integers(1, n + 1)) for n in shape)
        yield {
            "box": [
                int(random.integers(shape[0] - height + 1)),
                int(random.integers(shape[1] - width + 1)),
                height,
                width,
            ],
            "shape": str(random.choice(["box", "lines", "disc"])),
            "window": str(random.choice(["none", "hann", "tukey"])),
            "taper": float(random.choice([0.0, 0.3, 1.0])),
            "noise": float(random.choice([0.0, 0.03])),
            "matrix": str(random.choice(["zero-filled", "acquired"])),
            "rescale": bool(random.random() < 0.5),
        }


QUICK = ("odd coils",)
SOME = [n if n in QUICK else pytest.param(n, marks=pytest.mark.slow) for n in CASES]


@pytest.mark.parametrize("name", SOME)
def test_the_browsers_image_is_pythons(name, opened):
    explorer = explore_kspace(CASES[name], slice=0)
    page, kspace = opened(explorer), explorer.kspace()
    for setting in random_settings(explorer.info["shape"], 24):
        for trait, value in setting.items():
            setattr(explorer, trait, value)
        small = setting["matrix"] == "acquired"
        shown = page.evaluate(f"([s, small]) => [...{ROOT}.image(s, small)]", [setting, small])
        shown = torch.tensor(shown, dtype=torch.float64)
        if small and setting["rescale"]:  # the transform itself, before the crop's brightening
            shown = shown / (kspace[0].numel() / len(shown)) ** 0.5
        expected = explorer.image()
        assert_close(shown.reshape(expected.shape), expected, rtol=1e-5, atol=1e-6)
        quality = page.evaluate(f"s => {ROOT}.quality(s)", setting)
        assert quality == pytest.approx(explorer.quality(), abs=1e-3, rel=1e-6), setting


@pytest.mark.parametrize("name", SOME)
def test_the_browsers_plain_boxes_are_those_of_kspace_py(name, opened):
    """Written from kspace.py alone, without the explorer's own Python."""
    explorer = explore_kspace(CASES[name], slice=0)
    kspace = CASES[name][0] if CASES[name].is_complex() else ks.fft2c(CASES[name])[None]
    page = opened(explorer)
    for setting in random_settings(explorer.info["shape"], 12, seed=1):
        setting |= {"shape": "box", "window": "none", "noise": 0}
        row, column, height, width = setting["box"]
        inside = (..., slice(row, row + height), slice(column, column + width))
        filled = torch.zeros_like(kspace)
        filled[inside] = kspace[inside]
        for small, data in ((False, filled), (True, kspace[inside])):
            expected = ks.rss(ks.ifft2c(data))
            shown = page.evaluate(f"([s, small]) => [...{ROOT}.image(s, small)]", [setting, small])
            shown = torch.tensor(shown).reshape(expected.shape)
            assert_close(shown, expected, rtol=0, atol=1e-5 * float(expected.max()))


@pytest.mark.skipif(not shutil.which("node"), reason="node is not installed")
def test_the_transform_in_node():
    run = subprocess.run(
        ["node", "--test", str(JS / "fourier.test.mjs")], capture_output=True, text=True
    )
    assert run.returncode == 0, run.stdout[-3000:] + run.stderr[-1000:]


@pytest.mark.slow
def test_the_tour_is_right_about_noise():
    """It let the reader expect a lower PSNR: in a narrow box the noise lifts it."""
    pair, index = example()
    explorer = dl.explore_kspace(pair, slice=index)
    step = explorer.tour[6]
    explorer.box = step["box"]
    quiet = explorer.quality()["psnr"]
    explorer.noise, found = step["noise"], []
    for scale in (4, 2, 1.34, 1):  # "Widen the box"
        explorer.box = center_box(pair.shape, scale)
        found.append(explorer.quality())
    for narrow, wide in pairwise(found):
        assert narrow["inside"] < wide["inside"] and narrow["outside"] > wide["outside"]
    assert found[-1]["nmse"] > found[1]["nmse"]  # "more k-space is not always a smaller error"
    assert found[0]["psnr"] > quiet and "PSNR and SSIM may rise with the noise" in step["text"]
