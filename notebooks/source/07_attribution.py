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
# # 07 Attribution: what does a patch owe to which contrast?
#
# You will be able to
# - compute integrated gradients along a blur path, and check that they are complete,
# - state in numbers how much a result relies on the reference, and what those numbers depend on,
# - test whether a picture of attention agrees with attribution, with controls that could say no.
#
# You need: [notebook 00](00_start_here.ipynb) and [notebook 03](03_dcamsr_in_einops.ipynb), and the
# word gradient. Measured: {{MINUTES}} minutes on two CPU cores. Real anatomy, simulated contrasts.
# **Not for clinical use.**

# %%
import torch
from matplotlib.figure import Figure

import dcamsr_lite as dl
from dcamsr_lite import course
from dcamsr_lite.interpret import attribution, deletion, sanity
from dcamsr_lite.interpret.patch_target import TARGETS, smooth

# %% [markdown]
# The network is `lite-4x-footprints`, whose spatial attention is of the paper's kind: it reads sums
# over the whole reference. `lite-4x` of notebook 00 looks for the reference's place instead: that is
# another question, and has a section of its own, further down.

# %%
pair = dl.simulated_pair(dl.DEMO_SEED, scale=4, slices=6)
slice_ = 3
lr, ref = pair.lr[[slice_]], pair.ref[[slice_]]
model = dl.load("lite-4x-footprints").eval().requires_grad_(False)

# %% [markdown]
# ## Begin where the answer is known
# A method that explains networks can be wrong, and then the picture still looks good. So first a
# "network" whose explanation is known: it copies the reference, shifted one row down and two columns
# to the right, and ignores the low-resolution image.


# %%
def copy(lr, ref):
    return ref.roll((1, 2), dims=(2, 3))


# %% [markdown]
# ## Exercise 1: where does it come from?
# **Predict.** Pixel (8, 8) of the output, (row, column): which pixel of the reference is it? Give
# `[row, column]`.

# %%
### BEGIN SOLUTION
source = [7, 6]
### END SOLUTION

# %%
course.check("reliance.where", source)

# %% [markdown]
# ## A path from blurred to sharp
# The gradient of an output says what would happen after a *small* change. What the image as a whole
# did is the sum of such changes on the way from an image without the detail to the image itself. Here
# the way is a Gaussian blur that fades out (LAM, Gu and Dong 2021): every image on it still looks
# like a head, only less sharp.

# %%
sigma = 4.8  # of the first blur, in pixels of the reference: 1.2 pixels of the low-resolution image
course.show(
    {f"t = {t}": smooth(ref, sigma * (1 - t))[0, 0] for t in (0.0, 0.5, 1.0)},
    alt="The T1 image at the start, the middle and the end of the path: ever sharper.",
    label="normalised signal",
    limit=3.0,
)

# %% [markdown]
# Both contrasts walk together. To keep the formula short, both are one long vector `x`:


# %%
def split(x):
    """The long vector as the two images."""
    low, sharp = x.split([lr.numel(), ref.numel()])
    return low.view_as(lr), sharp.view_as(ref)


def path(t):
    """Both images at time t: blurred at 0, as they are at 1; the same length of blur in mm."""
    images = smooth(lr, sigma / 4 * (1 - t)), smooth(ref, sigma * (1 - t))
    return torch.cat([image.flatten() for image in images])


# %% [markdown]
# A *question* is a number that depends on `x`. Two kinds: the mean of a patch (row, column, rows,
# columns), or its *detail*, the sum of the edges' strengths. `asked` makes the question and its
# gradient.


# %%
def asked(f, patch, kind):
    """Two functions of x: the number, and its gradient."""

    def value(x):
        return TARGETS[kind](f(*split(x)), patch)

    def gradient(x):
        x = x.detach().requires_grad_()
        return torch.autograd.grad(value(x).sum(), x)[0]

    return value, gradient


# %% [markdown]
# ## Exercise 2: integrate
# Cut the path into `steps` straight pieces. Each piece adds the gradient at the mean of its two end
# images, times the piece itself (end minus start).
#
# **Predict.** The sum of *all* attributions: which number should it be?


