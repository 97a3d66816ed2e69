"""`make bench`: rates on this machine, each beside its goal. No test: machines differ and get busy.

    python scripts/bench.py [--json] [--notebooks] [live ...]

A goal is an upper limit, for two free cores. ``--notebooks`` also runs the course, which takes the
minutes that it states. Names of what is measured measure that alone: ``live_bytes``, ``live``.
"""

import argparse
import contextlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from chromium import EXPLORER, ROOT, Absent, chromium, file_server, jupyterlab, run_cells
from links import LIVE

import dcamsr_lite as dl

FRAME = 1000 / 60  # ms
ANSWER = 250  # ms: what still feels like an answer to a click
PICTURE = 120  # ms: what the laboratory's answer to a cut may take
NOTEBOOKS = ROOT / "notebooks"
HANDLE = "document.querySelector('.dcamsr-explorer').explorer"


@dataclass(frozen=True)
class Rate:
    """``value`` of ``name``; ``goal`` is the most that it should be."""

    name: str
    value: float
    unit: str
    goal: float

    def __str__(self) -> str:
        much = "" if self.value <= self.goal else "  missed"
        return f"{self.name:<60} {self.value:7.3g} {self.unit:<4} goal {self.goal:.3g}{much}"


# --- Python ---------------------------------------------------------------------------------------


def median_ms(call: Callable, runs: int = 15) -> float:
    for _ in range(3):
        call()
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        call()
        times.append(1000 * (time.perf_counter() - start))
    return statistics.median(times)


@torch.inference_mode()
def networks() -> Iterator[Rate]:
    for variant in ("corrected", "paper", "released"):
        model = dl.DCAMSR(scale=4, image_size=128, variant=variant).eval()
        lr, ref = torch.rand(1, 1, 32, 32), torch.rand(1, 1, 128, 128)

        def traced(model=model, lr=lr, ref=ref):
            with dl.trace(model):
                model(lr, ref)

        forward = median_ms(lambda model=model, lr=lr, ref=ref: model(lr, ref))
        yield Rate(f"lite, {variant}: forward pass, 128 x 128", forward, "ms", 150)
        yield Rate(f"lite, {variant}: the same, recorded", median_ms(traced), "ms", ANSWER)


def imports() -> Iterator[Rate]:
    def seconds(module: str) -> float:
        program = f"import time; t = time.perf_counter(); {module}; print(time.perf_counter() - t)"
        command = [sys.executable, "-c", program]
        runs = [subprocess.check_output(command, text=True, cwd=ROOT) for _ in range(5)]
        return statistics.median(map(float, runs))

    yield Rate("import dcamsr_lite", seconds("import dcamsr_lite"), "s", 0.2)
    first = seconds("import dcamsr_lite; dcamsr_lite.load")
    yield Rate("dcamsr_lite.load at first use, torch's import included", first, "s", 4)


# --- slices from disk -----------------------------------------------------------------------------


def slices() -> Iterator[Rate]:
    """The paper's training reads 384 pairs of 18 slices, 256 x 256, once, and then batches of 4.

    A batch may take a quarter of the quickest step that we measured, 111 ms (assets/results/gpu.md).
    """
    from dcamsr_lite.data.hdf5 import write_m4raw
    from dcamsr_lite.training.batches import Shares, make_loader
    from dcamsr_lite.training.dataset import StoredSlices, cut_pair, write_slices
    from dcamsr_lite.training.recipe import Cutting

    with tempfile.TemporaryDirectory() as place:
        pair = (Path(place) / "1_T101.h5", Path(place) / "1_T201.h5")
        for file, contrast in zip(pair, ("AXT1", "AXT2"), strict=True):
            kspace = torch.randn(18, 4, 256, 256, dtype=torch.complex64)
            write_m4raw(file, kspace, contrast, {"tr": 500, "te": 18.4, "flip": 90}, "1")
        recipe = Cutting.make("full", {})
        took = median_ms(lambda: cut_pair(pair, 4, recipe), 3) / 1000
        yield Rate("a pair of M4Raw read, degraded and cut into 18 slices", took, "s", 3)
        part, files = cut_pair(pair, 4, recipe), []
        for number in range(32):
            files.append(Path(place) / f"{number}.safetensors")
            write_slices(files[-1], part)
        data = StoredSlices(files)
        whole = sum(file.stat().st_size for file in files) / 1e6
        batches = iter(make_loader(data, Shares(len(data), 4, 0, range(10**6), 1), 4))
        took = median_ms(lambda: next(batches), 100)
        yield Rate("a batch of 4 of them, 256 x 256, from disk", took, "ms", 28)
        before = measure_held()
        for _ in range(200):
            next(batches)
        held = measure_held() - before
        yield Rate(f"what 800 more slices hold of {whole:.0f} MB on disk", held, "MB", 32)


