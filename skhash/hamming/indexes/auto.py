"""Which way to search pays for the codes of a database: tried, not assumed.

The choice is one of speed. Answers are the same from all.
"""

import numpy as np
from numpy.typing import NDArray

from skhash.hamming.engine.choose import compiled
from skhash.hamming.indexes import ALGORITHMS
from skhash.hamming.indexes.base import Searcher
from skhash.hamming.indexes.groups import SMALL
from skhash.hamming.indexes.multi_index import MultiIndex
from skhash.hamming.indexes.scan import Scan

# Queries for each code from which tables for one call pay within a radius.
MANY_QUERIES = 1 / 64
# Codes beyond this many bytes get no such tables, which take about five times as much.
MOST_BYTES = 1 << 28
# Queries that these tables are tried with.
TRIED = 64


def searcher_for(
    codes: NDArray[np.uint8], algorithm: str, n_jobs: int | None
) -> Searcher:
    """Build what searches these codes, by one of `ALGORITHMS` or "auto"."""
    if len(codes) == 0:
        return Scan(codes)
    if algorithm == "auto":
        return soonest(codes, n_jobs)
    way = ALGORITHMS[algorithm]
    if way.needs_kernels and not compiled():
        return Scan(codes)
    return way(codes, n_jobs=n_jobs)


def soonest(codes: NDArray[np.uint8], n_jobs: int | None) -> Searcher:
    """Build what searches these codes soonest, for a moderate number of neighbours."""
    if not lie_on_disk(codes):  # an index would take the memory that they are to spare
        for way in ALGORITHMS.values():
            if way.suits(codes, n_jobs=n_jobs):
                searcher = way(codes, n_jobs=n_jobs)
                if searcher._pays():
                    return searcher
    return Scan(codes)


def lie_on_disk(codes: NDArray | None) -> bool:
    """Whether an array is a view of a memory map."""
    while codes is not None and not isinstance(codes, np.memmap):
        codes = getattr(codes, "base", None)
    return codes is not None


def for_a_call(
    searcher: Searcher, radius: int, n_queries: int, n_jobs: int | None
) -> Searcher:
    """Tables for a call with many queries and a small radius, or the same searcher."""
    if not isinstance(searcher, Scan):
        return searcher
    codes = searcher.codes
    if not (
        not lie_on_disk(codes)
        and compiled()
        and len(codes) > SMALL
        and codes.nbytes <= MOST_BYTES
        and n_queries >= MANY_QUERIES * len(codes)
        and MultiIndex.suits(codes, radius)
    ):
        return searcher
    index = MultiIndex(codes, n_jobs=n_jobs)
    # On codes in dense clusters the lists are long.
    some = np.ascontiguousarray(codes[:: -(-len(codes) // TRIED)])
    return index if index.promise(some, radius) >= 1 / 2 else searcher
