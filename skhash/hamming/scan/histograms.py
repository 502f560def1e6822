"""Histograms of distances, of all items and of the relevant ones.

A counter in memory takes about a cycle to add to, whatever it counts. So two queries
share one addition: their pair of distances is one cell of a table, whose margins are
the two histograms.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from skhash.hamming.scan.distances import fill_distances
from skhash.hamming.simd.jit import kernel
from skhash.hamming.simd.words import as_words, width_tag
from skhash.hamming.threads.pool import run, spans

# Codes whose distances are written before they are counted.
BUFFERED = 2048
# A table of pairs must fit the first-level cache, nearly.
PAIRED_BINS = 129


def histograms(
    queries: NDArray[np.uint8], database: NDArray[np.uint8], n_threads: int = 1
) -> NDArray[np.int64]:
    """Count, for each query, the codes at every distance."""
    labels = np.zeros(len(queries), np.int64), np.zeros(len(database), np.int64)
    return relevant_histograms(queries, database, *labels, n_threads)[1]


def relevant_histograms(
    queries: NDArray[np.uint8],
    database: NDArray[np.uint8],
    query_labels: NDArray,
    database_labels: NDArray,
    n_threads: int = 1,
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Histograms of all items, and of those that share a label with the query."""
    shape = len(queries), 8 * queries.shape[1] + 1
    n_total, n_relevant = np.zeros(shape, np.int64), np.zeros(shape, np.int64)
    if not len(queries) or not len(database):
        return n_total, n_relevant
    tasks: list[tuple]
    if query_labels.ndim == 2:
        masks = _masks(query_labels), _masks(database_labels)
        words = as_words(queries), as_words(database)
        tasks = [
            (words[1], masks[1], words[0], masks[0], a, b, n_total, n_relevant, tag)
            for a, b, tag in _spans(*words, n_threads)
        ]
        run(count_shared, tasks, n_threads)
        return n_total, n_relevant
    items = _Sorted(database, database_labels, repeats=0.5)
    asked = _Sorted(queries, query_labels, repeats=0.05)
    first = np.searchsorted(items.labels, asked.labels, "left")
    last = np.searchsorted(items.labels, asked.labels, "right")
    totals = np.zeros((len(asked.codes), shape[1]), np.int64)
    relevants = np.zeros_like(totals)
    codes, query_words = as_words(items.codes), as_words(asked.codes)
    tasks = [
        (codes, items.counts, query_words, first, last, a, b, totals, relevants, tag)
        for a, b, tag in _spans(query_words, codes, n_threads)
    ]
    run(count_classes, tasks, n_threads)
    n_total[asked.order] = totals[asked.group]
    n_relevant[asked.order] = relevants[asked.group]
    return n_total, n_relevant


class _Sorted:
    """Codes sorted by label, equal ones of a class kept once where that pays.

    It pays from a share `repeats` of repeated codes on: a repeated query costs a whole
    scan, but an item that stands for several must be counted by its weight.

    Row ``order[i]`` of the given codes is row ``group[i]`` of `codes`; `counts` says
    how many rows each stands for (empty if one each).
    """

    def __init__(
        self, codes: NDArray[np.uint8], labels: NDArray[np.int64], repeats: float
    ) -> None:
        self.counts = np.empty(0, np.int64)
        if codes.shape[1] <= 8 and _share_of_repeats(codes) > repeats:
            keys = as_words(codes)[:, 0]
            self.order = np.lexsort((keys, labels))
            keys, labels = keys[self.order], labels[self.order]
            new = np.empty(len(keys), bool)
            new[0] = True
            new[1:] = (keys[1:] != keys[:-1]) | (labels[1:] != labels[:-1])
            self.group = np.cumsum(new) - 1
            self.counts = np.bincount(self.group)
            self.codes, self.labels = codes[self.order[new]], labels[new]
        else:
            ordered = bool((labels[1:] >= labels[:-1]).all())
            self.group = np.arange(len(codes))
            self.order = self.group if ordered else np.argsort(labels, kind="stable")
            self.codes = codes if ordered else codes[self.order]
            self.labels = labels if ordered else labels[self.order]


