"""Codes for Qdrant, which knows no bits: as vectors of -1 and +1."""

from __future__ import annotations

from typing import Any

from numpy.typing import ArrayLike

from skhash.export._engines import engine
from skhash.export._plain import documents
from skhash.export._rows import Rows, rows_of
from skhash.export._signs import BLOCK, signs


def to_qdrant(
    neighbors: Any | ArrayLike,
    client: Any,
    *,
    collection: str = "items",
    n_bits: int | None = None,
) -> None:
    """Write codes, ids and factors into a new collection of Qdrant.

    Codes become vectors of -1 and +1 under the dot product, with binary quantisation,
    by which the server keeps a bit a number in memory. A score is
    ``n_bits - 2 * distance``. Needs qdrant-client. All else is as in
    :func:`to_parquet`.

    Parameters
    ----------
    client : qdrant_client.QdrantClient
        Of a server, or local.
    collection : str, default="items"
        The collection, which must not exist yet. It is deleted again if anything fails.
        Points are named by the ids where all are integers from 0, else by row numbers;
        the payload has the ids in any case.

    Examples
    --------
    >>> from qdrant_client import QdrantClient
    >>> from skhash import HammingNeighbors
    >>> from skhash.export import to_qdrant
    >>> client = QdrantClient(":memory:")
    >>> neighbors = HammingNeighbors().fit([[0b101], [0b100]], ids=["a", "b"])
    >>> to_qdrant(neighbors, client)
    >>> found = client.query_points("items", query=[-1, -1, -1, -1, -1, 1, 1, 1])
    >>> [(point.payload["id"], (8 - point.score) / 2) for point in found.points]
    [('a', 1.0), ('b', 2.0)]
    """
    models = engine("qdrant_client.models")
    rows = rows_of(neighbors, n_bits)
    if client.collection_exists(collection):
        raise ValueError(
            f"There is a collection {collection!r} already: name another, or delete it "
            "by client.delete_collection."
        )
    try:
        client.create_collection(
            collection,
            vectors_config=models.VectorParams(
                size=rows.n_bits, distance=models.Distance.DOT
            ),
            quantization_config=models.BinaryQuantization(
                binary=models.BinaryQuantizationConfig(always_ram=True)
            ),
        )
        _upsert(models, client, collection, rows)
    except BaseException:
        client.delete_collection(collection)
        raise


def _upsert(models: Any, client: Any, collection: str, rows: Rows) -> None:
    """Add all rows as points."""
    ids = rows.ids
    by_id = rows.kinds["id"] == "integer"
    if by_id and ids is not None and len(ids):
        by_id = bool(ids.min() >= 0)
    start = 0
    for block in rows.blocks(BLOCK):
        payloads = documents(block)
        numbers = range(start, start + len(payloads))
        points = models.Batch(
            ids=[each["id"] for each in payloads] if by_id else list(numbers),
            vectors=signs(block["code"], rows.n_bits).tolist(),
            payloads=payloads,
        )
        client.upsert(collection, points=points, wait=True)
        start += len(payloads)
