"""An exported network as the live page runs it: what it draws, in stages that run by themselves.

A cut of the channel branch changes nothing that the encoders or the spatial branch give; a cut of the
spatial branch nothing of the encoders; another reference nothing of the image's encoder. So the graph
is one file for each of these.
"""

from pathlib import Path

import numpy as np
import onnx
from onnx.utils import Extractor

DRAWN = ("sr", "attention", "queries", "keys", "footprints", "channel")  # outputs, by their kind
STAGES = (
    ("lr",),
    ("ref",),
    ("spatial_gate", "spatial_uniform"),
    ("channel_gate", "channel_uniform"),
)


def write_stages(path: Path) -> tuple[list[Path], list[str]]:
    """Files for the browser in place of one of ``export_onnx``, and the outputs that are drawn."""
    graph = onnx.load(path)
    trim(graph.graph)
    halve(graph.graph)
    outputs = [one.name for one in graph.graph.output]
    files = []
    for number, stage in enumerate(split(graph), 1):
        files.append(path.with_name(f"{path.stem}-{number}.onnx"))
        files[-1].write_bytes(stage.SerializeToString(deterministic=True))
    path.unlink()
    return files, outputs


def trim(graph: onnx.GraphProto) -> None:
    """All switches must be fed, and only what is drawn comes out."""
    inputs = {one.name for one in graph.input}
    kept = [one for one in graph.initializer if one.name not in inputs]
    drawn = [one for one in graph.output if one.name.rsplit("_", 1)[0] in DRAWN]
    for field, parts in (("initializer", kept), ("output", drawn)):
        del getattr(graph, field)[:]
        getattr(graph, field).extend(parts)


def halve(graph: onnx.GraphProto) -> None:
    """Hold weights in 16 bits that lose nothing by it: so they were saved."""
    casts = []
    for tensor in graph.initializer:
        values = onnx.numpy_helper.to_array(tensor)
        if values.dtype != np.float32 or values.size < 256:
            continue
        half = values.astype(np.float16)
        if (half.astype(np.float32) == values).all():
            name, held = tensor.name, f"{tensor.name}.half"
            tensor.CopyFrom(onnx.numpy_helper.from_array(half, held))
            casts.append(onnx.helper.make_node("Cast", [held], [name], to=onnx.TensorProto.FLOAT))
    nodes = [*casts, *graph.node]
    del graph.node[:]
    graph.node.extend(nodes)


def split(model: onnx.ModelProto) -> list[onnx.ModelProto]:
    """One model for each stage, which takes what earlier ones gave beside its own inputs."""
    graph = model.graph
    stage_of = {name: stage for stage, names in enumerate(STAGES) for name in names}
    for node in graph.node:  # sorted, as ONNX wants it; what depends on no input is of every stage
        stage = max((stage_of.get(name, -1) for name in node.input), default=-1)
        stage_of |= dict.fromkeys(node.output, stage)
    shown = {one.name: stage_of[one.name] for one in graph.output}
    # footprints depend on no input: beside the reference that they are of, where they are taken
    shown = {name: stage if stage >= 0 else 1 for name, stage in shown.items()}
    taken = _list_taken(graph, stage_of, shown)
    extractor = Extractor(onnx.shape_inference.infer_shapes(model))
    models = []
    for stage, own in enumerate(STAGES):
        earlier = {name for name in taken[stage] if 0 <= stage_of.get(name, -1) < stage}
        later = {
            name for some in taken[stage + 1 :] for name in some if stage_of.get(name) == stage
        }
        given = later - {*own} | {name for name, first in shown.items() if first == stage}
        inputs = sorted(name for name in {*earlier, *own} if name in taken[stage])
        part = extractor.extract_model(inputs, sorted(given))
        del part.graph.value_info[:]  # found again from the operators
        part.metadata_props.extend(model.metadata_props)  # where it comes from, its licence and use
        models.append(part)
    return models


def _list_taken(graph: onnx.GraphProto, stage_of: dict, shown: dict) -> list[set[str]]:
    """What the nodes of each stage take.

    A difference that only later stages need is put there, where what it is made of goes anyway: of
    attention and what it lacks to uniform, one array is handed on.
    """
    taken: list[set[str]] = [set() for _ in STAGES]
    for node in reversed(graph.node):
        (output, *_), stage = node.output, stage_of[node.output[0]]
        late = min((n for n, names in enumerate(taken) if output in names), default=stage)
        there = set().union(*taken[late:])
        known = all(stage_of.get(name, -1) < 0 or name in there for name in node.input)
        if node.op_type == "Sub" and stage < late and output not in shown and known:
            stage = stage_of[output] = late
        if stage >= 0:
            taken[stage].update(node.input)
    return taken
