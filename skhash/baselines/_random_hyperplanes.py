"""Locality-sensitive hashing for angles: signs of random projections."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from sklearn.utils import check_random_state

from skhash.baselines._base import ShallowHasher


class RandomHyperplanes(ShallowHasher):
    """Codes of the sides of random hyperplanes through the origin.

    Two items differ in a bit with probability ``angle / pi``, so that the Hamming
    distance of long codes tells the angle between them. Nothing is learnt from the
    data. Features whose mean is far from the origin all lie in a narrow cone: put a
    ``StandardScaler(with_std=False)`` before it, or take `RotatedSigns`, which centres.

    Parameters
    ----------
    n_bits : int, default=32
        Length of the codes: any, as hyperplanes are drawn independently.
    output : {"packed", "bits", "signs", "embedding"}, default="packed"
        What `transform` returns: packed codes (uint8, 8 bits a byte), bits (bool),
        signs (int8, -1 and +1) or z (float32).
    random_state : int, RandomState instance or None, default=None
        Seed of the hyperplanes.

    Attributes
    ----------
    mean_ : ndarray of shape (n_features,), float64
        Zeros: the hyperplanes go through the origin.
    components_ : ndarray of shape (n_bits, n_features), float64
        Normals of the hyperplanes: ``z = X @ components_.T``.
    n_features_in_ : int
        Number of features seen in `fit`.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the features, where X has any.

    References
    ----------
    M. S. Charikar. Similarity Estimation Techniques from Rounding Algorithms. STOC
    2002. Section 3.

    Examples
    --------
    >>> import numpy as np
    >>> from skhash.baselines import RandomHyperplanes
    >>> X = np.array([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0]])  # at 90 and 180 degrees
    >>> lsh = RandomHyperplanes(n_bits=4096, output="bits", random_state=0)
    >>> bits = lsh.fit_transform(X)
    >>> (bits[0] != bits).mean(axis=1).round(1)
    array([0. , 0.5, 1. ])
    """

    _parameter_constraints: ClassVar[dict] = {
        **ShallowHasher._parameter_constraints,
        "random_state": ["random_state"],
    }

    def __init__(self, n_bits=32, *, output="packed", random_state=None):
        self.n_bits = n_bits
        self.output = output
        self.random_state = random_state

    def _learn(self, X, y):
        shape = self.n_bits, X.shape[1]
        self.mean_ = np.zeros(X.shape[1])
        self.components_ = check_random_state(self.random_state).standard_normal(shape)
