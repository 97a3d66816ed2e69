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
# # 01 k-space: how a low-resolution image is made
#
# You will be able to
# - predict blur, ringing, noise and brightness of an image from a crop of its k-space,
# - write the degradation that every later notebook uses, and say what it does *not* do to an image,
# - say which part of k-space a super-resolution network has to bring back.
#
# You need: [notebook 00](00_start_here.ipynb), and to have met the Fourier transform once. Measured:
# {{MINUTES}} minutes on two CPU cores. Real anatomy, simulated contrasts.
# **Not for clinical use.**

# %%
import torch
from matplotlib.figure import Figure

import dcamsr_lite as dl
from dcamsr_lite import course, phantom
from dcamsr_lite import kspace as ks

# %%
head = phantom.simulate(dl.DEMO_SEED, size=128, slices=6, repetitions=1, contrasts=("T2",))
image = head.images["T2"][3]

# %% [markdown]
# ## Under your fingers first
# The measured k-space of the slice that this notebook works on, noise and all, as four coils received
# it, and the image that a box of it gives. (The cells below take the image *without* noise, of one
# coil: their numbers are others, the rules are the same.) Press Next for the tour, or drag
# the box. Before each change say what blur, ringing, noise and brightness
# will do; the exercises ask why. (The two dark bars are columns that were never acquired.)

# %%
dl.explore_kspace(head.kspace["T2"][0], slice=3)

# %% [markdown]
# ## Exercise 1: from image to k-space
# The scanner measures k-space; the image is its inverse Fourier transform. Two conventions matter:
# the zero frequency sits in the middle, at index `n // 2` (and so does the image's origin), and the
# transform is orthonormal, so that it keeps energy.
#
# `torch.fft` counts from a corner: index 0 is the zero frequency, and the origin of the image. Two
# functions turn arrays round by half their length: `fftshift` brings index 0 to the middle, at
# `n // 2`; `ifftshift` brings the middle to index 0. For even lengths they are the same, for odd ones
# they differ by one.
#
# **Predict.** Where in the picture of k-space is the mean brightness of the image?


# %%
def fft2c(image):
    """Centred orthonormal transform over the last two axes."""
    ### BEGIN SOLUTION
    shifted = torch.fft.ifftshift(image, dim=(-2, -1))
    return torch.fft.fftshift(torch.fft.fft2(shifted, norm="ortho"), dim=(-2, -1))
    ### END SOLUTION


# %%
course.check("kspace.fft2c", fft2c)

# %%
to_kspace = course.use("kspace.fft2c", fft2c)
k = to_kspace(image)
course.show(
    {"image": image, "k-space": (1 + 1000 * k.abs() / k.abs().max()).log()},
    alt="A T2 image of a head, and its k-space: a bright centre, fading outwards.",
    label="signal, a.u.; log of magnitude",
)

# %% [markdown]
# The mean is in the brightest sample, in the middle: at the zero frequency, `k[64, 64]`, which is the
# mean times the root of the number of pixels.
#
# ## What lives where
# Keep only the centre of k-space, or everything but the centre:

# %%
centre = ks.center_pad(ks.center_crop(k, (32, 32)), (128, 128))
inside, outside = ks.ifft2c(centre).abs(), ks.ifft2c(k - centre).abs()
kept = centre.abs().square().sum() / k.abs().square().sum()
print(f"the centre 1/16 of the samples holds {100 * kept:.1f} % of the energy")

# %%
course.show(
    {"centre only": inside, "all but the centre": outside},
    alt="The centre alone gives a blurred head; the rest gives edges and fine structure only.",
)

# %% [markdown]
# **Explain.** The second picture is what a network has to bring back. Why is so little energy so much
# of what you see?

# %%
course.answer("kspace.edges")

# %% [markdown]
# ## Exercise 2: the crop
# Keep the centre `n // scale` samples of each axis. The zero frequency has to stay the centre, for even
# and odd sizes.


# %%
def crop(k, scale):
    """(..., row, column) -> (..., row // scale, column // scale)."""
    ### BEGIN SOLUTION
    height, width = k.shape[-2:]
    rows, columns = height // scale, width // scale
    top, left = height // 2 - rows // 2, width // 2 - columns // 2
    return k[..., top : top + rows, left : left + columns]
    ### END SOLUTION


# %%
course.check("kspace.crop", crop)

# %% [markdown]
# ## Exercise 3: brightness
# **Predict.** Crop by 4, transform back with the orthonormal inverse, take the magnitude. The mean of
# the image changes by which factor?

# %%
### BEGIN SOLUTION
factor = 4
### END SOLUTION

