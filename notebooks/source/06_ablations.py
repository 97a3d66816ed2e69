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
# # 06 Ablations: what a row of a table may claim
#
# You will be able to
# - compute a paired difference and its interval over subjects, and say when it is a claim,
# - tell "trained without" from "cut after training",
# - compare the paper's Table 2 with our own, argue from both, and rerun a row yourself.
#
# You need: [notebook 03](03_dcamsr_in_einops.ipynb) for the parts of the network, [notebook
# 05](05_training.ipynb) for seeds and steps. Measured: {{MINUTES}} minutes on two CPU cores. Simulated
# heads and a few real patients. **Not for clinical use.**

# %%
import json
import tempfile

import torch
from matplotlib.figure import Figure

import dcamsr_lite as dl
from dcamsr_lite import course
from dcamsr_lite.phantom.subjects import VALIDATION_SEED, simulated_pair
from dcamsr_lite.training.study import (
    ROWS,
    Study,
    make_test_pairs,
    make_training_slices,
    read_tables,
    seed_interval,
    select_psnr,
    train_row,
)

# %% [markdown]
# ## The paper's Table 2
# Huang et al. (MICCAI 2023), M4Raw, 4x, 30 subjects: PSNR in dB, one number for each row.

# %%
PAPER = {"corrected": 30.48, "no_multiscale": 30.40, "no_channel": 29.79, "no_reference": 29.74}
for row, psnr in PAPER.items():
    print(f"{row:<14} {psnr:.2f} dB   {psnr - PAPER['corrected']:+.2f}")

# %% [markdown]
# The names are those of our own rows; `corrected` stands for the whole network. There is no row
# without *spatial* attention, no seed and no interval.
#
# ## Exercise 1: trained without, or cut?
# Two experiments are called "without channel attention". Either a network is trained that never had
# it; or a whole network is trained, and the branch is switched off afterwards, as you did in
# [notebook 00](00_start_here.ipynb).
#
# **Predict.** Which one is a row of the paper's table: `"trained without"`, `"cut after training"`,
# `"cut, then trained on"` or `"both"`?

# %%
### BEGIN SOLUTION
kind = "trained without"
### END SOLUTION

# %%
course.check("ablations.kind", kind)

# %% [markdown]
# ## Our table
# One network for each row and seed, trained from nothing, all alike. A row is DCAMSR with one switch
# turned, or another network:

# %%
print(f"{len(ROWS)} rows:", ", ".join(ROWS))
for row in ("corrected", "no_channel", "scrambled", "uniform_spatial", "one_hot_channel"):
    print(f"{row:<16} {ROWS[row] or 'the default'}")

# %%
study, runs = read_tables()
for line in sorted({r["study"] for r in runs}):
    about = json.loads(line)
    print({k: about[k] for k in ("scale", "size", "steps", "subjects", "tests", "real", "network")})

# %% [markdown]
# `subjects` and `tests` are simulated heads, `real` counts sessions of patients, in training and in
# the test. No head or patient is in both, but all simulated heads are warps of one person's anatomy,
# each with contrasts, lesions and noise of its own: what is shown on them holds for more such heads,
# not for other people. The table, with the seeds that were run. (A row is a recipe, and has a result
# where it was trained. `aligned` looks for the reference's place before it uses it; rows that end in
# `_displaced` were trained with the reference out of place.)


# %%
def average(row, data):
    scores = select_psnr(study, row, data)
    return "not run" if scores is None else f"{float(scores.mean()):.2f}"


print(f"{'row':<24}{'seeds':>5}{'simulated':>11}{'real':>9}  dB")
for row in ["zero-fill", *ROWS, "ceiling"]:
    seeds = len([r for r in runs if r["row"] == row]) or ""
    print(f"{row:<24}{seeds:>5}{average(row, 'simulated'):>11}{average(row, 'real'):>9}")


# %% [markdown]
# `ceiling` is what no method can pass, because the target itself is noisy
# ([notebook 01](01_kspace.ipynb)); it is known for simulated heads only.
#
# This table averages all the seeds that a row has. From here on, where two rows are compared, only the
# seeds that both have count.
#
# ## Exercise 2: paired differences
# Every row is scored on the same heads. So subtract head by head, and seed by seed; then take the
# mean over the seeds.


