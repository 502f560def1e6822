"""Distance histograms of many queries, a bounded piece at a time."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from skhash.hamming import check_codes, histograms
from skhash.hamming._labels import encode_labels
from skhash.metrics._averages import nothing_relevant, settle_zero_relevant

# Cells of one histogram held at a time; what is computed from them takes about 100 MB.
_CELLS = 1 << 20


def histogram_chunks(
    queries: ArrayLike,
    database: ArrayLike,
    query_labels: ArrayLike,
    database_labels: ArrayLike,
    *,
    exclude_self: bool = False,
    n_jobs: int | None = None,
) -> Iterator[tuple[slice, np.ndarray, np.ndarray]]:
    """Yield ``(rows, n_total, n_relevant)`` for consecutive runs of queries.

    Everything is checked before the first scan.
    """
    database = check_codes(database, name="database")
    queries = check_codes(queries, n_bytes=database.shape[1], name="queries")
    if exclude_self and len(queries) != len(database):
        raise ValueError(
            "exclude_self=True means that query i is item i of the database, but there "
            f"are {len(queries)} queries and {len(database)} items."
        )
    query_labels, database_labels = encode_labels(
        query_labels, database_labels, len(queries), len(database)
    )
    step = max(1, _CELLS // (8 * database.shape[1] + 1))
    for start in range(0, len(queries), step):
        rows = slice(start, start + step)
        n_total, n_relevant = _grouped(
            queries[rows], database, query_labels[rows], database_labels, n_jobs
        )
        if exclude_self:
            _leave_out_self(
                n_total,
                n_relevant,
                (queries[rows], query_labels[rows]),
                (database[rows], database_labels[rows]),
            )
        yield rows, n_total, n_relevant


def _grouped(
    queries: np.ndarray,
    database: np.ndarray,
    query_labels: np.ndarray,
    database_labels: np.ndarray,
    n_jobs: int | None,
) -> tuple[np.ndarray, np.ndarray]:
    """Histograms with one scan for queries of equal code and label.

    Learned short codes repeat a lot, and finding repeats costs a sort of the queries.
    Long codes and label sets are rarely equal, so they are not looked at.
    """
    if query_labels.ndim == 2 or queries.shape[1] > 8:
        return histograms(
            queries, database, query_labels, database_labels, n_jobs=n_jobs
        )
    words = np.zeros((len(queries), 8), dtype=np.uint8)
    words[:, : queries.shape[1]] = queries
    _, code = np.unique(words.view(np.uint64)[:, 0], return_inverse=True)
    pair = code + query_labels * (len(queries) + 1)
    _, first, group = np.unique(pair, return_index=True, return_inverse=True)
    n_total, n_relevant = histograms(
        queries[first], database, query_labels[first], database_labels, n_jobs=n_jobs
    )
    return n_total[group], n_relevant[group]


def _leave_out_self(
    n_total: np.ndarray,
    n_relevant: np.ndarray,
    queries: tuple[np.ndarray, np.ndarray],
    items: tuple[np.ndarray, np.ndarray],
) -> None:
    """Take query i's own item out of its histograms, in place."""
    distance = np.bitwise_count(queries[0] ^ items[0]).sum(axis=1, dtype=np.intp)
    row = np.arange(len(distance))
    n_total[row, distance] -= 1
    if queries[1].ndim == 1:
        n_relevant[row, distance] -= queries[1] == items[1]
    else:
        n_relevant[row, distance] -= (queries[1] & items[1]).any(axis=1)


def per_query(
    rows_of: Callable[[np.ndarray, np.ndarray], np.ndarray],
    codes_and_labels: tuple[ArrayLike, ArrayLike, ArrayLike, ArrayLike],
    zero_relevant: Any,
    exclude_self: bool,
    n_jobs: int | None,
) -> np.ndarray:
    """Apply a function of two histograms to all queries, piece by piece.

    `codes_and_labels` are queries, database, query labels and database labels.
    """
    values: list[np.ndarray] = [np.empty(0)]
    undefined: list[np.ndarray] = [np.empty(0, dtype=bool)]
    chunks = histogram_chunks(
        *codes_and_labels, exclude_self=exclude_self, n_jobs=n_jobs
    )
    for _, n_total, n_relevant in chunks:
        values.append(rows_of(n_total, n_relevant))
        undefined.append(nothing_relevant(n_relevant))
    return settle_zero_relevant(
        np.concatenate(values), np.concatenate(undefined), zero_relevant
    )