# %%
course.check("kspace.brightness", factor)

# %%
crop_ = course.use("kspace.crop", crop)
for scale in (1, 2, 4):
    low = ks.ifft2c(crop_(k, scale)).abs()
    print(f"{scale}x: mean {low.mean():.3f}, that is {low.mean() / image.mean():.2f} times")

# %% [markdown]
# A little more than `scale`, because the magnitude folds up what rings below zero. (The explorer's
# brightness at 4x is a little *less*, 3.8: it compares with an image of noisy coils, and in the air a
# magnitude makes brightness out of noise, which the crop takes away.)
#
# **Explain.** The released code does not undo this: it normalises the target with the brighter image's
# mean and deviation. Why does the network have to learn the factor, too?

# %%
course.answer("kspace.factor")

# %% [markdown]
# ## Exercise 4: the low-resolution image
# Put it together, and bring the brightness back.


# %%
def low_resolution(image, scale):
    """(..., row, column) magnitude image -> (..., row // scale, column // scale)."""
    ### BEGIN SOLUTION
    cropped = ks.crop_kspace(ks.fft2c(image), scale)
    return ks.ifft2c(cropped).abs() / scale
    ### END SOLUTION


# %%
course.check("kspace.low_resolution", low_resolution)

# %%
low_ = course.use("kspace.low_resolution", low_resolution)
course.show(
    {f"{s}x, {128 // s} x {128 // s}": low_(image, s) for s in (1, 2, 4)},
    alt="The same head at 128, 64 and 32 pixels a side, equally bright, ever blurrier.",
    shared=True,
)

# %% [markdown]
# It is not the mean of blocks of pixels (whose centre is 1.5 pixels further on, besides), nor every
# fourth pixel. The differences on one scale:

# %%
blocks = torch.nn.functional.avg_pool2d(image[None], 4)[0]
every = image[::4, ::4]
cropped = low_(image, 4)
course.show(
    {"mean of blocks - crop": blocks - cropped, "every 4th pixel - crop": every - cropped},
    alt="Both differ from the k-space crop, most at edges.",
    kind="signed",
    label="signal, a.u.",
    shared=True,
)

# %% [markdown]
# ## Exercise 5: blur
# One bright pixel has all frequencies in equal parts. After a 4x crop, zero-filled back to full size,
# only the centre quarter of each axis is left: a box. The transform of a box is the *sinc*,
# sin(pi x) / (pi x): one hump, and ripples to both sides that change sign and fade like 1 / x.
#
# **Predict.** How many pixels apart are the first zeros to the left and to the right of the point?

# %%
### BEGIN SOLUTION
width = 8
### END SOLUTION

# %%
course.check("kspace.width", width)

# %%
point = torch.zeros(128, 128)
point[64, 64] = 1
profiles = {f"{s}x": ks.zero_fill(point, s)[64, 44:85] * s for s in (1, 2, 4)}
figure = Figure(figsize=(6, 2.6), layout="constrained")
axes = figure.subplots()
for (name, profile), style in zip(profiles.items(), ("-", "--", "-."), strict=True):
    axes.plot(range(-20, 21), profile, style, label=name)
axes.set(xlabel="pixels from the point", ylabel="magnitude, times scale")
axes.legend()
course.show(figure, alt="Profiles of a point: 1x one pixel, 2x zeros at +-2, 4x zeros at +-4.")

# %% [markdown]
# ## Exercise 6: ringing
# At a sharp edge the sinc's side lobes add up: the image overshoots.
#
# **Predict.** The crop gets smaller: the height of the overshoot grows, stays, shrinks, vanishes?

# %%
### BEGIN SOLUTION
overshoot = "stays"
### END SOLUTION

# %%
course.check("kspace.overshoot", overshoot)

# %%
step = torch.zeros(256, 256)
step[:, 64:192] = 1
filled = {
    s: ks.ifft2c(ks.center_pad(ks.crop_kspace(ks.fft2c(step), s), (256, 256))).real[0]
    for s in (4, 8, 16)
}
for s, row in filled.items():
    print(f"{s:>2}x: overshoot {100 * (row.max() - 1):.1f} % of the jump")

# %%
figure = Figure(figsize=(6, 2.6), layout="constrained")
axes = figure.subplots()
for (s, row), style in zip(filled.items(), ("-", "--", "-."), strict=True):
    axes.plot(row[40:140], style, label=f"{s}x")
axes.set(xlabel="pixel", ylabel="signal, 1: the step")
axes.legend()
course.show(figure, alt="A step after 4x, 8x and 16x: ripples of equal height, ever wider.")

