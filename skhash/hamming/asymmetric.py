"""Real queries against packed codes: the public functions, and what neighbours ask.

A code loses much of a vector, and a query need lose none: its real outputs are compared
with the codes, by the estimator of RaBitQ.
"""

from __future__ import annotations

from numbers import Integral
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skhash.hamming.codes import check_codes
from skhash.hamming.engine.choose import engine
from skhash.hamming.real.factors import (
    METRICS,
    Factors,
    as_reals,
    estimate_factors,
)
from skhash.hamming.real.queries import GridQueries
from skhash.hamming.search import check_k
from skhash.hamming.threads.count import n_threads

__all__ = [
    "Factors",
    "estimate_factors",
    "nearest_lower",
    "nearest_real",
    "within_lower",
]

# Squared norms up to which nothing overflows, whatever the factors.
LARGEST = 1e200


def nearest_real(
    queries: ArrayLike,
    codes: ArrayLike,
    factors: Factors,
    k: int,
    *,
    query_bits: int = 4,
    n_jobs: int | None = None,
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Find the `k` items with the least estimated distances to every real query.

    Each query is rounded to a grid of 2^B levels with B = `query_bits`; all that
    follows is exact. An answer depends on nothing but its query and the database.

    Parameters
    ----------
    queries : array-like of shape (n_queries, n_bits)
        Real outputs, made as those whose signs are the codes.
    codes : array-like of shape (n_items, n_bytes), uint8
        Packed codes of n_bits bits (see :func:`check_codes`).
    factors : Factors
        Of the same items (see :func:`estimate_factors`).
    k : int
        Number of neighbours, from 1 to n_items.
    query_bits : int, default=4
        Bits that are kept of each value of a query, from 1 to 8.
    n_jobs : int, default=None
        Number of threads; None means all cores the process may use. The answer
        does not depend on it.

    Returns
    -------
    values : ndarray of shape (n_queries, k), float64
        Estimates in ascending order: of squared distances for "euclidean", of
        half of them for "cosine", of -<x, q> up to a constant of the query for
        "inner_product".
    indices : ndarray of shape (n_queries, k), int64
        Rows of `codes`; equal values in ascending order of index.

    Raises
    ------
    TypeError
        If `factors` are none, or `k` or `query_bits` is no integer.
    ValueError
        If queries are not real, hold NaN or infinity or squared norms above 1e200,
        codes are not wide enough for their bits or fewer or more than the factors, or
        `k` or `query_bits` is out of range.

    References
    ----------
    Gao and Long, "RaBitQ: Quantizing High-Dimensional Vectors with a Theoretical Error
    Bound for Approximate Nearest Neighbor Search", SIGMOD 2024, sections 3.2 and 3.3.
    The grid lies around zero and its step makes the rounded query's product with the
    query exact; rounding is to the nearest level, not random.

    Examples
    --------
    >>> import numpy as np
    >>> from skhash.hamming import estimate_factors, nearest_real, pack
    >>> X = np.array([[3.0, 1.0], [-1.0, 1.0], [-2.0, -2.0]])
    >>> center = X.mean(axis=0)
    >>> factors = estimate_factors(X - center, X, "euclidean")
    >>> codes = pack(X - center > 0)
    >>> values, indices = nearest_real([[-1.0, 0.5]], codes, factors, 2)
    >>> indices
    array([[1, 2]])
    """
    task = _Task.of(queries, codes, factors, query_bits, n_jobs)
    k = check_k(k, len(task.codes), task.grid.levels)
    return task.nearest(np.zeros(len(task.constants)), k)


def nearest_lower(
    queries: ArrayLike,
    codes: ArrayLike,
    factors: Factors,
    k: int,
    widths: ArrayLike,
    *,
    query_bits: int = 4,
    n_jobs: int | None = None,
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """The `k` least of ``value - widths[q] * error``, ordered by (bound, index).

    All else is as in `nearest_real`; `widths` are 0 or more, of shape (n_queries,).
    """
    task = _Task.of(queries, codes, factors, query_bits, n_jobs)
    k = check_k(k, len(task.codes), task.grid.levels)
    return task.nearest(_of_queries(widths, "widths", task, least=0), k)


def within_lower(
    queries: ArrayLike,
    codes: ArrayLike,
    factors: Factors,
    limits: ArrayLike,
    widths: ArrayLike,
    *,
    query_bits: int = 4,
    n_jobs: int | None = None,
) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.int64]]:
    """All items whose bound ``value - widths[q] * error`` is at most ``limits[q]``.

    Returns (bounds, indices, offsets): those of query q, in ascending order of index,
    are at ``offsets[q]:offsets[q + 1]``. All else is as in `nearest_lower`; a limit may
    be infinite.
    """
    task = _Task.of(queries, codes, factors, query_bits, n_jobs)
    limits = _of_queries(limits, "limits", task)
    return task.within(_of_queries(widths, "widths", task, least=0), limits)


class _Task(NamedTuple):
    """A search whose parts fit together."""

    grid: GridQueries
    codes: NDArray[np.uint8]
    table: NDArray[np.float32]
    constants: NDArray[np.float64]
    threads: int

    @classmethod
    def of(
        cls, queries: Any, codes: Any, factors: Any, query_bits: Any, n_jobs: Any
    ) -> _Task:
        """Check what is given, and round the queries."""
        n_planes = check_query_bits(query_bits)
        if not isinstance(factors, Factors):
            raise TypeError(
                "factors must be what `skhash.hamming.estimate_factors` returns, got "
                f"{type(factors).__name__}."
            )
        reals = _real_queries(queries)
        n_bytes = -(-reals.shape[1] // 8)
        packed = check_codes(codes, n_bytes=n_bytes, name="codes")
        if len(packed) != len(factors):
            raise ValueError(
                "There must be factors for every code, got "
                f"{len(factors)} of them and {len(packed)} codes."
            )
        grid = engine().on_grid(reals, n_planes)
        if grid.squares.max(initial=0) > LARGEST:
            raise ValueError(
                f"queries are too large, with squared norms above {LARGEST:g}: scale "
                "them and the database down."
            )
        threads = n_threads(n_jobs, len(reals) * packed.size)
        constants = METRICS[factors.metric][0] * grid.squares
        return cls(grid, packed, factors.table, constants, threads)

    def nearest(
        self, widths: NDArray[np.float64], k: int
    ) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        return engine().nearest_lower(*self[:4], widths, k, self.threads)

    def within(
        self, widths: NDArray[np.float64], limits: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.int64]]:
        return engine().within_lower(*self[:4], widths, limits, self.threads)


def check_query_bits(query_bits: Any) -> int:
    """Return a number of bits of a query's values, or say what is wrong with it."""
    if isinstance(query_bits, bool) or not isinstance(query_bits, Integral):
        raise TypeError(f"query_bits must be an integer, got {query_bits!r}.")
    number = int(query_bits)
    if not 1 <= number <= 8:
        raise ValueError(f"query_bits must be 1 to 8, got {number}.")
    return number


def _real_queries(queries: Any) -> NDArray[np.float64]:
    """Queries as float64, or say what is wrong with them."""
    if getattr(queries, "dtype", None) in (np.bool_, np.uint8):
        raise ValueError(
            "queries are codes, and this search takes real outputs, such as those of "
            "`encoder.embed(X)`; `skhash.hamming.nearest` compares codes."
        )
    # A copy, so that kernels meet one type.
    return np.array(as_reals(queries, "queries"), dtype=np.float64, order="C")


def _of_queries(
    values: ArrayLike, name: str, task: _Task, least: float = -np.inf
) -> NDArray[np.float64]:
    """A number for each query, no smaller than `least`."""
    array = np.array(values, np.float64)
    if array.shape != task.constants.shape:
        raise ValueError(
            f"{name} must hold a number for each query, shape {task.constants.shape}, "
            f"got shape {array.shape}."
        )
    # NaN fails the comparison; an infinite width has no bound.
    if not (array >= least).all() or (least == 0 and np.isinf(array).any()):
        kind = "finite numbers, 0 or more" if least == 0 else "numbers, not NaN"
        raise ValueError(f"{name} must be {kind}.")
    return array
