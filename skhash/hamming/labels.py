"""Labels: one an item, or a set of them; checked once, and brought to one form."""

from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import ArrayLike, NDArray

from skhash.hamming.columns import check_column, concatenate, kind_of

_BINARIZE = "sklearn.preprocessing.MultiLabelBinarizer().fit_transform"
# What people write between the labels of an item.
_SEPARATORS = ",;|"


def check_labels(labels: Any, *, name: str = "labels", n: int | None = None) -> Any:
    """Check labels: one for each item, or a set of labels for each.

    The one rule of skhash for labels, shared by the encoder, the neighbours and the
    metrics. One label an item is a column of numbers, strings or other values of one
    kind. Label sets are a matrix with one column a class, in which 1 means that the
    item has the label and 0 that it does not; -1 and +1 say the same.

    Parameters
    ----------
    labels : array-like or sparse matrix of shape (n,), (n, 1) or (n, n_classes)
        The labels. A sparse matrix, of any width, holds label sets.
    name : str, default="labels"
        What to call them in messages.
    n : int, default=None
        How many items there are; any number when None.

    Returns
    -------
    labels : ndarray of shape (n,), or bool ndarray or CSR array of shape (n, n_classes)
        One label an item, each equal to the one given; or label sets, sparse where the
        given ones are.

    Raises
    ------
    ValueError
        If labels are missing, of several kinds, neither a column nor a matrix of 0 and
        1 (or -1 and +1), or not one row for each item.
    TypeError
        If labels have no order.

    Examples
    --------
    >>> from skhash.hamming.labels import check_labels
    >>> check_labels(["cat", "dog"])
    array(['cat', 'dog'], dtype='<U3')
    >>> check_labels([[-1, 1, 1], [1, -1, -1]])
    array([[False,  True,  True],
           [ True, False, False]])
    >>> check_labels([{"sea", "sky"}, {"sky"}])
    Traceback (most recent call last):
        ...
    ValueError: labels holds a collection of labels for each item, the first ...
    """
    if labels is None:
        raise ValueError(f"{name} is None, but every item needs a label.")
    if sp.issparse(labels):
        checked: Any = _sparse_sets(sp.csr_array(labels), name)
    else:
        array = _matrix_of(labels, name)
        if array is None:
            checked = check_column(labels, name=name)
            _refuse_joined(checked, name)
        else:
            checked = _dense_sets(array, name)
    if n is not None and checked.shape[0] != n:
        raise ValueError(
            f"Found input variables with inconsistent numbers of samples: {name} has "
            f"{checked.shape[0]} rows for {n} items."
        )
    return checked


def encode_labels(
    query_labels: ArrayLike,
    database_labels: ArrayLike,
    n_queries: int,
    n_items: int,
) -> tuple[NDArray, NDArray]:
    """Two int64 vectors of classes, or two bool matrices of one row an item."""
    names = "query_labels", "database_labels"
    queries = check_labels(query_labels, name=names[0], n=n_queries)
    items = check_labels(database_labels, name=names[1], n=n_items)
    if queries.shape[1:] != items.shape[1:]:
        raise ValueError(
            "query_labels and database_labels must be both vectors, or multi-hot "
            f"matrices of equal width; got shapes {queries.shape} and {items.shape}."
        )
    if queries.ndim == 2:
        return dense(queries), dense(items)
    kinds = {kind_of(queries), kind_of(items)} - {"any"}
    if len(kinds) > 1:
        raise ValueError(
            f"query_labels and database_labels mix {' and '.join(sorted(kinds)[::-1])} "
            f"(dtypes {queries.dtype} and {items.dtype}); give both alike."
        )
    both = concatenate([queries, items])
    encoded = np.unique(both, return_inverse=True)[1].astype(np.int64).reshape(-1)
    return encoded[:n_queries], encoded[n_queries:]


def dense(labels: Any) -> NDArray:
    """Checked labels with sets as a bool ndarray, whichever way they were given."""
    return labels.toarray() if sp.issparse(labels) else labels


