"""Codes for faiss: a binary index, and back."""

from __future__ import annotations

from os import PathLike, fspath
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skhash.archive import replacing
from skhash.export._engines import engine
from skhash.export._rows import rows_of
from skhash.neighbors import HammingNeighbors


def to_faiss(
    neighbors: Any | ArrayLike,
    path: str | PathLike[str] | None = None,
    *,
    n_bits: int | None = None,
) -> Any:
    """Make a binary index of faiss, which searches exactly.

    Its ``d`` is ``8 * n_bytes``: bits behind the last one are zeros, which change no
    distance. Equal distances are in no order that faiss promises. Needs faiss-cpu or
    faiss-gpu. All else is as in :func:`to_parquet`.

    Parameters
    ----------
    path : str or path, default=None
        A file for ``faiss.read_index_binary``, written whole or not at all.

    Returns
    -------
    index : faiss.IndexBinaryIDMap2 or faiss.IndexBinaryFlat
        With ids, which must be integers, or without. The codes are copied.

    Examples
    --------
    >>> import faiss
    >>> import numpy as np
    >>> from skhash import HammingNeighbors
    >>> from skhash.export import to_faiss
    >>> neighbors = HammingNeighbors().fit([[0b101], [0b100]], ids=[7, 9])
    >>> index = to_faiss(neighbors)
    >>> index.search(np.array([[0b111]], np.uint8), 2)
    (array([[1, 2]], dtype=int32), array([[7, 9]]))
    """
    faiss = engine("faiss")
    rows = rows_of(neighbors, n_bits, text_ids=False)
    index = faiss.IndexBinaryFlat(8 * rows.n_bytes)
    if rows.ids is not None:
        _refuse_no_name(rows.ids)
        index = faiss.IndexBinaryIDMap2(index)
    for block in rows.blocks():
        if rows.ids is None:
            index.add(block["code"])
        else:
            index.add_with_ids(block["code"], block["id"])
    if path is not None:
        with replacing(Path(path)) as file:
            faiss.write_index_binary(index, file.name)
    return index


def from_faiss(index: str | PathLike[str] | Any) -> HammingNeighbors:
    """Read codes and ids from a binary index of faiss.

    Parameters
    ----------
    index : faiss.IndexBinary, str or path
        IndexBinaryFlat or IndexBinaryHNSW, alone or in an IndexBinaryIDMap or
        IndexBinaryIDMap2; or a file of one. Open only files that you trust: faiss does
        not check what it reads.

    Returns
    -------
    neighbors : HammingNeighbors
        Fitted on a copy of the codes, with the ids of a map.

    Raises
    ------
    ImportError
        If faiss is not installed.
    TypeError
        If it is no binary index, or one of another kind.
    ValueError
        If there are no codes, or an id is -1, which is no id to faiss, or stands for
        several codes.

    See Also
    --------
    to_faiss : The way there.

    Examples
    --------
    >>> import faiss
    >>> import numpy as np
    >>> from skhash.export import from_faiss
    >>> index = faiss.IndexBinaryIDMap(faiss.IndexBinaryFlat(8))
    >>> index.add_with_ids(np.array([[0b101], [0b100]], np.uint8), np.array([7, 9]))
    >>> from_faiss(index).kneighbors(np.array([[0b111]], np.uint8), n_neighbors=1)
    (array([[1]], dtype=int32), array([[7]]))
    """
    faiss = engine("faiss")
    if isinstance(index, str | PathLike):
        index = _read(faiss, fspath(index))
    if not isinstance(index, faiss.IndexBinary):
        raise TypeError(
            "from_faiss reads binary indexes, whose distance is Hamming's, got "
            f"{type(index).__name__}: pack its vectors' signs into an IndexBinaryFlat, "
            "or fit EmbeddingNeighbors on the vectors."
        )
    inner, ids = faiss.downcast_IndexBinary(index), None
    if isinstance(inner, faiss.IndexBinaryIDMap):  # and IDMap2, which inherits from it
        ids = faiss.vector_to_array(inner.id_map)
        inner = faiss.downcast_IndexBinary(inner.index)
    if isinstance(inner, faiss.IndexBinaryHNSW):
        inner = faiss.downcast_IndexBinary(inner.storage)
    if not isinstance(inner, faiss.IndexBinaryFlat):
        raise TypeError(
            f"from_faiss reads IndexBinaryFlat and IndexBinaryHNSW, got "
            f"{type(inner).__name__}, which keeps codes in another order: take them "
            "out by index.reconstruct_n(0, index.ntotal), and fit HammingNeighbors."
        )
    codes = faiss.vector_to_array(inner.xb)
    if not inner.ntotal or len(codes) != inner.ntotal * inner.code_size:
        raise ValueError(
            f"The index should hold {inner.ntotal} codes of {inner.code_size} bytes, "
            f"and holds {len(codes)} bytes."
        )
    if ids is not None:
        _refuse_no_name(ids)
    return HammingNeighbors().fit(codes.reshape(inner.ntotal, -1), ids=ids)


def _read(faiss: Any, path: str) -> Any:
    """The index in a file."""
    with Path(path).open("rb"):  # the error of Python says what is wrong with a path
        pass
    try:
        return faiss.read_index_binary(path)
    except RuntimeError as error:
        raise ValueError(
            f"{path} holds no binary index of faiss (write_index_binary): {error}"
        ) from None


def _refuse_no_name(ids: NDArray) -> None:
    """Refuse -1, by which faiss says that there is no neighbour."""
    if (np.asarray(ids) == -1).any():
        raise ValueError(
            "The id -1 means in faiss that there is no neighbour: name that code by "
            "another integer."
        )
