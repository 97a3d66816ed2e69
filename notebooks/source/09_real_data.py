# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 09 Real data: M4Raw, fastMRI, or your own pair
#
# You will be able to
# - read M4Raw and fastMRI files, pair them, and make the low-resolution image as the paper does,
# - run the paper's evaluation, say its convention, and measure what another convention would change,
# - estimate the noise ceiling from two repetitions, and say how far below it a result lies.
#
# You need: [notebook 00](00_start_here.ipynb) and [notebook 01](01_kspace.ipynb). Measured:
# {{MINUTES}} minutes on two CPU cores. As it stands this notebook writes *simulated* files of the same
# layout and uses them; every number below is then of simulated heads. **Not for clinical use.**

# %%
import contextlib
import dataclasses
import io
import json
import os
import sys
import tempfile
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import h5py
import torch
from matplotlib.figure import Figure

import dcamsr_lite as dl
from dcamsr_lite import cli, course, metrics, phantom
from dcamsr_lite import kspace as ks
from dcamsr_lite.data import files, hdf5
from dcamsr_lite.data.file_lists import find_pairs, read_pairs_csv
from dcamsr_lite.phantom.subjects import DEMO_SEED

START = globals().get("START", Path.cwd())  # the first folder, also when this cell runs again

# %% [markdown]
# ## Your data
# - **M4Raw**: Zenodo [record 8056074](https://zenodo.org/records/8056074), CC-BY 4.0, 0.3 T brains.
#   Unpack an archive, for example the validation one, and name its folder here.
# - **fastMRI** knees: ask for them at [fastmri.med.nyu.edu](https://fastmri.med.nyu.edu). Handing them
#   on is forbidden. Name a CSV of pairs, rows `reference,target`.
# - **Your own**: two volumes, `.nii.gz`, `.npy`, `.npz`, `.h5`, DICOM folders, or PNG pictures. Arrays
#   are (slice, row, column). Here they have to lie on one grid and on each other; a section below
#   registers those that do not. The default weights, `lite-4x`, have seen heads of 128 to 320
#   pixels a side, 240 mm wide: pixels of 1.9 mm and less (`-footprints`: 128 only).
#
# Names are relative to the folder in which the notebook started. **Restart and run all after changing
# `MY_DATA`.** The pairs of exercise 2, the normalisation, the paper's evaluation, exercises 5 and 6 and
# the ceilings of exercise 7 use it (a ceiling needs a second repetition, named as in M4Raw). All other
# sections, sigma in the head and in the air among them, always use the simulated files.

# %%
MY_DATA = None  # "folder/of/M4Raw", "pairs.csv", or ("t1.nii.gz", "t2.nii.gz")
SCALE = 4

# %%
given = [MY_DATA] if isinstance(MY_DATA, str | Path) else list(MY_DATA or [])
given = [START / name for name in given]
work = tempfile.TemporaryDirectory()
os.chdir(work.name)  # all that is written here goes away with the kernel

# %% [markdown]
# ## Files of M4Raw's layout
# One file per subject, contrast and repetition. The head is simulated, the layout is M4Raw's: names,
# axes, empty columns, header. (Smaller: 128 x 128 and 6 slices instead of 256 x 256 and 18. The command
# line writes them at full size: `dcamsr data simulate --out DIR --subjects N`.)


# %%
def write_subject(seed, repetitions):
    head = phantom.simulate(seed, size=128, slices=6, repetitions=3, contrasts=("T1", "T2"))
    for contrast, count in repetitions.items():
        protocol = {key.lower(): value for key, value in head.protocol[contrast] if value}
        for k in range(count):
            path = Path(f"m4raw/{seed:010d}_{contrast}{k + 1:02d}.h5")
            hdf5.write_m4raw(path, head.kspace[contrast][k], f"AX{contrast}", protocol, "simulated")


# %%
for seed in course.watch(range(DEMO_SEED, DEMO_SEED + course.budget(3, fast=1))):
    write_subject(seed, {"T1": 3, "T2": 2})
for path in sorted(Path("m4raw").iterdir())[:5]:
    print(path.name, f"{path.stat().st_size / 1e6:.1f} MB")

# %% [markdown]
# ## What is in a file

