"""Ranking metrics of distance histograms, one value per query.

The functions mirror those of :mod:`skhash.metrics`, but take the two histograms that
:func:`skhash.hamming.histograms` counts: all items and the relevant items at each
distance from each query. Histograms over parts of a database add up, so that a database
in shards, or on several machines, is measured exactly::

    n_total = sum(shard_totals)
    n_relevant = sum(shard_relevants)
    average_precision(n_total, n_relevant)

Take the mean over queries with ``np.nanmean``: queries left out are NaN.
"""

from skhash.metrics.from_histograms._average_precision import (
    average_precision,
    average_precision_at_r,
)
from skhash.metrics.from_histograms._gains import ndcg
from skhash.metrics.from_histograms._radius import (
    f1_at_radius,
    fall_out_at_radius,
    precision_at_radius,
    precision_recall_by_radius,
    recall_at_radius,
)
from skhash.metrics.from_histograms._ranks import (
    hit_rate_at_k,
    precision_at_k,
    precision_recall_by_rank,
    r_precision,
    recall_at_k,
    reciprocal_rank,
)

__all__ = [
    "average_precision",
    "average_precision_at_r",
    "f1_at_radius",
    "fall_out_at_radius",
    "hit_rate_at_k",
    "ndcg",
    "precision_at_k",
    "precision_at_radius",
    "precision_recall_by_radius",
    "precision_recall_by_rank",
    "r_precision",
    "recall_at_k",
    "recall_at_radius",
    "reciprocal_rank",
]
