"""Shallow hashing: codes of float vectors by a projection and signs, without a network.

Transformers that fit in seconds, and what every learned code should beat: `transform`
gives packed codes, `embed` the real outputs z of which they are the signs. numpy, scipy
and scikit-learn are all they need.
"""

from skhash.baselines._itq import ITQ
from skhash.baselines._itq_cca import ITQCCA
from skhash.baselines._pca import PCAHashing
from skhash.baselines._random_hyperplanes import RandomHyperplanes
from skhash.baselines._rotated_signs import RotatedSigns
from skhash.baselines._sign_threshold import SignThreshold
from skhash.baselines._spectral import SpectralHashing

__all__ = [
    "ITQ",
    "ITQCCA",
    "PCAHashing",
    "RandomHyperplanes",
    "RotatedSigns",
    "SignThreshold",
    "SpectralHashing",
]