# %%
def integrate(gradient, path, steps):
    """Attributions of the size of x."""
    ### BEGIN SOLUTION
    total = 0
    for k in range(steps):
        start, end = path(k / steps), path((k + 1) / steps)
        total = total + gradient((start + end) / 2) * (end - start)
    return total
    ### END SOLUTION


# %%
course.check("reliance.integrate", integrate)

# %%
integrate_ = course.use("reliance.integrate", integrate)
value, gradient = asked(copy, (8, 8, 1, 1), "mean")
low, sharp = split(integrate_(gradient, path, 1))
print("largest on the reference at", divmod(int(sharp.abs().argmax()), ref.shape[-1]))
print("pixels that count:", int((sharp != 0).sum()), "on the reference,", int((low != 0).sum()))

# %% [markdown]
# One pixel, the right one, and none of the image that the function ignores. Now completeness: the sum
# should be the number at the end of the path minus the number at its start. The mean is linear; the
# detail is not.

# %%
place = (60, 60, 8, 8)
for kind in ("mean", "detail"):
    value, gradient = asked(copy, place, kind)
    difference = float(value(path(1.0)) - value(path(0.0)))
    for steps in (1, 4, 16):
        off = abs(float(integrate_(gradient, path, steps).sum()) / difference - 1)
        print(f"{kind:<7}{steps:>3} steps: off by {100 * off:.2f} %")

# %% [markdown]
# **Explain.** Why does one step suffice for the mean? The strength of an edge has a kink where the
# edge vanishes: why can the error grow before it falls? That is why the sum is always checked.

# %%
course.answer("reliance.kink")

# %% [markdown]
# ## The network
# Three patches of the output, asked for their detail. The third holds a few pixels of lesions
# and the edge of a ventricle, which T1 shows, too.

# %%
patches = {"ventricle": (62, 68, 8, 8), "cortex": (40, 32, 8, 8)}
patches["lesion and ventricle edge"] = (70, 48, 8, 8)
with torch.inference_mode():
    output = model(lr, ref)
figure = course.picture(
    {"T1": ref[0, 0] - ref.min(), "output": (output - output.min())[0, 0]},
    label="normalised signal, from its minimum",
)
for axes in figure.axes[:2]:
    for number, (row, column, height, width) in enumerate(patches.values(), 1):
        box = [column, column + width, column + width, column, column]
        axes.plot(box, [row, row, row + height, row + height, row], color="orange")
        axes.text(column - 2, row, str(number), color="orange", fontsize=9, va="top", ha="right")
figure.suptitle(", ".join(f"{n} {name}" for n, name in enumerate(patches, 1)), fontsize=9)
course.show(
    figure,
    alt="T1 and the output, with three numbered boxes: ventricle, cortex, lesion and ventricle edge.",
)

# %% [markdown]
# Your integral, and the package's, which halves the worst piece until the sum is right to 0.5 %:

# %%
steps = course.budget(8, fast=1)
value, gradient = asked(model, patches["ventricle"], "detail")
low, sharp = split(integrate_(gradient, path, steps))
off = abs(float(low.sum() + sharp.sum()) / float(value(path(1.0)) - value(path(0.0))) - 1)
print(f"yours, {steps} steps: off by {100 * off:.1f} %")

# %%
found = {
    name: attribution.blur_path(model, lr, ref, patch, "detail", steps=steps).result()
    for name, patch in course.watch([*patches.items()][: course.budget(3, fast=2)])
}
for name, one in found.items():
    print(f"{name:<25} off by {100 * one.completeness_error:.1f} %")
same = torch.corrcoef(torch.stack([sharp.flatten(), found["ventricle"].ref.flatten()]))[0, 1]
print(f"correlation of your map with the package's: {same:.2f}")

# %%
one = found["ventricle"]
for name, image in {"T2, low resolution": one.lr, "T1, reference": one.ref}.items():
    course.show(
        {f"ventricle's detail: {name}": image},
        alt=f"Attribution on {name}: strong of both signs near the patch, weak elsewhere.",
        kind="signed",
        label="adds to the detail",
        limit=float(image.abs().quantile(0.999)),
    )

