"""Iterative quantisation: principal components turned to the corners of a cube."""

from __future__ import annotations

from numbers import Integral
from typing import ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import svd
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval

from skhash.baselines._base import ShallowHasher
from skhash.baselines._principal import (
    check_enough_features,
    principal_directions,
    warn_of_rank,
)
from skhash.baselines._projected import Projected
from skhash.baselines._rotation import draw_matrix

MAX_ITER = [Interval(Integral, 0, None, closed="left")]


class Found(NamedTuple):
    """An orthogonal matrix (b, b); the error before each step, and after the last."""

    matrix: NDArray[np.float64]
    errors: NDArray[np.float64]


def itq_rotation(
    V: Projected, max_iter: int, random_state: np.random.RandomState
) -> Found:
    """The rotation R that brings the rows of V near corners: ``|B - V R|^2`` is small.

    Alternates between the best B for a given R, which is sign(V R), and the best R for
    a given B, which is the orthogonal Procrustes solution, so that the error never
    rises. Ends early where B repeats itself.
    """
    n, n_bits = V.shape
    R = draw_matrix(n_bits, random_state).matrix
    energy = n_bits + sum((rows**2).sum() for rows in V) / n
    errors: list[float] = []
    last: list[NDArray] = []
    for step in range(max_iter + 1):
        size, products, codes = 0.0, np.zeros((n_bits, n_bits)), []
        for rows in V:
            Z = rows @ R
            size += np.abs(Z).sum()
            upper = Z > 0
            codes.append(np.packbits(upper, axis=1))
            products += np.where(upper, 1.0, -1.0).T @ rows
        # |B - Z|^2 = |B|^2 + |Z|^2 - 2 |Z|_1 for B = sign(Z), and |Z| = |V|.
        errors.append(energy - 2 * size / n)
        if step == max_iter or (last and all(map(np.array_equal, codes, last))):
            break
        S, _, Wt = svd(products)
        R, last = (S @ Wt).T, codes
    return Found(R, np.array(errors))


class ITQ(ShallowHasher):
    """Iterative quantisation: PCA, then the rotation that loses least by signs.

    Minimises ``|B - V R|^2`` over codes B in {-1, +1} and rotations R, where V are the
    principal components. No step raises it; `errors_` keeps its values.

    Parameters
    ----------
    n_bits : int, default=32
        Length of the codes; at most the number of features.
    output : {"packed", "bits", "signs", "embedding"}, default="packed"
        What `transform` returns: packed codes (uint8, 8 bits a byte), bits (bool),
        signs (int8, -1 and +1) or z (float32).
    max_iter : int, default=50
        Most steps of the rotation; it ends earlier where no code changes. 0 leaves the
        random rotation of the start.
    random_state : int, RandomState instance or None, default=None
        Seed of the rotation to start from.

    Attributes
    ----------
    mean_ : ndarray of shape (n_features,), float64
        Mean of the features.
    components_ : ndarray of shape (n_bits, n_features), float64
        Rotated principal directions: ``z = (X - mean_) @ components_.T``.
    errors_ : ndarray of shape (`n_iter_` + 1,), float64
        ``|B - V R|^2`` per item before each step, and after the last.
    n_iter_ : int
        Steps taken.
    n_features_in_ : int
        Number of features seen in `fit`.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the features, where X has any.

    Raises
    ------
    ValueError
        In `fit`, if there are more bits than features.

    Warns
    -----
    UserWarning
        In `fit`, if fewer directions vary than there are bits: bits then depend on each
        other.

    Notes
    -----
    Exact as published: 50 iterations from a random rotation. Memory: `fit` holds one
    float64 a bit and item beside X.

    References
    ----------
    Y. Gong, S. Lazebnik. Iterative Quantization: A Procrustean Approach to Learning
    Binary Codes. CVPR 2011. Equation 2, and the two steps of section 3.2.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from skhash.baselines import ITQ
    >>> X, _ = load_digits(return_X_y=True)
    >>> itq = ITQ(n_bits=16, random_state=0).fit(X)
    >>> itq.transform(X).shape
    (1797, 2)
    >>> bool(itq.errors_[-1] < itq.errors_[0])
    True
    """

    _parameter_constraints: ClassVar[dict] = {
        **ShallowHasher._parameter_constraints,
        "max_iter": MAX_ITER,
        "random_state": ["random_state"],
    }

    def __init__(self, n_bits=32, *, output="packed", max_iter=50, random_state=None):
        self.n_bits = n_bits
        self.output = output
        self.max_iter = max_iter
        self.random_state = random_state

    def _learn(self, X, y):
        check_enough_features(self.n_bits, X.shape[1], "ITQ")
        found = principal_directions(X, self.n_bits)
        warn_of_rank(found.rank, self.n_bits, len(X), "bits depend on each other")
        V = Projected(X, found.mean, found.directions)
        rotation = itq_rotation(V, self.max_iter, check_random_state(self.random_state))
        self.mean_ = found.mean
        self.components_ = rotation.matrix.T @ found.directions
        self.errors_ = rotation.errors
        self.n_iter_ = len(rotation.errors) - 1
