"""What an estimator on codes accepts: one validation per public call."""

from copy import copy
from numbers import Integral

import numpy as np
from sklearn.utils._param_validation import (
    Interval,
    InvalidParameterError,
    StrOptions,
)
from sklearn.utils.validation import validate_data

from skhash.hamming.advice import RAGGED, advice, is_ragged
from skhash.hamming.codes import as_codes
from skhash.hamming.indexes import ALGORITHMS
from skhash.hamming.search import check_radius
from skhash.neighbors._features import warn_of_features

# What the estimators' parameters may be. `check_fit_radius` sees to radii.
N_NEIGHBORS = [Interval(Integral, 1, None, closed="left")]
N_JOBS = [
    None,
    Interval(Integral, None, -1, closed="right"),
    Interval(Integral, 1, None, closed="left"),
]
RADIUS = "no_validation"
ALGORITHM = [StrOptions({"auto", *ALGORITHMS})]


def check_fit_radius(radius):
    """Refuse at `fit` the radii that searches refuse, in the same words."""
    try:
        check_radius(radius)
    except (TypeError, ValueError) as error:
        raise InvalidParameterError(str(error)) from None


def fit_codes(estimator, X):
    """Validate the codes of a database; return them, and what to know of their kind.

    The estimator stays as it is, and goes on answering, until it is known that `fit`
    will end well.
    """
    other = copy(estimator)
    vars(other).pop("feature_names_in_", None)
    # Only its dtype and width can say what an empty array is of.
    empty = isinstance(X, np.ndarray) and X.dtype == np.uint8 and X.shape[:1] == (0,)
    array = validated(other, X, ensure_min_samples=0 if empty else 1)
    seen = {"_fit_on_bits": array.dtype == bool}
    for name in ("n_features_in_", "feature_names_in_"):
        if hasattr(other, name):
            seen[name] = getattr(other, name)
    name = type(estimator).__name__
    codes = as_codes(array, X, name=name)
    if array.dtype != bool:
        warn_of_features(codes, name)
    return codes, seen


def validated(estimator, X, **options):
    """What scikit-learn makes of X; its refusals, with the line that would work."""
    if is_ragged(X):
        raise ValueError(RAGGED.format(name="X"))
    try:
        return validate_data(estimator, X, dtype="numeric", order="C", **options)
    except ValueError as error:
        more = advice(X, "X")
        if not more:
            raise
        raise ValueError(f"{error} {more}") from None


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
    array = validated(estimator, X, reset=False)
    if (array.dtype == bool) != estimator._fit_on_bits:
        given, fitted = ("bits (bool)", "packed codes (bytes)")
        if array.dtype != bool:
            given, fitted = fitted, given
        raise ValueError(
            f"X has {array.shape[1]} features that are {given}, but "
            f"{type(estimator).__name__} is expecting {estimator.n_features_in_} "
            f"features as input that are {fitted}. Give codes of the fitted kind."
        )
    # A fit to other codes may have ended since the database was looked up.
    return as_codes(array, X, n_bytes=n_bytes, name=type(estimator).__name__)


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
