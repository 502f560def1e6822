"""A retrieval task: queries, a database, and what makes an item relevant.

It is worked through a bounded piece at a time. A piece is a run of queries with two
histograms: all items and relevant items at each distance.

A database may be more than an array (see `elsewhere`): the type of one has a method
`__skhash_retrieval__`, which takes the arguments of :meth:`Retrieval.of` but the
database, and returns a `Retrieval` of its own that counts where the codes are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from skhash.hamming import check_codes, check_labels, histograms, nearest
from skhash.hamming.labels import compared_labels
from skhash.metrics._counts import differing_bits, shared_classes
from skhash.metrics.averages import (
    average_queries,
    nothing_relevant,
    settle_zero_relevant,
)
from skhash.metrics.elsewhere import located
from skhash.metrics.options import (
    AVERAGES,
    TIES,
    ZERO_RELEVANT,
    check_option,
    check_weight,
)
from skhash.metrics.relevance import (
    as_given,
    as_rows,
    check_relevance,
    relevant_pairs,
)

__all__ = ["Piece", "Retrieval"]

# Cells of one histogram held at a time; what is computed from them takes about 100 MB.
_CELLS = 1 << 20
# Pairs of a query and an item held at a time, where they cannot be avoided.
_PAIRS = 1 << 22


class Piece(NamedTuple):
    """Two histograms of a run of queries, one row each.

    The bins are distances; or ranks, of one item each, where ties are broken by index.
    """

    rows: slice
    n_total: np.ndarray
    n_relevant: np.ndarray


@dataclass(frozen=True)
class Retrieval:
    """Checked codes, relevance and weights of queries; made by :meth:`of`."""

    queries: np.ndarray
    database: np.ndarray
    query_labels: Any  # `Labels`; with relevance, rows for a function of them
    database_labels: Any
    given_labels: tuple[Any, Any]
    relevance: Any
    exclude_self: bool
    n_jobs: int | None
    sample_weight: np.ndarray | None

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
        sample_weight: ArrayLike | None = None,
    ) -> Retrieval:
        """Check everything before any work."""
        database, database_labels = located(database, database_labels)
        if hasattr(type(database), "__skhash_retrieval__"):
            sides = queries, query_labels, database_labels
            options = relevance, exclude_self, n_jobs, sample_weight
            return database.__skhash_retrieval__(*sides, *options)  # type: ignore
        database = check_codes(database, name="database")
        queries = check_codes(queries, n_bytes=database.shape[1], name="queries")
        n_queries, n_items = len(queries), len(database)
        weight = check_weight(sample_weight, queries)
        if exclude_self and n_queries != n_items:
            raise ValueError(
                "exclude_self=True means that query i is item i of the database, but "
                f"there are {n_queries} queries and {n_items} items."
            )
        given = query_labels, database_labels
        if relevance is None:
            if query_labels is None or database_labels is None:
                raise ValueError(
                    "What is relevant? Give query_labels and database_labels, or "
                    "relevance."
                )
            labels = compared_labels(query_labels, database_labels, n_queries, n_items)
        else:
            relevance = check_relevance(relevance, n_queries, n_items)
            labels = (
                as_rows(query_labels, "query_labels", n_queries),
                as_rows(database_labels, "database_labels", n_items),
            )
        itself = bool(exclude_self)
        return cls(queries, database, *labels, given, relevance, itself, n_jobs, weight)

    @property
    def n_candidates(self) -> int:
        """Items that each query ranks."""
        return len(self.database) - self.exclude_self

    @property
    def is_graded(self) -> bool:
        """Whether items may be relevant to different degrees."""
        return self.relevance is not None or self.query_labels.kind == "sets"

    @property
    def n_bins(self) -> int:
        """Number of distances, from 0 to all bits."""
        return 8 * self.database.shape[1] + 1

    def mean(
        self,
        metric: Callable[..., np.ndarray],
        zero_relevant: Any,
        average: str | None,
        **options: Any,
    ) -> float | np.ndarray:
        """Mean over queries of a metric of :mod:`skhash.metrics.from_histograms`.

        `options` are those of the metric, with `ties` as for codes.
        """
        self.check_average(average)
        return self.average(self.per_query(metric, zero_relevant, **options), average)

    def per_query(
        self, metric: Callable[..., np.ndarray], zero_relevant: Any, **options: Any
    ) -> np.ndarray:
        """The same of each query."""
        check_option("zero_relevant", zero_relevant, ZERO_RELEVANT)
        pieces, ranked = self.pieces(), options.get("ties") == "index"
        if "ties" in options:
            pieces, options["ties"] = self.by_ties(options["ties"], options.get("k"))
        # Metrics check their options. That is soon enough where work is short; but not
        # for long work, for rankings made to a depth k, or if there are no queries.
        short = 0 < len(self.queries) * len(self.database) <= _PAIRS
        if not short or ranked:
            metric(*np.zeros((2, 0, 1), dtype=np.int64), **options)
        values, undefined = [np.empty(0)], [np.empty(0, dtype=bool)]
        for _, n_total, n_relevant in pieces:
            values.append(metric(n_total, n_relevant, zero_relevant=0, **options))
            undefined.append(nothing_relevant(n_relevant))
        return settle_zero_relevant(
            np.concatenate(values), np.concatenate(undefined), zero_relevant
        )

    def check_average(self, average: str | None) -> None:
        """Raise unless values of the queries can be averaged this way."""
        check_option("average", average, AVERAGES)
        if average == "macro_class":
            labels = self.given_labels[0]
            if labels is None:
                raise ValueError("average='macro_class' needs query_labels.")
            check_labels(labels, name="query_labels", n=len(self.queries))

    def average(self, values: np.ndarray, average: str | None) -> float | np.ndarray:
        """Average values of the queries by their weights."""
        labels = self.given_labels[0]
        return average_queries(values, labels, average, self.sample_weight)

    def pieces(self) -> Iterator[Piece]:
        """Histograms of distances."""
        for rows in self.runs():
            if self.relevance is None:
                yield Piece(rows, *self._label_histograms(rows))
            else:
                parts = [self._count_relevant(part) for part in self.small_runs(rows)]
                yield Piece(rows, self.totals(rows), np.concatenate(parts))

    def ranked_pieces(self, depth: int | None) -> Iterator[Piece]:
        """Histograms over ranks: ties broken by index, one item at each rank.

        Ranks beyond `depth` share one last bin.
        """
        others = self.n_candidates
        depth = others if depth is None else min(depth, others)
        for rows in self.small_runs():
            _, hit, n_hits = self.ranked(rows, depth)
            n_relevant = np.zeros((len(hit), depth + 1), dtype=np.int64)
            n_total = np.ones_like(n_relevant)
            n_total[:, -1] = others - depth
            n_relevant[:, :-1] = hit
            n_relevant[:, -1] = n_hits - n_relevant.sum(axis=1)
            yield Piece(rows, n_total, n_relevant)

    def by_ties(self, ties: str, depth: int | None) -> tuple[Iterator[Piece], str]:
        """Pieces for an order of ties, and that order as metrics of histograms know it.

        In a ranking of one item per rank the expectation is the value itself.
        """
        check_option("ties", ties, TIES)
        if ties == "index":
            return self.ranked_pieces(depth), "expected"
        return self.pieces(), ties

    def ranking(self, rows: slice, depth: int) -> tuple[np.ndarray, np.ndarray]:
        """First items of the rankings of a small run, and whether each is relevant."""
        return self.ranked(rows, depth)[:2]

    def ranked(
        self, rows: slice, depth: int
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The same, and the number of all relevant items of each query."""
        hit = self._hits(rows)
        index = np.empty((len(hit), 0), dtype=np.int64)
        if depth:
            index = self._nearest(rows, depth)
        return index, np.take_along_axis(hit, index, axis=1), hit.sum(axis=1)

    def runs(
        self, step: int | None = None, within: slice | None = None
    ) -> Iterator[slice]:
        """Consecutive runs of at most `step` queries, by default those of a piece."""
        step = max(1, _CELLS // self.n_bins if step is None else step)
        start, stop, _ = (within or slice(None)).indices(len(self.queries))
        for first in range(start, stop, step):
            yield slice(first, min(first + step, stop))

    def small_runs(self, within: slice | None = None) -> Iterator[slice]:
        """Runs of queries for which all pairs may be held at once."""
        return self.runs(_PAIRS // max(1, len(self.database)), within)

    def totals(self, rows: slice) -> np.ndarray:
        """Items at each distance of a run of queries."""
        n_total = histograms(self.queries[rows], self.database, n_jobs=self.n_jobs)
        if self.exclude_self:
            n_total[self._own_cells(rows)] -= 1
        return n_total

    def pairs(self, rows: slice) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Relevant pairs of a small run of queries: row in it, item, grade."""
        row, col, grade = relevant_pairs(
            self.relevance, self.query_labels, self.database_labels, rows
        )
        if self.exclude_self:
            other = row + rows.start != col
            return row[other], col[other], grade[other]
        return row, col, grade

    def graded_pairs(self, rows: slice) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Relevant pairs of a small run of queries: row in it, distance, grade."""
        row, col, grade = self.pairs(rows)
        return row, differing_bits(self.queries[rows][row], self.database[col]), grade

    @property
    def n_grades(self) -> int:
        """One more than the classes that a query and an item can share at most."""
        sides = self.query_labels, self.database_labels
        return 1 + min(int(side.counts.max(initial=0)) for side in sides)

    def shared_histograms(self, rows: slice, n_grades: int) -> np.ndarray:
        """Items of a small run at each distance that share 0, 1, ... classes.

        Shape (n_rows, n_bins, n_grades), int64.
        """
        return shared_classes(self, rows, n_grades)

    def copy_query_labels(self) -> Any:
        """Labels of the queries, checked: an array or, of sparse sets, CSR."""
        labels = self.given_labels[0]
        return as_given(labels, self.relevance, "query_labels", len(self.queries))

    def copy_database_labels(self) -> Any:
        """Labels of the database, checked: an array or, of sparse sets, CSR."""
        labels = self.given_labels[1]
        return as_given(labels, self.relevance, "database_labels", len(self.database))

    def _label_histograms(self, rows: slice) -> tuple[np.ndarray, np.ndarray]:
        """Both histograms, where labels say what is relevant."""
        labels = self.query_labels.subset(rows)
        n_total, n_relevant = histograms(
            self.queries[rows],
            self.database,
            labels,
            self.database_labels,
            n_jobs=self.n_jobs,
        )
        if self.exclude_self:
            own = self._own_cells(rows)
            n_total[own] -= 1
            n_relevant[own] -= labels.matches(self.database_labels.subset(rows))
        return n_total, n_relevant

    def _own_cells(self, rows: slice) -> tuple[np.ndarray, np.ndarray]:
        """Where the histograms of a run of queries count each query's own item."""
        distance = differing_bits(self.queries[rows], self.database[rows])
        return np.arange(len(distance)), distance

    def _count_relevant(self, rows: slice) -> np.ndarray:
        """Relevant items at each distance of a small run of queries, pair by pair."""
        row, distance, _ = self.graded_pairs(rows)
        shape = rows.stop - rows.start, self.n_bins
        counts = np.bincount(
            row * self.n_bins + distance, minlength=shape[0] * shape[1]
        )
        return counts.reshape(shape)

    def _hits(self, rows: slice) -> np.ndarray:
        """Whether each item is relevant to each query of a small run, bool."""
        own = np.arange(rows.start, rows.stop)
        if self.relevance is None and not self.query_labels.sparse:
            hit = self.query_labels.similar(rows, self.database_labels)
            if self.exclude_self:
                hit[own - rows.start, own] = False
            return hit
        hit = np.zeros((len(own), len(self.database)), dtype=bool)
        row, col, _ = self.pairs(rows)
        hit[row, col] = True
        return hit

    def _nearest(self, rows: slice, depth: int) -> np.ndarray:
        """Indices of each query's nearest items, its own left out."""
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
