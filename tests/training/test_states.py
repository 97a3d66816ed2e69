"""The state of a training: what is damaged, changed or of another kind is refused, in one line."""

from pathlib import Path

import pytest
import torch
from helpers import small_network

import dcamsr_lite as dl
from dcamsr_lite.training.dataset import cut_slices
from dcamsr_lite.training.loop import train
from dcamsr_lite.training.run import read_state


def test_changed_bytes_in_a_state_are_found(volumes):
    tensors, options = cut_slices([volumes], scale=4), {"steps": 2, "progress": False}
    train(small_network(), tensors, "run", until=1, **options)
    whole, weights = (Path("run", name).read_bytes() for name in ("state.pt", "last.safetensors"))
    for part in (0.25, 0.4, 0.5):
        content, place = bytearray(whole), int(part * len(whole))
        content[place : place + 64] = bytes(byte ^ 0x15 for byte in content[place : place + 64])
        Path("run/state.pt").write_bytes(content)
        with pytest.raises(dl.InputError, match="state.pt: found a damaged file"):
            read_state(Path("run/state.pt"))
    with pytest.raises(dl.InputError, match="state.pt: found a damaged file"):
        train(small_network(), tensors, "run", resume=True, **options)
    assert Path("run/last.safetensors").read_bytes() == weights


@pytest.mark.parametrize("content", [{"identity": Path("code")}, [1], {"model": 2}, "text"])
def test_a_state_of_another_kind_is_refused_without_bad_advice(content):
    torch.save(content, "state.pt")
    with pytest.raises(dl.InputError, match="state.pt: found a damaged file") as refused:
        read_state(Path("state.pt"))
    assert "weights_only" not in str(refused.value)


def test_a_state_with_wrong_content_is_one_line(volumes):
    tensors, options = cut_slices([volumes], scale=4), {"steps": 2, "progress": False}
    train(small_network(), tensors, "run", until=1, **options)
    whole = torch.load("run/state.pt", weights_only=True)
    spoilt = {name: value * torch.nan for name, value in whole["model"].items()}
    wrong = {"identity": 7, "rows": 5, "step": -4, "losses": ["a"], "notes": {"a": 1}}
    wrong |= {"model": spoilt, "optimizer": 3}
    for name, value in [*wrong.items(), ("step", "abc"), ("step", 2**40), ("rows", [3])]:
        torch.save(whole | {name: value}, "run/state.pt")
        with pytest.raises(dl.InputError, match="state.pt: found"):
            train(small_network(), tensors, "run", resume=True, **options)
    earlier = {name: x for name, x in whole.items() if name not in ("notes", "validation")}
    torch.save(earlier | {"out": "/x"}, "run/state.pt")
    train(small_network(), tensors, "run", resume=True, **options)
    assert torch.load("run/state.pt", weights_only=True)["step"] == 2