# %% [markdown]
# Orange pixels made the detail, blue ones worked against it. Near the patch, on both contrasts.
#
# ## Exercise 3: how spread out?
# LAM's diffusion index is 100 (1 - G), where G is the Gini coefficient of the magnitudes: 0 if all
# pixels count alike, near 1 if one does. With the n magnitudes sorted, the smallest first and i from
# 1:
#
# G = sum_i (2 i - n - 1) g_i / (n sum_i g_i)


# %%
def diffusion(attributions):
    """Diffusion index of a map (row, column)."""
    ### BEGIN SOLUTION
    g = attributions.abs().flatten().double().sort().values
    n = len(g)
    i = torch.arange(1, n + 1)
    return float(100 * (1 - ((2 * i - n - 1) * g).sum() / (n * g.sum())))
    ### END SOLUTION


# %%
course.check("reliance.diffusion", diffusion)

# %%
diffusion_ = course.use("reliance.diffusion", diffusion)
for name, one in found.items():
    wide, coarse = diffusion_(one.ref), diffusion_(one.lr)
    print(f"{name:<25} reference {wide:5.1f}   low resolution {coarse:5.1f}")

# %% [markdown]
# **Explain.** Down a column the numbers can be compared. Along a row they cannot: why not?

# %%
course.answer("reliance.grids")

# %% [markdown]
# ## Exercise 4: how much of it is the reference?
# Two answers to two questions. *Signed*: the reference's signed sum over the detail that was gained:
# the part that it explains. It is a share only because the maps add up: where they do not, there is
# none. *Absolute*: its sum of |attribution| over that on both contrasts: how much went on there, also
# what cancelled. Write the absolute one.
#
# **Predict.** Which of the two is larger, and is either larger for the patch with lesions?


# %%
def share(lr, ref):
    """Absolute share of the reference, from both maps."""
    ### BEGIN SOLUTION
    low, sharp = lr.abs().sum(), ref.abs().sum()
    return float(sharp / (low + sharp))
    ### END SOLUTION


# %%
course.check("reliance.share", share)

# %%
share_ = course.use("reliance.share", share)
print(f"{'':<25} detail gained   by T1   by T2   signed share   absolute share")
for name, one in found.items():
    by_t1, by_t2 = one.net["ref"], one.net["lr"]
    print(
        f"{name:<25}{one.value - one.start:>14.1f}{by_t1:>8.1f}{by_t2:>8.1f}"
        f"{one.net_share:>15.2f}{share_(one.lr, one.ref):>17.2f}"
    )

# %% [markdown]
# In the patch with lesions, too, T1 explains a part of the detail. Whether that is detail of the
# lesions or of the ventricle's edge, neither share tells: each is one number for the whole patch. And
# attribution says what was *used*, not that it was right.
#
# Say the signed share first. The absolute one counts every pixel's magnitude, and a finer grid has
# more pixels that work against each other: it is larger for the contrast with more pixels, and
# compares places, or networks, on the same grids only. Neither is a percentage of truth.
#
# The same in the explorer: drag the patch, choose a method, press run.

# %%
dl.explore_attribution(model, pair, slice=slice_)

# %% [markdown]
# ## Does attention agree?
# The lifted attention of the same patch, at the three levels, beside the attribution:

# %%
lifted = {name: attribution.lifted_attention(model, lr, ref, patches[name]) for name in found}
maps = {"attribution": found["ventricle"].ref.abs()}
maps |= {f"attention, level {n}": lifted["ventricle"][n].abs() for n in (1, 2, 4)}
for name, image in maps.items():
    maps[name] = image / image.quantile(0.999)
course.show(
    maps,
    alt="Attribution lies around the ventricle; attention is spread over large parts of the head.",
    kind="magnitude",
    label="of its 99.9 % quantile",
    limit=1.0,
)

