"""The simulated head: physics, layout, noise, and how much of T2 is a function of T1."""

import numpy as np
import pytest
import torch
from helpers import ROOT, SHARED

from dcamsr_lite import phantom
from dcamsr_lite.errors import InputError
from dcamsr_lite.kspace import center_crop, center_pad, fft2c, ifft2c, rss
from dcamsr_lite.phantom import anatomy, head
from dcamsr_lite.phantom.sequences import TISSUES

REAL = SHARED / "data" / "open_ms"
ASSETS = ROOT / "assets" / "brain"


@pytest.fixture(scope="module")
def small():
    return phantom.simulate(seed=1, size=128, slices=9, repetitions=2)


@pytest.fixture(scope="module")
def large():
    return phantom.simulate(seed=1, size=256, slices=18, repetitions=2, contrasts=("T1", "T2"))


def test_signal_equations_at_their_limits():
    assert phantom.spin_echo(0.8, 100.0, 1e9, tr=1e6, te=10) == pytest.approx(0.8, rel=1e-5)
    assert phantom.spin_echo(1.0, 500.0, 80.0, tr=1e6, te=80) == pytest.approx(np.exp(-1), rel=1e-5)
    full = phantom.fast_spin_echo(1.0, 500.0, 80.0, tr=1e6, te=80, flip=180)
    assert full == pytest.approx(np.exp(-1), rel=1e-5)
    # A flip below 180 degrees lets long-T1 tissue decay more slowly.
    assert phantom.fast_spin_echo(1.0, 500.0, 80.0, tr=1e6, te=80, flip=120) > full
    null = phantom.inversion_recovery(1.0, 1000.0, 80.0, tr=1e6, te=1, ti=1000 * np.log(2))
    assert null == pytest.approx(0, abs=1e-4)
    assert phantom.inversion_recovery(1.0, 1000.0, 80.0, tr=1e6, te=1, ti=1) < -0.9


def test_contrasts_rank_tissues_as_a_radiologist_expects():
    signal = {
        contrast: {name: float(p.signal(t.pd, t.t1, t.t2)) for name, t in TISSUES.items()}
        for contrast, p in phantom.PROTOCOL.items()
    }
    t1, t2, flair = (signal[c] for c in ("T1", "T2", "FLAIR"))
    assert t1["fat"] > t1["white"] > t1["gray"] > t1["csf"]
    assert t2["csf"] > t2["lesion"] > t2["gray"] > t2["white"]
    assert flair["lesion"] > flair["gray"] > flair["white"] > abs(flair["csf"])


def test_layout_is_that_of_m4raw(small):
    for contrast in ("T1", "T2", "FLAIR"):
        kspace, image = small.kspace[contrast], small.images[contrast]
        assert kspace.shape == (2, 9, 4, 128, 128) and kspace.dtype == torch.complex64
        assert image.shape == (9, 128, 128) and image.dtype == torch.float32
        assert 0 <= image.min() and 0.9 < image.max() < 1.1
        assert kspace.isfinite().all()
    assert small.brain_mask.dtype == torch.bool and small.brain_mask.shape == (9, 128, 128)
    assert 0 <= small.lesions.min() and 0.2 < small.lesions.max() <= 1
    assert small.protocol["FLAIR"].TI == 1655 and small.seed == 1


@pytest.mark.slow
def test_acquired_columns_at_full_size(large):
    used = large.kspace["T2"].abs().sum((0, 1, 2, 3)) > 0
    assert used[30:225].all() and used.sum() == 195


def test_noise_free_coils_combine_to_the_image():
    one = phantom.simulate(seed=1, size=64, slices=3, repetitions=2, noise=False, contrasts=("T2",))
    first, second = one.kspace["T2"]
    image = one.images["T2"]
    error = (rss(ifft2c(first)) - image).abs()
    assert error.mean() < 0.02 * image.mean() and error.max() < 0.1
    assert (ifft2c(first).angle() - ifft2c(second).angle()).abs()[:, :, 30, 30].max() > 0.01


def test_one_seed_one_subject(monkeypatch):
    arguments = {"size": 64, "slices": 2, "repetitions": 1}
    one, other = (phantom.simulate(seed, **arguments) for seed in (1, 0))
    monkeypatch.setattr(head, "tissue_signals", anatomy.tissue_signals)  # not the one that is kept
    again = phantom.simulate(seed=1, contrasts=("T2",), **arguments)
    assert torch.equal(one.kspace["T2"], again.kspace["T2"])
    assert torch.equal(one.lesions, again.lesions)
    assert (one.images["T2"] - other.images["T2"]).abs().mean() > 0.02


def test_size_changes_the_resolution_and_not_the_head():
    low, high = (
        phantom.simulate(seed=1, size=n, slices=2, repetitions=1, noise=False, contrasts=("T1",))
        for n in (96, 192)
    )
    image = fft2c(high.images["T1"])
    reduced = ifft2c(center_crop(image, (96, 96))).real / 2
    error = (reduced - low.images["T1"]).square().mean() / low.images["T1"].square().mean()
    assert error < 0.01


