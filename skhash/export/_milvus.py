"""Codes for Milvus: a collection with a field of type BINARY_VECTOR."""

from __future__ import annotations

from typing import Any

from numpy.typing import ArrayLike

from skhash.export._engines import engine
from skhash.export._plain import documents
from skhash.export._rows import Rows, rows_of

# A message to the server holds 64 MB; texts may be long.
_BLOCK = 1 << 11
_LONGEST = 65_535


def to_milvus(
    neighbors: Any | ArrayLike,
    client: Any,
    *,
    collection: str = "items",
    n_bits: int | None = None,
) -> None:
    """Write codes, ids and factors into a new collection of Milvus.

    The field ``code`` is a BINARY_VECTOR of ``8 * n_bytes`` bits: those behind the last
    one are zeros, which change no distance. Its index is BIN_FLAT, which is exact, by
    the metric HAMMING. Needs pymilvus. All else is as in :func:`to_parquet`.

    Parameters
    ----------
    client : pymilvus.MilvusClient
        Of a server, or of a file through milvus-lite below version 3, which needs
        setuptools below 81; later ones refuse bits.
    collection : str, default="items"
        The collection, which must not exist yet. It is dropped again if anything fails.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from pymilvus import MilvusClient
    >>> from skhash import HammingNeighbors
    >>> from skhash.export import to_milvus
    >>> neighbors = HammingNeighbors().fit([[0b101], [0b100]], ids=["a", "b"])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     client = MilvusClient(str(Path(folder) / "milvus.db"))
    ...     to_milvus(neighbors, client)
    ...     found = client.search("items", [bytes([0b111])], anns_field="code", limit=2)
    ...     client.close()
    >>> [(hit["id"], hit["distance"]) for hit in found[0]]
    [('a', 1.0), ('b', 2.0)]
    """
    pymilvus = engine("pymilvus")
    rows = rows_of(neighbors, n_bits)
    if client.has_collection(collection):
        raise ValueError(
            f"There is a collection {collection!r} already: name another, or drop it "
            "by client.drop_collection."
        )
    index = client.prepare_index_params()
    index.add_index("code", index_type="BIN_FLAT", metric_type="HAMMING")
    try:
        client.create_collection(
            collection, schema=_schema(pymilvus, rows), index_params=index
        )
        for block in rows.blocks(_BLOCK):
            codes = map(bytes, block["code"])
            found = zip(documents(block), codes, strict=True)
            client.insert(collection, [each | {"code": code} for each, code in found])
    except BaseException:
        client.drop_collection(collection)
        raise


def _schema(pymilvus: Any, rows: Rows) -> Any:
    """The fields of the collection."""
    types = pymilvus.DataType
    kinds = {
        "integer": types.INT64,
        "text": types.VARCHAR,
        "float": types.FLOAT,
        "double": types.DOUBLE,
        "bool": types.BOOL,
        "code": types.BINARY_VECTOR,
    }
    schema = pymilvus.MilvusClient.create_schema(auto_id=False)
    for name, kind in rows.kinds.items():
        options: dict[str, Any] = {"is_primary": True} if name == "id" else {}
        if kind == "text":
            options["max_length"] = _LONGEST
        if kind == "code":
            options["dim"] = 8 * rows.n_bytes
        schema.add_field(name, kinds[kind], **options)
    return schema
