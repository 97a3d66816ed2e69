"""The command line. Every bad input is one line on stderr and exit status 2, never a traceback.

>>> main(["evaluate", "--reference", "none.npy", "--target", "none.npy", "--scale", "4"])
2
"""

import argparse
import io
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from importlib import import_module
from os.path import expanduser
from typing import NoReturn

from . import __version__
from .errors import InputError, is_out_of_memory
from .network.config import VARIANTS
from .training.recipe import NORMALISATIONS, ORDERS, add_options, positive, rate, seed

PLANES = ("sagittal", "coronal", "axial")
# not the docstring: `python -OO` has none
SUMMARY = (
    "MR super-resolution with a second contrast as guide. A bad input is one line and status 2."
)


def path(text: str) -> str:
    """What argparse makes of a path: ~ is the home."""
    if not text:
        raise argparse.ArgumentTypeError("an empty name")
    return expanduser(text)


class OneLineParser(argparse.ArgumentParser):
    """argparse whose usage errors are InputErrors, so that they too end in one line."""

    def error(self, message: str) -> NoReturn:
        raise InputError(self.prog, message, f"the options of `{self.prog} --help`")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; 0 when it worked, 2 on bad input, 130 when interrupted."""
    prepare_streams()
    try:
        try:
            run_command(arguments)
        finally:  # what a full disk did not take is known here, not when Python ends
            sys.stdout.flush()
    except InputError as error:
        return end(2, f"error: {error}")
    except (MemoryError, RuntimeError) as error:
        if not is_out_of_memory(error):
            raise
        where = f" ({error})" if isinstance(error, MemoryError) and str(error) else ""
        return end(2, f"error: out of memory: try fewer or smaller volumes{where}")
    except KeyboardInterrupt:
        return end(130, "interrupted")
    except BrokenPipeError:  # the reader of our output has left, as `| head` does
        return end(1)
    except OSError as error:
        found = f"found {error.strerror or error}; expected a file, folder or stream to use"
        return end(2, f"error: {error.filename or 'standard output'}: {found}")
    return 0


def run_command(arguments: Sequence[str] | None) -> None:
    options = parser().parse_args(arguments)
    options.arguments = sys.argv[1:] if arguments is None else [*arguments]
    module, function = options.does.split(".")
    getattr(import_module(f".commands.{module}", __package__), function)(options)


def prepare_streams() -> None:
    """A stream that was closed before we started takes everything; none stops at a strange name."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w"))
        if isinstance(stream := getattr(sys, name), io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def end(status: int, message: str = "") -> int:
    """Say it in one line; what the streams do not take is given up, so that Python ends quietly."""
    with suppress(OSError):
        if message:
            print(f"dcamsr: {message}", file=sys.stderr)
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
    return status


def parser() -> argparse.ArgumentParser:
    """All commands and their options; what a command does is loaded when it is asked for."""
    top = OneLineParser("dcamsr", description=f"{SUMMARY} Not for clinical use.")
    top.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    commands = top.add_subparsers(required=True, metavar="COMMAND", parser_class=OneLineParser)

    def command(name: str, does: str, summary: str, under=commands) -> argparse.ArgumentParser:
        added = under.add_parser(name, help=summary, description=summary)
        added.set_defaults(does=does)
        return added

    demo = command("demo", "demo.show", "super-resolve an embedded head: figure, page, metrics")
    demo.add_argument("--out", type=path, default="demo", help="folder (default: %(default)s)")

    data = commands.add_parser("data", help="make data, fetch them, or look at them")
    kinds = data.add_subparsers(required=True, metavar="KIND", parser_class=OneLineParser)
    simulate = command(
        "simulate", "data.simulate", "write simulated M4Raw-layout files", under=kinds
    )
    simulate.add_argument("--out", type=path, required=True)
    simulate.add_argument("--subjects", type=positive, required=True, metavar="N")
    simulate.add_argument("--seed", type=seed, default=0)
    simulate.add_argument("--size", type=positive, default=256)

    check = command("check", "data.check", "say what is in a folder or CSV of pairs", under=kinds)
    check.add_argument("data", type=path, metavar="DIR|CSV")
    check.add_argument("--read", action="store_true", help="read every volume, not headers alone")
    check.add_argument("--json", action="store_true", help="print one JSON object")

    words = (
        "bring single files of a public record here, out of its archives; the same command goes on"
    )
    fetch = command("fetch", "data.fetch", words, under=kinds)
    fetch.add_argument("record", choices=("m4raw", "open-ms"))
    fetch.add_argument("--out", type=path, required=True, metavar="DIR")
    fetch.add_argument("--split", default="val", choices=("train", "val", "test"), help="of m4raw")
    fetch.add_argument("--subjects", type=positive, default=1, metavar="N", help="the first N")
    fetch.add_argument("--contrasts", default="T1,T2", metavar="NAMES", help="default: %(default)s")
    words = "another address, or a folder, in the place of the record's own"
    fetch.add_argument("--from", type=path, dest="origin", metavar="ADDRESS|FOLDER", help=words)
    fetch.add_argument("--limit", type=rate, default=4, metavar="GB", help="default: %(default)s")

    judge = command(
        "evaluate", "evaluate.score", "score methods on a reference and a target, or on many pairs"
    )
    words = "a folder (M4Raw's layout, BIDS) or a CSV of pairs, instead of one pair"
    judge.add_argument("data", type=path, nargs="?", metavar="FOLDER|CSV", help=words)
    add_inputs(judge, "--target", required=False)
    add_degradation(judge)
    judge.add_argument("--protocol", metavar="NAME", help="of many pairs; `list` explains each")
    words = "of many pairs: several with commas between, names or files of weights, rows of the"
    words += " paper's tables of which --weights, a folder of trainings, has some, or all"
    judge.add_argument("--methods", metavar="NAMES", help=words)
    judge.add_argument("--out", type=path, metavar="DIR", help="of many pairs: folder for tables")
    judge.add_argument("--resume", action="store_true", help="go on with the tables in --out")
    words = (
        "of many pairs: so many pictures of each method's worst (default: %(default)s), in --out"
    )
    judge.add_argument("--worst", type=int, default=3, choices=range(100), metavar="N", help=words)
    judge.add_argument("--method", default="dcamsr", help="dcamsr, zero-fill, bicubic")
    judge.add_argument("--json", action="store_true", help="print one JSON object")

    sharpen = command(
        "super-resolve", "super_resolve.sharpen", "sharpen a volume, guided by another"
    )
    add_inputs(sharpen, "--input")
    add_common_slices(sharpen)
    endings = ".npy, .npz, .nii, .nii.gz or .h5; with / at its end a folder, of a DICOM series"
    sharpen.add_argument(
        "--out",
        type=path,
        required=True,
        help=endings,
    )

    explore = command("explore", "explore.write_page", "write an interactive page about one slice")
    add_inputs(explore, "--target", required=False)
    add_degradation(explore)
    explore.add_argument("--out", type=path, help="an .html file")
    explore.add_argument(
        "--page",
        default="attention",
        help="attention (default), kspace, swipe, lab, attribution, displacement or contrasts",
    )
    explore.add_argument(
        "--gallery", type=path, metavar="FOLDER", help="every explorer, on a simulated head"
    )
    explore.add_argument("--slice", type=int, help="default: the brightest")

    draw = command("figure", "figure.draw", "draw whether two contrasts lie on each other")
    add_inputs(draw, "--target")
    add_degradation(draw)
    draw.add_argument("--out", type=path, required=True, help="a .png file")
    draw.add_argument("--slice", type=int, help="default: the brightest")

    train = command("train", "train.train_network", "train a network")
    sources = "DIR in M4Raw's layout, CSV of pairs, or simulated; may be given again"
    train.add_argument("--data", type=path, required=True, action="append", help=sources)
    train.add_argument("--validation", type=path, action="append", default=[], help="likewise")
    train.add_argument("--out", type=path, required=True, help="folder for weights, log and state")
    train.add_argument("--method", default="dcamsr", help="or a baseline: see dcamsr_lite.baseline")
    train.add_argument("--preset", default="lite", choices=("lite", "full"))
    train.add_argument("--variant", default="corrected", choices=[*VARIANTS])
    train.add_argument("--scale", type=int, default=4, choices=(2, 4))
    train.add_argument("--set", action="append", default=[], metavar="KEY=VALUE",
                       help="a field of the configuration, e.g. channel=false")  # fmt: skip
    train.add_argument(
        "--init", type=path, help="weights to start from: a name or a .safetensors file"
    )
    train.add_argument("--subjects", type=positive, default=16, help="simulated subjects")
    train.add_argument("--image-size", type=positive, help="of simulated subjects")
    train.add_argument(
        "--cache", type=path, metavar="DIR", help="keep the slices there, not in memory"
    )
    train.add_argument(
        "--recipe",
        type=path,
        metavar="FILE",
        help="take options from a recipe.json; others go before",
    )
    add_options(train)

    words = "write a network as one ONNX file, for onnxruntime, browsers and other programs"
    export = command("export", "export.write_onnx", words)
    export.add_argument(
        "weights", type=path, metavar="WEIGHTS", help="a name or a .safetensors file"
    )
    export.add_argument("out", type=path, metavar="OUT.onnx")
    words = "rows and columns of the reference, one number for both (default: the weights' own)"
    export.add_argument("--image-size", type=positive, nargs="+", metavar="N", help=words)

    bench = command("bench", "bench.measure", "time the network beside the released code's way")
    bench.add_argument("--json", action="store_true", help="print one JSON object")
    bench.add_argument(
        "--out",
        type=path,
        metavar="FOLDER",
        help="write bench.md, its plot and numbers; add to them",
    )
    bench.add_argument("--sizes", type=positive, nargs="+", default=[64, 128], help="sides, to 512")
    bench.add_argument("--presets", nargs="+", default=["lite", "full"], choices=("lite", "full"))
    bench.add_argument(
        "--variants", nargs="+", default=["released", "corrected"], choices=[*VARIANTS]
    )
    bench.add_argument("--batch", type=positive, nargs="+", default=[1], help="slices at once: 1 4")
    bench.add_argument("--device", default="cpu", choices=("cpu", "cuda"))
    bench.add_argument("--threads", type=positive, help="default: 2, where there are as many cores")
    bench.add_argument("--repeats", type=positive, default=9, help="of each call, at most")
    bench.add_argument("--seconds", type=rate, default=10, help="for each pair, about")

    convert = command(
        "convert", "convert.convert_checkpoint", "turn a checkpoint of the released code into ours"
    )
    convert.add_argument("checkpoint", type=path, metavar="RELEASED_CHECKPOINT")
    convert.add_argument("out", type=path, metavar="OUT.safetensors")
    convert.add_argument("--scale", type=int, default=4, choices=(2, 4))
    return top


def add_degradation(command: argparse.ArgumentParser) -> None:
    add_common_slices(command)
    words = "crop the k-space of each coil, or of the image (default: coils where there are some)"
    command.add_argument("--order", choices=ORDERS, help=words)


def add_common_slices(command: argparse.ArgumentParser) -> None:
    words = "where one volume has more slices, take those that both have"
    command.add_argument("--common-slices", action="store_true", help=words)
    words = "bring the reference onto the other volume's grid and place (needs SimpleITK)"
    command.add_argument("--register", action="store_true", help=words)
    command.add_argument(
        "--plane", choices=PLANES, help="slices of this direction (default: as stored)"
    )
    words = "the mean of all repetitions of an M4Raw file, of reference and target"
    both = (
        "--average",
        "--average-repetitions",
    )  # as `train` has it, whose --average is of weights
    command.add_argument(*both, action="store_true", help=words)
    command.add_argument("--slices", metavar="FIRST:END", help="some slices (default: all)")


def add_inputs(command: argparse.ArgumentParser, second: str, required: bool = True) -> None:
    kinds = "volume: .h5, .nii, .nii.gz, .npy, .npz, .png, .jpg, or a DICOM series"
    command.add_argument("--reference", type=path, required=required, help=kinds)
    command.add_argument(second, type=path, required=required, help=kinds)
    command.add_argument("--scale", type=int, required=required, choices=(2, 4))
    command.add_argument(
        "--weights", type=path, help="a name or a .safetensors file (default: lite-SCALEx)"
    )
    command.add_argument(
        "--normalisation",
        choices=NORMALISATIONS,
        help="default: what the weights were trained with",
    )
