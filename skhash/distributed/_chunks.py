"""Dask arrays taken apart into chunks of rows, with what belongs to the rows."""

import math

import numpy as np
from scipy.sparse import csr_array, issparse

from skhash.distributed._cluster import dask_module
from skhash.hamming.columns import as_array
from skhash.warn import warn

# Chunks from which on it matters that each is a task, and rows that are worth one.
_MANY, _FEW_ROWS = 1000, 10_000


def is_dask(X):
    """Whether this is a dask array, told without importing dask."""
    return hasattr(X, "__dask_graph__") and hasattr(X, "to_delayed")


def here(values):
    """Queries and their labels as arrays: they are few enough to be here."""
    return values.compute() if is_dask(values) else values


def check_array(X, name, *, known=True):
    """Raise unless X is a dask array of rows, whose chunks have known sizes."""
    if not is_dask(X):
        raise TypeError(
            f"{name} must be a dask array, got {type(X).__name__}: make one by "
            "dask.array.from_array or from_delayed, or use the estimator of "
            "skhash.neighbors, which takes arrays."
        )
    if not hasattr(X, "chunks"):
        raise TypeError(
            f"{name} is a {type(X).__name__}: make it a dask array, e.g. by "
            "to_dask_array(lengths=True)."
        )
    if known and any(math.isnan(size) for size in X.chunks[0]):
        raise ValueError(
            f"{name} has chunks of unknown sizes, which rows are counted by: call "
            f"{name}.compute_chunk_sizes() first, or give the shapes where it is made."
        )


def row_chunks(X):
    """Chunks of whole rows that are not empty, as delayed objects, and their sizes."""
    if X.ndim > 1 and any(n > 1 for n in X.numblocks[1:]):
        X = X.rechunk(dict.fromkeys(range(1, X.ndim), -1))
    chunks = X.to_delayed().ravel().tolist()
    # One that is empty is kept where there is nothing else.
    kept = [i for i, size in enumerate(X.chunks[0]) if size != 0] or [0]
    if len(kept) > _MANY and sum(X.chunks[0]) < _FEW_ROWS * len(kept):
        warn(
            f"There are {len(kept)} chunks of {X.chunks[0][kept[0]]} rows or so, each "
            "of which is a shard to ask: fewer and larger ones, such as "
            "X.rechunk((1_000_000, -1)), are searched sooner."
        )
    return [chunks[i] for i in kept], [X.chunks[0][i] for i in kept]


def names_of(sizes, first=0):
    """Names of chunks, for messages."""
    ends = first + np.cumsum(sizes)
    return [
        f"Chunk {i} (rows {end - size} to {end - 1})"
        for i, (size, end) in enumerate(zip(sizes, ends, strict=True))
    ]


def chunks_beside(values, sizes, name, dask):
    """What belongs to the rows, in chunks of the same sizes; None for none."""
    n = sum(sizes)
    if values is None:
        return [None] * len(sizes)
    if is_dask(values):
        check_array(values, name)
        length = values.shape[0]
    else:
        values = csr_array(values) if issparse(values) else as_array(values, name=name)
        length = values.shape[0] if values.ndim else 0
    if length != n:
        raise ValueError(
            f"Found input variables with inconsistent numbers of samples: {name} has "
            f"{length} values for {n} codes."
        )
    if is_dask(values):
        if 0 in values.chunks[0]:
            values = _without_empty(values)
        if values.chunks[0] != tuple(sizes):
            values = values.rechunk({0: tuple(sizes)})
        return row_chunks(values)[0]
    ends = np.cumsum(sizes)
    chunks = [values[end - size : end] for size, end in zip(sizes, ends, strict=True)]
    return [dask.delayed(chunk, pure=True) for chunk in chunks]


def joined(parts, sizes, like):
    """One dask array of delayed parts, whose rows are like those given."""
    array = dask_module("dask.array")
    return array.concatenate(
        [
            array.from_delayed(part, (size, *like.shape[1:]), meta=like[:0])
            for part, size in zip(parts, sizes, strict=True)
        ]
    )


def _without_empty(X):
    """The same array without chunks of no rows."""
    array = dask_module("dask.array")
    kept = [X.blocks[i] for i, size in enumerate(X.chunks[0]) if size]
    return array.concatenate(kept) if kept else X
