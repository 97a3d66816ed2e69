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
# # 08 When it fails: the reference moves, lies, or is silent
#
# You will be able to
# - measure what misalignment, noise and a wrong reference cost, beside the floor and by k-space band,
# - measure a lesion that only one contrast shows: weakened, or invented,
# - say what a reader can see of a failure without the truth, and what not.
#
# You need: [notebook 00](00_start_here.ipynb) and [notebook 01](01_kspace.ipynb). Measured:
# {{MINUTES}} minutes on two CPU cores. Real anatomy, simulated contrasts, painted lesions.
# **Not for clinical use.**

# %%
import contextlib
import io

import torch
from IPython.display import display
from matplotlib.figure import Figure

import dcamsr_lite as dl
from dcamsr_lite import course, kspace
from dcamsr_lite.interpret.floors import measure_floors

# %% [markdown]
# ## The floors
# One slice, the network as it was trained, and what needs no reference. *Zero-fill* is what was
# measured and nothing else: a network that falls below it has done harm. The fairer floor is higher:
# a network of the same kind that was *trained* without a reference, `lite-4x-no-reference`. Below it,
# the reference costs more than it brings.
#
# The network under test is `lite-4x-footprints`: like the paper's and the released one it takes the
# reference to lie in place. `lite-4x` of notebook 00 looks for the place first; it comes in where the
# reference is put back.

# %%
t1, t2 = dl.simulated_volumes(dl.DEMO_SEED, slices=6)
pair = dl.load_pair(t1, t2, scale=4)
model = dl.load("lite-4x-footprints")
slice_ = 3

# %%
base = dl.run_intervention(model, pair, slice_)
target, filled = base.target, base.low
course.show(
    {"reference, T1": base.reference, "zero-fill": filled, "network": base.output},
    alt="A slice: sharp T1, blurred zero-filled T2, and the network's sharp T2.",
    dpi=60,
)

# %% [markdown]
# ## Exercise 1: error by band
# Where in k-space is the error? *Measured*: inside the crop that the input kept. *Removed*: outside.
# Both as shares of the target's energy, the sum of its squares. `kspace.fft2c` and
# `kspace.crop_kspace` are there to be used.


# %%
def bands(target, image, scale):
    """Images (slice, row, column) -> (measured, removed)."""
    ### BEGIN SOLUTION
    error = kspace.fft2c(target - image).abs().square()
    measured = kspace.crop_kspace(error, scale).sum()
    energy = target.square().sum()
    return float(measured / energy), float((error.sum() - measured) / energy)
    ### END SOLUTION


# %%
course.check("failures.bands", bands)

# %%
bands_ = course.use("failures.bands", bands)
floors_ = measure_floors(pair, slice_)
floor = floors_["zero-fill"]
for name, psnr in floors_.items():
    print(f"{name:<21} {psnr:.2f} dB")


def line(name, image):
    above = dl.psnr(target, image) - floor
    measured, removed = bands_(target[None], image[None], 4)
    print(
        f"{name:<22} {above:6.2f} dB over zero-fill   measured {measured:.3f} removed {removed:.3f}"
    )


# %%
line("zero-fill, the floor", filled)
line("network", base.output)

# %% [markdown]
# ## Exercise 2: misalignment
# A patient moves between the two scans. Here the reference moves, to the right.
#
# **Predict.** At which shift, in pixels, does the network fall below *zero-fill*, the low floor:
# `"less than 1"`, `"1 to 2"`, `"more than 2"` or `"never"`? And below the network that was trained
# without a reference: sooner or later?

# %%
### BEGIN SOLUTION
shift = "1 to 2"
### END SOLUTION

# %%
course.check("failures.shift", shift)

# %%
shifts = [0.5 * i for i in range(7)]
ways = {"right": (0, 1), "left": (0, -1), "down": (1, 0), "up": (-1, 0)}


def moved(way, pixels):
    wanted = dl.Intervention(shift=tuple(pixels * step for step in ways[way]))
    return dl.run_intervention(model, pair, slice_, wanted, base=base)


curves = {way: [moved(way, pixels) for pixels in shifts] for way in ways}


# %%
def against(axes, x, results, **style):
    axes[0].plot(x, [r.psnr for r in results], "o-", markersize=3, **style)
    for band, mark in (("removed", "o-"), ("measured", "s--")):
        axes[1].plot(x, [r.bands[band] for r in results], mark, markersize=3, label=band)