# %%
first = f"m4raw/{DEMO_SEED:010d}_T201.h5"
with h5py.File(first) as file:
    for name in sorted(file):
        print(f"{name:<20}{file[name].dtype!s:<12}{file[name].shape}")
    for name in sorted(file.attrs):
        value = file.attrs[name]
        print(f"attribute {name:<14}{value if isinstance(value, str) else round(value, 3)}")
    header = ElementTree.fromstring(file["ismrmrd_header"][()])

# %%
for name in ("TR", "TE", "flipAngle_deg", "echo_train_length", "matrixSize", "fieldOfView_mm"):
    node = header.find(f".//{{*}}{name}")
    print(f"{name:<20}", node.text or " x ".join(axis.text for axis in node))

# %% [markdown]
# The axes of `kspace` are (slice, coil, readout, phase encode). No name in the file says so: the
# picture does. Lines that were not acquired are zero.

# %%
volume = files.read_volume(first)
k = volume.kspace[3].abs()
figure = course.picture(
    {f"coil {c}": (1 + 1000 * k[c] / k.max()).log() for c in (0, 1)}
    | {"root of the sum of squares": volume.images[3]},
    label="log of magnitude; signal, a.u.",
)
for axes in figure.axes[:2]:
    axes.set(xlabel="phase encode", ylabel="readout")
course.show(
    figure, alt="k-space of two coils, empty columns at both sides; the T2 image of all four."
)

# %% [markdown]
# ## Exercise 1: how much was acquired?
# Which share of the phase-encode columns holds any sample? The noise ceiling below needs it.


# %%
def acquired(kspace):
    """Share of the columns, from k-space (slice, coil, row, column)."""
    ### BEGIN SOLUTION
    return float((kspace.abs().sum((0, 1, 2)) > 0).float().mean())
    ### END SOLUTION


# %%
course.check("realdata.acquired", acquired)

# %%
acquired_ = course.use("realdata.acquired", acquired)
print(f"here {acquired_(volume.kspace):.3f}; M4Raw: 195 of 256 = {195 / 256:.3f}")

# %% [markdown]
# ## Exercise 2: pairs
# The paper pairs repetition k of T1 with repetition k of T2. A simulated subject has three repetitions
# of T1 and two of T2. (That is odd on purpose: M4Raw has three of each.)
#
# **Predict.** How many pairs does that make?

# %%
### BEGIN SOLUTION
count = 2
### END SOLUTION

# %%
course.check("realdata.pairs", count)


# %%
def pairs_of(given):
    """(reference, target, subject) of what MY_DATA names."""
    if len(given) == 2:
        return [(*given, "mine")]
    if given and given[0].suffix == ".csv":
        return read_pairs_csv(given[0])
    with contextlib.redirect_stderr(sys.stdout):  # what has no partner belongs to the answer
        return find_pairs(given[0] if given else "m4raw")


# %%
pairs = pairs_of(given)[: course.budget(12, fast=1)]
for reference, target, subject in pairs:
    print(f"{reference.name} guides {target.name}   subject {subject}")

# %% [markdown]
# **Explain.** Two pairs of one subject are no two independent tests. What has to stay together when
# pairs are split into training and validation? (`data.split_by_subject`)

# %%
course.answer("realdata.together")

# %% [markdown]
# ## fastMRI is wider
# A scanner often samples the readout twice as densely as it needs: the image is then longer than the
# head, and fastMRI's reconstruction keeps the middle, 320 x 320. The crop that makes an image blurred
# must come *after* that cut. Here is our simulated head in such a file (it is not fastMRI data):

# %%
long = ks.fft2c(ks.center_pad(ks.ifft2c(volume.kspace), (192, 128)))
parts = {"kspace": long.numpy(), "patient_id": "simulated"}
hdf5.write_h5(Path("knee.h5"), volume.images.numpy(), "CORPD_FBK", **parts)
course.show(
    {"inverse transform": ks.rss(ks.ifft2c(long))[3], "reconstruction": volume.images[3]},
    alt="The long image with empty air above and below, and the reconstruction cut out of it.",
)

# %% [markdown]
# ## Exercise 3: cut first
# Give the k-space of the coil *images* cut to `shape`. (`ks.fft2c`, `ks.ifft2c`, `ks.center_crop`.)


# %%
def cut(kspace, shape):
    """(slice, coil, row, column) -> the same axes, rows and columns as `shape` says."""
    ### BEGIN SOLUTION
    return ks.fft2c(ks.center_crop(ks.ifft2c(kspace), shape))
    ### END SOLUTION


