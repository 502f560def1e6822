"""Neighbours among codes and vectors, with scikit-learn's names and manners.

What others may rely on: a fitted ``HammingNeighbors``, ``HammingNeighborsClassifier``
or ``EmbeddingNeighbors`` offers ``codes_`` (packed uint8 codes of the database, in
order of insertion), ``labels_`` (as given to ``fit``: a vector, a multi-hot matrix, or
None) and ``kneighbors``. ``EmbeddingNeighbors`` has vectors for queries, of which
``encode`` makes such codes.
"""

from skhash.neighbors._classifier import HammingNeighborsClassifier
from skhash.neighbors._embeddings import EmbeddingNeighbors
from skhash.neighbors._neighbors import HammingNeighbors
from skhash.neighbors._transformer import HammingNeighborsTransformer

__all__ = [
    "EmbeddingNeighbors",
    "HammingNeighbors",
    "HammingNeighborsClassifier",
    "HammingNeighborsTransformer",
]