def _share_of_repeats(codes: NDArray[np.uint8]) -> float:
    """How many of a sample of the codes repeat another."""
    sample = np.ascontiguousarray(codes[:: max(1, len(codes) // 4096)])
    return 1 - len(np.unique(as_words(sample))) / len(sample)


def _masks(labels: NDArray) -> NDArray[np.uint64]:
    """Pack multi-hot rows into words of 64 classes."""
    packed = np.packbits(labels, axis=1)
    padded = np.zeros((len(labels), -(-packed.shape[1] // 8) * 8), np.uint8)
    padded[:, : packed.shape[1]] = packed
    return padded.view(np.uint64)


def _spans(queries: NDArray, codes: NDArray, n_threads: int) -> list:
    """Bounds of the queries of each task, pairs kept together, and the width's tag."""
    parts = spans(0, len(queries), 8 * n_threads if n_threads > 1 else 1, 2)
    return [(a, b, width_tag(codes)) for a, b in parts]


@kernel
def count_shared(
    codes: NDArray,
    masks: NDArray,
    queries: NDArray,
    query_masks: NDArray,
    first: int,
    last: int,
    n_total: NDArray,
    n_relevant: NDArray,
    words: Any,
) -> None:
    """Count where relevance means a shared bit of the masks."""
    n, n_bins = codes.shape[0], n_total.shape[1]
    buffer = np.empty(BUFFERED, np.uint16)
    for q in range(first, last):
        table = np.zeros(2 * (8 * codes.shape[1] * codes.itemsize + 1), np.int64)
        for at in range(0, n, BUFFERED):
            stop = min(n, at + BUFFERED)
            fill_distances(codes, at, stop, queries, q, buffer, words)
            near = buffer[: stop - at]
            if masks.shape[1] == 1:
                mask, rows = query_masks[q, 0], masks[at:stop]
                for i in range(near.size):
                    near[i] = 2 * near[i] + np.uint16((rows[i, 0] & mask) != 0)
            else:
                for i in range(near.size):
                    shared = np.uint64(0)
                    for w in range(masks.shape[1]):
                        shared |= masks[at + i, w] & query_masks[q, w]
                    near[i] = 2 * near[i] + np.uint16(shared != 0)
            for i in range(near.size):
                table[near[i]] += 1
        for distance in range(n_bins):
            n_relevant[q, distance] = table[2 * distance + 1]
            n_total[q, distance] = table[2 * distance] + table[2 * distance + 1]


@kernel
def count_classes(
    codes: NDArray,
    counts: NDArray,
    queries: NDArray,
    first_relevant: NDArray,
    last_relevant: NDArray,
    first: int,
    last: int,
    n_total: NDArray,
    n_relevant: NDArray,
    words: Any,
) -> None:
    """Count where a query's relevant codes lie side by side."""
    n, n_bins = codes.shape[0], n_total.shape[1]
    paired = n_bins <= PAIRED_BINS and n >= 2 * n_bins * n_bins
    table = np.zeros(n_bins * n_bins if paired else n_bins, np.int64)
    left, right = np.empty(BUFFERED, np.uint16), np.empty(BUFFERED, np.uint16)
    q = first
    while q < last:
        a, b = first_relevant[q], last_relevant[q]
        pair = paired and q + 1 < last and first_relevant[q + 1] == a
        pair = pair and last_relevant[q + 1] == b
        table[:] = 0
        if pair:
            add_pair(codes, counts, a, b, queries, q, n_bins, table, left, right, words)
            add_margins(table, n_bins, n_relevant[q], n_relevant[q + 1])
            add_pair(codes, counts, 0, a, queries, q, n_bins, table, left, right, words)
            add_pair(codes, counts, b, n, queries, q, n_bins, table, left, right, words)
            add_margins(table, n_bins, n_total[q], n_total[q + 1])
            q += 2
        else:
            add_one(codes, counts, a, b, queries, q, table, left, words)
            n_relevant[q] = table[:n_bins]
            add_one(codes, counts, 0, a, queries, q, table, left, words)
            add_one(codes, counts, b, n, queries, q, table, left, words)
            n_total[q] = table[:n_bins]
            q += 1


@kernel
def add_one(
    codes: NDArray,
    counts: NDArray,
    first: int,
    last: int,
    queries: NDArray,
    q: int,
    table: NDArray,
    buffer: NDArray,
    words: Any,
) -> None:
    """Add the distances of ``codes[first:last]`` to a query's histogram."""
    for at in range(first, last, BUFFERED):
        stop = min(last, at + BUFFERED)
        fill_distances(codes, at, stop, queries, q, buffer, words)
        near = buffer[: stop - at]
        if counts.size:
            weights = counts[at:stop]
            for i in range(near.size):
                table[near[i]] += weights[i]
        else:
            for i in range(near.size):
                table[near[i]] += 1


@kernel
def add_pair(
    codes: NDArray,
    counts: NDArray,
    first: int,
    last: int,
    queries: NDArray,
    q: int,
    n_bins: int,
    table: NDArray,
    left: NDArray,
    right: NDArray,
    words: Any,
) -> None:
    """Add pairs of distances, to queries `q` and ``q + 1``, to their table."""
    width = np.uint16(n_bins)
    for at in range(first, last, BUFFERED):
        stop = min(last, at + BUFFERED)
        fill_distances(codes, at, stop, queries, q, left, words)
        fill_distances(codes, at, stop, queries, q + 1, right, words)
        cells, others = left[: stop - at], right[: stop - at]
        for i in range(cells.size):
            cells[i] = cells[i] * width + others[i]
        if counts.size:
            weights = counts[at:stop]
            for i in range(cells.size):
                table[cells[i]] += weights[i]
        else:
            for i in range(cells.size):
                table[cells[i]] += 1


@kernel
def add_margins(table: NDArray, n_bins: int, left: NDArray, right: NDArray) -> None:
    """Add the sums of a table's rows and columns to two histograms."""
    for i in range(n_bins):
        row = table[i * n_bins : (i + 1) * n_bins]
        for j in range(n_bins):
            left[i] += row[j]
            right[j] += row[j]
