"""Spectral hashing: signs of waves along the principal directions."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from skhash.baselines._base import ShallowHasher, blocks
from skhash.baselines._principal import principal_directions, warn_of_rank


class SpectralHashing(ShallowHasher):
    """Codes of the smoothest waves along the principal directions.

    Were the items spread evenly over a box along the principal directions, the codes
    that keep neighbours together, with balanced and uncorrelated bits, would be signs
    of ``sin(pi/2 + k pi (x - a) / (b - a))``, with [a, b] the extent of a direction.
    The `n_bits` functions of longest waves are taken over all directions: a long
    direction gets several bits, of 1, 2, 3, ... half waves.

    Parameters
    ----------
    n_bits : int, default=32
        Length of the codes: any, as a direction may have many waves.
    output : {"packed", "bits", "signs", "embedding"}, default="packed"
        What `transform` returns: packed codes (uint8, 8 bits a byte), bits (bool),
        signs (int8, -1 and +1) or z (float32).

    Attributes
    ----------
    mean_ : ndarray of shape (n_features,), float64
        Mean of the features.
    components_ : ndarray of shape (n_directions, n_features), float64
        Unit directions, that of most variance first, ``min(n_bits, n_features)`` at
        most; the entry of largest size of each is positive.
    lower_ : ndarray of shape (n_directions,), float64
        The least projection of an item on each, a.
    upper_ : ndarray of shape (n_directions,), float64
        The greatest, b.
    directions_ : ndarray of shape (n_bits,), int64
        The direction of each bit.
    half_waves_ : ndarray of shape (n_bits,), int64
        How many half waves it has over the extent, k.
    n_features_in_ : int
        Number of features seen in `fit`.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the features, where X has any.

    Warns
    -----
    UserWarning
        In `fit`, if all items are equal, and so are their codes.

    Notes
    -----
    Exact as published: the eigenvalue ``1 - exp(-(e^2 / 2) (k pi / (b - a))^2)`` rises
    with ``k / (b - a)``, whatever e is, so that this orders the functions; the constant
    one, k = 0, is left out. Equal ones are ordered by direction.

    References
    ----------
    Y. Weiss, A. Torralba, R. Fergus. Spectral Hashing. NIPS 2008. Equations 7 and 8,
    and the algorithm of section 3.2.

    Examples
    --------
    >>> import numpy as np
    >>> from skhash.baselines import SpectralHashing
    >>> X = np.random.default_rng(0).uniform(size=(1000, 2)) * [4.0, 1.5]
    >>> spectral = SpectralHashing(n_bits=4).fit(X)
    >>> spectral.directions_, spectral.half_waves_
    (array([0, 0, 1, 0]), array([1, 2, 1, 3]))
    """

    def __init__(self, n_bits=32, *, output="packed"):
        self.n_bits = n_bits
        self.output = output

    def _learn(self, X, y):
        found = principal_directions(X, min(self.n_bits, X.shape[1]))
        warn_of_rank(found.rank, 1, len(X), "all codes are equal")
        self.mean_ = found.mean
        self.components_ = found.directions[: max(found.rank, 1)]
        self.lower_, self.upper_ = self._extents(X)
        waves = np.arange(1, self.n_bits + 1)
        # Where nothing varies (rank 0) any width does.
        widths = np.where(self.upper_ > self.lower_, self.upper_ - self.lower_, 1.0)
        order = np.argsort((waves / widths[:, None]).ravel(), kind="stable")
        best = order[: self.n_bits]
        self.directions_, place = np.divmod(best, self.n_bits)
        self.half_waves_ = waves[place]
        self._frequencies = np.pi * self.half_waves_ / widths[self.directions_]

    def _extents(self, X: NDArray) -> tuple[NDArray, NDArray]:
        """Least and greatest projection on each direction, (n_directions,) each."""
        ends = []
        for rows in blocks(X):
            z = (X[rows].astype(np.float64) - self.mean_) @ self.components_.T
            ends.append((z.min(axis=0), z.max(axis=0)))
        lower, upper = zip(*ends, strict=True)
        return np.min(lower, axis=0), np.max(upper, axis=0)

    def _z(self, rows):
        x = (rows - self.mean_) @ self.components_.T - self.lower_
        return np.sin(np.pi / 2 + self._frequencies * x[:, self.directions_])

    @property
    def _n_bits(self):
        return len(self.directions_)
