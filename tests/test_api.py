"""What ``import dcamsr_lite as dl`` offers: names, reprs, types."""

import ast

import pytest
import torch
from helpers import ROOT

import dcamsr_lite as dl
from dcamsr_lite.network.config import SIZES


def test_the_listed_names_are_the_public_ones_and_the_rooms():
    listed = dir(dl)
    assert listed == sorted(set(listed)) and not any(name.startswith("_") for name in listed)
    rooms = {path.stem for path in (ROOT / "dcamsr_lite").iterdir() if path.suffix in ("", ".py")}
    rooms = {name for name in rooms if not name.startswith("_") and name != "assets"}
    assert rooms < set(listed) and sorted(dl.__all__) == listed
    assert {"load", "load_pair", "super_resolve", "trace", "intervene", "explore", "DCAMSR"} < set(
        listed
    )
    for name in listed:
        assert getattr(dl, name) is not None
    assert dir(dl) == listed  # also when all of them were loaded
    with pytest.raises(AttributeError, match="No dcamsr_lite attribute magic"):
        dl.magic  # noqa: B018


def test_a_pair_says_files_size_scale_and_normalisation_on_one_line(tmp_path):
    import numpy as np

    paths = [tmp_path / "t1.npy", tmp_path / "t2.npy"]
    for path in paths:
        np.save(path, np.random.default_rng(0).random((3, 30, 32)))
    told = repr(dl.load_pair(*paths, 4, normalisation="released"))
    assert told == "Pair: t1.npy guides t2.npy, 3 slices of 30 x 32, 4x, released"
    alone = dl.load_input(torch.rand(1, 32, 32), torch.rand(1, 8, 8), 4)
    assert repr(alone) == "Pair: array guides array, 1 slices of 32 x 32, 4x, clean"


def test_a_record_says_levels_heads_and_tokens(images):
    def record(**options):
        model = dl.DCAMSR(image_size=32, **options)
        with dl.trace(model) as found:
            assert repr(found) == "Record: nothing yet"
            model(*images)
        return repr(found)

    assert record() == "Record: levels 1, 2, 4; 8 heads; 64 tokens"
    assert record(multiscale=False) == "Record: levels 4; 8 heads; 64 tokens"
    assert record(spatial=False) == "Record: levels 1, 2, 4; 8 heads; no spatial attention"
    assert record(spatial_attention="window") == "Record: levels 1, 2, 4; 8 heads; 49 tokens"


@pytest.mark.parametrize("preset", ["lite", "full"])
@pytest.mark.parametrize("method", SIZES)
def test_a_configuration_is_told_as_it_would_be_typed(method, preset):
    Config = dl.Config
    for changes in ({}, {"scale": 2, "image_size": 64, "residual": False, "blocks": (3,)}):
        for variant in ("corrected", "released", "paper"):
            config = Config.make(variant, preset, method=method, **changes)
            assert eval(repr(config)) == config
    assert repr(Config.make("paper", "lite")) == "Config.make('paper', 'lite')"
    by_hand = Config(variant="paper", last_kernel=3)
    assert eval(repr(by_hand)) == by_hand


def test_type_checkers_are_told_of_the_types():
    assert (ROOT / "dcamsr_lite" / "py.typed").is_file()


def public_functions(body: list, of: str = ""):
    for node in body:
        named = isinstance(node, ast.ClassDef | ast.FunctionDef)
        public = named and (not node.name.startswith("_") or node.name == "__init__")
        if isinstance(node, ast.ClassDef) and public:
            yield from public_functions(node.body, f"{node.name}.")
        elif public:
            yield of + node.name, node


def test_what_is_public_has_complete_types():
    for path in sorted((ROOT / "dcamsr_lite").rglob("*.py")):
        for name, node in public_functions(ast.parse(path.read_text(encoding="utf-8")).body):
            asked = [*node.args.args, *node.args.kwonlyargs, node.args.vararg, node.args.kwarg]
            asked = [x for x in asked if x and x.arg not in ("self", "cls")]
            bare = [x.arg for x in asked if x.annotation is None]
            assert not bare, f"{path.name}, {name}: {bare}"
            assert node.returns or name.endswith("__init__"), (
                f"{path.name}, {name}: what it returns"
            )