def test_nose_up(large):
    # Rows run from the forehead to the occiput: the head is longer than wide, and in the lowest
    # slice, with the face in front, the brain lies in the rear part of the head.
    head = large.images["T1"] > 0.1
    middle = head[9]
    rows, columns = middle.any(1).nonzero(), middle.any(0).nonzero()
    assert rows[-1] - rows[0] > columns[-1] - columns[0] + 10
    row = torch.arange(256.0)[:, None]
    brain_row = (row * large.brain_mask[0]).sum() / large.brain_mask[0].sum()
    head_row = (row * head[0]).sum() / head[0].sum()
    assert brain_row > head_row + 3
    # Slices run upwards: the vertex is small.
    assert large.brain_mask[-1].sum() < 0.6 * large.brain_mask[9].sum()


def test_repetitions_differ_as_in_m4raw(large):
    for kspace in large.kspace.values():
        first, second = rss(ifft2c(kspace))
        psnr = 10 * torch.log10(first.max() ** 2 / (first - second).square().mean())
        assert 27.2 < psnr < 30.5


def test_lesions_show_on_t2(small):
    mask, lesion = small.brain_mask, small.lesions > 0.5
    t2 = small.images["T2"]
    assert lesion.any() and t2[lesion].mean() > 1.2 * t2[mask].median()


@pytest.mark.parametrize(
    "seed", [0, 1, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(2, 10))]
)
def test_t2_is_as_little_a_function_of_t1_as_in_patients(seed):
    head = phantom.simulate(seed, 128, 9, 1, noise=False, contrasts=("T1", "T2"))
    pair = head.images["T1"], head.images["T2"], head.brain_mask
    assert 0.45 <= phantom.explained_by(*pair) <= 0.73
    assert 0.23 <= phantom.explained_outside_crop(*pair) <= 0.37


def test_measures_know_their_extremes():
    x, mask = torch.rand(2, 64, 64), torch.ones(2, 64, 64)
    noise = torch.rand(2, 64, 64)
    assert phantom.explained_by(x, (x - 0.5).square(), mask) > 0.95
    assert phantom.explained_by(x, noise, mask) < 0.1
    assert phantom.explained_outside_crop(x, noise, mask) < 0.1
    edge = center_pad(torch.ones(2, 4, 4), (64, 64))
    with pytest.raises(InputError, match="mask: found no pixels"):
        phantom.explained_by(x, noise, edge)
    with pytest.raises(InputError, match="one shape"):
        phantom.explained_by(x, noise[:1], mask)


@pytest.mark.parametrize(
    "wrong",
    [{"size": 65}, {"size": 0}, {"slices": 0}, {"coils": 0}, {"contrasts": ("T3",)}]
    + [{"contrasts": ()}, {"field_of_view": 5.0}],
)
def test_impossible_requests_are_refused(wrong):
    with pytest.raises(InputError):
        phantom.simulate(**wrong)


def real_pair(name: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """T1, T2 and a brain mask; whole heads on 128 x 128, as the data's own recipe says."""
    ndimage = pytest.importorskip("scipy.ndimage")
    filters = pytest.importorskip("skimage.filters")
    path = REAL / f"openms_{name}.npz"
    if not path.is_file():
        pytest.skip("the open-MS pairs are not here")
    with np.load(path) as stored:
        volumes = [stored[k].astype(np.float32) for k in ("T1W", "T2W", "FLAIR")]
    if not name.startswith("longitudinal"):
        t1, t2, _ = volumes  # brain only
        return t1, t2, (t1 > 0) & (t2 > 0)
    kspace = [fft2c(center_pad(torch.from_numpy(v), (334, 334))) for v in volumes]
    t1, t2, flair = (ifft2c(center_crop(k, (128, 128))).abs().numpy() * 128 / 334 for k in kspace)
    mean = t2.mean((1, 2))
    t1, t2, flair = (v[mean > mean.max() / 4] for v in (t1, t2, flair))
    # FLAIR suppresses fat, so a threshold on it separates brain from scalp.
    mask = flair > 0.8 * filters.threshold_otsu(flair)
    mask = ndimage.binary_opening(mask, np.ones((1, 3, 3)), iterations=2)
    labels, _ = ndimage.label(mask)
    mask = labels == np.argmax(np.bincount(labels.ravel())[1:]) + 1
    cross = ndimage.generate_binary_structure(2, 1)
    slices = [ndimage.binary_closing(np.pad(m, 9), cross, iterations=6)[9:-9, 9:-9] for m in mask]
    return t1, t2, np.stack([ndimage.binary_fill_holes(m) for m in slices])


# (R^2, share outside the crop) as measured; the share only for whole heads on 128 x 128.
PATIENTS = {
    "longitudinal_p01_s1": (0.53, 0.37),
    "longitudinal_p03_s2": (0.42, 0.23),
    "mni_p07": (0.70, None),
    "mni_p19": (0.74, None),
}


@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=[pytest.mark.slow] * n.startswith("mni")) for n in PATIENTS]
)
def test_the_same_recipe_on_real_pairs(name):
    pair = real_pair(name)
    r2, outside = phantom.explained_by(*pair), phantom.explained_outside_crop(*pair)
    print(f"{name}: R^2 {r2:.3f}, outside the 4x crop {outside:.3f}")
    assert r2 == pytest.approx(PATIENTS[name][0], abs=0.03)
    if PATIENTS[name][1] is not None:
        assert outside == pytest.approx(PATIENTS[name][1], abs=0.03)


def test_assets_are_small_and_carry_their_licence():
    assert sum(f.stat().st_size for f in ASSETS.iterdir() if f.is_file()) < 3.2e6
    assert "McGill University" in (ASSETS / "LICENSE-Colin27.txt").read_text()
    assert "http" not in (ROOT / "scripts" / "brain" / "build.py").read_text()