# %% [markdown]
# The overshoot stays. The numbers differ a little because pixels are samples: the narrower the
# ripples, the further the largest sample may lie from their top, most at 4x. At 16x only 16 samples
# are left, and the two edges' ripples meet: that adds some to the 9 %.
#
# **Explain.** In a brain image ringing looks like fine parallel lines beside the skull or the
# ventricles. Find some in "centre only" above, which is a 4x image zero-filled to full size. Would a
# network trained on such images learn to remove them, or to draw them?

# %%
course.answer("kspace.ringing")

# %% [markdown]
# ## Exercise 7: noise
# White noise of deviation sigma in every pixel of the full image. Crop by `scale`, bring the brightness
# back. What is the deviation now?


# %%
def noise(sigma, scale):
    """Deviation in the low-resolution image."""
    ### BEGIN SOLUTION
    return sigma / scale
    ### END SOLUTION


# %%
course.check("kspace.noise", noise)

# %%
generator = torch.Generator().manual_seed(0)
white = 0.05 * torch.randn(256, 256, generator=generator)
for s in (1, 2, 4):
    low = ks.ifft2c(ks.crop_kspace(ks.fft2c(white), s)).real / s
    print(f"{s}x: deviation {low.std():.4f}, 0.05 / {s} = {0.05 / s:.4f}")

# %% [markdown]
# So a low-resolution image is blurred *and* cleaner. A measured slice shows both. It was received by
# four *coils* around the head. Each sees all of it, best what is near, with a phase of its own: so
# each has its own k-space, and its own complex image. The *root of the sum of squares* (`ks.rss`)
# makes one magnitude image of the four, whatever their phases:

# %%
measured = head.kspace["T2"][0, 3]
course.show(
    {
        "noise-free": image,
        "one repetition": ks.rss(ks.ifft2c(measured)) / ks.rss(ks.ifft2c(measured)).max(),
        "its 4x image": ks.degrade(measured, 4) / ks.degrade(measured, 4).max(),
    },
    alt="A noise-free head, the same with noise, and its 4x image: blurred, but hardly noisy.",
)

# %% [markdown]
# **Explain.** The target of super-resolution is one noisy repetition. Which part of its noise can no
# network know, and what does that say about the best PSNR there is? (`metrics.noise_ceiling`.)

# %%
course.answer("kspace.unknown_noise")

# %% [markdown]
# ## Coils first, or image first?
# The paper's text crops the k-space of the *image*; the released code crops every coil's k-space, and
# combines the magnitudes afterwards. The two are not the same:

# %%
orders = {order: ks.degrade(measured, 4, order=order) for order in ks.ORDERS}
off = (orders["coils"] - orders["image"]).norm() / orders["image"].norm()
print(f"coils first and image first differ by {100 * off:.1f} %")

# %%
course.show(orders, alt="Low-resolution images by both orders: hard to tell apart.", shared=True)
course.show(
    {"coils - image": orders["coils"] - orders["image"]},
    alt="Their difference: largest at the head's rim and in the background.",
    kind="signed",
    label="signal, a.u.",
)

# %% [markdown]
# ## Back to the beginning
# Return to the explorer at the top. Now you can predict how the numbers below its box *change*: 2x and
# 4x, lines in place of a box, a Hann window. Not their last digit: its image has noise and four coils.
# So its box of 4x holds 84 % of the energy where the noise-free image above had 90 %: the noise is
# spread evenly over k-space, and most of it lies outside of the box.
#
# ## Recap
# - Cropping k-space blurs (a sinc as wide as the scale), rings (9 % of a jump), cleans (noise /
#   scale) and brightens (times scale).
# - It is neither a mean of blocks nor every n-th pixel.
# - What has to be brought back is little energy and most of what the eye uses: edges.
#
# ## Bonus, open-ended
# A smooth window in place of the sharp crop ends the ringing. What does it cost? Write one (a
# Hann window, say), and choose two numbers that show gain and price.
#
# How far you are, over all ten notebooks (save this one first):

# %% tags=["varies"]
course.progress()

# %% tags=["varies"]
course.report()

# %% [markdown]
# ## References
# - Huang et al., *Accurate Multi-contrast MRI Super-Resolution via a Dual Cross-Attention Transformer
#   Network*, MICCAI 2023, section 3: 25 % and 6.25 % of k-space.
# - Lyu et al., *M4Raw*, Scientific Data 10, 2023: the protocol that the simulated head follows.
# - Anatomy: Colin27, McGill University; see the [licence and origin](../assets/brain/README.md).
#
# **Not for clinical use.**
