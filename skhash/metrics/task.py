"""A retrieval task: queries, a database, and what makes an item relevant.

It is worked through a bounded piece at a time. A piece is a run of queries with two
histograms: all items and relevant items at each distance.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from skhash.hamming import check_codes, histograms, nearest
from skhash.hamming.labels import encode_labels
from skhash.metrics._relevance import as_rows, check_relevance, relevant_pairs
from skhash.metrics.averages import nothing_relevant, settle_zero_relevant

# Cells of one histogram held at a time; what is computed from them takes about 100 MB.
_CELLS = 1 << 20
# Pairs of a query and an item held at a time, where they cannot be avoided.
_PAIRS = 1 << 22

Piece = tuple[slice, np.ndarray, np.ndarray]


@dataclass(frozen=True)
class Retrieval:
    """Checked codes and relevance; made by :meth:`of`."""

    queries: np.ndarray
    database: np.ndarray
    query_labels: np.ndarray
    database_labels: np.ndarray
    relevance: Any
    exclude_self: bool
    n_jobs: int | None

    @classmethod
    def of(
        cls,
        queries: ArrayLike,
        database: ArrayLike,
        query_labels: ArrayLike | None,
        database_labels: ArrayLike | None,
        relevance: Any = None,
        exclude_self: bool = False,
        n_jobs: int | None = None,
    ) -> "Retrieval":
        """Check everything before any work."""
        database = check_codes(database, name="database")
        queries = check_codes(queries, n_bytes=database.shape[1], name="queries")
        n_queries, n_items = len(queries), len(database)
        if exclude_self and n_queries != n_items:
            raise ValueError(
                "exclude_self=True means that query i is item i of the database, but "
                f"there are {n_queries} queries and {n_items} items."
            )
        if relevance is None:
            if query_labels is None or database_labels is None:
                raise ValueError(
                    "What is relevant? Give query_labels and database_labels, or "
                    "relevance."
                )
            query_labels, database_labels = encode_labels(
                query_labels, database_labels, n_queries, n_items
            )
        else:
            relevance = check_relevance(relevance, n_queries, n_items)
            query_labels = as_rows(query_labels, "query_labels", n_queries)
            database_labels = as_rows(database_labels, "database_labels", n_items)
        return cls(
            queries,
            database,
            query_labels,
            database_labels,
            relevance,
            bool(exclude_self),
            n_jobs,
        )

    def pieces(self) -> Iterator[Piece]:
        """Histograms of distances."""
        n_bins = 8 * self.database.shape[1] + 1
        for rows in self.runs(_CELLS // n_bins):
            if self.relevance is None:
                n_total, n_relevant = self._label_histograms(rows)
                if self.exclude_self:
                    self._leave_out_self(rows, n_total, n_relevant)
            else:
                n_total = histograms(
                    self.queries[rows], self.database, n_jobs=self.n_jobs
                )
                if self.exclude_self:
                    self._leave_out_self(rows, n_total, None)
                n_relevant = np.concatenate(
                    [self._relevant(part, n_bins) for part in self.small_runs(rows)]
                )
            yield rows, n_total, n_relevant

    def ranked_pieces(self, depth: int | None) -> Iterator[Piece]:
        """Histograms over ranks: ties broken by index, one item at each rank.

        Ranks beyond `depth` share one last bin.
        """
        others = len(self.database) - self.exclude_self
        depth = others if depth is None else min(depth, others)
        for rows in self.small_runs():
            hit = self._hits(rows)
            n_relevant = np.zeros((len(hit), depth + 1), dtype=np.int64)
            n_total = np.ones_like(n_relevant)
            n_total[:, -1] = others - depth
            if depth:
                index = self._nearest(rows, depth)
                n_relevant[:, :-1] = np.take_along_axis(hit, index, axis=1)
            n_relevant[:, -1] = hit.sum(axis=1) - n_relevant.sum(axis=1)
            yield rows, n_total, n_relevant

    def runs(self, step: int, within: slice | None = None) -> Iterator[slice]:
        """Consecutive runs of at most `step` queries."""
        start, stop, _ = (within or slice(None)).indices(len(self.queries))
        step = max(1, step)
        for first in range(start, stop, step):
            yield slice(first, min(first + step, stop))

    def small_runs(self, within: slice | None = None) -> Iterator[slice]:
        """Runs of queries for which all pairs may be held at once."""
        return self.runs(_PAIRS // max(1, len(self.database)), within)

    def graded(self, rows: slice) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Relevant pairs of a run of queries: row in the run, distance, grade."""
        row, col, grade = self._pairs(rows)
        differing = self.queries[rows][row] ^ self.database[col]
        return row, np.bitwise_count(differing).sum(axis=1, dtype=np.intp), grade

    def fingerprint(self) -> str:
        """The same for the same grades of all pairs, however they are given."""
        digest = sha256()
        for rows in self.small_runs():
            row, col, grade = self._pairs(rows)
            order = np.lexsort((col, row))
            for part in (row + rows.start, col):
                digest.update(part[order].astype(np.int64).tobytes())
            digest.update(grade[order].tobytes())
        return digest.hexdigest()[:16]

    def totals(self, rows: slice) -> np.ndarray:
        """Items at each distance of a run of queries."""
        n_total = histograms(self.queries[rows], self.database, n_jobs=self.n_jobs)
        if self.exclude_self:
            self._leave_out_self(rows, n_total, None)
        return n_total

    def _relevant(self, rows: slice, n_bins: int) -> np.ndarray:
        row, distance, _ = self.graded(rows)
        n_rows = rows.stop - rows.start
        counts = np.bincount(row * n_bins + distance, minlength=n_rows * n_bins)
        return counts.reshape(n_rows, n_bins)

    def _hits(self, rows: slice) -> np.ndarray:
        """Whether each item is relevant to each query of a small run, bool."""
        own = np.arange(rows.start, rows.stop)
        if self.relevance is None and self.query_labels.ndim == 1:
            hit = self.query_labels[rows][:, None] == self.database_labels
            if self.exclude_self:
                hit[own - rows.start, own] = False
            return hit
        hit = np.zeros((len(own), len(self.database)), dtype=bool)
        row, col, _ = self._pairs(rows)
        hit[row, col] = True
        return hit

    def _pairs(self, rows: slice) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        row, col, grade = relevant_pairs(
            self.relevance, self.query_labels, self.database_labels, rows
        )
        if self.exclude_self:
            other = row + rows.start != col
            return row[other], col[other], grade[other]
        return row, col, grade

    def _label_histograms(self, rows: slice) -> tuple[np.ndarray, np.ndarray]:
        """Histograms with one scan for queries of equal code and label.

        Learned short codes repeat a lot, and finding repeats costs a sort of the
        queries. Long codes and label sets are rarely equal and are not looked at.
        """
        queries, labels = self.queries[rows], self.query_labels[rows]
        against = (self.database_labels,)
        if labels.ndim == 2 or queries.shape[1] > 8:
            return histograms(
                queries, self.database, labels, *against, n_jobs=self.n_jobs
            )
        words = np.zeros((len(queries), 8), dtype=np.uint8)
        words[:, : queries.shape[1]] = queries
        _, code = np.unique(words.view(np.uint64)[:, 0], return_inverse=True)
        pair = code + labels * (len(queries) + 1)
        _, first, group = np.unique(pair, return_index=True, return_inverse=True)
        n_total, n_relevant = histograms(
            queries[first], self.database, labels[first], *against, n_jobs=self.n_jobs
        )
        return n_total[group], n_relevant[group]

    def _leave_out_self(
        self, rows: slice, n_total: np.ndarray, n_relevant: np.ndarray | None
    ) -> None:
        """Take query i's own item out of its histograms, in place."""
        differing = self.queries[rows] ^ self.database[rows]
        distance = np.bitwise_count(differing).sum(axis=1, dtype=np.intp)
        row = np.arange(len(distance))
        n_total[row, distance] -= 1
        if n_relevant is not None:
            same = self.query_labels[rows], self.database_labels[rows]
            if same[0].ndim == 1:
                n_relevant[row, distance] -= same[0] == same[1]
            else:
                n_relevant[row, distance] -= (same[0] & same[1]).any(axis=1)

    def _nearest(self, rows: slice, depth: int) -> np.ndarray:
        index = nearest(
            self.queries[rows],
            self.database,
            depth + self.exclude_self,
            n_jobs=self.n_jobs,
        )[1]
        if not self.exclude_self:
            return index
        # Drop the query's own item, or the last rank where it is not among the ranks.
        own = index == np.arange(rows.start, rows.stop)[:, None]
        own[~own.any(axis=1), -1] = True
        return index[~own].reshape(len(index), -1)


def per_query(
    rows_of: Callable[[np.ndarray, np.ndarray, str], np.ndarray],
    retrieval: Retrieval,
    zero_relevant: Any,
    ties: str = "expected",
    depth: int | None = None,
) -> np.ndarray:
    """Apply a function of two histograms and `ties` to all queries, piece by piece.

    A ranking whose ties are broken by index is a histogram of one item per rank, in
    which the expectation is the value itself. Only the first `depth` ranks are made.
    """
    pieces = retrieval.pieces()
    if ties == "index":
        pieces, ties = retrieval.ranked_pieces(depth), "expected"
    values: list[np.ndarray] = [np.empty(0)]
    undefined: list[np.ndarray] = [np.empty(0, dtype=bool)]
    for _, n_total, n_relevant in pieces:
        values.append(rows_of(n_total, n_relevant, ties))
        undefined.append(nothing_relevant(n_relevant))
    return settle_zero_relevant(
        np.concatenate(values), np.concatenate(undefined), zero_relevant
    )
