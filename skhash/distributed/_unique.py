"""No two shards have the same id: checked in parts, equal ids in the same one."""

import numpy as np

from skhash.distributed._hashes import hashes
from skhash.hamming.columns import concatenate

# Parts at most: each shard is split into all of them.
_MOST = 64


def check_unique(cluster, shards, firsts):
    """Raise unless all ids of the shards differ; those of one shard do already."""
    if len(shards) < 2:
        return
    n_parts = min(len(shards), _MOST)
    split = cluster.dask.delayed(_split, pure=True, nout=n_parts)
    first_twice = cluster.dask.delayed(_first_twice, pure=True)
    parts = [split(shard, first, n_parts) for shard, first in zip(shards, firsts)]  # noqa: B905
    tasks = [first_twice([part[i] for part in parts]) for i in range(n_parts)]
    twice = [each for each in cluster.compute(tasks) if each is not None]
    if twice:
        raise ValueError(f"Ids must be unique, {min(twice)[1]!r} is not.")


def _split(shard, first, n_parts):
    """Ids of a shard and their rows, in parts."""
    part = hashes(shard.ids) % np.uint64(n_parts)
    chosen = [np.flatnonzero(part == i) for i in range(n_parts)]
    return [(rows + first, shard.ids[rows]) for rows in chosen]


def _first_twice(parts):
    """Where it comes in the order of messages, and the id that is there twice."""
    rows = np.concatenate([rows for rows, _ in parts])
    ids = concatenate([ids for _, ids in parts])
    if ids.dtype.kind in ("O", "T"):
        seen, twice = {}, []
        for row, value in zip(rows.tolist(), ids.tolist(), strict=True):
            if value in seen:
                twice.append((seen[value], value))
            seen.setdefault(value, row)
        return min(twice, key=lambda pair: pair[0], default=None)
    values, counts = np.unique(ids, return_counts=True)
    twice = values[counts > 1]
    if not len(twice):
        return None
    value = twice[0] if ids.dtype.kind in "Mm" else twice[0].item()
    return value, value
