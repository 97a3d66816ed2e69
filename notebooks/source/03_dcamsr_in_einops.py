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
# # 03 DCAMSR in einops: both attentions from nothing
#
# You will be able to
# - write spatial and channel cross-attention with named axes, and test them against the network,
# - find the mistake in the released code with a test of your own,
# - put an attention of your own into the network and look at it.
#
# You need: [notebook 00](00_start_here.ipynb), matrix products, softmax, and a look at
# [einops](https://einops.rocks). Measured: {{MINUTES}} minutes on two CPU cores. Real anatomy,
# simulated contrasts. **Not for clinical use.**

# %%
import torch
import torch.nn.functional as F
from einops import einsum, rearrange

import dcamsr_lite as dl
from dcamsr_lite import course, kspace
from dcamsr_lite.network import attention

# %% [markdown]
# ## Features are tokens
# Letters used throughout: `b` batch, `n` tokens (the pixels of a feature image, row by row),
# `c = head * d` channels, `p` projected tokens. Queries `q` come from the blurred T2, keys `k` and
# values `v` from the sharp T1.

# %%
pair = dl.simulated_pair(dl.DEMO_SEED, scale=4, slices=6)
model = dl.load("lite-4x-footprints").eval()
slice_ = 3

# %%
with torch.inference_mode():
    up = kspace.upsample_fourier(pair.lr[[slice_]], 4)
    blurred, sharp = (model.encoder(image)[-1] for image in (up, pair.ref[[slice_]]))
print("features (b c h w):", tuple(blurred.shape))

# %%
course.show(
    {
        f"{name}, feature {c}": image[0, c]
        for name, image in (("T2", blurred), ("T1", sharp))
        for c in (3, 8)
    },
    alt="Two of 32 features of the blurred T2 and of the sharp T1: the head's outline in all four.",
    kind="signed",
    label="feature",
)

# %% [markdown]
# An image becomes tokens by naming its axes, and goes back the same way:

# %%
tokens = rearrange(blurred, "b c h w -> b (h w) c")
again = rearrange(tokens, "b (h w) c -> b c h w", h=blurred.shape[-2])
print(tuple(tokens.shape), torch.equal(again, blurred))

# %% [markdown]
# ## Three tokens, by hand
# Before 1,024 tokens of 32 channels: three tokens, small enough for paper. Each exercise below has a
# picture of every array that it makes of them: rows are the first axis, columns the second. Check one
# number of each on paper before you write code.
#
# Where things stand in the network, too: what is being written is lit.

# %%
course.show_part("attention", "heads", notes=False)

# %% [markdown]
# ## Exercise 1: heads
# By hand, two heads of two channels. The digits say token and channel, so that you can follow them:

# %%
course.by_hand("attention.split_heads")

# %% [markdown]
# **Predict.** 32 channels, 8 heads. Which shape comes out, and which channels belong to head 0?
#
# Split `c` into heads, heads outermost: channels 0 to d - 1 are head 0.


# %%
def split_heads(x, heads):
    """b n c -> b head n d."""
    ### BEGIN SOLUTION
    return rearrange(x, "b n (head d) -> b head n d", head=heads)
    ### END SOLUTION


# %%
course.check("attention.split_heads", split_heads)

# %% [markdown]
# Queries, keys and two kinds of values for this slice (Eqs. 1 and 2), with the trained layers. 32
# channels on 8 heads are 4 for each, and head 0 has channels 0 to 3:

# %%
split = course.use("attention.split_heads", split_heads)
block = model.transformers["4"]
reference = rearrange(sharp, "b c h w -> b (h w) c")
with torch.inference_mode():
    q = split(block.attention.query(block.norm(tokens)), 8)
    kv = block.attention.key_values(block.norm(reference))
    k, v_channel, v_spatial = (split(x, 8) for x in kv.chunk(3, dim=-1))
print("q (b head n d):", tuple(q.shape))

# %% [markdown]
# ## Exercise 2: spatial attention
# Where in the reference to look (Eq. 3).

# %%
course.show_part("attention", "spatial branch", notes=False)

# %% [markdown]
# All pairs of tokens would be too many:

# %%
for side in (32, 128, 256):
    print(f"{side} x {side}: {side**4 / 1e6:,.0f} million pairs per head")

