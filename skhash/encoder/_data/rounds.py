"""Random order without end, for samplers that go on where the last epoch ended."""

from __future__ import annotations

from typing import Any

import numpy as np


class Rounds:
    """Numbers below n in random order: all of them before any comes again.

    Parameters
    ----------
    n : int
        How many numbers there are.
    seed : int
        Seed of the generator, `rng`, from which others may draw between two rounds.
    """

    def __init__(self, n: int, seed: int) -> None:
        self.n = n
        self.rng = np.random.default_rng(seed)
        self._queue = np.empty(0, dtype=np.int64)

    def ahead(self, count: int) -> np.ndarray:
        """The next numbers, which stay the next until they are taken."""
        while len(self._queue) < count:
            self._queue = np.concatenate([self._queue, self.rng.permutation(self.n)])
        return self._queue[:count]

    def take(self, count: int) -> np.ndarray:
        """The next numbers, which do not come again in this round."""
        taken, self._queue = self.ahead(count), self._queue[count:]
        return taken

    @property
    def state(self) -> Any:
        """All that the next numbers depend on."""
        return self.rng.bit_generator.state, self._queue

    @state.setter
    def state(self, state: Any) -> None:
        self.rng.bit_generator.state, self._queue = state
