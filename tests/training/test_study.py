"""The study behind the results page: rows differ in what they say, resume, and report as measured."""

import argparse
import dataclasses
import functools
import json
import re
import shutil
import sys
import weakref
from pathlib import Path

import numpy as np
import pytest
import torch
from helpers import ROOT

import dcamsr_lite as dl
from dcamsr_lite.data.volume import Volume
from dcamsr_lite.training import study as st

sys.path.insert(0, str(ROOT / "scripts" / "results"))
import make  # noqa: E402
import report  # noqa: E402
import tables  # noqa: E402

SMALL = {"channels": 16, "heads": 4, "encoder_blocks": [1] * 3, "decoder_blocks": [1] * 6}
TINY = st.Study(size=32, steps=4, subjects=1, tests=3, slices=2, network=SMALL)


repetitions = functools.cache(make.simulated_repetitions)


@pytest.fixture(autouse=True)
def each_head_is_simulated_once(monkeypatch):
    monkeypatch.setattr(make, "simulated_repetitions", repetitions)


@pytest.fixture(scope="module")
def shared():
    return {"tensors": st.make_training_slices(TINY), "tests": st.make_test_pairs(TINY)}


@pytest.fixture(scope="module")
def trained(shared, tmp_path_factory):
    """Runs of a row into a folder: trained once, its files copied to every other one that asks."""
    kept = tmp_path_factory.mktemp("rows")

    def put(row: str, seed: int, folder: Path) -> dict:
        st.train_row(TINY, row, seed, kept, **shared)
        shutil.copytree(kept, folder, dirs_exist_ok=True, ignore=others(f"{row}-{seed}"))
        return st.train_row(TINY, row, seed, folder, **shared)

    return put


def others(name: str):
    """For copytree: what belongs to other rows than ``name``."""
    return lambda folder, names: [n for n in names if re.match(r".+-\d", n) and name not in n]


def test_rows_change_one_thing():
    small = st.Study(size=32)
    plain = vars(st.build_network(small, "corrected").config)
    for row, options in st.ROWS.items():
        if isinstance(options, dict) and "variant" not in options:
            config = vars(st.build_network(small, row).config)
            assert {k for k in config if config[k] != plain[k]} == set(options)
    assert (
        st.build_network(st.Study(), "torch_start").config.start == "torch"
    )  # over the study's own
    with pytest.raises(dl.InputError, match="row: found 'best'"):
        st.build_network(TINY, "best")


@pytest.mark.slow
def test_a_finished_row_is_read_and_another_study_refused(shared, tmp_path):
    first = st.train_row(TINY, "corrected", 0, tmp_path, **shared)
    before = (tmp_path / "corrected-0.json").stat().st_mtime_ns
    assert st.train_row(TINY, "corrected", 0, tmp_path, **shared) == first
    assert (tmp_path / "corrected-0.json").stat().st_mtime_ns == before
    other = dataclasses.replace(TINY, steps=5)
    with pytest.raises(dl.InputError, match="another folder"):
        st.train_row(other, "corrected", 0, tmp_path, **shared)
    assert len(first["subjects"]) == 3 and set(first["entropy"]) == {"spatial", "channel"}
    json.dumps(first, allow_nan=False)


@pytest.mark.slow
def test_the_page_says_what_the_tables_say(shared, trained, tmp_path):
    for row in ("corrected", "no_spatial"):
        for seed in (0, 1):
            trained(row, seed, tmp_path / "work")
    make.collect_rows(TINY, shared["tests"], tmp_path / "work", tmp_path)
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
    assert "- 2x, simulated heads, corrected (ours): not run." in page
    assert (tmp_path / "question-2.png").is_file() and not (tmp_path / "question-1.png").exists()
    assert "A person's conclusion." in page.split("## 2.")[1].split("## 3.")[0]


def test_a_claim_needs_both_intervals():
    clear = {"mean": 0.3, "low": 0.1, "high": 0.5, "seeds": [0.28, 0.32, 0.3]}
    assert tables.verdict(clear) == "a difference"
    assert tables.verdict(clear | {"seeds": [0.02, 0.1, 0.78]}) == "no difference shown"
    assert tables.verdict(clear | {"seeds": [0.2, 0.4]}) == "no difference shown"  # two, far apart
    assert tables.verdict(clear | {"low": -0.1}) == "no difference shown"
    assert tables.verdict(clear | {"seeds": [0.3]}) == "one seed, no claim"
    assert tables.verdict(clear | {"low": None}) == "too few subjects for an interval"


def test_equal_rows_are_seldom_claimed_by_their_seeds():
    random = torch.Generator().manual_seed(0)
    found = [st.seed_interval(torch.randn(3, generator=random)) for _ in range(2000)]
    assert 0.035 < sum(low > 0 or high < 0 for low, high in found) / 2000 < 0.065


