"""Codes as BSON, for MongoDB: documents with binary vectors."""

from __future__ import annotations

from os import PathLike
from pathlib import Path
from typing import Any

from numpy.typing import ArrayLike

from skhash.archive import replacing
from skhash.export._engines import engine
from skhash.export._plain import documents
from skhash.export._rows import rows_of

# BSON's kind of binary data that holds vectors, and the first byte of one of bits.
_VECTOR, _PACKED_BITS = 9, 0x10


def to_bson(
    neighbors: Any | ArrayLike,
    path: str | PathLike[str],
    *,
    n_bits: int | None = None,
) -> None:
    """Write codes, ids and factors as BSON documents, for MongoDB.

    The field ``code`` is a binary vector of type PACKED_BIT, which says how many of its
    last bits are padding; ``_id`` is the id. Needs pymongo. All else is as in
    :func:`to_parquet`.

    Parameters
    ----------
    path : str or path
        A file for ``mongorestore``, written whole or not at all: by custom
        ``dump/DATABASE/COLLECTION.bson``.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import bson
    >>> from skhash import HammingNeighbors
    >>> from skhash.export import to_bson
    >>> neighbors = HammingNeighbors().fit([[0b101], [0b100]], ids=["a", "b"])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     to_bson(neighbors, Path(folder) / "items.bson")
    ...     first, _ = bson.decode_all((Path(folder) / "items.bson").read_bytes())
    >>> first["_id"], first["code"].as_vector().data
    ('a', [5])
    """
    bson = engine("bson")
    rows = rows_of(neighbors, n_bits)
    head = bytes([_PACKED_BITS, 8 * rows.n_bytes - rows.n_bits])
    with replacing(Path(path)) as file:
        for block in rows.blocks():
            for document, code in zip(documents(block), block["code"], strict=True):
                vector = bson.Binary(head + bytes(code), _VECTOR)
                fields = {"_id": document.pop("id"), "code": vector, **document}
                file.write(bson.encode(fields))
