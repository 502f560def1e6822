"""Codes for usearch: an index of bits, and back."""

from __future__ import annotations

from os import PathLike, fspath
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from skhash.archive import replacing
from skhash.export._engines import engine
from skhash.export._rows import refuse_negative, rows_of
from skhash.hamming.codes import check_padding
from skhash.neighbors import HammingNeighbors

# Codes that are taken out of an index at a time.
_TOGETHER = 1 << 14


def to_usearch(
    neighbors: Any | ArrayLike,
    path: str | PathLike[str] | None = None,
    *,
    n_bits: int | None = None,
) -> Any:
    """Make an index of usearch, a graph that searches approximately or exactly.

    Its ``ndim`` is ``8 * n_bytes``: bits behind the last one are zeros, which change no
    distance. ``index.search(codes, k, exact=True)`` compares with every code. Equal
    distances come in no order. Needs usearch. All else is as in :func:`to_parquet`.

    Parameters
    ----------
    path : str or path, default=None
        A file for ``usearch.index.Index.restore``, written whole or not at all.

    Returns
    -------
    index : usearch.index.Index
        Keys are the ids, which must be integers from 0, or row numbers. The codes are
        copied.

    Examples
    --------
    >>> import numpy as np
    >>> from usearch.index import Index
    >>> from skhash import HammingNeighbors
    >>> from skhash.export import to_usearch
    >>> neighbors = HammingNeighbors().fit([[0b101], [0b100]], ids=[7, 9])
    >>> index = to_usearch(neighbors)
    >>> isinstance(index, Index)
    True
    >>> found = index.search(np.array([0b111], np.uint8), 2)
    >>> found.keys.tolist(), found.distances.tolist()
    ([7, 9], [1.0, 2.0])
    """
    usearch = engine("usearch.index")
    rows = rows_of(neighbors, n_bits, text_ids=False)
    refuse_negative(rows, "usearch")
    index = usearch.Index(ndim=8 * rows.n_bytes, metric="hamming", dtype="b1")
    for block in rows.blocks():
        index.add(block["id"].astype(np.uint64), block["code"])
    if path is not None:
        with replacing(Path(path)) as file:
            index.save(file.name)
    return index


def from_usearch(index: str | PathLike[str] | Any) -> HammingNeighbors:
    """Read codes and ids from an index of usearch.

    Parameters
    ----------
    index : usearch.index.Index, str or path
        Of bits (``dtype="b1"``) under ``metric="hamming"``; or a file of one. Open only
        files that you trust.

    Returns
    -------
    neighbors : HammingNeighbors
        Fitted, with the keys as ids, in ascending order.

    Raises
    ------
    ImportError
        If usearch is not installed.
    TypeError
        If it is no such index.
    ValueError
        If its metric, its values or its width are others, it is empty, or keys stand
        for several codes.

    See Also
    --------
    to_usearch : The way there.

    Examples
    --------
    >>> import numpy as np
    >>> from usearch.index import Index
    >>> from skhash.export import from_usearch
    >>> index = Index(ndim=8, metric="hamming", dtype="b1")
    >>> keys = index.add(np.array([7, 9]), np.array([[0b101], [0b100]], np.uint8))
    >>> from_usearch(index).kneighbors(np.array([[0b111]], np.uint8), n_neighbors=1)
    (array([[1]], dtype=int32), array([[7]]))
    """
    usearch = engine("usearch.index")
    if isinstance(index, str | PathLike):
        index = _read(usearch, fspath(index))
    if not isinstance(index, usearch.Index):
        raise TypeError(f"from_usearch reads an Index, got {type(index).__name__}.")
    metric, dtype = index.metric_kind, index.dtype
    if metric != usearch.MetricKind.Hamming or dtype != usearch.ScalarKind.B1:
        raise ValueError(
            f"The index compares {dtype} by {metric}: from_usearch reads bits "
            "(dtype='b1') under metric='hamming'."
        )
    if index.multi:
        raise ValueError(
            "The index has several codes for a key (multi=True): give each a key."
        )
    keys = np.sort(index.keys[:])
    if not len(keys):
        raise ValueError("The index is empty.")
    n_bytes = -(-index.ndim // 8)
    codes = np.empty((len(keys), n_bytes), np.uint8)
    for start in range(0, len(keys), _TOGETHER):
        some = index.get(keys[start : start + _TOGETHER])
        codes[start : start + _TOGETHER] = np.stack(some).reshape(len(some), n_bytes)
    check_padding(codes, index.ndim, "The index")
    if keys[-1] <= np.iinfo(np.int64).max:  # as ids are elsewhere
        keys = keys.astype(np.int64)
    return HammingNeighbors().fit(codes, ids=keys)


def _read(usearch: Any, path: str) -> Any:
    """The index in a file."""
    with Path(path).open("rb"):  # the error of Python says what is wrong with a path
        pass
    try:
        index = usearch.Index.restore(path)
    except (RuntimeError, ValueError) as error:
        raise ValueError(f"{path} holds no index of usearch: {error}") from None
    if index is None:
        raise ValueError(f"{path} holds no index of usearch.")
    return index
