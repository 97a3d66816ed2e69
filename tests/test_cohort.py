"""Folders and protocols: numbers step by step; stopped runs go on; what is broken is said."""

import csv
import json
from pathlib import Path

import h5py
import nibabel
import numpy as np
import pytest
from helpers import coil_kspace, phantom
from skimage.metrics import structural_similarity

import dcamsr_lite as dl
from dcamsr_lite import cli
from dcamsr_lite.cohort import Reading, score_rows, summarise
from dcamsr_lite.commands.table_one import choose_methods
from dcamsr_lite.data.files import write_m4raw
from dcamsr_lite.evaluation import METHODS
from dcamsr_lite.figures import draw_case

PROTOCOL = {"tr": 500, "te": 18.4, "flip": 90}


@pytest.fixture
def tree(tmp_path):
    """Three subjects, one of them with two repetitions, as M4Raw's validation set lies."""
    folder = tmp_path / "m4raw" / "multicoil_val"
    folder.mkdir(parents=True)
    for seed, (subject, repetition) in enumerate([(1, 1), (1, 2), (2, 1), (3, 1)]):
        for contrast, more in (("T1", 10), ("T2", 20)):
            path = folder / f"{subject:03d}_{contrast}{repetition:02d}.h5"
            write_m4raw(
                path, coil_kspace(2, 32, seed + more), f"AX{contrast}", PROTOCOL, str(subject)
            )
    return folder.parent


