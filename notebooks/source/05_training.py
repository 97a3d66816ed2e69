# ---
# jupyter:
#   accelerator: GPU
#   colab:
#     gpuType: T4
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
# # 05 Training: the loop, the curves, and how to stop and go on
#
# You will be able to
# - write a training loop, and say what each of its lines is for,
# - read loss and validation curves: learning, over-fitting, a changed validation set,
# - stop a training and resume it, on a CPU with as many threads as before, to the very same weights.
#
# You need: [notebook 01](01_kspace.ipynb), and that a gradient says how a loss changes with a weight.
# Measured: {{MINUTES}} minutes on two CPU cores; no GPU is needed, Colab offers one. Everything
# learned here on the spot is small (64 x 64); the curves at the end come with the shipped weights, so
# training is optional. Real anatomy, simulated contrasts. **Not for clinical use.**

# %%
import tempfile
from itertools import islice
from pathlib import Path

import torch
from IPython.display import clear_output
from matplotlib.figure import Figure

import dcamsr_lite as dl
from dcamsr_lite import course, simulated_pair, simulated_volumes
from dcamsr_lite import kspace as ks
from dcamsr_lite.errors import ASSETS
from dcamsr_lite.phantom.subjects import DEMO_SEED, VALIDATION_SEED
from dcamsr_lite.training.batches import draw_batches
from dcamsr_lite.training.dataset import cut_slices
from dcamsr_lite.training.loop import learning_rate, train
from dcamsr_lite.training.memory import estimate_memory
from dcamsr_lite.training.recipe import Recipe
from dcamsr_lite.training.run import read_log

device = "cuda" if torch.cuda.is_available() else "cpu"
runs = Path(tempfile.mkdtemp())  # on Colab a folder of your Drive survives the session

# %% [markdown]
# ## Data
# Four simulated heads to train on, one to validate; no head is in both (all are warps of one person's
# anatomy, each with contrasts, lesions and noise of its own). Each slice comes with its
# mirror image.

# %%
heads = [
    simulated_volumes(seed, size=64, slices=6)
    for seed in course.watch(range(course.budget(4, fast=1)))
]
data = cut_slices(heads, scale=4)
held_out = simulated_pair(VALIDATION_SEED, scale=4, size=64, slices=6)
print("lr, ref, target:", *(tuple(tensor.shape) for tensor in data))

# %% [markdown]
# Each image is normalised: the low-resolution image and the target by the *low-resolution* image's
# mean and deviation, which are known when the target is not.
#
# ## Exercise 1: the loss
# The paper's loss is L1: the mean absolute error. Compute it for images in scanner units, as it is for
# normalised ones. `deviation` (b) is that of each low-resolution slice.
#
# **Predict.** The mean is normalised away, too. Why does it not occur in the answer?


# %%
def l1(sr, target, deviation):
    """sr, target (b 1 h w), deviation (b) -> one number."""
    ### BEGIN SOLUTION
    return ((sr - target).abs() / deviation.view(-1, 1, 1, 1)).mean()
    ### END SOLUTION


# %%
course.check("training.l1", l1)

# %%
l1_ = course.use("training.l1", l1)
spread = held_out.low.std((-2, -1))
for gain in (1, 1000):
    loss = l1_(gain * held_out.zero_filled, gain * held_out.target_image, gain * spread)
    print(f"zero-fill, scanner gain {gain}: {float(loss):.4f}")

# %% [markdown]
# So the numbers in a log mean: this many deviations of the low-resolution slice, on average per pixel.
#
# ## Exercise 2: the loop
# Six lines do everything. Per batch: set the rate, clear the gradients, forward and loss, backward,
# step, keep the loss. The optimiser is Adam: `torch.optim.Adam(model.parameters())`; its rate is
# `optimizer.param_groups[0]["lr"]`.


# %%
def fit(model, batches, rates):
    """batches of (lr, ref, target), one rate for each -> the L1 loss before each step (step)."""
    ### BEGIN SOLUTION
    optimizer = torch.optim.Adam(model.parameters())
    losses = []
    for (lr, ref, target), rate in zip(batches, rates, strict=True):
        optimizer.param_groups[0]["lr"] = rate
        optimizer.zero_grad()
        loss = (model(lr, ref) - target).abs().mean()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return torch.tensor(losses)
    ### END SOLUTION


