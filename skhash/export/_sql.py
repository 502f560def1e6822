"""What databases with SQL have in common."""

from __future__ import annotations

from collections.abc import Mapping

from skhash.export._rows import Rows


def quoted(name: str) -> str:
    """A name for SQL, whatever is in it.

    Raises
    ------
    TypeError, ValueError
        If it is no string, or can be no name.
    """
    if not isinstance(name, str):
        raise TypeError(f"A table is named by a string, got {name!r}.")
    if not name or "\0" in name:
        raise ValueError(f"A table cannot be named {name!r}.")
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """A string for SQL."""
    return "'" + text.replace("'", "''") + "'"


def fields(rows: Rows, types: Mapping[str, str]) -> str:
    """Columns with their types, as ``CREATE TABLE`` wants them."""
    return ", ".join(
        f"{quoted(name)} {types[kind]}" for name, kind in rows.kinds.items()
    )
