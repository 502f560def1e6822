"""Codes for LanceDB: a table with a column of lists of bytes."""

from __future__ import annotations

from os import PathLike, fspath
from typing import Any

from numpy.typing import ArrayLike

from skhash.export._arrow import reader
from skhash.export._engines import engine
from skhash.export._rows import rows_of


def to_lancedb(
    neighbors: Any | ArrayLike,
    target: str | PathLike[str] | Any,
    *,
    table: str = "items",
    n_bits: int | None = None,
) -> Any:
    """Write codes, ids and factors into a new table of LanceDB.

    The code column is fixed_size_list of uint8, which LanceDB searches under
    ``distance_type("hamming")``; bits behind the last one are zeros, which change no
    distance. Needs lancedb. All else is as in :func:`to_parquet`.

    Parameters
    ----------
    target : str, path or connection of lancedb
        A folder or address for ``lancedb.connect``; or what that returned.
    table : str, default="items"
        The table, which must not exist yet.

    Returns
    -------
    table : lancedb.table.Table

    Examples
    --------
    >>> import tempfile
    >>> import lancedb
    >>> import numpy as np
    >>> from skhash import HammingNeighbors
    >>> from skhash.export import to_lancedb
    >>> neighbors = HammingNeighbors().fit([[0b101], [0b100]], ids=["a", "b"])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     table = to_lancedb(neighbors, lancedb.connect(folder))
    ...     query = table.search(np.array([0b111], np.uint8), vector_column_name="code")
    ...     found = query.distance_type("hamming").limit(2).to_list()
    >>> [(row["id"], row["_distance"]) for row in found]
    [('a', 1.0), ('b', 2.0)]
    """
    lancedb = engine("lancedb")
    rows = rows_of(neighbors, n_bits)
    database = (
        lancedb.connect(fspath(target))
        if isinstance(target, str | PathLike)
        else target
    )
    return database.create_table(table, reader(rows, lists=True))
