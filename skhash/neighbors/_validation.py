"""What an estimator on codes accepts: one validation per public call."""

from numbers import Integral

import numpy as np
from sklearn.utils.validation import validate_data

from skhash.hamming import check_codes


def fit_codes(estimator, X):
    """Validate the codes of a database and remember their kind and width."""
    X = validate_data(estimator, X, dtype="numeric", order="C")
    estimator._fit_on_bits = X.dtype == bool
    return check_codes(X, name=type(estimator).__name__)


def query_codes(estimator, X, n_bytes):
    """Validate queries against the fitted codes; no work for plain packed codes."""
    if (
        isinstance(X, np.ndarray)
        and X.dtype == np.uint8
        and X.ndim == 2
        and X.flags.c_contiguous
        and X.shape[0] > 0
        and X.shape[1] == n_bytes
        and not estimator._fit_on_bits
        and not hasattr(estimator, "feature_names_in_")
    ):
        return X
    X = validate_data(estimator, X, dtype="numeric", order="C", reset=False)
    if (X.dtype == bool) != estimator._fit_on_bits:
        given, fitted = ("bits (bool)", "packed codes (bytes)")
        if X.dtype != bool:
            given, fitted = fitted, given
        raise ValueError(
            f"X has {X.shape[1]} features that are {given}, but "
            f"{type(estimator).__name__} is expecting {estimator.n_features_in_} "
            f"features as input that are {fitted}. Give codes of the fitted kind."
        )
    return check_codes(X, name=type(estimator).__name__)


def check_n_neighbors(n_neighbors, n_samples_fit, n_samples, excludes_self):
    """Raise scikit-learn's errors for a number of neighbours that cannot be."""
    if isinstance(n_neighbors, bool) or not isinstance(n_neighbors, Integral):
        raise TypeError(
            f"n_neighbors does not take {type(n_neighbors)} value, enter integer value"
        )
    if n_neighbors <= 0:
        raise ValueError(f"Expected n_neighbors > 0. Got {n_neighbors}")
    if n_neighbors > n_samples_fit - excludes_self:
        relation = "<" if excludes_self else "<="
        raise ValueError(
            f"Expected n_neighbors {relation} n_samples_fit, but n_neighbors = "
            f"{n_neighbors}, n_samples_fit = {n_samples_fit}, n_samples = {n_samples}"
        )