# %%
def paired(a, b):
    """a, b (seed, subject) -> a minus b (subject)."""
    ### BEGIN SOLUTION
    return (a - b).mean(dim=0)
    ### END SOLUTION


# %%
course.check("ablations.paired", paired)

# %%
paired_ = course.use("ablations.paired", paired)


def both(better, than, data="simulated"):
    """Two (seed, subject) at the seeds that both rows have; None where one of them was not run.

    Seeds are run in order from 0, so the common ones are the first rows of both.
    """
    a, b = (select_psnr(study, row, data) for row in (better, than))
    return None if a is None or b is None else (a[: len(b)], b[: len(a)])


# %% [markdown]
# ## Exercise 3: why paired?
# Every head, for three rows, each averaged over all of its seeds:

# %%
figure = Figure(figsize=(5.5, 2.6), layout="constrained")
axes = figure.subplots()
for row, style in (("corrected", "o-"), ("released", "s--"), ("no_reference", "^:")):
    scores = select_psnr(study, row)
    if scores is not None:
        axes.plot(range(scores.shape[1]), scores.mean(0), style, label=row)
axes.set(xlabel="simulated head of the test", ylabel="PSNR, dB")
if axes.lines:
    axes.legend(fontsize=8)
course.show(figure, alt="PSNR of each head for three rows: the rows rise and fall together.")

# %% [markdown]
# **Predict.** Compare two rows. Is the interval of the *paired* difference `"narrower"` than that of
# two means taken each for itself, `"wider"`, `"the same"`, or is there `"no interval"`?

# %%
### BEGIN SOLUTION
pairing = "narrower"
### END SOLUTION

# %%
course.check("ablations.pairing", pairing)

# %% [markdown]
# ## Exercise 4: an interval
# With other heads the mean difference would have come out otherwise. How far? The bootstrap draws as
# many heads as there are, *with* repetition, from those we have, takes their mean, and does so
# thousands of times. The middle 95 % of these means is the interval. `draws` says which heads each
# draw takes.


# %%
def interval(differences, draws):
    """differences (subject), draws (draw, subject) of indices -> tensor of low and high."""
    ### BEGIN SOLUTION
    means = differences[draws].mean(dim=1)
    return means.quantile(torch.tensor([0.025, 0.975]))
    ### END SOLUTION


# %%
course.check("ablations.interval", interval)

# %%
interval_ = course.use("ablations.interval", interval)


def drawn(count, times=4000, seed=0):
    return torch.randint(count, (times, count), generator=torch.Generator().manual_seed(seed))


# %%
rows = both("corrected", "released")
if rows:
    a, b = (scores.mean(0) for scores in rows)
    ends = torch.tensor([0.025, 0.975])
    alone = a[drawn(len(a))].mean(1) - b[drawn(len(b), seed=1)].mean(1)
    low, high = interval_(paired_(*rows), drawn(len(a))).tolist()
    print(f"corrected - released, paired:   {low:+.2f} to {high:+.2f} dB")
    low, high = alone.quantile(ends).tolist()
    print(f"each row with heads of its own: {low:+.2f} to {high:+.2f} dB")

# %% [markdown]
# ## Exercise 5: draw what?
# A test head has 18 slices. Drawing slices instead of heads would give more numbers, and a narrower
# interval.
#
# **Predict.** For a claim about heads that were not tested, what has to be drawn: `"slices"`,
# `"subjects"`, `"pixels"` or `"seeds"`?

# %%
### BEGIN SOLUTION
unit = "subjects"
### END SOLUTION

# %%
course.check("ablations.unit", unit)

# %% [markdown]
# A test of the test, with invented numbers: two methods that are *equally good*. Each head has its
# own difference, and each of its slices scatters around it. How often does a 95 % interval claim a
# difference?


# %%
def false_alarm(generator, by_slice):
    heads = 0.2 * torch.randn(8, 1, generator=generator)
    values = heads + 0.1 * torch.randn(8, 18, generator=generator)
    values = values.flatten() if by_slice else values.mean(1)
    low, high = interval_(values, drawn(len(values), times=400))
    return bool(low > 0 or high < 0)


