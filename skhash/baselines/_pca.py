"""PCA hashing: the signs of the principal components."""

from __future__ import annotations

from skhash.baselines._base import ShallowHasher
from skhash.baselines._principal import (
    check_enough_features,
    principal_directions,
    warn_of_rank,
)


class PCAHashing(ShallowHasher):
    """Codes of the signs of the principal components.

    Bit j tells on which side of the mean an item lies along the direction of j-th
    largest variance. The later bits tell of less and less variance, which is what
    :class:`ITQ` mends by a rotation.

    Parameters
    ----------
    n_bits : int, default=32
        Length of the codes; at most the number of features.
    output : {"packed", "bits", "signs", "embedding"}, default="packed"
        What `transform` returns: packed codes (uint8, 8 bits a byte), bits (bool),
        signs (int8, -1 and +1) or z (float32).

    Attributes
    ----------
    mean_ : ndarray of shape (n_features,), float64
        Mean of the features.
    components_ : ndarray of shape (n_bits, n_features), float64
        Unit directions, that of most variance first; the entry of largest size of
        each is positive. Rows of zeros, whose bits are 0, where nothing varies.
    explained_variance_ : ndarray of shape (n_bits,), float64
        Variance along each, divided by the number of items.
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
        In `fit`, if fewer directions vary than there are bits: the others are 0.

    References
    ----------
    X.-J. Wang, L. Zhang, F. Jing, W.-Y. Ma. AnnoSearch: Image Auto-Annotation by
    Search. CVPR 2006. The name PCAH, and the directions unrotated, as in section 4 of
    [1]_.

    .. [1] Y. Gong, S. Lazebnik. Iterative Quantization: A Procrustean Approach to
       Learning Binary Codes. CVPR 2011.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from skhash.baselines import PCAHashing
    >>> X, _ = load_digits(return_X_y=True)
    >>> PCAHashing(n_bits=16).fit_transform(X).shape
    (1797, 2)
    """

    def __init__(self, n_bits=32, *, output="packed"):
        self.n_bits = n_bits
        self.output = output

    def _learn(self, X, y):
        check_enough_features(self.n_bits, X.shape[1], "PCAHashing")
        found = principal_directions(X, self.n_bits)
        warn_of_rank(found.rank, self.n_bits, len(X), "the bits of the others are 0")
        self.mean_, self.components_, self.explained_variance_ = found
