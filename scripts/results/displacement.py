"""What is left when the reference is displaced, turned or bent, and where the attention finds it.

    python scripts/results/displacement.py NAME[=FILE] ... [--pairs FOLDER/held_out.csv] [--scale 4]
        -> displacement.csv; `make.py page` puts it on the page

NAME is a network that ships, or what the file's weights are called; zero-fill stands beside them. Rows
of networks that are not named stay. Every fourth slice of every head; the reference is moved before
anything is measured on it, the target is not.
"""

import argparse
import csv
from collections import defaultdict
from pathlib import Path

import numpy as np
import torch
from matplotlib.figure import Figure
from torch import Tensor
from tqdm import tqdm

import dcamsr_lite as dl
from dcamsr_lite.data.augmentation import measure_warp, warp
from dcamsr_lite.data.file_lists import read_pairs_csv
from dcamsr_lite.data.pairs import Pair, load_pair
from dcamsr_lite.data.volume import Volume
from dcamsr_lite.errors import atomic_path
from dcamsr_lite.phantom.subjects import VALIDATION_SEED, simulated_volumes

HERE = Path(__file__).parents[2] / "assets" / "results"
HEADS = 2  # simulated, which no training has seen
EVERY = 4  # slices
COLUMNS = ["weights", "scale", "data", "kind", "size", "psnr", "found", "own"]
# kind -> sizes: pixels to the right and down alike, degrees, pixels of a smooth bend
SIZES = {"shift": (0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0), "turn": (1.0, 2.0, 3.0), "bend": (0.5, 1.0)}
UNITS = {"shift": "shift in pixels, along rows and columns", "turn": "turn in degrees",
         "bend": "smooth bend, standard deviation in pixels"}  # fmt: skip


def describe(kind: str, size: float, shape: tuple[int, int]) -> dict:
    """Arguments of ``warp``."""
    if kind == "turn":
        return {"angle": size}
    if kind == "shift":
        return {"shift": tuple(size / n for n in shape)}
    bend = torch.randn(2, 5, 5, generator=torch.Generator().manual_seed(0))
    return {"displacement": bend * size / torch.tensor(shape)[:, None, None]}


def read_heads(pairs: Path | None) -> dict[str, list]:
    """Reference and target volumes by name: every fourth slice."""
    heads: dict[str, list] = {}
    for seed in range(VALIDATION_SEED, VALIDATION_SEED + HEADS):
        heads[f"simulated-{seed}"] = [*simulated_volumes(seed)]
    for reference, target, _ in read_pairs_csv(pairs) if pairs else ():
        loaded = load_pair(reference, target, 4)
        name = Path(target).stem.removesuffix("_T2")
        heads[name] = [Volume(loaded.reference_image), Volume(loaded.target_image)]
    return {name: [thin(volume) for volume in volumes] for name, volumes in heads.items()}


def thin(volume: Volume) -> Volume:
    kspace = None if volume.kspace is None else volume.kspace[1::EVERY]
    return Volume(volume.images[1::EVERY], kspace=kspace)


def displace(head: list, scale: int, kind: str, size: float) -> tuple[Pair, Tensor]:
    """The pair, and how far its reference was moved everywhere: (2, rows, columns)."""
    reference, target = head
    arguments = describe(kind, size, reference.images.shape[-2:])
    images = reference.images if size == 0 else warp(reference.images, **arguments)
    pair = load_pair(Volume(images), target, scale)
    return pair, measure_warp(pair.shape, **arguments)


def find_errors(model: torch.nn.Module, pair: Pair, field: Tensor) -> tuple[float, float]:
    """Medians over the head: where the attention looks against the truth, and against no search."""
    if not getattr(model.config, "in_sequence", False):
        return float("nan"), float("nan")
    with dl.trace(model) as record, torch.inference_mode():
        model(pair.lr, pair.ref)
    errors, own = [], []
    for i, image in enumerate(pair.target_image):
        head = image > image.max() / 8
        found = record.displacement(1, batch=i)
        errors.append((found - field)[:, head].norm(dim=0))
        own.append(field[:, head].norm(dim=0))
    return float(torch.cat(errors).median()), float(torch.cat(own).median())


def score(name: str, model, heads: dict, scale: int) -> list[list]:
    """Lines of displacement.csv of one network or method."""
    lines = []
    cases = [(kind, size) for kind, sizes in SIZES.items() for size in sizes]
    for data, head in heads.items():
        for kind, size in tqdm(cases, f"{name}, {data}"):
            pair, field = displace(head, scale, kind, size)
            psnr = dl.evaluate(model, [pair])["psnr"]
            found = ("", "")
            if isinstance(model, torch.nn.Module):
                found = tuple(
                    "" if np.isnan(x) else f"{x:.3f}" for x in find_errors(model, pair, field)
                )
            lines.append([name, scale, data, kind, size, f"{psnr:.3f}", *found])
    return lines


def read_lines(path: Path) -> list[dict[str, str]]:
    if not path.is_file():
        return []
    with open(path, newline="") as file:
        return [*csv.DictReader(file)]