# %%
for by_slice in (True, False):
    generator = torch.Generator().manual_seed(0)
    draws = course.watch(range(course.budget(400, fast=20)))
    alarms = [false_alarm(generator, by_slice) for _ in draws]
    print(f"{'slices' if by_slice else 'heads'} drawn: {100 * sum(alarms) / len(alarms):.0f} %")

# %% [markdown]
# It should be 5 %. With eight heads even the right way is too sure of itself: a bootstrap knows only
# the heads it has. With two patients there is no interval worth printing.
#
# ## Exercise 6: one seed
# Heads are not the only thing left to chance. A seed decides the first weights and the order of
# slices.
#
# **Predict.** *One* row is trained twice, with seeds 0 and 1. The interval over heads of the
# difference leaves zero out. What has been shown to differ: the two `"methods"`, the two
# `"networks"`, the `"subjects"`, or `"nothing"`?

# %%
### BEGIN SOLUTION
one_seed = "networks"
### END SOLUTION

# %%
course.check("ablations.one_seed", one_seed)

# %% [markdown]
# Now with the table: every pair of seeds of one and the same row.

# %%
outside, gaps = [], []
for row in ROWS:
    scores = select_psnr(study, row)
    for i, j in torch.combinations(torch.arange(0 if scores is None else len(scores))).tolist():
        low, high = interval_(scores[i] - scores[j], drawn(scores.shape[1])).tolist()
        outside.append(low > 0 or high < 0)
        gaps.append(abs(float((scores[i] - scores[j]).mean())))
print(f"{sum(outside)} of {len(outside)} intervals between seeds of one row leave zero out")
if gaps:
    print(f"seeds of one row are up to {max(gaps):.2f} dB apart")

# %% [markdown]
# None of these is a difference between methods. **Explain.** Which differences in the paper's table
# are larger than this? What would you want to know before you believe the others?

# %%
course.answer("ablations.larger")

# %% [markdown]
# ## Exercise 7: when is it a claim?
# Seeds scatter too, so they get an interval of their own: `seed_interval` says how the mean could have
# come out with other seeds. It is Student's: with so few values a bootstrap would be far too sure.

# %%
for seeds in ([0.2, 0.25, 0.2], [0.02, 0.1, 0.48], [0.2]):
    print(seeds, "->", "{:+.2f} to {:+.2f} dB".format(*seed_interval(seeds)))

# %% [markdown]
# Our rule: zero lies outside of the interval over heads *and* outside of the interval over seeds.
# Otherwise: no difference shown. (That is not "no difference".)
#
# Each part is there for a reason. An interval over heads says nothing of the scatter between seeds.
# To see that all seeds have one sign is not enough: three seeds of two equally good rows agree by
# chance in one case of four. And the interval over heads has to mean something: with fewer than six
# heads we make no claim at all. (Five heads of two equally good rows have one sign in one case of
# sixteen.)


# %%
def claim(low, high, seeds):
    """low, high: interval over heads; seeds (seed): the mean difference of each -> True or False."""
    ### BEGIN SOLUTION
    first, last = seed_interval(seeds)
    return (low > 0 or high < 0) and (first > 0 or last < 0)
    ### END SOLUTION


# %%
course.check("ablations.claim", claim)

# %%
claim_ = course.use("ablations.claim", claim)


def finding(better, than):
    """(mean, low, high, seeds, claimed), or None where a row was not run."""
    rows = both(better, than)
    if rows is None:
        return None
    d, seeds = paired_(*rows), (rows[0] - rows[1]).mean(1)
    low, high = interval_(d, drawn(len(d))).tolist()
    return float(d.mean()), low, high, seeds, claim_(low, high, seeds)


# %%
def deciding(found):
    """The wider interval, over heads or seeds: the claim rests on it. Of one seed, that of heads."""
    _, low, high, seeds, _ = found
    ends = [(low, high), seed_interval(seeds)] if len(seeds) > 1 else [(low, high)]
    return max(ends, key=lambda one: one[1] - one[0])


