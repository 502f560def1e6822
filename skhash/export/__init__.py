"""Models and codes for programs that have no skhash.

Trained models become ONNX files and torch programs. Codes, with their ids and factors,
go to the engines that search them: each has a function ``to_...``, and those whose
codes come back a ``from_...``.

Public names are imported on first use, and so are the packages that they need.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from skhash.export._bson import to_bson
    from skhash.export._clickhouse import to_clickhouse
    from skhash.export._duckdb import to_duckdb
    from skhash.export._faiss import from_faiss, to_faiss
    from skhash.export._hnswlib import to_hnswlib
    from skhash.export._lancedb import to_lancedb
    from skhash.export._milvus import to_milvus
    from skhash.export._numpy import to_numpy
    from skhash.export._onnx import to_onnx
    from skhash.export._parquet import from_parquet, to_parquet
    from skhash.export._pgvector import to_pgvector
    from skhash.export._planes import QueryPlanes, query_planes
    from skhash.export._qdrant import to_qdrant
    from skhash.export._search_engines import to_elasticsearch, to_opensearch, to_vespa
    from skhash.export._sqlite_vec import to_sqlite_vec
    from skhash.export._torch import to_torch
    from skhash.export._usearch import from_usearch, to_usearch

_HOME = {
    "QueryPlanes": "skhash.export._planes",
    "from_faiss": "skhash.export._faiss",
    "from_parquet": "skhash.export._parquet",
    "from_usearch": "skhash.export._usearch",
    "query_planes": "skhash.export._planes",
    "to_bson": "skhash.export._bson",
    "to_clickhouse": "skhash.export._clickhouse",
    "to_duckdb": "skhash.export._duckdb",
    "to_elasticsearch": "skhash.export._search_engines",
    "to_faiss": "skhash.export._faiss",
    "to_hnswlib": "skhash.export._hnswlib",
    "to_lancedb": "skhash.export._lancedb",
    "to_milvus": "skhash.export._milvus",
    "to_numpy": "skhash.export._numpy",
    "to_onnx": "skhash.export._onnx",
    "to_opensearch": "skhash.export._search_engines",
    "to_parquet": "skhash.export._parquet",
    "to_pgvector": "skhash.export._pgvector",
    "to_qdrant": "skhash.export._qdrant",
    "to_sqlite_vec": "skhash.export._sqlite_vec",
    "to_torch": "skhash.export._torch",
    "to_usearch": "skhash.export._usearch",
    "to_vespa": "skhash.export._search_engines",
}

__all__ = [
    "QueryPlanes",
    "from_faiss",
    "from_parquet",
    "from_usearch",
    "query_planes",
    "to_bson",
    "to_clickhouse",
    "to_duckdb",
    "to_elasticsearch",
    "to_faiss",
    "to_hnswlib",
    "to_lancedb",
    "to_milvus",
    "to_numpy",
    "to_onnx",
    "to_opensearch",
    "to_parquet",
    "to_pgvector",
    "to_qdrant",
    "to_sqlite_vec",
    "to_torch",
    "to_usearch",
    "to_vespa",
]


if not TYPE_CHECKING:  # a type checker that saw it would believe in any name

    def __getattr__(name: str) -> Any:
        if name not in _HOME:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = getattr(import_module(_HOME[name]), name)
        globals()[name] = value  # the next look-up does not come here
        return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
