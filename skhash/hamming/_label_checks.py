"""Labels of any container, brought to one of three forms, or refused with a reason."""

import reprlib
from contextlib import suppress
from typing import Any, NoReturn

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from skhash.hamming._refusals import refuse_missing, refuse_others
from skhash.hamming.columns import as_array, check_column, kind_of

_BINARIZE = "sklearn.preprocessing.MultiLabelBinarizer().fit_transform"
# What people write between the labels of an item.
_SEPARATORS = ",;|"


def checked_values(labels: Any, name: str) -> Any:
    """A column of labels, a bool matrix of sets, or such a CSR array."""
    if labels is None:
        raise ValueError(f"{name} is None, but every item needs a label.")
    if sp.issparse(labels) and labels.ndim == 2 and labels.shape[1] != 1:
        return _sparse_sets(sp.csr_array(labels), name)
    array = _as_rows(labels, name)
    if array.ndim == 2 and array.shape[1] != 1:
        return _dense_sets(array, name)
    if array.ndim not in (1, 2):
        raise ValueError(
            f"{name} must be of shape (n,), or multi-hot of shape (n, n_classes), "
            f"got shape {array.shape}."
        )
    column = check_column(array, name=name, noun="labels")
    _refuse_joined(column, name)
    return column


def check_comparable(labels: Any, others: Any, names: tuple[str, str]) -> None:
    """Raise unless two of `check_labels` can be compared: in kind, and in width."""
    if labels.shape[1:] != others.shape[1:]:
        raise ValueError(
            f"{names[1]} and {names[0]} must be both vectors, or multi-hot matrices of "
            f"equal width; got shapes {others.shape} and {labels.shape}."
        )
    if labels.ndim == 2 or not len(labels) or not len(others):
        return
    kinds = kind_of(others), kind_of(labels)
    if kinds[0] != kinds[1]:
        raise ValueError(
            f"{names[1]} and {names[0]} mix {kinds[0]} and {kinds[1]} (dtypes "
            f"{others.dtype} and {labels.dtype}); give both alike."
        )


def _as_rows(labels: Any, name: str) -> NDArray:
    """Labels of any container as an array with one row for each item."""
    refuse_others(labels, name)
    array = labels.toarray() if sp.issparse(labels) else as_array(labels, name=name)
    if array.dtype != object or array.ndim != 1:
        return array
    rows = array.tolist()
    kinds = set(map(type, rows))
    if not any(map(_is_collection, kinds)):
        return array
    if all(map(_is_ordered, kinds)) and len(sizes := set(map(len, rows))) == 1:
        if sizes == {1}:
            return as_array([row[0] for row in rows], name=name)
        if not kinds <= {list, tuple}:
            rows = [as_array(row, name=name) for row in rows]
        with suppress(ValueError):  # collections of collections of different lengths
            return np.array(rows)
    first = next(row for row in rows if _is_collection(type(row)))
    raise ValueError(
        f"{name} holds a collection of labels for each item, such as "
        f"{reprlib.repr(first)}: make it a 0/1 matrix, {_BINARIZE}({name}), with "
        "a list for every item."
    )


def _is_collection(kind: type) -> bool:
    # Not `hasattr`: an Enum as a class has a length, its members have none.
    has_length = any("__len__" in vars(each) for each in kind.__mro__)
    return has_length and not issubclass(kind, str | bytes)


def _is_ordered(kind: type) -> bool:
    """Whether places in it mean something, and it tells its length."""
    unordered = issubclass(kind, set | frozenset | dict) or hasattr(kind, "toarray")
    return _is_collection(kind) and not unordered


def _dense_sets(array: NDArray, name: str) -> NDArray[np.bool_]:
    if array.dtype == bool:
        return array
    refuse_missing(array, name, "labels")
    if array.dtype == object:
        flat = check_column(array.ravel(), name=name, noun="labels")
        array = flat.reshape(array.shape)
    member = _members(array)
    if member is None:
        _refuse_values(array, name, array.shape)
    return member


def _sparse_sets(matrix: Any, name: str) -> Any:
    """A CSR array of bool without stored zeros; the given one stays as it is."""
    if not matrix.has_canonical_format:
        matrix = matrix.copy()
        matrix.sum_duplicates()
    refuse_missing(matrix.data, name, "labels")
    full = matrix.nnz == matrix.shape[0] * matrix.shape[1]
    data = _members(matrix.data, signs=full)
    if data is None:
        zero = np.zeros(0 if full else 1, matrix.dtype)
        _refuse_values(np.append(matrix.data, zero), name, matrix.shape)
    checked = sp.csr_array((data, matrix.indices, matrix.indptr), shape=matrix.shape)
    if not data.all():
        checked = checked.copy()
        checked.eliminate_zeros()
    return checked


def _members(values: NDArray, signs: bool = True) -> NDArray[np.bool_] | None:
    """Which entries say that an item has a label, if all are 0/1, or -1/+1."""
    if values.dtype.kind not in "biuf":
        return None
    member = values == 1
    left = member.size - np.count_nonzero(member)
    if left == 0 or left == np.count_nonzero(values == 0):
        return member
    return member if signs and left == np.count_nonzero(values == -1) else None


def _refuse_values(values: NDArray, name: str, shape: tuple[int, ...]) -> NoReturn:
    distinct = np.unique(values)
    soft = values.dtype.kind == "f" and (distinct != np.floor(distinct)).any()
    kind = "continuous" if soft else "multiclass"
    shown = ", ".join(repr(value) for value in distinct[:4].tolist())
    more = ", ..." if len(distinct) > 4 else ""
    if soft:
        how = f"Soft labels become sets by `np.asarray({name}) > 0.5`."
    else:
        how = f"Of lists of labels make such a matrix by {_BINARIZE}({name})."
    raise ValueError(
        f"Unknown label type: {kind}-multioutput. {name} of shape {shape} holds the "
        f"values {shown}{more}, but label sets are a matrix with one column a class, "
        f"which must be 0/1 (or -1/+1). {how}"
    )


def _refuse_joined(labels: NDArray, name: str) -> None:
    """Refuse strings that are lists of labels, as "sea,sky" beside "sky" is.

    "Portland, Oregon" is one label: its words keep their places among all labels. Long
    lists of names have a few that look like lists, so that one in two is asked for.
    """
    if kind_of(labels) != "strings":
        return
    distinct = set(labels.tolist())
    for separator in _SEPARATORS:
        joined = [label for label in distinct if separator in label]
        if not joined:
            continue
        words = {label: [w.strip() for w in label.split(separator)] for label in joined}
        places: dict[str, int] = {}
        elsewhere = distinct.difference(joined)
        for label in joined:
            for place, word in enumerate(words[label]):
                if places.setdefault(word, place) != place:
                    elsewhere.add(word)
        again = [label for label in joined if not elsewhere.isdisjoint(words[label])]
        if 2 * len(again) >= len(joined):
            raise ValueError(
                f"{name} holds {min(again)!r}, which looks like several labels in one "
                "string, since its words stand elsewhere in other places. Make a 0/1 "
                f"matrix, {_BINARIZE}([label.split({separator!r}) for label in "
                f"{name}]); if it is one label, write it without {separator!r}."
            )
