"""PSNR and the attention's error over displaced references: tables, figure and page."""

import sys

import pytest
import torch
from helpers import ROOT, phantom

import dcamsr_lite as dl
from dcamsr_lite.data.volume import Volume
from dcamsr_lite.metrics import psnr

sys.path.append(str(ROOT / "scripts" / "results"))
import displacement  # noqa: E402


@pytest.fixture
def few(monkeypatch):
    sizes = {"shift": (0.0, 2.0), "turn": (3.0,), "bend": (1.0,)}
    monkeypatch.setattr(displacement, "SIZES", sizes)
    monkeypatch.setattr(displacement, "EVERY", 1)


@pytest.mark.slow
def test_every_displacement_is_scored_against_what_was_planted(few, tmp_path, monkeypatch):
    torch.manual_seed(0)
    head = [Volume(phantom(seed=n)[:1]) for n in (1, 2)]
    aligned = dl.DCAMSR(scale=4, image_size=64, variant="aligned").eval()
    weights = tmp_path / "w.safetensors"
    dl.save(aligned, weights)
    monkeypatch.setattr(displacement, "read_heads", lambda pairs: {"simulated-1": head, "p7": head})
    arguments = ["displacement.py", f"aligned={weights}", "zero-fill", "--out", str(tmp_path)]
    monkeypatch.setattr(sys, "argv", arguments)
    displacement.main()
    lines = displacement.read_lines(tmp_path / "displacement.csv")
    assert len(lines) == 2 * 2 * 4
    found = {(r["weights"], r["data"], r["kind"], float(r["size"])): r for r in lines}
    shifted = found["aligned", "p7", "shift", 2.0]
    assert float(shifted["own"]) == pytest.approx(8**0.5, abs=1e-3)
    assert float(found["aligned", "p7", "shift", 0.0]["own"]) == 0
    floor = dl.load_pair(*head, 4)
    expected = float(psnr(floor.target_image, floor.zero_filled))
    for kind, size in (("shift", 0.0), ("shift", 2.0), ("turn", 3.0)):
        row = found["zero-fill", "p7", kind, size]
        assert float(row["psnr"]) == pytest.approx(expected, abs=1e-3) and row["found"] == ""

    monkeypatch.setattr(sys, "argv", [*arguments[:2], "--out", str(tmp_path)])
    displacement.main()  # others stay
    assert len(displacement.read_lines(tmp_path / "displacement.csv")) == 16
    page = "\n".join(displacement.section(tmp_path))
    assert "| aligned, real heads |" in page and "(2.83)" in page
    assert (tmp_path / "displacement.png").stat().st_size > 10_000
    assert "Not run" in displacement.section(tmp_path / "nowhere")[0]
