"""Ways to search, each a class with the contract of `Searcher` in `base`.

``ALGORITHMS`` has them by the names that `HammingNeighbors` takes, in the order in
which "auto" asks whether they suit. The doors for other parts are this table, `auto`,
which chooses, and `joined`, which adds codes.
"""

from skhash.hamming.indexes.base import Searcher
from skhash.hamming.indexes.groups import GroupedCodes
from skhash.hamming.indexes.multi_index import MultiIndex
from skhash.hamming.indexes.pivots import PivotIndex
from skhash.hamming.indexes.scan import Scan
from skhash.hamming.indexes.torch import TorchCodes

__all__ = ["ALGORITHMS"]

_WAYS: tuple[type[Searcher], ...] = (
    Scan,
    GroupedCodes,
    MultiIndex,
    PivotIndex,
    TorchCodes,
)
ALGORITHMS = {way.name: way for way in _WAYS}
