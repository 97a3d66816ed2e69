"""An exported network in onnxruntime: the same output as torch, switched as ``intervene`` cuts."""

import json
from dataclasses import asdict

import pytest
import torch
from helpers import awake
from switched import example, set_switches

import dcamsr_lite as dl
from dcamsr_lite.cli import main
from dcamsr_lite.export.onnx_file import digest_weights, measure_difference
from dcamsr_lite.export.switches import Switched

LITE = [name for name in dl.weights() if name != "lite-4x-corrected"]  # as -footprints is
CUTS = [  # branch, state, heads, levels
    ("spatial", "off", None, None),
    ("channel", "off", None, [4]),
    ("spatial", "off", [2, 5], [1]),
    ("channel", "off", [0], None),
    ("spatial", "uniform", None, None),
    ("channel", "uniform", None, [1]),
    ("spatial", "uniform", [3], [2]),
    ("channel", "uniform", [1, 7], None),
]


def needs_onnx():
    pytest.importorskip("onnxscript", reason="needs the extra [onnx]")
    return pytest.importorskip("onnxruntime", reason="needs the extra [onnx]")


def open_session(path):
    options = needs_onnx().SessionOptions()
    options.log_severity_level, options.intra_op_num_threads = 3, 1
    return needs_onnx().InferenceSession(path, options)


def run(session, images, outputs=("sr",), **switches):
    feeds = dict(zip(("lr", "ref"), images, strict=True)) | switches
    found = session.run([*outputs], {name: x.numpy() for name, x in feeds.items()})
    return [torch.from_numpy(x) for x in found]


@pytest.mark.slow
@pytest.mark.parametrize("name", LITE)
def test_a_weight_file_in_onnxruntime_is_the_network_and_its_switches_the_cuts(name, tmp_path):
    needs_onnx()
    model, path = dl.load(name), tmp_path / "out.onnx"
    assert main(["export", name, str(path)]) == 0
    session, pair = open_session(path), dl.simulated_pair(3, model.config.scale, slices=4)
    middle = pair.take_slice(2)
    switched = Switched(model)
    for images in ([middle.lr, middle.ref], [torch.randn_like(x[:1]) for x in (pair.lr, pair.ref)]):
        with torch.inference_mode(), dl.trace(model) as record:
            whole = model(*images)
        sr, matrix = run(session, images, ("sr", "channel_2"))
        torch.testing.assert_close(sr, whole, rtol=0, atol=1e-4)
        torch.testing.assert_close(matrix, record.channel[2], rtol=0, atol=1e-4)
        for branch, *cut in CUTS:
            switches, (state, heads, levels) = set_switches(switched, branch, *cut), cut
            with dl.intervene(model, **{branch: state}, heads=heads, levels=levels):
                changed = model(*images).detach()
            (found,) = run(session, images, **switches)
            torch.testing.assert_close(found, changed, rtol=0, atol=1e-4)
    facts = session.get_modelmeta().custom_metadata_map
    assert facts["config"] == json.dumps(asdict(model.config))
    assert facts["checksum"] == digest_weights(model) and facts["weights"] == name
    assert facts["use"] == "not for clinical use" and "MIT" in facts["licence"]
    assert str(tmp_path) not in path.read_bytes().decode("latin-1")


@pytest.mark.slow
@pytest.mark.parametrize("method", ["edsr", "minet", "swinir"])
def test_a_baseline_in_onnxruntime_gives_what_it_gives(method, tmp_path):
    needs_onnx()
    model, path = awake(dl.baseline(method, image_size=32)), tmp_path / "out.onnx"
    dl.export_onnx(model, path, image_size=(40, 24))
    assert measure_difference(path, model) < 1e-5
    assert [x.name for x in open_session(path).get_outputs()] == ["sr"]


@pytest.mark.slow
def test_a_size_that_is_no_multiple_of_eight_and_a_half_precision_network(tmp_path):
    needs_onnx()
    model, _ = example("corrected")
    dl.export_onnx(model.half(), tmp_path / "out.onnx", image_size=(20, 36), data="none")
    session = open_session(tmp_path / "out.onnx")
    assert session.get_inputs()[0].shape == [1, 1, 5, 9]
    assert session.get_modelmeta().custom_metadata_map["data"] == "none"
    assert measure_difference(tmp_path / "out.onnx", model) < 1e-5
    assert next(model.parameters()).dtype == torch.float16


def test_what_cannot_be_exported_is_refused_in_one_sentence(tmp_path):
    needs_onnx()
    out = tmp_path / "out.onnx"
    paper, _ = example("paper")
    for model, options, words in [
        (torch.nn.Linear(1, 1), {}, "found a Linear; expected a network of dcamsr_lite"),
        (paper, {"image_size": 64}, "fixed to a 32 x 40 grid"),
        (paper, {"image_size": 30}, "found 30 x 30; expected multiples of the scale, 4"),
        (paper, {"image_size": 0}, "found 0 x 0"),
        (dl.baseline("ttsr", image_size=32), {}, "ONNX has no complex ones"),
        (dl.DCAMSR(image_size=32, consistency=True), {}, "takes Fourier transforms inside"),
    ]:
        with pytest.raises(dl.InputError, match=words):
            dl.export_onnx(model, out, **options)
    with dl.intervene(paper, spatial="off"):
        with pytest.raises(dl.InputError, match="found a network that is traced or cut just now"):
            dl.export_onnx(paper, out)
        paper(*example("paper")[1])
    assert not [*tmp_path.iterdir()]


def test_the_command_says_what_it_does_not_take(tmp_path, capsys):
    for arguments, words in [
        (["lite-4x", str(tmp_path / "out.pt")], "ends in .onnx"),
        (["none", str(tmp_path / "out.onnx")], "no such weights"),
        (["lite-4x", str(tmp_path / "a.onnx"), "--image-size", "8", "8", "8"], "3 numbers"),
    ]:
        assert main(["export", *arguments]) == 2
        assert words in capsys.readouterr().err
