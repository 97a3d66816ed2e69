"""The batches of a training: which slices a step takes, how each is varied, and what is read ahead.

>>> from torch.utils.data import TensorDataset
>>> data = TensorDataset(torch.rand(6, 1, 8, 8), *torch.rand(2, 6, 1, 32, 32))
>>> shares = Shares(count=6, batch=2, seed=0, steps=range(5), parts=1)
>>> [lr.shape for lr, ref, target in make_loader(data, shares, scale=4)][4]
torch.Size([2, 1, 8, 8])
"""

import itertools
import signal
from collections.abc import Iterator

import numpy as np
import torch
from torch import Generator, Tensor
from torch.utils.data import DataLoader, Dataset, Sampler

from ..data.augmentation import measure_warp, vary_and_tell
from ..kspace import upsample_fourier
from .dataset import Slices
from .distributed import count_processes, get_rank


def draw_batches(count: int, batch: int, seed: int, start: int) -> Iterator[Tensor]:
    """Endless batches of indices, shuffled anew each epoch; ``start`` batches are passed over.

    >>> drawn = draw_batches(10, 2, seed=0, start=0)
    >>> torch.equal(next(draw_batches(10, 2, seed=0, start=7)), [*zip(range(8), drawn)][7][1])
    True

    Slices that fill no whole batch at the end of an epoch wait for the next one.
    """
    batch = min(batch, count)
    first, passed = divmod(start, count // batch)
    for epoch in itertools.count(first):
        order = torch.randperm(count, generator=torch.Generator().manual_seed(seed * 10**6 + epoch))
        whole = [indices for indices in order.split(batch) if len(indices) == batch]
        yield from whole[passed if epoch == first else 0 :]


def mix_seeds(*numbers: int) -> int:
    """One well-mixed seed from several numbers.

    >>> mix_seeds(0, 1) == mix_seeds(0, 1), mix_seeds(0, 1) == mix_seeds(1, 0)
    (True, False)
    """
    positive = [number % 2**63 for number in numbers]
    return int(np.random.SeedSequence(positive).generate_state(1, np.uint64)[0] >> 1)


class Shares(Sampler):
    """What this process reads: per step, ``parts`` lists of (slice, seed of its variation).

    >>> [len(part) for part in Shares(count=10, batch=4, seed=0, steps=range(2), parts=2)]
    [2, 2, 2, 2]

    The seed comes from the step and the place in the whole batch, so neither the number of
    processes, of parts, of workers nor an interruption changes what is drawn.
    """

    def __init__(self, count: int, batch: int, seed: int, steps: range, parts: int):
        self.count, self.batch, self.seed, self.steps, self.parts = count, batch, seed, steps, parts

    def __len__(self) -> int:
        return len(self.steps) * self.parts

    def __iter__(self) -> Iterator[list[tuple[int, int]]]:
        drawn = draw_batches(self.count, self.batch, self.seed, self.steps.start)
        for step, indices in zip(self.steps, drawn, strict=False):
            items = [(i, mix_seeds(self.seed, step, k)) for k, i in enumerate(indices.tolist())]
            mine = split_evenly(items, count_processes())[get_rank()]
            yield from split_evenly(mine, self.parts)


def split_evenly(items: list, parts: int) -> list[list]:
    """As even as possible, in order.

    >>> split_evenly([1, 2, 3], 2)
    [[1, 2], [3]]
    """
    ends = [-(-len(items) * k // parts) for k in range(parts + 1)]
    return [items[a:b] for a, b in itertools.pairwise(ends)]


class VariedSlices(Dataset):
    """A dataset of slices, asked by (slice, seed), each varied as ``augmentation.vary`` does.

    With ``tell`` a fourth tensor says how far the reference was moved: (2, rows, columns), in pixels.
    With ``patch`` a square of that side is left of each, somewhere in the head, and in place of lr
    the same square of it upsampled: cut first, its borders would ring.
    """

    def __init__(
        self,
        data: Slices,
        scale: int,
        chosen: tuple[str, ...],
        tell: bool = False,
        patch: int | None = None,
    ):
        self.data, self.scale, self.chosen = data, scale, chosen
        self.tell, self.patch = tell, patch

    def __getitem__(self, key: tuple[int, int]) -> tuple[Tensor, ...]:
        number, seed = key
        lr, ref, target = self.data[number]
        generator = torch.Generator().manual_seed(seed)
        *varied, moved = vary_and_tell(lr, ref, target, self.scale, self.chosen, generator)
        rows, columns = ref.shape[-2:]
        if self.tell:
            varied.append(measure_warp((rows, columns), **moved))
        if not self.patch:
            return tuple(varied)
        varied[0] = upsample_fourier(varied[0], self.scale)
        top, left = draw_corner(varied[2], self.patch, generator)
        return tuple(x[..., top : top + self.patch, left : left + self.patch] for x in varied)


def draw_corner(target: Tensor, patch: int, generator: Generator | None = None) -> tuple[int, int]:
    """Where a square of side ``patch`` begins that is centred in the head, or as near as it goes.

    >>> target = torch.zeros(1, 32, 32)
    >>> target[0, 20, 20] = 1
    >>> draw_corner(target, 16), draw_corner(target, 32)
    ((12, 12), (0, 0))

    The head is what is brighter than an eighth of the target's range.
    """
    low, high = target.amin(), target.amax()
    head = (target[0] >= low + (high - low) / 8).nonzero()
    centre = head[torch.randint(len(head), (), generator=generator)]
    corner = [int(at) - patch // 2 for at in centre]
    top, left = (
        min(max(at, 0), n - patch) for at, n in zip(corner, target.shape[-2:], strict=True)
    )
    return top, left


def make_loader(
    data: Slices,
    shares: Shares,
    scale: int,
    chosen: tuple[str, ...] = (),
    workers: int = 0,
    pinned: bool = False,
    tell: bool = False,
    patch: int | None = None,
) -> DataLoader:
    """Batches of lr, ref, target in the order of ``shares``, read ahead by ``workers`` processes.

    ``tell`` and ``patch`` are those of ``VariedSlices``.
    """
    return DataLoader(
        VariedSlices(data, scale, chosen, tell, patch),
        batch_sampler=shares,
        num_workers=workers,
        pin_memory=pinned,
        worker_init_fn=ignore_interrupts,
    )


def ignore_interrupts(worker: int) -> None:
    """Ctrl-C reaches every process of a terminal; only the training itself may act on it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