def _matrix_of(labels: Any, name: str) -> NDArray | None:
    """Labels with several columns as an array; None for one label an item."""
    rows = _rows(labels)
    if rows:
        sizes = {len(row) if hasattr(row, "__len__") else -1 for row in rows}
        sets = any(isinstance(row, set | frozenset | dict) for row in rows)
        if sets or len(sizes) > 1:
            raise ValueError(
                f"{name} holds a collection of labels for each item, the first "
                f"{rows[0]!r}: make it a 0/1 matrix, {_BINARIZE}({name})."
            )
        array: NDArray = np.array([np.asarray(row) for row in rows])
    elif len(getattr(labels, "shape", (0,))) == 1:
        return None
    else:
        array = np.asarray(labels)
    if array.ndim != 2:
        raise ValueError(
            f"{name} must be of shape (n,), or multi-hot of shape (n, n_classes), got "
            f"shape {array.shape}."
        )
    return None if array.shape[1] == 1 else array


def _rows(labels: Any) -> list:
    """The rows of a sequence whose items are themselves collections; else none."""
    objects = getattr(labels, "dtype", None) == np.dtype(object)
    sequence = isinstance(labels, list | tuple) or (objects and labels.ndim == 1)
    if not sequence or len(labels) == 0:
        return []
    rows = list(labels)
    first = rows[0]
    collection = hasattr(first, "__len__") and not isinstance(first, str | bytes)
    # A number of torch has a length to ask for, but none to tell.
    return rows if collection and getattr(first, "ndim", 1) != 0 else []


def _dense_sets(array: NDArray, name: str) -> NDArray[np.bool_]:
    if array.dtype == bool:
        return array
    if array.dtype.kind not in "biufO":
        raise ValueError(
            f"{name} of shape {array.shape} and dtype {array.dtype} is neither one "
            "label an item nor a matrix of label sets, which must be 0/1. From lists "
            f"of labels make one by {_BINARIZE}({name})."
        )
    if array.dtype == object:
        flat = check_column(array.ravel(), name=name)
        array = flat.reshape(array.shape)
    return _members(array, np.unique(array), name).astype(bool, copy=False)


def _sparse_sets(matrix: Any, name: str) -> Any:
    """A CSR array of bool without stored zeros; the given one stays as it is."""
    if not matrix.has_canonical_format:
        matrix = matrix.copy()
        matrix.sum_duplicates()
    values = np.unique(matrix.data)
    full = matrix.nnz == np.prod(matrix.shape, dtype=np.int64)
    data = _members(matrix.data, values if full else np.union1d(values, [0]), name)
    checked = sp.csr_array(
        (data.astype(bool), matrix.indices, matrix.indptr), shape=matrix.shape
    )
    if not checked.data.all():
        checked = checked.copy()
        checked.eliminate_zeros()
    return checked


def _members(values: NDArray, distinct: NDArray, name: str) -> NDArray:
    """Which of the entries say that an item has a label."""
    if values.dtype.kind in "fc" and np.isnan(distinct).any():
        raise ValueError(
            f"{name} contains NaN, a missing value: every entry of a matrix of label "
            "sets is 0 or 1."
        )
    if values.dtype.kind in "biufO":
        if np.isin(distinct, (0, 1)).all():
            return values != 0
        if np.isin(distinct, (-1, 1)).all():
            return values > 0
    shown = ", ".join(str(value) for value in distinct[:4].tolist())
    more = ", ..." if len(distinct) > 4 else ""
    raise ValueError(
        f"{name} is a matrix with the values {shown}{more}: label sets are 0/1 (or "
        "-1/+1), with one column a class. From two or more class numbers an item make "
        f"such a matrix by {_BINARIZE}({name}); from soft labels by `{name} > 0.5`."
    )


def _refuse_joined(labels: NDArray, name: str) -> None:
    """Refuse strings that are lists of labels: the same words in several places.

    "Portland, Oregon" is one label: its words keep their places among all labels.
    """
    if kind_of(labels) != "strings":
        return
    distinct = set(labels.tolist())
    for separator in _SEPARATORS:
        places: dict[str, set[int]] = {}
        joined = [label for label in distinct if separator in label]
        for label in distinct if joined else ():
            for place, word in enumerate(label.split(separator)):
                places.setdefault(word.strip(), set()).add(place)
        for label in joined:
            if any(len(places[word.strip()]) > 1 for word in label.split(separator)):
                raise ValueError(
                    f"{name} holds {label!r}, which looks like several labels in one "
                    "string, since its words stand elsewhere in other places. Make a "
                    f"0/1 matrix, {_BINARIZE}([y.split({separator!r}) for y in "
                    f"{name}]); if it is one label, write it without {separator!r}."
                )
