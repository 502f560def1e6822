"""What the shallow methods share: checks, outputs, names, work in blocks of rows."""

from __future__ import annotations

from abc import ABCMeta, abstractmethod
from collections.abc import Callable, Iterator
from numbers import Integral
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import issparse
from sklearn.base import (
    BaseEstimator,
    ClassNamePrefixFeaturesOutMixin,
    TransformerMixin,
    _fit_context,
)
from sklearn.utils import assert_all_finite
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted, validate_data

from skhash.baselines._one_thread import one_thread
from skhash.documentation import ROOT
from skhash.hamming.arrays import as_array
from skhash.hamming.codes import MADE_OF_Z, MAX_BITS
from skhash.hints import OptionErrors

# Values of X in a block: 8 MB in float64.
_BLOCK = 1 << 20
# Dtypes that are left as they are; blocks of them become float64.
_REAL = [np.float64, np.float32, np.float16, bool]
_REAL += [np.dtype(f"{kind}{size}").type for kind in "iu" for size in (1, 2, 4, 8)]

N_BITS = [Interval(Integral, 1, MAX_BITS, closed="both")]


class ShallowHasher(
    OptionErrors,
    ClassNamePrefixFeaturesOutMixin,
    TransformerMixin,
    BaseEstimator,
    metaclass=ABCMeta,
):
    """A transformer of features into codes: bit j of an item is ``z[j] > 0``.

    A method says in `_learn` what it learns, and in `_z` what z is, unless it is
    ``(x - mean_) @ components_.T``. All sums are taken in float64.
    """

    _doc_link_module = "skhash"
    _doc_link_template = ROOT + "api/generated/skhash.baselines.{estimator_name}.html"

    _parameter_constraints: ClassVar[dict] = {
        "n_bits": N_BITS,
        "output": [StrOptions(set(MADE_OF_Z))],
    }

    # Filled by `_learn`.
    mean_: NDArray[np.float64]
    components_: NDArray[np.float64]

    @abstractmethod
    def _learn(self, X: NDArray, y: Any) -> None:
        """Set the attributes from features (any real dtype, finite, 2 rows up)."""

    def _z(self, rows: NDArray[np.float64]) -> NDArray:
        """The real outputs of a few items, shape (n, n_bits)."""
        return (rows - self.mean_) @ self.components_.T

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None):
        """Learn what the codes need.

        Parameters
        ----------
        X : array-like of shape (n, n_features)
            Features of at least 2 items: float64, float32, float16 or integers; a
            memmap is read in blocks. Tensors are taken, too.
        y : Ignored
            Present for scikit-learn's signature.

        Returns
        -------
        self : ShallowHasher
            The fitted transformer itself.

        Raises
        ------
        ValueError
            If X is sparse, holds NaN or infinity, has one row or more or less than two
            dimensions, or a parameter is out of its range.
        """
        X = self._features(X, reset=True, fewest=2)
        with one_thread():
            self._learn(X, y)
        return self

    def transform(self, X):
        """The codes of items.

        Parameters
        ----------
        X : array-like of shape (n, n_features)
            Features as in `fit`.

        Returns
        -------
        codes : ndarray of shape (n, ceil(n_bits / 8)) or (n, n_bits)
            By `output`: packed codes (uint8, most significant bit first, zero padded);
            or, with one column a bit, bool, int8 (-1, +1) or float32 (the embedding z).

        Raises
        ------
        NotFittedError
            If the transformer is not fitted.
        ValueError
            If X is not what `fit` takes, or has another number of features.
        """
        if not isinstance(self.output, str) or self.output not in MADE_OF_Z:
            self._validate_params()  # names the outputs there are
        check_is_fitted(self)
        X = self._features(X, reset=False)
        return self._made(X, MADE_OF_Z[self.output])

    def embed(self, X):
        """The real outputs z; a bit is ``z > 0``.

        Parameters
        ----------
        X : array-like of shape (n, n_features)
            Features as in `fit`.

        Returns
        -------
        z : float32 ndarray of shape (n, n_bits)

        Raises
        ------
        NotFittedError
            If the transformer is not fitted.
        ValueError
            If X is not what `fit` takes, has another number of features, or is so
            large that float32 does not hold z.
        """
        check_is_fitted(self)
        return self._embedded(self._features(X, reset=False))

    def _embedded(self, X: NDArray) -> NDArray:
        """The real outputs of checked rows."""
        return self._made(X, MADE_OF_Z["embedding"])

    def _made(self, X: NDArray, output_of: Callable[[NDArray], NDArray]) -> NDArray:
        """What is made of z of checked rows, a block at a time."""
        out: Any = None
        with one_thread(), np.errstate(over="ignore", invalid="ignore"):
            for rows in blocks(X):
                z = self._z(X[rows].astype(np.float64)).astype(np.float32, copy=False)
                self._check_finite(z, X[rows], rows.start)
                part = output_of(z)
                if out is None:
                    out = np.empty((len(X), *part.shape[1:]), part.dtype)
                out[rows] = part
        return out

    def _check_finite(self, z: NDArray, X: NDArray, first: int) -> None:
        """Refuse outputs of a block that float32 does not hold."""
        if not np.isfinite(z).all():
            row = int(np.flatnonzero(~np.isfinite(z).all(axis=1))[0])
            raise ValueError(
                f"The outputs of row {first + row} of X are too large for float32: its "
                f"largest value is {np.abs(X[row]).max():g}. Scale X, here and in fit."
            )

    def _features(self, X: Any, *, reset: bool, fewest: int = 1) -> NDArray:
        """Dense finite features of a real dtype, as scikit-learn checks them.

        No copy is made of them, whose size in float64 may be beyond the memory.
        """
        name = type(self).__name__
        if issparse(X):
            raise ValueError(
                f"{name} takes dense features, got a sparse matrix of shape {X.shape}. "
                "Make it dense and short first: make_pipeline(TruncatedSVD("
                f"n_components=256), {name}()), of sklearn.decomposition."
            )
        X = validate_data(
            self,
            as_array(X),
            dtype=_REAL,
            reset=reset,
            ensure_min_samples=fewest,
            ensure_all_finite=False,
        )
        for rows in blocks(X):
            assert_all_finite(X[rows], estimator_name=name, input_name="X")
        return X

    @property
    def _n_bits(self) -> int:
        """The number of bits of the fit, which `n_bits` may no longer be."""
        return len(self.components_)

    @property
    def _n_features_out(self) -> int:
        return -(-self._n_bits // 8) if self.output == "packed" else self._n_bits

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = []
        return tags


def blocks(X: NDArray) -> Iterator[slice]:
    """Slices of the rows of X, each of some MB in float64."""
    step = max(1, _BLOCK // max(1, X.shape[1]))
    for start in range(0, len(X), step):
        yield slice(start, start + step)


def means(X: NDArray) -> NDArray[np.float64]:
    """Mean of each feature; exactly its value where a feature is constant."""
    first = X[0].astype(np.float64)
    mean = np.zeros(X.shape[1])
    for rows in blocks(X):
        mean += (X[rows] - first).sum(axis=0) / len(X)
    return first + mean


def project(X: NDArray, mean: NDArray, components: NDArray) -> NDArray[np.float64]:
    """``(X - mean) @ components.T`` in float64, a block at a time."""
    out = np.empty((len(X), len(components)))
    for rows in blocks(X):
        out[rows] = (X[rows].astype(np.float64) - mean) @ components.T
    return out