# %% [markdown]
# So the keys are first summed into `p = 64` projected tokens, with weights `e` (p n); the values with
# weights `f` (p n). Each row of `e` or `f` is a picture of the image grid, a *footprint*:

# %%
grid = tuple(blurred.shape[-2:])
e, f = (
    projection.footprints(grid).detach()
    for projection in (block.attention.spatial.project_key, block.attention.spatial.project_value)
)
course.show(
    {f"key footprint {p}": e[p] for p in (0, 27, 36, 63)},
    alt="Four trained footprints of the keys: each is strongest in one tile of the image grid.",
    kind="signed",
    label="weight",
    shared=True,
)

# %% [markdown]
# Write `softmax(q (e k)^T / sqrt(d)) (f v)`. Every query's weights on the projected tokens sum to one.
# By hand, one head of two features, two footprints; `e` and `f` are the same here. The second of them
# has a negative weight. First who is compared with whom, then what is summed:

# %%
course.by_hand("attention.spatial")

# %% [markdown]
# Follow the second query, `1 1`: its logits are 2 and 1 over the root of 2, its weights 0.67 and 0.33,
# and 0.67 * 15 - 0.33 * 10 = 6.7.


# %%
def spatial(q, k, v, e, f):
    """q, k, v (b head n d), e, f (p n) -> b head n d."""
    ### BEGIN SOLUTION
    k, v = (einsum(w, x, "p n, b head n d -> b head p d") for w, x in ((e, k), (f, v)))
    logits = einsum(q, k, "b head n d, b head p d -> b head n p") / q.shape[-1] ** 0.5
    return einsum(logits.softmax(dim=-1), v, "b head n p, b head p d -> b head n d")
    ### END SOLUTION


# %%
course.check("attention.spatial", spatial)

# %% [markdown]
# ## Exercise 3: merge the heads
# The way back of exercise 1. It looks like a formality. Keep it in mind.

# %%
course.by_hand("attention.merge_heads")


# %%
def merge_heads(x):
    """b head n d -> b n c."""
    ### BEGIN SOLUTION
    return rearrange(x, "b head n d -> b n (head d)")
    ### END SOLUTION


# %%
course.check("attention.merge_heads", merge_heads)

# %% [markdown]
# The same three steps in the package, with the paper's logits. Do they agree to float precision?

# %%
spatial_ = course.use("attention.spatial", spatial)
merge = course.use("attention.merge_heads", merge_heads)
package = attention.SpatialBranch(8, 64, grid, choice="scaled_dot_product")
e1, f1 = (p.footprints(grid).flatten(1) for p in (package.project_key, package.project_value))
for projection in (package.project_key, package.project_value):
    projection.bias.data.zero_()

# %%
with torch.inference_mode():
    mine, theirs = merge(spatial_(q, k, v_spatial, e1, f1)), package(q, k, v_spatial, grid)
print("equal to float precision:", torch.allclose(mine, theirs, atol=1e-5))

# %% [markdown]
# ## Exercise 4: channel attention
# Which *feature* of the reference to take (Eq. 4).

# %%
course.show_part("attention", "channel branch", notes=False)

# %% [markdown]
# Now the tokens are summed away and the attention is `d x d` per head. As printed,
# `softmax(q^T k / sqrt(d))` sums over all pixels.
#
# **Predict.** The image's side grows from 64 to 256 pixels. By which factor do these logits grow?

# %%
### BEGIN SOLUTION
growth = 16
### END SOLUTION

# %%
course.check("attention.logits", growth)

# %%
sizes = {}
for side in (16, 32, 64, 128, 256):
    larger = (F.interpolate(x, (side, side), mode="bilinear") for x in (blurred, sharp))
    tokens_ = [block.norm(rearrange(x, "b c h w -> b (h w) c")) for x in larger]
    query, key = block.attention.query(tokens_[0]), block.attention.key_values(tokens_[1])[..., :32]
    query, key = split(query, 8), split(key, 8)
    logits = einsum(query, key, "b head n i, b head n j -> b head i j") / 4**0.5
    sizes[side] = logits.detach().abs().mean()
print({side: round(float(size)) for side, size in sizes.items()})

# %% [markdown]
# **Explain.** What does a softmax make of logits in the hundreds? That is why the released code
# normalises `q` and `k` over the tokens, so that each logit is a cosine, times a learned temperature.

# %%
course.answer("attention.saturated")

