"""Vectors to search, and all distances the obvious way."""

import numpy as np
from scipy.spatial.distance import cdist
from sklearn.datasets import make_blobs

# No bound is wrong at this confidence: it is more than the root of the bits.
SURE = 12.0
X, Y = make_blobs(700, 40, centers=12, cluster_std=3.0, random_state=3)
DATABASE, QUERIES = X[:600], X[600:]
LABELS, QUERY_LABELS = Y[:600], Y[600:]
METRICS = ["euclidean", "cosine", "inner_product"]


def true_distances(queries, database, metric):
    """All distances in float64, the obvious way."""
    queries, database = np.asarray(queries, float), np.asarray(database, float)
    if metric == "inner_product":
        return -queries @ database.T
    if metric == "euclidean":
        return cdist(queries, database)
    norms = [np.linalg.norm(each, axis=1) for each in (queries, database)]
    product = np.outer(*norms)
    cosines = np.divide(
        queries @ database.T, product, out=np.zeros_like(product), where=product > 0
    )
    return 1 - cosines