def floors(axes):
    at = axes[0].get_yaxis_transform()
    for (name, psnr), style in zip(floors_.items(), (":", "-."), strict=False):
        axes[0].axhline(psnr, color="grey", linestyle=style)
        side = "bottom" if name == "zero-fill" else "top"
        axes[0].text(0.02, psnr, name, fontsize=8, color="0.3", va=side, transform=at)
    for band in bands_(target[None], filled[None], 4):
        axes[1].axhline(band, color="grey", linestyle=":")
    axes[0].set(ylabel="PSNR, dB")
    axes[1].set(ylabel="share of the energy")
    axes[0].legend(fontsize=8)
    axes[1].legend(fontsize=8)


# %%
figure = Figure(figsize=(7.2, 2.8), layout="constrained")
axes = figure.subplots(1, 2)
against(axes, shifts, curves["right"], label="right", color="black")
for way, style in (("left", "--"), ("down", "-."), ("up", ":")):
    axes[0].plot(shifts, [r.psnr for r in curves[way]], style, label=way)
floors(axes)
for panel in axes:
    panel.set(xlabel="shift of the reference, pixels")
course.show(
    figure,
    alt="PSNR falls with the shift in all four directions: below the network without a reference after"
    " half a pixel to a bit over one, below zero-fill between one and three. Error by band, to the"
    " right: nearly all of the growth is in the removed band.",
)

# %% [markdown]
# **Explain.** Which band grows most? In one direction the curve rises first: perhaps the contrasts of
# this simulated head are misaligned by less than a pixel to begin with. How could the same curves of
# another head tell?

# %%
course.answer("failures.grows")

# %%
two = curves["right"][4]
course.show(
    {
        "zero-fill": (filled - target).abs(),
        "shift 0": (base.output - target).abs(),
        "shift 2 px": (two.output - target).abs(),
    },
    alt="Absolute errors: broad for zero-fill, small without shift, thin double edges with it.",
    kind="magnitude",
    label="|error|, a.u.",
    limit=0.3,
    dpi=48,
)

# %% [markdown]
# ## Exercise 3: the tolerance
# The curve has points every half pixel. Where does it *first* fall to the floor? Interpolate between
# the two points beside the crossing. A curve that stays above the floor has its tolerance beyond the
# last shift that was tried, nobody knows where: return infinity, `float("inf")`.


# %%
def tolerance(shifts, psnr, floor):
    """Tensors (n), shifts rising from 0 -> the shift in pixels; inf if psnr stays above the floor."""
    ### BEGIN SOLUTION
    below = (psnr < floor).nonzero()
    if not len(below):
        return float("inf")
    i = int(below[0])
    share = (psnr[i - 1] - floor) / (psnr[i - 1] - psnr[i])
    return float(shifts[i - 1] + share * (shifts[i] - shifts[i - 1]))
    ### END SOLUTION


# %%
course.check("failures.tolerance", tolerance)

# %%
tolerance_ = course.use("failures.tolerance", tolerance)
pixel = pair.field_of_view[0] / pair.shape[0]
for name, level in floors_.items():
    for way, results in curves.items():
        pixels = tolerance_(torch.tensor(shifts), torch.tensor([r.psnr for r in results]), level)
        found = f"falls to {name} at {pixels:.1f} pixels = {pixels * pixel:.1f} mm"
        print(f"{way:<6}", found if pixels < 1e9 else f"above {name} up to {max(shifts)} pixels")

# %% [markdown]
# (With `dl.load("lite-4x")` as `model` above, a line may say "above ... up to". That is a tolerance
# beyond the shifts that were tried, and no proof that there is none.)
#
# Now the head turns. A pixel moves the more, the further it is from the centre:

# %%
angles = [0, 1, 2, 3, 4, 6]
turned = [
    dl.run_intervention(model, pair, slice_, dl.Intervention(rotate=a), base=base) for a in angles
]
for angle in (1, 3, 6):
    print(
        f"{angle} degrees move a pixel 40 px from the centre by {40 * angle * torch.pi / 180:.1f} px"
    )

# %%
figure = Figure(figsize=(7.2, 2.6), layout="constrained")
axes = figure.subplots(1, 2)
against(axes, angles, turned, label="turned", color="black")
floors(axes)
for panel in axes:
    panel.set(xlabel="turn of the reference, degrees")
course.show(
    figure,
    alt="PSNR falls with the angle: below the network without a reference at two degrees, then towards"
    " zero-fill; the error of the removed band grows.",
)

