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
# # 02 Two contrasts: what T1 tells about T2, and what it cannot
#
# You will be able to
# - compute the signal of a tissue in T1, T2 and FLAIR, and predict which tissue is bright,
# - measure how much of a T2 image any function of the T1 image explains,
# - say which structures a T1 reference cannot bring back, whatever the network.
#
# You need: [notebook 01](01_kspace.ipynb), and the words TR, TE, T1, T2. Measured: {{MINUTES}}
# minutes on two CPU cores. Real anatomy, simulated contrasts. **Not for clinical use.**

# %%
import torch
from matplotlib.figure import Figure

import dcamsr_lite as dl
from dcamsr_lite import course, phantom
from dcamsr_lite.phantom.sequences import PROTOCOL, TISSUES
from dcamsr_lite.phantom.subjects import DEMO_SEED

# %% [markdown]
# ## Tissues
# Proton density (water = 1), T1 and T2 in ms at 0.3 T:

# %%
for name in ("white", "gray", "csf", "lesion"):
    tissue = TISSUES[name]
    print(f"{name:<7} PD {tissue.pd:.2f}   T1 {tissue.t1:5.0f} ms   T2 {tissue.t2:5.0f} ms")

# %%
for name, protocol in PROTOCOL.items():
    print(
        f"{name:<6}{protocol.sequence:<20}TR {protocol.TR:.0f}  TE {protocol.TE}  TI {protocol.TI}"
    )

# %% [markdown]
# ## Exercise 1: the spin echo
# After the 90 degree pulse the magnetisation along the field recovers with T1 until the next one, TR
# later; what lies across it decays with T2 until the echo, at TE.


# %%
def spin_echo(pd, t1, t2, tr, te):
    """Signal relative to fully relaxed water; tensors, times in ms."""
    ### BEGIN SOLUTION
    return pd * (1 - torch.exp(-tr / t1)) * torch.exp(-te / t2)
    ### END SOLUTION


# %%
course.check("contrasts.spin_echo", spin_echo)

# %%
echo = course.use("contrasts.spin_echo", spin_echo)
times = torch.linspace(1, 6000, 200)
figure = Figure(figsize=(6, 2.6), layout="constrained")
axes = figure.subplots()
for name, style in (("white", "-"), ("gray", "--"), ("csf", "-.")):
    t = TISSUES[name]
    axes.plot(times, t.pd * (1 - torch.exp(-times / t.t1)), style, label=name)
axes.axvline(PROTOCOL["T1"].TR, color="grey")
axes.set(xlabel="TR, ms (grey: the T1 protocol)", ylabel="recovered")
axes.legend()
course.show(
    figure, alt="Recovery over TR: at 500 ms white is highest, CSF lowest; late, CSF leads."
)

# %% [markdown]
# And the decay: what is left of the signal at the echo.

# %%
times = torch.linspace(0, 250, 200)
figure = Figure(figsize=(6, 2.6), layout="constrained")
axes = figure.subplots()
for name, style in (("white", "-"), ("gray", "--"), ("csf", "-."), ("lesion", ":")):
    axes.plot(times, torch.exp(-times / TISSUES[name].t2), style, label=name)
axes.axvline(PROTOCOL["T2"].TE, color="grey")
axes.set(xlabel="TE, ms (grey: the T2 protocol)", ylabel="left at the echo", ylim=(0, 1.05))
axes.legend()
course.show(
    figure,
    alt="Decay over TE: at 128 ms fluid has kept nearly all, a lesion half, grey and white a fifth"
    " to a third.",
)

# %% [markdown]
# ## Exercise 2: who is bright?
# **Predict.** On T1 (TR 500 ms, TE 18.4 ms): order `"white"`, `"gray"`, `"csf"` from dark to bright.

# %%
### BEGIN SOLUTION
order = ["csf", "gray", "white"]
### END SOLUTION

# %%
course.check("contrasts.order", order)

# %%
for contrast in ("T1", "T2"):
    p = PROTOCOL[contrast]
    signal = {}
    for name in ("white", "gray", "csf"):
        t = TISSUES[name]
        values = (torch.tensor(x) for x in (t.pd, t.t1, t.t2))
        signal[name] = round(float(echo(*values, p.TR, p.TE)), 3)
    print(contrast, signal)

# %% [markdown]
# The head, in both contrasts and in FLAIR, without noise. Lesions are outlined in orange on each:

