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
# # 04 Attention microscope: what a picture shows, and what a cut shows
#
# You will be able to
# - compute a lifted map from attention and footprints, and say what of it belongs to the query,
# - measure how far attention is from uniform, and read a channel matrix,
# - test what a picture suggests by a cut, and say when the two disagree.
#
# You need: [notebook 03](03_dcamsr_in_einops.ipynb), or its words: query, projected token, head.
# Measured: {{MINUTES}} minutes on two CPU cores. Real anatomy, simulated contrasts.
# **Not for clinical use.**

# %%
from math import log

import torch
from IPython.display import display
from matplotlib.figure import Figure

import dcamsr_lite as dl
from dcamsr_lite import course
from dcamsr_lite.interpret.interventions import edit
from dcamsr_lite.kspace import shift

# %% [markdown]
# ## One pass, recorded
# A blurred T2 asks, a sharp T1 answers, at three levels: level 1 has the image's pixels, at level 4 a
# pixel is 4 x 4 of them. `dl.trace` keeps both attentions of a pass.

# %%
pair = dl.simulated_pair(dl.DEMO_SEED, scale=4, slices=6)
model = dl.load("lite-4x-footprints").eval()
slice_ = 3

# %%
with torch.inference_mode(), dl.trace(model) as record:
    model(pair.lr[[slice_]], pair.ref[[slice_]])
for level in (1, 2, 4):
    sizes = (tuple(maps[level].shape) for maps in (record.spatial, record.channel))
    print(level, "spatial (b head n p) {}   channel (b head d d) {}".format(*sizes))

# %% [markdown]
# The same pass under the microscope. Ask pixels in the ventricles, in white matter, at the skull. Try
# each level, single heads, and "minus uniform".
#
# **Predict.** Note now, for one pixel: which part of the reference does the network use for it? You
# will test that at the end.

# %%
dl.explore(model, pair, slice=slice_, tour=True)

# %% [markdown]
# ## Exercise 1: lift attention to pixels
# A query's attention is a few weights, one per projected token. Each token is a weighted sum over the
# reference's pixels. Its weights are a picture, the token's *footprint*:


# %%
footprints = record.tokens(1)
course.show(
    {f"footprint {p}": footprints[p] for p in (27, 36)},
    outline=pair.reference_image[slice_],
    alt="Two trained footprints, each with positive and negative weights all over the head.",
    kind="signed",
    label="weight",
    shared=True,
)

# %% [markdown]
# So reference pixel j weighs the sum over p of A[p] F[p, j]. With `relative`, A[p] - 1/P takes the
# place of A[p], with P the number of tokens: how this query differs from uniform attention. (Whether
# it differs from the *other queries*, too, is the question of exercise 2.)
#
# By hand, three queries, two tokens, three pixels, in the numbers of [notebook
# 03](03_dcamsr_in_einops.ipynb). Row n of the maps is the map of query n:

# %%
course.by_hand("microscope.lift")


# %%
def lift(attention, footprints, relative):
    """attention (p), footprints (p h w) -> (h w), signed."""
    ### BEGIN SOLUTION
    weights = attention - relative / len(attention)
    return torch.einsum("p, p h w -> h w", weights, footprints)
    ### END SOLUTION


# %%
course.check("microscope.lift", lift)

# %%
lift_ = course.use("microscope.lift", lift)
row, column = 64, 64
attention = record.spatial[1][0, :, row * 128 + column].mean(0)  # mean over heads
mine = lift_(attention, footprints, False)
print("the package's map, to float precision:", torch.allclose(mine, record.lift(1, (row, column))))

# %%
print(f"sum of the attention {attention.sum():.2f}, of the lifted map {mine.sum():.2f}")
print(f"least attention {attention.min():.4f}, least weight of a pixel {mine.min():.4f}")

# %% [markdown]
# **Explain.** A softmax gives positive weights that sum to one. Where do the negative ones come from,
# and why need the map not sum to one?

# %%
course.answer("microscope.negative")

