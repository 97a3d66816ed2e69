"""Weight files: what is saved loads the same, and a damaged or hostile file is refused."""

import json
import random
from pathlib import Path

import pytest
import torch
from helpers import awake
from safetensors import safe_open
from safetensors.torch import save as to_bytes

import dcamsr_lite as dl
from dcamsr_lite.network.config import VARIANTS


@pytest.mark.parametrize("variant", VARIANTS)
def test_saved_weights_load_the_same(variant, images):
    model = awake(dl.DCAMSR(image_size=32, variant=variant, multiscale=False))
    dl.save(model, "exact.safetensors", dtype=torch.float32)
    dl.save(model, "half.safetensors")
    exact, half = dl.load("exact.safetensors"), dl.load("half.safetensors")
    assert exact.config == model.config and not exact.training
    with torch.inference_mode():
        assert torch.equal(exact(*images), model(*images))
        assert (half(*images) - model(*images)).norm() < 5e-3 * model(*images).norm()


def test_a_file_keeps_its_configuration_when_defaults_change(monkeypatch, images):
    model = awake(dl.DCAMSR(image_size=32))
    dl.save(model, "old.safetensors", dtype=torch.float32)
    monkeypatch.setitem(VARIANTS, "corrected", {"spatial_attention": "scaled_dot_product"})
    assert dl.DCAMSR().config.spatial_attention == "scaled_dot_product"
    assert torch.equal(dl.load("old.safetensors")(*images), model(*images))


def test_another_image_size_where_the_variant_allows_it():
    dl.save(dl.DCAMSR(image_size=128), "wide.safetensors")
    assert dl.load("wide.safetensors", image_size=256).config.image_size == (256, 256)
    dl.save(dl.DCAMSR(image_size=32, variant="paper"), "paper.safetensors")
    with pytest.raises(dl.InputError, match="expected"):
        dl.load("paper.safetensors", image_size=64)


def rewritten(path, change) -> None:
    """Change the JSON header of a safetensors file."""
    data = path.read_bytes()
    length = int.from_bytes(data[:8], "little")
    header = change(json.loads(data[8 : 8 + length]))
    text = json.dumps(header).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + data[8 + length :])


def config_with(**fields):
    def change(header):
        config = json.loads(header["__metadata__"]["config"]) | fields
        header["__metadata__"]["config"] = json.dumps(config)
        return header

    return change


@pytest.mark.parametrize(
    "change",
    [
        config_with(channels=10**6),
        config_with(channels=64),
        config_with(encoder_blocks=[10**9, 1, 1]),
        config_with(encoder_blocks=[1] * 10**5),
        config_with(image_size=[10**7, 10**7], held_footprints=None),
        config_with(image_size="large"),
        config_with(tokens=-1),
        config_with(variant="printed"),
        config_with(unknown=1),
        lambda header: header | {"__metadata__": {"format": "other"}},
        lambda header: (
            header | {"__metadata__": {"format": "dcamsr-lite 1", "config": "[" * 10**5}}
        ),
        lambda header: {k: v for k, v in header.items() if k == "__metadata__"},
    ],
)
def test_a_header_that_lies_is_refused(change, tmp_path):
    path = tmp_path / "w.safetensors"
    dl.save(dl.DCAMSR(image_size=32), path)
    rewritten(path, change)
    with pytest.raises(dl.InputError):
        dl.load(path)


def test_500_damaged_weight_files_load_or_are_refused(tmp_path):
    path = tmp_path / "w.safetensors"
    small = dict(channels=8, heads=4, tokens=4, held_footprints=2)
    dl.save(dl.DCAMSR(image_size=8, **small), path)
    whole, draw, refused = path.read_bytes(), random.Random(0), 0
    for _ in range(500):
        data = bytearray(whole)
        for _ in range(draw.choice([1, 3, 30])):
            # the header is where the trouble is
            data[draw.randrange(len(data) if draw.random() < 0.3 else 9000)] = draw.randrange(256)
        if draw.random() < 0.3:
            del data[draw.randrange(len(data)) :]
        path.write_bytes(data)
        try:
            dl.load(path)
        except dl.InputError as error:
            assert "\n" not in str(error)
            refused += 1
    assert refused > 250


