"""The stages of a network are the network, and each is what the inputs before it do not settle."""

import numpy as np
import pytest

onnx = pytest.importorskip("onnx", reason="needs the extra [onnx]")
runtime = pytest.importorskip("onnxruntime", reason="needs the extra [onnx]")

from site_parts import graphs  # noqa: E402


def network():
    """Two encoders, a map of both that one gate scales, and a sum that another scales."""
    make = onnx.helper.make_node
    nodes = [
        make("Tanh", ["lr"], ["x"]),
        make("Mul", ["ref", "weight"], ["r"]),
        make("Mul", ["x", "r"], ["map"]),
        make("Sub", ["one", "map"], ["rest"]),
        make("Mul", ["rest", "spatial_gate"], ["less"]),
        make("Add", ["map", "less"], ["attention_1"]),
        make("Mul", ["x", "channel_gate"], ["half"]),
        make("Add", ["attention_1", "half"], ["sr"]),
        make("Neg", ["half"], ["channel_value_1"]),
        make("Neg", ["weight"], ["footprints_1"]),
    ]
    names = ("lr", "ref", "spatial_gate", "channel_gate", "attention_1", "sr", "channel_value_1")
    names += ("footprints_1",)
    known = {n: onnx.helper.make_tensor_value_info(n, onnx.TensorProto.FLOAT, [3]) for n in names}
    weights = {"weight": np.float32([2, 3, 4]), "one": np.ones(3, np.float32)}
    held = [onnx.numpy_helper.from_array(values, name) for name, values in weights.items()]
    inputs, outputs = [known[n] for n in names[:4]], [known[n] for n in names[4:]]
    graph = onnx.helper.make_graph(nodes, "small", inputs, outputs, held)
    return onnx.helper.make_model(
        graph, opset_imports=[onnx.helper.make_opsetid("", 18)], ir_version=9
    )


def run(path, given):
    session = runtime.InferenceSession(str(path))
    names = [one.name for one in session.get_outputs()]
    fed = {one.name: given[one.name] for one in session.get_inputs()}
    return dict(zip(names, session.run(names, fed), strict=True))


def test_the_stages_of_a_network_give_what_it_gives(tmp_path):
    path = tmp_path / "net.onnx"
    onnx.save(network(), path)
    given = {
        n: np.random.default_rng(0).random(3, np.float32) for stage in graphs.STAGES for n in stage
    }
    right, known = run(path, given), dict(given)
    files, drawn = graphs.write_stages(path)
    assert drawn == ["attention_1", "sr", "footprints_1"] and not path.exists()
    handed = []
    for file in files:
        found = run(file, known)
        handed.append(set(found))
        known |= found
    for name in drawn:
        np.testing.assert_array_equal(known[name], right[name])
    # not the rest, which is made again; footprints beside what they are of, and there alone
    assert handed == [{"x"}, {"map", "footprints_1"}, {"attention_1"}, {"sr"}]
