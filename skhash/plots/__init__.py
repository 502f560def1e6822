"""Pictures of codes, their retrieval and their training, as scikit-learn's displays.

``Display.from_estimator`` and ``Display.from_codes`` compute and draw in one go; the
display keeps the numbers, and ``plot(ax=...)`` draws them again. Estimators are asked
for codes as the scorers of :mod:`skhash.metrics` ask them: by ``transform``, or for the
database that they hold.

The pictures can be read by colour-blind people and in grey, and change no settings of
matplotlib, which is loaded with the first drawing (``pip install matplotlib``).
"""

from skhash.plots._bit_health import BitHealthDisplay
from skhash.plots._code_map import CodeMapDisplay
from skhash.plots._distances import DistanceHistogramDisplay
from skhash.plots._grid import RetrievalGridDisplay
from skhash.plots._history import TrainingHistoryDisplay
from skhash.plots._lengths import LengthCurveDisplay
from skhash.plots._loss_shape import LossShapeDisplay
from skhash.plots._precision_at_n import PrecisionAtNDisplay
from skhash.plots._precision_recall import PrecisionRecallDisplay
from skhash.plots._search_results import SearchResultsDisplay

__all__ = [
    "BitHealthDisplay",
    "CodeMapDisplay",
    "DistanceHistogramDisplay",
    "LengthCurveDisplay",
    "LossShapeDisplay",
    "PrecisionAtNDisplay",
    "PrecisionRecallDisplay",
    "RetrievalGridDisplay",
    "SearchResultsDisplay",
    "TrainingHistoryDisplay",
]
