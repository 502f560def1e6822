"""Codes for PostgreSQL, with pgvector or without: bit(n), loaded by binary COPY."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from skhash.archive import replacing
from skhash.export._packed import packed, text_first
from skhash.export._rows import Rows, rows_of
from skhash.export._sql import fields, literal, quoted

_TYPES = {
    "integer": "bigint",
    "text": "text",
    "float": "real",
    "double": "double precision",
    "bool": "boolean",
}
_BINARY = {"integer": ">i8", "float": ">f4", "double": ">f8", "bool": "u1"}


def to_pgvector(
    neighbors: Any | ArrayLike,
    target: str | PathLike[str] | Any,
    *,
    table: str = "items",
    format: str = "binary",
    n_bits: int | None = None,
) -> str:
    """Bring codes into PostgreSQL, as a file for COPY or through a connection.

    The code column is ``bit(n_bits)``, for any number of bits, the first one leftmost.
    pgvector adds the operator ``<~>`` and indexes to it; PostgreSQL alone searches by
    ``bit_count(code # query)``. All else is as in :func:`to_parquet`.

    Parameters
    ----------
    target : str, path or psycopg.Connection
        A file, which is written whole or not at all; or an open connection of psycopg
        3. Table and rows are committed as one transaction; where one is open already,
        the caller commits it.
    table : str, default="items"
        The table, which must not exist yet.
    format : {"binary", "text"}, default="binary"
        Of the file: PostgreSQL's binary format, or lines of tabs and digits 0 and 1.

    Returns
    -------
    sql : str
        Two statements, a line each: the first makes the table, the second loads it, for
        ``psql`` if there is a file. A connection has executed them.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from skhash import HammingNeighbors
    >>> from skhash.export import to_pgvector
    >>> neighbors = HammingNeighbors().fit([[0b101], [0b100]], ids=["a", "b"])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "items.copy"
    ...     sql = to_pgvector(neighbors, path, format="text")
    ...     print(path.read_text(), end="")
    a	00000101
    b	00000100
    >>> print(sql.splitlines()[0])
    CREATE TABLE "items" ("id" text PRIMARY KEY, "code" bit(8) NOT NULL);
    """
    if format not in ("binary", "text"):
        raise ValueError(f"format must be 'binary' or 'text', got {format!r}.")
    rows = rows_of(neighbors, n_bits)
    types = {**_TYPES, "code": f"bit({rows.n_bits}) NOT NULL"}
    columns = fields(rows, types).replace(",", " PRIMARY KEY,", 1)
    create = f"CREATE TABLE {quoted(table)} ({columns});"
    form = f"WITH (FORMAT {format})"
    load = f"COPY {quoted(table)} ({_names(rows)}) FROM"
    blocks = _binary(rows) if format == "binary" else _text(rows)
    if isinstance(target, str | PathLike):
        _check_one_line(table, str(target))
        with replacing(Path(target)) as file:
            file.writelines(blocks)
        where = literal(str(Path(target).resolve()))
        return f"{create}\n\\{load.replace('COPY', 'copy', 1)} {where} {form}\n"
    sql = f"{load} STDIN {form};"
    with target.transaction(), target.cursor() as cursor:
        cursor.execute(create)
        with cursor.copy(sql) as copy:
            for block in blocks:
                copy.write(block)
    return f"{create}\n{sql}\n"


def _check_one_line(*names: str) -> None:
    """Refuse what would break the line in which psql has its command."""
    for name in names:
        if "\n" in name or "\r" in name:
            raise ValueError(
                f"psql loads a file by a command of one line, and {name!r} has a line "
                "break: choose another name, or give a connection."
            )


def _names(rows: Rows) -> str:
    """The columns in this order, for COPY."""
    return ", ".join(map(quoted, text_first(rows.kinds)))


def _binary(rows: Rows) -> Iterator[bytes]:
    """PostgreSQL's binary format: each field has its length in bytes before it."""
    yield b"PGCOPY\n\xff\r\n\0" + bytes(8)
    text = [name for name in text_first(rows.kinds) if rows.kinds[name] == "text"]
    rest = [name for name in text_first(rows.kinds) if rows.kinds[name] != "text"]
    layout: list[Any] = []
    for name in rest:
        layout.append((f"size of {name}", ">i4"))
        if name == "code":
            layout += [("bits", ">i4"), ("code", "u1", (rows.n_bytes,))]
        else:
            layout.append((name, _BINARY[rows.kinds[name]]))
    for block in rows.blocks():
        records = np.empty(len(block["code"]), layout)
        records["bits"] = rows.n_bits
        for name in rest:
            records[name] = block[name]
            wide = 4 * (name == "code")
            records[f"size of {name}"] = wide + records.dtype[name].itemsize
        texts = [[_sized(value) for value in block[name]] for name in text]
        yield packed(struct.pack(">h", len(rows.kinds)), texts, records)
    yield struct.pack(">h", -1)


def _sized(value: str) -> bytes:
    """A field of text with its length before it."""
    data = value.encode()
    return struct.pack(">i", len(data)) + data


def _text(rows: Rows) -> Iterator[bytes]:
    """PostgreSQL's text format: a line for each row, with tabs between fields."""
    escapes = str.maketrans(
        {"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r", "\b": "\\b", "\f": "\\f"}
    )
    for block in rows.blocks():
        columns = []
        for name in text_first(rows.kinds):
            if name == "code":
                digits = np.unpackbits(block[name], axis=1, count=rows.n_bits) + ord(
                    "0"
                )
                column = [row.tobytes().decode() for row in digits]
            elif rows.kinds[name] == "text":
                column = [value.translate(escapes) for value in block[name]]
            else:
                column = list(map(str, block[name].tolist()))
            columns.append(column)
        lines = map("\t".join, zip(*columns, strict=True))
        yield "".join(f"{line}\n" for line in lines).encode()
