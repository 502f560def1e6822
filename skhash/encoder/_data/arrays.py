"""Rows of features and images, given as arrays: checked, and how they lie."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import scipy.sparse as sp
from sklearn.utils.validation import check_array, validate_data

from skhash.encoder._data.containers import LARGEST, read_array
from skhash.encoder._data.layouts import Layout, misfit

# Values that are looked at together where one of them is to be found.
_CHUNK = 1 << 18


def fitted_layout(estimator: Any) -> Layout:
    """The layout of the items that an encoder was fitted on."""
    shape = tuple(estimator.input_shape_)
    last = estimator.net_.module_.standardize.channels_last
    return Layout(shape, len(shape) == 3 and last)


def check_item_array(
    estimator: Any,
    X: Any,
    *,
    layout: Layout | None = None,
    item_shape: Sequence[int] | None = None,
    **check: Any,
) -> tuple[Any, Layout, dict[str, Any]]:
    """Items as a 2-D array or CSR matrix in their own dtype, and how they lie.

    Parameters
    ----------
    estimator : estimator
        Named in messages; gets or has `n_features_in_`.
    X : array-like of shape (n, n_features), (n, h, w) or (n, h, w, c), or sparse
        The items.
    layout : Layout, default=None
        That of the fit; None in `fit`.
    item_shape : sequence of int, default=None
        What flat rows mean in `fit`: (h, w) or (h, w, c).
    **check : dict
        Further arguments of `sklearn.utils.validation.validate_data`, e.g. `y`.

    Returns
    -------
    X : ndarray of shape (n, n_values) or CSR matrix; with `y`, the pair (X, y)
    layout : Layout
        That of the fit.
    axes : dict
        Arguments of `ArrayDataset` that bring items to that layout.

    Raises
    ------
    ValueError
        If the shapes do not fit each other or a value is missing or infinite.
    """
    if layout is not None and not check and _are_plain_rows(estimator, X):
        X = check_array(X, dtype="numeric", estimator=estimator, input_name="X")
        return X, layout, {}
    X = read_array(X)
    expected, reset = layout, layout is None
    if item_shape is not None and reset:
        expected = Layout.of(item_shape, channels_last=True)
    shape, order = _item_axes(estimator, X, expected, reset)
    if shape is not None:
        X = X.reshape(len(X), math.prod(shape))
    checked = validate_data(
        estimator, X, reset=reset, accept_sparse="csr", dtype="numeric", **check
    )
    n_values = estimator.n_features_in_
    if expected is None:
        return checked, Layout.of(shape or (n_values,), channels_last=True), {}
    if expected.n_values != n_values:
        raise ValueError(_other_input_shape(expected, f"{n_values} features"))
    if shape is None or order == tuple(range(len(shape))):
        return checked, expected, {}
    return checked, expected, {"lies": shape, "order": order}


def _are_plain_rows(estimator: Any, X: Any) -> bool:
    """Whether X is an array of numbers with the rows of the fit, which had no names."""
    return (
        type(X) is np.ndarray
        and X.dtype.kind in "biuf"
        and X.shape[1:] == (estimator.n_features_in_,)
        and not hasattr(estimator, "feature_names_in_")
    )


def _item_axes(
    estimator: Any, X: Any, expected: Layout | None, reset: bool
) -> tuple[tuple[int, ...] | None, tuple[int, ...] | None]:
    """Shape of an item (None: a row of features), and its axes in the order of fit."""
    whole = () if sp.issparse(X) else tuple(getattr(X, "shape", ()))
    if len(whole) > 4:
        raise ValueError(
            f"Found array with dim {len(whole)}, while dim <= 4 is expected by "
            f"{type(estimator).__name__}: X has shape (n, n_features), "
            "(n, height, width) or (n, height, width, channels)."
        )
    if expected is not None and not reset and _is_one_item(whole, expected):
        raise ValueError(
            f"Expected 2D array, got {len(whole)}D array instead: X has the shape "
            f"{whole} of a single item. Reshape your data: add an axis, X[None]."
            if len(whole) == 1
            else f"X of shape {whole} is a single item of the shape seen in fit, "
            f"{expected.shape}: add an axis, X[None]."
        )
    if len(whole) < 3:
        if len(whole) == 2 and expected is not None and not reset:
            _check_width(estimator, whole[1], expected)
        return None, None
    shape = whole[1:]
    if expected is None:
        if _may_have_channels_first(shape):
            raise ValueError(
                f"X of shape {whole} looks like images with channels first, but is too "
                "small to be sure; channels come last in arrays: "
                "X.transpose(0, 2, 3, 1)."
            )
        return shape, None
    order = expected.order(shape, channels_last=True)
    if order is None or (len(expected.shape) == 1 and len(shape) > 1):
        if reset:
            got = f"images of shape {shape}"
            raise ValueError(_other_input_shape(expected, got))
        raise ValueError(misfit(type(estimator).__name__, shape, expected))
    return shape, order


def _may_have_channels_first(shape: tuple[int, ...]) -> bool:
    """Whether an image would be read as 1 or 3 rows with more channels than any has."""
    if len(shape) != 3 or not Layout.of(shape, channels_last=True).channels_last:
        return False
    return shape[0] in (1, 3) and shape[2] > 4


def _is_one_item(whole: tuple[int, ...], expected: Layout) -> bool:
    if len(whole) < 1 or len(whole) != len(expected.shape):
        return False
    if math.prod(whole[1:]) == expected.n_values and len(whole) > 1:
        return False  # a single row of one-pixel-high images, say
    return expected.order(whole, channels_last=True) is not None


def _check_width(estimator: Any, n_features: int, expected: Layout) -> None:
    """Say the size of images where flat rows are too long or too short."""
    if n_features not in (expected.n_values, 0) and len(expected.shape) > 1:
        name = type(estimator).__name__
        raise ValueError(misfit(name, (n_features,), expected))


def _other_input_shape(expected: Layout, got: str) -> str:
    return (
        f"input_shape={expected.shape} means {expected.n_values} values an item, "
        f"but X has {got}."
    )


def check_range(X: Any, name: str = "X") -> None:
    """Refuse values that are finite, but not in float32, or its largest number."""
    values = X.data if sp.issparse(X) else X
    if values.dtype.kind != "f" or values.dtype.itemsize < 4:
        return
    if not values.size or (values.max() < LARGEST and values.min() > -LARGEST):
        return
    rows = max(1, _CHUNK // X.shape[1])
    for start in range(0, X.shape[0], rows):
        chunk = X[start : start + rows]
        chunk = np.abs(chunk.toarray() if sp.issparse(chunk) else chunk)
        if len(where := np.argwhere(chunk >= LARGEST)):
            row, column = where[0]
            raise ValueError(
                f"Input {name} contains infinity or a value too large for "
                f"dtype('float32'): {X[start + row, column]:g} in row {start + row}, "
                f"column {column}. "
                "Where it marks missing values, replace it, e.g. by "
                f"sklearn.impute.SimpleImputer; or scale {name}."
            )
