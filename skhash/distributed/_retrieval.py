"""Retrieval measured on shards: histograms are counted where the codes are.

What comes to the client are whole numbers, which are added up; every formula is then
the local one, of the same numbers in the same pieces, so that floats are the same, too.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from skhash.distributed import _counting
from skhash.distributed._chunks import here
from skhash.distributed._counting import Run
from skhash.distributed._tree import Nearest, total
from skhash.hamming import Labels, check_codes
from skhash.hamming.labels import check_comparable
from skhash.metrics.options import check_weight
from skhash.metrics.relevance import as_rows, check_relevance, relevant_pairs
from skhash.metrics.task import Retrieval

# Numbers that one question to the shards brings, of more queries than one.
_CELLS, _PAIRS = 1 << 22, 1 << 20


@dataclass(frozen=True)
class ShardedRetrieval(Retrieval):
    """A task whose database is `Shards`.

    The local task looks at few queries at a time, since all pairs lie in its memory.
    Shards are asked for many at once, and the answer is kept for the runs to come.
    """

    kept: dict = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def of_shards(
        cls,
        shards,
        queries,
        query_labels,
        database_labels,
        relevance,
        exclude_self,
        n_jobs,
        sample_weight,
    ):
        """Check everything before any work, as `Retrieval.of` does."""
        queries, query_labels = here(queries), here(query_labels)
        queries = check_codes(queries, n_bytes=shards.n_bytes, name="queries")
        weight = check_weight(sample_weight, queries)
        if exclude_self and len(queries) != len(shards):
            raise ValueError(
                "exclude_self=True means that query i is item i of the database, but "
                f"there are {len(queries)} queries and {len(shards)} items."
            )
        if database_labels is not None:
            shards = shards.labelled(database_labels)
        given = query_labels, None
        if relevance is None:
            if query_labels is None or not shards.has_labels:
                raise ValueError(
                    "What is relevant? Give query_labels and database_labels, or "
                    "relevance."
                )
            labels = Labels.of(query_labels, name="query_labels", n=len(queries))
            names = "database_labels", "query_labels"
            check_comparable(shards.facts[0].labels, labels.values, names)
        else:
            relevance = check_relevance(relevance, len(queries), len(shards))
            labels = as_rows(query_labels, "query_labels", len(queries))
        task = queries, shards, labels, None, given, relevance, bool(exclude_self)
        return cls(*task, n_jobs, weight)

    @property
    def n_grades(self):
        """One more than the classes that a query and an item can share at most."""
        delayed = self.database.cluster.dask.delayed(_counting.n_labels, pure=True)
        most = self.database.compute([delayed(each) for each in self.database.shards])
        return 1 + min(int(self.query_labels.counts.max(initial=0)), max(most))

    def totals(self, rows):
        """Items at each distance of a run of queries."""
        return self._asked(_counting.totals, total, rows, cells=self.n_bins)

    def shared_histograms(self, rows, n_grades):
        """Items of a small run at each distance that share 0, 1, ... classes."""
        function, cells = _counting.shared_histograms, self.n_bins * n_grades
        return self._asked(function, total, rows, n_grades, cells=cells)

    def pairs(self, rows):
        """Relevant pairs of a small run of queries: row in it, item, grade."""
        return self._pairs(rows)[:3]

    def graded_pairs(self, rows):
        """Relevant pairs of a small run of queries: row in it, distance, grade."""
        row, _, grade, distance = self._pairs(rows)
        return row, distance, grade

    def ranked(self, rows, depth):
        """First items of rankings, whether each is relevant, and how many are."""
        itself = self.exclude_self
        depth = min(depth, self.n_candidates)
        wanted = max(1, depth + itself)
        merge = Nearest(wanted)
        task = wanted, self.relevance is None
        _, index, hit = self._asked(_counting.ranked, merge, rows, *task, cells=wanted)
        if itself:
            own = index == np.arange(rows.start, rows.stop)[:, None]
            own[~own.any(axis=1), -1] = True
            index, hit = (each[~own].reshape(len(own), -1) for each in (index, hit))
        index, hit = index[:, :depth], hit[:, :depth]
        if self.relevance is None:
            return index, hit, self._label_histograms(rows)[1].sum(axis=1)
        row, item, _ = self.pairs(rows)
        keys = row * len(self.database) + item
        keyed = np.arange(len(index))[:, None] * len(self.database) + index
        return index, np.isin(keyed, keys), np.bincount(row, minlength=len(index))

    def copy_database_labels(self):
        """A checksum of the labels of the database, which stay where they are."""
        return self.database.labels_checksum()

    def _label_histograms(self, rows):
        """Both histograms, where labels say what is relevant."""
        function = _counting.label_histograms
        return self._asked(function, total, rows, cells=2 * self.n_bins)

    def _pairs(self, rows):
        """Relevant pairs of a small run: row, item, grade and distance."""
        if callable(self.relevance):
            function, merge = _counting.pairs, _counting.merged_pairs
            first, found = self._kept(
                function, merge, rows, self.relevance, cells=self._pairs_a_query
            )
        else:
            first, found = self._kept_pairs_of_matrix(rows)
        row = found[0] + first
        mine = slice(*np.searchsorted(row, (rows.start, rows.stop)))
        return (row[mine] - rows.start, *(each[mine] for each in found[1:]))

    @property
    def _pairs_a_query(self):
        return max(1, len(self.database) // 64)

    def _kept_pairs_of_matrix(self, rows):
        """Pairs of a matrix, which is here, with distances, which the shards know."""
        block = self._block(rows, self._pairs_a_query)
        kept = self.kept.get("matrix")
        if kept is None or kept[0] != block:
            row, col, grade = relevant_pairs(self.relevance, None, None, block)
            if self.exclude_self:
                other = row + block.start != col
                row, col, grade = row[other], col[other], grade[other]
            order = np.lexsort((col, row))
            row, col, grade = row[order], col[order], grade[order]
            distance = self.database.distances_of(self.queries[block], row, col)
            kept = self.kept["matrix"] = block, (row, col, grade, distance)
        return kept[0].start, kept[1]

    def _asked(self, function, merge, rows, *task, cells):
        """Merged answers of the shards for a run of queries."""
        first, found = self._kept(function, merge, rows, *task, cells=cells)
        mine = slice(rows.start - first, rows.stop - first)
        if isinstance(found, tuple):
            return tuple(each[mine].copy() for each in found)
        return found[mine].copy()

    def _kept(self, function, merge, rows, *task, cells):
        """Answers for a block of queries that holds the run, and its first query."""
        block, key = self._block(rows, cells), function.__name__
        kept = self.kept.get(key)
        if kept is None or kept[:2] != (block, task):
            run = self._run(block)
            (found,) = self.database.compute(
                [self.database.ask(function, merge, run, *task)]
            )
            kept = self.kept[key] = block, task, found
        return block.start, kept[2]

    def _run(self, block):
        """Queries of a block as shards want them: one task, sent to each worker."""
        labels = self.query_labels
        if self.relevance is None:
            labels = labels.values
        elif not callable(self.relevance):
            labels = None
        labels = None if labels is None else labels[block]
        run = Run(self.queries[block], labels, block.start, self.exclude_self)
        return self.database.cluster.dask.delayed(run, traverse=False, pure=True)

    def _block(self, rows, cells):
        """The block of queries that holds a run, or the run itself if it is longer."""
        step = max(1, _CELLS // cells)
        start = rows.start // step * step
        if rows.stop > start + step:
            return rows
        return slice(start, min(start + step, len(self.queries)))
