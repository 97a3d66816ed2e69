"""Does a map depend on what was learned? Weights are drawn anew, part by part, and it is made again.

>>> lr, ref = torch.rand(1, 1, 8, 8), torch.rand(1, 1, 32, 32)
>>> network = torch.nn.Sequential(torch.nn.Conv2d(1, 4, 3), torch.nn.Conv2d(4, 1, 3))
>>> found = compare_randomised(network, lambda f: f(ref)[0, 0].detach())
>>> [*found], found["as trained"]["signed"]
(['as trained', '1', '0'], 1.0)

A map that stays as it was without the weights shows the image, not the network. Source: Adebayo et al.,
"Sanity Checks for Saliency Maps", NeurIPS 2018: the cascading randomisation and both correlations.
"""

from collections.abc import Callable, Iterable, Iterator
from copy import deepcopy

import torch
from torch import Tensor, nn

from ..errors import InputError

Drawn = tuple[str, nn.Module]


def list_parts(network: nn.Module) -> list[tuple[str, nn.Module]]:
    """The parts of a network from the output to the input, those of a ModuleDict or a list each.

    >>> from dcamsr_lite import DCAMSR
    >>> [name for name, _ in list_parts(DCAMSR(scale=4, image_size=32))]
    ['last', 'decoder', 'transformers 4', 'transformers 2', 'transformers 1', 'encoder']

    Raises InputError for a network without parts that hold weights.
    """
    parts: list[tuple[str, nn.Module]] = []
    for name, part in network.named_children():
        several = isinstance(part, nn.ModuleDict | nn.ModuleList)
        inner = part.named_children() if several else [("", part)]
        parts += [(f"{name} {key}".strip(), one) for key, one in inner]
    parts = [(name, part) for name, part in parts if any(True for _ in part.parameters())]
    if not parts:
        raise InputError("network", type(network).__name__, "one with parts that hold weights")
    return parts[::-1]


def randomise(network: nn.Module, seed: int = 0) -> Iterator[tuple[str, nn.Module]]:
    """Copies of a network in which ever more parts are drawn anew, from the output to the input.

    >>> network = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.Linear(3, 1))
    >>> for name, copy in randomise(network):
    ...     name, torch.equal(copy[0].weight, network[0].weight)
    ('1', True)
    ('0', False)

    Every tensor of weights becomes normal numbers of its own mean and deviation, so that images keep
    their size on the way; one without a deviation stays. The network itself is not touched.
    """
    generator = torch.Generator().manual_seed(seed)
    copy = deepcopy(network)
    for name, part in list_parts(copy):
        for weights in part.parameters():
            if weights.numel() > 1:
                drawn = torch.randn(weights.shape, generator=generator).to(weights)
                weights.data = weights.data.mean() + weights.data.std() * drawn
        yield name, deepcopy(copy)


def compare_maps(one: Tensor, other: Tensor) -> dict[str, float]:
    """Spearman's rank correlation of two maps of one shape, of their values and of their magnitudes.

    >>> compare_maps(torch.tensor([[3.0, -1], [2, 0.5]]), torch.tensor([[-3.0, 1], [-2, -0.5]]))
    {'signed': -1.0, 'absolute': 1.0}

    nan where a map is constant or not finite: there are no ranks.
    """
    from scipy.stats import spearmanr

    found = {}
    for name, take in (("signed", lambda x: x), ("absolute", torch.abs)):
        flat = [take(x.detach().cpu().double()).flatten() for x in (one, other)]
        ranked = all(x.isfinite().all() and x.min() != x.max() for x in flat)
        found[name] = (
            float(spearmanr(*(x.numpy() for x in flat)).statistic) if ranked else float("nan")
        )
    return found


def compare_randomised(
    network: nn.Module,
    explain: Callable[[nn.Module], Tensor],
    seed: int = 0,
    walk: Callable[[Iterable[Drawn]], Iterable[Drawn]] = iter,
) -> dict[str, dict[str, float]]:
    """How alike a map stays while the weights are drawn anew: the part drawn last -> correlations.

    >>> network = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.Linear(3, 1))
    >>> edges = lambda f: torch.eye(3)  # a map that does not look at the network
    >>> compare_randomised(network, edges)["0"]["absolute"]
    1.0

    ``explain(network)`` is the map (row, column), such as ``blur_path(...).result().ref``. The first
    entry, "as trained", is the map beside itself. An attribution should fall far below 1. ``walk`` goes
    through the drawn networks, for one who waits: ``course.watch`` shows a bar.
    """
    own = explain(network)
    found = {"as trained": compare_maps(own, own)}
    for name, copy in walk(randomise(network, seed)):
        found[name] = compare_maps(own, explain(copy))
    return found