# %%
at_three = turned[angles.index(3)]
course.show(
    {
        "turned by 3 degrees": (at_three.output - target).abs(),
        "2 px to the right": (two.output - target).abs(),
    },
    alt="Absolute errors: a turn's are small in the middle and grow outwards; a shift's lie at the"
    " upright edges everywhere.",
    kind="magnitude",
    label="|error|, a.u.",
    limit=0.3,
    dpi=48,
)

# %% [markdown]
# **Explain.** A turn of three degrees and a shift of as many pixels as it moves the skull: which
# costs more, and where in the image?

# %%
course.answer("failures.turn")

# %% [markdown]
# ## Put it back
# What has moved can be moved back before the network sees it. `register=True` looks for the turn and
# the shift at which T1 and the *blurred* T2 foretell each other best; the truth does not lead. (It
# needs SimpleITK, which is not on Colab or Binder: there the next cell says how to get it.)

# %%
away = t1.images.roll((2, 3), (1, 2))  # rows down, columns to the right
fails = dl.load_pair(away, t2, scale=4)
line("2 and 3 pixels off", dl.super_resolve(model, fails)[slice_])

# %%
try:
    with contextlib.redirect_stderr(io.StringIO()):  # the line is printed below
        works = dl.load_pair(away, t2, scale=4, register=True)
except dl.InputError as missing:
    works = print(missing)
if works:
    print(works.registration)
    line("registered", dl.super_resolve(model, works)[slice_])

# %%
if works:
    course.show(
        dl.draw_overlays(works, slice_),
        alt="Before: edges of T1 lie beside those of T2, outlines are left over. After: on each other.",
        dpi=64,
    )

# %% [markdown]
# It says half a row less than the two by which T1 was moved. That is this head: without any move it
# finds T1 half a pixel too far up (three other heads: a tenth), which is why the curve "down" of
# exercise 2 rises at first.
#
# Contrasts cannot be subtracted. The last column foretells T2 from the grey value of T1 alone: an
# outline is left where the two do not lie on each other, and what only T2 shows is left in any case.
#
# Or the network looks for the reference itself: `lite-4x` was trained on displaced ones, and its
# spatial attention finds a shift and a turn within the slice ([04](04_attention_microscope.ipynb)).

# %%
finder = dl.load("lite-4x")
line("2 and 3 off, lite-4x", dl.super_resolve(finder, fails)[slice_])

# %% [markdown]
# ## Exercise 4: a noisy reference
# Noise enters both parts of a complex image, with deviation sigma each; what we see is the magnitude.
# `real` and `imaginary` are standard normal.
#
# **Predict.** Call the 99.5 % quantile of an image its *white*. Which is worse: a reference with
# noise of a tenth of its white, or one that is one pixel off?


# %%
def noisy(image, real, imaginary, sigma):
    """Four of them: three tensors (row, column), one number -> the magnitude."""
    ### BEGIN SOLUTION
    return ((image + sigma * real).square() + (sigma * imaginary).square()).sqrt()
    ### END SOLUTION


# %%
course.check("failures.noisy", noisy)

# %%
noisy_ = course.use("failures.noisy", noisy)
torch.manual_seed(0)
parts = torch.randn(2, *t1.images.shape)
white = float(pair.reference_image[slice_].quantile(0.995))
levels = [0, 0.02, 0.05, 0.1, 0.2, 0.4]

# %%
references = [noisy_(t1.images, *parts, level * white) for level in levels]
noised = [
    dl.run_intervention(model, dl.load_pair(reference, t2, scale=4), slice_)
    for reference in references
]
figure = Figure(figsize=(7.2, 2.6), layout="constrained")
axes = figure.subplots(1, 2)
against(axes, levels, noised, label="noise", color="black")
floors(axes)
for panel in axes:
    panel.set(xlabel="noise in the reference, share of white")
course.show(
    figure,
    alt="As noise in T1 grows, PSNR falls steeply, to that of the network without a reference at about"
    " a tenth of white, and then flattens above zero-fill.",
)

# %%
course.show(
    {f"noise {levels[i]}": noised[i].output for i in (0, 3, 5)},
    alt="Outputs: sharp; with some noise grainy; with much noise blurred, much like zero-fill.",
)

# %%
one_pixel = dict(zip(shifts, curves["right"], strict=True))[1.0]
print(f"noise 0.1: {noised[3].psnr - floor:.2f} dB over zero-fill")
print(f"one pixel to the right: {one_pixel.psnr - floor:.2f} dB over zero-fill")

