"""Rotated signs: centre, rotate at random, keep the signs."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from sklearn.base import _fit_context
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import StrOptions
from sklearn.utils.validation import check_is_fitted

from skhash.baselines._base import N_BITS, ShallowHasher, blocks, means
from skhash.baselines._principal import principal_directions, warn_of_rank
from skhash.baselines._rotation import draw_hadamard, draw_matrix
from skhash.hamming.codes import MAX_BITS

_DRAW = {"hadamard": draw_hadamard, "orthogonal": draw_matrix}


class RotatedSigns(ShallowHasher):
    """Codes of the signs of centred, randomly rotated features.

    A rotation changes no distance; it spreads the features evenly over the outputs, so
    that each sign tells as much as any other. With as many bits as features nothing
    learnt does better for finding neighbours, and the scalar product of two items
    can be estimated from one's code and the other's z, with a known error.

    Parameters
    ----------
    n_bits : int, default=None
        Length of the codes; None for one bit a feature, at most 4096. More bits than
        features come from several rotations, of which the last may be used in part.
        Fewer come from a rotation of that many principal components.
    rotation : {"hadamard", "orthogonal"}, default="hadamard"
        "hadamard": random signs and Hadamard transforms: quick, and with a bit a
        feature or more the same to the last bit on every machine and for every number
        of rows. "orthogonal": a matrix drawn evenly from all orthogonal ones, which
        takes ``n_features ** 2`` steps a row, and whose sums are those of BLAS.
    output : {"packed", "bits", "signs", "embedding"}, default="packed"
        What `transform` returns: packed codes (uint8, 8 bits a byte), bits (bool),
        signs (int8, -1 and +1) or z (float32).
    random_state : int, RandomState instance or None, default=None
        Seed of the rotations.

    Attributes
    ----------
    mean_ : ndarray of shape (n_features,), float64
        Mean of the features.
    components_ : ndarray of shape (n_bits, n_features), float64
        The map as a matrix: ``z = (X - mean_) @ components_.T``, up to rounding.
        Computed when asked for.
    directions_ : ndarray of shape (n_bits, n_features), float64, or None
        Principal directions that are rotated, where there are fewer bits than features.
    n_bits_ : int
        Number of bits.
    n_samples_seen_ : int
        Number of items that `mean_` is of.
    n_features_in_ : int
        Number of features seen in `fit`.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the features, where X has any.

    Warns
    -----
    UserWarning
        In `fit`, if there are fewer bits than features, and fewer directions than bits
        vary.

    Notes
    -----
    z of m rotations is divided by the root of m, so that scalar products of z are those
    of the centred features: exactly for whole rotations, on average where the last one
    is used in part. With fewer bits they are those of what the principal components
    keep.

    Derived from the paper: its rotation is the even one, and it normalises items before
    it rotates, which changes no sign.

    References
    ----------
    J. Gao, C. Long. RaBitQ: Quantizing High-Dimensional Vectors with a Theoretical
    Error Bound for Approximate Nearest Neighbor Search. SIGMOD 2024. Sections 3.1.2 and
    3.1.3.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from skhash.baselines import RotatedSigns
    >>> X, _ = load_digits(return_X_y=True)
    >>> RotatedSigns(random_state=0).fit_transform(X).shape
    (1797, 8)
    >>> RotatedSigns(n_bits=256, random_state=0).fit_transform(X).shape
    (1797, 32)
    """

    _parameter_constraints: ClassVar[dict] = {
        **ShallowHasher._parameter_constraints,
        "n_bits": [None, *N_BITS],
        "rotation": [StrOptions(set(_DRAW))],
        "random_state": ["random_state"],
    }

    def __init__(
        self, n_bits=None, *, rotation="hadamard", output="packed", random_state=None
    ):
        self.n_bits = n_bits
        self.rotation = rotation
        self.output = output
        self.random_state = random_state

    @_fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X, y=None):
        """Go on with the mean: for items that come, or fit into memory, in parts.

        The rotation is drawn at the first part and stays. Codes made before belong to
        the mean of then.

        Parameters
        ----------
        X : array-like of shape (n, n_features)
            Features of one item or more.
        y : Ignored
            Present for scikit-learn's signature.

        Returns
        -------
        self : RotatedSigns

        Raises
        ------
        ValueError
            If X is not what `fit` takes, or there are fewer bits than features, whose
            principal components need all items at once.
        """
        first = not hasattr(self, "mean_")
        X = self._features(X, reset=first)
        n_bits = self._n_bits_of(X)
        if n_bits < X.shape[1]:
            raise ValueError(
                f"n_bits={n_bits} of n_features={X.shape[1]} are made by principal "
                "components, which need all items at once: use fit, or take "
                f"n_bits={X.shape[1]} or more."
            )
        if first:
            self._draw(n_bits, X.shape[1])
            self.directions_ = None
            # From the first item on, so that constant features have their own mean.
            self.mean_, self.n_samples_seen_ = X[0].astype(np.float64), 0
        for rows in blocks(X):
            part = X[rows].astype(np.float64)
            self.n_samples_seen_ += len(part)
            gap = (part - self.mean_).sum(axis=0)
            self.mean_ = self.mean_ + gap / self.n_samples_seen_
        return self

    def _learn(self, X, y):
        n_bits, n_features = self._n_bits_of(X), X.shape[1]
        self.n_samples_seen_ = len(X)
        if n_bits >= n_features:
            self.directions_ = None
            self.mean_ = means(X)
        else:
            found = principal_directions(X, n_bits)
            warn_of_rank(found.rank, n_bits, len(X), "bits depend on each other")
            self.mean_, self.directions_ = found.mean, found.directions
        self._draw(n_bits, min(n_bits, n_features))

    def _n_bits_of(self, X):
        """The number of bits that is asked for."""
        return min(X.shape[1], MAX_BITS) if self.n_bits is None else self.n_bits

    def _draw(self, n_bits, n_dimensions):
        """Draw as many rotations as the bits need."""
        random_state = check_random_state(self.random_state)
        draw, n_rotations = _DRAW[self.rotation], -(-n_bits // n_dimensions)
        self._rotations = [draw(n_dimensions, random_state) for _ in range(n_rotations)]
        # Of the last rotation a part may do: any, since some of its outputs might
        # know more of some features.
        whole = (n_rotations - 1) * n_dimensions
        part = random_state.permutation(n_dimensions)[: n_bits - whole]
        self._kept = np.append(np.arange(whole), whole + np.sort(part))
        self.n_bits_ = n_bits

    def _z(self, rows):
        return self._rotated(rows - self.mean_)

    def _rotated(self, centred):
        """z of centred items."""
        if self.directions_ is not None:
            centred = centred @ self.directions_.T
        if len(self._rotations) == 1:
            return self._rotations[0](centred)
        z = np.hstack([rotate(centred) for rotate in self._rotations])
        scale = np.sqrt(centred.shape[1] / self.n_bits_)
        return z[:, self._kept] * z.dtype.type(scale)

    @property
    def components_(self):
        """The map as a matrix, shape (n_bits, n_features), float64."""
        if not hasattr(self, "mean_"):
            raise AttributeError("RotatedSigns is not fitted yet.")
        return self._rotated(np.eye(len(self.mean_))).T.astype(np.float64)

    @property
    def _n_bits(self):
        check_is_fitted(self)
        return self.n_bits_