# %% [markdown]
# ## Exercise 5: a number for it
# Rank correlation: take the mean of |attribution| over each pixel of the level (the attention is
# smaller), rank both maps' magnitudes, and correlate the ranks. 1 is the same order, 0 none.


# %%
def agreement(attributions, attention):
    """Maps (H, W) and (H / level, W / level) -> rank correlation of the magnitudes."""
    ### BEGIN SOLUTION
    pooled = torch.nn.functional.adaptive_avg_pool2d(attributions.abs()[None], attention.shape)
    ranks = [x.flatten().argsort().argsort().double() for x in (pooled, attention.abs())]
    return float(torch.corrcoef(torch.stack(ranks))[0, 1])
    ### END SOLUTION


# %%
course.check("reliance.agreement", agreement)

# %% [markdown]
# ## Exercise 6: compared with what?
# A correlation alone says little. Two controls:
# - the attention of the *other* patches, which should fit worse,
# - maps that know nothing of the network: the edges of T1, and nearness to the patch.
#
# **Predict.** Which attention fits a patch's attribution better, on average: its `"own"`, that of
# `"others"`, `"about the same"`, or `"neither fits"`?

# %%
### BEGIN SOLUTION
own = "about the same"
### END SOLUTION

# %%
course.check("reliance.own", own)


# %%
def nearness(patch):
    """Larger is nearer to the middle of the patch."""
    row, column, height, width = patch
    rows, columns = torch.arange(128.0) - row - height / 2, torch.arange(128.0) - column - width / 2
    return 200 - (rows[:, None].square() + columns.square()).sqrt()


# %%
agreement_ = course.use("reliance.agreement", agreement)


def average(pairs):
    values = [agreement_(found[a].ref, image) for a, image in pairs]
    return sum(values) / len(values)


# %%
names = [*found]
table = {}
for n in (1, 2, 4):
    table[f"attention, level {n}, own"] = average((a, lifted[a][n]) for a in names)
    others = [(a, lifted[b][n]) for a in names for b in names if a != b]
    table[f"attention, level {n}, others"] = average(others)
edges = (ref - smooth(ref, 1.0))[0, 0]
table["edges of T1"] = average((a, edges) for a in names)
table["nearness to the patch"] = average((a, nearness(patches[a])) for a in names)

# %%
figure = Figure(figsize=(6, 2.8), layout="constrained")
axes = figure.subplots()
axes.barh([*table][::-1], [*table.values()][::-1], color="grey")
axes.set(xlabel="rank correlation with the attribution", xlim=(0, 1))
course.show(
    figure, alt="Own and foreign attention correlate alike with the attribution; edges do better."
)
for name, number in table.items():
    print(f"{name:<28}{number:.2f}")

# %% [markdown]
# **Explain.** Attention agrees with attribution, if "above zero" is enough. Why does the foreign
# attention agree as well? What do all these maps share?

# %%
course.answer("reliance.foreign")

# %% [markdown]
# ## Exercise 7: delete and see
# Correlations compare maps with maps. Deletion asks the network: blur the reference's pixels, those
# that a map ranks first, first, and watch how far the patch moves. A good map moves it soon. The
# *early score* says how soon: the mean change over the first tenth of the pixels, divided by the
# change when all are blurred. (Over the whole curve every order blurs the pixels that matter by and
# by: that area hardly tells attribution from chance.) One order by chance is an anecdote: ten of them
# are a band.
#
# **Predict.** Which curve comes closest to the attribution's: `"attention"`, `"distance"` (nearest
# first), `"chance"`, or `"none"`?

# %%
### BEGIN SOLUTION
closest = "distance"
### END SOLUTION

# %%
course.check("reliance.deletion", closest)

# %%
parts = (0.01, 0.02, 0.05, 0.1, 1.0)[:: course.budget(1, fast=4)]


def judge(patch, order):
    return deletion.deletion_curve(model, lr, ref, patch, order, fractions=parts).result()


def orders_of(name):
    orders = {"attribution": found[name].ref}
    orders |= {f"attention, level {n}": lifted[name][n] for n in (1, 2, 4)}
    return orders | {"distance": nearness(patches[name]), "edges of T1": edges}


