"""Recall of vectors in shards, and which stage of a search loses neighbours."""

from typing import Any, NamedTuple

import numpy as np

from skhash.distributed import _vector_shard
from skhash.distributed._reading import nearest_read, numbers_read
from skhash.distributed._tree import Nearest, in_a_tree
from skhash.distributed._vector_shard import Piece
from skhash.hamming.vectors import read_all
from skhash.neighbors.vector_shards import (
    EmbeddingDatabase,
    nearer,
    real_outputs,
    real_values,
    rows_of_block,
    seen_by,
    sign_values,
)


def recall(shards, queries, found, k):
    """Share of items found that are no farther than the k-th nearest."""
    hits = shards.cluster.dask.delayed(hits_of, pure=True)
    least = [
        shards.ask(_vector_shard.least, Nearest(k), piece, k)
        for piece in queries.pieces
    ]
    tasks = [hits(*each, k) for each in zip(found, least, strict=True)]
    n_hits, n = sum(shards.compute(tasks))
    return float(n_hits / n)


def hits_of(found, least, k):
    """How many items found are no farther than the k-th nearest, and of how many."""
    values, last = found[0], least[0][:, k - 1 : k]
    return np.array([(values <= last).sum(), values.size])


def stage_recalls(shards, X, read, k, epsilon, query_bits):
    """What each stage finds, as `EmbeddingNeighbors.explain` returns it."""
    delayed = shards.cluster.dask.delayed
    (encoder, bounds), metric = shards.model, shards.metric
    seen = seen_by(metric, X)
    z = real_outputs(encoder, seen)
    queries = bounds.queries(z, seen, epsilon, query_bits, shards.noise)
    piece = delayed(Piece(X, queries, query_bits), traverse=False, pure=True)
    values, n_read = _found(shards, read, k)
    n_read[np.isneginf(queries.lows)] = len(shards)  # they read all, in one process
    stages = _Stages(queries, k, metric, encoder, bounds)
    last, by_scan, by_stage = shards.compute(
        [
            shards.ask(_vector_shard.least, Nearest(k), piece, k),
            shards.ask(_vector_shard.estimated, Nearest(k), piece, k),
            shards.folded(
                shards.shards,
                _Best(),
                delayed(stages, traverse=False, pure=False),
                rows_of_block(shards.n_columns),
                delayed(_Rows, pure=False),
            ),
        ]
    )
    last = last[0][:, k - 1]
    found = _exact(shards, X, [by_stage.centred[1], by_stage.bits[1], by_scan[1]])
    found = [*found, values, values]
    names = ("centred", "bits", "query_bits", "candidates", "")
    shares = [float((each <= last[:, None]).mean()) for each in found]
    recalls = {f"recall_{name}".rstrip("_"): s for name, s in zip(names, shares)}  # noqa: B905
    return {**recalls, "vectors_read": float(n_read.mean())}


def _found(shards, read, k):
    """Values of the nearest of all queries, and how many vectors are read for them."""
    delayed = shards.cluster.dask.delayed
    both = [delayed(of, pure=True) for of in (nearest_read, numbers_read)]
    answers = shards.compute([of(each, k) for of in both for each in read])
    values = [each[0] for each in answers[: len(read)]]
    return np.concatenate(values), np.concatenate(answers[len(read) :])


def _exact(shards, X, indices):
    """Exact values of rows of the whole, an array for each array of them."""
    task = shards.cluster.dask.delayed((X, indices), traverse=False, pure=True)
    values = shards.cluster.dask.delayed(values_at, pure=True)
    given = zip(shards.shards, shards.sizes, shards.firsts, strict=True)
    parts = [values(shard, task, first) for shard, size, first in given if size]
    (found,) = shards.compute([in_a_tree(shards.cluster.dask, least_of, parts)])
    return found


def values_at(shard: EmbeddingDatabase, task, first: int) -> list[np.ndarray]:
    """Exact values of those rows of the whole that lie here, infinity for others."""
    X, indices = task
    X, found = np.asarray(X, np.float64), []
    for each in indices:
        here = (each >= first) & (each < first + len(shard))
        offsets = np.concatenate([np.zeros(1, np.int64), np.cumsum(here.sum(axis=1))])
        values = np.full(each.shape, np.inf)
        values[here] = read_all(
            X,
            shard.vectors.stored,
            shard.bounds.metric,
            each[here] - first,
            offsets,
            n_jobs=1,
        )
        found.append(values)
    return found


def least_of(parts):
    """The values of the shard that has them."""
    return [np.minimum.reduce(each) for each in zip(*parts, strict=True)]


class _Best(NamedTuple):
    """The best items so far by real outputs and by codes, and how many were seen."""

    centred: tuple | None = None
    bits: tuple | None = None
    n_seen: int = 0


class _Rows:
    """What stages look at of a shard: a table is made of each slice of its rows."""

    def __init__(self, shard):
        self.shard = shard

    def __len__(self):
        return len(self.shard)

    def __getitem__(self, rows):
        shard, rows = self.shard, np.arange(len(self))[rows]
        vectors = shard.vectors.rows(rows)
        columns = {
            "codes": shard.codes[rows],
            "table": shard.table[rows],
            "vectors": vectors,
        }
        kinds = [(name, c.dtype, c.shape[1:]) for name, c in columns.items()]
        made = np.empty(len(rows), kinds)
        for name, column in columns.items():
            made[name] = column
        return made


class _Stages:
    """Compares a block of vectors with all queries, by real outputs and by codes."""

    def __init__(self, queries: Any, k: int, metric: str, encoder: Any, bounds: Any):
        self.queries, self.k, self.metric = queries, k, metric
        self.encoder, self.bounds = encoder, bounds

    def __call__(self, best: _Best, rows: np.ndarray) -> _Best:
        codes, table, vectors = (
            np.ascontiguousarray(rows[name]) for name in ("codes", "table", "vectors")
        )
        vectors = seen_by(self.metric, vectors)
        belongs = None, None, None, self.encoder, self.bounds
        block = EmbeddingDatabase(codes, table, *belongs, 0.0)
        here = np.arange(best.n_seen, best.n_seen + len(rows))
        values = (
            real_values(block, self.queries)(slice(None), vectors),
            sign_values(block, self.queries)(slice(None), vectors),
        )
        found = (
            nearer(former, each, here, self.k)
            for former, each in zip(best[:2], values, strict=True)
        )
        return _Best(*found, best.n_seen + len(rows))