def test_a_checksum_that_does_not_fit_is_refused(tmp_path, monkeypatch):
    from dcamsr_lite.network import checkpoints

    folder = tmp_path / "weights"
    folder.mkdir()
    dl.save(dl.DCAMSR(image_size=32), folder / "mine-4x.safetensors")
    (folder / "mine-4x.json").write_text(json.dumps({"sha256": "0" * 64}))
    monkeypatch.setattr(checkpoints, "ASSETS", tmp_path)
    assert list(dl.weights()) == ["mine-4x"]
    with pytest.raises(dl.InputError, match="sha256"):
        dl.load("mine-4x")
    with pytest.raises(dl.InputError, match="no such weights"):
        dl.load("../mine-4x")


@pytest.mark.parametrize("prefix", ["_orig_mod.", "module.", "module._orig_mod.", "params_ema."])
def test_files_with_the_names_of_a_wrapper_load(prefix):
    model = awake(dl.DCAMSR(image_size=32, channels=8, heads=2))
    dl.save(model, "plain.safetensors", dtype=torch.float32)
    with safe_open("plain.safetensors", framework="pt") as file:
        tensors = {prefix + name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        content = to_bytes(tensors | {"n_averaged": torch.ones(())}, metadata=file.metadata())
    Path("wrapped.safetensors").write_bytes(content)
    loaded = dl.load("wrapped.safetensors")
    pairs = zip(loaded.parameters(), model.parameters(), strict=True)
    assert all(torch.equal(a, b) for a, b in pairs)


def test_a_compiled_network_is_saved_under_its_own_names():
    model = dl.DCAMSR(image_size=32, channels=8, heads=2)
    names = set(model.state_dict())
    for wrapped in (torch.compile(model, backend="eager"), torch.nn.DataParallel(model)):
        dl.save(wrapped, "wrapped.safetensors")
        assert set(dl.load("wrapped.safetensors").state_dict()) == names
    model.encoder = torch.compile(model.encoder, backend="eager")  # a part alone
    dl.save(model, "part.safetensors")
    assert set(dl.load("part.safetensors").state_dict()) == names


def test_a_name_that_nothing_reads_is_refused_before_anything_is_written():
    for name in ("out.pth", "out", "out.safetensors.bak"):
        with pytest.raises(dl.InputError, match="expected one that ends in .safetensors"):
            dl.save(dl.DCAMSR(image_size=32, channels=8, heads=2), name)
        assert not Path(name).exists()


def test_what_is_saved_can_be_loaded_or_is_refused():
    model = awake(dl.DCAMSR(image_size=32, channels=8, heads=2, tokens=16))
    weight = model.encoder.stages[0][0].weight
    with torch.no_grad():
        weight[0, 0, 0, 0] = 1e6  # float16 ends at 65504
    dl.save(model, "large.safetensors")
    assert torch.equal(dl.load("large.safetensors").encoder.stages[0][0].weight, weight)
    wrong = {"a Sequential": torch.nn.Sequential(model), "a OrderedDict": model.state_dict()}
    for word, given in wrong.items():
        with pytest.raises(dl.InputError, match=word):
            dl.save(given, "none.safetensors")
    torch.nn.utils.parametrizations.weight_norm(model.encoder.stages[0][0])
    with pytest.raises(dl.InputError, match="computes its weight"):
        dl.save(model, "none.safetensors")
    with torch.no_grad():
        model.last.weight[0] = torch.nan
    with pytest.raises(dl.InputError, match="no finite numbers"):
        dl.save(model, "none.safetensors")
    assert not Path("none.safetensors").exists()