def tell(better, than):
    found = finding(better, than)
    if found is None:
        return print(f"{better} - {than}: not run")
    mean, low, high, seeds, claimed = found
    words = "a difference" if claimed else "none shown"
    over = f"over {len(seeds)} seeds " + "{:+.2f} to {:+.2f}".format(*seed_interval(seeds))
    if len(seeds) < 2:
        words, over = "no claim", "one seed, no interval over seeds"
    print(
        f"{better} - {than}: {mean:+.2f} dB; over heads {low:+.2f} to {high:+.2f}, {over}: {words}"
    )


# %% [markdown]
# What could this design show at all? A mean difference has to be about as large as half of the
# deciding interval:

# %%
found = {row: finding("corrected", row) for row in ROWS if row != "corrected"}
halves = torch.tensor(
    [(b - a) / 2 for f in found.values() if f and len(f[3]) > 1 for a, b in [deciding(f)]]
)
if len(halves):
    least, most = halves.aminmax()
    print(f"half of the interval: {least:.2f} to {most:.2f} dB, median {halves.median():.2f} dB")

# %% [markdown]
# (The [results page](../assets/results/README.md) takes the comparisons that it lists, these and
# others, and so has another median. It simulates, too, how often a difference of equally good rows is
# claimed: by the heads' interval alone about as often as above, by the whole rule half as often.)
#
# **Explain.** Where does "one case of four" come from? What would make the rule stricter, and what
# would that cost?

# %%
course.answer("ablations.quarter")

# %% [markdown]
# ## What each part is worth
# **Predict.** Before you run the cell, write down a sign and a size for each: the reference, the
# channel branch, the spatial branch, the finer levels; and attention against plain concatenation of
# features. (`concatenation` spends on depth the parameters that attention had; `concatenation_shallow`
# saves them, and has less than half of them.)

# %%
parts = ("no_reference", "no_channel", "no_spatial", "no_multiscale")
for row in (*parts, "concatenation", "concatenation_shallow"):
    tell("corrected", row)

# %% [markdown]
# **Explain.** Are the reference and the channel branch worth about the same? If so: through which
# branch does the reference come in? Then compare the row without spatial attention, which the paper's
# table lacks.

# %%
course.answer("ablations.through")

# %% [markdown]
# ## Which spatial attention pays?
# Other ways to look, in the same place. A row that ends in `_deep` spends on depth the parameters
# that it saves on footprints: as many parameters as `corrected`.
#
# **Predict.** Which of them is ahead of `corrected` by more than its seeds are apart?

# %%
ways = ["uniform_spatial", "scaled_dot_product", "pooled_tokens", "local_window"]
for row in [*ways, "no_spatial_deep", "local_window_deep"]:
    tell(row, "corrected")

# %% [markdown]
# **Explain.** `no_spatial` has less than half of the parameters of `corrected`, `no_spatial_deep` as
# many. Which of the two is the fair comparison, and for which question? Why may the deeper one be
# behind after so few steps?

# %%
course.answer("ablations.fair")

# %% [markdown]
# ## The paper's table beside ours

# %%
parts = ["no_multiscale", "no_channel", "no_reference"]
figure = Figure(figsize=(6, 2.4), layout="constrained")
axes = figure.subplots()
for place, row in enumerate(parts):
    axes.plot(PAPER[row] - PAPER["corrected"], place - 0.12, "s", color="#d55e00")
    found = finding(row, "corrected")
    if found:
        axes.plot(deciding(found), [place + 0.12] * 2, color="#0072b2", linewidth=3)
        axes.plot(found[3], [place + 0.12] * len(found[3]), "|", color="#0072b2", markersize=14)
    else:
        axes.text(0, place + 0.12, " not run", va="center", fontsize=8)
axes.axvline(0, color="grey", linewidth=1)
axes.set_yticks(range(len(parts)), parts)
axes.set_ylim(-0.5, len(parts) - 0.5)
axes.set_xlabel("PSNR minus that of the whole network, dB")
axes.set_title("squares: paper; bars: ours, the wider 95 % interval; ticks: seeds", fontsize=9)
course.show(figure, alt="Loss of PSNR without each part: the paper's points and our intervals.")

# %% [markdown]
# The data, the size and the number of steps differ, and the paper ablates its own network, we the
# corrected one. So compare orders and ratios, not decibels. **Explain.** In which respects do the two
# tables agree?

# %%
course.answer("ablations.agree")

