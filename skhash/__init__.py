"""Deep hashing for scikit-learn users.

Learn short binary codes from labelled data, pack them into bytes, find the nearest
codes exactly, and measure retrieval honestly.

Public names are imported on first use, so that ``import skhash.hamming`` or
``import skhash.neighbors`` does not load torch.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from skhash.encoder import DeepHashEncoder
    from skhash.neighbors import (
        EmbeddingNeighbors,
        HammingNeighbors,
        HammingNeighborsClassifier,
        HammingNeighborsTransformer,
    )
    from skhash.persistence import load, save

__version__ = "0.1.0"

__all__ = [
    "DeepHashEncoder",
    "EmbeddingNeighbors",
    "HammingNeighbors",
    "HammingNeighborsClassifier",
    "HammingNeighborsTransformer",
    "__version__",
    "load",
    "save",
]

_HOME = {
    "DeepHashEncoder": "skhash.encoder",
    "EmbeddingNeighbors": "skhash.neighbors",
    "HammingNeighbors": "skhash.neighbors",
    "HammingNeighborsClassifier": "skhash.neighbors",
    "HammingNeighborsTransformer": "skhash.neighbors",
    "load": "skhash.persistence",
    "save": "skhash.persistence",
}


if not TYPE_CHECKING:  # a type checker that saw it would believe in any name

    def __getattr__(name: str) -> Any:
        if name not in _HOME:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = getattr(import_module(_HOME[name]), name)
        globals()[name] = value  # the next look-up does not come here
        return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
