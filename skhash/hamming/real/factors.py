"""What is kept of each vector beside its code: three numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

# Weight of a squared norm in a value, and of a product of outputs in a slope.
METRICS = {"euclidean": (1.0, 2.0), "cosine": (0.5, 1.0), "inner_product": (0.0, 1.0)}
# Rows that are worked on at a time.
STEP = 4096


@dataclass(frozen=True, eq=False)
class Factors:
    """Factors of items: what turns codes into estimated distances of real queries.

    The estimate for item i and a query of outputs w is
    ``slope[i] * <s_i, w> + offset[i]`` plus a constant of the query, where s_i are the
    signs of the item's code. It errs by ``error[i] * |w|`` at one standard deviation.

    Parameters
    ----------
    table : array-like of shape (n_items, 3)
        Columns slope, offset and error; kept as float32, column by column.
    metric : {"euclidean", "cosine", "inner_product"}
        What is estimated.

    Raises
    ------
    ValueError
        If the table is not of this shape, holds NaN or infinity, or a negative error,
        or the metric is none of the three.

    See Also
    --------
    estimate_factors : Makes them.

    References
    ----------
    Gao and Long, "RaBitQ: Quantizing High-Dimensional Vectors with a Theoretical Error
    Bound for Approximate Nearest Neighbor Search", SIGMOD 2024, section 3.2.

    Examples
    --------
    >>> from skhash.hamming import Factors
    >>> factors = Factors([[-2.0, 1.5, 0.1], [-1.0, 0.5, 0.2]], "euclidean")
    >>> len(factors), factors.subset([1]).table
    (2, array([[-1. ,  0.5,  0.2]], dtype=float32))
    """

    table: NDArray[np.float32]
    metric: str

    def __post_init__(self) -> None:
        check_metric(self.metric)
        table = np.asarray(self.table)
        if table.ndim != 2 or table.shape[1] != 3:
            raise ValueError(
                "Factors have a row for each item and the columns slope, offset and "
                f"error, got an array of shape {table.shape}."
            )
        with np.errstate(over="ignore"):
            table = np.asfortranarray(table, dtype=np.float32)
        if not np.isfinite(table).all():
            raise ValueError(
                "Factors must be finite in float32, got NaN or infinity: scale the "
                "vectors down, and leave out those with missing values."
            )
        if (table[:, 2] < 0).any():
            raise ValueError("The errors in factors must be 0 or more.")
        object.__setattr__(self, "table", table)

    def __len__(self) -> int:
        return len(self.table)

    def subset(self, rows: Any) -> Factors:
        """Take the factors of some items.

        Parameters
        ----------
        rows : array-like of shape (n,), or slice
            Which items, as numpy takes rows.

        Returns
        -------
        factors : Factors
            In the order of `rows`.
        """
        return Factors(self.table[rows], self.metric)


def estimate_factors(
    z: ArrayLike, X: ArrayLike, metric: str, *, center: ArrayLike | None = None
) -> Factors:
    """Compute what turns codes into estimated distances of real queries.

    With outputs z of signs s, the product of z and a query's outputs w is estimated by
    f <s, w>, where f = \\|z\\|² / \\|z\\|₁. That errs by
    \\|z\\| \\|w\\| √((1/c² - 1) / (D - 1)) at one standard deviation, where
    c = \\|z\\|₁ / (√D \\|z\\|) and D is the number of bits, if ``z = R (x - μ)`` with a
    random rotation R.

    Parameters
    ----------
    z : array-like of shape (n_items, n_bits)
        Real outputs whose signs are the codes, as ``pack(z > 0)``.
    X : array-like of shape (n_items, n_features)
        The vectors; for "cosine", of length 1.
    metric : {"euclidean", "cosine", "inner_product"}
        What is estimated: the squared distance \\|x - q\\|², half of it (for vectors of
        length 1 that is 1 - cos), or -<x, q>, up to a constant of the query.
    center : array-like of shape (n_features,), default=None
        The vector μ that was subtracted before z was made; None means the mean of `X`.

    Returns
    -------
    factors : Factors
        Three float32 numbers for each item.

    Raises
    ------
    ValueError
        If an array is not two-dimensional, their lengths differ, there is NaN or
        infinity in them, numbers are beyond float32, `center` has another width, or the
        metric is none of the three.

    See Also
    --------
    nearest_real : Searches with them.

    References
    ----------
    Gao and Long, "RaBitQ: Quantizing High-Dimensional Vectors with a Theoretical Error
    Bound for Approximate Nearest Neighbor Search", SIGMOD 2024, section 3.2,
    Theorem 3.2.

    Examples
    --------
    >>> import numpy as np
    >>> from skhash.hamming import estimate_factors
    >>> X = np.array([[1.0, 1.0], [-1.0, 1.0], [0.0, -2.0]])
    >>> estimate_factors(X - X.mean(axis=0), X, "euclidean").table
    array([[-2.,  2.,  0.],
           [-2.,  2.,  0.],
           [-4.,  4.,  4.]], dtype=float32)
    """
    check_metric(metric)
    outputs, vectors = as_reals(z, "z"), as_reals(X, "X")
    if len(outputs) != len(vectors):
        raise ValueError(
            f"z and X must have a row for each item, got {len(outputs)} and "
            f"{len(vectors)} rows."
        )
    mean = _center(vectors, center)
    table = np.empty((len(outputs), 3), np.float32, order="F")
    for start in range(0, len(outputs), STEP):
        rows = slice(start, start + STEP)
        # In C order, in which a row's sum hangs on nothing but the row.
        some = np.asarray(outputs[rows], np.float64, order="C")
        moved = np.subtract(vectors[rows], mean, dtype=np.float64, order="C")
        with np.errstate(over="ignore", invalid="ignore"):
            table[rows] = _rows(some, moved, mean, metric)
    return Factors(table, metric)


def _rows(
    z: NDArray[np.float64],
    moved: NDArray[np.float64],
    mean: NDArray[np.float64],
    metric: str,
) -> NDArray[np.float64]:
    """Slope, offset and error of some items; `moved` are vectors less their center."""
    n_bits = z.shape[1]
    of_squares, of_products = METRICS[metric]
    squares, total = (z * z).sum(axis=1), np.abs(z).sum(axis=1)
    # An item in the center has no direction: its estimate is exact.
    scale = np.divide(squares, total, out=np.zeros(len(z)), where=total > 0)
    # With norm² (1/c² - 1) = n_bits scale² - norm², which rounding may make negative.
    spread = np.maximum(n_bits * scale * scale - squares, 0) / max(n_bits - 1, 1)
    if of_squares:
        offset = of_squares * (moved * moved).sum(axis=1)
    else:
        offset = -(moved * mean).sum(axis=1)
    return np.stack(
        [-of_products * scale, offset, of_products * np.sqrt(spread)], axis=1
    )


def check_metric(metric: Any) -> None:
    """Raise unless the metric has factors."""
    if not isinstance(metric, str) or metric not in METRICS:
        raise ValueError(f"metric must be one of {list(METRICS)}, got {metric!r}.")


def as_reals(values: Any, name: str) -> NDArray:
    """A matrix of finite numbers, in the caller's dtype, or say what is wrong."""
    array = np.asarray(values)
    if array.ndim != 2 or array.shape[1] == 0:
        raise ValueError(
            f"Expected 2D array as {name}, with a row for each item and at least one "
            f"column, got shape {array.shape}. Reshape a single row by "
            "`reshape(1, -1)`."
        )
    if array.dtype.kind not in "iuf":
        raise ValueError(f"{name} must hold real numbers, got dtype {array.dtype}.")
    for start in range(0, len(array), STEP):
        finite = np.isfinite(array[start : start + STEP]).all(axis=1)
        if not finite.all():
            raise ValueError(
                f"{name} has NaN or infinity, the first in row "
                f"{start + int(np.argmin(finite))}. Leave such rows out, or fill them."
            )
    return array


def _center(vectors: NDArray, center: ArrayLike | None) -> NDArray[np.float64]:
    """The vector that was subtracted: the mean, where none is given."""
    width = vectors.shape[1]
    if center is None:
        if len(vectors) == 0:
            return np.zeros(width)
        return vectors.mean(axis=0, dtype=np.float64)
    mean = np.asarray(center, np.float64)
    if mean.shape != (width,) or not np.isfinite(mean).all():
        raise ValueError(
            f"center must be a vector of {width} finite numbers, one for each column "
            f"of X, got shape {mean.shape}."
        )
    return mean