# %% [markdown]
# Write this one. By hand, with the temperature 2:

# %%
course.by_hand("attention.channel")


# %%
def channel(q, k, v, temperature):
    """q, k, v (b head n d), temperature (head 1 1) -> b head n d."""
    ### BEGIN SOLUTION
    q, k = F.normalize(q, dim=-2), F.normalize(k, dim=-2)
    logits = einsum(q, k, "b head n i, b head n j -> b head i j") * temperature
    return einsum(logits.softmax(dim=-1), v, "b head i j, b head n j -> b head n i")
    ### END SOLUTION


# %%
course.check("attention.channel", channel)

# %%
channel_ = course.use("attention.channel", channel)
branch = block.attention.channel
with torch.inference_mode():
    mine = merge(channel_(q, k, v_channel, branch.temperature))
    theirs = branch(q, k, v_channel)
print("equal to float precision:", torch.allclose(mine, theirs, atol=1e-5))

# %% [markdown]
# The trained matrices of this slice: rows are features of the query, columns of the reference.

# %%
with torch.inference_mode(), dl.trace(model) as record:
    model(pair.lr[[slice_]], pair.ref[[slice_]])
course.show(
    {f"head {h}": record.channel[4][0, h] for h in range(4)},
    alt="Channel attention of four heads, 4 x 4 each; every row sums to one.",
    kind="magnitude",
    label="weight",
    limit=1.0,
)

# %% [markdown]
# ## Exercise 5: uniform attention
# The released code normalises over the tokens in the *spatial* branch, too.
#
# **Predict.** Entropy of its attention over the largest possible: 0 is one-hot, 1 is uniform. Which
# number for 128 x 128 = 16,384 tokens?

# %%
### BEGIN SOLUTION
entropy = 1.0
### END SOLUTION

# %%
course.check("attention.entropy", entropy)

# %%
torch.manual_seed(0)
released = dl.DCAMSR(scale=4, image_size=128, variant="released").eval()
with torch.inference_mode(), dl.trace(released) as uniform:
    released(pair.lr[[slice_]], pair.ref[[slice_]])
print("spatial attention of level 1, mean entropy over heads and queries")
for name, r in {"released": uniform, "corrected": record}.items():
    print(f"{name:<10} {r.entropy(1)['spatial'].mean():.5f}")

# %% [markdown]
# **Explain.** Every query reads the same average. Why can gradient descent hardly mend that?

# %%
course.answer("attention.stuck")

# %% [markdown]
# ## Exercise 6: find the bug
# Something else is wrong in the released spatial branch, and neither shapes nor losses show it.

# %%
course.show_part("attention", "merge", notes=False)

# %% [markdown]
# Attention that only *looks* at the reference must not move its queries: if the tokens of the input
# are reordered, the rows of the output must be reordered alike.
#
# Write that as a test. It gets a function `merge` (b head n d -> b n c).


# %%
def keeps_place(merge):
    """True where every token comes out in its own row."""
    ### BEGIN SOLUTION
    x = torch.randn(1, 2, 6, 4)
    return torch.equal(merge(x.flip(2)), merge(x).flip(1))
    ### END SOLUTION


# %%
course.check("attention.keeps_place", keeps_place)

# %%
test = course.use("attention.keeps_place", keeps_place)
for name, network in {"released": released, "corrected": model}.items():
    print(f"{name:<10} keeps place: {test(network.transformers['1'].attention.spatial.merge)}")

# %% [markdown]
# There it is. By hand, with the digits of exercise 1, token and channel: what should be a token's row
# holds three tokens.

# %%
course.by_hand("attention.keeps_place")

# %% [markdown]
# Now the drawing with its notes: where the released code and the paper's equations depart, and what
# you have found of it.

# %%
course.show_part("attention", "merge")

# %% [markdown]
# What does the released merge do to a picture? Here all features of all heads are the
# same T1 image, so a merge that keeps its place gives the T1 image back.

# %%
small = F.interpolate(pair.reference_image[None, [slice_]], grid, mode="area")
same = rearrange(small, "1 1 h w -> 1 1 (h w) 1").expand(1, 8, -1, 4)
merges = {"aligned": attention.merge_heads, "scrambled": attention.merge_heads_scrambled}

