"""Pairs of similar items as label sets, which every pairwise loss learns from."""

from __future__ import annotations

from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skhash.hamming.pairs import PairSets


def label_sets_from_pairs(pairs: ArrayLike, n_items: int) -> PairSets:
    """Label sets that say which pairs of items are similar: a label for each pair.

    The two items of a pair have its label, and no other item has it, so that two items
    share a label if they are a pair. Nothing follows from pairs: where (a, b) and
    (b, c) are similar, a and c count as dissimilar unless they are a pair, too. Clicks
    are pairs of a query and what was chosen, both rows of one X.

    Parameters
    ----------
    pairs : array-like of shape (n_pairs, 2), int
        Rows of X that are similar, at least two different pairs. A pair that is given
        more than once, in either order, counts once.
    n_items : int
        Number of rows of X.

    Returns
    -------
    label_sets : CSR array of shape (n_items, n_distinct_pairs), bool
        To be given as y to `DeepHashEncoder.fit`, whose batches then hold whole pairs,
        and which then has no `predict`; columns are in the order of the pairs, each
        with its smaller row first. Its type, a subclass of `scipy.sparse.csr_array`,
        is what tells pairs from other label sets; rows that are taken of it keep it.

    Raises
    ------
    ValueError
        If `pairs` are no integers of shape (n_pairs, 2), out of range, of an item with
        itself, or fewer than two; or `n_items` is less than 2.

    Examples
    --------
    >>> from skhash.datasets import label_sets_from_pairs
    >>> label_sets_from_pairs([(0, 2), (3, 2), (2, 0)], n_items=4).toarray().astype(int)
    array([[1, 0],
           [0, 0],
           [1, 1],
           [0, 1]])
    """
    n = _check_n_items(n_items)
    checked = _check_pairs(pairs, n)
    low, high = np.unique(np.sort(checked, axis=1), axis=0).T
    n_pairs = len(low)
    if n_pairs < 2:
        raise ValueError(
            f"pairs hold {n_pairs} different pair(s), but at least 2 are needed: there "
            "is nothing to learn from fewer, and a single column of labels would be "
            "read as one class an item."
        )
    columns = np.tile(np.arange(n_pairs), 2)
    values = np.ones(2 * n_pairs, dtype=bool)
    rows = np.concatenate([low, high])
    return PairSets((values, (rows, columns)), shape=(n, n_pairs))


def _check_n_items(n_items: Any) -> int:
    if isinstance(n_items, bool) or not isinstance(n_items, Integral) or n_items < 2:
        raise ValueError(
            f"n_items must be an integer of at least 2, the number of rows of X, got "
            f"{n_items!r}."
        )
    return int(n_items)


def _check_pairs(pairs: ArrayLike, n: int) -> NDArray[np.int64]:
    """Pairs as int64 (n_pairs, 2) of different items, 0 to n - 1."""
    try:
        array = np.asarray(pairs)
    except ValueError as error:
        raise ValueError(
            f"pairs must be of shape (n_pairs, 2), two rows of X each: {error}"
        ) from None
    if array.ndim != 2 or array.shape[1] != 2:
        raise ValueError(
            f"pairs must be of shape (n_pairs, 2), two rows of X each; got shape "
            f"{array.shape}. A matrix of similarities has them at np.argwhere(matrix)."
        )
    if array.dtype.kind not in "iu":
        raise ValueError(
            f"pairs must be integers, numbers of rows of X, got dtype {array.dtype}. "
            "Ids become rows by np.searchsorted(ids, pairs), with ids in order."
        )
    for wrong, fault in (
        ((array < 0) | (array >= n), f"is out of range: rows of X are 0 to {n - 1}"),
        (array == array[:, ::-1], "is of an item with itself, which tells nothing"),
    ):
        if wrong.any():
            row = int(wrong.any(axis=1).argmax())
            shown = tuple(array[row].tolist())
            raise ValueError(f"Pair {row}, {shown}, {fault}.")
    return array.astype(np.int64)
