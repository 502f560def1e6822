"""ITQ with labels: directions that tell of the labels, turned to corners of a cube."""

from __future__ import annotations

from numbers import Real
from typing import Any, ClassVar

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve, eigh
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval

from skhash.baselines._base import ShallowHasher, blocks
from skhash.baselines._itq import MAX_ITER, itq_rotation
from skhash.baselines._principal import moments, signs_of
from skhash.baselines._projected import Projected
from skhash.hamming import Labels
from skhash.hamming.labels import check_class_labels
from skhash.warn import warn

# Of this many labels the covariance takes 134 MB.
_MOST_LABELS = 4096
# Squared correlations below this are rounding.
_NOISE = 1e-8


class ITQCCA(ShallowHasher):
    """Iterative quantisation of the directions that tell most of the labels.

    Canonical correlation analysis of the features with the labels takes the place of
    PCA in :class:`ITQ`; each direction is scaled by its correlation.

    Parameters
    ----------
    n_bits : int, default=32
        Length of the codes. Of C classes there are C - 1 directions at most; more bits
        than directions share these, each being another combination of them.
    output : {"packed", "bits", "signs", "embedding"}, default="packed"
        What `transform` returns: packed codes (uint8, 8 bits a byte), bits (bool),
        signs (int8, -1 and +1) or z (float32).
    reg : float, default=1e-4
        Regularisation: what is added to the variance of each feature, and to that of
        each label, as a share of their means.
    max_iter : int, default=50
        Most steps of the rotation; it ends earlier where no code changes.
    random_state : int, RandomState instance or None, default=None
        Seed of the rotation to start from.

    Attributes
    ----------
    mean_ : ndarray of shape (n_features,), float64
        Mean of the features.
    components_ : ndarray of shape (n_bits, n_features), float64
        Rotated directions: ``z = (X - mean_) @ components_.T``.
    correlations_ : ndarray of shape (n_directions,), float64
        The canonical correlations, largest first, of which there are at most `n_bits`.
    errors_ : ndarray of shape (`n_iter_` + 1,), float64
        ``|B - V R|^2`` per item before each step of the rotation, and after the last.
    n_iter_ : int
        Steps taken.
    n_features_in_ : int
        Number of features seen in `fit`.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the features, where X has any.

    Warns
    -----
    UserWarning
        In `fit`, if nothing in X goes with y: all codes are then equal.

    Notes
    -----
    Exact as published for up to as many bits as directions, but for `reg`, which the
    authors add as 0.0001 to features of length 1. The paper has no more bits than that.
    Here V then gets columns of zeros, which the rotation fills: the objective and its
    descent stay the same.

    References
    ----------
    Y. Gong, S. Lazebnik, A. Gordo, F. Perronnin. Iterative Quantization: A Procrustean
    Approach to Learning Binary Codes for Large-Scale Image Retrieval. TPAMI 35(12),
    2013. Section 4, equation 8.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from skhash.baselines import ITQCCA
    >>> X, y = load_digits(return_X_y=True)
    >>> encoder = ITQCCA(n_bits=16, random_state=0).fit(X, y)
    >>> encoder.correlations_.shape, encoder.transform(X).shape
    ((9,), (1797, 2))
    """

    _parameter_constraints: ClassVar[dict] = {
        **ShallowHasher._parameter_constraints,
        "reg": [Interval(Real, 0, None, closed="neither")],
        "max_iter": MAX_ITER,
        "random_state": ["random_state"],
    }

    def __init__(
        self, n_bits=32, *, output="packed", reg=1e-4, max_iter=50, random_state=None
    ):
        self.n_bits = n_bits
        self.output = output
        self.reg = reg
        self.max_iter = max_iter
        self.random_state = random_state

    def fit(self, X, y=None):
        """Learn the codes.

        Parameters
        ----------
        X : array-like of shape (n, n_features)
            Features of at least 2 items, as in the other methods.
        y : array-like or sparse matrix of shape (n,) or (n, n_classes)
            Labels of any type, or a 0/1 matrix for several labels an item (see
            :func:`skhash.hamming.check_labels`), of at most 4096 classes.

        Returns
        -------
        self : ITQCCA

        Raises
        ------
        ValueError
            If X or y cannot be used, y is missing or tells no items apart, or a
            parameter is out of its range.
        """
        if y is None:
            raise ValueError(
                "ITQCCA requires y to be passed, but the target y is None. ITQ learns "
                "without labels."
            )
        return super().fit(X, y)

    def _learn(self, X, y):
        Y = label_columns(y, len(X))
        self.mean_, covariance = moments(X)
        directions, self.correlations_ = canonical_directions(
            X, Y, self.mean_, covariance, self.reg, self.n_bits
        )
        if not len(directions):
            warn("No feature of X tells of y, so that all codes are equal.")
        missing = max(0, self.n_bits - len(directions))
        padded = np.pad(directions, ((0, missing), (0, 0)))
        V = Projected(X, self.mean_, padded)
        rotation = itq_rotation(V, self.max_iter, check_random_state(self.random_state))
        self.components_ = rotation.matrix.T[:, : len(directions)] @ directions
        self.errors_ = rotation.errors
        self.n_iter_ = len(rotation.errors) - 1

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        return tags


def label_columns(y: Any, n: int) -> Any:
    """Labels as a 0/1 CSR array (n, n_classes) of float64."""
    labels = Labels.of(check_class_labels(y), name="y", n=n)
    if labels.constant:
        raise ValueError(
            "y holds the same labels for all items (1 class), so that there is nothing "
            "to tell apart. ITQ learns without labels."
        )
    if labels.n_classes > _MOST_LABELS:
        raise ValueError(
            f"ITQCCA takes at most {_MOST_LABELS} classes, got {labels.n_classes}. "
            "DeepHashEncoder learns from any number."
        )
    if labels.kind == "sets":
        return sp.csr_array(labels.values, dtype=np.float64)
    place = np.unique(labels.values, return_inverse=True)[1].ravel()
    return sp.csr_array((np.ones(n), place, np.arange(n + 1)))


def canonical_directions(
    X: NDArray,
    Y: Any,
    mean: NDArray[np.float64],
    covariance: NDArray[np.float64],
    reg: float,
    most: int,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Directions (k, d) times their correlations, and these (k,), k at most `most`.

    w and c solve ``Cxy (Cyy + r)^-1 Cyx w = c^2 (Cxx + r) w``, w of unit variance.
    """
    n, d = X.shape
    shares = np.asarray(Y.sum(axis=0)) / n
    cross = np.zeros((Y.shape[1], d))
    for rows in blocks(X):  # centred on one side is centred on both
        cross += Y[rows].T @ (X[rows].astype(np.float64) - mean) / n
    labels = (Y.T @ Y).toarray() / n - np.outer(shares, shares)
    if not np.trace(covariance) > 0:
        return np.zeros((0, d)), np.zeros(0)
    between = cross.T @ cho_solve(cho_factor(_ridged(labels, reg)), cross)
    k = min(most, d, Y.shape[1])
    squares, vectors = eigh(
        between, _ridged(covariance, reg), subset_by_index=(d - k, d - 1)
    )
    squares, vectors = squares[::-1], vectors.T[::-1]
    told = squares > _NOISE
    correlations = np.sqrt(squares[told])
    directions = vectors[told] * (signs_of(vectors[told]) * correlations)[:, None]
    return directions, correlations


def _ridged(matrix: NDArray[np.float64], reg: float) -> NDArray[np.float64]:
    """The matrix with `reg` times its mean variance added to the diagonal."""
    return matrix + np.eye(len(matrix)) * (reg * np.trace(matrix) / len(matrix))
