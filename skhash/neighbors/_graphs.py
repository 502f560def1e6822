"""Answers turned into the shapes that scikit-learn returns."""

from itertools import pairwise

import numpy as np
from scipy.sparse import csr_array, csr_matrix
from sklearn import get_config


def drop_self(distances, indices, first=0):
    """Drop item `first + i` from row i of its k + 1 nearest, leaving k.

    Where equal codes of lower index crowd the item out of its own row, the last
    neighbour goes.
    """
    own = indices == np.arange(first, first + len(indices))[:, None]
    own[~own.any(axis=1), -1] = True
    shape = (len(indices), indices.shape[1] - 1)
    return distances[~own].reshape(shape), indices[~own].reshape(shape)


def drop_self_from_rows(indptr, distances, indices, first=0):
    """Drop item `first + i` from row i, where it is among the neighbours listed.

    It need not be: by 1 - cos a zero vector is far from itself.
    """
    n_rows = len(indptr) - 1
    rows = np.repeat(np.arange(n_rows), np.diff(indptr))
    others = indices != first + rows
    indptr = np.zeros_like(indptr)
    np.cumsum(np.bincount(rows[others], minlength=n_rows), out=indptr[1:])
    return indptr, distances[others], indices[others]


def csr_graph(data, indices, indptr, shape):
    """Build the graph in the sparse interface that scikit-learn is configured for.

    Explicit zeros (distances between equal codes) are kept.
    """
    graph = csr_array((data, indices, indptr), shape=shape)
    if get_config().get("sparse_interface", "spmatrix") == "spmatrix":
        return csr_matrix(graph)
    return graph


def as_rows(values, indptr):
    """Split flat values into an object array of one array per row."""
    rows = np.empty(len(indptr) - 1, dtype=object)
    for i, (start, stop) in enumerate(pairwise(indptr)):
        rows[i] = values[start:stop]
    return rows