@pytest.mark.slow
def test_published_rows_stay_and_those_of_another_study_are_refused(shared, trained, tmp_path):
    """A reader who repeats one row does not lose the others."""
    out = tmp_path / "published"
    out.mkdir()
    for row, work in (("paper", "first"), ("corrected", "second")):
        trained(row, 0, tmp_path / work)
        make.collect_rows(TINY, shared["tests"], tmp_path / work, out)
    assert [r["row"] for r in tables.read(out / "runs.csv")] == ["paper", "corrected"]
    lines = tables.read(out / "study.csv")
    assert [r["row"] for r in lines if r["seed"]] == ["paper"] * 3 + ["corrected"] * 3
    before = (out / "study.csv").read_bytes()
    make.collect_rows(TINY, shared["tests"], tmp_path / "first", out)
    assert (out / "study.csv").read_bytes() == before
    other = json.loads((tmp_path / "first" / "paper-0.json").read_text())
    other["study"]["real"] = [1, 0]
    (tmp_path / "second" / "paper-0.json").write_text(json.dumps(other))
    with pytest.raises(dl.InputError, match="several studies"):
        make.collect_rows(TINY, shared["tests"], tmp_path / "second", out)
    assert (out / "study.csv").read_bytes() == before
    with pytest.raises(dl.InputError, match="another folder: --out"):
        make.read_kept_runs(out, TINY, st.describe_study(TINY, real=(1, 0)))


def ask(**given) -> argparse.Namespace:
    asked = {"full": False, "scale": 4, "subjects": None, "tests": None, "real": None}
    return argparse.Namespace(**asked | given)


