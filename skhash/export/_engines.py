"""Packages that exporters need, loaded when they are called."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType

# What pip calls the packages that are not named like their module.
_PIP = {
    "bson": "pymongo",
    "chdb": "chdb",
    "faiss": "faiss-cpu",
    "pyarrow.parquet": "pyarrow",
    "qdrant_client": "qdrant-client",
    "sqlite_vec": "sqlite-vec",
}


def engine(module: str) -> ModuleType:
    """A module of another package, or say how to get it.

    Raises
    ------
    ImportError
        If the package is not installed.
    """
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        if error.name != module.partition(".")[0]:
            raise  # it is there, and lacks something itself
        package = _PIP.get(module, module)
        raise ImportError(
            f"This export needs {package}, which is not installed: "
            f"`pip install {package}`, or `pip install 'skhash[engines]'` for all."
        ) from None