# %%
course.check("training.fit", fit)

# %% [markdown]
# ## Exercise 3: the learning rate
# The paper, section 3: 50 epochs, and "the learning rate was decayed by a factor of 0.1 for the last 10
# epochs". The rate of every step:


# %%
def schedule(steps, first):
    """-> tensor (step). Let steps be a multiple of 5."""
    ### BEGIN SOLUTION
    step = torch.arange(steps)
    return torch.where(step < 0.8 * steps, first, 0.1 * first)
    ### END SOLUTION


# %%
course.check("training.schedule", schedule)

# %% [markdown]
# The package's `learning_rate` has it, and a cosine, which gets further in few steps:

# %%
paper = course.use("training.schedule", schedule)(100, 1.0)
cosine = [learning_rate(step, 100, 1.0, "cosine") for step in range(100)]
figure = Figure(figsize=(5, 2.2), layout="constrained")
axes = figure.subplots()
axes.plot(paper, "-", label="paper")
axes.plot(cosine, "--", label="cosine")
axes.set(xlabel="step, % of the training", ylabel="rate / first rate")
axes.legend()
course.show(figure, alt="Paper: flat, a tenth for the last fifth. Cosine: half a wave down to 0.")

# %% [markdown]
# ## Your loop trains DCAMSR
# The same network as in [notebook 03](03_dcamsr_in_einops.ipynb), with 16 channels: small enough for a
# CPU.


# %%
def small():
    torch.manual_seed(0)
    return dl.DCAMSR(scale=4, image_size=64, channels=16, heads=4).to(device)


def drawn(steps):
    order = draw_batches(len(data[0]), 2, seed=0, start=0)
    return [tuple(t[indices].to(device) for t in data) for indices in islice(order, steps)]


# %%
steps = course.budget(60, fast=5)
rates = course.use("training.schedule", schedule)(steps, 2e-3).tolist()
losses = course.use("training.fit", fit)(small(), course.watch(drawn(steps)), rates)

# %% [markdown]
# ## Exercise 4: a curve that can be read
# Each loss is that of two slices: which two matters more than one step of learning. Average over the
# last `window` losses; at the start over as many as there are. Looking ahead is not allowed: while a
# training runs there is nothing ahead.


# %%
def trailing(losses, window):
    """losses (step) -> their trailing mean (step)."""
    ### BEGIN SOLUTION
    firsts = [max(i - window + 1, 0) for i in range(len(losses))]
    return torch.stack([losses[first : i + 1].mean() for i, first in enumerate(firsts)])
    ### END SOLUTION


# %%
course.check("training.trailing", trailing)

# %%
smooth = course.use("training.trailing", trailing)(losses, 10)
figure = Figure(figsize=(5, 2.2), layout="constrained")
axes = figure.subplots()
axes.plot(losses, ".", color="grey", label="two slices")
axes.plot(smooth, "-", label="mean of the last ten")
axes.set(xlabel="step", ylabel="L1 loss", ylim=(0, None))
axes.legend()
course.show(figure, alt="Losses of single steps scatter; their trailing mean scatters less.")

# %% [markdown]
# **Explain.** The trailing mean lags behind. Which of the two curves would you trust to say
# *when* learning began?

# %%
course.answer("training.lag")

# %% [markdown]
# ## Watch it learn
# The package's `train` is your loop with a log, saving, resuming, a GPU or several. Called in pieces
# (`until`), it lets us draw in between. Validation is on a head that no step has seen. Press the stop
# button whenever you like, and run the cell again: it goes on where it was.

# %%
steps, piece = course.budget(200, fast=4), course.budget(20, fast=2)
recipe = {"steps": steps, "batch": 2, "rate": 2e-3, "schedule": "cosine"}
recipe |= {"validation": [held_out], "every": piece, "progress": False, "device": device}
floor = dl.evaluate("zero-fill", held_out)["psnr"]


