"""Answers of shards as lists of neighbours and as sparse graphs."""

import numpy as np
from scipy.sparse import csr_matrix, vstack

from skhash.distributed._queries import as_dask, gathered
from skhash.neighbors.shards import as_rows, csr_graph


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