# %%
course.show(
    {"before": small[0, 0]}
    | {
        f"{name}, feature 16": rearrange(m(same), "1 (h w) c -> c h w", h=grid[0])[16]
        for name, m in merges.items()
    },
    alt="Before and after the aligned merge: the T1 image. After the scramble: stripes.",
)

# %% [markdown]
# The stripes are column 16 of the T1 image laid on its side, repeated in every row: with `c` = 32
# features on 32 columns, each output token holds one whole row of the image. Nothing is lost, but it is
# in the wrong place.
#
# **Explain.** The released line permutes `(b, h, n, d)` to `(b, d, h, n)` and cuts the row of numbers
# into pieces of `c`. Why does it work in the channel branch, where the axes are `(b, h, d, n)`? The
# line came from UNETR++ (its issue 62). With named axes it cannot be written by accident.

# %%
course.answer("attention.right_by_luck")

# %% [markdown]
# ## Exercise 7: an attention of your own
# The package takes a function in place of its spatial attention. It gets `q`, `k` (b head n d),
# `project` (b head n d -> b head p d) and a learned `temperature` (head 1 1). It returns queries and
# projected keys, whose inner products are the logits. First the one that the shipped network uses:
# the cosine between a query and a *projected* key, times the temperature. The check compares the
# logits: on which of the two the temperature stands is up to you.


# %%
def cosine(q, k, project, temperature):
    """The pair (queries, projected keys)."""
    ### BEGIN SOLUTION
    return F.normalize(q, dim=-1) * temperature, F.normalize(project(k), dim=-1)
    ### END SOLUTION


# %%
course.check("attention.cosine", cosine)

# %% [markdown]
# In the network, with the shipped weights. The number must be the shipped one's:

# %%
cosine_ = course.use("attention.cosine", cosine)
own = dl.DCAMSR(scale=4, image_size=128, spatial_attention=cosine_)
own.load_state_dict(model.state_dict())
for name, network in {"shipped": model, "yours": own}.items():
    print(f"{name:<8} {dl.psnr(pair.target_image, dl.super_resolve(network, pair)):.3f} dB")

# %% [markdown]
# **Predict.** Three times the temperature: sharper attention. A better image?


# %%
def my_attention(q, k, project, temperature):
    """Change anything here, and run the cells below again."""
    queries, keys = cosine_(q, k, project, temperature)
    return 3 * queries, keys


# %%
idea = dl.DCAMSR(scale=4, image_size=128, spatial_attention=my_attention)
idea.load_state_dict(model.state_dict())
with torch.inference_mode(), dl.trace(idea) as changed:
    idea(pair.lr[[slice_]], pair.ref[[slice_]])

# %%
for name, network, r in (("shipped", model, record), ("mine", idea, changed)):
    quality = dl.psnr(pair.target_image, dl.super_resolve(network, pair))
    print(f"{name:<8} mean entropy {r.entropy(1)['spatial'].mean():.3f}   {quality:.2f} dB")

# %% [markdown]
# **Explain.** The weights were trained with the other attention. What would a fair comparison be?
# (Notebooks on training and ablations: train both with equal steps and seeds.)

# %%
course.answer("attention.fair")

# %%
dl.explore(idea, pair, slice=slice_, tour=True)

# %% [markdown]
# ## Recap
# - Both attentions are a handful of einsums; the names of their axes say what is summed away.
# - Two normalisations decide whether attention can choose: over tokens it is uniform, unscaled it
#   is one-hot.
# - A wrong merge passes every test of shapes. A test that moves tokens finds it.
#
# ## Bonus, open-ended
# Think of an attention for displaced references: what should its logits depend on? Write it as a
# function for `spatial_attention`, and name the experiment that would show that it works.
#
# How far you are, over all ten notebooks (save this one first):

# %% tags=["varies"]
course.progress()

# %% tags=["varies"]
course.report()

# %% [markdown]
# ## References
# - Huang et al., *Accurate Multi-contrast MRI Super-Resolution via a Dual Cross-Attention Transformer
#   Network*, MICCAI 2023: Eqs. 1 to 5, Fig. 3.
# - Shaker et al., *UNETR++*, 2022; its repository's issue 62 on the merge of heads.
# - Rogozhnikov, *Einops: clear and reliable tensor manipulations with Einstein-like notation*,
#   ICLR 2022.
# - Anatomy: Colin27, McGill University; see the [licence and origin](../assets/brain/README.md).
#
# **Not for clinical use.**
