"""One example small enough for paper: three tokens, two footprints; every array of a step, drawn.

>>> [step.name for step in walk("attention.spatial")]
['q', 'e', 'k', 'e k', 'logits', 'weights', 'f', 'v', 'f v', 'result']
>>> walk("attention.spatial")[3].values
tensor([[ 2.,  0.],
        [-1.,  2.]])

Three tokens, one head of two features in the attentions, two heads of two where heads are split.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

import torch
import torch.nn.functional as F
from einops import einsum, rearrange
from torch import Tensor

from ..network.attention import merge_heads_scrambled
from ..panels import default_style, signed_map
from .pictures import show

if TYPE_CHECKING:
    from matplotlib.figure import Figure

QUERIES = torch.tensor([[2.0, 0], [1, 1], [0, 2]])  # n d
KEYS = torch.tensor([[2.0, 0], [2, 0], [0, 2]])
VALUES = torch.tensor([[10.0, 0], [20, 0], [0, 30]])
FOOTPRINTS = torch.tensor([[0.5, 0.5, 0], [0, -0.5, 1]])  # p n, of keys and of values
TOKENS = torch.tensor(
    [[11.0, 12, 13, 14], [21, 22, 23, 24], [31, 32, 33, 34]]
)  # n c: token, channel


WIDEST = 6  # arrays in one picture


class Step(NamedTuple):
    """An array of the example, its name, and its axes: ("q", "n d", values)."""

    name: str
    axes: str
    values: Tensor


def _split() -> list[Step]:
    heads = rearrange(TOKENS, "n (head d) -> head n d", head=2)
    parts = [Step(f"head {i}", "n d", part) for i, part in enumerate(heads)]
    return [Step("x", "n (head d)", TOKENS), *parts]


def _merge() -> list[Step]:
    return [*_split()[1:], Step("merged", "n (head d)", TOKENS)]


def _scramble() -> list[Step]:
    heads = rearrange(TOKENS, "n (head d) -> 1 head n d", head=2)
    wrong = merge_heads_scrambled(heads)[0]
    return [*_merge(), Step("as released", "n (head d)?", wrong)]


def _attend() -> tuple[Tensor, Tensor, Tensor]:
    small = FOOTPRINTS @ KEYS
    logits = einsum(QUERIES, small, "n d, p d -> n p") / 2**0.5
    return small, logits, logits.softmax(-1)


def _spatial() -> list[Step]:
    small, logits, weights = _attend()
    means = FOOTPRINTS @ VALUES
    return [
        Step("q", "n d", QUERIES),
        Step("e", "p n", FOOTPRINTS),
        Step("k", "n d", KEYS),
        Step("e k", "p d", small),
        Step("logits", "n p", logits),
        Step("weights", "n p", weights),
        Step("f", "p n", FOOTPRINTS),
        Step("v", "n d", VALUES),
        Step("f v", "p d", means),
        Step("result", "n d", weights @ means),
    ]


def _channel() -> list[Step]:
    q, k = F.normalize(QUERIES, dim=0), F.normalize(KEYS, dim=0)
    logits = einsum(q, k, "n i, n j -> i j") * 2  # the temperature
    weights = logits.softmax(-1)
    return [
        Step("q, length one", "n i", q),
        Step("k, length one", "n j", k),
        Step("logits, temperature 2", "i j", logits),
        Step("weights", "i j", weights),
        Step("v", "n j", VALUES),
        Step("result", "n i", einsum(weights, VALUES, "i j, n j -> n i")),
    ]


def _lift() -> list[Step]:
    weights = _attend()[2]
    return [
        Step("attention", "n p", weights),
        Step("footprints", "p pixel", FOOTPRINTS),
        Step("maps", "n pixel", weights @ FOOTPRINTS),
        Step("minus uniform", "n p", weights - 0.5),
        Step("relative maps", "n pixel", (weights - 0.5) @ FOOTPRINTS),
    ]


def _entropy() -> list[Step]:
    weights = _attend()[2]
    terms = torch.special.entr(weights)
    rows = terms.sum(-1, keepdim=True) / torch.tensor(2.0).log()
    mean = rows.mean(0, keepdim=True)
    return [
        Step("attention", "n p", weights),
        Step("-A log A", "n p", terms),
        Step("of each row", "n", rows),
        Step("mean", "", mean),
    ]


def _mix() -> list[Step]:
    *_, weights, values, result = _channel()
    return [weights, Step("value", "n j", values.values), Step("mixed", "n i", result.values)]


WALKS: dict[str, Callable[[], list[Step]]] = {
    "attention.split_heads": _split,
    "attention.spatial": _spatial,
    "attention.merge_heads": _merge,
    "attention.channel": _channel,
    "attention.keeps_place": _scramble,
    "microscope.lift": _lift,
    "microscope.entropy": _entropy,
    "microscope.mix": _mix,
}


def walk(name: str) -> list[Step]:
    """Every array that an exercise makes of the small example, in their order.

    >>> walk("microscope.lift")[2].values.min() < 0  # a footprint has a negative weight
    tensor(True)

    Raises ValueError for an exercise without one.
    """
    if name not in WALKS:
        raise ValueError(f"no small example for {name!r}; expected one of {[*WALKS]}")
    return WALKS[name]()


def describe(steps: list[Step]) -> str:
    """All arrays in words and numbers, row by row.

    >>> describe([Step("e", "p n", FOOTPRINTS)])
    'e (p n): 0.5 0.5 0; 0 -0.5 1'
    """
    words = []
    for step in steps:
        rows = "; ".join(" ".join(map(_write, row)) for row in step.values.tolist())
        words.append(f"{step.name} ({step.axes}): {rows}" if step.axes else f"{step.name}: {rows}")
    return ". ".join(words)


def _write(number: float) -> str:
    return f"{round(number, 2) + 0:g}"


@default_style()
def draw_steps(steps: list[Step]) -> "Figure":
    """The arrays side by side, their numbers in the cells; rows are the first axis.

    >>> [axes.get_title() for axes in draw_steps(walk("attention.merge_heads")).axes]
    ['head 0', 'head 1', 'merged']
    """
    from matplotlib.figure import Figure

    widths = [max(step.values.shape[1], 1.6) for step in steps]
    tallest = max(step.values.shape[0] for step in steps)
    figure = Figure(figsize=(0.5 * sum(widths) + 0.55 * len(steps), 0.42 * tallest + 0.85))
    row = figure.subplots(1, len(steps), width_ratios=widths, squeeze=False)[0]
    figure.subplots_adjust(left=0.04, right=0.99, top=0.78, bottom=0.16, wspace=0.55)
    for axes, step in zip(row, steps, strict=True):
        _draw_array(axes, step, tallest)
    return figure


def _draw_array(axes, step: Step, tallest: int) -> None:
    limit = 2.2 * float(step.values.abs().max())  # pale enough to be read upon
    axes.imshow(step.values.numpy(), cmap=signed_map(), vmin=-limit, vmax=limit, aspect="auto")
    height, width = step.values.shape
    for i, j in torch.cartesian_prod(torch.arange(height), torch.arange(width)).tolist():
        number = _write(float(step.values[i, j]))
        axes.text(j, i, number, ha="center", va="center", fontsize=8, color="black")
    axes.set_title(step.name, fontsize=9)
    axes.set(xticks=[], yticks=[], ylim=(tallest - 0.5, -0.5), xlim=(-0.5, width - 0.5))
    down, *along = step.axes.split(" ", 1) if step.axes else [""]
    axes.set_ylabel(down, fontsize=8, rotation=0, ha="right", va="center", labelpad=5)
    axes.text((width - 1) / 2, height - 0.38, *along or [""], ha="center", va="top", fontsize=8)
    axes.spines[:].set_visible(False)


def by_hand(name: str) -> None:
    """Draw what an exercise makes of three tokens and two footprints, array by array.

    >>> by_hand("attention.split_heads")
    x (n (head d)): 11 12 13 14; 21 22 23 24; 31 32 33 34. head 0 (n d): 11 12; 21 22; 31 32.
    head 1 (n d): 13 14; 23 24; 33 34
    """
    steps = walk(name)
    for first in range(0, len(steps), WIDEST):
        some = steps[first : first + WIDEST]
        show(draw_steps(some), alt=describe(some), dpi=84)
