"""Retrieval measured honestly: metrics of rankings by Hamming distance.

Everything is computed from two small histograms of distances per query, of all items
and of the relevant ones; nothing is sorted, and ties are averaged over exactly.
"""

from skhash.metrics import from_histograms
from skhash.metrics._health import bit_balance, bit_correlation, code_health
from skhash.metrics._radius import precision_at_radius, recall_at_radius
from skhash.metrics._ranking import average_precision, mean_average_precision
from skhash.metrics._scorer import make_retrieval_scorer, mean_average_precision_scorer

__all__ = [
    "average_precision",
    "bit_balance",
    "bit_correlation",
    "code_health",
    "from_histograms",
    "make_retrieval_scorer",
    "mean_average_precision",
    "mean_average_precision_scorer",
    "precision_at_radius",
    "recall_at_radius",
]
