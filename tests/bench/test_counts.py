"""A guard against slower networks that reads no clock: operations, bytes and memory are counted."""

import json
import subprocess
import sys
from math import isclose
from pathlib import Path

import pytest
import torch

import dcamsr_lite as dl
from dcamsr_lite.bench.measure import Quick, count_work, measure_peak, measure_rates
from dcamsr_lite.bench.networks import (
    PASSES,
    BenchPlan,
    bench_networks,
    build_networks,
    join_gradients,
    make_images,
    run_both,
    run_forward,
)
from dcamsr_lite.bench.page import tell_goals
from dcamsr_lite.bench.plain import Plain
from dcamsr_lite.cli import main

ROOT = Path(__file__).parents[2]


def work(variant: str, kind: str) -> dict[str, dict]:
    """What each path of lite does at 32 x 32."""
    models, images = build_networks("lite", variant, 32, "cpu"), make_images(1, 32, "cpu")
    if kind == "forward":
        return {p: count_work(lambda p=p, m=m: run_forward(m.eval(), p, *images[:2]))
                for p, m in models.items()}  # fmt: skip
    return {p: count_work(lambda m=m: run_both(m.train(), *images)) for p, m in models.items()}


@pytest.mark.parametrize("variant", ["released", "corrected", "paper", "aligned"])
def test_the_plain_path_computes_the_same(variant):
    model = dl.DCAMSR(scale=4, image_size=32, variant=variant).eval()
    plain, (lr, ref, _) = Plain(model).eval(), make_images(2, 32, "cpu")
    with torch.no_grad():
        ours, theirs = model(lr, ref), plain(lr, ref)
    assert (ours - theirs).norm() <= 1e-6 * theirs.norm()
    assert not torch.equal(ours, lr.new_zeros(()))


# What was counted when this was written, with room for some more: (operations, bytes in MB). Another
# torch may split an operation; ours should not come to more without a reason. The released network
# drops attention while it learns, in strips, of which it computes the map again. An election of aligned
# is 80 operations on tiles, at every level: a tenth of the time at 128 x 128. What it finds it reads in
# a window of one ring more: 80 operations together.
MOST = {
    ("released", "forward"): (300, 32), ("corrected", "forward"): (300, 31),
    ("released", "forward + backward"): (930, 172), ("corrected", "forward + backward"): (840, 93),
    ("aligned", "forward"): (930, 57), ("aligned", "forward + backward"): (2870, 215),
}  # fmt: skip


QUICK = ("released", "forward + backward"), ("aligned", "forward")
EACH = [n if n in QUICK else pytest.param(*n, marks=pytest.mark.slow) for n in MOST]


@pytest.mark.parametrize(("variant", "kind"), EACH)
def test_a_pass_does_no_more_than_it_did(variant, kind):
    found, (operations, megabytes) = work(variant, kind), MOST[variant, kind]
    fast, plain = found["fast"], found["plain"]
    assert fast["operations"] <= operations and fast["bytes"] <= 1e6 * megabytes, fast
    assert fast["bytes"] < plain["bytes"]
    assert isclose(fast["flop"], plain["flop"], rel_tol=0.1)  # not by computing something else


def test_a_training_step_holds_less_than_plain_and_half_when_it_computes_again():
    images = make_images(1, 64, "cpu")
    models = build_networks("lite", "released", 64, "cpu")
    peak = {p: measure_peak("cpu", lambda m=m: run_both(m.train(), *images))
            for p, m in models.items()}  # fmt: skip
    assert peak["lean"] < 0.85 * peak["fast"] < 0.85 * peak["plain"]
    assert peak["fast"] < 0.5 * peak["plain"]  # the map of the attention is never written out


def test_a_training_step_drops_what_plain_drops_and_has_its_gradient():
    images, found = make_images(2, 32, "cpu"), {}
    for path, model in build_networks("lite", "released", 32, "cpu").items():
        run_both(model.train(), *images)
        found[path] = join_gradients(model.network if path == "plain" else model)
    for path in ("fast", "lean"):
        assert (found[path] - found["plain"]).norm() < 1e-4 * found["plain"].norm()