curves = {
    name: {
        which: judge(patches[name], order) for which, order in course.watch(orders_of(name).items())
    }
    for name in found
}
chance_orders = deletion.draw_orders((128, 128), course.budget(10, fast=2))
chance = {
    name: [judge(patches[name], order) for order in course.watch(chance_orders)] for name in found
}

# %%
figure = Figure(figsize=(9, 3.4), layout="constrained")
styles = ["k-", "C0-", "C0--", "C0:", "C1-", "C1--"]  # attention is blue, rulers are orange
for axes, name in zip(
    figure.subplots(1, len(found), sharey=True, squeeze=False)[0], found, strict=True
):
    drawn = torch.tensor([one.change for one in chance[name]])
    axes.fill_between(parts, drawn.amin(0), drawn.amax(0), color="0.85", label="chance, ten orders")
    for style, (which, curve) in zip(styles, curves[name].items(), strict=True):
        axes.plot(parts, curve.change, style, label=which, marker=".")
    axes.set(xscale="log", xlabel="part of the reference blurred", title=name)
figure.axes[0].set_ylabel("change of the patch")
handles = axes.get_legend_handles_labels()
figure.legend(*handles, fontsize=8, ncols=4, loc="outside lower center")
course.show(
    figure,
    alt="For each patch: attribution and distance rise at once; attention and edges rise late, in or"
    " near the grey band of chance, with one exception.",
)

# %%
print(f"{'early score':<20}", *(f"{name[:12]:>13}" for name in found))
for which in orders_of("ventricle"):
    print(f"{which:<20}", *(f"{curves[name][which].early:>13.2f}" for name in found))
for word, pick in (("least", min), ("most", max)):
    print(
        f"chance, {word:<12}", *(f"{pick(c.early for c in chance[name]):>13.2f}" for name in found)
    )

# %% [markdown]
# So the attribution is right about what matters, far above chance, on every patch; and a ruler is,
# too, as good or better. These patches need the reference around themselves. The edges of T1, which
# agree with the attribution best in rank (exercise 6), say little about what matters; nor, as a rule,
# does the lifted attention: its nine scores lie in or near the band of ten orders by chance. Some lie
# above it. By how much? And how often would one of eleven equally good orders be the best of them?
#
# ## A network that looks
# All of this is about attention that sums up the whole reference. That of `lite-4x` looks: each pixel
# weighs the pixels around it, to find where the reference lies. With the reference in place a ruler
# finds the same. So move it, two rows down and three columns to the right: now attention and ruler
# name different pixels, and deletion decides. Each blurs its first 8 pixels (0.05 %). Chance draws
# them within five pixels of the patch: it may be near, too.
#
# **Predict.** Six patches of 2 x 2 at strong edges. Which blur changes the patch most, with the
# reference in place, and which with the reference moved?

# %%
looker = dl.load("lite-4x").eval().requires_grad_(False)
moved = ref.roll((2, 3), (2, 3))
spots = [(72, 28), (48, 28), (24, 36), (88, 100), (32, 92), (72, 52)][: course.budget(6, fast=1)]


def by_chance(spot, seed):
    draw = torch.rand(128, 128, generator=torch.Generator().manual_seed(seed))
    return draw + (nearness((*spot, 2, 2)) > 200 - 5)  # those within five pixels come first


# %%
def first_eight(image, spot):
    """Change of the patch when the first 8 pixels of each order are blurred."""
    where = (*spot, 2, 2)
    orders = {"attention": attribution.lifted_attention(looker, lr, image, where)[1]}
    orders["ruler"] = deletion.nearness((128, 128), where)
    orders |= {f"chance {n}": by_chance(spot, n) for n in range(3)}
    return {
        name: deletion.deletion_curve(looker, lr, image, where, order, fractions=(0.0005,))
        .result()
        .change[0]
        for name, order in orders.items()
    }


