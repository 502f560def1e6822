"""Retrieval measured honestly: metrics of rankings by Hamming distance.

Everything is computed from two small histograms of distances per query, of all items
and of the relevant ones; nothing is sorted, and ties are averaged over exactly.
:mod:`~skhash.metrics.from_histograms` has the same metrics of histograms that one has
counted oneself.

Ready-made scorers for ``scoring=`` of scikit-learn, with the metrics' default options:
`mean_average_precision_scorer`, `precision_at_k_scorer`, `recall_at_k_scorer` and
`precision_at_radius_scorer`, and `neighbor_recall_scorer`, which needs no labels;
:func:`make_retrieval_scorer` makes others.
"""

from skhash.metrics import from_histograms
from skhash.metrics._codes.duplicates import find_duplicates
from skhash.metrics._codes.health import bit_balance, bit_correlation, code_health
from skhash.metrics._codes.lengths import order_bits, score_by_length
from skhash.metrics._curves import (
    RetrievalCurve,
    precision_recall_by_radius,
    precision_recall_by_rank,
)
from skhash.metrics._cutoffs import (
    f1_at_radius,
    fall_out_at_radius,
    hit_rate_at_k,
    precision_at_k,
    precision_at_radius,
    recall_at_k,
    recall_at_radius,
)
from skhash.metrics._ndcg import ndcg
from skhash.metrics._neighbor_recall import neighbor_recall
from skhash.metrics._rankings import (
    average_precision,
    mean_average_precision,
    mean_average_precision_at_r,
    mean_reciprocal_rank,
    r_precision,
)
from skhash.metrics._report.compare import Comparison, compare
from skhash.metrics._report.evaluate import evaluate
from skhash.metrics._report.report import RetrievalReport
from skhash.metrics.scorer import (
    make_retrieval_scorer,
    mean_average_precision_scorer,
    neighbor_recall_scorer,
    precision_at_k_scorer,
    precision_at_radius_scorer,
    recall_at_k_scorer,
)

__all__ = [
    "Comparison",
    "RetrievalCurve",
    "RetrievalReport",
    "average_precision",
    "bit_balance",
    "bit_correlation",
    "code_health",
    "compare",
    "evaluate",
    "f1_at_radius",
    "fall_out_at_radius",
    "find_duplicates",
    "from_histograms",
    "hit_rate_at_k",
    "make_retrieval_scorer",
    "mean_average_precision",
    "mean_average_precision_at_r",
    "mean_average_precision_scorer",
    "mean_reciprocal_rank",
    "ndcg",
    "neighbor_recall",
    "neighbor_recall_scorer",
    "order_bits",
    "precision_at_k",
    "precision_at_k_scorer",
    "precision_at_radius",
    "precision_at_radius_scorer",
    "precision_recall_by_radius",
    "precision_recall_by_rank",
    "r_precision",
    "recall_at_k",
    "recall_at_k_scorer",
    "recall_at_radius",
    "score_by_length",
]
