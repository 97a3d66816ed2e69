"""The estimate of a step's memory is what a step holds, within 15 %."""

import pytest
import torch
import torch.nn.functional as F

from dcamsr_lite.bench.measure import measure_peak
from dcamsr_lite.network.baselines import build
from dcamsr_lite.network.config import Config
from dcamsr_lite.network.parts import set_recompute
from dcamsr_lite.training.memory import estimate_memory

SMALL = dict(channels=16, heads=4)


def measure(config: Config, batch: int, recompute: bool) -> float:
    """Gigabytes by torch's own profiler, with weights and Adam's moments."""
    model, (rows, columns) = build(config).train(), config.image_size
    set_recompute(model, recompute)
    ref = torch.rand(batch, 1, rows, columns)
    lr = ref[..., :: config.scale, :: config.scale].contiguous()
    peak = measure_peak("cpu", lambda: F.l1_loss(model(lr, ref), ref).backward())
    return peak + 3 * sum(p.nbytes for p in model.parameters()) / 1e9


def make(variant: str, preset: str = "lite", **own) -> Config:
    return Config.make(variant, preset, **own)


DEEP, LONG = dict(decoder_blocks=(2, 2, 2, 6, 4, 2)), dict(image_size=(96, 64), **SMALL)
CASES = {
    "released": (make("released", **LONG), 2, False),
    "released, computed again": (make("released", **LONG), 2, True),
    "deep": (make("corrected", image_size=96, **DEEP), 1, False),
    "window": (make("corrected", image_size=64, spatial_attention="window", **SMALL), 1, False),
    "paper, no reference": (make("paper", image_size=80, reference=False, **SMALL), 2, False),
    "concatenation": (make("corrected", image_size=80, method="concatenation"), 1, False),
    "full": (make("released", "full"), 1, False),
    "full, computed again": (make("released", "full"), 1, True),
    "lite": (make("corrected"), 4, False),
}
QUICK = ("window", "paper, no reference")


@pytest.mark.parametrize(
    "case",
    [*QUICK, *(pytest.param(name, marks=pytest.mark.slow) for name in CASES if name not in QUICK)],
)
def test_the_estimate_is_what_a_step_holds(case):
    config, batch, recompute = CASES[case]
    found, expected = estimate_memory(config, batch, recompute), measure(config, batch, recompute)
    assert found == pytest.approx(expected, rel=0.15, abs=0.005)


def test_the_estimate_leaves_the_random_numbers_alone():
    torch.manual_seed(3)
    expected = torch.rand(2)
    torch.manual_seed(3)
    estimate_memory(Config(image_size=(40, 48)), 1)
    assert torch.equal(torch.rand(2), expected)
