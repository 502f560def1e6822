"""Codes for ClickHouse: FixedString, loaded in the format RowBinary."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from skhash.archive import replacing
from skhash.export._packed import packed, text_first
from skhash.export._rows import Rows, rows_of
from skhash.export._sql import literal, quoted

_TYPES = {
    "integer": "Int64",
    "text": "String",
    "float": "Float32",
    "double": "Float64",
    "bool": "Bool",
}
_BINARY = {"integer": "<i8", "float": "<f4", "double": "<f8", "bool": "u1"}


def to_clickhouse(
    neighbors: Any | ArrayLike,
    target: str | PathLike[str] | Any,
    *,
    table: str = "items",
    n_bits: int | None = None,
) -> str:
    """Bring codes into ClickHouse, as a file to insert or through a connection of chdb.

    The code column is ``FixedString(n_bytes)``, which ``bitHammingDistance`` compares;
    bits behind the last one are zeros. All else is as in :func:`to_parquet`.

    Parameters
    ----------
    target : str, path, or connection or session of chdb
        A file in the format RowBinary, written whole or not at all; or ClickHouse in
        this process, where the rows go through a temporary file. ClickHouse has no
        transactions: if loading fails, the new table is dropped.
    table : str, default="items"
        The table, which must not exist yet.

    Returns
    -------
    sql : str
        Two statements, a line each: the first makes the table, the second loads it, for
        ``clickhouse-client`` if there is a file. A connection has executed them.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from skhash import HammingNeighbors
    >>> from skhash.export import to_clickhouse
    >>> neighbors = HammingNeighbors().fit([[0b101], [0b100]], ids=["a", "b"])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "items.bin"
    ...     sql = to_clickhouse(neighbors, path)
    ...     path.read_bytes()
    b'\\x01a\\x05\\x01b\\x04'
    >>> print(sql.splitlines()[0])
    CREATE TABLE "items" ("id" String, "code" FixedString(1)) ENGINE = MergeTree
    ORDER BY "id";
    """
    name, rows = _name(table), rows_of(neighbors, n_bits)
    create = f"CREATE TABLE {name} ({_columns(rows, list(rows.kinds))})"
    create += ' ENGINE = MergeTree ORDER BY "id";'
    names = ", ".join(map(quoted, text_first(rows.kinds)))
    into = f"INSERT INTO {name} ({names})"
    if isinstance(target, str | PathLike):
        _write(rows, Path(target))
        where = _path(Path(target).resolve())
        return f"{create}\n{into} FROM INFILE {where} FORMAT RowBinary;\n"
    structure = literal(_columns(rows, text_first(rows.kinds)))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rows.bin"
        _write(rows, path)
        insert = f"{into} SELECT * FROM file({_path(path)}, RowBinary, {structure});"
        target.query(create)
        try:
            target.query(insert)
        except BaseException:
            target.query(f"DROP TABLE {name}")
            raise
    return f"{create}\n{insert}\n"


def _name(table: str) -> str:
    """The name of a table for ClickHouse, where two backslashes stand for one."""
    return quoted(table).replace("\\", "\\\\")


def _path(path: Path) -> str:
    """A path for ClickHouse, where two backslashes stand for one."""
    return literal(str(path).replace("\\", "\\\\"))


def _columns(rows: Rows, names: list[str]) -> str:
    """Columns with their types."""
    types = {**_TYPES, "code": f"FixedString({rows.n_bytes})"}
    return ", ".join(f"{quoted(name)} {types[rows.kinds[name]]}" for name in names)


def _write(rows: Rows, path: Path) -> None:
    """The rows as a file."""
    with replacing(path) as file:
        file.writelines(_binary(rows))


def _binary(rows: Rows) -> Iterator[bytes]:
    """The format RowBinary: only text has its length before it."""
    text = [name for name in text_first(rows.kinds) if rows.kinds[name] == "text"]
    rest = [name for name in text_first(rows.kinds) if rows.kinds[name] != "text"]
    layout: list[Any] = [
        ("code", "u1", (rows.n_bytes,))
        if name == "code"
        else (name, _BINARY[rows.kinds[name]])
        for name in rest
    ]
    for block in rows.blocks():
        records = np.empty(len(block["code"]), layout)
        for name in rest:
            records[name] = block[name]
        texts = [[_sized(value) for value in block[name]] for name in text]
        yield packed(b"", texts, records)


def _sized(value: str) -> bytes:
    """Text with its length before it, seven bits to a byte, the lowest first."""
    data = value.encode()
    size, length = bytearray(), len(data)
    while length > 0x7F:
        size.append(length & 0x7F | 0x80)
        length >>= 7
    return bytes([*size, length]) + data