# %%
course.check("realdata.cut", cut)

# %%
cut_ = course.use("realdata.cut", cut)
knee = files.read_volume("knee.h5")
print("equal to the package's:", torch.allclose(cut_(long, (128, 128)), knee.kspace, atol=1e-5))
print(tuple(long.shape), "->", tuple(knee.kspace.shape), knee.contrast)

# %% [markdown]
# ## Two kinds of low-resolution image
# With k-space in the file, each *coil* is cropped, then combined. From a magnitude image (`.nii.gz`,
# `.npy`) only the *image's* own k-space can be cropped. From the same head:

# %%
t1, t2 = (files.read_volume(f"m4raw/{DEMO_SEED:010d}_{name}01.h5") for name in ("T1", "T2"))
both = {order: dl.load_pair(t1, t2, 4, order=order) for order in ("coils", "image")}
low = {f"order {order}": one.low[3] for order, one in both.items()}
course.show(low, alt="Two images of 32 x 32 pixels, alike but for the air.", shared=True)

# %%
course.show(
    {"coils - image": low["order coils"] - low["order image"]},
    alt="Their difference: negative in the air, of both signs at the rim of the head.",
    kind="signed",
    label="signal, a.u.",
)

# %% [markdown]
# The air differs. Its magnitude is noise, which is never negative: averaged *after* the magnitude, as
# the image's crop does, it leaves a floor. Coils are cropped before, and there noise averages to less.
# The target has the floor, too:

# %%
corner = t2.images[3, :16, :16].mean()
print(f"mean of the air in one corner: target {corner:.4f}")
for name, image in low.items():
    print(f"{name}: {image[:4, :4].mean():.4f}")

# %% [markdown]
# ## Exercise 4: does it matter?
# How the weights were trained decides it: the last stage of their training had simulated heads whose
# *coils* were cropped. (A network does well on the kind of input that it saw last, says the [weights'
# page](../assets/weights/README.md).)
#
# **Predict.** You hand the network magnitude images instead of k-space. Its PSNR at 4x `"falls"`,
# `"rises"`, `"stays"`, or `"cannot be computed"`?

# %%
### BEGIN SOLUTION
order = "falls"
### END SOLUTION

# %%
course.check("realdata.order", order)

# %%
model = dl.load(f"lite-{SCALE}x")
four = model if SCALE == 4 else dl.load("lite-4x")
for name, one in both.items():
    floor, ours = (dl.psnr(t2.images, x) for x in (one.zero_filled, dl.super_resolve(four, one)))
    print(f"{name:<7} zero-fill {floor:.2f} dB   network {ours:.2f} dB")

# %% [markdown]
# Trained last on magnitude images, it could be the other way round.
#
# **Explain.** Zero-fill and the network move in opposite directions. Which of them does the floor
# explain? And a table that does not say which kind it used: what can you conclude from it? (The
# released code crops coils; the paper's text reads like the image.)

# %%
course.answer("realdata.opposite")

# %% [markdown]
# ## Normalisation, and the way back
# The network sees each slice minus the low-resolution image's mean, over its deviation. What comes out
# goes back with the same two numbers, so that the result has the target's own units.

# %%
pair = dl.load_pair(*pairs[0][:2], SCALE)
middle = len(pair.lr) // 2
print(
    f"slice {middle}: mean {pair.mean[middle].item():.4f}, deviation {pair.std[middle].item():.4f}"
)
print("there and back:", torch.allclose(pair.restore(pair.target), pair.target_image, atol=1e-4))
released = dl.load_pair(*pairs[0][:2], SCALE, normalisation="released")
print(f"released normalisation: mean {released.mean[middle].item():.4f}, {SCALE} times as bright")

# %% [markdown]
# ## The paper's evaluation
# Every pair, zero-fill and the network; the convention stands beside the numbers.

# %%
results = {
    "zero-fill": dl.evaluate("zero-fill", pairs, SCALE),
    "network": dl.evaluate(model, pairs),
}
print(results["network"]["convention"])

# %%
print(f"{'target':<20}{'zero-fill: dB':>14}{'SSIM':>7}{'network: dB':>13}{'SSIM':>7}{'NMSE':>8}")
for floor, ours in zip(*(r["per_volume"] for r in results.values()), strict=True):
    name = Path(ours["target"]).name
    left = f"{name:<20}{floor['psnr']:>14.2f}{floor['ssim']:>7.3f}"
    print(f"{left}{ours['psnr']:>13.2f}{ours['ssim']:>7.3f}{ours['nmse']:>8.4f}")
