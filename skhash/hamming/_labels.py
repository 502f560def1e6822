"""Labels of queries and database, brought to one form."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray


def encode_labels(
    query_labels: ArrayLike,
    database_labels: ArrayLike,
    n_queries: int,
    n_items: int,
) -> tuple[NDArray, NDArray]:
    """Encode both sides' labels alike.

    Returns two int64 vectors of classes, or two bool matrices of one row per item.
    """
    query_array = _as_labels(query_labels, "query_labels", n_queries)
    database_array = _as_labels(database_labels, "database_labels", n_items)
    if query_array.shape[1:] != database_array.shape[1:]:
        raise ValueError(
            "query_labels and database_labels must be both vectors, or multi-hot "
            f"matrices of equal width; got shapes {query_array.shape} and "
            f"{database_array.shape}."
        )
    if query_array.ndim == 2:
        return query_array != 0, database_array != 0
    if (query_array.dtype.kind in "US") != (database_array.dtype.kind in "US") and (
        query_array.dtype.kind != "O" and database_array.dtype.kind != "O"
    ):
        raise ValueError(
            "query_labels and database_labels mix strings and numbers (dtypes "
            f"{query_array.dtype} and {database_array.dtype}); give both alike."
        )
    both = np.concatenate([query_array, database_array])
    encoded = np.unique(both, return_inverse=True)[1].astype(np.int64).reshape(-1)
    return encoded[:n_queries], encoded[n_queries:]


def _as_labels(labels: Any, name: str, n: int) -> NDArray:
    if hasattr(labels, "toarray"):
        labels = labels.toarray()
    array = np.asarray(labels)
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim not in (1, 2):
        raise ValueError(
            f"{name} must be of shape (n,) or multi-hot of shape (n, n_classes), got "
            f"shape {array.shape}."
        )
    if len(array) != n:
        raise ValueError(
            f"Found input variables with inconsistent numbers of samples: {name} has "
            f"{len(array)} rows for {n} codes."
        )
    if array.dtype.kind == "f" and np.isnan(array).any():
        raise ValueError(f"{name} contains NaN: every item needs a label.")
    if array.ndim == 2 and array.dtype.kind not in "biuf":
        raise ValueError(f"Multi-hot {name} must be 0/1, got dtype {array.dtype}.")
    return array
