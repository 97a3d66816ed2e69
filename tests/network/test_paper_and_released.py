"""The design's facts on our own implementation (fact 1: test_attention, fact 4: test_kspace)."""

import functools

import pytest
import torch

import dcamsr_lite as dl
from dcamsr_lite.phantom.subjects import simulated_pair

SMALL = dict(channels=64, heads=8, encoder_blocks=(1, 1, 1), decoder_blocks=(1, 1, 1, 1, 1, 1))


@pytest.fixture(scope="module")
def pair():
    return simulated_pair(seed=3, scale=4, size=128, slices=1)


@functools.cache
def recorded(variant: str, pair, **options):
    torch.manual_seed(0)
    model = dl.DCAMSR(4, image_size=128, variant=variant, **SMALL, **options).eval()
    with torch.inference_mode(), dl.trace(model) as record:
        model(pair.lr, pair.ref)
    return model, record


@pytest.mark.slow
def test_fact_2_released_spatial_attention_starts_uniform_and_cannot_learn(pair):
    """Logits of 4e-5, entropy 1.00000, a gradient of the temperature of the order 1e-10."""
    model, record = recorded("released", pair)
    logits = record.queries[1] @ record.keys[1].mT
    assert logits.std() < 1e-3
    for level in (1, 2, 4):
        assert record.entropy(level)["spatial"].min() > 0.99999
    (model(pair.lr, pair.ref) - pair.target).abs().mean().backward()
    spatial = model.transformers["1"].attention.spatial.temperature.grad.abs().max()
    channel = model.transformers["1"].attention.channel.temperature.grad.abs().max()
    assert spatial < 1e-7
    assert spatial < 1e-2 * channel


def test_fact_2_every_query_reads_the_same_average(pair):
    _, record = recorded("released", pair)
    rows = record.spatial[2][0, 0]  # of 64 x 64 queries
    torch.testing.assert_close(rows, rows.mean(0).expand_as(rows), atol=1e-4, rtol=0)


def test_fact_3_printed_channel_attention_is_one_hot_and_spatial_is_not_uniform(pair):
    _, record = recorded("paper", pair)
    assert record.entropy(1)["channel"].mean() < 0.01
    assert record.entropy(1)["spatial"].mean() < 0.999


def test_fact_3_printed_channel_logits_grow_with_the_number_of_pixels():
    def typical(side: int) -> float:
        generator = torch.Generator().manual_seed(4)
        q, k = (1 + torch.randn(2, 1, 1, side**2, 8, generator=generator)).unbind(0)
        return (q.mT @ k / 8**0.5).mean().item()

    assert typical(64) / typical(16) == pytest.approx(16, rel=0.1)


def test_corrected_attention_is_neither_uniform_nor_one_hot(pair):
    _, record = recorded("corrected", pair)
    for level in (1, 2, 4):
        entropy = record.entropy(level)
        assert 0.05 < entropy["spatial"].mean() < 0.995
        assert 0.05 < entropy["channel"].mean()
