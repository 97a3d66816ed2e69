"""Long computations that answer in between: step by step, with a bar, stopped and taken up again."""

from collections.abc import Callable, Iterator
from typing import Any


class Stepwise:
    """A computation in steps that can be watched, stopped, and taken up again.

    >>> search = Stepwise(3, iter([3, 3, 3]), lambda: "the result")
    >>> for done, total in search.steps():
    ...     if done == 2:
    ...         break
    >>> (search.done, search.total), search.result()
    ((2, 3), 'the result')

    ``work`` does a step and yields the total, which can grow: a path is refined where its sum is
    off. ``collect`` makes the result of what the steps left behind.
    """

    def __init__(self, total: int, work: Iterator[int], collect: Callable[[], Any]):
        self.done, self.total = 0, total
        self._work, self._collect = work, collect

    def steps(self) -> Iterator[tuple[int, int]]:
        """Do one step after the other and yield (done, total) after each."""
        for total in self._work:
            self.done, self.total = self.done + 1, total
            yield self.done, self.total

    def result(self, progress: bool = False) -> Any:
        """What came out; first does the steps that are left, with a progress bar if asked."""
        from tqdm.auto import tqdm

        with tqdm(initial=self.done, total=self.total, disable=not progress) as bar:
            for _, bar.total in self.steps():
                bar.update()
        if self.done < self.total:
            raise RuntimeError(f"the work broke off after {self.done} of {self.total} steps")
        return self._collect()
