"""``dcamsr demo``: a head that the network never saw, super-resolved, scored, and looked into.

Real anatomy, simulated contrasts; every number in metrics.json can be made again by this command.
"""

import json
import sys
from argparse import Namespace
from pathlib import Path

from ..errors import atomic_path, check_writable
from ..evaluation import METHODS, Network, evaluate
from ..figures import overview, write_png
from ..metrics import ceiling_from_repetitions
from ..network.checkpoints import load
from ..panels import WARNING
from ..phantom.subjects import DEMO_SEED, simulated_pair, simulated_repetitions
from ..widgets import explore
from ..widgets.tours import FINDING, MISPLACED, misplace

WEIGHTS, SCALE, SIZE = "lite-4x", 4, 128


def show(options: Namespace) -> None:
    """Write figure.png, explorer.html and metrics.json into ``out``, and print the scores.

    Raises InputError when the folder cannot be written.
    """
    out = Path(options.out)
    check_writable(out)
    print(f"simulating head {DEMO_SEED} (real anatomy, simulated contrasts) ...", file=sys.stderr)
    pair = simulated_pair(DEMO_SEED, SCALE, size=SIZE)
    model = load(WEIGHTS)
    print("super-resolving, and scoring ...\n", file=sys.stderr)
    methods: dict[str, Network | str] = {name: name for name in METHODS} | {"dcamsr": model}
    results = {name: evaluate(method, [pair], SCALE) for name, method in methods.items()}
    ceiling = ceiling_from_repetitions(*simulated_repetitions(DEMO_SEED, SIZE), SCALE)
    metrics = {
        "data": f"simulated head, seed {DEMO_SEED}, {SIZE} x {SIZE}, {len(pair.lr)} slices,"
        " T1 guides T2",
        "command": f"dcamsr demo --out {out.as_posix()}",
        "weights": WEIGHTS,
        "noise_ceiling_db": ceiling,
        "results": results,
        "note": WARNING,
    }
    moved = misplace(pair)
    write_png(overview(model, moved), out / "figure.png")
    explorer = explore(model, moved)
    explorer.tour, explorer.query = FINDING, FINDING[0]["query"]
    explorer.save_html(out / "explorer.html")
    with atomic_path(out / "metrics.json") as temporary:
        temporary.write_text(json.dumps(metrics, indent=1) + "\n", encoding="utf-8")
    # bicubic and the two bands of k-space are in metrics.json: notebook 00 asks for them
    for name, result in (("zero-fill", results["zero-fill"]), ("DCAMSR", results["dcamsr"])):
        print(f"{name:<10} {result['psnr']:.2f} dB, SSIM {result['ssim']:.3f}")
    print(f"noise ceiling {ceiling:.2f} dB (one noisy repetition is the target)")
    print(
        f"simulated head, seed {DEMO_SEED}, {SCALE}x, {SIZE} x {SIZE}, over the volume. {WARNING}"
    )
    print(f"look at {out / 'figure.png'}, open {out / 'explorer.html'} in a browser: in both the")
    down, left = MISPLACED[0], -MISPLACED[1]
    print(f"reference lies {down} pixels lower and {left} further left, for the network to find")
    print(f"all scores, and their convention: {out / 'metrics.json'}")
