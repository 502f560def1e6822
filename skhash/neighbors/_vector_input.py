"""Vectors as they come: arrays, tensors, memory maps; checked once a public call."""

from copy import copy

import numpy as np
from scipy.sparse import issparse
from sklearn.utils.validation import validate_data

from skhash.hamming.arrays import as_array
from skhash.hamming.vectors import as_unit

# Values of a block of rows: 8 MB in float64.
_BLOCK = 1 << 20


def fit_vectors(estimator, X):
    """Validate the vectors of a database; return them, and what to know of them.

    The estimator stays as it is until it is known that `fit` will end well.
    """
    other = copy(estimator)
    vars(other).pop("feature_names_in_", None)
    array = checked(other, X, reset=True)
    names = ("n_features_in_", "feature_names_in_")
    return array, {name: getattr(other, name) for name in names if hasattr(other, name)}


def checked(estimator, X, *, reset=False):
    """Vectors as scikit-learn checks them, in the dtype and the memory they came in."""
    if issparse(X):
        name = type(estimator).__name__
        raise ValueError(
            f"{name} takes dense vectors, got a sparse matrix of shape {X.shape}. Make "
            "it dense and short first: make_pipeline(TruncatedSVD(n_components=256), "
            f"{name}()), of sklearn.decomposition."
        )
    return validate_data(estimator, as_array(X), dtype="numeric", reset=reset)


def rows_of_block(n_features):
    """Rows of a block of vectors."""
    return max(1, _BLOCK // max(1, n_features))


def blocks(X):
    """Slices of the rows of X, each of some MB in float64."""
    step = rows_of_block(X.shape[1])
    return [slice(start, start + step) for start in range(0, len(X), step)]


def seen_by(metric, X):
    """Vectors as the metric sees them: of length 1 under cosine, float64 always."""
    return as_unit(X) if metric == "cosine" else np.asarray(X, np.float64)