# %% [markdown]
# ## Exercise 5: the wrong reference
# **Predict.** `"blank"`: nothing at all. `"other"`: the T1 of another head. `"target"`: the sharp T2
# itself, the answer. Order the three, the worst first. (The next cells also run `"own"`, the right
# T1, and `"noise"`, the magnitude of noise without any head.)

# %%
### BEGIN SOLUTION
wrong = ["other", "blank", "target"]
### END SOLUTION

# %%
course.check("failures.wrong", wrong)

# %%
tried = {
    name: dl.run_intervention(model, pair, slice_, dl.Intervention(name), base=base)
    for name in ("own", "target", "noise", "blank", "other")
}
for name, result in tried.items():
    line(name, result.output)

# %%
course.show(
    {f"reference: {name}": tried[name].output for name in ("target", "blank", "other")},
    alt="Outputs: with the target as reference sharp; blank: blurred; of another head: with its edges.",
)

# %% [markdown]
# **Explain.** The network is handed the answer. Is it better than with the T1? Compare the two bands.
# What has it learned: to copy its reference, or to translate from T1 to T2?

# %%
course.answer("failures.answer")

# %% [markdown]
# ## Exercise 6: the contrast of a lesion
# PSNR counts all pixels alike; a lesion is a few of them. So measure it: the mean in its disc minus
# the mean on a ring around it. Masks are booleans.


# %%
def contrast(image, disc, ring):
    """Three tensors (row, column) -> a number."""
    ### BEGIN SOLUTION
    return float(image[disc].mean() - image[ring].mean())
    ### END SOLUTION


# %%
course.check("failures.contrast", contrast)

# %%
contrast_ = course.use("failures.contrast", contrast)


def masks(place, radius):
    rows, columns = (torch.arange(128) - at for at in place)
    distance = (rows[:, None].square() + columns.square()).sqrt()
    return distance <= radius, (distance > radius + 2) & (distance <= radius + 5)


# %% [markdown]
# ## Exercise 7: a lesion that T1 does not show
# A bright disc in T2 (simulated: in the target, and so, blurred, in the input). The T1 shows healthy
# tissue there. Its radius is two pixels.
#
# **Predict.** In the network's output, compared with *zero-fill*, its contrast is `"not at all"`
# there, `"weaker"`, `"as strong"` or `"stronger"`?

# %%
### BEGIN SOLUTION
t2_only = "weaker"
### END SOLUTION

# %%
course.check("failures.t2_only", t2_only)

# %% [markdown]
# Every image is compared with itself without the lesion, so that only the lesion is left. Four places
# in white matter, several radii. As a control, the same lesion with a dark disc in T1 as well.

# %%
places = [(50, 48), (50, 80), (85, 45), (85, 80)][: course.budget(4, fast=1)]
radii = [1, 1.5, 2, 3, 4][:: course.budget(1, fast=2)]


def paint(place, radius):
    bright = dl.Lesion("target", *place, radius=radius, strength=0.4)
    dark = dl.Lesion("reference", *place, radius=radius, strength=-0.25)
    shown_in = {"T2 only": (bright,), "T1 only": (dark,), "T1 and T2": (bright, dark)}
    return {
        name: dl.run_intervention(model, pair, slice_, dl.Intervention(lesions=lesions), base=base)
        for name, lesions in shown_in.items()
    }


cases = [(place, radius) for place in places for radius in radii]
painted = {case: paint(*case) for case in course.watch(cases)}


# %%
def shares(place, radius):
    """Contrast of the lesion in each image, as a share of the true one in T2."""
    results, where = painted[place, radius], masks(place, radius)
    truth = contrast_(results["T2 only"].target - target, *where)
    seen = {name: contrast_(r.output - base.output, *where) for name, r in results.items()}
    seen["zero-fill"] = contrast_(results["T2 only"].low - filled, *where)
    return {name: found / truth for name, found in seen.items()}


measured = {radius: [shares(place, radius) for place in places] for radius in radii}


def mean_of(name):
    return [sum(one[name] for one in measured[radius]) / len(places) for radius in radii]


# %%
figure = Figure(figsize=(5, 3), layout="constrained")
axes = figure.subplots()
for name, style in (("T1 and T2", "^-"), ("zero-fill", "s:"), ("T2 only", "o-")):
    label = name if name == "zero-fill" else f"network, {name}"
    axes.plot(radii, mean_of(name), style, markersize=4, label=label)
