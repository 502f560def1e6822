"""What metrics ask of codes in shards: a mixin of `Shards`."""

import numpy as np
from scipy.sparse import issparse, vstack

from skhash.distributed import _counting, _shard
from skhash.distributed._chunks import chunks_beside
from skhash.distributed._tree import in_a_tree, total
from skhash.hamming.columns import concatenate

# Parts at most in which distinct codes are counted.
_MOST = 64


class MeasuredShards:
    """Retrieval tasks and counts of bits on shards."""

    def __skhash_retrieval__(self, *task):
        """A task of these codes, as `Retrieval.of` makes one of an array."""
        from skhash.distributed._retrieval import ShardedRetrieval

        return ShardedRetrieval.of_shards(self, *task)

    def __skhash_bits__(self, n_bits):
        """Counts of the bits, as `skhash.metrics.bits` has them of an array."""
        if not len(self):
            raise ValueError(f"Found array with 0 sample(s) (shape={self.shape}).")
        if n_bits is None:
            n_bits = self.n_columns if self.on_bits else 8 * self.n_bytes
        if not 1 <= n_bits <= 8 * self.n_bytes or (n_bits + 7) // 8 != self.n_bytes:
            raise ValueError(
                f"n_bits={n_bits} does not fit codes of {self.n_bytes} bytes."
            )
        return ShardedBits(self, n_bits)

    def __skhash_first_bits__(self, n_bits):
        """The codes cut to their first bits, with the same labels."""
        cut = self.cluster.dask.delayed(_counting.first_bits, pure=True)
        tasks = [cut(shard, n_bits) for shard in self.shards]
        other = self.changed(*self._made(tasks, self.names), self.names)
        other.n_columns, other.on_bits = other.n_bytes, False
        return other

    def __skhash_sample__(self, rows, labels=None):
        """Codes and labels of ascending rows, here."""
        shards = self if labels is None else self.labelled(labels)
        return shards.codes_at(rows), shards.labels_at(rows)

    def labels_at(self, rows):
        """Labels of ascending rows, here; None where there are none."""
        if not self.has_labels:
            return None
        at = self.cluster.dask.delayed(_shard.labels_at, pure=True)
        asked = zip(self.shards, self.by_shard(rows), strict=True)
        tasks = [at(shard, mine) for shard, mine in asked if len(mine)]
        parts = self.compute(tasks)
        if issparse(parts[0]):
            return vstack(parts, format="csr")
        return concatenate(parts)

    def labelled(self, labels):
        """The same codes with other labels."""
        label = self.cluster.dask.delayed(_shard.labelled, pure=True)
        chunks = chunks_beside(labels, self.sizes, "database_labels", self.cluster.dask)
        shards = [label(*each) for each in zip(self.shards, chunks, strict=True)]
        return self.changed(*self._made(shards, self.names), self.names)

    def labels_checksum(self):
        """The same number for the same labels, whatever the chunks; None for none."""
        if not self.has_labels:
            return None
        found = self._counts(_counting.checksum, self.firsts)
        return np.sum(found, axis=0, dtype=np.uint64)

    def distances_of(self, queries, row, item):
        """Distances of pairs of a query and an item of the whole."""
        which = np.searchsorted(np.cumsum(self.sizes), item, side="right")
        distance = np.empty(len(row), np.intp)
        function = self.cluster.dask.delayed(_counting.distances_of, pure=True)
        codes = self.cluster.dask.delayed(queries, pure=True)
        asked = np.unique(which).tolist()
        tasks = [
            function(
                self.shards[i],
                codes,
                row[which == i],
                item[which == i] - self.firsts[i],
            )
            for i in asked
        ]
        for i, found in zip(asked, self.compute(tasks), strict=True):
            distance[which == i] = found
        return distance

    def _counts(self, function, *columns):
        """What each shard counts; of columns each gets its own value."""
        function = self.cluster.dask.delayed(function, pure=True)
        given = zip(self.shards, *columns, strict=True)
        return self.compute([function(*each) for each in given])


class ShardedBits:
    """Counts of the bits of codes in shards: sums of those of the shards."""

    def __init__(self, shards, n_bits):
        self.shards, self.n_bits, self.n_items = shards, n_bits, len(shards)

    def ones(self):
        """Items that have each bit, float64 of shape (n_bits,)."""
        return self._sum(_counting.ones)

    def both(self, chosen):
        """Items that have each two of the chosen bits, float64 of shape (n, n)."""
        return self._sum(_counting.both, chosen)

    def n_distinct(self):
        """Number of different codes."""
        shards, delayed = self.shards, self.shards.cluster.dask.delayed
        n_parts = min(len(shards.shards), _MOST)
        split = delayed(_counting.distinct, pure=True, nout=n_parts)
        count = delayed(_counting.n_distinct_of, pure=True)
        parts = [split(shard, n_parts) for shard in shards.shards]
        tasks = [count([part[i] for part in parts]) for i in range(n_parts)]
        return int(sum(shards.compute(tasks)))

    def _sum(self, function, *task):
        dask = self.shards.cluster.dask
        function = dask.delayed(function, pure=True)
        parts = [function(shard, self.n_bits, *task) for shard in self.shards.shards]
        (found,) = self.shards.compute([in_a_tree(dask, total, parts)])
        return found