def test_the_full_study_has_the_asked_scale_and_says_what_it_lacks(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    chosen = make.choose_study(ask(full=True, scale=2, subjects=0, real=tmp_path))
    assert (chosen.scale, chosen.size, chosen.subjects, chosen.tests) == (2, 256, 0, 30)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    out = ["--out", str(tmp_path / "out"), "--work", str(tmp_path / "work")]
    for asked, word in ((["--full"], "no CUDA device"), (["--tests", "0"], "no simulated heads")):
        monkeypatch.setattr(sys, "argv", ["make.py", "study", *asked, *out])
        with pytest.raises(SystemExit) as left:
            make.main()
        said = capsys.readouterr().err
        assert left.value.code == 2 and word in said and said.count("\n") == 1
    assert not (tmp_path / "out").exists()


def write_real(folder: Path, size: int) -> None:
    random = np.random.default_rng(0)
    folder.mkdir(exist_ok=True)
    for name in ("t1.npy", "t2.npy"):
        np.save(folder / name, random.random((2, size, size), np.float32))
    for name in ("train.csv", "held_out.csv"):
        (folder / name).write_text("t1.npy,t2.npy\n")


@pytest.mark.slow
def test_a_study_of_real_pairs_alone_reads_them_one_by_one_and_says_how_much(
    tmp_path, monkeypatch, capsys
):
    monkeypatch.setattr(make, "Study", lambda: TINY)
    monkeypatch.setattr(st, "simulated_volumes", None)  # is not called
    monkeypatch.setattr(st, "simulated_pair", None)
    monkeypatch.setattr(make, "measure_memory", lambda device: 0.0)  # all goes to disk
    write_real(tmp_path / "real", 32)
    asked = ask(subjects=0, tests=0, real=tmp_path / "real", rows=["no_spatial"], seeds=1)
    asked.out, asked.work = tmp_path / "out", tmp_path / "work"
    make.study(asked)
    assert "0 simulated heads and 1 real pairs: at most 4 slices" in capsys.readouterr().out
    lines = tables.read(tmp_path / "out" / "study.csv")
    assert {line["data"] for line in lines} == {"real"}
    assert {line["row"] for line in lines} >= {"no_spatial", "zero-fill"}
    assert len([*(tmp_path / "work" / "4x" / "slices").iterdir()]) == 1
    write_real(tmp_path / "real", 40)
    with pytest.raises(dl.InputError, match=r"train.csv: found volumes of \(40, 40\)"):
        make.study(asked)


def test_the_hours_of_every_row_are_said_before_the_first_one(tmp_path, monkeypatch, capsys):
    """They follow from measured steps: 0.5 and 2 s here; a row that is finished takes none."""
    study = dataclasses.replace(TINY, steps=7200)
    monkeypatch.setattr(make, "choose_study", lambda asked: study)
    monkeypatch.setattr(make, "measure_step", lambda of, row: {"paper": 0.5, "edsr": 2.0}[row])
    (tmp_path / "work" / "4x").mkdir(parents=True)
    (tmp_path / "work" / "4x" / "corrected-0.json").touch()
    asked = ask(rows=["corrected", "paper", "edsr"], seeds=1)
    asked.out, asked.work = tmp_path / "out", tmp_path / "work"

    def stop(*given):
        raise KeyboardInterrupt  # before anything is read

    monkeypatch.setattr(make, "make_test_pairs", stop)
    with pytest.raises(KeyboardInterrupt):
        make.study(asked)
    said = capsys.readouterr().out
    for words in ("1.0 hours x 1 = 1.0", "4.0 hours x 1 = 4.0", "in all 5.0"):
        assert f"{words} hours" in said
    assert "0.500 s a step" in said and "corrected" not in said
    monkeypatch.setattr(make, "measure_step", lambda of, row: 0.005)
    with pytest.raises(KeyboardInterrupt):
        make.study(asked)
    assert "in all 1.2 minutes" in capsys.readouterr().out
    assert make.describe_hours({}, 7200, "here") == "every row is finished"


def test_training_volumes_are_let_go_one_after_the_other(monkeypatch):
    alive, most = weakref.WeakSet(), []

    def simulate(seed, **more):
        pair = tuple(Volume(torch.rand(2, 32, 32)) for _ in range(2))
        alive.update(volume.images for volume in pair)
        most.append(len(alive))
        return pair

    monkeypatch.setattr(st, "simulated_volumes", simulate)
    tensors = st.make_training_slices(dataclasses.replace(TINY, subjects=6))
    assert len(tensors[0]) == 24 and max(most) <= 4


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
    first, second, large, _ = report.ranking({"4": tables.Table(rows)}, "4")
    assert "none is ahead; the closest is EDSR-like, 1.00 dB behind" in first
    assert "Not run: zero-fill" in first
    assert second == "- 4x, real patients, corrected (ours): not run."
    assert large == "- 4x, simulated heads, corrected, as large as the baselines: not run."
    rows += scored("masa", {"0": [31, 30.5]}) + scored("as_large", {"0": [32, 32]})
    first, _, large, _ = report.ranking({"4": tables.Table(rows)}, "4")
    assert "ahead of it: MASA-like by 0.75 dB (too few subjects for an interval)." in first
    assert "none is ahead; the closest is MASA-like, 1.25 dB behind" in large


@pytest.mark.slow
def test_a_moved_reference_is_scored_on_the_network_of_the_study(
    shared, trained, tmp_path, monkeypatch
):
    monkeypatch.setattr(make, "Study", lambda: TINY)
    work = tmp_path / "work" / "4x"
    result = trained("corrected", 0, work)
    make.shifts(argparse.Namespace(work=tmp_path / "work", out=tmp_path, real=None))
    lines = tables.read(tmp_path / "shift.csv")
    psnr = {float(x["pixels"]): float(x["psnr"]) for x in lines if x["subject"] == "900000"}
    assert set(psnr) == set(make.PIXELS) and len(lines) == 3 * len(psnr)
    stored = dl.load(work / "corrected-0" / "last.safetensors")  # in half precision
    assert psnr[0] == pytest.approx(dl.evaluate(stored, shared["tests"][0][2])["psnr"], abs=1e-4)
    make.shifts(argparse.Namespace(work=tmp_path / "none", out=tmp_path, real=None))  # trained none
    assert tables.read(tmp_path / "shift.csv") == lines
    make.collect_rows(TINY, shared["tests"], work, tmp_path)
    report.write_page(tmp_path)
    page = (tmp_path / "README.md").read_text().split("## Beyond the questions")[1]
    means = [sum(float(r["psnr"]) for r in lines if float(r["pixels"]) == x) / 3 for x in psnr]
    assert "corrected (ours) | " + " | ".join(f"{x:.2f}" for x in means) in page
    (work / "corrected-0" / "shift.csv").unlink()
    result["subjects"][0]["psnr"] += 1  # weights of another run
    (work / "corrected-0.json").write_text(json.dumps(result))
    with pytest.raises(dl.InputError, match="as in the study"):
        make.shifts(argparse.Namespace(work=tmp_path / "work", out=tmp_path, real=None))


def test_the_reference_is_moved_as_far_as_is_said():
    pair = dl.load_pair(*np.random.default_rng(1).random((2, 2, 32, 32)), 4)
    moved = make.move_reference(pair, 2.0)
    torch.testing.assert_close(moved.ref, pair.ref.roll(2, -1), atol=1e-4, rtol=0)
    assert moved.lr is pair.lr and moved.target_image is pair.target_image


@pytest.mark.parametrize("name", ["study.csv", "study-2x.csv"])
def test_every_trained_row_is_ahead_of_zero_fill(name):
    table = tables.Table(tables.read(ROOT / "assets" / "results" / name))
    trained = set(table.psnr["simulated"]) & set(st.ROWS)
    assert len(trained) >= 10
    for row in trained:
        assert table.difference("simulated", row, "zero-fill")["low"] > 0, row


def test_conclusions_hold_no_number():
    """A number in prose could go stale: those on the page are computed."""
    for heading, text in report.notes(ROOT / "assets" / "results").items():
        assert not re.search(r"\d\.\d|dB", text), heading
