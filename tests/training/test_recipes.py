"""The paper's recipe is the paper's, a recipe goes to a file and back, and checks come before work."""

import json
import os
import re
from pathlib import Path

import h5py
import numpy as np
import pytest
import torch
from helpers import coil_kspace
from safetensors import safe_open

import dcamsr_lite as dl
from dcamsr_lite.cli import main, parser
from dcamsr_lite.commands import train as command
from dcamsr_lite.commands.recipe_file import add_recipe, parse, read_recipe
from dcamsr_lite.data.files import read_volume, write_m4raw
from dcamsr_lite.data.shapes import read_shape
from dcamsr_lite.kspace import fft2c, ifft2c
from dcamsr_lite.network.checkpoints import read_header
from dcamsr_lite.training.dataset import NAMES, cut_slices
from dcamsr_lite.training.recipe import Cutting, Recipe

SMALL = [
    "channels=8",
    "heads=2",
    "tokens=16",
    "encoder_blocks=[1,1,1]",
    "decoder_blocks=[1,1,1,1,1,1]",
]
SMALL = [word for choice in SMALL for word in ("--set", choice)]
PROTOCOL = {"tr": 1, "te": 1, "flip": 90}


def write_tree(subjects: int, slices: int = 18, size: int = 16) -> str:
    """Files by M4Raw's names, as few bytes as can be; the outer slices are nearly dark."""
    random = np.random.default_rng(0)
    bright = np.hanning(slices + 2)[1:-1, None, None]
    images = {c: bright * random.random((slices, size, size)) for c in ("T1", "T2")}
    Path("tree").mkdir()
    for subject in range(subjects):
        for contrast, values in images.items():
            kspace = fft2c(torch.tensor(values))[:, None].numpy().astype(np.complex64)
            for k in (1, 2, 3):
                with h5py.File(f"tree/{2022000000 + subject}_{contrast}0{k}.h5", "w") as file:
                    file["kspace"], file["reconstruction_rss"] = kspace, values.astype(np.float32)
    return "tree"


@pytest.fixture
def pairs(volumes):
    Path("pairs.csv").write_text(f"{volumes[0]},{volumes[1]}\n")
    return "pairs.csv"


@pytest.fixture
def reads(monkeypatch):
    """Which pairs a training has begun to read."""
    seen, original = [], command.collect_slices

    def collect(pairs, *more, **options):
        return original((seen.append(pair) or pair for pair in pairs), *more, **options)

    monkeypatch.setattr(command, "collect_slices", collect)
    return seen


def find_counts(printed: str) -> list[int]:
    """Slices, slices a step, steps an epoch, steps."""
    line = next(line for line in printed.splitlines() if "steps in all" in line)
    found = re.match(r"(\d+) slices, (\d+) a step .*: (\d+) steps an epoch, (\d+) steps", line)
    return [int(number) for number in found.groups()]


def check_papers_counts(subjects: int, counts: list[int], capsys):
    tree = write_tree(subjects)
    asked = ["train", "--preset", "full", "--data", tree, "--out", "run", *SMALL, "--until", "1"]
    assert main(asked) == 0
    printed = capsys.readouterr().err
    assert find_counts(printed) == counts
    assert printed.index("steps in all") < printed.index("reading tree") < printed.index("train:")


def test_the_papers_recipe_mirrors_nothing_drops_nothing_and_says_so_before(capsys):
    check_papers_counts(2, [108, 32, 3, 150], capsys)


@pytest.mark.slow
def test_the_papers_recipe_on_a_tree_like_m4raws_has_the_papers_slices_and_steps(capsys):
    check_papers_counts(128, [6912, 32, 216, 10800], capsys)


def test_the_papers_steps_are_those_of_eight_processes_too():
    assert Recipe.make("full", {}).count_steps(6912, processes=8) == 10800
    options = parser().parse_args("train --data x --out y --preset full --batch 4".split())
    recipe = Recipe.make("full", vars(options))
    assert command.fit_recipe(options, recipe, 6912).accumulate == 1  # as was asked
    options.batch = None
    assert command.fit_recipe(options, recipe, 6912).count_steps(6912) == 10800
    assert command.fit_recipe(options, recipe, 3).accumulate == 1