# %% [markdown]
# ## Cut after training
# The other experiment, on the three shipped variants that were trained alike and one simulated head,
# beside the rows of the table (with their number of seeds). Do cut and row give the same answer to
# "through which branch does the reference come in"?
# Every number is the change of PSNR against the whole network of its own kind: minus is a loss.
#
# **Predict.** Which loses more: cutting a branch of a finished network, or training without it?

# %%
head = simulated_pair(VALIDATION_SEED, scale=4, slices=4)


def quality(model, **cut):
    with dl.intervene(model, **cut):
        return dl.evaluate(model, head)["psnr"]


# %%
prefixes = {"corrected": "no_", "released": "released_no_", "paper": "paper_no_"}
for variant, prefix in prefixes.items():
    model = dl.load(f"lite-4x-{variant}")
    whole = quality(model, spatial="on", channel="on")
    for branch in ("channel", "spatial"):
        rows = both(f"{prefix}{branch}", variant)
        count = f"seeds {len(rows[0])}" if rows else ""
        trained = f"{float(paired_(*rows).mean()):+.2f} dB ({count})" if rows else "not run"
        lost = quality(model, **{branch: "off"}) - whole
        print(f"{variant:<10}{branch:<8} cut {lost:+.2f} dB, trained without {trained}")

# %% [markdown]
# **Explain.** A cut says what *this* network leans on; a row says whether another network can do
# without. Give a case in which a branch is useless by one measure and vital by the other.

# %%
course.answer("ablations.both_ways")

# %% [markdown]
# ## Exercise 8: is the attention informative?
# Entropy 1 is the same weight everywhere, 0 is a single token. The released network normalises
# queries and keys over thousands of tokens.
#
# **Predict.** The entropy of its spatial attention *after training*, from 0 to 1?

# %%
### BEGIN SOLUTION
entropy = 1.0
### END SOLUTION

# %%
course.check("ablations.entropy", entropy)

# %%
print("mean entropy over heads and queries, by branch and level")
print(f"{'':<19}spatial: 1     2     4   channel: 1     2     4   level")
for row in ("released", "uniform_spatial", "paper", "one_hot_channel", "corrected"):
    found = [r for r in runs if r["row"] == row]
    numbers = [
        torch.tensor([float(r[f"entropy_{branch}_{level}"] or "nan") for r in found]).mean()
        for branch in ("spatial", "channel")
        for level in (1, 2, 4)
    ]
    print(f"{row:<19}" + ("  ".join(f"{n:6.3f}" for n in numbers) if found else "not run"))

# %% [markdown]
# So the released code has a spatial branch that looks nowhere in particular, and the paper's
# equations a channel branch that takes one channel for another. Both look like mistakes. What do they
# cost? And the scrambled merge of [notebook 03](03_dcamsr_in_einops.ipynb)?
#
# **Predict** each sign, then run.

# %%
QUESTIONS = {
    "heads merged aligned - scrambled": [("unscrambled", "released"), ("corrected", "scrambled")],
    "spatial logits informative - uniform": [("corrected", "uniform_spatial")],
    "channel logits cosine - one-hot": [("corrected", "one_hot_channel")],
    "corrected - as printed, as released": [("corrected", "paper"), ("corrected", "released")],
}
for question, pairs in QUESTIONS.items():
    print(question)
    for rows in pairs:
        tell(*rows)

# %%
lines = [rows for pairs in QUESTIONS.values() for rows in pairs]
figure = Figure(figsize=(6.5, 2.8), layout="constrained")
axes = figure.subplots()
for place, rows in enumerate(lines):
    found = finding(*rows)
    if found:
        axes.plot(deciding(found), [place] * 2, color="#0072b2", linewidth=3)
        axes.plot(found[3], [place] * len(found[3]), "|", color="#d55e00", markersize=14)
    else:
        axes.text(0, place, " not run", va="center", fontsize=8)
axes.axvline(0, color="grey", linewidth=1)
axes.set_yticks(range(len(lines)), [" - ".join(rows) for rows in lines], fontsize=8)
axes.set(
    xlabel="difference of PSNR, dB; bar: the wider 95 % interval, ticks: seeds", ylim=(5.5, -0.5)
)
course.show(figure, alt="Differences for the merge, both logits, and whole variants, with seeds.")

