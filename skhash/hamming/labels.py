"""Labels: one class an item, or a set of them; checked once, and made comparable."""

from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from sklearn.exceptions import DataConversionWarning
from sklearn.utils.multiclass import check_classification_targets

from skhash.hamming._label_checks import check_comparable
from skhash.hamming._label_forms import Classes, Labels
from skhash.hamming.columns import concatenate
from skhash.warn import warn

__all__ = ["Labels", "check_comparable", "check_labels"]


def check_labels(labels: Any, *, name: str = "labels", n: int | None = None) -> Any:
    """Check labels: one for each item, or a set of labels for each.

    The one rule of skhash for labels, shared by the encoder, the neighbours and the
    metrics. One label an item is a column of numbers, strings or other values of one
    kind. Label sets are a matrix with one column a class, in which 1 means that the
    item has the label and 0 that it does not; -1 and +1 say the same.

    Parameters
    ----------
    labels : array-like or sparse matrix of shape (n,), (n, 1) or (n, n_classes)
        The labels; a single column holds one label an item.
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
        1 (or -1 and +1), several in one string, or not one row for each item.
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
    ValueError: labels holds a collection of labels for each item, such as ...
    """
    return Labels.of(labels, name=name, n=n).values


def compared_labels(
    query_labels: Any, database_labels: Any, n_queries: int, n_items: int
) -> tuple[Any, Any]:
    """`Labels` of both sides in one form: int64 class numbers, or sets stored alike."""
    names = "query_labels", "database_labels"
    queries: Any = Labels.of(query_labels, name=names[0], n=n_queries)
    items: Any = Labels.of(database_labels, name=names[1], n=n_items)
    check_comparable(items.values, queries.values, names[::-1])
    if queries.kind == "classes":
        both = concatenate([queries.values, items.values])
        encoded = np.unique(both, return_inverse=True)[1].astype(np.int64).reshape(-1)
        return Classes(encoded[:n_queries]), Classes(encoded[n_queries:])
    if queries.sparse or items.sparse:
        return queries.as_sparse, items.as_sparse
    return queries, items


def encode_by_classes(labels: NDArray, classes: NDArray) -> NDArray[np.int64]:
    """The place of each label among ascending classes; -1 for those that are none."""
    check_comparable(classes, labels, ("classes", "y"))
    both = concatenate([classes, labels])
    _, first, encoded = np.unique(both, return_index=True, return_inverse=True)
    # Classes come first: a value that is new after them is none of theirs.
    place = np.where(first < len(classes), first, -1)
    return place[encoded.reshape(-1)[len(classes) :]].astype(np.int64)


def check_class_labels(y: Any) -> NDArray:
    """Labels to score predictions by: classes, which are no measurements."""
    y = check_labels(y, name="y")
    if y.dtype.kind == "f":
        check_classification_targets(y)
    return y


def accuracy(
    y: NDArray, predicted: NDArray, classes: NDArray, sample_weight: Any = None
) -> float:
    """Share of predictions that are right, of `check_class_labels`."""
    # Places among the classes: scikit-learn knows no bytes and no big integers.
    right = encode_by_classes(y, classes)
    found = encode_by_classes(predicted, classes)
    if sample_weight is None and len(right) == len(found):
        return float((right == found).mean())
    from sklearn.metrics import accuracy_score  # slow to import, and seldom needed

    return accuracy_score(right, found, sample_weight=sample_weight)


def set_accuracy(
    y: Any, found: NDArray[np.uint8], n_classes: int, sample_weight: Any = None
) -> float:
    """Share of items whose labels are all right, `found` being rows of packed bits."""
    labels = Labels.of(y, name="y", n=len(found))
    if labels.kind != "sets" or labels.n_classes != n_classes:
        raise ValueError(
            f"y has shape {labels.values.shape}, but the labels of the fit are "
            f"{n_classes} columns of 0 and 1: give as many."
        )
    right = np.empty(len(found), dtype=bool)
    step = max(1, (1 << 18) // n_classes)  # rows of sparse sets to hold at once
    for start in range(0, len(found), step):
        rows = slice(start, start + step)
        given = np.packbits(dense(labels.subset(rows).values), axis=1)
        right[rows] = (given == found[rows]).all(axis=1)
    return float(np.average(right, weights=sample_weight))


def warn_of_column(y: Any) -> None:
    """Say that y is a column of a matrix, as scikit-learn does."""
    if getattr(y, "shape", ())[1:] == (1,):
        warn(
            "A column-vector y was passed when a 1d array was expected. Please change "
            "the shape of y to (n_samples,), for example using ravel().",
            DataConversionWarning,
        )


def dense(labels: Any) -> NDArray:
    """Checked labels with sets as a bool ndarray, whichever way they were given."""
    return labels.toarray() if sp.issparse(labels) else labels