# %%
head = phantom.simulate(DEMO_SEED, size=128, slices=6, repetitions=1, noise=False, tissues=True)
slice_ = 3
figure = course.picture({name: image[slice_] for name, image in head.images.items()})
for axes in figure.axes[:3]:
    axes.contour(head.lesions[slice_], [0.3], colors="#ffb000", linewidths=1.2)
course.show(
    figure,
    alt="One slice: T1 with dark fluid, T2 with bright fluid, FLAIR with fluid suppressed. Small"
    " lesions beside the ventricle, outlined: grey on T1, bright on T2 and FLAIR.",
)

# %% [markdown]
# ## Turn the knobs
# The same head's tissues, each with one set of times. Move TR, TE and TI of either image; the curves
# and the lesions follow. Which times make fluid and white matter alike on both? Press Next for the
# tour.

# %%
dl.explore_contrasts(head.tissues, slice=slice_)

# %% [markdown]
# The package's equations know two things more: the refocusing pulse, and the echo train of a fast spin
# echo, during which nothing recovers. How much does that change?

# %%
for name in ("white", "gray", "csf"):
    t, p = TISSUES[name], PROTOCOL["T2"]
    simple = echo(torch.tensor(t.pd), torch.tensor(t.t1), torch.tensor(t.t2), p.TR, p.TE)
    full = p.signal(t.pd, t.t1, t.t2)
    print(f"{name:<6} textbook {simple:.3f}   with the echo train {full:.3f}")

# %% [markdown]
# ## Exercise 3: make fluid vanish
# FLAIR inverts first and waits TI: the signal along the field is `1 - 2 exp(-TI / T1) + exp(-TR / T1)`.
# **Predict.** Does a longer T1 need a longer or a shorter TI? Then solve for the TI that nulls it.


# %%
def null_time(t1, tr):
    """TI in ms at which a tissue of this T1 gives no signal; t1, tr: floats, in ms; use math."""
    ### BEGIN SOLUTION
    import math

    return t1 * math.log(2 / (1 + math.exp(-tr / t1)))
    ### END SOLUTION


# %%
course.check("contrasts.null_time", null_time)

# %%
null = course.use("contrasts.null_time", null_time)
flair = PROTOCOL["FLAIR"]
print(f"fluid is nulled at TI = {null(TISSUES['csf'].t1, flair.TR):.0f} ms")
print(f"M4Raw's protocol has TI = {flair.TI:.0f} ms (its echo train shortens the recovery)")

# %% [markdown]
# The longer T1, the longer TI: it takes longer from upside down to zero.
#
# **Explain.** Lesions stay bright on FLAIR. Which of their two times makes them so?

# %%
course.answer("contrasts.flair_lesion")

# %% [markdown]
# ## T1 against T2
# Every pixel of the brain, as a point: its T1 signal to the right, its T2 signal upwards.

# %%
mask = head.brain_mask
t1, t2 = head.images["T1"][mask], head.images["T2"][mask]
print(f"{len(t1)} pixels of brain")

# %%
figure = Figure(figsize=(4.4, 3.4), layout="constrained")
axes = figure.subplots()
shown = axes.hexbin(t1, t2, gridsize=50, bins="log", cmap="viridis")
axes.set(xlabel="T1 signal, a.u.", ylabel="T2 signal, a.u.")
figure.colorbar(shown, label="pixels, log scale")
course.show(figure, alt="T2 falls as T1 rises, in a broad cloud: one T1 value has many T2 values.")

# %% [markdown]
# ## Exercise 4: how much does T1 explain?
# The best guess of T2 from T1 alone, pixel by pixel, is the mean of T2 at that T1. Cut T1 into `bins`
# quantile bins (equally many pixels in each), take the mean of T2 in each, and compute
# R^2 = 1 - sum (T2 - mean of its bin)^2 / sum (T2 - mean of all)^2.
#
# **Predict.** 0 is nothing, 1 is everything. Your guess for this head?


# %%
def explained(t1, t2, bins):
    """R^2 of t2 (pixel,) about its mean, in quantile bins of t1 (pixel,)."""
    ### BEGIN SOLUTION
    edges = t1.quantile(torch.linspace(0, 1, bins + 1)[1:-1])
    index = torch.bucketize(t1, edges)
    sums = torch.bincount(index, weights=t2, minlength=bins)
    guess = (sums / torch.bincount(index, minlength=bins).clamp(min=1))[index]
    return float(1 - (t2 - guess).square().sum() / (t2 - t2.mean()).square().sum())
    ### END SOLUTION