# %%
for place, image in {"in place": ref, "moved": moved}.items():
    print(f"{place:<18}attention   ruler   chance, three draws")
    for spot in spots:
        attention_, ruler, *draws = first_eight(image, spot).values()
        chance_ = f"{min(draws):.2f} to {max(draws):.2f}"
        print(f"  at {spot!s:<12}{attention_:>10.2f}{ruler:>8.2f}   {chance_}")

# %% [markdown]
# In place, both name much the same pixels, and one is as good as the other. Moved, the attention's
# pixels change every patch about as much as before; the ruler's, at the patch, hardly any. So here the
# attention is right about what matters, where nearness is wrong: it has followed the reference. (One
# head, one move, six places.) Whether a map of attention explains is a question to each kind of
# attention, and the control has to be one that can be wrong.
#
# ## Is it the network's at all?
# A map can look right because the *image* shows through. The test (Adebayo et al. 2018): draw the
# weights anew, part by part from the output to the input, and make the map again. A map that stays as
# it was says nothing of what was learned. Rank correlation with the map of the trained network, of
# signed values and of magnitudes.
#
# **Predict.** The edges of T1 cannot change. What of the attribution will be left when all weights are
# random: its signs, its magnitudes, or neither?

# %%
patch = patches["ventricle"]


def by_path(network):
    path_ = attribution.blur_path(network, lr, ref, patch, "detail", steps=course.budget(2, fast=1))
    return path_.result().ref


def by_attention(network):
    return attribution.lifted_attention(network, lr, ref, patch)[1]


# %%
explained = {"attribution": by_path, "attention, level 1": by_attention}
explained["edges of T1"] = lambda network: edges
stages = {
    name: sanity.compare_randomised(model, f, walk=course.watch) for name, f in explained.items()
}
for kind in ("signed", "absolute"):
    print(f"{kind:<22}", *(f"{part:>15}" for part in stages["edges of T1"]))
    for name, found_ in stages.items():
        print(f"{name:<22}", *(f"{one[kind]:>15.2f}" for one in found_.values()))

# %% [markdown]
# With the last layer drawn anew hardly anything is left of the *signs*: they are the network's. (What
# is left scatters around zero, to both sides: each column is one draw, so that a single value further
# off means little.) The *magnitudes* never go, quite: with nothing learned at all their order is still
# much like that of the trained network, so that part of it comes from the image and the method. (How
# large a part a rank correlation does not say.) So read signs, and do not take a map's outlines for
# knowledge. The attention of level 1 changes when its own transformer
# is drawn anew, not before: nothing behind it has a part in it.
#
# **Explain.** Exercise 6 found that edges agree well with the attribution's magnitudes. What does this
# test add?

# %%
course.answer("reliance.sanity")

# %% [markdown]
# ## Several networks side by side
# The same patch, the same question, every shipped 4x network (with fewer pieces of the path than in
# exercise 4: a share is off by some hundredths). Compare signed shares where the maps are complete,
# and look whether a difference of two networks is larger than that of two patches. One of them is a
# control: `lite-4x-no-reference` was trained without a reference and reads none, so that its share has
# to be 0.

# %%
rows = {}
for name in [name for name in dl.weights() if "-4x" in name]:
    other = dl.load(name).eval().requires_grad_(False)
    steps_ = course.budget(4, fast=1)
    rows[name] = attribution.blur_path(other, lr, ref, patch, "detail", steps=steps_).result()
    one = rows[name]
    print(
        f"{name:<21} detail gained {one.value - one.start:5.1f}   signed share {one.net_share:.2f}"
        f"   absolute {one.share_of_reference:.2f}   off by {100 * one.completeness_error:.1f} %"
    )

# %%
top, left = patch[0] - 12, patch[1] - 12
course.show(
    {name: one.ref[top : top + 32, left : left + 32] for name, one in rows.items()},
    alt="Attribution of the same patch by each network, 32 x 32 pixels around it: orange in the middle,"
    " weak and of both signs around; strongest for corrected and released, blank without T1.",
    kind="signed",
    label="adds to the detail",
    shared=True,
    dpi=60,
)

