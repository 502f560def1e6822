"""Ways to search the same codes, all with the same answers.

A searcher has ``nearest(queries, k, n_jobs)``, ``within(queries, radius, n_jobs)`` and
``count_within(queries, radius, n_jobs)``, like the functions of `skhash.hamming`, a
`name`, and `n_bytes` of memory beyond the codes themselves.
"""

import numpy as np

from skhash import hamming
from skhash.hamming import GroupedCodes, TorchCodes
from skhash.hamming._engine import compiled

ALGORITHMS = ("auto", "brute", "grouped", "pivot", "torch")
# Fewer codes are scanned in microseconds.
SMALL = 2048
# An index is built of no fewer codes unless asked for: building takes about as long as
# scanning for some ten thousand queries.
LARGE = 1 << 18


class Scan:
    """Compare queries with every code, as it lies in memory."""

    name = "brute"
    n_bytes = 0

    def __init__(self, codes):
        self.codes = codes

    def nearest(self, queries, k, n_jobs):
        return hamming.nearest(queries, self.codes, k, n_jobs=n_jobs)

    def within(self, queries, radius, n_jobs):
        return hamming.within(queries, self.codes, radius, n_jobs=n_jobs)

    def count_within(self, queries, radius, n_jobs):
        return hamming.count_within(queries, self.codes, radius, n_jobs=n_jobs)


class Grouped:
    """Compare queries with every distinct code once."""

    name = "grouped"

    def __init__(self, codes):
        self.groups = GroupedCodes(codes)
        self.n_bytes = self.groups.n_bytes

    def nearest(self, queries, k, n_jobs):
        return self.groups.nearest(queries, k, n_jobs=n_jobs)

    def within(self, queries, radius, n_jobs):
        return self.groups.within(queries, radius, n_jobs=n_jobs)

    def count_within(self, queries, radius, n_jobs):
        return self.groups.count_within(queries, radius, n_jobs=n_jobs)


class Pivots:
    """Compare queries with the codes about as far from pivots as they are."""

    name = "pivot"

    def __init__(self, codes, n_jobs):
        self.index = hamming.PivotIndex(codes, n_jobs=n_jobs)
        self.n_bytes = self.index.n_bytes

    def nearest(self, queries, k, n_jobs):
        return self.index.nearest(queries, k, n_jobs=n_jobs)

    def within(self, queries, radius, n_jobs):
        return self.index.within(queries, radius, n_jobs=n_jobs)

    def count_within(self, queries, radius, n_jobs):
        return self.index.count_within(queries, radius, n_jobs=n_jobs)


class Torch:
    """Compare queries with every code on a GPU, or by torch where there is none."""

    name = "torch"

    def __init__(self, codes):
        self.codes = TorchCodes(codes)
        self.n_bytes = codes.nbytes

    def nearest(self, queries, k, n_jobs):
        return self.codes.nearest(queries, k)

    def within(self, queries, radius, n_jobs):
        return self.codes.within(queries, radius)

    def count_within(self, queries, radius, n_jobs):
        return self.codes.count_within(queries, radius)


class Joined:
    """An index of the first codes, and a scan of those added since."""

    def __init__(self, indexed, n_indexed, codes):
        self.indexed = indexed
        self.n_indexed = n_indexed
        self.added = Scan(codes[n_indexed:])
        self.name, self.n_bytes = indexed.name, indexed.n_bytes

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
        counts = [np.diff(part[0]) for part in parts]
        row = np.hstack([np.repeat(np.arange(len(each)), each) for each in counts])
        distances = np.hstack([part[1] for part in parts])
        indices = np.hstack([parts[0][2], parts[1][2] + self.n_indexed])
        order = np.lexsort((indices, distances, row))
        return parts[0][0] + parts[1][0], distances[order], indices[order]

    def count_within(self, queries, radius, n_jobs):
        return self.indexed.count_within(queries, radius, n_jobs) + (
            self.added.count_within(queries, radius, n_jobs)
        )


def extended(searcher, n_before, codes, algorithm, n_jobs):
    """A searcher for codes of which another searches the first `n_before`.

    Few codes more are scanned beside the index, so that adding them is cheap.
    """
    if isinstance(searcher, Joined):
        searcher, n_before = searcher.indexed, searcher.n_indexed
    if 4 * (len(codes) - n_before) > n_before:
        return searcher_for(codes, algorithm, n_jobs)
    if isinstance(searcher, Scan):
        return Scan(codes)
    return Joined(searcher, n_before, codes)


def searcher_for(codes, algorithm, n_jobs):
    """Choose what searches these codes."""
    if len(codes) == 0 or algorithm == "brute":
        return Scan(codes)
    if algorithm == "grouped":
        return Grouped(codes)
    if algorithm == "torch":
        return Torch(codes)
    if algorithm == "pivot" and compiled():
        return Pivots(codes, n_jobs)
    if algorithm == "auto" and len(codes) > SMALL and mostly_repeated(codes):
        return Grouped(codes)
    if algorithm == "auto" and len(codes) >= LARGE and compiled() and clustered(codes):
        return Pivots(codes, n_jobs)
    return Scan(codes)


def clustered(codes):
    """Whether a sample of the codes gathers around pivots."""
    return hamming.PivotIndex.suits(codes)


def mostly_repeated(codes):
    """Whether half of a sample of the codes are repetitions of others."""
    sample = codes[:: max(1, len(codes) // 4096)]
    return 2 * len(np.unique(sample, axis=0)) <= len(sample)