@pytest.mark.slow
def test_full_at_512_fits_two_gigabytes_and_is_what_plain_computes():
    """The whole process, with Python, torch and what NNPACK takes for itself, as Linux tells it.

    Not by getrusage: there a process starts with the peak of the one that started it.
    """
    if not Path("/proc/self/status").is_file():
        pytest.skip("this system does not say what a process has held at most")
    program = """
import re, torch
from dcamsr_lite.bench.networks import build_networks, make_images, run_forward
torch.set_num_threads(1)
models, images = build_networks("full", "released", 512, "cpu"), make_images(1, 512, "cpu")
models.pop("lean")
fast = run_forward(models["fast"].eval(), "fast", *images[:2])
print(re.search(r"VmHWM:\\s+(\\d+) kB", open("/proc/self/status").read())[1])
plain = run_forward(models["plain"].eval(), "plain", *images[:2])
print(float((fast - plain).norm() / plain.norm()))
"""
    told = subprocess.check_output([sys.executable, "-c", program], text=True, cwd=ROOT)
    kilobytes, difference = map(float, told.split())
    assert kilobytes < 2e9 / 1024
    assert difference < 1e-4


def test_work_grows_as_the_pixels_do():
    found = []
    for size in (32, 64):
        model = build_networks("lite", "released", size, "cpu")["fast"].eval()
        lr, ref, _ = make_images(1, size, "cpu")
        found.append(count_work(lambda m=model, x=lr, r=ref: run_forward(m, "fast", x, r)))
    small, large = found
    assert 3.6 < large["bytes"] / small["bytes"] < 4.4
    assert small["operations"] == large["operations"]


@pytest.mark.slow
def test_every_path_has_a_row_with_its_counts():
    plan = BenchPlan(sizes=(16, 32), presets=("lite",), variants=("corrected",), repeats=1)
    rows = [*bench_networks(plan, {"float32 TFLOP/s": 0.1, "copy GB/s": 10.0})]
    found = [(row["size"], row["pass"], row["path"]) for row in rows]
    paths = [(PASSES[0], "plain"), (PASSES[0], "fast")]
    paths += [(PASSES[1], name) for name in ("plain", "fast", "lean")]
    assert found == [(size, *path) for size in plan.sizes for path in paths]
    assert all(row["difference"] < 1e-5 and row["peak_gb"] > 0 for row in rows)
    assert all(row["times_plain"] == 1 for row in rows if row["path"] == "plain")


@pytest.fixture
def small_machine(monkeypatch):
    """What the machine can do, asked with a small matrix."""
    small = Quick(matrix=64, copied=1000)
    monkeypatch.setattr("dcamsr_lite.commands.bench.measure_rates", lambda _: measure_rates(small))


@pytest.mark.slow
def test_the_command_writes_its_page_and_prints_json(tmp_path, capsys, small_machine):
    options = ["--sizes", "16", "32", "--presets", "lite", "--variants", "corrected"]
    options += ["--repeats", "1", "--threads", "1", "--seconds", "1e-3"]
    out = tmp_path / "page"
    assert main(["bench", "--json", "--out", str(out), *options]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown == json.loads((out / "bench.json").read_text())
    page = (out / "bench.md").read_text(encoding="utf-8")
    assert page.count("| `lite` corrected |") == len(shown["rows"]) + 2 * len(shown["exponents"])
    assert (out / "bench.png").read_bytes()[1:4] == b"PNG"
    assert main(["bench", "--out", str(out), "--sizes", "24", *options[3:]]) == 0
    again = json.loads((out / "bench.json").read_text())
    assert [row["size"] for row in again["rows"]] == [16] * 5 + [24] * 5 + [32] * 5
    assert again["rows"][0] == shown["rows"][0]


def test_a_page_says_which_goals_were_reached():
    row = dict(preset="full", variant="released", size=256, batch=1, arithmetic_ms=50.0)
    rows = []
    for kind, path, ms, times, peak in (
        (PASSES[0], "plain", 100, 1.0, 4), (PASSES[0], "fast", 50, 2.0, 2),
        (PASSES[1], "plain", 300, 1.0, 8), (PASSES[1], "lean", 200, 1.5, 3),
    ):  # fmt: skip
        rows.append(row | {"pass": kind, "path": path, "median_ms": ms, "peak_gb": peak}
                    | {"times_plain": times})  # fmt: skip
    told = "\n".join(tell_goals(rows))
    assert "| fast | 2.00 | 1.5 | yes |" in told and "| lean | 1.50 | 2.0 | no |" in told
    assert "| lean | 0.38 | 0.5 | yes |" in told
    assert "would take 50 ms at the rate" in told and "plain 6.00, lean 4.00" in told


def test_the_command_refuses_what_the_network_would_pad(capsys):
    assert main(["bench", "--sizes", "60"]) == 2
    assert "multiples of 8" in capsys.readouterr().err
