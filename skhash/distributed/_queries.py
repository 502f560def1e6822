"""Queries in pieces, and answers put together: arrays of arrays, dask's of dask's."""

import math
from typing import Any, NamedTuple

import numpy as np

from skhash.distributed import _shard
from skhash.distributed._chunks import check_array, is_dask, row_chunks
from skhash.distributed._cluster import dask_module
from skhash.neighbors.shards import query_codes

# Queries that are asked together, and neighbours that one task may bring.
TOGETHER, _FOUND = 1 << 13, 1 << 22
# Pieces that are on their way at a time.
_WINDOW = 8


class Queries(NamedTuple):
    """Queries in pieces, each a task or an array, and their sizes."""

    pieces: list
    sizes: list  # NaN where nobody knows
    lazy: bool  # answers are dask arrays
    firsts: list | None = None  # row of the database that each piece begins at

    @classmethod
    def of(cls, estimator, shards, X, k=1):
        """Queries of an estimator: those given, or the database itself."""
        delayed = shards.cluster.dask.delayed
        if X is None:
            part_of = delayed(_shard.part_of, pure=True)
            pieces = [part_of(shard, "codes") for shard in shards.shards]
            return cls(pieces, shards.sizes, True, shards.firsts)
        if is_dask(X):
            check_array(X, "X", known=False)
            check_width(X, shards)
            chunks, sizes = row_chunks(X)
            checked = delayed(_shard.query_chunk, pure=True)
            form = shards.n_columns, shards.on_bits
            return cls([checked(chunk, *form) for chunk in chunks], sizes, True)
        codes = query_codes(estimator, X, shards.n_bytes)
        step = max(1, min(TOGETHER, _FOUND // k))
        pieces = [codes[i : i + step] for i in range(0, len(codes), step)]
        sizes = [len(piece) for piece in pieces]
        return cls([delayed(piece, pure=True) for piece in pieces], sizes, False)

    def __len__(self):
        total = sum(self.sizes)
        return 0 if math.isnan(total) else int(total)

    @property
    def itself(self):
        """Whether the database is asked for its own neighbours."""
        return self.firsts is not None


def check_width(X, shards):
    """Raise unless a dask array holds codes as the database does."""
    if X.ndim != 2 or X.shape[1] != shards.n_columns:
        raise ValueError(
            f"X has shape {X.shape}, but HammingNeighbors is expecting "
            f"{shards.n_columns} features as input."
        )
    if (X.dtype == bool) != shards.on_bits:
        held = "bits (bool)" if shards.on_bits else "packed codes (uint8)"
        raise ValueError(f"X is of dtype {X.dtype}, but the database holds {held}.")


def gathered(shards, tasks):
    """Answers of pieces, some pieces at a time."""
    answers = []
    for i in range(0, len(tasks), _WINDOW):
        answers += shards.compute(tasks[i : i + _WINDOW])
    return answers


def as_dask(tasks, sizes, width: tuple, like: Any):
    """One dask array of the answers of tasks, whose rows are of some width."""
    array = dask_module("dask.array")
    return array.concatenate(
        [
            array.from_delayed(task, (size, *width), meta=like)
            for task, size in zip(tasks, sizes, strict=True)
        ]
    )


def empty(dtype, ndim=2):
    """What a dask array's chunks are like."""
    return np.empty((0,) * ndim, dtype)
