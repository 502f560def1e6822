"""Codes for Elasticsearch, OpenSearch and Vespa: lines of JSON with signed bytes."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from skhash.archive import replacing
from skhash.export._plain import documents
from skhash.export._rows import Rows, rows_of

_TYPES = {
    "integer": "long",
    "text": "keyword",
    "float": "float",
    "double": "double",
    "bool": "boolean",
}
# Makes the lines of one document: of its fields, and the bytes of its code.
Lines = Callable[[dict[str, Any], list[int]], list[dict[str, Any]]]


def to_elasticsearch(
    neighbors: Any | ArrayLike,
    path: str | PathLike[str],
    *,
    index: str = "items",
    n_bits: int | None = None,
) -> dict[str, Any]:
    """Write codes, ids and factors as a bulk request of Elasticsearch.

    The field ``code`` is a dense_vector of element_type "bit", as signed bytes, of
    ``8 * n_bytes`` dims: bits behind the last one are zeros, which change no distance.
    All else is as in :func:`to_parquet`.

    Parameters
    ----------
    path : str or path
        A file of lines for ``POST /_bulk``, written whole or not at all.
    index : str, default="items"
        The name of the index: of small letters, and not of all signs.

    Returns
    -------
    body : dict
        What ``PUT /items`` takes to make the index. Its search is exact.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from skhash import HammingNeighbors
    >>> from skhash.export import to_elasticsearch
    >>> neighbors = HammingNeighbors().fit([[0b10000001, 0b101]], ids=["a"])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "bulk.ndjson"
    ...     body = to_elasticsearch(neighbors, path)
    ...     print(path.read_text(), end="")
    {"index": {"_index": "items", "_id": "a"}}
    {"id": "a", "code": [-127, 5]}
    >>> body["mappings"]["properties"]["code"]["dims"]
    16
    """
    _check_index(index)
    rows = rows_of(neighbors, n_bits)
    _write(rows, path, _bulk(index))
    code = {
        "type": "dense_vector",
        "element_type": "bit",
        "dims": 8 * rows.n_bytes,
        "index": True,
        "similarity": "l2_norm",
        "index_options": {"type": "flat"},
    }
    return {"mappings": {"properties": {**_properties(rows), "code": code}}}


def to_opensearch(
    neighbors: Any | ArrayLike,
    path: str | PathLike[str],
    *,
    index: str = "items",
    n_bits: int | None = None,
) -> dict[str, Any]:
    """Write codes, ids and factors as a bulk request of OpenSearch.

    The field ``code`` is a knn_vector of data_type "binary", as signed bytes, of
    ``8 * n_bytes`` dimensions. All else is as in :func:`to_elasticsearch` and
    :func:`to_parquet`.

    Returns
    -------
    body : dict
        What ``PUT /items`` takes to make the index, a graph of faiss; exact search is
        by a script.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from skhash import HammingNeighbors
    >>> from skhash.export import to_opensearch
    >>> neighbors = HammingNeighbors().fit([[0b10000001, 0b101]])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     body = to_opensearch(neighbors, Path(folder) / "bulk.ndjson")
    >>> body["mappings"]["properties"]["code"]["space_type"]
    'hamming'
    """
    _check_index(index)
    rows = rows_of(neighbors, n_bits)
    _write(rows, path, _bulk(index))
    code = {
        "type": "knn_vector",
        "dimension": 8 * rows.n_bytes,
        "data_type": "binary",
        "space_type": "hamming",
        "method": {"name": "hnsw", "engine": "faiss"},
    }
    return {
        "settings": {"index": {"knn": True}},
        "mappings": {"properties": {**_properties(rows), "code": code}},
    }


def to_vespa(
    neighbors: Any | ArrayLike,
    path: str | PathLike[str],
    *,
    schema: str = "items",
    n_bits: int | None = None,
) -> str:
    """Write codes, ids and factors as documents to feed to Vespa.

    The field ``code`` is ``tensor<int8>(x[n_bytes])``, as signed bytes, under the
    distance metric hamming. All else is as in :func:`to_parquet`.

    Parameters
    ----------
    path : str or path
        A file of lines for ``vespa feed``, written whole or not at all.
    schema : str, default="items"
        The name of the schema, and of the documents' namespace: letters, digits and _.

    Returns
    -------
    schema : str
        The schema, for ``schemas/items.sd`` of an application. Without an index on
        `code`, its search is exact.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from skhash import HammingNeighbors
    >>> from skhash.export import to_vespa
    >>> neighbors = HammingNeighbors().fit([[0b10000001, 0b101]], ids=["a"])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "feed.jsonl"
    ...     schema = to_vespa(neighbors, path)
    ...     print(path.read_text(), end="")
    {"put": "id:items:items::a", "fields": {"id": "a", "code": {"values": [-127, 5]}}}
    """
    _check_schema(schema)
    rows = rows_of(neighbors, n_bits)

    def lines(document: dict[str, Any], code: list[int]) -> list[dict[str, Any]]:
        name = f"id:{schema}:{schema}::{document['id']}"
        return [{"put": name, "fields": document | {"code": {"values": code}}}]

    _write(rows, path, lines)
    types = {**_TYPES, "text": "string", "bool": "bool"}
    types["code"] = f"tensor<int8>(x[{rows.n_bytes}])"
    fields = "".join(
        f"        field {name} type {types[kind]} {{\n"
        f"            indexing: summary | attribute\n"
        + ("            attribute { distance-metric: hamming }\n" * (name == "code"))
        + "        }\n"
        for name, kind in rows.kinds.items()
    )
    return (
        f"schema {schema} {{\n    document {schema} {{\n{fields}    }}\n"
        "    rank-profile hamming {\n"
        f"        inputs {{ query(q) {types['code']} }}\n"
        "        first-phase { expression: -distance(field, code) }\n    }\n}\n"
    )


def _check_index(index: str) -> None:
    """Refuse a name that neither Elasticsearch nor OpenSearch gives to an index."""
    if not isinstance(index, str):
        raise TypeError(f"index must be a string, got {index!r}.")
    fine = re.fullmatch(r'[^\s\\/*?"<>|,#:_+-][^\s\\/*?"<>|,#:]*', index)
    if not fine or index != index.lower() or index in (".", ".."):
        raise ValueError(
            f"An index cannot be named {index!r}: use small letters, digits, '-' and "
            "'_', and begin with a letter."
        )


def _check_schema(schema: str) -> None:
    """Refuse a name that Vespa does not give to a schema."""
    if not isinstance(schema, str):
        raise TypeError(f"schema must be a string, got {schema!r}.")
    if not re.fullmatch("[A-Za-z_][A-Za-z0-9_]*", schema):
        raise ValueError(
            f"A schema cannot be named {schema!r}: use letters, digits and _, and "
            "begin with a letter."
        )


def _bulk(index: str) -> Lines:
    """The two lines that a bulk request has for a document."""

    def lines(document: dict[str, Any], code: list[int]) -> list[dict[str, Any]]:
        action = {"index": {"_index": index, "_id": str(document["id"])}}
        return [action, document | {"code": code}]

    return lines


def _properties(rows: Rows) -> dict[str, Any]:
    """The fields of an index but the code."""
    return {n: {"type": _TYPES[k]} for n, k in rows.kinds.items() if n != "code"}


def _write(rows: Rows, path: str | PathLike[str], lines: Lines) -> None:
    """All documents as lines of JSON."""
    with replacing(Path(path)) as file:
        for text in _json(rows, lines):
            file.write(text.encode())


def _json(rows: Rows, lines: Lines) -> Iterator[str]:
    """Lines of JSON; bytes of 128 and above are negative there."""
    for block in rows.blocks():
        codes = block["code"].view(np.int8).tolist()
        for document, code in zip(documents(block), codes, strict=True):
            for line in lines(document, code):
                yield json.dumps(line, ensure_ascii=False, allow_nan=False) + "\n"
