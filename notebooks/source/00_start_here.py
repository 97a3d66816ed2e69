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
# - super-resolve a slice with another contrast as its guide,
# - read an error map and say what was measured and what was removed,
# - ask one pixel where both attention branches look.
#
# You need: Python, and an idea of what an MR image is. Simulated data: real anatomy, simulated
# contrasts. **Not for clinical use.**

# %%
# Installs only when the package is missing; never replaces torch or numpy.
import importlib.util

if importlib.util.find_spec("dcamsr_lite") is None:
    # %pip install --quiet "dcamsr-lite @ git+{{REPOSITORY}}"
    pass

# %%
import matplotlib.pyplot as plt
import torch

import dcamsr_lite as dl
from dcamsr_lite.simulated import DEMO_SEED, simulated_pair

# %% [markdown]
# ## One head, two contrasts
# T1 is the reference, sharp. T2 is what we want sharp; its low-resolution image keeps the centre of
# k-space only: 1/16 of it at 4x. The network has not seen this head.

# %%
pair, _ = simulated_pair(DEMO_SEED, scale=4)
slice_ = 9

# %%
panels = {
    "reference, T1": pair.reference_image[slice_],
    "low resolution, T2": pair.low[slice_],
    "target, T2": pair.target_image[slice_],
}
figure, axes = plt.subplots(1, 3, figsize=(11, 4), layout="constrained")
for axis, (title, image) in zip(axes, panels.items(), strict=True):
    shown = axis.imshow(image.numpy(), cmap="gray")
    axis.set_title(f"{title}, {image.shape[0]} x {image.shape[1]}")
    figure.colorbar(shown, ax=axis, shrink=0.8, label="signal")

# %% [markdown]
# **Predict.** Which structures of the target can the T1 image tell, and which can it not?
#
# ## Super-resolve it

# %%
model = dl.load("lite-4x")
sharp = dl.super_resolve(model, pair)

# %%
for method in ("zero-fill", "bicubic", "dcamsr"):
    result = dl.evaluate([pair], 4, method, model if method == "dcamsr" else None)
    print(f"{method:<10} {result['psnr']:.2f} dB   SSIM {result['ssim']:.3f}")
print(result["convention"])

# %% [markdown]
# ## The error map
# The same scale for both: what is still wrong, and where.

# %%
target = pair.target_image[slice_]
errors = {"zero-fill": pair.zero_filled[slice_] - target, "DCAMSR": sharp[slice_] - target}
limit = float(errors["zero-fill"].abs().quantile(0.99))

# %%
figure, axes = plt.subplots(1, 2, figsize=(9, 4), layout="constrained")
for axis, (name, error) in zip(axes, errors.items(), strict=True):
    shown = axis.imshow(error.abs().numpy(), cmap="viridis", vmin=0, vmax=limit)
    axis.set_title(f"|error| of {name}")
    figure.colorbar(shown, ax=axis, shrink=0.8, label="signal")

# %%
result["per_volume"][0]["error_by_band"]

# %% [markdown]
# `measured` is the error inside the part of k-space that the input kept, `removed` the error in the
# part that the network had to bring back; together they are the NMSE.
#
# **Explain.** Why is the error of zero-fill so large at edges?
#
# ## Ask a pixel
# Move over the image, or use the arrow keys. Blue and orange are negative and positive weights on the
# reference; "relative to uniform" shows what this pixel does differently from the average.

# %%
dl.explore(model, pair, slice=slice_)

# %% [markdown]
# The same numbers in Python: how far is each head from looking everywhere alike (1)?

# %%
with dl.trace(model) as record, torch.inference_mode():
    model(pair.lr[[slice_]], pair.ref[[slice_]])

# %%
{level: record.entropy(level)["spatial"][0].numpy().round(3) for level in (1, 2, 4)}

# %% [markdown]
# ## And if the reference is cut?

# %%
with dl.intervene(model, spatial="off", channel="off"):
    blind = dl.super_resolve(model, pair)
for name, image in {"as trained": sharp, "both branches off": blind}.items():
    print(f"{name:<18} {dl.psnr(pair.target_image, image):.2f} dB")

# %% [markdown]
# Cutting a trained network is not the same as training one without a reference: it was never taught to
# do without.
#
# Reference: Huang et al., *Accurate Multi-contrast MRI Super-Resolution via a Dual Cross-Attention
# Transformer Network*, MICCAI 2023.
