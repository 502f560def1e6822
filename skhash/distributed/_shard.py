"""One shard: a chunk of the database, built and asked on the worker that holds it.

A shard is made by a function of its chunk, and changed by functions of the shard before
the change. Whoever loses it computes it again.
"""

from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from skhash.hamming import check_codes
from skhash.hamming.indexes.scan import Scan
from skhash.neighbors.shards import (
    Database,
    as_labels,
    check_ids,
    drop_self,
    drop_self_from_rows,
    make_database,
    search,
    warn_of_features,
)


class Recipe(NamedTuple):
    """What a chunk must be like, and how it will be searched."""

    n_rows: int
    n_columns: int
    on_bits: bool
    algorithm: str


class Facts(NamedTuple):
    """What the client knows of a shard."""

    n_rows: int
    n_bytes: int
    ids: np.ndarray | None  # the least and the greatest, or any one: tell their kind
    labels: np.ndarray | None  # likewise
    codes_bytes: int
    index_bytes: int
    algorithm: str


def build(X, y, ids, recipe: Recipe) -> Database:
    """The shard of a chunk of codes, labels and ids."""
    if X.ndim != 2 or X.shape != (recipe.n_rows, recipe.n_columns):
        raise ValueError(
            f"The chunk has shape {X.shape}, but the array says "
            f"{(recipe.n_rows, recipe.n_columns)}."
        )
    if (X.dtype == bool) != recipe.on_bits:
        raise ValueError(
            f"The chunk is of dtype {X.dtype}, unlike what the array says: all chunks "
            "hold bits (bool), or all hold packed codes."
        )
    codes = check_codes(X)
    if not recipe.on_bits:
        warn_of_features(codes, "HammingNeighbors")
    return made(codes, y, ids, recipe.algorithm)


def made(codes, y, ids, algorithm: str) -> Database:
    """The shard of packed codes."""
    labels, ids = as_labels(y, codes), check_ids(ids, len(codes))
    return make_database(codes, labels, ids, algorithm, n_jobs=1)


def facts(shard: Database) -> Facts:
    """What is to be known of a shard where it does not lie."""
    ids, labels = shard.ids, shard.labels
    return Facts(
        len(shard),
        shard.codes.shape[1],
        None if ids is None else ends_of(ids),
        None if labels is None else ends_of(labels),
        shard.codes.nbytes,
        shard.searcher.n_bytes,
        shard.searcher.name,
    )


def ends_of(column):
    """The least and the greatest of numbers, or one value of another kind."""
    if column.dtype.kind in "iuf" and column.ndim == 1 and len(column):
        return np.array([column.min(), column.max()])
    return column[:1]


def extended(shard: Database, codes, labels, ids) -> Database:
    """A shard with codes added at its end; memory set aside is nobody's twice."""
    return replace(shard, reserve=None).with_more(codes, labels, ids)


def reduced(shard: Database, rows) -> Database:
    """A shard without some rows."""
    return shard.without(rows)


def labelled(shard: Database, y) -> Database:
    """A shard with these labels."""
    return replace(shard, labels=as_labels(y, shard.codes))


def part_of(shard: Database, name: str, dtype=None) -> Any:
    """Codes, labels or ids of a shard; in a dtype that holds those of all shards."""
    part = getattr(shard, name)
    return part if dtype is None else part.astype(dtype, copy=False)


def rows_of(shard: Database, column) -> np.ndarray:
    """The row of each id in this shard, -1 where it is not here."""
    return search(shard.ids, column)


def codes_at(shard: Database, rows) -> np.ndarray:
    """Codes of some rows."""
    return shard.codes[rows]


def labels_at(shard: Database, rows) -> Any:
    """Labels of some rows."""
    return shard.labels[rows]


class Asked(NamedTuple):
    """A question to a shard: which row of the whole it begins at, and what to bring."""

    first: int
    ids_dtype: np.dtype | None  # None: no ids are wanted
    rows: np.ndarray | None = None  # only these rows of the shard are searched


def nearest(shard: Database, queries, k: int, asked: Asked) -> tuple:
    """The nearest items of a shard: distances, rows of the whole, and what belongs."""
    searcher, k = shard.searcher, min(k, len(shard))
    if asked.rows is not None:
        searcher, k = Scan(shard.codes[asked.rows]), min(k, len(asked.rows))
    distances, rows = searcher.nearest(queries, k, n_jobs=1)
    return distances, *_named(shard, rows, asked)


def within(shard: Database, queries, radius: int, asked: Asked) -> tuple:
    """What lies within a radius: indptr, distances, rows of the whole, and ids."""
    searcher = _searcher_within(shard, queries, radius, asked)
    indptr, distances, rows = searcher.within(queries, radius, n_jobs=1)
    return indptr, distances, *_named(shard, rows, asked)


def count(shard: Database, queries, radius: int, asked: Asked) -> np.ndarray:
    """How many items lie within a radius."""
    searcher = _searcher_within(shard, queries, radius, asked)
    return searcher.count_within(queries, radius, n_jobs=1)


def _searcher_within(shard, queries, radius, asked):
    if asked.rows is not None:
        return Scan(shard.codes[asked.rows])
    return shard.searcher_within(radius, len(queries), 1)


def _named(shard, rows, asked):
    """Rows of the whole database, and the ids of those where they are wanted."""
    if asked.rows is not None:
        rows = asked.rows[rows]
    if asked.ids_dtype is None:
        return (rows + asked.first,)
    return rows + asked.first, shard.ids[rows].astype(asked.ids_dtype, copy=False)


def query_chunk(X, n_columns: int, on_bits: bool) -> np.ndarray:
    """Packed codes of a chunk of queries, which the client has not seen."""
    if X.ndim != 2 or X.shape[1] != n_columns or (X.dtype == bool) != on_bits:
        raise ValueError(
            f"The queries are of shape {X.shape} and dtype {X.dtype}; the database "
            f"holds {n_columns} columns of {'bits (bool)' if on_bits else 'bytes'}."
        )
    return check_codes(X, name="queries")


def without_one(counts: np.ndarray) -> np.ndarray:
    """Numbers of items within a radius, without each query itself."""
    return counts - 1


def without_self(found: tuple, first: int) -> tuple:
    """Nearest items of a shard's own codes, each without the item itself."""
    distances, rows, *more = found
    # Names go with their rows: what is dropped is found by the rows alone.
    kept = [drop_self(column, rows, first)[0] for column in more]
    return *drop_self(distances, rows, first), *kept


def within_without_self(found: tuple, first: int) -> tuple:
    """The same of items within a radius."""
    indptr, distances, rows, *more = found
    kept = [drop_self_from_rows(indptr, column, rows, first)[1] for column in more]
    return *drop_self_from_rows(indptr, distances, rows, first), *kept
