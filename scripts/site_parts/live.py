"""The folder of the live page: networks as ONNX, the demo head, scripts, and the engine that runs them.

.venv/bin/python scripts/site_parts/live.py site/live
"""

import base64
import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import torch

import dcamsr_lite as dl
from dcamsr_lite.figures import brightest_slice
from dcamsr_lite.interpret.interventions import Intervention, edit
from dcamsr_lite.widgets import intervention_lab
from dcamsr_lite.widgets.lab.explorer import _sent
from dcamsr_lite.widgets.shared.base import Explorer
from dcamsr_lite.widgets.shared.packing import pack
from dcamsr_lite.widgets.shared.static import style

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "website" / "live"
ENGINE = "ort-wasm-simd-threaded.wasm"
QUERY = [52, 44]  # a pixel of the demo head with something to see beside it
SHOWN = (
    "sr",
    "attention",
    "queries",
    "keys",
    "footprints",
    "channel",
)  # outputs that the page draws


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    subprocess.run(
        ["node", ROOT / "scripts" / "site_parts" / "bundle.js", folder.resolve()], check=True
    )
    shutil.copy(SOURCE / "index.html", folder)
    sheet = style("lab/explorer.css") + (SOURCE / "live.css").read_text(encoding="utf-8")
    (folder / "live.css").write_text(sheet, encoding="utf-8")
    for scale in (4, 2):
        write_demo(folder, scale)


def write_demo(folder: Path, scale: int) -> None:
    """The network of one scale, and the head that the page begins with."""
    name = f"lite-{scale}x"
    model, path = dl.load(name), folder / f"{name}.onnx"
    dl.export_onnx(model, path, weights=name, licence=dl.weights()[name]["licence"])
    levels = trim_graph(path)
    pair = dl.simulated_pair(dl.DEMO_SEED, scale)
    index = brightest_slice(pair)
    one = pair.take_slice(index)
    lab = intervention_lab(model, pair, slice=index)
    with torch.inference_mode(), dl.trace(model) as record:
        sr = model(one.lr, one.ref)
    first = "1" if levels["1"]["votes"] else "4"  # where the network finds its reference
    other = edit(pair, index, Intervention("other")).reference_image
    exact = {"reference": one.reference_image, "target": one.target_image, "low": one.low}
    exact |= {"filled": one.zero_filled, "other": other, "sr": sr[0]}
    state = Explorer.state(lab) | {"rows": lab.rows, "result": _sent(lab.result), "draft": False}
    state["info"] = state["info"] | {"query": QUERY}
    page = {
        "lab": state,
        "exact": {key: pack(image[0], "float32") for key, image in exact.items()},
        "shapes": levels,
        "first": {"level": first, "maps": first_maps(record, int(first), levels[first])},
        "network": {
            "file": path.name,
            "bytes": path.stat().st_size + (folder / ENGINE).stat().st_size,
            "channels": model.config.channels,
        },
    }
    text = json.dumps(page, default=lambda b: base64.b64encode(b).decode(), allow_nan=False)
    (folder / f"demo-{scale}x.json").write_text(text, encoding="utf-8")


def trim_graph(path: Path) -> dict:
    """For the browser: all switches must be fed there, and only what is drawn comes out."""
    graph = onnx.load(path)
    inputs = {one.name for one in graph.graph.input}
    kept = [one for one in graph.graph.initializer if one.name not in inputs]
    drawn = [one for one in graph.graph.output if one.name.rsplit("_", 1)[0] in SHOWN]
    names = {one.name for one in drawn}
    for field, parts in (("initializer", kept), ("output", drawn)):
        del getattr(graph.graph, field)[:]
        getattr(graph.graph, field).extend(parts)
    halve(graph.graph)
    path.write_bytes(graph.SerializeToString(deterministic=True))
    levels = json.loads({p.key: p.value for p in graph.metadata_props}["levels"])
    return {n: facts | {"votes": f"attention_{n}" in names} for n, facts in levels.items()}


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


def first_maps(record: dl.Record, level: int, facts: dict) -> dict:
    """What the first map needs, in half precision: it is there before the network is."""
    if facts["votes"]:
        return {f"attention_{level}": pack(record.spatial[level][:, :1], "int8")}
    found = {"queries": record.queries, "keys": record.keys, "footprints": record.footprints}
    return {f"{kind}_{level}": pack(values[level], "int16") for kind, values in found.items()}


if __name__ == "__main__":
    main(Path(sys.argv[1]))
