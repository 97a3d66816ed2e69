"""The slices that a training reads: kept on disk, drawn in a fixed order."""

import os

import pytest
import torch

import dcamsr_lite as dl
from dcamsr_lite.training import batches, dataset
from dcamsr_lite.training.batches import Shares, split_evenly
from dcamsr_lite.training.dataset import collect_slices


def test_stored_slices_of_different_sizes_are_refused():
    pairs = [(torch.rand(1, 32, 32),) * 2, (torch.rand(1, 32, 40),) * 2]
    with pytest.raises(dl.InputError, match="pair 2 .* volumes of one size"):
        collect_slices(pairs, 4, "cache", limit=0)


def test_stored_slices_are_found_again_until_the_source_changes(volumes, monkeypatch):
    pairs = [(torch.rand(1, 32, 32),) * 2, tuple(volumes)]
    read = []
    original = dataset.cut_pair
    monkeypatch.setattr(dataset, "cut_pair", lambda p, *more: read.append(p) or original(p, *more))
    first = collect_slices(pairs, 4, "cache", limit=0)
    assert read == pairs
    assert collect_slices(pairs, 4, "cache", limit=0).index == first.index
    assert read[2:] == pairs[:1]  # to see whether it is larger than the limit
    os.utime(volumes[0], ns=(1, 1))
    changed = collect_slices(pairs, 4, "cache", limit=0)
    assert changed.index != first.index
    changed.index[0][0].write_bytes(b"not this")
    with pytest.raises(dl.InputError, match="it is made anew"):
        collect_slices(pairs, 4, "cache", limit=0)


def test_processes_parts_and_interruptions_change_nothing_that_is_drawn(monkeypatch):
    def drawn(processes, parts, steps):
        monkeypatch.setattr(batches, "count_processes", lambda: processes)
        lists = []
        for number in range(processes):
            monkeypatch.setattr(batches, "get_rank", lambda number=number: number)
            lists.append([*Shares(20, 8, 3, steps, parts)])
        grouped = [[shares[i * parts : (i + 1) * parts] for shares in lists]
                   for i in range(len(steps))]  # fmt: skip
        return [[key for shares in step for part in shares for key in part] for step in grouped]

    whole = drawn(1, 1, range(7))
    assert drawn(2, 1, range(7)) == drawn(1, 4, range(7)) == drawn(2, 2, range(7)) == whole
    assert drawn(2, 2, range(3, 7)) == whole[3:]
    assert len({seed for step in whole for _, seed in step}) == 7 * 8
    assert [len(part) for part in split_evenly([*range(7)], 3)] == [3, 2, 2]
