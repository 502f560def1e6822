"""Codes, ids and factors as plain arrays."""

from __future__ import annotations

from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skhash.archive import replacing
from skhash.export._rows import rows_of


def to_numpy(
    neighbors: Any | ArrayLike,
    path: str | PathLike[str] | None = None,
    *,
    vectors: bool = False,
    n_bits: int | None = None,
) -> dict[str, NDArray]:
    """Take codes, ids and what belongs to them out of an estimator, as arrays.

    Parameters
    ----------
    neighbors : estimator, or array-like of shape (n, n_bytes)
        A fitted HammingNeighbors, HammingNeighborsClassifier or EmbeddingNeighbors; or
        packed codes or bits, which have row numbers as ids.
    path : str or path, default=None
        An ``.npz`` file to write the arrays to as well, whole or not at all.
    vectors : bool, default=False
        Whether to take the vectors that an EmbeddingNeighbors keeps.
    n_bits : int, default=None
        Bits of a code, where packed codes are padded: None means all bits of their
        bytes, or what the estimator knows.

    Returns
    -------
    arrays : dict of str to ndarray, each of a shape named here
        "id" of shape (n,), int64 or strings, row numbers where there are no ids; "code"
        (n, n_bytes), uint8, the first bit highest, zeros behind the last one; "n_bits";
        where there are any, "label" (n,), and "slope" and "intercept" (n,), float32, of
        the estimates of an EmbeddingNeighbors (see `query_planes`); with `vectors`,
        "vector" (n, n_features), float32.

    Raises
    ------
    TypeError
        If it is another estimator.
    ValueError
        If ids are neither integers of 64 bits nor strings, codes are none or have ones
        beyond `n_bits`, or there are no vectors.
    NotFittedError
        If the estimator is not fitted.

    Warns
    -----
    UserWarning
        If labels stay behind: sets, and values that are neither numbers nor strings.

    Examples
    --------
    >>> from skhash import HammingNeighbors
    >>> from skhash.export import to_numpy
    >>> neighbors = HammingNeighbors().fit([[0b101], [0b100]], ids=["a", "b"])
    >>> to_numpy(neighbors)
    {'n_bits': array(8), 'id': array(['a', 'b'], dtype='<U1'), 'code': array([[5],
           [4]], dtype=uint8)}
    """
    rows = rows_of(neighbors, n_bits, vectors=vectors, utf8=False)
    blocks = list(rows.blocks(max(1, len(rows)))) or [{}]
    arrays = {name: np.asarray(values) for name, values in blocks[0].items()}
    if not len(rows):
        arrays = {"code": rows.held.codes, "id": np.empty(0, np.int64)}
    arrays = {"n_bits": np.array(rows.n_bits), **arrays}
    if path is not None:
        with replacing(Path(path)) as file:
            np.savez(file, **arrays)  # type: ignore[arg-type]
    return arrays
