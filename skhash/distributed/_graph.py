"""Answers of shards as lists of neighbours and as sparse graphs."""

import numpy as np
from scipy.sparse import csr_matrix, vstack

from skhash.distributed._queries import as_dask, empty, gathered
from skhash.neighbors.shards import as_rows, csr_graph


def nearest_listed(shards, found, queries, k, dtype):
    """Distances of a dtype and neighbours of all queries, of the answers of pieces."""
    if not queries.lazy:
        answers = gathered(shards, found)
        return tuple(np.concatenate([each[i] for each in answers]) for i in (0, -1))
    kinds = (0, dtype), (-1, shards.ids_kind.dtype if shards.has_ids else np.int64)
    return tuple(
        as_dask([each[i] for each in found], queries.sizes, (k,), empty(kind))
        for i, kind in kinds
    )


def within_listed(shards, found, queries):
    """The same of items within a radius, as arrays of arrays."""
    listed = shards.cluster.dask.delayed(rows_listed, pure=True, nout=2)
    lists = [listed(each) for each in found]
    if not queries.lazy:
        answers = gathered(shards, lists)
        return tuple(map(np.concatenate, zip(*answers, strict=True)))
    return tuple(
        as_dask([each[i] for each in lists], queries.sizes, (), empty(object, 1))
        for i in range(2)
    )


def counts_listed(shards, counts, queries):
    """Numbers of neighbours of all queries."""
    if queries.lazy:
        return as_dask(counts, queries.sizes, (), empty(np.int64, 1))
    return np.concatenate(gathered(shards, counts))


def of_others(shards, queries, found, drop):
    """Answers without each query itself, where the database asks."""
    if not queries.itself:
        return found
    drop = shards.cluster.dask.delayed(drop, pure=True)
    pairs = zip(found, queries.firsts, strict=True)
    return [drop(each, first) for each, first in pairs]


def rows_listed(found):
    """Distances and neighbours of each query as arrays of arrays."""
    indptr, distances, indices, *ids = found
    return as_rows(distances, indptr), as_rows(ids[0] if ids else indices, indptr)


def graph_of(shards, found, queries, mode, listed=False):
    """The graph of answers: one matrix, or for lazy queries a dask array of matrices.

    `listed` answers are those within a radius, others are as many of each query.
    """
    block = shards.cluster.dask.delayed(_block, pure=True)
    blocks = [block(each, mode, listed, len(shards)) for each in found]
    if queries.lazy:
        like = csr_matrix((0, 0), dtype=np.float64)
        return as_dask(blocks, queries.sizes, (len(shards),), like)
    matrices = gathered(shards, blocks)
    if len(matrices) == 1:
        return matrices[0]
    graph = vstack(matrices, format="csr")
    return csr_graph(graph.data, graph.indices, graph.indptr, graph.shape)


def _block(found, mode, listed, n_items):
    """The graph of a piece of queries."""
    if listed:
        indptr, distances, indices = found
    else:
        distances, indices = found
        indptr = np.arange(0, indices.size + 1, max(1, indices.shape[1]))
    ones = mode == "connectivity"
    data = np.ones(indices.size) if ones else distances.ravel().astype(np.float64)
    return csr_graph(data, indices.ravel(), indptr, (len(indptr) - 1, n_items))