# %%
def state(log, image):
    figure = Figure(figsize=(9, 2.5), layout="constrained")
    left, middle, right = figure.subplots(1, 3)
    left.plot(log["step"], log["loss"], "o-")
    left.set(xlabel="step", ylabel="training loss, L1", xlim=(0, steps), ylim=(0, None))
    middle.plot(log["step"], log["validation_psnr"], "o-")
    middle.axhline(floor, linestyle="--", color="grey")
    middle.set(xlabel="step (dashed: zero-fill)", ylabel="validation PSNR, dB", xlim=(0, steps))
    figure.colorbar(right.imshow(image, cmap="gray"), label="signal, a.u.")
    right.set(xticks=[], yticks=[])
    return figure


# %%
model = small()
for stop in range(piece, steps + 1, piece):
    train(model, data, runs / "live", resume=True, until=stop, **recipe)
    figure = state(read_log(runs / "live" / "log.csv"), dl.super_resolve(model, held_out)[3])
    clear_output(wait=True)
    course.show(
        figure, alt="Loss falls, validation PSNR climbs over zero-fill; the head gets sharp."
    )

# %% [markdown]
# **Explain.** The end of both curves is flat. Has the network learned all there is, or is there
# another reason in exercise 3?

# %%
course.answer("training.flat")

# %% [markdown]
# ## Exercise 5: stop and go on
# Two ways to interrupt a training half-way. Yours: `fit` on the first batches and rates, then `fit`
# on the rest, with the same model. The package's: a stopped `train`, then `train(..., resume=True)`.
#
# **Predict.** Which of the two ends with exactly the weights of a run that was not interrupted:
# `"fit"`, `"train"`, `"both"` or `"neither"`?

# %%
### BEGIN SOLUTION
same = "train"
### END SOLUTION

# %%
course.check("training.resume", same)

# %%
count = course.budget(20, fast=4)
short = {"steps": count, "batch": 2, "rate": 2e-3, "progress": False, "device": "cpu"}


def apart(one, other):
    pairs = zip(one.cpu().parameters(), other.cpu().parameters(), strict=True)
    return max(float((a - b).abs().max().detach()) for a, b in pairs)


# %%
fit_, rates = course.use("training.fit", fit), [2e-3] * count
at_once, halves, half = small(), small(), count // 2
fit_(at_once, course.watch(drawn(count)), rates)
fit_(halves, drawn(count)[:half], rates[:half])
rest = fit_(halves, drawn(count)[half:], rates[half:])

# %% [markdown]
# The package's way: stopped after half of the steps, where it saves itself. The stop button (Ctrl-C)
# does the same after the step that it meets, from the first one on.

# %%
train(small(), data, runs / "stopped", until=half, **short)
state_ = torch.load(runs / "stopped" / "state.pt", weights_only=True)
print("stopped and saved at step", state_["step"])

# %%
whole = train(small(), data, runs / "whole", **short)
resumed = train(small(), data, runs / "stopped", resume=True, **short)
print(f"fit, in two halves: weights differ by up to {apart(at_once, halves):.4f}")
print(f"train, stopped and resumed:              {apart(whole, resumed):.4f}")

# %% [markdown]
# Not nearly the same: the same. On a GPU they need not be equal: sums there may be taken in another
# order.
#
# **Explain.** Why does it matter for an experiment that stopping changes nothing?

# %%
course.answer("training.same")

# %% [markdown]
# ## Exercise 6: learnt by heart
# Now train on two slices only, a slice and its mirror image, everything else alike.
#
# **Predict.** In the long run, what do training loss and validation PSNR do? Validation *stays at
# zero-fill* if it ends within 1 dB of it, *rises* if it ends above, *falls* if below. One of
# `"train falls, validation rises"`, `"train falls, validation stays at zero-fill"`,
# `"train falls, validation falls"`, or the same with `"train rises, ..."`.

# %%
### BEGIN SOLUTION
curves = "train falls, validation stays at zero-fill"
### END SOLUTION

# %%
course.check("training.overfit", curves)

# %%
two = tuple(tensor[2::6][:2] for tensor in data)
model = small()
for stop in course.watch(range(piece, steps + 1, piece)):
    train(model, two, runs / "two", resume=True, until=stop, **recipe)
logs = {f"{len(data[0])} slices": read_log(runs / "live" / "log.csv")}
logs["2 slices"] = read_log(runs / "two" / "log.csv")


# %%
LABELS = {"loss": "training loss, L1", "validation_psnr": "validation PSNR, dB"}


