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
# # Start here: a blurred T2, a sharp T1, and where attention looks
#
# You will be able to
# - super-resolve a slice with another contrast as its guide, and score it,
# - read an error map and say what was measured and what was removed,
# - use the explorer: ask one pixel where both attention branches look.
#
# You need: Python, and an idea of what an MR image is. Measured: {{MINUTES}} minutes on two CPU cores.
# Real anatomy, simulated contrasts. **Not for clinical use.**
#
# How the exercises work: predict first, fill in the cell in which `...` or `NotImplementedError`
# stands, run it and the check below it. A check that fails says which mistake it looks like. Nothing
# stops when you skip one. Above each check a cell `course.hint(...)` says how hard the exercise is; run
# that cell again for a nudge, again for the idea, again for the code. `course.answer(...)` after an
# "Explain" has a model answer when you run it a second time, and says what a full answer holds.

# %%
import torch
from IPython.display import display

import dcamsr_lite as dl
from dcamsr_lite import course
from dcamsr_lite.evaluation import METHODS
from dcamsr_lite.widgets.tours import FINDING, misplace

# %% [markdown]
# ## One head, two contrasts
# T1 is the reference, sharp. T2 is what we want sharp; its low-resolution image keeps the centre of
# k-space only: 1/16 of it at 4x. The network has not seen this head; all simulated heads, though, are
# random warps of one person's anatomy, each with contrasts, lesions and noise of its own.

# %%
pair = dl.simulated_pair(dl.DEMO_SEED, scale=4)
slice_ = 9

# %%
course.show(
    {
        "reference, T1": pair.reference_image[slice_],
        "low resolution, T2": pair.low[slice_],
        "target, T2": pair.target_image[slice_],
    },
    alt="A slice of a head: sharp T1, blurred T2 of 32 x 32 pixels, and the sharp T2 behind it.",
)

# %% [markdown]
# ## One picture first
# Three ways back from the small image, beside the target. Drag the line over the image, choose what
# lies on either side of it, and point at a place to magnify it. (On a page without a kernel this is
# a picture.)

# %%
model = dl.load("lite-4x")
sharp = dl.super_resolve(model, pair)
ways = {name: METHODS[name](pair) for name in ("zero-fill", "bicubic")}
ways |= {"DCAMSR": sharp, "target": pair.target_image}

# %%
dl.compare_images({name: volume[slice_] for name, volume in ways.items()}, point=(58, 70))

# %% [markdown]
# How the network goes about it: one encoder turns both images into features, at three sizes; at each
# of them a *transformer* looks for texture of the T1 image that suits the T2 image: that is where the
# reference comes in, by two attentions.

# %%
course.show_part("network", "transformers")

# %% [markdown]
# ## Exercise 1: three ways back
# *Zero-fill* pads the cropped k-space with zeros. *Bicubic* interpolates the low-resolution magnitude
# image. *DCAMSR*, the network, also sees the T1 image.
#
# Three scores compare an image with its target: PSNR, peak signal-to-noise ratio, in dB, more is
# better (exercise 2 is its formula); SSIM, structural similarity, 1 is identical; NMSE, normalised mean
# squared error, the squared error as a share of the squared target, 0 is identical.
#
# **Predict.** Which structures of the target can the T1 image tell, and which can it not? Then order
# `"zero-fill"`, `"bicubic"`, `"dcamsr"` by PSNR, worst to best.

# %%
### BEGIN SOLUTION
ranking = ["bicubic", "zero-fill", "dcamsr"]
### END SOLUTION

# %%
course.check("start.ranking", ranking)

# %%
results = {
    "zero-fill": dl.evaluate("zero-fill", pair),
    "bicubic": dl.evaluate("bicubic", pair),
    "dcamsr": dl.evaluate(model, pair),
}
for method, result in results.items():
    print(f"{method:<10} {result['psnr']:.2f} dB   SSIM {result['ssim']:.3f}")
print(result["convention"])

# %% [markdown]
# **Explain.** Zero-fill invents nothing. Why does it beat interpolation?

# %%
course.answer("start.floor")

# %% [markdown]
# ## Exercise 2: the number
# PSNR is the peak of the *target*, squared, over the mean squared error, in decibels (10 log10).


# %%
def psnr(target, image):
    """PSNR in dB of two torch tensors, (slice, row, column); torch.log10."""
    ### BEGIN SOLUTION
    error = (target - image).square().mean()
    return float(10 * torch.log10(target.max() ** 2 / error))
    ### END SOLUTION


# %%
course.check("start.psnr", psnr)

# %%
psnr_ = course.use("start.psnr", psnr)
print(f"zero-fill {psnr_(pair.target_image, pair.zero_filled):.2f} dB")
print(f"DCAMSR    {psnr_(pair.target_image, sharp):.2f} dB")

# %% [markdown]
# Ten decibels are a tenth of the squared error, one decibel about a fifth less of it. With the peak of
# one slice instead of the volume's the same images get other numbers: compare only numbers whose
# convention you know.
#
# ## Exercise 3: the error map
# The same scale for both: what is still wrong, and where.

# %%
target = pair.target_image[slice_]
floor, ours = ((image[slice_] - target).abs() for image in (pair.zero_filled, sharp))
course.show(
    {"|error| of zero-fill": floor, "|error| of DCAMSR": ours},
    alt="Absolute errors on one scale: zero-fill errs at every edge, the network at few.",
    kind="magnitude",
    label="signal, a.u.",
    limit=float(floor.quantile(0.99)),
)

