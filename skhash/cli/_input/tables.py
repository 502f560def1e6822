"""Vectors in .csv and .tsv files: a first line of names, then numbers."""

from __future__ import annotations

import contextlib
import csv
import math
from array import array
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TextIO

import numpy as np

from skhash.cli._input.columns import roles
from skhash.cli._input.items import Items, refuse_not_finite
from skhash.cli._input.options import Reading

_APART = "--id NAME and --label NAME say which columns are no numbers"


def read_csv(path: Path, reading: Reading) -> Items:
    """The vectors of a file, float64, and its ids and labels as text."""
    with open_table(path) as file:
        return _items(path, file, reading)


@contextlib.contextmanager
def open_table(path: Path, errors: str = "strict") -> Iterator[TextIO]:
    """A file of text, whose errors name it; a mark of byte order is no part of it."""
    with path.open(encoding="utf-8-sig", errors=errors, newline="") as file:
        try:
            yield file
        except (csv.Error, UnicodeDecodeError) as error:
            raise ValueError(
                f"{path} is no table in UTF-8 text: {error}. Save it as such, or as "
                ".parquet."
            ) from error


def read_rows(path: Path, file: TextIO) -> tuple[list[str], Iterator[list[str]]]:
    """Names of the columns, and all rows, none of which may be ragged."""
    names, rows = _numbered_rows(path, file)
    return names, (row for _, row in rows)


def _numbered_rows(
    path: Path, file: TextIO
) -> tuple[list[str], Iterator[tuple[int, list[str]]]]:
    """The same, each row with the line of the file that it ends in."""
    first = file.readline()
    file.seek(0)
    rows = csv.reader(file, delimiter=max(",;\t", key=first.count), strict=True)
    names = next(rows, [])
    if not names:
        raise ValueError(f"{path} is empty; its first line names the columns.")
    if data := [name for name in names if _is_measured(name)]:
        raise ValueError(
            f"{path}: the first line names the columns, but holds the number "
            f"{data[0]}, as a row of values does. Add a line of {len(names)} names "
            "before it."
        )
    if twice := [name for name in names if names.count(name) > 1]:
        raise ValueError(f"{path} has two columns {twice[0]!r}: name them differently.")
    numbered = names == [str(i) for i in range(len(names))]  # as pandas names them
    if not numbered and all(_is_number(name) for name in names):
        raise ValueError(
            f"{path}: the first line names the columns, but holds numbers. Add a line "
            f"of {len(names)} names before it."
        )
    return names, _even(path, rows, len(names))


def _even(path: Path, rows: Any, width: int) -> Iterator[tuple[int, list[str]]]:
    for row in rows:
        if not row:  # an empty line
            continue
        if len(row) != width:
            raise ValueError(
                f"{path}: line {rows.line_num} has {len(row)} values, the line of "
                f"names {width}."
            )
        yield rows.line_num, row


def _items(path: Path, file: TextIO, reading: Reading) -> Items:
    names, rows = _numbered_rows(path, file)
    chosen = roles(str(path), dict.fromkeys(names, "number"), reading)
    at = [names.index(name) for name in chosen.vectors]
    values = array("d")
    columns: dict[str, list[str]] = {"id": [], "label": []}
    apart = [
        (columns[option], names.index(name))
        for option in columns
        if (name := getattr(chosen, option)) is not None
    ]
    for number, row in rows:
        texts = [row[i] for i in at]
        try:
            if "_" in "".join(texts):  # which Python takes for digits
                raise ValueError
            values.extend(map(float, texts))
        except ValueError:
            raise ValueError(_wrong_cell(path, number, chosen.vectors, texts)) from None
        for column, i in apart:
            column.append(row[i])
    if not values:
        raise ValueError(f"{path} has names of columns, and no rows.")
    X = np.frombuffer(values, np.float64).reshape(-1, len(at))
    refuse_not_finite(X, str(path), chosen.vectors)
    found = {k: np.array(v) if v else None for k, v in columns.items()}
    return Items(
        str(path), X, found["id"], found["label"], columns=tuple(chosen.vectors)
    )


def _wrong_cell(path: Path, number: int, names: list[str], texts: list[str]) -> str:
    name, text = next(
        (n, t) for n, t in zip(names, texts, strict=True) if not _is_number(t)
    )
    what, remedy = f"holds {text!r}, which is no number", _APART
    if not text.strip():
        what, remedy = "is empty", "fill it in, or leave the row out"
    elif _is_number(text.replace(",", ".", 1)):
        remedy = "write decimals with a point"
    return f"{path}: line {number}, column {name!r} {what}; {remedy}."


def _is_measured(text: str) -> bool:
    """Whether a text is a number such as 0.5 or -3, and so no name of a column."""
    return _is_number(text) and not text.isdigit() and math.isfinite(float(text))


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return "_" not in text
