"""What a shard counts for metrics, on the worker that holds it."""

from typing import Any, NamedTuple

import numpy as np

from skhash.distributed._hashes import hashes, hashes_of_rows, hashes_of_table, mixed
from skhash.hamming import Labels, distances, histograms, pack
from skhash.hamming.labels import check_labels, compared_labels, dense
from skhash.metrics.bits import CountedBits, n_distinct
from skhash.metrics.relevance import relevant_pairs
from skhash.neighbors.shards import Database, make_database

# Pairs of a query and an item of a shard that are held at a time.
_PAIRS = 1 << 22


class Run(NamedTuple):
    """A run of queries: their codes, labels, and the row of the first among all."""

    codes: np.ndarray
    labels: Any
    start: int
    exclude_self: bool


def totals(shard: Database, run: Run, asked) -> np.ndarray:
    """Items of the shard at each distance."""
    counts = histograms(run.codes, shard.codes, n_jobs=1)
    rows, _, distance = _own(shard, run, asked)
    counts[rows, distance] -= 1
    return counts


def label_histograms(shard: Database, run: Run, asked) -> tuple[np.ndarray, np.ndarray]:
    """All items and relevant items at each distance, where labels say what is that."""
    n_total, n_relevant = histograms(
        run.codes, shard.codes, run.labels, shard.labels, n_jobs=1
    )
    rows, items, distance = _own(shard, run, asked)
    if len(rows):
        queries, database = compared_labels(
            run.labels, shard.labels, len(run.codes), len(shard)
        )
        n_total[rows, distance] -= 1
        same = queries.subset(rows).matches(database.subset(items))
        n_relevant[rows, distance] -= same
    return n_total, n_relevant


def shared_histograms(shard: Database, run: Run, n_grades: int, asked) -> np.ndarray:
    """Items at each distance that share 0, 1, ... classes with a query."""
    queries, items = compared_labels(
        run.labels, shard.labels, len(run.codes), len(shard)
    )
    n_bins = 8 * shard.codes.shape[1] + 1
    counts = np.zeros((len(run.codes), n_bins, n_grades), dtype=np.int64)
    rows, own, _ = _own(shard, run, asked)
    for part in _parts(len(run.codes), len(shard)):
        cell = distances(run.codes[part], shard.codes, n_jobs=1) * n_grades
        cell += dense(queries.overlap(part, items)).astype(cell.dtype)
        mine = (part.start <= rows) & (rows < part.stop)
        for i, found in enumerate(cell):
            counts[part.start + i] = np.bincount(
                found, minlength=n_bins * n_grades
            ).reshape(n_bins, n_grades)
        for row, item in zip(rows[mine], own[mine], strict=True):
            bin_and_grade = divmod(int(cell[row - part.start, item]), n_grades)
            counts[row][bin_and_grade] -= 1
    return counts


def n_labels(shard: Database) -> int:
    """Labels of the item that has most."""
    return int(Labels.of(shard.labels).counts.max(initial=0))


def ranked(shard: Database, run: Run, depth: int, by_labels: bool, asked) -> tuple:
    """The nearest items: distances, rows of the whole, and whether they are relevant.

    That is what labels say, where they say it.
    """
    k = min(depth, len(shard))
    distance, rows = shard.searcher.nearest(run.codes, k, n_jobs=1)
    hit = np.zeros(rows.shape, dtype=bool)
    if by_labels:
        queries, items = compared_labels(
            run.labels, shard.labels, len(run.codes), len(shard)
        )
        for i, found in enumerate(rows):
            hit[i] = dense(queries.similar([i], items.subset(found)))[0]
    return distance, rows + asked.first, hit


def distances_of(shard: Database, codes, row, item) -> np.ndarray:
    """Distances of pairs, each a row of queries' codes and one of the shard."""
    gaps = codes[row] ^ shard.codes[item]
    return np.bitwise_count(gaps).sum(axis=1, dtype=np.intp)


def pairs(shard: Database, run: Run, relevance, asked) -> tuple:
    """Relevant pairs: row in the run, item of the whole, grade, and distance.

    `relevance` is a function of labels of both or, without labels, of their rows.
    """
    items = shard.labels
    if items is None:
        items = np.arange(asked.first, asked.first + len(shard))
    found = []
    for part in _parts(len(run.codes), len(shard)):
        row, col, grade = relevant_pairs(relevance, run.labels, items, part)
        row = row + part.start
        distance = distances_of(shard, run.codes, row, col)
        found.append((row, col + asked.first, grade, distance))
    row, col, grade, distance = map(np.concatenate, zip(*found, strict=True))
    other = np.ones(len(row), bool)
    if run.exclude_self:
        other = row + run.start != col
    return row[other], col[other], grade[other], distance[other]


def merged_pairs(parts):
    """Pairs of all shards, by query and then by item."""
    row, col, grade, distance = map(np.concatenate, zip(*parts, strict=True))
    order = np.lexsort((col, row))
    return row[order], col[order], grade[order], distance[order]


def _parts(n_queries, n_items):
    """Slices of queries of which all pairs may be held at once."""
    step = max(1, _PAIRS // max(1, n_items))
    return [slice(i, min(i + step, n_queries)) for i in range(0, n_queries, step)] or [
        slice(0, 0)
    ]


def _own(shard, run, asked):
    """Queries of the run that are items of this shard: rows, items and distances."""
    if not run.exclude_self:
        return (np.empty(0, np.intp),) * 3
    first = max(run.start, asked.first)
    last = min(run.start + len(run.codes), asked.first + len(shard))
    rows = np.arange(first, max(first, last))
    items = rows - asked.first
    rows = rows - run.start
    return rows, items, distances_of(shard, run.codes, rows, items)


def checksum(shard: Database, first: int) -> np.ndarray:
    """A sum over labels and the rows they stand in; that of shards is that of all."""
    values = check_labels(shard.labels)
    own = hashes(values) if values.ndim == 1 else hashes_of_rows(values)
    rows = np.arange(first, first + len(own), dtype=np.uint64)
    both = mixed(own ^ mixed(rows))
    return np.array([both.sum(), mixed(both).sum()], dtype=np.uint64)


def ones(shard: Database, n_bits: int) -> np.ndarray:
    """Items that have each bit."""
    return CountedBits(shard.codes, n_bits).ones()


def both(shard: Database, n_bits: int, chosen) -> np.ndarray:
    """Items that have each two of some bits."""
    return CountedBits(shard.codes, n_bits).both(chosen)


def first_bits(shard: Database, n_bits: int) -> Database:
    """The shard with codes cut to their first bits."""
    codes = shard.codes[:, : -(-n_bits // 8)] & pack(np.ones((1, n_bits), dtype=bool))
    return make_database(codes, shard.labels, shard.ids, "brute", n_jobs=1)


def distinct(shard: Database, n_parts: int) -> list[np.ndarray]:
    """The distinct codes of a shard, in parts that equal codes fall into together."""
    codes = np.unique(shard.codes, axis=0)
    part = hashes_of_table(codes) % np.uint64(n_parts)
    return [codes[part == i] for i in range(n_parts)]


def n_distinct_of(parts: list[np.ndarray]) -> int:
    """How many codes there are in the same part of all shards."""
    return n_distinct(np.concatenate(parts))