def compute_protocol(kspace, scale):
    """PSNR, SSIM, NMSE of zero-fill against the clamped target, with numpy alone."""
    fourier = dict(axes=(-2, -1), norm="ortho")

    def to_image(k):
        image = np.fft.fftshift(np.fft.ifft2(np.fft.ifftshift(k, (-2, -1)), **fourier), (-2, -1))
        return np.sqrt((np.abs(image) ** 2).sum(1))

    size = kspace.shape[-1]
    small = size // scale
    kept = slice(size // 2 - small // 2, size // 2 - small // 2 + small)
    target = to_image(kspace)
    low = to_image(kspace[..., kept, kept])  # scale times brighter
    mean = low.mean((1, 2), keepdims=True)
    std = low.std((1, 2), keepdims=True, ddof=1)
    target = mean + std * np.clip((target - mean) / std, -6, 6)
    padded = np.zeros_like(kspace)
    padded[..., kept, kept] = kspace[..., kept, kept]
    image = to_image(padded)
    error = ((target - image) ** 2).mean()
    peak = target.max()
    window = {"win_size": 7, "data_range": peak}
    ssim = np.mean(
        [structural_similarity(a, b, **window) for a, b in zip(target, image, strict=True)]
    )
    return 10 * np.log10(peak**2 / error), ssim, ((target - image) ** 2).sum() / (target**2).sum()


@pytest.mark.parametrize("scale", [2, 4])
def test_a_protocols_numbers_are_those_of_its_steps(tree, scale, capsys):
    asked = [
        "evaluate",
        str(tree),
        "--protocol",
        f"m4raw-{scale}x",
        "--methods",
        "zero-fill",
        "--json",
    ]
    assert cli.main(asked) == 0
    result = json.loads(capsys.readouterr().out)
    assert len(result["per_volume"]) == 4 and result["scale"] == scale
    wanted = []
    for row in result["per_volume"]:
        with h5py.File(row["target"]) as file:
            found = compute_protocol(file["kspace"][()].astype(complex), scale)
        np.testing.assert_allclose([row[m] for m in ("psnr", "ssim", "nmse")], found, rtol=1e-6)
        wanted.append(found)
    told = result["methods"]["zero-fill"]
    assert told["subjects"] == 3 and told["volumes"] == 4
    np.testing.assert_allclose([told[m] for m in ("psnr", "ssim", "nmse")], np.mean(wanted, 0))
    low, high = told["interval"]["psnr"]
    assert low <= told["psnr"] <= high


def test_a_knees_image_is_cropped_before_its_kspace(tmp_path, capsys):
    """As fastMRI has them: wider in the readout than the reconstruction, and higher."""
    random = np.random.default_rng(0)
    for name in ("pd", "fs"):
        whole = phantom(2, 88, len(name)).numpy() * np.exp(1j * random.random((2, 88, 88)))
        kspace = np.fft.fftshift(np.fft.fft2(np.fft.ifftshift(whole[:, :, 16:72], (1, 2))), (1, 2))
        with h5py.File(tmp_path / f"{name}.h5", "w") as file:
            file["kspace"] = kspace.astype(np.complex64)
            file["reconstruction_esc"] = np.abs(whole[:, 24:64, 24:64]).astype(np.float32)
    (tmp_path / "pairs.csv").write_text("pd,fs")
    with h5py.File(tmp_path / "fs.h5") as file:
        kspace = file["kspace"][()].astype(complex)
    image = np.fft.fftshift(np.fft.ifft2(np.fft.ifftshift(kspace, (1, 2)), norm="ortho"), (1, 2))
    image = image[:, 24:64, 8:48]
    cut = np.fft.fftshift(np.fft.fft2(np.fft.ifftshift(image, (1, 2)), norm="ortho"), (1, 2))
    for scale in (2, 4):
        asked = ["evaluate", str(tmp_path / "pairs.csv"), "--protocol", f"fastmri-{scale}x"]
        assert cli.main([*asked, "--methods", "zero-fill", "--json"]) == 0
        (row,) = json.loads(capsys.readouterr().out)["per_volume"]
        wanted = compute_protocol(cut[:, None], scale)
        np.testing.assert_allclose([row[m] for m in ("psnr", "ssim", "nmse")], wanted, rtol=1e-6)


def test_a_knee_protocol_takes_a_csv(tmp_path, capsys):
    for name, seed in (("pd", 1), ("fs", 2)):
        with h5py.File(tmp_path / f"{name}.h5", "w") as file:
            kspace = coil_kspace(2, 40, seed)[:, 0].numpy().astype(np.complex64)
            file["kspace"] = kspace
    (tmp_path / "pairs.csv").write_text("pd,fs,0.1")
    asked = ["evaluate", str(tmp_path / "pairs.csv"), "--protocol", "fastmri-4x"]
    assert cli.main([*asked, "--methods", "zero-fill,bicubic", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)["per_volume"]
    with h5py.File(tmp_path / "fs.h5") as file:
        found = compute_protocol(file["kspace"][()][:, None].astype(complex), 4)
    np.testing.assert_allclose([rows[0][m] for m in ("psnr", "ssim", "nmse")], found, rtol=1e-6)


def test_a_stopped_run_goes_on_and_its_tables_are_whole(tree, tmp_path, capsys):
    out = tmp_path / "out"
    asked = ["evaluate", str(tree), "--scale", "4", "--methods", "zero-fill,bicubic"]
    asked += ["--out", str(out), "--worst", "0"]
    assert cli.main(asked) == 0
    whole = json.loads((out / "result.json").read_text())
    lines = (out / "rows.jsonl").read_text().splitlines()
    assert len(lines) == 1 + 8
    assert cli.main(asked) == 2  # nothing is replaced by mistake
    for kept, torn in ((1, ""), (4, lines[4][:30]), (8, "")):
        (out / "rows.jsonl").write_text("\n".join(lines[:kept]) + "\n" + torn)
        assert cli.main([*asked, "--resume"]) == 0
        assert json.loads((out / "result.json").read_text()) == whole
        assert (out / "rows.jsonl").read_text().splitlines() == lines
    with (out / "table.csv").open() as file:
        table = list(csv.DictReader(file))
    assert [float(row["psnr"]) for row in table] == [row["psnr"] for row in whole["per_volume"]]
    capsys.readouterr()
    changed = [a if a != "4" else "2" for a in asked]
    assert cli.main([*changed, "--resume"]) == 2
    assert "other options" in capsys.readouterr().err


@pytest.mark.slow
def test_a_worst_case_shows_the_error_on_the_scale_of_all_methods_and_no_image_twice():
    pair = dl.load_pair(phantom(2, 32).numpy(), phantom(2, 32, 5).numpy(), 4)
    bright = float(pair.target_image[1].max())
    image = pair.zero_filled.clone()
    image[1, 3, 3] += 30 * bright  # one wild pixel would make all others dark
    figure = draw_case(pair, image, "mine")
    panels = [axes for axes in figure.axes if axes.images]
    names = [axes.get_title().split("\n")[0] for axes in panels]
    assert names == ["reference", "zero-fill", "output", "target", "|error| of the output"]
    assert panels[-1].images[0].get_clim() == (0, pytest.approx(bright / 4))
    zero_filled = [axes for axes in draw_case(pair, pair.zero_filled, "mine").axes if axes.images]
    assert len(zero_filled) == 4


@pytest.mark.slow
def test_the_worst_volumes_are_drawn(tree, tmp_path):
    out = tmp_path / "out"
    asked = ["evaluate", str(tree), "--scale", "4", "--methods", "zero-fill", "--out", str(out)]
    assert cli.main([*asked, "--worst", "1"]) == 0
    assert [file.name for file in out.glob("*.png")] == ["worst-zero-fill-1.png"]
    assert (out / "worst-zero-fill-1.png").read_bytes()[:4] == b"\x89PNG"


def test_repetitions_are_averaged_where_that_is_asked(tree, capsys):
    """The phase differs from repetition to repetition: the mean is that of the magnitudes."""
    asked = ["evaluate", str(tree), "--scale", "4", "--method", "zero-fill", "--json"]
    assert cli.main([*asked, "--average"]) == 0
    rows = json.loads(capsys.readouterr().out)["per_volume"]
    assert [row["subject"] for row in rows] == ["001", "002", "003"]
    means = []
    for contrast in ("T1", "T2"):
        images = []
        for file in (tree / "multicoil_val").glob(f"001_{contrast}*.h5"):
            with h5py.File(file) as opened:
                images.append(opened["reconstruction_rss"][()])
        assert len(images) == 2
        means.append(np.mean(images, 0))
    wanted = dl.evaluate("zero-fill", dl.load_pair(*means, 4), 4)["psnr"]
    assert rows[0]["psnr"] == pytest.approx(wanted, abs=1e-4)
    capsys.readouterr()
    asked[1:2] = ["--reference", rows[0]["reference"], "--target", rows[0]["target"], "--average"]
    assert cli.main(asked) == 0
    captured = capsys.readouterr()
    assert json.loads(captured.out)["psnr"] == pytest.approx(wanted, abs=1e-4)
    assert "001_T201.h5: the mean of 2 repetitions" in captured.err


def test_what_cannot_be_averaged_is_refused(tree, tmp_path, capsys):
    folder = tree / "multicoil_val"
    write_m4raw(folder / "001_T202.h5", coil_kspace(2, 40), "AXT2", PROTOCOL, "1")
    asked = ["evaluate", "--scale", "4", "--method", "zero-fill", "--average", "--reference"]
    one = [str(folder / "001_T101.h5"), "--target", str(folder / "001_T201.h5")]
    assert cli.main([*asked, *one]) == 2
    assert "2 x 40 x 40 beside 2 x 32 x 32" in capsys.readouterr().err
    np.save(tmp_path / "t1.npy", phantom(2, 32).numpy())
    one[2] = str(tmp_path / "t1.npy")
    assert cli.main([*asked, str(folder / "002_T101.h5"), *one[1:]]) == 2
    assert "no name of M4Raw's" in capsys.readouterr().err


def test_a_broken_volume_is_left_out_and_said(tree, capsys):
    (tree / "multicoil_val" / "002_T201.h5").write_bytes(b"no file of HDF5")
    asked = ["evaluate", str(tree), "--scale", "4", "--method", "bicubic"]
    assert cli.main([*asked, "--json"]) == 0
    captured = capsys.readouterr()
    result = json.loads(captured.out)
    assert result["methods"]["bicubic"]["volumes"] == 3 and len(result["failed"]) == 1
    assert "002_T201.h5" in captured.err
    assert [row["psnr"] for row in result["worst"]["bicubic"]] == sorted(
        row["psnr"] for row in result["per_volume"] if "psnr" in row
    )
    assert cli.main(["data", "check", str(tree), "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["pairs"] == 4 and report["subjects"] == 3
    assert [Path(b["target"]).name for b in report["broken"]] == ["002_T201.h5"]
    assert report["protocols"]["m4raw-4x"] == 4 and report["shapes"] == {"2 x 32 x 32": 3}


def test_a_bids_tree_is_scored_by_subject(tmp_path, capsys):
    for subject in ("01", "02"):
        for session in ("a", "b"):
            place = tmp_path / f"sub-{subject}" / f"ses-{session}" / "anat"
            place.mkdir(parents=True)
            for number, kind in enumerate(("T1w", "T2w")):
                images = phantom(2, 32, int(subject) + 10 * number).numpy()
                image = nibabel.Nifti1Image(images.T, np.eye(4))
                nibabel.save(image, place / f"sub-{subject}_ses-{session}_{kind}.nii.gz")
    (tmp_path / "sub-02" / "ses-b" / "anat" / "sub-02_ses-b_T1w.nii.gz").unlink()
    assert (
        cli.main(["evaluate", str(tmp_path), "--scale", "2", "--method", "bicubic", "--json"]) == 0
    )
    captured = capsys.readouterr()
    told = json.loads(captured.out)["methods"]["bicubic"]
    assert (told["volumes"], told["subjects"]) == (3, 2)
    assert "1 files of T1w or T2w without a partner" in captured.err


def test_files_called_alike_in_every_patients_folder_are_of_that_patient(tmp_path, capsys):
    for place in ("p1/visit1", "p1/visit2", "p2/visit1"):
        (tmp_path / place).mkdir(parents=True)
        for number, name in enumerate(("t1", "t2")):
            np.save(tmp_path / place / f"{name}.npy", phantom(1, 32, 7 * number).numpy())
    rows = [f"{p}/t1.npy,{p}/t2.npy" for p in ("p1/visit1", "p1/visit2", "p2/visit1")]
    (tmp_path / "pairs.csv").write_text("\n".join(rows))
    asked = ["evaluate", str(tmp_path / "pairs.csv"), "--scale", "4", "--method", "zero-fill"]
    assert cli.main([*asked, "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert [row["subject"] for row in result["per_volume"]] == ["p1", "p1", "p2"]
    assert result["methods"]["zero-fill"]["subjects"] == 2  # all were one: no interval


def test_networks_are_scored_beside_each_other_as_evaluate_does(tree, tmp_path, capsys):
    dl.save(dl.DCAMSR(image_size=32), tmp_path / "mine.safetensors", normalisation="clean")
    rows = dl.find_pairs(tree)
    asked = ["evaluate", str(tree), "--scale", "4", "--json"]
    mine = str(tmp_path / "mine.safetensors")
    assert cli.main([*asked, "--methods", f"zero-fill,{mine}"]) == 0
    found = json.loads(capsys.readouterr().out)["methods"]
    for name, method in ((mine, dl.load(mine)), ("zero-fill", "zero-fill")):
        wanted = dl.evaluate(method, rows, 4)
        for measure in ("psnr", "ssim", "nmse"):
            assert found[name][measure] == pytest.approx(wanted[measure], rel=1e-6)


def test_all_methods_of_table_one_are_found_in_a_folder_of_trainings(tree, tmp_path, capsys):
    runs = tmp_path / "runs"
    small = {"scale": 4, "image_size": 32, "channels": 8}
    made = {name: dl.baseline(name, **small) for name in ("elan", "minet")}
    for name, change in (
        ("a", {}),
        ("b", {"reference": False}),
        ("c", {"channel": False}),
        ("d", {}),
    ):
        made[name] = dl.DCAMSR(**small, heads=2, **change)
    made["half"] = dl.baseline("masa", **(small | {"scale": 2}))
    for name, model in made.items():
        (runs / name).mkdir(parents=True)
        dl.save(model, runs / name / "last.safetensors", normalisation="clean")
    (tree / "multicoil_val" / "001_T201.h5").unlink()
    asked = ["evaluate", str(tree), "--scale", "4", "--weights", str(runs), "--json", "--methods"]
    assert cli.main([*asked, "elan,lr-guided,dcamsr (d),sanet"]) == 0
    assert [*json.loads(capsys.readouterr().out)["methods"]] == [
        "elan", "lr-guided", "dcamsr (d)", "sanet"]  # fmt: skip
    assert cli.main([*asked, "swinir"]) == 2
    assert "no weights of it" in capsys.readouterr().err
    options = cli.parser().parse_args([*asked, "all"])
    found = [*choose_methods(options, 4)]
    assert [*METHODS, "lite-4x"] == [n for n in found if n in METHODS or n == "lite-4x"]
    rows = {"elan", "sanet", "lr-guided", "no-channel", "dcamsr (a)", "dcamsr (d)"}
    assert rows <= {*found} and "masa" not in found
    assert "no weights of swinir, ttsr, masa;" in capsys.readouterr().err


def test_intervals_are_over_subjects_not_volumes():
    rows = [
        {"method": "a", "subject": s, "psnr": float(10 * s), "ssim": 0.5, "nmse": 0.1}
        for s in (1, 2, 3, 4) for _ in range(5)
    ]  # fmt: skip
    told = summarise(rows)["a"]
    few = summarise(rows[::5])["a"]
    assert told["interval"] == few["interval"] and told["psnr"] == 25
    assert told["interval"]["psnr"][0] < 20 and told["interval"]["psnr"][1] > 30
    assert told["interval"]["ssim"] == [0.5, 0.5]


def test_protocols_are_explained_and_unknown_ones_refused(tree, capsys):
    assert cli.main(["evaluate", "--protocol", "list"]) == 0
    said = capsys.readouterr().out
    assert all(
        name in said for name in ("m4raw-4x", "m4raw-2x", "fastmri-4x", "fastmri-2x", "clamp")
    )
    for wrong in (["--protocol", "m4raw-3x"], ["--protocol", "m4raw-4x", "--scale", "2"], []):
        assert cli.main(["evaluate", str(tree), *wrong]) == 2
    assert cli.main(["evaluate", str(tree), "--scale", "4", "--reference", "t1.npy"]) == 2


def test_an_error_of_one_pair_is_a_row():
    good = phantom(2, 32).numpy()
    rows = [(good, good, "1"), (good, good[:1], "2")]
    found = list(score_rows({"bicubic": "bicubic"}, rows, 4, Reading()))
    assert "psnr" in found[0] and "the same matrix" in found[1]["error"]