# %%
course.check("contrasts.explained", explained)

# %%
r2 = course.use("contrasts.explained", explained)
line = float(torch.corrcoef(torch.stack([t1, t2]))[0, 1] ** 2)
print(f"128 quantile bins: {r2(t1, t2, 128):.3f}     a straight line: {line:.3f}")
inner = phantom.explained_by(head.images["T1"], head.images["T2"], mask)
print(f"without a rim at the skull, as measured on real patients: {inner:.3f}")

# %% [markdown]
# Real patients give numbers in the same range (the docstring of `phantom.explained_by` has them). A
# simulation of three tissues with one T1 and one T2 each gives nearly 1, and makes reference guidance
# look far too good. What is left over:

# %%
edges = t1.quantile(torch.linspace(0, 1, 129)[1:-1])
index = torch.bucketize(t1, edges)
means = torch.bincount(index, weights=t2, minlength=128) / torch.bincount(index, minlength=128)
guess = torch.zeros_like(head.images["T2"])
guess[mask] = means.float()[index]

# %%
target = head.images["T2"] * mask
course.show(
    {"T2": target[slice_], "best guess from T1": guess[slice_]},
    alt="The T2 image of the brain, and its best guess from T1: alike in the large.",
    shared=True,
)
course.show(
    {"T2 - guess": (target - guess)[slice_], "lesions": head.lesions[slice_]},
    alt="What T1 does not tell: fluid at the rim, lesions, vessels, and a slow shading; and a map of"
    " the lesions.",
    kind="signed",
    label="signal, a.u.; fraction of the voxel",
    limit=0.4,
)

# %% [markdown]
# The slow shading from left to right in "T2 - guess" is the scanner's: each contrast is simulated with
# an uneven brightness of its own.
#
# **Explain.** Compare the two pictures: where does a lesion look like something else on T1?

# %%
course.answer("contrasts.looks_like")

# %% [markdown]
# ## Exercise 5: the part that is missing
# A 4x crop keeps the centre of k-space. What a reference has to help with is the rest.
#
# **Predict.** Of that part, does T1 explain `"more"`, `"the same"`, `"less"` or `"nothing"`?

# %%
### BEGIN SOLUTION
fine = "less"
### END SOLUTION

# %%
course.check("contrasts.fine", fine)

# %%
for scale in (2, 4, 8):
    share = phantom.explained_outside_crop(head.images["T1"], head.images["T2"], mask, scale)
    print(f"outside the {scale}x crop: {share:.3f}")

# %% [markdown]
# **Explain.** This counts each pixel alone. A network also sees the neighbourhood, in both contrasts:
# name something that it can know and this measure cannot. And what can it never know?

# %%
course.answer("contrasts.neighbours")

# %% [markdown]
# ## Recap
# - The signal equations turn TR, TE and TI into contrast; the order of the tissues turns round
#   from T1 to T2.
# - T1 explains much of T2 in the large, and little outside of the crop, where help is needed.
# - What T1 does not show, a reference cannot bring back: lesions, vessels, noise.
#
# ## Bonus, open-ended
# Choose TR and TE of a reference that would explain more of T2 than this T1 does, outside of the
# 4x crop (`phantom.sequences`). What would a radiologist lose by having that scan in place of a
# T1?
#
# How far you are, over all ten notebooks (save this one first):

# %% tags=["varies"]
course.progress()

# %% tags=["varies"]
course.report()

# %% [markdown]
# ## References
# - Bernstein, King, Zhou, *Handbook of MRI Pulse Sequences*, 2004, sections 14.3 and 16.4.
# - Hajnal et al., *Use of fluid attenuated inversion recovery (FLAIR) pulse sequences in MRI of the
#   brain*, J Comput Assist Tomogr 16, 1992.
# - Rooney et al., Magn Reson Med 57, 2007; Bottomley et al., Med Phys 11, 1984: relaxation times.
# - Lyu et al., *M4Raw*, Scientific Data 10, 2023: the protocol.
# - Anatomy: Colin27, McGill University; see the [licence and origin](../assets/brain/README.md).
#
# **Not for clinical use.**
