"""Learning from squares of slices that differ in size."""

import numpy as np
import pytest
import torch

from dcamsr_lite import DCAMSR
from dcamsr_lite.cli import main
from dcamsr_lite.data.augmentation import measure_warp, vary_and_tell
from dcamsr_lite.data.pairs import load_pair
from dcamsr_lite.errors import InputError
from dcamsr_lite.evaluation import warn_if_far
from dcamsr_lite.kspace import upsample_fourier
from dcamsr_lite.network.checkpoints import load
from dcamsr_lite.training.batches import VariedSlices
from dcamsr_lite.training.dataset import collect_slices


@pytest.fixture
def pairs():
    draw = np.random.default_rng(0)
    return [tuple(draw.random((2, 2, n, n + 8), np.float32)) for n in (32, 48)]


@pytest.mark.parametrize("limit", [0, 1e9])
def test_a_square_is_the_slice_s_own_varied_degraded_and_upsampled_whole(pairs, limit):
    data = collect_slices(pairs, 4, "cache", limit, patch=24)
    assert {tuple(item[1].shape) for item in data} == {(1, 32, 40), (1, 48, 56)}
    kinds = ("geometry", "misalignment")
    for number in (0, len(data) - 1):
        squares = VariedSlices(data, 4, kinds, tell=True, patch=24)[number, 7]
        assert [tuple(square.shape[-2:]) for square in squares] == [(24, 24)] * 4
        draw = torch.Generator().manual_seed(7)
        lr, ref, target, moved = vary_and_tell(*data[number], 4, kinds, draw)
        rows, columns = ref.shape[-2:]
        field = measure_warp((rows, columns), **moved)
        stacked = torch.cat([upsample_fourier(lr, 4), ref, target, field])
        windows = stacked.unfold(1, 24, 1).unfold(2, 24, 1)
        same = (windows == torch.cat(squares)[:, None, None]).all((0, 3, 4))
        assert same.sum() == 1  # one place of the whole slice, the same in all of them


def test_a_network_takes_a_patch_that_was_upsampled_before(pairs):
    torch.manual_seed(0)
    model = DCAMSR(4, 32, variant="aligned", channels=8, heads=2).eval()
    lr, ref = torch.rand(2, 1, 8, 8), torch.rand(2, 1, 32, 32)
    with torch.no_grad():
        sr = model(upsample_fourier(lr, 4), ref, upsampled=True)
        torch.testing.assert_close(sr, model(lr, ref))
    with pytest.raises(ValueError, match="expected .* 1 x lr's"):
        model(lr, ref, upsampled=True)


def test_volumes_smaller_than_the_patch_are_refused(pairs):
    with pytest.raises(InputError, match=r"\(32, 40\) in pair 1; expected at least 40 x 40"):
        collect_slices(pairs, 4, "cache", 1e9, patch=40)


@pytest.mark.slow
def test_the_command_line_trains_on_pairs_of_several_sizes(pairs, capsys):
    for number, (reference, target) in enumerate(pairs):
        np.save(f"{number}a.npy", reference)
        np.save(f"{number}b.npy", target)
    with open("pairs.csv", "w") as rows:
        rows.write("0a.npy,0b.npy\n1a.npy,1b.npy\n")
    small = ["--set", "channels=8", "--set", "heads=2", "--variant", "aligned", "--steps", "1"]
    command = ["train", "--data", "pairs.csv", "--data", "simulated:64", "--subjects", "1", *small]
    assert main([*command, "--out", "refused"]) == 2
    assert "volumes of one size" in capsys.readouterr().err
    assert main([*command, "--out", "run", "--patch", "30"]) == 2
    assert "--patch: found 30; expected a multiple of 8" in capsys.readouterr().err
    whole = ["--out", "none", "--patch", "32", "--set", "consistency=true"]
    assert main([*command, *whole]) == 2
    assert "--patch: found a network with consistency=true" in capsys.readouterr().err
    assert main([*command, "--out", "run", "--patch", "32"]) == 0
    assert "slices cut to 32 x 32" in capsys.readouterr().err
    model = load("run/last.safetensors")
    assert model.sides == (32, 64)
    for side, far in ((24, False), (80, False), (16, True), (88, True)):
        warn_if_far(model, load_pair(*np.random.default_rng(1).random((2, 1, side, side)), 4))
        assert ("trained at 32 to 64 pixels a side" in capsys.readouterr().err) == far
    assert main(["train", "--data", "simulated:9", "--out", "none"]) == 2
    assert "simulated:9: found '9'; expected rows of a simulated head" in capsys.readouterr().err