def test_mirroring_and_dark_slices_are_options_and_lite_is_as_before(capsys):
    tree = write_tree(1)
    lite = cut_slices([("tree/2022000000_T101.h5", "tree/2022000000_T201.h5")], 4)
    bright = len(lite[0]) // 2
    assert 0 < bright < 18
    counts = []
    for more in ([], ["--no-mirror"], ["--keep-dark"], ["--no-mirror", "--keep-dark"]):
        out = f"run{len(counts)}"
        asked = ["train", "--data", tree, "--out", out, *SMALL, "--steps", "1", "--batch", "2"]
        assert main([*asked, *more]) == 0
        counts.append(find_counts(capsys.readouterr().err)[0] // 3)
    assert counts == [2 * bright, bright, 36, 18]
    assert read_header("run1/last.safetensors")["mirror"] == "False"


def test_repetitions_are_averaged_where_that_is_asked():
    """One pair of a subject, of the means of magnitudes, in the validation too; made anew with any."""
    tree = write_tree(1)
    images = {}
    for contrast in ("T1", "T2"):
        files = [Path(tree, f"2022000000_{contrast}0{k}.h5") for k in (1, 2, 3)]
        for k, file in enumerate(files):
            with h5py.File(file, "r+") as opened:
                opened["kspace"][...] *= 1j**k * (1 + k)  # the mean of complex images is another
        images[contrast] = np.mean([read_volume(file).images.numpy() for file in files], 0)
    asked = ["train", "--data", tree, "--validation", tree, "--out", "run", *SMALL, "--steps", "1"]
    asked += ["--average-repetitions", "--no-mirror", "--keep-dark", "--cache", "cache"]
    assert main(asked) == 0
    (stored,) = Path("cache").iterdir()
    wanted = cut_slices([(images["T1"], images["T2"])], 4, flip=False, keep_dark=True)
    with safe_open(stored, framework="pt") as tensors:
        for name, tensor in zip(NAMES, wanted, strict=True):
            torch.testing.assert_close(tensors.get_tensor(name), tensor, atol=1e-4, rtol=1e-4)
    assert json.loads(Path("run/recipe.json").read_text())["average_repetitions"] is True
    os.utime(Path(tree, "2022000000_T203.h5"), ns=(1, 1))
    assert main([*asked[:-1], "cache", "--out", "again"]) == 0
    assert len([*Path("cache").iterdir()]) == 2


def test_order_and_normalisation_reach_training_validation_and_what_is_made_of_the_weights(
    capsys, monkeypatch
):
    for number, contrast in enumerate(("T1", "T2")):
        kspace = coil_kspace(2, 32, seed=number)
        write_m4raw(f"1_{contrast}01.h5", kspace, f"AX{contrast}", PROTOCOL, "1")
    files = ["1_T101.h5", "1_T201.h5"]
    Path("pairs.csv").write_text(",".join(files))
    given = {}

    def remember(model, data, out, validation, **more):
        given["data"], given["pairs"] = data, validation
        dl.save(model, f"{out}/last.safetensors", **more["notes"])

    monkeypatch.setattr(command, "train", remember)
    asked = ["--order", "image", "--normalisation", "released", "--no-mirror"]
    asked += ["--data", "pairs.csv", "--validation", "pairs.csv", "--out", "run", *SMALL]
    Path("run").mkdir()
    assert main(["train", *asked]) == 0
    wanted = dl.load_pair(*files, 4, order="image", normalisation="released")
    assert torch.equal(given["data"].tensors[0], wanted.lr)
    assert torch.equal(given["pairs"][0].ref, wanted.ref)
    weights = ["--weights", "run/last.safetensors"]
    judge = ["evaluate", "--reference", files[0], "--target", files[1], "--scale", "4", "--json"]
    found = []
    for more in ([], ["--normalisation", "released"], ["--normalisation", "clean"]):
        capsys.readouterr()
        assert main([*judge, *weights, "--order", "image", *more]) == 0
        captured = capsys.readouterr()
        found.append(json.loads(captured.out)["psnr"])
        assert ("trained with released normalisation" in captured.err) == ("clean" in more)
    assert found[0] == found[1] == dl.evaluate(dl.load("run/last.safetensors"), [wanted])["psnr"]
    assert found[2] != found[0]


def test_a_recipe_goes_to_a_file_and_back(pairs, capsys):
    asked = ["train", "--data", pairs, "--preset", "full", "--variant", "paper", "--steps", "2"]
    asked += ["--vary", "mirror,curve", "--average", "0.5", "--batch", "1", "--mirror", *SMALL]
    assert main([*asked, "--out", "one"]) == 0
    again = ["train", "--data", pairs, "--recipe", "one/recipe.json", "--out"]
    assert main([*again, "two"]) == 0
    for name in ("last.safetensors", "recipe.json", "config.json"):
        assert Path("one", name).read_bytes() == Path("two", name).read_bytes()
    options = add_recipe(parse([*again, "three", "--epochs", "3", "--no-mirror", "--scale", "2"]))
    assert (options.steps, options.epochs, options.mirror, options.scale) == (None, 3, False, 2)
    assert options.arguments == [*again, "three", *"--epochs 3 --no-mirror --scale 2".split()]


@pytest.mark.parametrize(
    ("content", "word"),
    [
        ('{"stepz": 3}', "'stepz'"),
        ('{"steps": -3}', "not positive"),
        ('{"steps": "many"}', "--steps"),
        ('{"steps": {"a": 1}}', "steps: a dict"),
        ('{"steps": true}', "--steps"),
        ('{"schedule": "linear"}', "linear"),
        ('{"resume": true}', "'resume'"),
        ('{"set": {"chanel": 3}}', "chanel"),
        ("[1, 2]", "a list"),
        ("{", "mine.json"),
        (5000 * "[", "nested too deeply"),
        ('{"set": {"channels": ' + 800 * "[" + 800 * "]" + "}}", "--set"),
        (b"\xff\xfe\x00", "mine.json"),
        (None, "No such file"),
    ],
)
def test_a_wrong_recipe_file_is_one_line(content, word, pairs, capsys):
    if content is not None:
        Path("mine.json").write_bytes(content if isinstance(content, bytes) else content.encode())
    assert main(["train", "--data", pairs, "--out", "run", "--recipe", "mine.json"]) == 2
    lines = [x for x in capsys.readouterr().err.splitlines() if not x.startswith("reading")]
    assert len(lines) == 1 and word in lines[0] and len(lines[0]) < 1200
    assert not Path("run").exists()


def test_unequal_slices_are_said_before_anything_is_read(volumes, reads, capsys):
    np.save("short.npy", np.load(volumes[1])[:2])
    Path("pairs.csv").write_text(f"{volumes[0]},{volumes[1]}\n{volumes[0]},short.npy\n")
    asked = ["train", "--data", "pairs.csv", "--out", "run", "--steps", "1", *SMALL]
    assert main(asked) == 2
    line = capsys.readouterr().err.splitlines()[-1]
    assert "short.npy: found 2 x 32 x 32 beside a reference of 3 x 32 x 32" in line
    assert "--common-slices" in line and not reads and not Path("run").exists()
    assert main([*asked, "--common-slices"]) == 0
    assert find_counts(capsys.readouterr().err)[0] == 2 * (3 + 2) and len(reads) == 2


@pytest.mark.parametrize("kind", ["npy", "npz", "nii", "nii.gz", "h5"])
def test_the_size_of_a_volume_is_known_from_its_header(kind):
    from dcamsr_lite.data.files import read_volume, write_volume

    write_volume(f"t2.{kind}", np.random.default_rng(0).random((3, 16, 12), np.float32))
    assert read_shape(f"t2.{kind}") == tuple(read_volume(f"t2.{kind}").images.shape) == (3, 16, 12)
    Path(f"t2.{kind}").write_bytes(Path(f"t2.{kind}").read_bytes()[:40])
    assert read_shape(f"t2.{kind}") is None


def test_the_size_is_that_of_the_images_that_are_cut_out_of_kspace():
    with h5py.File("knee.h5", "w") as file:
        file["kspace"] = ifft2c(torch.rand(2, 24, 20)).numpy().astype(np.complex64)
        file["reconstruction_esc"] = np.ones((2, 16, 16), np.float32)
    assert read_shape("knee.h5") == (2, 16, 16)


def test_other_sizes_are_said_before_anything_is_read(volumes, reads, capsys):
    np.save("wide.npy", np.random.default_rng(0).random((3, 48, 48), np.float32))
    Path("pairs.csv").write_text(f"{volumes[0]},{volumes[1]}\nwide.npy,wide.npy\n")
    assert main(["train", "--data", "pairs.csv", "--out", "run", *SMALL]) == 2
    assert "found (48, 48) beside (32, 32)" in capsys.readouterr().err
    assert not reads


@pytest.mark.parametrize("fault", ["missing", "damaged", "unlike", "not for this network"])
def test_a_wrong_validation_is_found_before_the_data_are_read(fault, pairs, volumes, reads, capsys):
    np.save("wide.npy", np.random.default_rng(0).random((3, 48, 48), np.float32))
    Path("damaged.npy").write_bytes(volumes[1].read_bytes()[:200])
    second = {"missing": "none.npy", "damaged": "damaged.npy", "unlike": "wide.npy"}
    both = (volumes[0], second[fault]) if fault in second else ("wide.npy", "wide.npy")
    Path("held_out.csv").write_text("{},{}\n".format(*both))
    asked = ["train", "--data", pairs, "--validation", "held_out.csv", "--out", "run", *SMALL]
    assert main([*asked, "--variant", "paper", "--steps", "1"]) == 2
    assert capsys.readouterr().err.splitlines()[-1].startswith("dcamsr: error: ")
    assert not reads and not Path("run").exists()


def test_an_output_that_cannot_be_written_is_found_first(pairs, reads, readonly, capsys):
    assert main(["train", "--data", pairs, "--out", str(readonly / "run"), *SMALL]) == 2
    assert main(["train", "--data", pairs, "--out", str(readonly), *SMALL]) == 2
    for line in capsys.readouterr().err.splitlines():
        assert "a place that can be written" in line
    assert not reads


@pytest.mark.parametrize("fault", ["cache", "compiler", "init", "accumulate"])
def test_what_else_can_be_known_is_known_before_the_data_are_read(
    fault, pairs, reads, readonly, monkeypatch, capsys
):
    def missing(function):
        raise RuntimeError("no C++ compiler")

    monkeypatch.setattr(torch, "compile", missing)
    more = {"cache": ["--cache", str(readonly)], "compiler": ["--compile"]}
    more |= {"init": ["--init", "none.safetensors"], "accumulate": ["--accumulate", "7"]}
    assert main(["train", "--data", pairs, "--out", "run", *SMALL, *more[fault]]) == 2
    assert not reads and capsys.readouterr().err.splitlines()[-1].startswith("dcamsr: error: ")


def test_slices_on_disk_are_told_apart_by_how_they_were_cut(volumes):
    from dcamsr_lite.training.dataset import collect_slices, hash_pair

    data = [collect_slices([volumes], 4, "cache", 0, mirror=mirror) for mirror in (True, False)]
    assert [len(slices) for slices in data] == [6, 3]
    assert hash_pair(volumes, 4) == hash_pair(volumes, 4, Cutting())


WRONG = [
    ("--set scale=2", "--scale, an option of its own"),
    ("--set method=edsr", "--method"),
    ("--set image_size=64", "--image-size"),
    ("--set variant=paper", "--variant"),
    ("--set preset=full", "--preset"),
    ("--set channels=99999999999999", "--set: found"),
    ("--workers -1", "-1 is not from 0 to 64"),
    ("--recipe endless", "more than a megabyte"),
]


@pytest.mark.parametrize(("asked", "word"), WRONG)
def test_options_that_were_passed_over_are_refused(asked, word, pairs, capsys):
    if Path("/dev/zero").exists():
        Path("endless").symlink_to("/dev/zero")
    else:
        Path("endless").write_bytes(bytes(2**20 + 1))
    assert main(["train", "--data", pairs, "--out", "run", "--steps", "1", *asked.split()]) == 2
    last = capsys.readouterr().err.strip().splitlines()[-1]
    assert word in last and last.startswith("dcamsr: error: ") and "volumes (" not in last
    assert not Path("run/config.json").exists()


def test_a_recipe_of_another_program_is_read():
    text = json.dumps({"scale": 4.0, "batch": 1e3, "rate": 1e-3, "set": {"channels": 8}})
    Path("mine.json").write_text(text, encoding="utf-8-sig")
    found = read_recipe("mine.json")
    assert found == ["--scale=4", "--batch=1000", "--rate=0.001", "--set=channels=8"]


def test_a_damaged_state_is_found_before_the_data_are_read(pairs, reads, capsys):
    Path("run").mkdir()
    Path("run/state.pt").write_bytes(b"of another program")
    assert main(["train", "--data", pairs, "--out", "run", *SMALL, "--resume"]) == 2
    assert "state.pt: found a damaged file" in capsys.readouterr().err and not reads


def test_counts_say_what_is_read_and_what_has_no_effect_is_said(pairs, capsys):
    asked = ["--steps", "1", "--batch", "100", "--set", "blocks=[3,3]"]
    assert main(["train", "--data", pairs, "--out", "run", *SMALL, *asked]) == 0
    printed = capsys.readouterr().err
    assert "6 a step (6 at once, 1 times" in printed and "--set blocks" in printed
