"""Degradation, edits, normalisation and metrics of the live page are Python's, and so are its words."""

import json
import shutil
import subprocess
from dataclasses import replace

import pytest
import torch
from explorers import smooth
from helpers import ROOT

import dcamsr_lite as dl
from dcamsr_lite import Cut, Intervention, Lesion
from dcamsr_lite.interpret.cuts import check_cuts
from dcamsr_lite.interpret.interventions import edit, find_outcome

TRIED = [
    Intervention(),
    Intervention("blank", cuts=(Cut("channel", "uniform", levels=(4,)),)),
    Intervention("target", blur=1.5, rotate=-7.5),
    Intervention(shift=(2.25, -1)),
    Intervention(rotate=90, cuts=(Cut("spatial", "off"), Cut("spatial", "uniform", heads=(1, 3)))),
    Intervention(
        lesions=(Lesion("target", 10, 20), Lesion("reference", 16, 9, 3, -0.25)), shift=(0, 4)
    ),
    Intervention(lesions=(Lesion("reference", 12, 12.5, radius=6, remove=True),), blur=0.5),
    Intervention("other", cuts=(Cut("channel", "off", (1, 2), (0,)),)),
]


@pytest.mark.skipif(not shutil.which("node"), reason="node is not installed")
@pytest.mark.parametrize(("shape", "scale"), [((32, 40), 4), ((24, 32), 2)])
def test_the_page_computes_what_python_computes(shape, scale):
    reference, target, other = (smooth(seed, shape) for seed in (1, 2, 3))
    pair, third = (dl.load_pair(x, target, scale) for x in (reference, other))
    info = {"branches": ["spatial", "channel"], "levels": [1, 2, 4], "heads": 8}
    images = {"reference": reference, "target": target, "other": other}
    given = {name: x.flatten().double().tolist() for name, x in images.items()}
    asked = [one.as_dict() for one in TRIED]
    given |= {"size": shape, "scale": scale, "info": info, "interventions": asked}
    command = ["node", ROOT / "tests" / "js" / "live_cases.mjs"]
    done = subprocess.run(command, input=json.dumps(given), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    model = dl.DCAMSR(image_size=32)
    for one, found in zip(TRIED, json.loads(done.stdout), strict=True):
        made = edit(pair, 0, one, third)
        right = find_outcome(lambda lr, ref: ref, pair, 0, replace(one, cuts=()), third)
        images = {
            "ref": made.ref,
            "lr": made.lr,
            "filled": made.zero_filled,
            "output": right.output,
        }
        for name, image in images.items():
            torch.testing.assert_close(
                torch.tensor(found[name], dtype=torch.float32),
                image.flatten().float(),
                rtol=0,
                atol=2e-5,
            )
        row = right.row()
        assert found["row"]["tried"] == str(one)
        for name in ("psnr_db", "ssim", "error_measured", "error_removed"):
            assert found["row"][name] == pytest.approx(row[name], abs=1e-4)
        for plan in check_cuts(model, one.cuts)[1]:
            for branch in info["branches"]:
                for level in plan["levels"]:
                    for head in plan["heads"]:
                        at = info["levels"].index(level) * 8 + head
                        states = {"off": (0, 0), "uniform": (1, 1), "on": (1, 0)}
                        kinds = (f"{branch}_gate", f"{branch}_uniform")
                        if plan[branch] != "on":
                            gates = tuple(found["switches"][kind][at] for kind in kinds)
                            assert gates == states[plan[branch]]


@pytest.mark.skipif(not shutil.which("node"), reason="node is not installed")
def test_a_graphics_processor_that_fails_leaves_the_processor():
    test = ROOT / "tests" / "js" / "engine.test.mjs"
    done = subprocess.run(["node", "--test", test], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