for name, r in results.items():
    print(f"mean of {r['volumes']}: {name:<10} {r['psnr']:.2f} dB   SSIM {r['ssim']:.3f}")

# %%
sr = dl.super_resolve(model, pair)
course.show(
    {
        "reference": pair.reference_image[middle],
        "zero-fill": pair.zero_filled[middle],
        "network": sr[middle],
        "target": pair.target_image[middle],
    },
    alt="A slice: the reference, the blurred zero-fill, the network's result, and the target.",
    shared=True,
)

# %% [markdown]
# ## Exercise 5: another convention
# Many papers average over slices, each with its own peak. Write it.


# %%
def slice_psnr(target, image):
    """Mean over slices of 10 log10(the slice's peak^2 / its mean squared error)."""
    ### BEGIN SOLUTION
    values = []
    for t, i in zip(target, image, strict=True):
        values.append(10 * torch.log10(t.max() ** 2 / (t - i).square().mean()))
    return float(sum(values) / len(values))
    ### END SOLUTION


# %%
course.check("realdata.slice_psnr", slice_psnr)

# %% [markdown]
# ## Exercise 6: leave out the air
# **Predict.** The same two volumes, but only pixels of the head count. PSNR `"falls"`, `"rises"`,
# `"stays"`, or `"depends on the network"`?

# %%
### BEGIN SOLUTION
background = "falls"
### END SOLUTION

# %%
course.check("realdata.background", background)

# %%
slice_psnr_ = course.use("realdata.slice_psnr", slice_psnr)


def conventions(target, image):
    inside = target > 0.1 * target.max()
    robust = target.quantile(0.99)  # of all pixels, in place of the largest one
    wide = (ks.center_pad(x, (2 * x.shape[-2], 2 * x.shape[-1])) for x in (target, image))
    return {
        "volume (the paper's)": dl.psnr(target, image),
        "mean of slices": slice_psnr_(target, image),
        "head only": dl.psnr(target[inside], image[inside]),
        "peak: 99 % quantile": dl.psnr(target, image) + 20 * float((robust / target.max()).log10()),
        "twice the field of view": dl.psnr(*wide),
    }


# %%
images = {"zero-fill": pair.zero_filled, "network": sr}
tables = {name: conventions(pair.target_image, image) for name, image in images.items()}
for name in tables["network"]:
    print(f"{name:<25}" + "".join(f"{m} {tables[m][name]:.2f} dB   " for m in tables))

# %%
figure = Figure(figsize=(6.4, 2.6), layout="constrained")
axes = figure.subplots()
for (name, table), marker in zip(tables.items(), "so", strict=True):
    axes.plot([*table.values()], [*table], marker, label=name)
axes.set(xlabel="PSNR, dB")
axes.invert_yaxis()
axes.legend()
course.show(figure, alt="PSNR of the same two images under five conventions: many dB apart.")

# %% [markdown]
# **Explain.** The images are the same in every row. How large is the gain of the network beside the
# spread of the conventions? Which comparisons between papers does that allow?

# %%
course.answer("realdata.spread")

# %% [markdown]
# ## Exercise 7: the noise ceiling
# The target is one noisy repetition. Its noise cannot be predicted, except for the part inside the
# crop, which the network has seen. With two repetitions:
#
# - sigma = deviation of their difference / sqrt(2),
# - f = share of the acquired samples inside the crop = 1 / scale^2 / acquired,
# - ceiling = 20 log10(max / sigma) - 10 log10(1 - f), max of the first repetition.


# %%
def ceiling(first, second, scale, acquired):
    """PSNR in dB that hardly anything can pass: about. Two repetitions (slice, row, column)."""
    ### BEGIN SOLUTION
    sigma = float((first - second).double().std()) / 2**0.5
    kept = 1 / scale**2 / acquired
    peak = torch.tensor(float(first.max()) / sigma)
    return float(20 * torch.log10(peak) - 10 * torch.log10(torch.tensor(1 - kept)))
    ### END SOLUTION


# %%
course.check("realdata.ceiling", ceiling)


