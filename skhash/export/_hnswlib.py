"""Codes for hnswlib, which knows no bits: as vectors of -1 and +1."""

from __future__ import annotations

from os import PathLike
from pathlib import Path
from typing import Any

from numpy.typing import ArrayLike

from skhash.archive import replacing
from skhash.export._engines import engine
from skhash.export._rows import refuse_negative, rows_of
from skhash.export._signs import BLOCK, signs


def to_hnswlib(
    neighbors: Any | ArrayLike,
    path: str | PathLike[str] | None = None,
    *,
    index: str = "flat",
    n_bits: int | None = None,
) -> Any:
    """Make an index of hnswlib, of vectors of -1 and +1.

    A code takes 4 bytes a bit there. In its space "l2" distances are four times
    Hamming's, exactly. Needs hnswlib. All else is as in :func:`to_parquet`.

    Parameters
    ----------
    path : str or path, default=None
        A file for the index's ``load_index``, written whole or not at all.
    index : {"flat", "hnsw"}, default="flat"
        "flat" compares with every code; "hnsw" is a graph, which is quicker, misses
        some, and is not the same each time it is built on several threads.

    Returns
    -------
    index : hnswlib.BFIndex or hnswlib.Index
        Labels are the ids, which must be integers from 0, or row numbers.

    Examples
    --------
    >>> import hnswlib
    >>> from skhash import HammingNeighbors
    >>> from skhash.export import to_hnswlib
    >>> neighbors = HammingNeighbors().fit([[0b101], [0b100]], ids=[7, 9])
    >>> index = to_hnswlib(neighbors)
    >>> isinstance(index, hnswlib.BFIndex)
    True
    >>> labels, distances = index.knn_query([[-1, -1, -1, -1, -1, 1, 1, 1]], k=2)
    >>> labels.tolist(), (distances / 4).tolist()
    ([[7, 9]], [[1.0, 2.0]])
    """
    hnswlib = engine("hnswlib")
    if index not in ("flat", "hnsw"):
        raise ValueError(f"index must be 'flat' or 'hnsw', got {index!r}.")
    rows = rows_of(neighbors, n_bits, text_ids=False)
    refuse_negative(rows, "hnswlib")
    kind = hnswlib.BFIndex if index == "flat" else hnswlib.Index
    made = kind(space="l2", dim=rows.n_bits)
    made.init_index(max_elements=max(1, len(rows)))
    for block in rows.blocks(BLOCK):
        made.add_items(signs(block["code"], rows.n_bits), block["id"])
    if path is not None:
        with replacing(Path(path)) as file:
            made.save_index(file.name)
    return made
