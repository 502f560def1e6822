"""Codes, ids and labels, written as .npy, .npz, .parquet and .csv files."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import BinaryIO

import numpy as np

from skhash.archive import replacing
from skhash.cli._codes import Codes
from skhash.cli._output import check_target

CODE, ID, LABEL = "code", "id", "label"
SUFFIXES = (".npy", ".npz", ".parquet", ".csv")


def codes_file(path: str, inputs: Iterable[str]) -> Path:
    """A file of codes to write, checked before any work is done."""
    target = check_target(path, inputs)
    if target.suffix.lower() not in (*SUFFIXES, ".skhash"):
        raise ValueError(
            f"The suffix of {path} says how codes are written; it must be one of "
            f"{', '.join(SUFFIXES)}, .skhash."
        )
    if target.suffix.lower() == ".parquet":
        from skhash.cli._input.parquet import import_pyarrow

        import_pyarrow()
    return target


def check_columns(
    target: Path, ids: np.ndarray | None, labels: np.ndarray | None
) -> None:
    """Refuse, before any code is made, ids and labels that the file cannot hold."""
    suffix = target.suffix.lower()
    if suffix == ".csv" and labels is not None and labels.ndim > 1:
        raise ValueError(
            f"{target} holds one label an item; label sets go into .npz, .parquet or "
            ".skhash files."
        )
    for what, values in (("id", ids), ("label", labels)):
        if values is None or suffix == ".npy":
            continue
        if values.dtype == object and suffix == ".npz":
            raise ValueError(
                f"{what}s must be numbers or text to be written into {target}; the "
                f"first is {values.tolist()[0]!r}."
            )
        if suffix == ".parquet" and values.dtype.kind in "OUT":
            for value in values.ravel().tolist():
                _refuse_other_text(what, value)


def _refuse_other_text(what: str, value: object) -> None:
    """Refuse text, such as names of files, that cannot be written as UTF-8."""
    try:
        str(value).encode()
    except UnicodeEncodeError:
        raise ValueError(
            f"The {what} {value!a} is no text in UTF-8: rename it."
        ) from None


def code_column(n_bits: int | None) -> str:
    """The name of the column of codes in .csv, which gives their number of bits."""
    return f"{CODE}:{n_bits}" if n_bits and n_bits % 8 else CODE


def write_codes(path: Path, found: Codes) -> None:
    """Write codes whole or not at all, in the way that the suffix says."""
    with replacing(path) as file:
        _WRITE[path.suffix.lower()](file, found)


def _write_npy(file: BinaryIO, found: Codes) -> None:
    np.save(file, found.codes, allow_pickle=False)


def _write_npz(file: BinaryIO, found: Codes) -> None:
    arrays = {"codes": found.codes, "ids": found.ids, "labels": found.labels}
    arrays["n_bits"] = None if found.n_bits is None else np.array(found.n_bits)
    known = {name: array for name, array in arrays.items() if array is not None}
    np.savez(file, allow_pickle=False, **known)  # type: ignore[arg-type]


def _write_csv(file: BinaryIO, found: Codes) -> None:
    text = io.TextIOWrapper(file, "utf-8", "surrogateescape", newline="")
    rows = csv.writer(text, lineterminator="\n")
    columns = [found.names().tolist()]
    if found.labels is not None:
        columns.append(found.labels.tolist())
    code = code_column(found.n_bits)
    rows.writerow([ID, *([LABEL] if found.labels is not None else []), code])
    rows.writerows(zip(*columns, (row.hex() for row in _rows(found)), strict=True))
    text.detach()


def _rows(found: Codes) -> list[bytes]:
    return [row.tobytes() for row in found.codes]


def _write_parquet(file: BinaryIO, found: Codes) -> None:
    from skhash.cli._input.parquet import import_pyarrow
    from skhash.export.code_columns import code_array, notes

    pyarrow, parquet = import_pyarrow()
    columns = {ID: pyarrow.array(found.names())}
    if found.labels is not None:
        labels = found.labels if found.labels.ndim == 1 else found.labels.tolist()
        columns[LABEL] = pyarrow.array(labels)
    columns[CODE] = code_array(found.codes)
    told = notes(found.n_bits or 8 * found.codes.shape[1], found.ids is not None)
    table = pyarrow.table(columns).replace_schema_metadata(told)
    parquet.write_table(table, file)


_WRITE: dict[str, Callable[[BinaryIO, Codes], None]] = {
    ".npy": _write_npy,
    ".npz": _write_npz,
    ".csv": _write_csv,
    ".parquet": _write_parquet,
}
