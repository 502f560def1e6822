"""Ways to search the same codes, all with the same answers.

A searcher has ``nearest(queries, k, n_jobs)``, ``within(queries, radius, n_jobs)`` and
``count_within(queries, radius, n_jobs)``, like the functions of `skhash.hamming`, a
`name`, and `n_bytes` of memory beyond the codes themselves.
"""

from functools import cached_property

import numpy as np

from skhash import hamming
from skhash.hamming.engine.choose import engine
from skhash.hamming.keys import blocks
from skhash.hamming.search import check_radius
from skhash.hamming.simd.words import padded
from skhash.hamming.threads.count import n_threads

# Added codes are scanned beside an index until they are so much of what it holds.
MOST_ADDED = 1 / 4
# Answers that are put in order at a time.
BLOCK = 1 << 20


class Scan:
    """Compare queries with every code, as it lies in memory."""

    name = "brute"

    def __init__(self, codes):
        self.codes = codes

    @cached_property
    def whole(self):
        """The codes; those that are no whole words are padded once, when first asked.

        Not before, so that codes can be added many times in a row.
        """
        return padded(self.codes)

    @property
    def n_bytes(self):
        whole = self.__dict__.get("whole", self.codes)
        return 0 if whole is self.codes else whole.nbytes

    def __getstate__(self):
        return {"codes": self.codes}

    def nearest(self, queries, k, n_jobs):
        return hamming.nearest(padded(queries), self.whole, k, n_jobs=n_jobs)

    def within(self, queries, radius, n_jobs, counts=None):
        """As the others; where the counts are known, they are not taken again."""
        queries, radius = padded(queries), check_radius(radius)
        return engine().within(queries, self.whole, radius, n_threads(n_jobs), counts)

    def count_within(self, queries, radius, n_jobs):
        return hamming.count_within(padded(queries), self.whole, radius, n_jobs=n_jobs)

    def without(self, keep, codes):
        return Scan(codes)


class Indexed:
    """Ask an index of `skhash.hamming`."""

    def __init__(self, name, index):
        self.name, self.index = name, index

    @property
    def n_bytes(self):
        return self.index.n_bytes

    def nearest(self, queries, k, n_jobs):
        return self.index.nearest(queries, k, n_jobs=n_jobs)

    def within(self, queries, radius, n_jobs):
        return self.index.within(queries, radius, n_jobs=n_jobs)

    def count_within(self, queries, radius, n_jobs):
        return self.index.count_within(queries, radius, n_jobs=n_jobs)

    def without(self, keep, codes):
        """The same for the codes of a mask, or None if that is made anew."""
        if not hasattr(self.index, "without"):
            return None
        return Indexed(self.name, self.index.without(keep))


class Torch:
    """Compare queries with every code on a GPU, or by torch where there is none."""

    name = "torch"

    def __init__(self, codes):
        self.codes = hamming.TorchCodes(codes)
        self.n_bytes = codes.nbytes

    def nearest(self, queries, k, n_jobs):
        return self.codes.nearest(queries, k)

    def within(self, queries, radius, n_jobs):
        return self.codes.within(queries, radius)

    def count_within(self, queries, radius, n_jobs):
        return self.codes.count_within(queries, radius)

    def without(self, keep, codes):
        return Torch(codes)


class Joined:
    """An index of the first codes, and a scan of those added since."""

    def __init__(self, indexed, n_indexed, codes):
        self.indexed = indexed
        self.n_indexed = n_indexed
        self.added = Scan(codes[n_indexed:])
        self.name = indexed.name

    @property
    def n_bytes(self):
        return self.indexed.n_bytes + self.added.n_bytes

    def nearest(self, queries, k, n_jobs):
        parts = [
            self.indexed.nearest(queries, min(k, self.n_indexed), n_jobs),
            self.added.nearest(queries, min(k, len(self.added.codes)), n_jobs),
        ]
        distances = np.hstack([part[0] for part in parts])
        indices = np.hstack([parts[0][1], parts[1][1] + self.n_indexed])
        # The earlier part comes first at equal distance.
        order = np.argsort(distances, axis=1, kind="stable")[:, :k]
        return (
            np.take_along_axis(distances, order, axis=1),
            np.take_along_axis(indices, order, axis=1),
        )

    def within(self, queries, radius, n_jobs):
        parts = [
            self.indexed.within(queries, radius, n_jobs),
            self.added.within(queries, radius, n_jobs),
        ]
        parts[1][2][:] += self.n_indexed
        indptr = parts[0][0] + parts[1][0]
        distances = np.empty(indptr[-1], np.int32)
        indices = np.empty(indptr[-1], np.int64)
        for first, last in blocks(indptr, BLOCK):
            bounds = [part[0][first : last + 1] for part in parts]
            some = [slice(each[0], each[-1]) for each in bounds]
            numbers = np.arange(last - first)
            row = np.hstack([np.repeat(numbers, np.diff(each)) for each in bounds])
            near = np.hstack([part[1][s] for part, s in zip(parts, some, strict=True)])
            item = np.hstack([part[2][s] for part, s in zip(parts, some, strict=True)])
            order = np.lexsort((item, near, row))
            block = slice(indptr[first], indptr[last])
            distances[block], indices[block] = near[order], item[order]
        return indptr, distances, indices

    def count_within(self, queries, radius, n_jobs):
        return self.indexed.count_within(queries, radius, n_jobs) + (
            self.added.count_within(queries, radius, n_jobs)
        )

    def without(self, keep, codes):
        n_left = int(keep[: self.n_indexed].sum())
        indexed = self.indexed.without(keep[: self.n_indexed], codes[:n_left])
        if indexed is None or not n_left or many(len(codes) - n_left, n_left):
            return None
        return indexed if n_left == len(codes) else Joined(indexed, n_left, codes)


def parts_within(searcher, queries, radius, n_jobs, most):
    """What lies within a radius of some queries after the other, so much at most.

    A single query may have more.
    """
    index = getattr(searcher, "index", None)
    if hasattr(index, "parts_within"):
        yield from index.parts_within(queries, radius, most, n_jobs=n_jobs)
        return
    counts = searcher.count_within(queries, radius, n_jobs)
    for a, b in blocks(np.concatenate([[0], np.cumsum(counts)]), most):
        known = [counts[a:b]] if isinstance(searcher, Scan) else []
        yield searcher.within(queries[a:b], radius, n_jobs, *known)


def many(n_added, n_indexed):
    """Whether added codes are so many that an index of all is made anew."""
    return n_added > MOST_ADDED * n_indexed


def extended(searcher, n_before, codes):
    """A searcher for codes of which another searches the first `n_before`.

    Few codes more are scanned beside the index, so that adding them is cheap. None
    where they are many.
    """
    if isinstance(searcher, Joined):
        searcher, n_before = searcher.indexed, searcher.n_indexed
    if many(len(codes) - n_before, n_before):
        return None
    if isinstance(searcher, Scan):
        return Scan(codes)
    return Joined(searcher, n_before, codes)