def curves_of(logs, x="step", zero_fill=None):
    figure = Figure(figsize=(9, 2.8), layout="constrained")
    for axes, (column, label) in zip(figure.subplots(1, 2), LABELS.items(), strict=True):
        for (name, log), style in zip(
            logs.items(), ("-o", "--s", "-.^", ":v", "-x", "--D"), strict=False
        ):
            axes.plot(log[x], log[column], style, markersize=4, label=name)
        axes.set(xlabel=x, ylabel=label)
    if zero_fill:
        axes.axhline(zero_fill, linestyle=":", color="grey", label="zero-fill")
    figure.legend(*axes.get_legend_handles_labels(), fontsize=8, loc="outside right upper")
    return figure


# %%
course.show(
    curves_of(logs, zero_fill=floor),
    alt="Two slices: loss far lower, PSNR stays near zero-fill. All: loss higher, PSNR climbs.",
)
for name, log in logs.items():
    best = max(log["validation_psnr"])
    print(f"{name}: best {best:.2f} dB, last {log['validation_psnr'][-1]:.2f} dB")
print(f"zero-fill: {floor:.2f} dB")

# %% [markdown]
# **Explain.** Where would you have stopped the run on two slices? A best checkpoint chosen on this
# validation head, and then reported on the same head, is a little too good: why? (`train` keeps
# `best.safetensors`, and writes that warning into the file.)

# %%
course.answer("training.best")

# %% [markdown]
# ## Exercise 7: mirror first
# A mirror image makes a second head out of one, for nothing. It is mirrored *before* the
# low-resolution image is made. Suppose you mirror both images afterwards. A crop of k-space keeps
# pixel 0 of both grids in one place.
#
# **Predict.** At 4x: by how many pixels of the target do the two mirrored images miss each other?

# %%
### BEGIN SOLUTION
missed = 3
### END SOLUTION

# %%
course.check("training.mirror", missed)

# %%
target = held_out.target_image[3]
mirrored = target.flip(-1)


def low(image):
    return ks.ifft2c(ks.crop_kspace(ks.fft2c(image), 4)).abs() / 4


orders = {"mirror, then degrade": low(mirrored), "degrade, then mirror": low(target).flip(-1)}

# %%
for name, image in orders.items():
    up = ks.upsample_fourier(image[None, None], 4)[0, 0]
    off = [float((up.roll(shift, -1) - mirrored).square().mean()) for shift in range(-6, 7)]
    print(f"{name}: fits the mirrored target best when moved by {off.index(min(off)) - 6} pixels")

# %%
wrong, right = orders["degrade, then mirror"], orders["mirror, then degrade"]
course.show(orders, alt="Two low-resolution heads that look alike.", shared=True)
course.show(
    {"their difference": wrong - right},
    alt="The difference has an edge of opposite sign on either side of the head.",
    kind="signed",
    label="signal, a.u.",
)

# %% [markdown]
# **Explain.** Nothing crashes, the loss falls, the pictures look right. What would a network learn
# from half its slices being displaced, and which plot would have told you?

# %%
course.answer("training.displaced")

# %% [markdown]
# ## Exercise 8: the paper's recipe
# 6912 slices, 50 epochs, batch 4 on each of 8 GPUs, whose gradients are averaged.
#
# **Predict.** How many steps does the optimiser take?

# %%
### BEGIN SOLUTION
updates = 10_800
### END SOLUTION

# %%
course.check("training.updates", updates)

# %% [markdown]
# One GPU can take the same steps: eight batches one after the other, then one update (`accumulate`).

# %%
print("slices in a step:", Recipe(epochs=50, batch=4, accumulate=8).count_per_step(6912))
full = dl.Config.make("released", "full")
print(f"memory for batch 4 at 256 x 256: about {estimate_memory(full, batch=4):.0f} GB")

# %% [markdown]
# In a terminal (on Colab with `!` in front), with M4Raw in a folder and a GPU:
# ```
# dcamsr train --preset full --variant released --data M4RAW/train --validation M4RAW/val \
#     --out full-4x --device cuda
# torchrun --nproc-per-node=8 -m dcamsr_lite train --preset full --variant released \
#     --data M4RAW/train --validation M4RAW/val --out full-4x --device cuda
# ```
# and, after an interruption, the same with `--resume`. Without a GPU, `dcamsr train --data simulated
# --out mine` trains the lite network in minutes, for simulated heads: on a real patient such weights
# were below zero-fill (their [cards](../assets/weights/README.md)). `--bf16` helps on newer GPUs; a T4
# only imitates it.
#
# ## The curves that ship
# Every shipped weight file comes with its log; a training of several stages starts at step 0 in each.

