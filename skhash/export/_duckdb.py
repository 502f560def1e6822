"""Codes for DuckDB: a table with a column of type BIT."""

from __future__ import annotations

from os import PathLike, fspath
from typing import Any

from numpy.typing import ArrayLike

from skhash.export._arrow import reader
from skhash.export._engines import engine
from skhash.export._rows import Rows, rows_of
from skhash.export._sql import quoted

# The name by which DuckDB reads the rows while they are written.
_STREAM = "skhash rows"


def to_duckdb(
    neighbors: Any | ArrayLike,
    target: str | PathLike[str] | Any,
    *,
    table: str = "items",
    n_bits: int | None = None,
) -> None:
    """Write codes, ids and factors into a new table of DuckDB.

    The code column is of type ``BIT``, n_bits long, the first one leftmost, and
    ``bit_count(xor(code, query))`` is the Hamming distance. Needs duckdb and pyarrow.
    All else is as in :func:`to_parquet`.

    Parameters
    ----------
    target : str, path or duckdb.DuckDBPyConnection
        A file of DuckDB, made if there is none; or an open connection. The table comes
        by one statement, in the transaction that is open, if one is.
    table : str, default="items"
        The table, which must not exist yet.

    Examples
    --------
    >>> import duckdb
    >>> from skhash import HammingNeighbors
    >>> from skhash.export import to_duckdb
    >>> neighbors = HammingNeighbors().fit([[0b101], [0b100]], ids=["a", "b"])
    >>> with duckdb.connect() as connection:
    ...     to_duckdb(neighbors, connection)
    ...     connection.execute(
    ...         "SELECT id, bit_count(xor(code, '00000111'::BIT)) FROM items"
    ...     ).fetchall()
    [('a', 1), ('b', 2)]
    """
    duckdb = engine("duckdb")
    rows = rows_of(neighbors, n_bits)
    if not isinstance(target, str | PathLike):
        _write(rows, target, table)
        return
    with duckdb.connect(fspath(target)) as connection:
        _write(rows, connection, table)


def _write(rows: Rows, connection: Any, table: str) -> None:
    """Make the table of a stream of rows."""
    columns = {name: quoted(name) for name in rows.kinds}
    columns["code"] = "code::BIT AS code"
    if rows.n_bits % 8:  # bytes become bits eight at a time
        columns["code"] = f"left(code::BIT::VARCHAR, {rows.n_bits})::BIT AS code"
    chosen = ", ".join(columns.values())
    connection.register(_STREAM, reader(rows))
    try:
        connection.execute(
            f"CREATE TABLE {quoted(table)} AS SELECT {chosen} FROM {quoted(_STREAM)}"
        )
    finally:
        connection.unregister(_STREAM)
