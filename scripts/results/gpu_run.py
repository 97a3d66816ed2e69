"""What came back from `scripts/gpu.py`: kept in small files, compared, and told on a page.

python scripts/results/gpu_run.py keep FOLDER -> gpu/, from the --out of scripts/gpu.py
python scripts/results/gpu_run.py compare WEIGHTS PATIENT.npz -> gpu/compare.csv
python scripts/results/gpu_run.py page -> gpu.md
"""

import argparse
import csv
import json
import shutil
import sys
from pathlib import Path

import dcamsr_lite as dl
from dcamsr_lite.data.pairs import load_pair
from dcamsr_lite.errors import ASSETS, atomic_path
from dcamsr_lite.evaluation import METHODS
from dcamsr_lite.metrics import score
from dcamsr_lite.phantom.subjects import VALIDATION_SEED, simulated_volumes

SCALE, SIZE, SHIPPED = 4, 256, "lite-4x-footprints"
EVERY = 4  # slices of the patient: enough to tell two networks apart, on a CPU
PARTS = ("correct", "bench", "profile", "equal", "train")
OTHERS = ("profile.txt", "equal-curves.csv", "full-4x.csv")


def keep(arguments: argparse.Namespace) -> None:
    """Take the small files of a run; what a CSV has is left out of the JSON beside it."""
    source, out = arguments.folder, arguments.out / "gpu"
    out.mkdir(parents=True, exist_ok=True)
    for name in PARTS:
        content = json.loads((source / f"{name}.json").read_text())
        content.pop("rows")
        for stage in content.values():
            if isinstance(stage, dict):
                stage.pop("log", None)  # full-4x.csv
        if (trouble := source / f"{name}.error.txt").is_file():
            content["stopped"] = trouble.read_text().strip().split("\n")[-1]
        write(out / f"{name}.json", json.dumps(content, indent=1) + "\n")
    for name in (*(f"{part}.csv" for part in PARTS), *OTHERS):
        shutil.copyfile(source / name, out / name)


def compare(arguments: argparse.Namespace) -> None:
    """Score a network of the run and what ships on the same slices at 256 x 256 -> compare.csv."""
    sys.path.insert(0, str(ASSETS.parent / "scripts" / "weights"))
    from make import real_volumes

    weights, real = arguments.weights, arguments.patient
    networks = {weights.stem: dl.load(weights), SHIPPED: dl.load(SHIPPED)}
    patient = tuple(volume[::EVERY] for volume in real_volumes(real, SIZE))
    data = {
        f"simulated head {VALIDATION_SEED}": simulated_volumes(VALIDATION_SEED, size=SIZE),
        f"patient {real.stem.split('_')[-1]}, every {EVERY}th slice": patient,
    }
    rows = []
    for name, volumes in data.items():
        pair = load_pair(*volumes, SCALE)
        images = {method: make(pair) for method, make in METHODS.items()}
        images |= {method: dl.super_resolve(model, pair) for method, model in networks.items()}
        for method, image in images.items():
            numbers = score(pair.target_image, image, SCALE)
            numbers = {key: round(numbers[key], 5) for key in ("psnr", "ssim", "nmse")}
            rows.append({"data": name, "slices": len(pair.lr), "method": method, **numbers})
            print(rows[-1], flush=True)
    with (
        atomic_path(arguments.out / "gpu" / "compare.csv") as temporary,
        open(temporary, "w", newline="") as file,
    ):
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)


def page(arguments: argparse.Namespace) -> None:
    """Write gpu.md from the files in gpu/."""
    import gpu_page

    write(arguments.out / "gpu.md", gpu_page.write_text(arguments.out / "gpu"))


def write(path: Path, text: str) -> None:
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def main() -> None:
    top = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parts = top.add_subparsers(dest="part", required=True)
    for do in (keep, compare, page):
        part = parts.add_parser(do.__name__, help=(do.__doc__ or "").split("\n")[0])
        part.add_argument("--out", type=Path, default=ASSETS / "results", help="where gpu/ is")
        part.set_defaults(do=do)
    parts.choices["keep"].add_argument("folder", type=Path, help="--out of scripts/gpu.py")
    parts.choices["compare"].add_argument("weights", type=Path)
    parts.choices["compare"].add_argument("patient", type=Path, help=".npz of an open MS pair")
    arguments = top.parse_args()
    arguments.do(arguments)


if __name__ == "__main__":
    main()