# %% [markdown]
# ## Exercise 8: how does it get there?
# All that the reference says goes through two branches. The lifted map is that of the *spatial* one.
#
# **Predict.** Which branch, when cut, ends the influence of the nearby pixels of the reference:
# `"spatial"`, `"channel"`, `"either"` or `"neither"`?

# %%
### BEGIN SOLUTION
branch = "channel"
### END SOLUTION

# %%
course.check("reliance.branch", branch)

# %%
patch = patches["ventricle"]
runs = {"whole": found["ventricle"]}
for name in course.watch(("channel", "spatial")[: course.budget(2, fast=1)]):
    with dl.intervene(model, **{name: "off"}):
        run = attribution.blur_path(model, lr, ref, patch, "detail", steps=steps)
        runs[f"{name} off"] = run.result()

# %%
near = nearness(patch) > 200 - 12  # within 12 pixels of the patch's middle
print("             reference within 12 pixels   signed share   absolute share of the reference")
for name, one in runs.items():
    inside = float(one.ref[near].abs().sum() / one.ref.abs().sum())
    print(f"{name:<12} {inside:>18.2f} {one.net_share:>20.2f} {one.share_of_reference:>16.2f}")

# %% [markdown]
# **Explain.** The channel branch has no map to look at: its attention is `d x d`, features by
# features. Why does it carry the place of every pixel all the same (notebook 03, exercise 4)?

# %%
course.answer("reliance.place_kept")

# %% [markdown]
# ## State the reliance
# A statement that someone else can check names the network, the data, the question, the path and the
# spread. From the cells above:

# %%
signed = [one.net_share for one in found.values()]
shares = [one.share_of_reference for one in found.values()]
worst = max(one.completeness_error for one in found.values())
own4, others4 = (table[f"attention, level 4, {whose}"] for whose in ("own", "others"))
print(
    f"lite-4x-footprints, {len(shares)} patches of 8 x 8, a slice of a simulated head. The reference\n"
    f"explains {min(signed):.2f} to {max(signed):.2f} of the detail gained (signed sums; it has\n"
    f"{min(shares):.2f} to {max(shares):.2f} of the magnitudes), on a blur path from sigma\n"
    f"{sigma} pixels, complete to {100 * worst:.1f} %. Lifted spatial attention, level 4: rank\n"
    f"correlation {own4:.2f} with the patch's own, {others4:.2f} with that of other patches."
)

# %% [markdown]
# **Explain.** Which of these numbers would you expect to change with another question (`"mean"`
# instead of `"detail"` in the calls of `blur_path`), with another sigma, with another head? Try one.

# %%
course.answer("reliance.would_change")

# %% [markdown]
# ## Recap
# - An attribution is trusted after a case with a known answer, and with its sum checked.
# - Here T1 explains about a third of the detail of these patches, by signed sums on a blur path.
# - Attention that sums up the whole reference agrees with it no better than any map of the head does;
#   a ruler predicts what matters.
# - Attention that looks for the reference is right about what matters where a ruler is wrong: with
#   the reference moved, deletion tells the two apart.
#
# ## Bonus, open-ended
# Find a patch where the nearest pixels of the reference are *not* what matters most. If you find
# none, say how you searched, so that someone else could believe it.
#
# How far you are, over all ten notebooks (save this one first):

# %% tags=["varies"]
course.progress()

# %% tags=["varies"]
course.report()

# %% [markdown]
# ## References
# - Gu and Dong, *Interpreting Super-Resolution Networks with Local Attribution Maps*, CVPR 2021: the
#   path, the detector of detail, the diffusion index.
# - Sundararajan, Taly and Yan, *Axiomatic Attribution for Deep Networks*, ICML 2017: completeness.
# - Petsiuk, Das and Saenko, *RISE*, BMVC 2018: deletion.
# - Jain and Wallace, *Attention is not Explanation*, NAACL 2019; Wiegreffe and Pinter, *Attention is
#   not not Explanation*, EMNLP 2019.
# - Adebayo et al., *Sanity Checks for Saliency Maps*, NeurIPS 2018: why controls.
# - Anatomy: Colin27, McGill University; see the [licence and origin](../assets/brain/README.md).
#
# **Not for clinical use.**
