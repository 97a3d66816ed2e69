"""The GPU script, rehearsed on a CPU: every part leaves its file, and what is finished is kept."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest
from helpers import ROOT

import dcamsr_lite as dl

sys.path += [str(ROOT / "scripts"), str(ROOT / "scripts" / "results")]
import gpu_page  # noqa: E402
from gpu_parts import pace  # noqa: E402
from gpu_parts.plan import Plan  # noqa: E402

PARTS = ("correct", "bench", "profile", "equal", "train")


def rehearse(out, real) -> str:
    """Without what the lent machine lacks, too."""
    blocked = out.parent / "blocked"
    blocked.mkdir(exist_ok=True)
    for name in ("nibabel", "anywidget", "ipywidgets", "captum", "IPython", "traitlets"):
        (blocked / f"{name}.py").write_text("raise ImportError('not on the device machine')\n")
    script = [sys.executable, ROOT / "scripts" / "gpu.py", "--rehearse"]
    command = [*script, "--out", out, "--real", real]
    own = {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(blocked)}
    done = subprocess.run(command, env=os.environ | own, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    return done.stdout


def results(out) -> dict[str, dict]:
    return {name: json.loads((out / f"{name}.json").read_text()) for name in PARTS}


@pytest.mark.slow
def test_the_rehearsal_runs_every_part_and_keeps_what_is_finished(tmp_path):
    out, real = tmp_path / "out", tmp_path / "real"
    real.mkdir()
    draw = np.random.default_rng(0)
    for name, spacing in (("openms_mni_p19", 8.0), ("openms_longitudinal_p01", 5.0)):
        images = {n: draw.integers(1, 900, (3, 40, 36)).astype(np.uint16) for n in ("T1W", "T2W")}
        np.savez(real / f"{name}.npz", **images, spacing=np.array([spacing] * 3))
    rehearse(out, real)
    first = results(out)
    assert all(part["complete"] and not part["failed"] for part in first.values())
    assert not [*out.glob("*.error.txt")]
    assert all(row["status"] == "measured" for row in first["bench"]["rows"])
    assert {row["data"] for row in first["train"]["rows"]} == {"real-openms_mni_p19", "test-900000"}
    stored = {file.stem for file in (out / "work" / "slices").iterdir()}
    assert stored == {"real-openms_longitudinal_p01", "simulated-0", "simulated-1"}
    assert dl.load(out / "full-4x.safetensors").config.image_size == (32, 32)

    assert rehearse(out, real).count("kept") == len(PARTS)
    assert results(out) == first

    (out / "profile.json").unlink()
    assert rehearse(out, real).count("kept") == len(PARTS) - 1
    again = results(out)
    assert again.pop("profile")["complete"]
    assert again == {name: part for name, part in first.items() if name != "profile"}


def test_steps_are_planned_from_the_rate_that_was_measured_and_from_the_clock(tmp_path):
    plan, (first, second) = Plan(tmp_path, tmp_path), pace.STAGES
    pace.write_pace(tmp_path, pace.Pace(step=0.1, other=5.0))  # the probe's
    steps = pace.plan_steps(plan, tmp_path, first, seconds=200.0, stages=2)
    assert 0.1 * steps + 5 <= first.share * 200
    pace.write_pace(tmp_path, pace.Pace(step=0.125, other=7.0))  # the first stage was slower
    left = 200 - (0.125 * steps + 7)
    steps = pace.plan_steps(plan, tmp_path, second, seconds=left, stages=1)
    assert 0.85 * left < 0.125 * steps + 7 <= left
    assert pace.plan_steps(plan, tmp_path, second, seconds=1.0, stages=1) == 2  # no time is left


def test_the_page_says_what_the_files_of_the_run_say():
    folder = ROOT / "assets" / "results"
    assert gpu_page.write_text(folder / "gpu") == (folder / "gpu.md").read_text(encoding="utf-8")
