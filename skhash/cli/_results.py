"""Rows of results on standard output: a table for people, csv or jsonl for programs."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice
from typing import Any, TextIO

# After this many rows the columns of a table keep their widths.
_LOOKED_AT = 200


def print_rows(
    out: TextIO, form: str, names: Sequence[str], rows: Iterable[Sequence[Any]]
) -> None:
    """Print rows as they come.

    Parameters
    ----------
    out : file
        Where to.
    form : {"table", "csv", "jsonl"}
        A table has aligned columns, csv a line of names, jsonl an object a line.
    names : sequence of str
        Names of the columns.
    rows : iterable of sequences
        Plain values.
    """
    if form == "jsonl":
        for row in rows:
            told = dict(zip(names, map(_plain, row), strict=True))
            out.write(json.dumps(told, allow_nan=False) + "\n")
    elif form == "csv":
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(names)
        writer.writerows(map(_plain, row) for row in rows)
    else:
        for line in _table(names, rows):
            out.write(line + "\n")


def _table(names: Sequence[str], rows: Iterable[Sequence[Any]]) -> Iterator[str]:
    """Lines of a table; numbers stand at the right of their columns."""
    rows = iter(rows)
    first = list(islice(rows, _LOOKED_AT))
    if not first:
        return
    right = [
        isinstance(_plain(value), int | float) for value in first[0]
    ]  # as all in its column
    texts = [[_text(value) for value in row] for row in first]
    widths = [max(map(len, column)) for column in zip(names, *texts, strict=True)]
    for row in chain([names], texts, (map(_text, row) for row in rows)):
        cells = [
            text.rjust(width) if at_right else text.ljust(width)
            for text, width, at_right in zip(row, widths, right, strict=True)
        ]
        yield "  ".join(cells).rstrip()


def _plain(value: Any) -> Any:
    """A value that JSON has, or else text."""
    value = value.item() if hasattr(value, "item") else value
    plain = value is None or isinstance(value, bool | int | float | str | list | dict)
    return value if plain else str(value)


def _text(value: Any) -> str:
    """A value in a table: in one line, whatever the name of a file holds."""
    value = _plain(value)
    if isinstance(value, float):
        return f"{value:.4f}"
    text = str(value)
    return text if text.isprintable() else ascii(text)[1:-1]
