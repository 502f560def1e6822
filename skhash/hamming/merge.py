"""Answers of the parts of a database, merged into those of the whole.

Counts and histograms of parts add up; lists of neighbours are merged by (distance,
row of the whole database), which is the order in which one search has them. Nothing
here knows where the parts lie, or what computed their answers.
"""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skhash.hamming.keys import key_of

Arrays = Sequence[NDArray]


def merge_nearest(parts: Sequence[Arrays], k: int) -> tuple[NDArray, ...]:
    """Merge the nearest items of the parts of a database into those of the whole.

    Parameters
    ----------
    parts : sequence of tuple of ndarray of shape (n_queries, k_i)
        For each part its distances and its indices, which are rows of the whole
        database, as :func:`nearest` returns them. Each part gives its k nearest items,
        or all of fewer; one without items, none. Further arrays of that shape, such as
        names of the items, go along.
    k : int
        Number of neighbours. There are fewer where all parts together have fewer.

    Returns
    -------
    merged : tuple of ndarray of shape (n_queries, k)
        Distances, ascending, indices, and the further arrays. Equal distances are in
        ascending order of index, whatever the order of the parts.

    Raises
    ------
    ValueError
        If there are no parts, their shapes differ, or `k` is less than 1.

    See Also
    --------
    merge_within : The same for searches within a radius.

    Examples
    --------
    >>> import numpy as np
    >>> from skhash.hamming import merge_nearest, nearest
    >>> database, queries = np.array([[7], [0], [1]], np.uint8), np.uint8([[0]])
    >>> first, second = nearest(queries, database[:2], 2), nearest(
    ...     queries, database[2:], 1
    ... )
    >>> merge_nearest([first, (second[0], second[1] + 2)], 2)
    (array([[0, 1]], dtype=int32), array([[1, 2]]))
    """
    if isinstance(k, bool) or not isinstance(k, Integral) or k < 1:
        raise ValueError(f"k must be an integer of 1 or more, got {k!r}.")
    _check_parts(parts, "distances and indices", 2)
    for each in parts:
        shapes = {np.shape(array) for array in each}
        if len(shapes) > 1 or len(each[0]) != len(parts[0][0]):
            raise ValueError(
                "All arrays of a part must be of shape (n_queries, k_i), with one "
                f"n_queries in all parts; got shapes {sorted(shapes)} beside "
                f"{np.shape(parts[0][0])}."
            )
    columns = [np.concatenate(arrays, axis=1) for arrays in zip(*parts, strict=True)]
    distances, indices = columns[:2]
    if distances.dtype.kind in "iu":
        order = _least(key_of(distances.astype(np.int64), indices), int(k))
    else:
        order = np.lexsort((indices, distances), axis=1)[:, :k]
    return tuple(np.take_along_axis(column, order, axis=1) for column in columns)


def merge_within(parts: Sequence[Arrays]) -> tuple[NDArray, ...]:
    """Merge what lies within a radius in the parts of a database.

    Parameters
    ----------
    parts : sequence of tuple of ndarray of shape (n_queries + 1,), (n,), (n,)
        For each part its `indptr`, distances and indices, which are rows of the whole
        database, as :func:`within` returns them. Further arrays of shape (n,) go
        along.

    Returns
    -------
    merged : tuple of ndarray of shape (n_queries + 1,), (n,), (n,)
        The same of the whole database: for each query in ascending order of distance,
        and of index where distances are equal.

    Raises
    ------
    ValueError
        If there are no parts, or their shapes differ.

    See Also
    --------
    merge_nearest : The same for the k nearest items.

    Examples
    --------
    >>> import numpy as np
    >>> from skhash.hamming import merge_within, within
    >>> database, queries = np.array([[1], [0], [1]], np.uint8), np.uint8([[0]])
    >>> indptr, distances, indices = within(queries, database[2:], 1)
    >>> merge_within(
    ...     [within(queries, database[:2], 1), (indptr, distances, indices + 2)]
    ... )
    (array([0, 3]), array([0, 1, 1], dtype=int32), array([1, 0, 2]))
    """
    _check_parts(parts, "indptr, distances and indices", 3)
    for each in parts:
        n_found, lengths = each[0][-1], {len(array) for array in each[1:]}
        if lengths != {n_found} or len(each[0]) != len(parts[0][0]):
            raise ValueError(
                "A part has one indptr of shape (n_queries + 1,), and arrays of shape "
                f"(indptr[-1],); got {len(each[0])} and {sorted(lengths)} for "
                f"{n_found} beside {len(parts[0][0])}."
            )
    n_queries = len(parts[0][0]) - 1
    counts = [np.diff(each[0]) for each in parts]
    of_query = np.concatenate(
        [np.repeat(np.arange(n_queries), each) for each in counts]
    )
    columns = [np.concatenate(arrays) for arrays in zip(*parts, strict=True)][1:]
    distances, indices = columns[:2]
    order = np.lexsort((indices, distances, of_query))
    indptr = np.zeros(n_queries + 1, np.int64)
    np.cumsum(sum(counts), out=indptr[1:])
    return indptr, *(column[order] for column in columns)


def _least(keys: NDArray[np.int64], k: int) -> NDArray[np.int64]:
    """Where the k least keys of each row are, in ascending order."""
    if k < keys.shape[1]:
        some = np.argpartition(keys, k - 1, axis=1)[:, :k]
        order = np.argsort(np.take_along_axis(keys, some, axis=1), axis=1)
        return np.take_along_axis(some, order, axis=1)
    return np.argsort(keys, axis=1)


def _check_parts(parts: Sequence[Any], wanted: str, n: int) -> None:
    """Raise unless there are parts, of as many arrays each."""
    if not parts or len({len(each) for each in parts}) > 1 or len(parts[0]) < n:
        raise ValueError(
            f"Give the answers of one part or more, each as a tuple of {wanted}, and "
            f"of as many further arrays; got {[len(each) for each in parts]} arrays."
        )