# %%
def repetitions_of(target):
    """A target file and its neighbour; None where there is no second repetition."""
    match = hdf5.M4RAW_NAME.fullmatch(Path(target).stem)
    names = [f"{match[1]}_{match[2]}{k:02d}.h5" for k in (1, 2)] if match else []
    paths = [Path(target).parent / name for name in names]
    return [files.read_volume(p) for p in paths] if paths and all(map(Path.exists, paths)) else None


# %%
ceiling_ = course.use("realdata.ceiling", ceiling)
limits = {}
for _, target, subject in pairs:
    if subject not in limits and (two := repetitions_of(target)):
        share = acquired_(two[0].kspace)
        limits[subject] = ceiling_(two[0].images, two[1].images, SCALE, share)

# %%
for subject, limit in limits.items():
    ours = [
        v["psnr"]
        for v, p in zip(results["network"]["per_volume"], pairs, strict=True)
        if p[2] == subject
    ]
    print(f"subject {subject}: network {sum(ours) / len(ours):.2f} dB, ceiling {limit:.2f} dB")
if not limits:
    print("No second repetition: the ceiling cannot be estimated.")

# %% [markdown]
# The formula takes the noise to be alike everywhere. In a magnitude image it is not: the air's is
# smaller, and the head may move between repetitions. Sigma in the head and in the air:

# %%
two = repetitions_of(first)
inside = two[0].images > 0.2 * two[0].images.max()
for name, where in {"all": inside | ~inside, "head": inside, "air": ~inside}.items():
    sigma = metrics.sigma_from_repetitions(two[0].images[where], two[1].images[where])
    print(f"{name:<5} sigma {100 * sigma / float(two[0].images.max()):.2f} % of the peak")

# %% [markdown]
# **Explain.** How far below the ceiling is the network, and what else than noise fills the gap? Would
# a result *above* the ceiling be good news?

# %%
course.answer("realdata.gap")

# %% [markdown]
# ## The same on the command line
# `dcamsr` does all this without Python. (Here `cli.main` runs it, so that it also works where the
# command is not on the path; in a terminal, type what stands after `$`.)


# %%
def dcamsr(line, shown=True):
    """Run a command; what it prints, errors and warnings included."""
    if shown:
        print(f"$ dcamsr {line}")
    with contextlib.redirect_stderr(sys.stdout):
        status = cli.main(line.split())
    if status:
        print(f"[exit status {status}]")


# %%
head = f"m4raw/{DEMO_SEED:010d}"
dcamsr(f"evaluate --reference {head}_T101.h5 --target {head}_T201.h5 --scale 4 --method zero-fill")

# %% [markdown]
# For programs, `--json`: one object, the same numbers.

# %%
asked = f"evaluate --reference {head}_T101.h5 --target {head}_T201.h5 --scale 4 --json"
printed = io.StringIO()
with contextlib.redirect_stdout(printed):
    cli.main(asked.split())
answer = json.loads(printed.getvalue())
print(f"$ dcamsr {asked}")
print({k: round(answer[k], 3) for k in ("scale", "volumes", "psnr", "ssim", "nmse")})
print("and", [k for k in answer if isinstance(answer[k], str | list)])

# %% [markdown]
# Super-resolve, without a target: the low-resolution image itself, as `.nii.gz`, and the reference.
# The same call works for your own pair.

# %%
files.write_volume("t1.nii.gz", t1.images, like=t1)
files.write_volume("t2_low.nii.gz", both["image"].low, like=both["image"].low_grid)
dcamsr("super-resolve --reference t1.nii.gz --input t2_low.nii.gz --scale 4 --out sr.nii.gz")
back = files.read_volume("sr.nii.gz").images
print(f"{tuple(back.shape)}, {dl.psnr(t2.images, back):.2f} dB")

# %% [markdown]
# ## Another grid, another place
# Two scans of one head seldom lie on each other. Here T1 has moved, and its slices are larger images.
# `--register` (SimpleITK, of the extra `[scans]`) brings it onto the grid and the place of T2, found by
# what is seen of T2, the blurred image. Always look at it: `dcamsr figure` draws both.

# %%
away = ks.center_pad(t1.images.roll((2, 3), (1, 2)), (144, 144))
wide = dataclasses.replace(t1, images=away, field_of_view=(270.0, 270.0), kspace=None)
files.write_volume("t1_moved.nii.gz", away, like=wide)
files.write_volume("t2.nii.gz", t2.images, like=t2)
asked = "--reference t1_moved.nii.gz --target t2.nii.gz --scale 4"
dcamsr(f"evaluate {asked}")

