"""Rankings by real outputs, beside those by codes."""

from __future__ import annotations

from typing import Any

import numpy as np
from _intervals import with_interval
from _sets import Images
from sklearn.preprocessing import normalize

from skhash import DeepHashEncoder
from skhash.metrics import average_precision

N_QUERIES = 2000


def real_scores(encoder: DeepHashEncoder, taken: Images) -> dict[str, Any]:
    """Scores of z by cosine for the first 2000 queries, and what the sign costs.

    Recall@1 is the share of queries whose nearest item is relevant.
    """
    X, y = taken.X_query[:N_QUERIES], taken.y_query[:N_QUERIES]
    z, z_query = embedding(encoder, taken.X_database), embedding(encoder, X)
    precision, first = ranked(z_query, z, y, taken.y_database)
    of_codes = average_precision(
        encoder.transform(X), encoder.transform(taken.X_database), y, taken.y_database
    )
    return {
        **with_interval("real_mAP", precision),
        **with_interval("recall_at_1", first),
        **with_interval("gap", precision - of_codes),
    }


def embedding(encoder: DeepHashEncoder, X: np.ndarray) -> np.ndarray:
    """z, each row of length 1."""
    before = encoder.output
    try:
        return normalize(encoder.set_params(output="embedding").transform(X))
    finally:
        encoder.set_params(output=before)


def ranked(
    z_query: np.ndarray, z: np.ndarray, y_query: np.ndarray, y: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Average precision of each query, and whether its nearest item is relevant.

    Real numbers hardly tie, so the order is that of a sort.
    """
    precision, first = np.zeros(len(z_query)), np.zeros(len(z_query), bool)
    ranks = np.arange(1, len(z) + 1)
    for i, (query, label) in enumerate(zip(z_query, y_query, strict=True)):
        hits = y[np.argsort(-(z @ query), kind="stable")] == label
        first[i] = hits[0]
        precision[i] = (np.cumsum(hits)[hits] / ranks[hits]).mean()
    return precision, first