axes.axhline(1, color="grey", linewidth=0.8)
axes.set(xlabel="radius, pixels", ylabel="contrast, share of the true one", ylim=(0, 1.1))
axes.legend(fontsize=8)
course.show(
    figure,
    alt="Contrast over radius: the network keeps a lesion that T1 shows too; one that only T2 shows"
    " it makes weaker than zero-fill does, the more so the smaller it is.",
)

# %%
for radius, *found in zip(radii, *map(mean_of, ("zero-fill", "T2 only", "T1 and T2")), strict=True):
    print("radius {}: zero-fill {:.2f}, T2 only {:.2f}, T1 and T2 {:.2f}".format(radius, *found))

# %% [markdown]
# **Explain.** PSNR says that the network is far better than zero-fill. For this lesion it is worse.
# Why does the mean over an image hide that?

# %%
course.answer("failures.hidden")

# %% [markdown]
# ## Exercise 8: a lesion that only T1 shows
# Now a dark disc in the reference alone, radius four pixels. The T2 is healthy, and so is the input.
#
# **Predict.** Averaged over the whole disc, does the network's T2 change much? And inside of it: does
# it show `"nothing"`, `"a bright disc"`, `"a dark disc"`, `"a bright core, a dark rim"`, or `"a dark
# core, a bright rim"`?

# %%
### BEGIN SOLUTION
t1_only = "a dark core, a bright rim"
### END SOLUTION

# %%
course.check("failures.t1_only", t1_only)

# %%
place, radius = places[0], radii[-1]
around = tuple(slice(at - 16, at + 16) for at in place)
results = painted[place, radius]
changes = {
    "truth, T2 only": results["T2 only"].target - target,
    "output, T2 only": results["T2 only"].output - base.output,
    "output, T1 only": results["T1 only"].output - base.output,
}

# %%
course.show(
    {name: change[around] for name, change in changes.items()},
    alt="What a lesion changes, 32 x 32 pixels around it: a disc in truth; a softer disc in the output;"
    " and of the lesion in T1 only, a ring in the output.",
    kind="signed",
    label="change of T2, a.u.",
    shared=True,
)

# %%
height = 0.4 * float(target.quantile(0.995))  # of the lesion in T2, as it was painted


def largest(place, radius):
    invented = painted[place, radius]["T1 only"].output - base.output
    return float(invented[masks(place, radius + 1)[0]].abs().max()) / height


for radius, mean in zip(radii, mean_of("T1 only"), strict=True):
    edge = sum(largest(place, radius) for place in places) / len(places)
    print(f"radius {radius}: mean {mean:5.2f}, largest change {edge:.2f} of a real lesion's")

# %% [markdown]
# A mean over the disc hides what lies in it. So apart, at each of the places: the *core*, up to a
# pixel and a half from the edge, and the *rim*, from half a pixel inside of the edge to one and a
# half outside.


# %%
def core_and_rim(place, radius):
    """Mean change of T2 in both, as a share of a real lesion's."""
    change = (painted[place, radius]["T1 only"].output - base.output) / height
    rows, columns = (torch.arange(128) - at for at in place)
    distance = (rows[:, None].square() + columns.square()).sqrt()
    rim = (distance > radius - 0.5) & (distance <= radius + 1.5)
    return float(change[distance <= radius - 1.5].mean()), float(change[rim].mean())


for radius in [radius for radius in radii if radius >= 2]:
    found = [core_and_rim(place, radius) for place in places]
    words = "  ".join(f"{core:+.2f}/{rim:+.2f}" for core, rim in found)
    print(f"radius {radius}: core/rim at each place {words}")

# %% [markdown]
# Nothing of this is in T2. The smallest disc, of radius 1, is *bright* in the mean: hardly anything of
# it was measured, so that nothing held its mean. The larger ones keep theirs. And not an outline alone:
# in most places the core is dark, and a bright rim makes up for it, so that the mean over the disc,
# which was measured, stays. **Explain.** Which band holds the mean of a large disc, and which its core
# and rim? What does that say about the smallest discs?

# %%
course.answer("failures.core_rim")

# %% [markdown]
# ## Exercise 9: a test without the truth
# A reader has no target. But an output can be degraded again and compared with the measured input:
# squared error over the input's energy. `kspace.degrade(output, scale)` makes the low-resolution
# image.


# %%
def disagreement(output, low, scale):
    """Images (slice, row, column) and (slice, row / scale, column / scale) -> a number."""
    ### BEGIN SOLUTION
    error = kspace.degrade(output, scale) - low
    return float(error.square().sum() / low.square().sum())
    ### END SOLUTION