# %% [markdown]
# ## Exercise 2: whose map is it?
# Three queries, far apart. How alike are their maps?
#
# **Predict.** The correlation of their absolute maps (`relative` off) at level 1: `"near 1"`,
# `"near 0.5"`, `"near 0"` or `"near -1"`?

# %%
### BEGIN SOLUTION
alike = "near 1"
### END SOLUTION

# %%
course.check("microscope.alike", alike)

# %%
queries = [(50, 45), (60, 80), (64, 64)]


def lifted(level, relative):
    at = [(row // level, column // level) for row, column in queries]
    return torch.stack([record.lift(level, query, relative=relative) for query in at])


# %%
def show_queries(maps, alt):
    shown = {f"query {query}": image for query, image in zip(queries, maps, strict=True)}
    look = {"kind": "signed", "label": "weight", "shared": True}
    anatomy = pair.reference_image[slice_]
    course.show(shown, alt=alt, outline=anatomy, marks=queries, **look)


# %%
show_queries(
    lifted(1, relative=False),
    "Absolute maps of three queries, marked by crosses: the same picture three times.",
)
show_queries(
    lifted(1, relative=True),
    "Maps relative to uniform: they differ, with positive and negative peaks away from their crosses.",
)

# %%
for relative, name in ((False, "absolute"), (True, "relative to uniform")):
    least = [float(torch.corrcoef(lifted(n, relative).flatten(1)).min()) for n in (1, 2, 4)]
    print(f"{name:<20} least correlation at levels 1, 2, 4: {[round(c, 2) for c in least]}")

# %% [markdown]
# The absolute map looks like anatomy. But every query has the same one: it shows the footprints, not
# what a query looks for. And at levels 2 and 4 even the maps relative to uniform agree: attention can
# be far from uniform and still ask little about the query.
#
# **Explain.** What would you have to subtract there, to see what a query does differently from other
# queries? Answer before you run the next cells.

# %%
course.answer("microscope.subtract")

# %%
few = torch.randperm(128 * 128, generator=torch.Generator().manual_seed(0))[:30]
places = [divmod(int(place), 128) for place in few]


def alike_on_average(level, relative):
    at = [(row // level, column // level) for row, column in places]
    maps = torch.stack([record.lift(level, query, relative=relative).flatten() for query in at])
    return float(torch.corrcoef(maps)[tuple(torch.triu_indices(30, 30, 1))].mean())


# %%
print("30 queries, mean correlation of two maps; share of the map that is the query's own")
for level in (1, 2, 4):
    shared, own = (alike_on_average(level, how) for how in (True, "queries"))
    share = float(record.own_share(level))
    print(
        f"level {level}: minus uniform {shared:.2f}, minus the queries' mean {own:.2f}   {share:.2f}"
    )

# %% [markdown]
# So "minus uniform" is not the query's own part. The microscope above offers both, and prints the
# share: the mean square of the second map over that of the first.
#
# ## Exercise 3: entropy
# One number for how choosy attention is: -sum A log A over a row, divided by its maximum, then the mean
# over queries. 0 is one-hot, 1 is uniform. Mind the axis, the maximum, and rows with zeros. By hand:

# %%
course.by_hand("microscope.entropy")


# %%
def entropy(attention):
    """b head n p -> b head."""
    ### BEGIN SOLUTION
    rows = torch.special.entr(attention).sum(dim=-1) / log(attention.shape[-1])
    return rows.mean(dim=-1)
    ### END SOLUTION


# %%
course.check("microscope.entropy", entropy)

# %%
entropy_ = course.use("microscope.entropy", entropy)
branches = {"spatial": record.spatial, "channel": record.channel}
print("entropy of heads 0 to 7, and their mean")
for branch, maps in branches.items():
    for level in (1, 2, 4):
        heads = entropy_(maps[level])[0]
        print(branch, level, " ".join(f"{e:.2f}" for e in heads), f"  {heads.mean():.2f}")

# %% [markdown]
# Every query has its own entropy. As a picture, for the least and the most uniform head of level 1:

# %%
heads = entropy_(record.spatial[1])[0]
rows = torch.special.entr(record.spatial[1][0]).sum(-1).view(8, 128, 128) / log(64)
chosen = {"least uniform": heads.argmin(), "most uniform": heads.argmax()}
course.show(
    {f"{name}: head {int(head)}": rows[head] for name, head in chosen.items()},
    alt="Entropy of each query: one head is lowest in the air, the other varies inside the head.",
    kind="magnitude",
    label="entropy (1: uniform)",
    limit=1.0,
)

# %% [markdown]
# **Explain.** Where is the least uniform head choosiest, and how much can the network learn there? What
# does a mean over all queries say, then?

# %%
course.answer("microscope.air")

# %% [markdown]
# ## Exercise 4: read a channel matrix
# In the channel branch a *row* says what one feature of the query takes, a *column* who takes one
# feature of the reference. An example, rows and columns counted from 0, from the top and from the left:

# %%
third = 1 / 3
toy = [[0.7, 0.1, 0.2, 0.0], [third, third, third, 0.0], [0.1, 0.8, 0.1, 0.0], [0.0, 0.1, 0.9, 0.0]]
course.show(
    {"toy matrix": torch.tensor(toy)},
    alt="A 4 x 4 matrix of weights.",
    kind="magnitude",
    label="weight",
    limit=1.0,
)

# %% [markdown]
# **Predict.** Which feature of the *query* takes a plain average of those it uses, and which feature of
# the *reference* is taken by none? Two numbers.

# %%
### BEGIN SOLUTION
reads = [1, 3]
### END SOLUTION

# %%
course.check("microscope.reads", reads)

# %%
course.show(
    {f"head {head}": record.channel[1][0, head] for head in (1, 2, 4, 6)},
    alt="Trained matrices of level 1: two heads with favourites, one in pairs, one nearly uniform.",
    kind="magnitude",
    label="weight",
    limit=1.0,
)

# %% [markdown]
# **Explain.** Which of these heads would change least if its attention were made uniform?

# %%
course.answer("microscope.least_changed")

# %% [markdown]
# ## Exercise 5: mix the features
# What a matrix does to pictures: feature i of the result is the sum over j of A[i, j] times feature j
# of the reference, at every pixel. No pixel is moved. By hand, two features at three pixels:

# %%
course.by_hand("microscope.mix")


# %%
def mix(attention, value):
    """attention (head d d), value (head d h w) -> (head d h w)."""
    ### BEGIN SOLUTION
    return torch.einsum("hij, hjyx -> hiyx", attention, value)
    ### END SOLUTION


# %%
course.check("microscope.mix", mix)

# %%
mix_ = course.use("microscope.mix", mix)
value = record.features[1].value[0]
mixed = mix_(record.channel[1][0], value)
pictures = {f"reference, feature {j}": value[4, j] for j in (0, 3)}
pictures["mixed, feature 0"] = mixed[4, 0]
course.show(
    {name: image[32:96, 32:96] for name, image in pictures.items()},
    alt="Head 4, the middle of the head: two features of the reference and a mixed one, all sharp.",
    kind="signed",
    label="feature",
)

# %% [markdown]
# ## Exercise 6: cut
# So far we looked. Now we act: a branch "off" hands on nothing at all.
#
# **Predict.** Which costs most? Name a branch and a level, as `["spatial", 4]`. The entropies above say
# where attention is choosy.

# %%
### BEGIN SOLUTION
cut = ["channel", 1]
### END SOLUTION

# %%
course.check("microscope.cut", cut)

# %%
one = edit(pair, slice_, dl.Intervention())  # this slice alone


def quality(**change):
    with dl.intervene(model, **change):
        return dl.psnr(one.target_image, dl.super_resolve(model, one))


# %%
def costs_of(state):
    return {
        (branch, level): quality() - quality(**{branch: state}, levels=[level])
        for branch in branches
        for level in (1, 2, 4)
    }


off = costs_of("off")
for (branch, level), cost in off.items():
    print(f"{branch}, level {level}: {round(cost, 2) + 0:5.2f} dB")

# %% [markdown]
# **Explain.** The spatial branch has the choosier heads. The channel branch is nearer to uniform, and
# its cuts cost most. What is it that the channel branch hands on?

# %%
course.answer("microscope.hands_on")

# %% [markdown]
# ## Exercise 7: off or uniform
# "Off" takes the values away *and* the choice among them. "Uniform" takes the choice only: every row of
# the attention is an average.
#
# **Predict.** The dearest cut of the table, but uniform instead of off: does it cost `"nothing"`,
# `"less than half"`, `"more than half"`, `"as much"` or `"more"`?

# %%
### BEGIN SOLUTION
uniform = "less than half"
### END SOLUTION

# %%
course.check("microscope.uniform", uniform)

# %%
flat = costs_of("uniform")
figure = Figure(figsize=(6.4, 2.6), layout="constrained")
axes = figure.subplots()
places = range(len(off))
axes.bar([p - 0.2 for p in places], off.values(), 0.4, label="off", color="0.25")
axes.bar([p + 0.2 for p in places], flat.values(), 0.4, label="uniform", color="0.7")
axes.set_xticks(places, [f"{branch}\nlevel {level}" for branch, level in off], fontsize=8)
axes.set(ylabel="cost, dB")
axes.legend()
course.show(
    figure,
    alt="Cost of six cuts: channel off at level 1 towers above all; uniform costs little anywhere.",
)

# %%
for place in off:
    both = (round(costs[place], 2) + 0 for costs in (off, flat))
    print("{}, level {}: off {:5.2f} dB, uniform {:5.2f} dB".format(*place, *both))

# %% [markdown]
# Level 4 of the spatial branch: attention far from uniform, maps with structure, and both cuts cost
# nothing that this slice could tell. Level 2: the choice is worth about as much as the whole branch.
# The pictures of the two do not say which is which.
#
# ## Exercise 8: is it where it looks?
# A picture makes a claim about a *place*: change the reference there, and this pixel answers. Test it.
# A bright disc is added to the reference: once where the query's map at level 1 has its *positive* peak
# inside the head, once at the query's own place. (A negative weight is another claim: it gets a disc of
# its own.) The disc adds as much everywhere; a dark one would stop at zero, in dark tissue sooner.
# Peaks within eight pixels of the query do not count: the two discs would be one.
#
# **Predict.** Where does the disc change the output *at the query* more: `"the peak"`,
# `"its own place"`, `"both alike"` or `"neither"`?

# %%
### BEGIN SOLUTION
elsewhere = "its own place"
### END SOLUTION

# %%
course.check("microscope.elsewhere", elsewhere)

# %%
before = dl.run_intervention(model, pair, slice_)
inside = pair.reference_image[slice_] > 0.15
rows, columns = torch.meshgrid(torch.arange(128), torch.arange(128), indexing="ij")


def peaks(query):
    """Where the map is most positive, and where most negative."""
    far = (rows - query[0]).square() + (columns - query[1]).square() > 8**2
    allowed, weights = inside & far, record.lift(1, query, relative=True)
    highest = weights.where(allowed, -torch.inf).argmax()
    lowest = weights.where(allowed, torch.inf).argmin()
    return divmod(int(highest), 128), divmod(int(lowest), 128)


# %%
def change(place):
    disc = dl.Lesion("reference", *place, radius=4, strength=0.3)
    wanted = dl.Intervention(lesions=(disc,))
    return (
        dl.run_intervention(model, pair, slice_, wanted, base=before).output - before.output
    ).abs()


query = queries[0]
highest, lowest = peaks(query)
changes = {"disc at the peak": change(highest), "disc at the query": change(query)}
weights = record.lift(1, query, relative=True)
print(
    f"weight at the positive peak {weights[highest]:+.5f}, at the negative {weights[lowest]:+.5f}"
)

# %%
course.show(
    changes,
    kind="magnitude",
    label="change of the output, a.u.",
    shared=True,
    marks=[tuple(query)],
    alt="Change of the output: each disc changes the output where it lies; the cross, at the query,"
    " lights up in the second picture only.",
)

# %% [markdown]
# Three pixels are anecdotes. So many queries, drawn by chance from the head, and as a control a disc at
# the peak of *another* query's map:

# %%
inside_ = inside.nonzero()
order = torch.randperm(len(inside_), generator=torch.Generator().manual_seed(0))
many = [tuple(place) for place in inside_[order[: course.budget(24, fast=2)]].tolist()]
found = {"positive peak": [], "negative peak": [], "another's peak": [], "its own place": []}
partners = [*many[1:], many[0]]
for query, other in course.watch(zip(many, partners, strict=True)):
    for name, place in zip(found, (*peaks(query), peaks(other)[0], query), strict=True):
        found[name].append(float(change(place)[query]))

# %%
home = torch.tensor(found["its own place"])
for name, values in found.items():
    less = float((torch.tensor(values) < home).float().mean())
    median = float(torch.tensor(values).median())
    print(
        f"disc at {name:<15} median change at the query {median:.4f}, below its own place in {less:.0%}"
    )

# %% [markdown]
# **Explain.** Compare with your note from the beginning. Which parts of the network bring a pixel its
# own place of the reference? The lifted map shows one path of several, and on this path much less
# travels. Does the peak of the query's own map do more than that of another's?

# %%
course.answer("microscope.own_place")

# %% [markdown]
# ## Exercise 9: does the picture agree with the test?
# A few pixels are anecdotes. Take every head of every level and branch: how sharp is it (1 - entropy),
# and what happens if it is made uniform? Only the order matters, so compare ranks: Spearman's
# correlation is the usual one, of the ranks.


# %%
def rank_correlation(x, y):
    """Two tensors (n) without ties -> a number from -1 to 1."""
    ### BEGIN SOLUTION
    ranks = torch.stack([x.argsort().argsort(), y.argsort().argsort()]).double()
    return float(torch.corrcoef(ranks)[0, 1])
    ### END SOLUTION


# %%
course.check("microscope.rank", rank_correlation)

# %%
lab = dl.intervention_lab(model, pair, slice=slice_)
before = lab.run(dl.Intervention())
heads = range(course.budget(8, fast=2))
places = [(branch, level, head) for branch in branches for level in (1, 2, 4) for head in heads]
tried = [
    lab.run(dl.Intervention(cuts=(dl.Cut(branch, "uniform", levels=(level,), heads=(head,)),)))
    for branch, level, head in course.watch(places)
]

# %%
sharpness = torch.stack([1 - entropy_(branches[b][n])[0, head] for b, n, head in places])
moved = torch.stack([(t.output - before.output).square().mean().sqrt() for t in tried])
cost = -torch.tensor([t.change for t in tried])

# %%
figure = Figure(figsize=(7.2, 3), layout="constrained")
panels = {"change of the output, RMS": moved, "cost, dB": cost}
for axes, (label, y) in zip(figure.subplots(1, 2), panels.items(), strict=True):
    for branch, mark in (("spatial", "o"), ("channel", "^")):
        own = torch.tensor([branch == place[0] for place in places])
        axes.scatter(sharpness[own], y[own], marker=mark, s=22, alpha=0.7, label=branch)
    axes.axhline(0, color="grey", linewidth=0.8)
    axes.set(xlabel="1 - entropy", ylabel=label)
axes.legend()
course.show(
    figure,
    alt="Each head as a point. The output moves more for sharper heads, loosely; the cost in dB"
    " scatters about zero, but two of the sharpest heads, and one of the channel branch, cost more.",
)

# %%
rank = course.use("microscope.rank", rank_correlation)
for name in ("spatial", "channel", "all"):
    own = torch.tensor([name in (place[0], "all") for place in places])
    change_, cost_ = (rank(sharpness[own], y[own]) for y in (moved, cost))
    print(f"{name:<8} sharpness with change of the output {change_:5.2f}, with cost {cost_:5.2f}")

# %% [markdown]
# **Explain.** Some agreement with the *change* is there by construction: to make a uniform head uniform
# changes nothing. The *cost* is another question, and here the picture hardly answers it. What may you
# write under a picture of attention, and what only under a cut?

# %%
course.answer("microscope.may_write")

# %% [markdown]
# ## Attention that has something to find
# The maps of this network hardly care where the reference lies, and it was trained on pairs in place.
# In `lite-4x`, the variant *aligned*, a query looks at 9 x 9 offsets around its own place. The votes
# of all queries elect a motion of the head, a shift with a turn, and both branches read the reference
# as it was found. It was trained on displaced references.

# %%
course.show_part("aligned", "votes")

# %% [markdown]
# **Predict.** By how much does each of the two fall, two pixels away?
#
# Below: where the reference was put, where the attention finds it (the median over the head, in
# pixels), and what its cut costs there. To slide it yourself:
# `dl.explore_displacement({"aligned": finder, "footprints": model}, pair, slice=slice_)`.

# %%
finder = dl.load("lite-4x")
one, head = pair.take_slice(slice_), pair.target_image[slice_] > pair.target_image.max() / 8
for rows, columns in ((0, 0), (2, -3), (-1, 1)):
    moved_ = one.with_reference(shift(one.reference_image, rows, columns).clamp_min(0))
    with dl.trace(finder) as record, torch.inference_mode():
        finder(moved_.lr, moved_.ref)
    found = record.displacement(level=1)[:, head].median(dim=1).values.tolist()
    whole, other = (dl.evaluate(network, moved_)["psnr"] for network in (finder, model))
    with dl.intervene(finder, spatial="off"):
        cost_ = whole - dl.evaluate(finder, moved_)["psnr"]
    print(
        f"put {rows:2d} {columns:2d}, found {found[0]:4.1f} {found[1]:4.1f}: {whole:.2f} dB, without"
        f" spatial attention {cost_:.2f} less; footprints {other:.2f} dB"
    )

# %% [markdown]
# What is found is 0.3 to 0.5 pixels higher than what was put, in place too: the simulated scans of one
# head are up to half a pixel apart, and in this head T1 lies 0.28 pixels above T2 to begin with.
#
# Here picture, test and task agree: the arrows say where the reference lies, a cut costs what lies
# elsewhere, and in place it costs little. That took a task in which there is something to find.
#
# ## Your own hypothesis
# The lab holds every head that was made uniform, and one disc at the last query. Cut heads, levels,
# branches; paint; shift. Write down first what you expect.

# %%
lab.run(dl.Intervention(lesions=(dl.Lesion("reference", *queries[-1], radius=4, strength=0.3),)))
display(lab)

# %% [markdown]
# ## Recap
# - A lifted map is footprints weighted by attention. The absolute map is shared by all queries; of
#   what differs from uniform, at level 1 0.65 is the query's own, at levels 2 and 4 little.
# - Attention that has to find the reference can be read: arrows, planted shift and cost agree.
# - Entropy says how choosy a head is, and hardly how much it matters.
# - The disc at home changes the query, the disc at the peak does not: a picture of one path is no
#   picture of the network.
#
# ## Bonus, open-ended
# State a hypothesis of your own about one head, in one sentence that could be false. Test it with
# the lab above, with a control, on more than one query.
#
# How far you are, over all ten notebooks (save this one first):

# %% tags=["varies"]
course.progress()

# %% tags=["varies"]
course.report()

# %% [markdown]
# ## References
# - Huang et al., *Accurate Multi-contrast MRI Super-Resolution via a Dual Cross-Attention Transformer
#   Network*, MICCAI 2023: Eqs. 3 and 4, Fig. 3.
# - Jain, Wallace, *Attention is not Explanation*, NAACL 2019.
# - Wiegreffe, Pinter, *Attention is not not Explanation*, EMNLP 2019.
# - Wang et al., *Linformer*, 2020: attention to projected tokens.
# - Anatomy: Colin27, McGill University; see the [licence and origin](../assets/brain/README.md).
#
# **Not for clinical use.**