def training() -> Iterator[Rate]:
    """What the loop adds to the bare steps: schedule, reading, checks, log and state; in turns."""
    from dcamsr_lite.training.loop import train

    count, batch = 8, 4
    lr, ref, target = (torch.randn(32, 1, side, side) for side in (32, 128, 128))

    def loop(steps: int) -> None:
        model = dl.DCAMSR(scale=4, image_size=128)
        with tempfile.TemporaryDirectory() as place:
            options = {"batch": batch, "every": 100, "progress": False}
            train(model, (lr, ref, target), Path(place) / "run", steps=steps, **options)

    def bare(steps: int) -> None:
        model = dl.DCAMSR(scale=4, image_size=128).train()
        optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
        for step in range(steps):
            taken = slice(step * batch % 32, step * batch % 32 + batch)
            optimizer.zero_grad(set_to_none=True)
            torch.nn.functional.l1_loss(model(lr[taken], ref[taken]), target[taken]).backward()
            optimizer.step()

    def seconds(run: Callable) -> float:
        """Of ``count`` steps: those of one more, less those of one."""
        times = []
        for steps in (1, count + 1):
            start = time.perf_counter()
            run(steps)
            times.append(time.perf_counter() - start)
        return times[1] - times[0]

    ratios = [seconds(loop) / seconds(bare) for _ in range(4)]
    more = 100 * (statistics.median(ratios) - 1)
    yield Rate("training, lite, 128 x 128, batch 4: more than bare steps", more, "%", 3)


def measure_held() -> float:
    """Megabytes of memory that this process holds; 0 where the system does not say it so."""
    status = Path("/proc/self/statm")
    pages = int(status.read_text().split()[1]) if status.is_file() else 0
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6 if pages else 0.0


# --- in the browser -------------------------------------------------------------------------------


def example() -> dl.Pair:
    return dl.load_pair(*torch.rand(2, 1, 128, 128, generator=torch.manual_seed(0)), scale=4)


def attention(pair: dl.Pair):
    return dl.explore(dl.load("lite-4x"), pair)


def attention_of_all_heads(pair: dl.Pair):
    explorer = attention(pair)
    explorer.side_by_side = True
    return explorer


def kspace(pair: dl.Pair):
    explorer = dl.explore_kspace(pair)
    explorer.noise = 0.02
    return explorer


def lab(pair: dl.Pair):
    explorer = dl.intervention_lab(dl.load("lite-4x"), pair, other=pair)
    explorer.run_standard()
    return explorer


def attribution(pair: dl.Pair):
    explorer = dl.explore_attribution(lambda lr, ref: ref.roll(2, 3), pair)
    explorer.run("occlusion")
    return explorer


# name -> (what makes it, one update as JavaScript in i and explorer, how many, goal in ms)
UPDATES = {
    "attention: one map": (
        attention, "explorer.show(24 + i % 80, 20 + (7 * i) % 90)", 200, FRAME),
    "attention: eight heads": (
        attention_of_all_heads, "explorer.show(24 + 9 * i % 80, 20 + (7 * i) % 90)", 40, 40),
    "kspace: image, difference, profile, numbers": (
        kspace, """const side = 24 + (3 * i) % 80;
        explorer.show([(7 * i) % (129 - side), (11 * i) % (129 - side), side, side])""", 100, FRAME),
    "lab: a row of the table": (
        lab, "const rows = document.querySelectorAll('tbody tr'); rows[i % rows.length].click()",
        40, FRAME),
    "attribution: the patch": (
        attribution, """document.querySelector(".dx-panels").dispatchEvent(new KeyboardEvent(
        "keydown", { key: i % 40 < 20 ? "ArrowRight" : "ArrowLeft", bubbles: true }))""", 200, FRAME),
}  # fmt: skip


def updates() -> Iterator[Rate]:
    """95th percentiles of the time of one update on a saved page, at 128 x 128."""
    with chromium() as browser, tempfile.TemporaryDirectory() as folder:
        for name, (make, step, count, goal) in UPDATES.items():
            path = Path(folder) / "page.html"
            make(example()).save_html(path)
            page = browser.new_page(viewport={"width": 1400, "height": 1500})
            page.goto(path.as_uri())
            page.wait_for_selector(EXPLORER)
            times = page.evaluate(f"""() => {{
              const explorer = {HANDLE};
              return Array.from({{ length: {count} }}, (_, i) => {{
                const start = performance.now();
                {step};
                return performance.now() - start;
              }});
            }}""")
            yield Rate(f"{name}, 95th percentile", float(np.quantile(times, 0.95)), "ms", goal)
            page.close()


def answers() -> Iterator[Rate]:
    """In JupyterLab, from the click on a switch of the lab to the picture that its kernel sends."""
    with tempfile.TemporaryDirectory() as place, chromium() as browser:
        folder = Path(place) / "notebooks"
        folder.mkdir()
        with jupyterlab(folder) as address:
            page = browser.new_page(viewport={"width": 1400, "height": 1300})
            cell = (
                "import torch, dcamsr_lite as dl\ntorch.set_num_threads(2)\n"
                "pair = dl.load_pair(*torch.rand(2, 1, 128, 128), scale=4)\n"
                "dl.intervention_lab(dl.load('lite-4x'), pair)"
            )
            run_cells(page, address, folder, cell)
            times = page.evaluate(f"""async () => {{
              const lab = {HANDLE}, taken = [];
              for (const head of document.querySelectorAll("button.dx-switch")) {{
                if (!/level [12], head/.test(head.ariaLabel)) continue;
                const start = performance.now(), before = lab.answers;
                head.click();
                while (lab.answers === before) await new Promise(requestAnimationFrame);
                taken.push(performance.now() - start);
              }}
              return taken;
            }}""")
            yield Rate("lab: from a click to the kernel's picture", np.median(times), "ms", PICTURE)


