"""Shallow hashing: codes of float vectors by a projection and signs, without a network.

Transformers that take minutes of no GPU, and what every learned code should beat:
`transform` gives packed codes, `embed` the real outputs z of which they are the signs.
numpy, scipy and scikit-learn are all they need.
"""

from skhash.baselines._itq import ITQ
from skhash.baselines._pca import PCAHashing

__all__ = [
    "ITQ",
    "PCAHashing",
]