# %%
course.check("failures.disagreement", disagreement)

# %% [markdown]
# ## Exercise 10: what it does not find
# **Predict.** The reference fails in four ways: `"another head"`, `"blank"`, `"shift"` (three
# pixels), `"T1 lesion"` (radius four). Which of them leaves the disagreement as it is with the own
# reference?

# %%
### BEGIN SOLUTION
silent = "T1 lesion"
### END SOLUTION

# %%
course.check("failures.silent", silent)

# %%
disagreement_ = course.use("failures.disagreement", disagreement)
images = {
    "the truth itself": target,
    "zero-fill": filled,
    "own reference": base.output,
    "another head": tried["other"].output,
    "blank": tried["blank"].output,
    "shift": curves["right"][-1].output,
    "T1 lesion": painted[places[0], radii[-1]]["T1 only"].output,
}

# %%
low = pair.low[[slice_]]
for name, image in images.items():
    above = dl.psnr(target, image) - floor
    found = disagreement_(image[None], low, 4)
    print(f"{name:<17} disagreement {found:.4f}   {above:6.2f} dB over zero-fill")

# %%
truth_by_coil = kspace.degrade(pair.target_kspace[[slice_]], 4)
print("the truth, degraded coil by coil, is the input:", torch.allclose(truth_by_coil, low))
combined_first = kspace.degrade(pair.target_kspace[[slice_]], 4, order="image")
found = disagreement_(target[None], combined_first, 4)
print(f"disagreement of the truth with an input that was combined first: {found:.4f}")

# %% [markdown]
# The blurred image agrees best. The truth itself does not agree well: the input was cropped coil by
# coil and then combined, the image the other way round. That alone leaves a difference, so the row of
# the truth is not zero; with an input that was combined first it is. So agreement is no proof, and a
# little disagreement no error. And the invented core and rim raise no alarm: they lie in the band
# that nobody measured.
#
# ## When to trust
# What the cells above support, for this network and this slice, and a reader or an instructor can
# say:
# - Registration comes first, and a look at it. Beyond the tolerance of exercise 3 the reference does
#   harm; beyond the smaller one, against a network without a reference, it is not worth having.
# - A noisy reference of the right head brings less, with noise of a tenth of its white about as much
#   as none; a clean one of the wrong head does more harm than a blank one.
# - A lesion that only the target shows is weaker than in zero-fill; one that only the reference shows
#   can be invented, core and rim. So never show the output alone: zero-fill and the reference belong
#   beside it.
# - A number over the whole image, such as PSNR or the disagreement, shows neither the weakened lesion
#   nor the invented one.
#
# **Explain.** Which of these would you expect of any network with a reference, and which of this one
# only? How would you find out?

# %%
course.answer("failures.any_network")

# %% [markdown]
# The lab, for your own: paint, shift, swap. Start with your prediction.

# %%
lab = dl.intervention_lab(model, pair, slice=slice_)
lab.run(dl.Intervention(lesions=(dl.Lesion("reference", *places[0], radius=4, strength=-0.25),)))
display(lab)

# %% [markdown]
# ## Recap
# - A shift of one to two and a half pixels, by its direction, undoes the gain over zero-fill; against
#   a network without a reference, about half of that does.
# - What T1 does not show is weakened, what only T1 shows can be invented, core and rim.
# - Agreement with the input finds neither.
#
# ## Bonus, open-ended
# Design a display for a reader that would have shown the invented lesion, without the truth:
# which images side by side, which map, which number? Try it on one that is there and one that is
# not.
#
# How far you are, over all ten notebooks (save this one first):

# %% tags=["varies"]
course.progress()

# %% tags=["varies"]
course.report()

# %% [markdown]
# ## References
# - Huang et al., *Accurate Multi-contrast MRI Super-Resolution via a Dual Cross-Attention Transformer
#   Network*, MICCAI 2023.
# - Antun et al., *On instabilities of deep learning in image reconstruction and the potential costs
#   of AI*, PNAS 117, 2020.
# - Bhadra et al., *On hallucinations in tomographic image reconstruction*, IEEE Trans Med Imaging 40,
#   2021.
# - Gudbjartsson, Patz, *The Rician distribution of noisy MRI data*, Magn Reson Med 34, 1995.
# - Anatomy: Colin27, McGill University; see the [licence and origin](../assets/brain/README.md).
#
# **Not for clinical use.**
