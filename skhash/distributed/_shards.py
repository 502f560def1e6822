"""Codes that lie in shards on the workers of a cluster."""

from copy import copy

import numpy as np

from skhash.distributed import _shard
from skhash.distributed._chunks import check_array, chunks_beside, names_of, row_chunks
from skhash.distributed._cluster import Cluster, dask_module
from skhash.distributed._measured import MeasuredShards
from skhash.distributed._tree import in_a_tree
from skhash.distributed._unique import check_unique
from skhash.hamming.columns import concatenate
from skhash.hamming.labels import check_comparable
from skhash.neighbors.shards import check_alike, found_rows, rows_or_ids


class Shards(MeasuredShards):
    """Shards of a database, what is known of each, and how to ask all of them.

    A shard is a function of its chunk: where a worker is lost, others read the chunk
    again, and make the same shard. An object is never changed once it is made.
    """

    # What is to be known of a shard, and the shard with more items, functions of it.
    facts_of = staticmethod(_shard.facts)
    extended = staticmethod(_shard.extended)

    def __init__(self, codes, labels, ids, algorithm):
        check_array(codes, "X")
        if codes.ndim != 2:
            raise ValueError(
                f"X must hold a code in each row, got an array of shape {codes.shape}."
            )
        self.cluster = Cluster()
        self.algorithm, self.on_bits = algorithm, codes.dtype == bool
        self.n_columns = codes.shape[1]
        self.shards, self.facts, self.names = [], [], []
        self._take(*self._built(codes, labels, ids))

    def _built(self, codes, labels, ids):
        """Shards of chunks, with what is to be known of them, and their names."""
        dask = self.cluster.dask
        chunks, sizes = row_chunks(codes)
        build = dask.delayed(_shard.build, pure=True)
        columns = (
            chunks,
            chunks_beside(labels, sizes, "y", dask),
            chunks_beside(ids, sizes, "ids", dask),
        )
        recipes = [
            _shard.Recipe(size, self.n_columns, self.on_bits, self.algorithm)
            for size in sizes
        ]
        shards = [build(*each) for each in zip(*columns, recipes, strict=True)]
        names = names_of(sizes, len(self))
        return *self._made(shards, names), names

    def _made(self, tasks, names):
        """Shards that tasks make, and what is to be known of them.

        An error names the one that failed.
        """
        facts = self.cluster.dask.delayed(self.facts_of, pure=True)
        shards = tasks
        try:
            shards = self.cluster.persist(tasks)
            return shards, self.cluster.compute([facts(shard) for shard in shards])
        except Exception as error:
            found = self.cluster.chunk_error(error, shards, names)
            raise found from found.__cause__

    def _take(self, shards, facts, names):
        """Have these shards after those that are there."""
        self.shards = [*self.shards, *shards]
        self.facts, self.names = [*self.facts, *facts], [*self.names, *names]
        self._see_ids()
        if self.has_ids:
            check_unique(self.cluster, self.shards, self.firsts)
        some = [each.labels for each in self.facts if each.labels is not None]
        for each in some[1:]:
            check_comparable(some[0], each, ("the labels of the first chunk", "y"))

    def changed(self, shards, facts, names):
        """The same with other shards, which fit each other already."""
        other = copy(self)
        other.shards, other.facts, other.names = list(shards), list(facts), list(names)
        return other

    def __len__(self):
        return sum(each.n_rows for each in self.facts)

    @property
    def n_bytes(self):
        """Bytes of a code."""
        return self.facts[0].n_bytes

    @property
    def shape(self):
        """Number of codes, and of bytes of each."""
        return len(self), self.n_bytes

    @property
    def sizes(self):
        """Rows of each shard."""
        return [each.n_rows for each in self.facts]

    @property
    def firsts(self):
        """The row of the whole database that each shard begins at."""
        return np.concatenate([[0], np.cumsum(self.sizes)[:-1]]).tolist()

    @property
    def has_ids(self):
        """Whether the codes have ids."""
        return self.facts[0].ids is not None

    @property
    def has_labels(self):
        """Whether the codes have labels."""
        return self.facts[0].labels is not None

    @property
    def codes(self):
        """Packed codes, a dask array of shape (n_items, n_bytes)."""
        return self._parts("codes", np.empty((0, self.n_bytes), np.uint8))

    @property
    def labels(self):
        """Labels as given, a dask array of shape (n_items,) or (n_items, n_classes)."""
        return self._parts("labels", self._like("labels")) if self.has_labels else None

    @property
    def ids(self):
        """Ids as given, a dask array of shape (n_items,)."""
        return self._parts("ids", self.ids_kind) if self.has_ids else None

    def _parts(self, name, like):
        """A part of all shards as one dask array, whose rows are like those given."""
        array = dask_module("dask.array")
        part_of = self.cluster.dask.delayed(_shard.part_of, pure=True)
        return array.concatenate(
            [
                array.from_delayed(
                    part_of(shard, name, like.dtype),
                    (size, *like.shape[1:]),
                    meta=like[:0],
                )
                for shard, size in zip(self.shards, self.sizes, strict=True)
            ]
        )

    def ask(self, function, merge, *task, rows=None, ids=False):
        """A task for the merged answers of all shards to a function of `_shard`.

        `rows`, if any, are those of each shard that are searched alone.
        """
        function = self.cluster.dask.delayed(function, pure=True)
        dtype = self.ids_kind.dtype if ids and self.has_ids else None
        rows = [None] * len(self.shards) if rows is None else rows
        given = zip(self.shards, self.sizes, self.firsts, rows, strict=True)
        parts = [
            function(shard, *task, _shard.Asked(first, dtype, chosen))
            for shard, size, first, chosen in given
            if (size if chosen is None else len(chosen))
        ] or [function(self.shards[0], *task, _shard.Asked(0, dtype, rows[0]))]
        return in_a_tree(self.cluster.dask, merge, parts)

    def compute(self, tasks):
        """Results of tasks on the shards; an error names the shard that is to blame."""
        try:
            return self.cluster.compute(tasks)
        except Exception as error:
            found = self.cluster.chunk_error(error, self.shards, self.names)
            raise found from found.__cause__

    def rows_of(self, asked):
        """Rows that a mask, ids or rows ask for, as `find_rows` has them."""
        if hasattr(asked, "__dask_graph__"):
            (asked,) = self.cluster.compute([asked])
        rows, column = rows_or_ids(
            self.ids_kind if self.has_ids else None, len(self), asked
        )
        if rows is not None:
            return rows
        rows_of = self.cluster.dask.delayed(_shard.rows_of, pure=True)
        column_task = self.cluster.dask.delayed(column, pure=True)
        found = self.compute([rows_of(shard, column_task) for shard in self.shards])
        rows = np.full(len(column), -1, np.int64)
        for first, mine in zip(self.firsts, found, strict=True):
            rows[mine >= 0] = mine[mine >= 0] + first
        return found_rows(rows, column)

    def by_shard(self, rows):
        """Rows of the whole as ascending rows of each shard, without repetitions."""
        rows = np.unique(rows)
        ends = np.cumsum(self.sizes)
        parts = np.split(rows, np.searchsorted(rows, ends)[:-1])
        return [part - first for part, first in zip(parts, self.firsts, strict=True)]

    def codes_at(self, rows):
        """Packed codes of rows of the whole, in their order."""
        codes = np.empty((len(rows), self.n_bytes), np.uint8)
        which = np.searchsorted(np.cumsum(self.sizes), rows, side="right")
        at = self.cluster.dask.delayed(_shard.codes_at, pure=True)
        asked = np.unique(which).tolist()
        tasks = [at(self.shards[i], rows[which == i] - self.firsts[i]) for i in asked]
        for i, found in zip(asked, self.compute(tasks), strict=True):
            codes[which == i] = found
        return codes

    def with_chunks(self, X, labels, ids):
        """The items with those of another dask array after them, in shards anew."""
        check_array(X, "X")
        self._check_more(X.shape[1], labels, ids)
        other = self._to_grow()
        other._take(*other._built(X, labels, ids))
        return other

    def with_more(self, rows, labels, ids):
        """The items with checked ones at their end, in the last shard while small."""
        self._check_more(rows.shape[1], labels, ids)
        if ids is not None and len(self):
            self._check_new(ids)
        other = self._to_grow()
        if other.shards and self.sizes[-1] + len(rows) <= max(self.sizes):
            extend = self.cluster.dask.delayed(self.extended, pure=True)
            shard = extend(other.shards.pop(), rows, labels, ids)
            other.facts.pop()
            name = other.names.pop()
        else:
            shard = self._added(rows, labels, ids)
            name = f"Chunk {len(self.shards)} (from row {len(self)} on, added)"
        shards, facts = self._made([shard], [name])
        other.shards, other.names = [*other.shards, *shards], [*other.names, name]
        other.facts += facts
        other._see_ids()
        return other

    def _added(self, codes, labels, ids):
        """A task for a shard of packed codes."""
        make = self.cluster.dask.delayed(_shard.made, pure=True)
        return make(codes, labels, ids, self.algorithm)

    def _to_grow(self):
        """A copy that may get more shards; of no codes, one that has none."""
        kept = len(self.shards) if len(self) else 0
        return self.changed(self.shards[:kept], self.facts[:kept], self.names[:kept])

    def _see_ids(self):
        """Note the kind that the ids of all shards have together."""
        if self.has_ids:
            self.ids_kind = self._like("ids")

    def _like(self, name):
        """A few labels or ids in the dtype that holds all."""
        known = [getattr(each, name) for each in self.facts if each.n_rows]
        known = known or [getattr(self.facts[0], name)]
        return concatenate(known) if known[0].ndim == 1 else known[0]

    def _check_more(self, n_columns, labels, ids):
        """Raise unless what is added has width, labels and ids as what is there."""
        if n_columns not in (self.n_columns, self.n_bytes):
            raise ValueError(
                f"X has {n_columns} columns, but the database holds codes of "
                f"{self.n_columns}."
            )
        for name, has, new in (
            ("labels", self.has_labels, labels),
            ("ids", self.has_ids, ids),
        ):
            check_alike(has or None, new, name, len(self))

    def _check_new(self, ids):
        """Raise if an id is there already."""
        rows_of = self.cluster.dask.delayed(_shard.rows_of, pure=True)
        task = self.cluster.dask.delayed(ids, pure=True)
        for found in self.compute([rows_of(shard, task) for shard in self.shards]):
            if (found >= 0).any():
                value = ids[np.flatnonzero(found >= 0)[0]]
                value = value if ids.dtype.kind in "MmOT" else value.item()
                raise ValueError(f"Ids must be unique, {value!r} is not.")

    def without(self, rows):
        """The codes without some rows of the whole."""
        reduce = self.cluster.dask.delayed(_shard.reduced, pure=True)
        shards, facts = list(self.shards), list(self.facts)
        touched = [(i, mine) for i, mine in enumerate(self.by_shard(rows)) if len(mine)]
        tasks = [reduce(shards[i], mine) for i, mine in touched]
        changed, known = self._made(tasks, [self.names[i] for i, _ in touched])
        for (i, _), shard, fact in zip(touched, changed, known, strict=True):
            shards[i], facts[i] = shard, fact
        return self.changed(shards, facts, self.names)
