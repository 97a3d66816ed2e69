"""The folder of the live page: networks as ONNX, the demo head, scripts, and the engine that runs them.

PYTHONPATH=scripts .venv/bin/python -m site_parts.live site/live
"""

import base64
import gzip
import json
import shutil
import subprocess
import sys
from pathlib import Path

import onnx
import torch
from site_parts.graphs import write_stages

import dcamsr_lite as dl
from dcamsr_lite.figures import brightest_slice
from dcamsr_lite.interpret.interventions import Intervention, edit
from dcamsr_lite.widgets import intervention_lab
from dcamsr_lite.widgets.lab.explorer import _sent
from dcamsr_lite.widgets.shared.base import Explorer
from dcamsr_lite.widgets.shared.packing import pack
from dcamsr_lite.widgets.shared.static import style
from dcamsr_lite.widgets.tours import MISPLACED

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "website" / "live"
ENGINES = {
    "wasm": "ort-wasm-simd-threaded.wasm.gz",
    "webgpu": "ort-wasm-simd-threaded.jspi.wasm.gz",
}
QUERY = [52, 44]  # a pixel of the demo head with something to see beside it


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
    stages, drawn = write_stages(path)
    levels = read_levels(stages[0], drawn)
    files = [pack_file(stage) for stage in stages]
    size = sum(file.stat().st_size for file in files)
    pair = dl.simulated_pair(dl.DEMO_SEED, scale)
    index = brightest_slice(pair)
    one = pair.take_slice(index)
    lab = intervention_lab(model, pair, slice=index)
    with torch.inference_mode():
        sr = model(one.lr, one.ref)
    finds = levels["1"][
        "votes"
    ]  # where its reference lies: then it opens moved, as the explorers do
    lab.run(moved := Intervention(shift=MISPLACED if finds else (0, 0)))
    made = edit(pair, index, moved)
    with torch.inference_mode(), dl.trace(model) as record:
        model(made.lr, made.ref)
    first = "1" if finds else "4"
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
            "files": [file.name for file in files],
            "bytes": {
                kind: size + (folder / engine).stat().st_size for kind, engine in ENGINES.items()
            },
            "channels": model.config.channels,
        },
    }
    text = json.dumps(page, default=lambda b: base64.b64encode(b).decode(), allow_nan=False)
    (folder / f"demo-{scale}x.json.gz").write_bytes(gzip.compress(text.encode(), mtime=0))


def pack_file(path: Path) -> Path:
    """The file by gzip in its place: a plain file server would send it as it is."""
    packed = path.with_name(f"{path.name}.gz")
    packed.write_bytes(gzip.compress(path.read_bytes(), mtime=0))
    path.unlink()
    return packed


def read_levels(file: Path, drawn: list[str]) -> dict:
    """The grid of each level, its window, and whether the graph gives its weights as they are."""
    facts = {one.key: one.value for one in onnx.load(file).metadata_props}
    levels = json.loads(facts["levels"])
    return {n: level | {"votes": f"attention_{n}" in drawn} for n, level in levels.items()}


def first_maps(record: dl.Record, level: int, facts: dict) -> dict:
    """What the first map needs, in half precision: it is there before the network is."""
    if facts["votes"]:
        return {f"attention_{level}": pack(record.spatial[level][:, :1], "int8")}
    found = {"queries": record.queries, "keys": record.keys, "footprints": record.footprints}
    return {f"{kind}_{level}": pack(values[level], "int16") for kind, values in found.items()}


if __name__ == "__main__":
    main(Path(sys.argv[1]))
