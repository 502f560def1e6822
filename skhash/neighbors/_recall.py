"""Where neighbours are lost: what each stage of a search finds of the true ones."""

from collections.abc import Callable

import numpy as np

from skhash.hamming.vectors import read_all
from skhash.neighbors._bounds import WEIGHTS
from skhash.neighbors._embedding_search import estimated, nearest
from skhash.neighbors._encoding import real_outputs
from skhash.neighbors._vector_input import blocks, seen_by

# Rounding of a BLAS may put others before the k-th: that many more are looked at.
_MORE = 16


def search_recall(scanned, X, k):
    """Share of the k true neighbours that a search finds."""
    return shares(scanned, X, k, nearest(scanned, X, k).indices)


def stage_recalls(scanned, X, k):
    """What each stage finds, as `EmbeddingNeighbors.explain` returns it."""
    database = scanned.database
    queries = scanned.queries(X)
    found = nearest(scanned, X, k)
    last = kth_values(scanned, X, k)
    stages = {
        "recall_centred": least(scanned, k, real_values(database, queries)),
        "recall_bits": least(scanned, k, sign_values(database, queries)),
        "recall_query_bits": estimated(scanned, X, k)[1],
        "recall_candidates": found.indices,
        "recall": found.indices,
    }
    recalls = {
        name: shares(scanned, X, k, indices, last) for name, indices in stages.items()
    }
    return {**recalls, "vectors_read": float(found.n_read.mean())}


def shares(scanned, X, k, indices, last=None):
    """Share of found items that are no farther than the k-th true neighbour."""
    if last is None:
        last = kth_values(scanned, X, k)
    return float((values_of(scanned, X, indices) <= last[:, None]).mean())


def values_of(scanned, X, indices):
    """Exact values of some items, shape (n_queries, n_items)."""
    flat = np.ascontiguousarray(indices).ravel()
    offsets = np.arange(len(X) + 1) * indices.shape[1]
    stored, metric = scanned.database.vectors.stored, scanned.metric
    X = np.asarray(X, np.float64)
    values = read_all(X, stored, metric, flat, offsets, n_jobs=scanned.n_jobs)
    return values.reshape(indices.shape)


def kth_values(scanned, X, k):
    """Exact value of each query's k-th nearest item."""
    return least_values(scanned, X, k)[:, k - 1]


def least_values(scanned, X, k):
    """Exact values of each query's k nearest items, or of fewer, ascending."""
    bounds, metric = scanned.database.bounds, scanned.metric
    gaps = seen_by(metric, X) - bounds.center

    def of_block(rows, vectors):
        others = vectors - bounds.center
        products = gaps @ others.T
        if metric == "inner_product":
            return -products - others @ bounds.center
        return (others**2).sum(axis=1) - 2 * products

    candidates = least(scanned, min(len(scanned.codes), k + _MORE), of_block)
    return np.sort(values_of(scanned, X, candidates), axis=1)[:, :k]


def real_values(database, queries) -> Callable:
    """What real outputs on both sides say of distances: all but the signs."""
    weight = WEIGHTS[database.bounds.metric]

    def of_block(rows, vectors):
        z = real_outputs(database.encoder, vectors) * np.float64(database.bounds.scale)
        products = queries.outputs @ z.T
        if database.bounds.calibration.measured:
            norms = np.sqrt((z**2).sum(axis=1))
            inverse = np.divide(1.0, norms, out=np.zeros_like(norms), where=norms > 0)
            products *= inverse * database.table[rows, 2] / weight
        return database.table[rows, 1] - weight * products

    return of_block


def sign_values(database, queries) -> Callable:
    """What codes say to real queries of full precision."""
    n_bits = queries.outputs.shape[1]

    def of_block(rows, vectors):
        bits = np.unpackbits(database.codes[rows], axis=1, count=n_bits)
        slope, offset, error = database.table[rows].astype(np.float64).T
        products = queries.outputs @ (2.0 * bits - 1).T
        return slope * products + offset - queries.shifts[:, None] * error

    return of_block


def least(scanned, k, values_of_block):
    """The k items of least value for each query, of values computed by blocks."""
    database = scanned.database
    best = None
    for rows in blocks(
        np.broadcast_to(0.0, (len(database), len(database.bounds.center)))
    ):
        here = np.arange(rows.start, min(rows.stop, len(database)))
        vectors = seen_by(scanned.metric, database.vectors.rows(here))
        best = nearer(best, values_of_block(rows, vectors), here, k)
    return best[1]


def nearer(best, values, here, k):
    """The k least values so far and their items, with those of a block of items."""
    here = np.broadcast_to(here, values.shape)
    if best is not None:
        values = np.concatenate([best[0], values], axis=1)
        here = np.concatenate([best[1], here], axis=1)
    order = np.argpartition(values, min(k, values.shape[1]) - 1, axis=1)[:, :k]
    return np.take_along_axis(values, order, 1), np.take_along_axis(here, order, 1)
