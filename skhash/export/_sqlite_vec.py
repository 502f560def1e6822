"""Codes for SQLite with the extension sqlite-vec: a virtual table of bit[n]."""

from __future__ import annotations

from contextlib import closing
from os import PathLike, fspath
from typing import Any

from numpy.typing import ArrayLike

from skhash.export._engines import engine
from skhash.export._plain import plain
from skhash.export._rows import Rows, rows_of
from skhash.export._sql import quoted

_TYPES = {
    "integer": "integer",
    "text": "text",
    "float": "float",
    "double": "float",
    "bool": "integer",
}
_BLOCK = 1 << 12


def to_sqlite_vec(
    neighbors: Any | ArrayLike,
    target: str | PathLike[str] | Any,
    *,
    table: str = "items",
    n_bits: int | None = None,
) -> None:
    """Write codes, ids and factors into a new virtual table of sqlite-vec.

    The code column is ``bit[8 * n_bytes]``: bits behind the last one are zeros, which
    change no distance. Its bits lie as in skhash, the first one highest;
    ``vec_quantize_binary`` of sqlite-vec puts it lowest, so encode queries here. All
    else is as in :func:`to_parquet`.

    Parameters
    ----------
    target : str, path, or connection of apsw or sqlite3
        A database file, opened by apsw, whose SQLite loads extensions everywhere; or an
        open connection that has loaded sqlite-vec. All is written in one transaction (a
        savepoint, if one is open).
    table : str, default="items"
        The table, which must not exist yet.

    Examples
    --------
    >>> import apsw
    >>> import sqlite_vec
    >>> from skhash import HammingNeighbors
    >>> from skhash.export import to_sqlite_vec
    >>> connection = apsw.Connection(":memory:")
    >>> connection.enable_load_extension(True)
    >>> connection.load_extension(sqlite_vec.loadable_path())
    >>> neighbors = HammingNeighbors().fit([[0b101], [0b100]], ids=["a", "b"])
    >>> to_sqlite_vec(neighbors, connection)
    >>> connection.execute(
    ...     "SELECT id, distance FROM items WHERE code MATCH vec_bit(?) AND k = 2",
    ...     [bytes([0b111])],
    ... ).fetchall()
    [('a', 1.0), ('b', 2.0)]
    """
    rows = rows_of(neighbors, n_bits)
    quoted(table)
    if not isinstance(target, str | PathLike):
        _write(rows, target, table)
        return
    apsw, vec = engine("apsw"), engine("sqlite_vec")
    with closing(apsw.Connection(fspath(target))) as connection:
        connection.enable_load_extension(True)
        connection.load_extension(vec.loadable_path())
        _write(rows, connection, table)


def _write(rows: Rows, connection: Any, table: str) -> None:
    """Make the table and fill it, or do neither."""
    columns = [f"id {_TYPES[rows.kinds['id']]} primary key"]
    columns.append(f"code bit[{8 * rows.n_bytes}]")
    more = [name for name in rows.kinds if name not in ("id", "code")]
    columns += [f"+{name} {_TYPES[rows.kinds[name]]}" for name in more]
    places = ", ".join(["?", "vec_bit(?)", *"?" * len(more)])
    names = ", ".join(["id", "code", *more])
    insert = f"INSERT INTO {quoted(table)} ({names}) VALUES ({places})"
    connection.execute("SAVEPOINT skhash")
    try:
        connection.execute(
            f"CREATE VIRTUAL TABLE {quoted(table)} USING vec0({', '.join(columns)})"
        )
        for block in rows.blocks(_BLOCK):
            held = plain(block) | {"code": list(map(bytes, block["code"]))}
            values = zip(*(held[n] for n in ["id", "code", *more]), strict=True)
            connection.executemany(insert, values)
    except BaseException:
        connection.execute("ROLLBACK TO skhash")
        connection.execute("RELEASE skhash")
        raise
    connection.execute("RELEASE skhash")
