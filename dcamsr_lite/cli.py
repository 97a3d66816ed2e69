"""The command line. Every bad input is one line on stderr and exit status 2, never a traceback.

>>> main(["evaluate", "--reference", "none.npy", "--target", "none.npy", "--scale", "4"])
2
"""

import argparse
import json
import os
import sys
from collections.abc import Sequence
from math import inf
from pathlib import Path

from .errors import InputError

MAX_SEED = 10**6


class OneLineParser(argparse.ArgumentParser):
    """argparse whose usage errors are InputErrors, so that they too end in one line."""

    def error(self, message: str):
        raise InputError(self.prog, message, f"the options of `{self.prog} --help`")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; 0 when it worked, 2 on bad input, 130 when interrupted."""
    try:
        options = parser().parse_args(arguments)
        options.arguments = sys.argv[1:] if arguments is None else [*arguments]
        options.run(options)
        sys.stdout.flush()
    except InputError as error:
        print(f"dcamsr: error: {error}", file=sys.stderr)
        return 2
    except (MemoryError, RuntimeError) as error:
        if not out_of_memory(error):
            raise
        print("dcamsr: error: out of memory: try fewer or smaller volumes", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("dcamsr: interrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:  # the reader of our output has left, as `| head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return 0


def out_of_memory(error: Exception) -> bool:
    """Python's own error, or torch's: a RuntimeError of any device, so that its words must do.

    >>> out_of_memory(RuntimeError("DefaultCPUAllocator: can't allocate memory"))
    True
    """
    words = ("DefaultCPUAllocator", "out of memory")
    return isinstance(error, MemoryError) or any(word in str(error) for word in words)


def parser() -> argparse.ArgumentParser:
    """All commands and their options."""
    top = OneLineParser("dcamsr", description=__doc__.split("\n")[0] + " Not for clinical use.")
    commands = top.add_subparsers(required=True, metavar="COMMAND", parser_class=OneLineParser)

    def command(name: str, run, summary: str, under=commands) -> argparse.ArgumentParser:
        added = under.add_parser(name, help=summary, description=summary)
        added.set_defaults(run=run)
        return added

    demo = command("demo", run_demo, "super-resolve an embedded head: figure, page, metrics")
    demo.add_argument("--out", default="demo", help="folder (default: %(default)s)")

    data = commands.add_parser("data", help="make data")
    kinds = data.add_subparsers(required=True, metavar="KIND", parser_class=OneLineParser)
    simulate = command("simulate", run_simulate, "write simulated M4Raw-layout files", kinds)
    simulate.add_argument("--out", required=True)
    simulate.add_argument("--subjects", type=positive, required=True, metavar="N")
    simulate.add_argument("--seed", type=seed, default=0)
    simulate.add_argument("--size", type=positive, default=256)

    judge = command("evaluate", run_evaluate, "score a method on a reference and a target volume")
    inputs(judge, "--target")
    judge.add_argument("--method", default="dcamsr", help="dcamsr, zero-fill, bicubic")
    judge.add_argument("--json", action="store_true", help="print one JSON object")

    sharpen = command("super-resolve", run_super_resolve, "sharpen a volume, guided by another")
    inputs(sharpen, "--input")
    sharpen.add_argument("--out", required=True, help=".npy, .npz, .nii, .nii.gz or .h5")

    explore = command("explore", run_explore, "write an interactive page about one slice")
    inputs(explore, "--target", required=False)
    explore.add_argument("--out", help="an .html file")
    explore.add_argument("--gallery", metavar="FOLDER", help="every explorer, on a simulated head")
    explore.add_argument("--slice", type=int, help="default: the brightest")

    train = command("train", run_train, "train a network")
    kinds = "DIR in M4Raw's layout, CSV of pairs, or simulated; may be given again"
    train.add_argument("--data", required=True, action="append", help=kinds)
    train.add_argument("--validation", action="append", default=[], help="likewise")
    train.add_argument("--out", required=True, help="folder for weights, log and state")
    train.add_argument("--method", default="dcamsr", help="or a baseline: see dcamsr_lite.baseline")
    train.add_argument("--preset", default="lite", choices=("lite", "full"))
    train.add_argument("--variant", default="corrected", choices=("released", "paper", "corrected"))
    train.add_argument("--scale", type=int, default=4, choices=(2, 4))
    length = train.add_mutually_exclusive_group()
    length.add_argument("--steps", type=positive, help="default: lite 1000")
    length.add_argument("--epochs", type=positive, help="default: full 50, as the paper")
    train.add_argument("--until", type=positive, metavar="N", help="stop there, to be resumed")
    train.add_argument("--batch", type=positive, help="at once, per process: lite 2, full 4")
    train.add_argument("--accumulate", type=positive, default=1, help="such batches per step")
    train.add_argument("--rate", type=rate, help="Adam's; default: lite 1e-3, full 2e-4")
    train.add_argument(
        "--schedule", choices=("paper", "cosine"), help="default: full paper, lite cosine"
    )
    train.add_argument("--init", help="weights to start from: a name or a .safetensors file")
    train.add_argument("--every", type=positive, default=250, help="steps between checkpoints")
    train.add_argument("--seed", type=seed, default=0)
    train.add_argument("--subjects", type=positive, default=16, help="simulated subjects")
    train.add_argument("--image-size", type=positive, default=None, help="of simulated subjects")
    train.add_argument("--device", default="cpu", choices=("cpu", "cuda"))
    train.add_argument("--bf16", action="store_true", help="bfloat16 where the hardware is fast")
    train.add_argument("--compile", action="store_true", help="torch.compile: slow start, faster")
    train.add_argument("--workers", type=int, choices=range(65), default=0, metavar="N",
                       help="processes that read slices ahead")  # fmt: skip
    train.add_argument("--cache", metavar="DIR", help="keep the slices there, not in memory")
    train.add_argument("--loss", default="l1", choices=("l1", "l2"), help="l1: the paper's")
    train.add_argument("--vary", nargs="?", const=True, default=False, metavar="KINDS",
                       help="some of geometry,mirror,contrast,curve (default: all)")  # fmt: skip
    train.add_argument("--average", type=float, default=0.0, metavar="DECAY",
                       help="keep the weights' moving average, e.g. 0.999")  # fmt: skip
    train.add_argument("--resume", action="store_true", help="go on from --out")
    train.add_argument("--set", action="append", default=[], metavar="KEY=VALUE",
                       help="a field of the configuration, e.g. channel=false")  # fmt: skip

    convert = command("convert", run_convert, "turn a checkpoint of the released code into ours")
    convert.add_argument("checkpoint", metavar="RELEASED_CHECKPOINT")
    convert.add_argument("out", metavar="OUT.safetensors")
    convert.add_argument("--scale", type=int, default=4, choices=(2, 4))
    return top


def positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"{value} is not positive")
    return value


def seed(text: str) -> int:
    value = int(text)
    if not 0 <= value <= MAX_SEED:
        raise argparse.ArgumentTypeError(f"{value} is not from 0 to {MAX_SEED}")
    return value


def rate(text: str) -> float:
    value = float(text)
    if not 0 < value < inf:
        raise argparse.ArgumentTypeError(f"{value} is not positive and finite")
    return value


def inputs(command: argparse.ArgumentParser, second: str, required: bool = True) -> None:
    kinds = "volume: .h5, .nii, .nii.gz, .npy or .npz"
    command.add_argument("--reference", required=required, help=kinds)
    command.add_argument(second, required=required, help=kinds)
    command.add_argument("--scale", type=int, required=required, choices=(2, 4))
    command.add_argument("--weights", help="a name or a .safetensors file (default: lite-SCALEx)")


def trained(options) -> "DCAMSR":  # noqa: F821
    """The asked network; a scale that it was not trained for is refused."""
    from .evaluation import check_scale
    from .network.checkpoints import load

    model = load(options.weights or f"lite-{options.scale}x")
    check_scale(model, options.scale)
    return model


def run_demo(options) -> None:
    from .commands.demo import run

    run(options.out)


def run_simulate(options) -> None:
    from tqdm import tqdm

    from .data.hdf5 import write_m4raw
    from .phantom.head import simulate

    if options.size < 32 or options.size % 2 or options.size > 1024:
        raise InputError("--size", str(options.size), "an even number from 32 to 1024")
    repetitions = {"T1": 3, "T2": 3, "FLAIR": 2}
    seeds = range(options.seed, options.seed + options.subjects)
    for seed in tqdm(seeds, desc="subjects", disable=None):
        head = simulate(seed, size=options.size, repetitions=3)
        for contrast, count in repetitions.items():
            for k in range(count):
                path = Path(options.out) / f"{seed:010d}_{contrast}{k + 1:02d}.h5"
                protocol = {key.lower(): value for key, value in head.protocol[contrast] if value}
                name = f"simulated {seed:010d}"
                write_m4raw(path, head.kspace[contrast][k], f"AX{contrast}", protocol, name)
    print(f"{options.subjects} subjects in {options.out}: real anatomy, simulated contrasts")


def run_evaluate(options) -> None:
    from .data.pairs import load_pair
    from .evaluation import evaluate, warn_if_far

    model = trained(options) if options.method == "dcamsr" else None
    pair = load_pair(options.reference, options.target, options.scale)
    if model is not None:
        warn_if_far(model, pair)
    result = evaluate([pair], options.scale, options.method, model)
    if options.json:
        print(json.dumps(result))
        return
    bands = result["per_volume"][0]["error_by_band"]
    print(f"{result['method']} at {result['scale']}x, {result['volumes']} volume")
    print(f"PSNR {result['psnr']:.2f} dB   SSIM {result['ssim']:.3f}   NMSE {result['nmse']:.4f}")
    print(f"NMSE in the measured band {bands['measured']:.4f}, removed {bands['removed']:.4f}")
    print(f"convention: {result['convention']}")
    print("Not for clinical use.")


def run_super_resolve(options) -> None:
    from .data.files import write_volume
    from .data.pairs import load_input
    from .evaluation import super_resolve, warn_if_far

    model = trained(options)
    pair = load_input(options.reference, options.input, options.scale)
    warn_if_far(model, pair)
    write_volume(options.out, super_resolve(model, pair), like=pair.grid)
    print(f"wrote {options.out}. Not for clinical use.")


def run_explore(options) -> None:
    from .data.pairs import load_pair
    from .evaluation import warn_if_far
    from .widgets import explore, save_gallery

    needed = ["reference", "target", "scale", "out"]
    given = [name for name in needed if getattr(options, name) is not None]
    if options.gallery is not None:
        if given:
            raise InputError("--gallery", f"--{given[0]} beside it", "--gallery alone")
        index = save_gallery(options.gallery)
        print(f"wrote {index}: open it in a browser. Not for clinical use.")
        return
    if missing := [f"--{name}" for name in needed if name not in given]:
        raise InputError("dcamsr explore", f"no {', '.join(missing)}", "them, or --gallery FOLDER")
    if not options.out.lower().endswith(".html"):
        raise InputError("--out", options.out, "a name that ends in .html")
    model = trained(options)
    pair = load_pair(options.reference, options.target, options.scale)
    if options.slice is not None and not 0 <= options.slice < len(pair.lr):
        raise InputError("--slice", str(options.slice), f"0 to {len(pair.lr) - 1}")
    warn_if_far(model, pair)
    explore(model, pair, slice=options.slice).save_html(options.out)
    print(f"wrote {options.out}: open it in a browser. Not for clinical use.")


def run_convert(options) -> None:
    import torch

    from .network.checkpoints import load_released, save

    model = load_released(options.checkpoint, scale=options.scale)
    save(model, options.out, dtype=torch.float32, origin="converted from a released checkpoint")
    print(f"wrote {options.out}: {model.config.image_size[0]} x {model.config.image_size[1]}")


def run_train(options) -> None:
    from .commands.train import run

    run(options)
