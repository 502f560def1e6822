"""One bit a feature: on which side of a threshold it lies."""

from __future__ import annotations

from numbers import Integral
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from sklearn.utils._param_validation import Interval, StrOptions

from skhash.baselines._base import ShallowHasher, means
from skhash.hamming.codes import MAX_BITS

# Values that are sorted at a time: 32 MB in float64.
_SORTED = 1 << 22


class SignThreshold(ShallowHasher):
    """Codes of one bit a feature: whether it is above a threshold.

    What most vector databases call binary quantisation is ``threshold="zero"``. The
    mean or the median of a feature keep bits from being the same for most items.

    Parameters
    ----------
    n_bits : int, default=None
        The number of features, which is what None means: no other fits.
    output : {"packed", "bits", "signs", "embedding"}, default="packed"
        What `transform` returns: packed codes (uint8, 8 bits a byte), bits (bool),
        signs (int8, -1 and +1) or z (float32).
    threshold : {"zero", "mean", "median"}, default="zero"
        What a feature is compared with. A feature at its threshold has bit 0.

    Attributes
    ----------
    thresholds_ : ndarray of shape (n_features,), float64
        The threshold of each feature: ``z = X - thresholds_``.
    n_features_in_ : int
        Number of features seen in `fit`.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the features, where X has any.

    Raises
    ------
    ValueError
        In `fit`, if `n_bits` is a number other than that of the features, or there are
        more than 4096 features.

    References
    ----------
    A. Shakir, T. Aarsen, S. Lee. Binary and Scalar Embedding Quantization for
    Significantly Faster & Cheaper Retrieval. Hugging Face blog, 2024. The threshold 0.

    Examples
    --------
    >>> from skhash.baselines import SignThreshold
    >>> X = [[0.5, -1.0, 2.0], [1.5, -3.0, 2.0]]
    >>> SignThreshold(output="bits").fit_transform(X)
    array([[ True, False,  True],
           [ True, False,  True]])
    >>> SignThreshold(output="bits", threshold="mean").fit_transform(X)
    array([[False,  True, False],
           [ True, False, False]])
    """

    _parameter_constraints: ClassVar[dict] = {
        **ShallowHasher._parameter_constraints,
        "n_bits": [Interval(Integral, 1, MAX_BITS, closed="both"), None],
        "threshold": [StrOptions({"zero", "mean", "median"})],
    }

    def __init__(self, n_bits=None, *, output="packed", threshold="zero"):
        self.n_bits = n_bits
        self.output = output
        self.threshold = threshold

    def _learn(self, X, y):
        n_features = X.shape[1]
        if self.n_bits not in (None, n_features):
            raise ValueError(
                f"SignThreshold makes one bit of a feature: n_bits={self.n_bits} was "
                f"asked of n_features={n_features}. Leave n_bits=None, or take "
                "PCAHashing or ITQ for fewer bits, RotatedSigns for any number."
            )
        if n_features > MAX_BITS:
            raise ValueError(
                f"Codes have 1 to {MAX_BITS} bits, and X has n_features={n_features}. "
                "Take RotatedSigns, PCAHashing or ITQ for fewer bits."
            )
        self.thresholds_ = _THRESHOLDS[self.threshold](X)

    def _z(self, rows):
        return rows - self.thresholds_

    @property
    def _n_bits(self):
        return len(self.thresholds_)


def _zeros(X: NDArray) -> NDArray[np.float64]:
    return np.zeros(X.shape[1])


def _medians(X: NDArray) -> NDArray[np.float64]:
    """Median of each feature, some features at a time: it copies what it sorts."""
    step = max(1, _SORTED // len(X))
    columns = range(0, X.shape[1], step)
    # numpy would round the mean of the two in the middle to float16.
    dtype = np.float32 if X.dtype == np.float32 else np.float64
    parts = [np.median(X[:, at : at + step].astype(dtype), axis=0) for at in columns]
    return np.concatenate(parts).astype(np.float64)


_THRESHOLDS = {"zero": _zeros, "mean": means, "median": _medians}