# %% [markdown]
# **Explain.** A part that is plainly wrong may cost nothing, and a part that is right may gain
# nothing. Take the line that surprises you most, and write two explanations of it that another row
# could tell apart. Which row?

# %%
course.answer("ablations.two_explanations")

# %% [markdown]
# Real patients, where they were run. There are too few for an interval, so here they are, one by one:

# %%
for pair in (("corrected", "released"), ("corrected", "no_reference"), ("corrected", "no_spatial")):
    rows = both(*pair, data="real")
    print(" - ".join(pair), [f"{x:+.2f} dB" for x in paired_(*rows)] if rows else "not run")

# %% [markdown]
# ## Run a row yourself
# Two rows, two seeds. This is not the table: heads of 48 x 48, a narrower network, a
# few steps, simulated heads only (the table's real sessions are not shipped), three heads in the
# test.

# %%
small = Study(
    size=48,
    steps=course.budget(60, fast=2),
    subjects=course.budget(2, fast=1),
    tests=course.budget(3, fast=1),
    slices=course.budget(6, fast=2),
    network={"channels": 16, "heads": 4, "start": "he"},
)
shared = {"tensors": make_training_slices(small), "tests": make_test_pairs(small)}

# %%
folder = (
    tempfile.mkdtemp()
)  # finished rows are kept there: run it again, and nothing is trained twice
mine = {}
for row in ("corrected", "no_reference"):
    results = [train_row(small, row, seed, folder, **shared) for seed in course.watch(range(2))]
    mine[row] = torch.tensor([[s["psnr"] for s in r["subjects"]] for r in results])
    print(
        f"{row:<13}", *(" ".join(f"{x:.2f}" for x in of_seed) for of_seed in mine[row]), sep="   "
    )

# %%
d = paired_(mine["corrected"], mine["no_reference"])
low, high = interval_(d, drawn(len(d))).tolist()
by_seed = (mine["corrected"] - mine["no_reference"]).mean(1)
print(f"reference: {float(d.mean()):+.2f} dB ({low:+.2f} to {high:+.2f})")
claimed = claim_(low, high, by_seed) if len(d) >= 6 else "too few heads for a claim"
print("seed by seed:", [f"{x:+.2f}" for x in by_seed], "claim:", claimed)

# %% [markdown]
# With three heads, one draw in 27 takes the smallest difference three times, and as many the largest.
# Both are more than 2.5 %, so the interval is just from the smallest difference to the largest: too
# little for the rule of exercise 7. For six heads or more, set `tests` above.
#
# **Explain.** Is your difference larger or smaller than the table's? Name three things that differ,
# and say for each in which direction it should push.

# %%
course.answer("ablations.smaller")

# %% [markdown]
# Now put a row of your own choice in place of `no_reference`, or a line of your own into `ROWS`, like
# `ROWS["mine"] = {"channel": False, "multiscale": False}`. The table itself:
# `.venv/bin/python scripts/results/make.py study --out FOLDER` in a checkout, some minutes a row (it
# resumes row by row).

# %% [markdown]
# ## Recap
# - A row is a network trained without a part; a cut is another experiment.
# - Differences are paired, intervals are over subjects, and seeds need one of their own.
# - "None shown" is not "none": say what the design could have shown.
#
# ## Bonus, open-ended
# Plan a row that nobody has run: what would you conclude from each of its two outcomes? How many
# seeds does the smallest difference that you care about need?
#
# How far you are, over all ten notebooks (save this one first):

# %% tags=["varies"]
course.progress()

# %% tags=["varies"]
course.report()

# %% [markdown]
# ## References
# - Huang et al., *Accurate Multi-contrast MRI Super-Resolution via a Dual Cross-Attention Transformer
#   Network*, MICCAI 2023, Table 2.
# - Efron and Tibshirani, *An Introduction to the Bootstrap*, 1993, chapters 6 and 13.
# - Bouthillier et al., *Accounting for Variance in Machine Learning Benchmarks*, MLSys 2021.
# - Lesjak et al., Neuroinformatics 14 (2016) and 16 (2017): the open MS patients (CC-BY) of the table.
# - Anatomy: Colin27, McGill University; see the [licence and origin](../assets/brain/README.md).
#
# **Not for clinical use.**
