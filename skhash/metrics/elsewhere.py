"""Data that lies elsewhere: dask arrays are measured by the workers that hold them.

Who can do that registers here. `skhash.distributed` does so when it is imported;
nothing of it is imported here.
"""

from __future__ import annotations

from typing import Any, Protocol

__all__ = ["Elsewhere", "located", "part_for", "refuse_shards", "register"]


class Elsewhere(Protocol):
    """What measures dask arrays, without bringing them here."""

    def database_of(self, codes: Any, labels: Any) -> Any:
        """A database that has `__skhash_retrieval__` and its like."""

    def encode(self, encoder: Any, X: Any) -> Any:
        """Codes of items, again a dask array."""

    def find_duplicates(self, X_queries: Any, X_database: Any) -> Any:
        """What `skhash.metrics.find_duplicates` returns."""

    def count_leaks(self, X_queries: Any, X_database: Any, exclude_self: bool) -> int:
        """Queries that have an equal item in the database."""


_REGISTERED: list[Elsewhere] = []


def register(part: Elsewhere) -> None:
    """Let a part of skhash measure dask arrays."""
    _REGISTERED[:] = [part]


def part_for(X: Any) -> Elsewhere | None:
    """Who measures X where it lies; None if it is here."""
    if not hasattr(X, "__dask_graph__"):
        return None
    if not _REGISTERED:
        raise TypeError(
            f"A {type(X).__module__.split('.')[0]} {type(X).__name__} is measured by "
            "the workers that hold it: `import skhash.distributed` first, or bring it "
            "here by `.compute()`."
        )
    return _REGISTERED[0]


def located(database: Any, labels: Any = None) -> tuple[Any, Any]:
    """A database and its labels; of a dask array shards, to which the labels belong."""
    part = part_for(database)
    if part is None:
        return database, labels
    return part.database_of(database, labels), None


def refuse_shards(metric: str, **sides: Any) -> None:
    """Raise if what a metric compares pair by pair does not lie here."""
    for name, given in sides.items():
        in_shards = hasattr(type(given), "__skhash_retrieval__")
        if in_shards or hasattr(given, "__dask_graph__"):
            raise TypeError(
                f"{metric} compares real vectors here, but what was given as {name} "
                "lies in shards: give arrays, such as a sample of the same rows of "
                "codes and vectors. "
                "skhash.distributed.EmbeddingNeighbors(...).score measures the recall "
                "of vectors in shards."
            )
