"""Projections of many items: kept where they are few, made again where they are not."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from skhash.baselines._base import project

# Values of projections that are worked on at a time (32 MB in float64), and kept.
_AT_A_TIME, _KEPT = 1 << 22, 1 << 24


class Projected:
    """``(X - mean) @ components.T`` as blocks of rows, to go through many times."""

    def __init__(self, X: NDArray, mean: NDArray, components: NDArray) -> None:
        self.shape = len(X), len(components)
        self._of = X, mean, components
        few = len(X) * len(components) <= _KEPT
        self._kept = project(*self._of) if few else None

    def __iter__(self) -> Iterator[NDArray[np.float64]]:
        X, mean, components = self._of
        n, width = self.shape
        step = max(1, _AT_A_TIME // max(1, width))
        for start in range(0, n, step):
            rows = slice(start, start + step)
            if self._kept is None:
                yield project(X[rows], mean, components)
            else:
                yield self._kept[rows]
