"""A way to search as plain values, and back: its name, and tables that build slowly."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from skhash.hamming.indexes.auto import lie_on_disk, searcher_for
from skhash.hamming.indexes.base import Searcher
from skhash.hamming.indexes.joined import Joined
from skhash.hamming.indexes.pivots import PivotIndex


def told(searcher: Searcher) -> dict[str, Any]:
    """What `made` needs beside the codes."""
    found: dict[str, Any] = {"name": searcher.name}
    if isinstance(searcher, Joined):
        found["n_indexed"], searcher = searcher.n_indexed, searcher.indexed
    if isinstance(searcher, PivotIndex):
        found["tables"] = searcher._tables
    return found


def made(
    codes: NDArray[np.uint8], told: dict[str, Any], algorithm: str, n_jobs: int | None
) -> Searcher:
    """What searches the codes as the searcher did that was told of.

    What "auto" chose is chosen again without trials. But codes on a disk get no index
    that must be built, unless one was asked for: it would take the memory that they
    are to spare.

    Raises
    ------
    ValueError
        If its tables are none of these codes.
    """
    name, tables = told["name"], told.get("tables")
    if tables is None:
        auto = algorithm == "auto" and lie_on_disk(codes)
        return searcher_for(codes, "auto" if auto else name, n_jobs)
    n_indexed = told.get("n_indexed", len(codes))
    if name != PivotIndex.name or not 0 < n_indexed <= len(codes):
        raise ValueError("The tables of the index are of other codes")
    index = PivotIndex._with_tables(codes[:n_indexed], tables)
    return index if n_indexed == len(codes) else Joined(index, n_indexed, codes)
