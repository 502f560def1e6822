"""The vectors behind codes: read them where bounds do not exclude them.

What neighbours ask. Distances are sums of float64 in a fixed order.
"""

from __future__ import annotations

from importlib import import_module
from types import ModuleType
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from skhash.hamming.engine.choose import compiled
from skhash.hamming.reading.plain import (
    COSINE,
    EUCLIDEAN,
    INNER_PRODUCT,
    load,
    unit,
)
from skhash.hamming.threads.count import n_threads

__all__ = ["StoredVectors", "as_unit", "read_all", "read_nearest"]

_METRICS = {
    "euclidean": EUCLIDEAN,
    "cosine": COSINE,
    "inner_product": INNER_PRODUCT,
}
# Vectors that a query reads, about: what threads are worth, in their words.
_USUAL = 100


class StoredVectors(NamedTuple):
    """Vectors as they lie in memory: those of `base`, then those of `more`.

    A vector is ``base[i]``, ``table[base[i]]`` where there is a table, or
    ``shift + scales[i] * base[i]`` where there are scales.
    """

    base: NDArray  # (n, d), any real dtype, C-contiguous
    more: NDArray  # (n_more, d), of the same dtype
    scales: NDArray[np.float32] | None = None  # (n + n_more,)
    shift: NDArray[np.float64] | None = None  # (d,)
    table: NDArray[np.float64] | None = None

    def rows(self, indices: NDArray[np.int64]) -> NDArray[np.float64]:
        """Some vectors, in float64."""
        return load(self, indices)

    def read_only(self) -> StoredVectors:
        """The same, so that kernels meet one type of arrays."""
        base, more = _read_only(self.base), _read_only(self.more)
        rest = (None if each is None else _read_only(each) for each in self[2:])
        return StoredVectors(base, more, *rest)


def read_nearest(
    queries: NDArray[np.float64],
    stored: StoredVectors,
    metric: str,
    bounds: NDArray[np.float64],
    candidates: NDArray[np.int64],
    offsets: NDArray[np.int64],
    k: int,
    *,
    n_jobs: int | None = None,
) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.int64]]:
    """The k nearest of each query's candidates, and how many of them were read.

    Candidates of query q stand at ``offsets[q]:offsets[q + 1]``, in ascending order of
    `bounds`. They are read until the next bound is above the k-th value found. Values
    are squared distances, 1 - cos or -<x, q>, ordered by (value, index).
    """
    threads = n_threads(n_jobs, _USUAL * queries.size)
    stored, metric_number = stored.read_only(), _METRICS[metric]
    return _engine().read_nearest(
        queries, stored, metric_number, bounds, candidates, offsets, k, threads
    )


def read_all(
    queries: NDArray[np.float64],
    stored: StoredVectors,
    metric: str,
    candidates: NDArray[np.int64],
    offsets: NDArray[np.int64],
    *,
    n_jobs: int | None = None,
) -> NDArray[np.float64]:
    """Values of all candidates, in their order; see `read_nearest`."""
    threads = n_threads(n_jobs, len(candidates) * queries.shape[1])
    stored, metric_number = stored.read_only(), _METRICS[metric]
    return _engine().read_all(
        queries, stored, metric_number, candidates, offsets, threads
    )


def as_unit(vectors: NDArray) -> NDArray[np.float64]:
    """Vectors of length 1, by sums in a fixed order; zero vectors stay zeros."""
    return unit(np.asarray(vectors, np.float64))


def _engine() -> ModuleType:
    """The module that reads."""
    name = "kernels" if compiled() else "plain"
    return import_module(f"skhash.hamming.reading.{name}")


def _read_only(array: NDArray) -> NDArray:
    """A view that cannot be written to."""
    view = array.view()
    view.setflags(write=False)
    return view
