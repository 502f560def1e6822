"""Vectors in .parquet files: a column of lists, or columns of numbers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from skhash.cli._input.columns import roles
from skhash.cli._input.items import Items, refuse_not_finite
from skhash.cli._input.options import Reading
from skhash.progress import followed

_ROWS = 8192


def import_pyarrow() -> tuple[Any, Any]:
    """pyarrow and its module of parquet, which nothing else here needs."""
    try:
        import pyarrow
        import pyarrow.compute
        import pyarrow.parquet
    except ImportError as error:
        raise ImportError(
            'Files in .parquet need pyarrow: pip install "skhash[cli]".'
        ) from error
    return pyarrow, pyarrow.parquet


def read_parquet(path: Path, reading: Reading) -> Items:
    """The vectors of a file in the type that they have there, its ids and labels."""
    with open_parquet(path) as file:
        schema = file.schema_arrow
        kinds = {field.name: _kind(field.type) for field in schema}
        if len(kinds) < len(schema):
            raise ValueError(f"{path} has two columns of the same name.")
        chosen = roles(str(path), kinds, reading)
        X = _vectors(path, file, chosen.vectors, kinds, reading.quiet)
        columns = {
            option: _column(path, file, option, getattr(chosen, option))
            for option in ("id", "label")
        }
    lists = kinds[chosen.vectors[0]] == "list"
    refuse_not_finite(X, str(path), None if lists else chosen.vectors)
    return Items(
        str(path), X, columns["id"], columns["label"], columns=tuple(chosen.vectors)
    )


def open_parquet(path: Path) -> Any:
    """A file, opened; a ValueError if it is none."""
    pyarrow, parquet = import_pyarrow()
    with path.open("rb"):  # says best why it cannot be opened
        pass
    try:
        return parquet.ParquetFile(path)
    except pyarrow.ArrowException as error:
        raise ValueError(f"{path} is no whole .parquet file: {error}") from error


def _kind(of_type: Any) -> str:
    types = import_pyarrow()[0].types
    if types.is_integer(of_type):
        return "integer"
    if types.is_floating(of_type):
        return "number"
    is_list = (
        types.is_list(of_type)
        or types.is_large_list(of_type)
        or types.is_fixed_size_list(of_type)
    )
    of_numbers = is_list and _kind(of_type.value_type) in ("number", "integer")
    return "list" if of_numbers else "other"


def _vectors(
    path: Path, file: Any, names: list[str], kinds: dict[str, str], quiet: bool
) -> np.ndarray:
    n = file.metadata.num_rows
    if n == 0:
        raise ValueError(f"{path} has no rows.")
    X, start = None, 0
    of = _of_lists if kinds[names[0]] == "list" else _of_numbers
    for batch in followed(
        file.iter_batches(_ROWS, columns=names),
        f"reading {path.name}",
        n,
        unit="rows",
        verbose=not quiet,
    ):
        part = of(path, batch, names, start)
        if X is None:
            X = np.empty((n, part.shape[1]), part.dtype)
        if part.shape[1] != X.shape[1]:
            raise _ragged(path, names[0], start, part.shape[1], X.shape[1])
        X[start : start + len(part)] = part
        start += len(part)
    assert X is not None
    return X


def _of_numbers(path: Path, batch: Any, names: list[str], start: int) -> np.ndarray:
    for name in names:
        _refuse_missing(path, batch.column(name), name, start)
    columns = [batch.column(name).to_numpy(zero_copy_only=False) for name in names]
    return np.stack(columns, axis=1)


def _of_lists(path: Path, batch: Any, names: list[str], start: int) -> np.ndarray:
    column = batch.column(names[0])
    _refuse_missing(path, column, names[0], start)
    lengths = import_pyarrow()[0].compute.list_value_length(column).to_numpy()
    if lengths[0] == 0:
        raise ValueError(f"{path}: the list in column {names[0]!r} is empty.")
    if other := np.flatnonzero(lengths != lengths[0]).tolist():
        row = other[0]
        raise _ragged(path, names[0], start + row, lengths[row], lengths[0])
    values = column.flatten()
    _refuse_missing(path, values, names[0], start, int(lengths[0]))
    return values.to_numpy(zero_copy_only=False).reshape(len(column), -1)


def _ragged(path: Path, name: str, row: int, length: int, first: int) -> ValueError:
    return ValueError(
        f"{path}: the list in column {name!r}, row {row} has {length} values, that in "
        f"the first row {first}. Vectors must be equally long."
    )


def _refuse_missing(
    path: Path, values: Any, name: str, start: int, width: int = 1
) -> None:
    """Refuse nulls among the values from row `start` on, `width` of them a row."""
    if values.null_count:
        first = int(np.flatnonzero(values.is_null().to_numpy(zero_copy_only=False))[0])
        raise ValueError(
            f"{path}: a value of column {name!r} is missing (null), first in row "
            f"{start + first // width} (counted from 0). Fill it in, or leave its row "
            "out."
        )


def _column(path: Path, file: Any, option: str, name: str | None) -> Any:
    """The values of one column; None where none was asked for."""
    if name is None:
        return None
    return column_values(path, file.read(columns=[name]).column(0), option, name)


def column_values(path: Path, column: Any, option: str, name: str) -> np.ndarray:
    """Ids or labels as an array: numbers, text, or for label sets one row an item."""
    what = f"{path}: column {name!r} for --{option}"
    if column.null_count:
        raise ValueError(f"{what} has missing values.")
    types = import_pyarrow()[0].types
    if types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if option == "label" and _kind(column.type) == "list":
        values = column.to_pylist()
        if len(set(map(len, values))) > 1:
            raise ValueError(
                f"{what} has lists of different lengths; label sets are 0/1 for each "
                "class."
            )
        return np.array(values)
    values = column.to_numpy(zero_copy_only=False)
    texts = types.is_string, types.is_large_string, types.is_string_view
    if any(is_text(column.type) for is_text in texts):
        return values.astype(str)
    if values.dtype == object:
        raise ValueError(f"{what} is of type {column.type}, not numbers or text.")
    return values