# name -> (what is asked in i, goal in ms): a cut runs only the stages of the network that it changes
QUESTIONS = {
    "a cut of the channel branch": (
        "{ cuts: [{ branch: 'channel', state: 'off', levels: [1], heads: [i] }] }", 400),
    "a cut of the spatial branch": (
        "{ cuts: [{ branch: 'spatial', state: 'uniform', levels: [1], heads: [i] }] }", 400),
    "a shift of the reference": ("{ shift: [0, (1 + i) / 4] }", 600),
}  # fmt: skip

ANSWERED = "window.live && live.lab().answers > 0"
MOMENTS = (
    ("first map", "window.live && live.look.said().startsWith('Row')", 1),
    ("first live answer", ANSWERED, 7),
)  # what a page shows, and the most megabytes that it may take


@contextlib.contextmanager
def site() -> Iterator[tuple]:
    """A browser, and the address of the site."""
    if not (ROOT / "site" / "live").is_dir():
        raise Absent("site/ is not there: `make site` makes it")
    with chromium() as browser, file_server(ROOT / "site") as address:
        yield browser, address


def live_bytes() -> Iterator[Rate]:
    """What comes over the line before a reader sees it, from a server that packs nothing itself."""
    with site() as (browser, address):
        for scale in (4, 2):
            for name, ready, goal in MOMENTS:
                page, came = browser.new_page(), []
                page.on("requestfinished", lambda asked, came=came: came.append(asked))
                if name == "first map":  # without what is on its way already
                    page.route("**/worker.js", lambda asked: asked.abort())
                page.goto(f"{address}/{LIVE}?scale={scale}")
                page.wait_for_function(ready)
                # Chromium counts nothing for a worker's own script
                size = sum(r.sizes()["responseBodySize"] or len(r.response().body()) for r in came)
                yield Rate(f"live, lite-{scale}x: bytes to the {name}", size / 1e6, "MB", goal)
                page.close()


def live() -> Iterator[Rate]:
    """On the site, from a question to its picture: the network on one thread of WebAssembly."""
    with site() as (browser, address):
        for scale in (4, 2):
            page = browser.new_page(viewport={"width": 1400, "height": 1300})
            page.goto(f"{address}/{LIVE}?scale={scale}")
            page.wait_for_function(ANSWERED)
            for name, (question, goal) in QUESTIONS.items():
                times = page.evaluate(f"""async () => {{
                  const taken = [];
                  for (let i = 0; i < 8; i++) {{
                    const start = performance.now();
                    live.lab().set({question});
                    while (live.lab().waiting()) await new Promise(requestAnimationFrame);
                    taken.push(performance.now() - start);
                  }}
                  return taken.slice(1);  // the first also runs what the question before had changed
                }}""")
                yield Rate(
                    f"live, lite-{scale}x: {name}, to its picture", np.median(times), "ms", goal
                )
            page.close()


# --- the course -----------------------------------------------------------------------------------


def notebooks() -> Iterator[Rate]:
    """Minutes of processor time, on one thread; the goal is what the notebook states."""
    sys.path.insert(0, str(NOTEBOOKS))
    import build

    stated = json.loads((NOTEBOOKS / "minutes.json").read_text(encoding="utf-8"))
    for source in sorted((NOTEBOOKS / "source").glob("*.py")):
        for solved in (False, True):
            minutes = build.execute(build.convert(source, solved)) / 60
            name = f"notebook {source.stem}{', solved' * solved}"
            yield Rate(name, minutes, "min", stated[source.stem])


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--json", action="store_true", help="one list of records, nothing else")
    parser.add_argument("--notebooks", action="store_true", help="also the course's minutes")
    measures = networks, imports, slices, training, updates, answers, live_bytes, live
    known = {m.__name__: m for m in measures}
    parser.add_argument("names", nargs="*", help=f"of {', '.join(known)}; by default all")
    asked = parser.parse_args(arguments)
    odd = [name for name in asked.names if name not in known]
    if odd:
        parser.error(f"found {', '.join(odd)}; expected names of {', '.join(known)}")
    torch.set_num_threads(min(2, os.cpu_count() or 1))
    say = (lambda *words: None) if asked.json else print
    say(f"torch {torch.__version__}, {torch.get_num_threads()} threads")
    rates = []
    chosen = [known[name] for name in asked.names or known]
    for measure in chosen + [notebooks] * asked.notebooks:
        try:
            for rate in measure():
                rates.append(rate)
                say(rate)
        except Absent as reason:
            say(f"{measure.__name__}: not measured, {reason}")
    if asked.json:
        print(json.dumps([asdict(rate) for rate in rates], indent=1))


if __name__ == "__main__":
    main()