# %% [markdown]
# **Predict.** Split the error of *zero-fill* in two: inside the part of k-space that the input kept
# (`"measured"`), and outside (`"removed"`). Which is larger: `"measured"`, `"removed"`,
# `"both alike"` or, if there is no error at all, `"neither"`?

# %%
### BEGIN SOLUTION
where = "removed"
### END SOLUTION

# %%
course.check("start.where", where)

# %%
for method, result in results.items():
    band = result["per_volume"][0]["error_by_band"]
    print(f"{method:<10} measured {band['measured']:.4f}   removed {band['removed']:.4f}")

# %% [markdown]
# Together the two are the NMSE. **Explain.** The network's error is smaller in *both* bands. What can
# it mend in the part that was measured?

# %%
course.answer("start.measured")

# %% [markdown]
# ## Ask a pixel
# Two scans of one head seldom lie on each other: people move. For this view the reference was moved, 2
# pixels down and 3 to the left, and nobody told the network. Where does it look? Press Next first: the
# tour explains the page. Then move over an image, or use the arrow keys.
#
# Four names of networks that you will meet, here and in the explorers:
#
# | weights | variant | what it is |
# |---|---|---|
# | `lite-4x` | aligned | the network of this page; finds a reference that was moved |
# | `lite-4x-footprints` | corrected | the paper's two attentions, with the mistakes mended |
# | `lite-4x-paper` | paper | as the paper's equations say |
# | `lite-4x-released` | released | as the authors' program does |
#
# (A *merge of heads* that is called "aligned" in 03 is another thing: a part of the network.)
#
# A pixel of level n is n x n image pixels; a head is one of 8 independent attentions; entropy 1 is
# uniform, 0 one-hot.

# %%
moved = misplace(pair)
explorer = dl.explore(model, moved, slice=slice_)
explorer.tour, explorer.query = FINDING, FINDING[0]["query"]
display(explorer)

# %% [markdown]
# The same in Python: where does each place look, in pixels from its own? Half of the places in the head
# look less far than the median, half further.

# %%
with dl.trace(model) as record, torch.inference_mode():
    model(moved.lr[[slice_]], moved.ref[[slice_]])
head = pair.target_image[slice_] > pair.target_image.max() / 8
down, right = record.displacement(level=1)[:, head].median(dim=1).values
print(f"in the middle of the head's places: {down:.1f} down, {right:.1f} to the right")
for name, given in {"in place": pair, "moved": moved}.items():
    print(f"reference {name:<10} {dl.evaluate(model, given)['psnr']:.2f} dB")

# %% [markdown]
# Not quite 2 down: the simulated scans of one head are themselves
# up to half a pixel apart, as those of a person who lies still. Here T1 lies 0.28 pixels above T2, and
# the attention finds both motions in one.
#
# ## What is left without attention
# The network does not draw the image, it draws what has to be *added* to it: the upsampled
# low-resolution image goes round everything and is added at the end, the *global residual*.

# %%
course.show_part("network", "global residual")

# %% [markdown]
# If the rest of the network gave nothing at all, the result would be that upsampled image, nearly
# zero-fill. But to cut the attention does not make the rest give nothing: the layers behind it go on,
# with what is left.
#
# ## Exercise 4: cut the reference
# In the paper the spatial attention does not search around a place: it weighs 64 sums over the whole
# reference ([03](03_dcamsr_in_einops.ipynb) builds it). Take a network of that kind,
# `lite-4x-footprints`, trained on pairs in place, and switch both attention branches off: nothing of
# the T1 image reaches it any more.
#
# **Predict.** Is the result `"below zero-fill"`, `"like zero-fill"`,
# `"between zero-fill and the whole network"`, or is there `"no change"`?

# %%
### BEGIN SOLUTION
cut = "below zero-fill"
### END SOLUTION

# %%
course.check("start.cut", cut)

# %%
footprints = dl.load("lite-4x-footprints")
cuts = {
    "as trained": {},
    "spatial branch off": {"spatial": "off"},
    "channel branch off": {"channel": "off"},
    "both branches off": {"spatial": "off", "channel": "off"},
}
for name, change in cuts.items():
    with dl.intervene(footprints, **change):
        image = dl.super_resolve(footprints, pair)
        print(f"{name:<20} {psnr_(pair.target_image, image):.2f} dB")

# %% [markdown]
# **Explain.** Which branch does this network lean on? And why is this not the number that a network
# *trained* without a reference would reach?

# %%
course.answer("start.lean")

# %% [markdown]
# ## Recap
# - A crop of k-space leaves zero-fill; a network with a second contrast brings back part of what
#   was removed.
# - PSNR is one number with a convention; the error map and its two bands say where it comes from.
# - Where the reference does not lie on the target, attention that can look around finds it.
# - What attention shows and what a cut costs are two things: a network on footprints leans on its
#   channel branch.
#
# ## Bonus, open-ended
# Take another seed in place of `DEMO_SEED`, or `scale=2` with `lite-2x`. Write down first which
# numbers of this notebook will change, and in which direction. Which sentence of it would you now
# write differently?
#
# How far you are, over all ten notebooks (save this one first):

# %% tags=["varies"]
course.progress()

# %% tags=["varies"]
course.report()

# %% [markdown]
# ## Where to go
# [01 k-space](01_kspace.ipynb), [02 two contrasts](02_two_contrasts.ipynb),
# [03 DCAMSR in einops](03_dcamsr_in_einops.ipynb).
#
# ## References
# - Huang et al., *Accurate Multi-contrast MRI Super-Resolution via a Dual Cross-Attention Transformer
#   Network*, MICCAI 2023.
# - Anatomy: Colin27, McGill University; see the [licence and origin](../assets/brain/README.md).
#
# **Not for clinical use.**
