"""Queries of vectors in pieces, and answers to them in distances."""

import numpy as np

from skhash.distributed import _vector_shard
from skhash.distributed._chunks import check_array, is_dask
from skhash.distributed._queries import Queries
from skhash.distributed._vector_shards import check_columns, checked_chunks
from skhash.hamming import pack
from skhash.neighbors.vector_shards import (
    TOGETHER,
    as_distances,
    checked,
    real_outputs,
    seen_by,
)

# Queries that are asked together: whole scans, so that encoders see what they see in
# one process.
_PIECE = 8 * TOGETHER


def vector_queries(estimator, shards, X):
    """Queries of an estimator: those given, or the database itself."""
    delayed = shards.cluster.dask.delayed
    ready = delayed(_vector_shard.piece_of, pure=True)
    task = shards.model_task, shards.noise, estimator.epsilon, estimator.query_bits
    if X is None:
        rows = delayed(_vector_shard.stored_rows, pure=True)
        parts = [
            (shard, start, min(start + _PIECE, size), first)
            for shard, size, first in zip(
                shards.shards, shards.sizes, shards.firsts, strict=True
            )
            for start in range(0, size, _PIECE)
        ]
        pieces = [ready(rows(*part[:3]), *task) for part in parts]
        sizes = [stop - start for _, start, stop, _ in parts]
        return Queries(pieces, sizes, True, [first + at for _, at, _, first in parts])
    if is_dask(X):
        chunks, sizes = query_chunks(shards, X)
        return Queries([ready(chunk, *task) for chunk in chunks], sizes, True)
    X = checked(estimator, X)
    parts = [X[i : i + _PIECE] for i in range(0, len(X), _PIECE)]
    pieces = [ready(delayed(part, pure=True), *task) for part in parts]
    return Queries(pieces, [len(part) for part in parts], False)


def query_chunks(shards, X):
    """Checked chunks of a dask array of vectors, and their sizes."""
    check_array(X, "X", known=False)
    check_columns(X, shards.n_columns)
    return checked_chunks(shards.cluster.dask, X)


def codes_of_chunk(X, model):
    """Codes of vectors, made as those of the database."""
    encoder, bounds = model
    return pack(real_outputs(encoder, seen_by(bounds.metric, X)) > 0)


def values_of_estimates(found, piece):
    """Values of estimates as the scan gives them, and what goes along."""
    bounds, *rest = found
    queries = piece.queries
    return bounds * queries.scale + queries.constants[:, None], *rest


def nearest_in_distances(found, metric):
    """The same in distances."""
    values, *rest = found
    return as_distances(values, metric), *rest


def within_in_distances(found, metric):
    """Items within a radius in distances."""
    indptr, values, *rest = found
    return indptr, as_distances(values, metric), *rest


def numbers(found):
    """How many items are within a radius of each query."""
    return np.diff(found[0])
