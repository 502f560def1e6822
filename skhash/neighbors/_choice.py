"""Which way of searching pays for the codes of a database: tried, not assumed.

The choice is one of speed. Answers are the same from all.
"""

import numpy as np

from skhash import hamming
from skhash.hamming.engine.choose import compiled
from skhash.hamming.indexes.cost import least_seconds
from skhash.hamming.simd.words import as_words
from skhash.neighbors._searchers import Indexed, Scan, Torch

ALGORITHMS = ("auto", "brute", "grouped", "multi_index", "pivot", "torch")
# Fewer codes are scanned in microseconds.
SMALL = 2048
# Pivots are tried for no fewer codes unless asked for: below, a query takes them at
# best half the time of a scan, and building them the time of ten thousand scans.
LARGE = 1 << 18
# Neighbours that are asked for in trials.
NEIGHBORS = 10
# Codes, queries, and share of a scan's time in which pivots must answer, in a trial.
SAMPLE, QUERIES, WORTH = 1 << 15, 64, 0.6
# So many codes have their distinct ones counted by hash; of more, a sample tells.
MOST_HASHED = 1 << 24
# Queries for each code from which tables for one call pay within a radius.
MANY = 1 / 64
# Codes beyond so many bytes get no such tables, which take about five times as many.
MOST_BYTES = 1 << 28


def searcher_for(codes, algorithm, n_jobs):
    """Build what searches these codes."""
    if len(codes) == 0 or algorithm == "brute":
        return Scan(codes)
    if algorithm == "auto":
        return best(codes, n_jobs)
    if algorithm == "torch":
        return Torch(codes)
    if algorithm == "grouped":
        return Indexed(algorithm, hamming.GroupedCodes(codes))
    if algorithm == "multi_index":
        return Indexed(algorithm, hamming.MultiIndex(codes, n_jobs=n_jobs))
    if compiled():
        return Indexed(algorithm, hamming.PivotIndex(codes, n_jobs=n_jobs))
    return Scan(codes)


def best(codes, n_jobs):
    """Build what searches these codes soonest, for a moderate number of neighbours."""
    if lie_on_disk(codes):  # an index would take the memory that they are to spare
        return Scan(codes)
    if len(codes) > SMALL and mostly_repeated(codes):
        return searcher_for(codes, "grouped", n_jobs)
    if len(codes) >= LARGE and compiled() and pivot_work(codes, n_jobs) < WORTH:
        searcher = searcher_for(codes, "pivot", n_jobs)
        if worth_keeping(searcher, codes):
            return searcher
    return Scan(codes)


def lie_on_disk(codes):
    """Whether an array is a view of a memory map."""
    while codes is not None and not isinstance(codes, np.memmap):
        codes = getattr(codes, "base", None)
    return codes is not None


def for_many(searcher, codes, radius, n_queries, n_jobs):
    """Tables for a call with many queries and a small radius, or the same searcher."""
    if not (
        isinstance(searcher, Scan)
        and not lie_on_disk(codes)
        and compiled()
        and len(codes) > SMALL
        and codes.nbytes <= MOST_BYTES
        and n_queries >= MANY * len(codes)
        and hamming.MultiIndex.suits(codes, radius)
    ):
        return searcher
    index = hamming.MultiIndex(codes, n_jobs=n_jobs)
    # On codes in dense clusters the lists are long.
    some = np.ascontiguousarray(codes[:: -(-len(codes) // QUERIES)])
    if index.promise(some, radius) < 1 / 2:
        return searcher
    return Indexed("multi_index", index)


def mostly_repeated(codes):
    """Whether at most a quarter of the codes are distinct.

    Counted among the codes with some hash: these are all of a kind or none of it.
    """
    n, some = len(codes), []
    if n <= MOST_HASHED:
        # About 16384 codes, if they are distinct.
        bits = max(1, (n >> 14).bit_length())
        for first in range(0, n, SAMPLE):
            hashes = hashed(codes[first : first + SAMPLE])
            some.append(hashes[hashes >> np.uint64(64 - bits) == 0])
    values = np.concatenate(some) if some else np.empty(0, np.uint64)
    # Codes of few kinds may all have another hash.
    if len(values) < SMALL // 2:
        values = hashed(np.ascontiguousarray(codes[:: max(1, n // 4096)]))
    return 4 * len(np.unique(values)) <= len(values)


def hashed(codes):
    """One 64-bit number for each code, equal where codes are."""
    numbers = np.zeros(len(codes), np.uint64)
    for column in as_words(codes).T:
        numbers = (numbers ^ column) * np.uint64(0x9E3779B97F4A7C15)
        numbers ^= numbers >> np.uint64(32)
    return numbers * np.uint64(0xD6E8FEB86659FD93)


def pivot_work(codes, n_jobs):
    """Predict the time that pivots take, relative to a scan.

    The distance that holds a query's neighbours, searched among all codes, leaves of a
    sample around its pivots the share that is left of all codes around theirs.
    """
    from skhash.hamming.indexes.pivot_kernels import LIST_COST
    from skhash.hamming.indexes.pivots import SCAN_ADVANTAGE, choose_pivots
    from skhash.hamming.threads.count import n_threads

    n, step = len(codes), len(codes) // SAMPLE
    sample = np.ascontiguousarray(codes[::step][:SAMPLE])
    queries = np.ascontiguousarray(codes[step // 2 :: n // QUERIES][:QUERIES])
    # A query finds itself.
    reach = hamming.nearest(queries, codes, NEIGHBORS + 1, n_jobs=n_jobs)[0][:, -1:]
    n_pivots = min(4096, n // 256)
    pivots = choose_pivots(sample, n_pivots, n_threads(n_jobs))
    found = hamming.nearest(sample, pivots, 1, n_jobs=n_jobs)
    own, pivot = (each[:, 0] for each in found)
    near = hamming.distances(queries, pivots, n_jobs=n_jobs)
    share = (np.abs(near[:, pivot] - own) <= reach).mean(axis=1)
    widest = np.full(n_pivots, -(1 << 20))
    np.maximum.at(widest, pivot, own)
    n_lists = (near - widest <= reach).sum(axis=1)
    work = SCAN_ADVANTAGE * (share + LIST_COST * n_lists / n)
    # A query that needs more is scanned for, soon after that is known.
    return float(np.minimum(work, 1.15).mean())


def worth_keeping(searcher, codes):
    """Whether an index that was built answers sooner than a scan does: timed."""
    queries = np.ascontiguousarray(codes[:: len(codes) // QUERIES][:QUERIES])
    scan = Scan(codes)
    indexed, scanned = least_seconds(
        lambda: searcher.nearest(queries, NEIGHBORS + 1, 1),
        lambda: scan.nearest(queries, NEIGHBORS + 1, 1),
    )
    return indexed < WORTH * scanned
