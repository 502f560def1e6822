"""Vectors in .csv and .tsv files: a first line of names, then numbers."""

from __future__ import annotations

import csv
from array import array
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

import numpy as np

from skhash.cli._input.columns import roles
from skhash.cli._input.items import Items, refuse_not_finite
from skhash.cli._input.options import Reading

_REMEDY = "--id NAME and --label NAME say which columns are no numbers"


def read_csv(path: Path, reading: Reading) -> Items:
    """The vectors of a file, float64, and its ids and labels as text."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        try:
            return _items(path, file, reading)
        except (csv.Error, UnicodeDecodeError) as error:
            raise ValueError(
                f"{path} is no table in UTF-8 text: {error}. Save it as such, or as "
                ".parquet."
            ) from error


def read_rows(path: Path, file: TextIO) -> tuple[list[str], Iterator[list[str]]]:
    """Names of the columns, and all rows, none of which may be ragged."""
    first = file.readline()
    file.seek(0)
    rows = csv.reader(file, delimiter=max(",;\t", key=first.count), strict=True)
    names = next(rows, [])
    if not names:
        raise ValueError(f"{path} is empty; its first line names the columns.")
    if twice := [name for name in names if names.count(name) > 1]:
        raise ValueError(f"{path} has two columns {twice[0]!r}: name them differently.")
    numbered = names == [str(i) for i in range(len(names))]  # as pandas names them
    if not numbered and all(_is_number(name) for name in names):
        raise ValueError(
            f"{path}: the first line names the columns, but holds numbers. Add a line "
            f"of {len(names)} names before it."
        )
    return names, _even(path, rows, len(names))


def _even(path: Path, rows: Iterator[list[str]], width: int) -> Iterator[list[str]]:
    for number, row in enumerate(rows, start=2):
        if not row:  # an empty line
            continue
        if len(row) != width:
            raise ValueError(
                f"{path}: row {number} (the line of names is 1) has {len(row)} values, "
                f"the line of names {width}."
            )
        yield row


def _items(path: Path, file: TextIO, reading: Reading) -> Items:
    names, rows = read_rows(path, file)
    chosen = roles(str(path), dict.fromkeys(names, "number"), reading)
    at = [names.index(name) for name in chosen.vectors]
    values = array("d")
    columns: dict[str, list[str]] = {"id": [], "label": []}
    apart = [
        (columns[option], names.index(name))
        for option in columns
        if (name := getattr(chosen, option)) is not None
    ]
    for number, row in enumerate(rows, start=2):
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
    return Items(str(path), X, found["id"], found["label"])


def _wrong_cell(path: Path, number: int, names: list[str], texts: list[str]) -> str:
    name, text = next(
        (n, t) for n, t in zip(names, texts, strict=True) if not _is_number(t)
    )
    what = "is empty" if not text.strip() else f"holds {text!r}, which is no number"
    return f"{path}: row {number}, column {name!r} {what}; {_REMEDY}."


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return "_" not in text