# %%
dcamsr(f"evaluate {asked} --register")
dcamsr(f"figure {asked} --register --out place.png")

# %% [markdown]
# What is that number to be compared with? These files hold magnitude images: its neighbour is the row
# `image` of exercise 4, and that of `sr.nii.gz`, not the row `coils`. Beside that neighbour hardly
# anything is lost: registration has brought the reference back.
#
# And why half a row less than the two by which T1 was moved? This head's own T1 and T2 lie half a
# pixel apart to begin with: [notebook 08](08_when_it_fails.ipynb) meets it twice.

# %%
try:
    with contextlib.redirect_stderr(io.StringIO()):
        placed = dl.load_pair("t1_moved.nii.gz", "t2.nii.gz", 4, register=True)
    words = "Before: edges of T1 beside those of T2. After: on them; fewer outlines are left."
    course.show(dl.draw_overlays(placed), alt=words, dpi=60)
except dl.InputError as missing:
    print(missing)

# %% [markdown]
# ## Far from the training
# Without `--register` nothing is resampled: an image keeps its matrix. The weights say at which sizes
# they were trained. Elsewhere they run all the same: the command line warns, the Python functions do
# not. (The number below has less air in it than those above.)

# %%
files.write_volume("t1_small.npy", t1.images[..., 16:112, 24:104])
files.write_volume("t2_small.npy", t2.images[..., 16:112, 24:104])
dcamsr("evaluate --reference t1_small.npy --target t2_small.npy --scale 4")

# %% [markdown]
# ## Files that are wrong
# Every bad input is one line: which file, what was found, what was expected. A download that broke off,
# a pair that is none, and undersampled data:

# %%
Path("broken.h5").write_bytes(Path(first).read_bytes()[:100_000])
dcamsr(f"evaluate --reference {head}_T101.h5 --target broken.h5 --scale 4")
dcamsr(f"evaluate --reference {head}_T101.h5 --target t2_small.npy --scale 4")

# %%
hdf5.write_h5(
    Path("test.h5"), volume.images.numpy(), "AXT2", mask=long[0, 0, 0].abs().numpy(), **parts
)
dcamsr(f"evaluate --reference {head}_T101.h5 --target test.h5 --scale 4")

# %% [markdown]
# **Explain.** Which of the three could have given a wrong number, had nobody looked?

# %%
course.answer("realdata.silent_error")

# %% [markdown]
# ## A list of pairs
# fastMRI's pairs come as a CSV; set `MY_DATA` to it. Names are relative to the CSV.

# %%
Path("pairs.csv").write_text(f"reference,target\n{head}_T101.h5,{head}_T202.h5\nknee.h5,knee.h5\n")
for reference, target, subject in read_pairs_csv("pairs.csv"):
    print(f"{reference.name} guides {target.name}   subject {subject}")

# %% [markdown]
# ## Recap
# - Files say what they hold, and what they do not say has to be measured: acquired columns,
#   padding, repetitions.
# - The order of cropping and combining changes the input, and so the result.
# - A PSNR has a convention, and a ceiling that the target's noise sets.
#
# ## Bonus, open-ended
# Take two papers with M4Raw results and find out from their text alone whether their numbers can
# be compared. List what you had to guess.
#
# How far you are, over all ten notebooks (save this one first):

# %% tags=["varies"]
course.progress()

# %% tags=["varies"]
course.report()

# %% [markdown]
# ## References
# - Lyu et al., *M4Raw: A multi-contrast, multi-repetition, multi-channel MRI k-space dataset for
#   low-field MRI research*, Scientific Data 10, 264, 2023 (CC-BY 4.0).
# - Zbontar et al., *fastMRI: An Open Dataset and Benchmarks for Accelerated MRI*, arXiv 1811.08839.
# - Huang et al., *Accurate Multi-contrast MRI Super-Resolution via a Dual Cross-Attention Transformer
#   Network*, MICCAI 2023: section 3.
# - Gudbjartsson and Patz, *The Rician distribution of noisy MRI data*, Magn Reson Med 34, 1995.
# - Anatomy: Colin27, McGill University; see the [licence and origin](../assets/brain/README.md).
#
# **Not for clinical use.**