# %%
shipped = {
    name: read_log(ASSETS / "weights" / card["log"])
    for name, card in dl.weights().items()
    if "-4x" in name
}
for log in shipped.values():
    grown = torch.tensor([0, *log["step"]]).diff()
    grown = torch.where(grown > 0, grown, torch.tensor(log["step"]))
    log["steps of all stages"] = grown.cumsum(0)

# %%
course.show(
    curves_of(shipped, x="steps of all stages"),
    alt="Loss and PSNR of every shipped 4x network; lite-4x-footprints jumps where a stage begins.",
)

# %% [markdown]
# Two curves of validation can be compared only if they were scored on the same heads, and the losses
# only if they were trained on the same slices. The [weights' page](../assets/weights/README.md) says
# on which. (Nor is there one zero-fill to draw: it is 25.5 dB on four simulated heads, 26.6 dB on the
# patient.) `lite-4x`, the longest curve, jumps up and down at each of its ten stages: data, sizes and
# losses changed there, several at a time. So take the one with fewer changes.
#
# **Explain.** `lite-4x-footprints` was trained in stages, and its PSNR jumps down where the last one
# begins. Has it forgotten something in one step? Find out on that page what else was changed.

# %%
course.answer("training.jump")

# %% [markdown]
# ## What more steps buy
# Your network of a minute, on the validation head, and the shipped one, on another head of 128 x 128.
# (If you trained your own, put its `last.safetensors` in place of the name.)

# %%
yours = dl.load(runs / "live" / "last.safetensors")
shipped_model = dl.load("lite-4x-footprints")
shown = simulated_pair(DEMO_SEED, scale=4, slices=6)
for name, network, pair in (("yours", yours, held_out), ("shipped", shipped_model, shown)):
    zero = dl.evaluate("zero-fill", pair)["psnr"]
    psnr = dl.evaluate(network, pair)["psnr"]
    print(f"{name:<8} zero-fill {zero:.1f} dB, network {psnr:.1f} dB: {psnr - zero:+.1f} dB")

# %%
course.show(
    {
        "zero-fill": held_out.zero_filled[3],
        "yours": dl.super_resolve(yours, held_out)[3],
        "zero-fill, 128 x 128": shown.zero_filled[3],
        "shipped": dl.super_resolve(shipped_model, shown)[3],
    },
    alt="Two heads, each blurred and super-resolved; both networks sharpen edges.",
)

# %% [markdown]
# **Explain.** Size, steps, channels and data all differ here. Which one would you change first, and
# how would you show that it was this one? [Notebook 06](06_ablations.ipynb) is about that.

# %%
course.answer("training.one_thing")

# %% [markdown]
# ## Recap
# - Six lines are a training loop; the rate's schedule explains the flat end of a curve.
# - Best and last differ: over-fitting is a gap between two curves, and choosing on a set uses it
#   up.
# - A training that resumes exactly needs the optimiser's memory, not only the weights.
#
# ## Bonus, open-ended
# You have twice the time. Spend it on steps, channels, or heads to train on: guess, then try the
# three at the size of this notebook. Is the best of them still the best with another seed?
#
# How far you are, over all ten notebooks (save this one first):

# %% tags=["varies"]
course.progress()

# %% tags=["varies"]
course.report()

# %% [markdown]
# ## References
# - Huang et al., *Accurate Multi-contrast MRI Super-Resolution via a Dual Cross-Attention Transformer
#   Network*, MICCAI 2023, sections 2 (loss) and 3 (implementation details).
# - Kingma and Ba, *Adam: A Method for Stochastic Optimization*, ICLR 2015.
# - Loshchilov and Hutter, *SGDR: Stochastic Gradient Descent with Warm Restarts*, ICLR 2017: the
#   cosine.
# - Lyu et al., *M4Raw*, Scientific Data 10, 2023.
# - Anatomy: Colin27, McGill University; see the [licence and origin](../assets/brain/README.md).
#
# **Not for clinical use.**