def draw(curves: dict, path: Path) -> None:
    """PSNR over each kind of displacement, one line per network, one row per kind of head."""
    kinds = [*SIZES]
    sources = sorted({source for source, *_ in curves}, reverse=True)
    drawing = Figure(figsize=(11, 3.4 * len(sources)), layout="constrained", dpi=120)
    panels = drawing.subplots(len(sources), len(kinds), squeeze=False, sharey="row")
    names = [*dict.fromkeys(name for _, name, _ in curves)]
    colours = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9"]
    for row, source in enumerate(sources):
        for column, kind in enumerate(kinds):
            axis = panels[row, column]
            for i, name in enumerate(names):
                points = sorted(curves.get((source, name, kind), {}).items())
                style = {"color": "0.4", "ls": "--"} if name == "zero-fill" else {
                    "color": colours[i % 6], "marker": "o", "ms": 4}  # fmt: skip
                axis.plot(*zip(*points, strict=True), label=name, **style)
            axis.set_xlabel(UNITS[kind], fontsize=8)
            axis.set_title(f"{source} heads: {kind}", fontsize=9)
        panels[row, 0].set_ylabel("PSNR in dB")
    drawing.legend(*panels[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=4)
    with atomic_path(path) as temporary:
        drawing.savefig(temporary, format="png")


def section(folder: Path, scale: int = 4) -> list[str]:
    """Lines of the page: a table of PSNR, one of the attention's error, and the figure."""
    lines = [r for r in read_lines(folder / "displacement.csv") if r["scale"] == str(scale)]
    if not lines:
        return ["Not run: `python scripts/results/displacement.py`.", ""]
    psnr: dict = defaultdict(lambda: defaultdict(list))
    found: dict = defaultdict(list)
    for r in lines:
        source = "simulated" if r["data"].startswith("simulated") else "real"
        name = r["weights"]
        psnr[source, name, r["kind"]][float(r["size"])].append(float(r["psnr"]))
        if r["found"]:
            found[source, name, r["kind"], float(r["size"])].append(
                (float(r["found"]), float(r["own"]))
            )
    curves = {key: {x: sum(v) / len(v) for x, v in of.items()} for key, of in psnr.items()}
    for (source, name, kind), curve in list(curves.items()):
        if kind != "shift":
            curve[0.0] = curves[source, name, "shift"][0.0]
    draw(curves, folder / f"displacement{'' if scale == 4 else f'-{scale}x'}.png")
    cases = [(kind, size) for kind, sizes in SIZES.items() for size in sizes]
    head = [f"PSNR in dB, {scale}x", *(f"{kind} {size:g}" for kind, size in cases)]
    table = [head, ["---"] * len(head)]
    for source, name in dict.fromkeys((s, n) for s, n, _ in curves):
        values = [f"{curves[source, name, kind][size]:.2f}" for kind, size in cases]
        table.append([f"{name}, {source} heads", *values])
    errors = [["attention's error in pixels (without a search)", *head[1:]], ["---"] * len(head)]
    for source, name in dict.fromkeys((s, n) for s, n, *_ in found):
        means = [np.mean(found[source, name, kind, size], axis=0) for kind, size in cases]
        errors.append([f"{name}, {source} heads", *(f"{a:.2f} ({b:.2f})" for a, b in means)])
    rows = ["| " + " | ".join(row) + " |" for row in table]
    more = ["| " + " | ".join(row) + " |" for row in errors] if len(errors) > 2 else []
    figure = f"displacement{'' if scale == 4 else f'-{scale}x'}.png"
    described = "PSNR over shift, turn and bend of the reference, for each network that ships"
    told = [sentence(curves, source, name) for source, name, kind in curves if kind == "shift"]
    return [*filter(None, told), "", *rows, "", *more, "", f"![{described}]({figure})", ""]


def sentence(curves: dict, source: str, name: str) -> str:
    """What displacements take from a network, in words; nothing of the floor."""
    if name == "zero-fill":
        return ""
    place, of = curves[source, name, "shift"][0.0], {k: curves[source, name, k] for k in SIZES}
    worst = {kind: min(curve.values()) - place for kind, curve in of.items()}
    costs = ", ".join(f"{kind} {loss:+.2f} dB" for kind, loss in worst.items())
    text = f"- {name}, {source} heads: {place:.2f} dB in place; at worst, {costs}."
    floor = curves.get((source, "zero-fill", "shift"), {}).get(2.0)
    if floor is not None and 2.0 in of["shift"]:
        text += f" Two pixels off, {of['shift'][2.0] - floor:+.2f} dB over zero-fill."
    return text


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("weights", nargs="+", help="NAME or NAME=FILE; zero-fill")
    parser.add_argument("--pairs", type=Path, help="CSV of reference,target")
    parser.add_argument("--scale", type=int, choices=(2, 4), default=4)
    parser.add_argument("--out", type=Path, default=HERE)
    options = parser.parse_args()
    heads = read_heads(options.pairs)
    scored = []
    for weights in options.weights:
        name, _, file = weights.partition("=")
        model = name if name == "zero-fill" else dl.load(file or name)
        scored += score(name, model, heads, options.scale)
    new = {(line[0], str(line[1])) for line in scored}
    kept = [
        [*r.values()]
        for r in read_lines(options.out / "displacement.csv")
        if (r["weights"], r["scale"]) not in new
    ]
    with (
        atomic_path(options.out / "displacement.csv") as temporary,
        open(temporary, "w", newline="") as file,
    ):
        csv.writer(file).writerows([COLUMNS, *kept, *scored])
    print(f"wrote {options.out / 'displacement.csv'}")


if __name__ == "__main__":
    main()
