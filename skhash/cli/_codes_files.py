"""Files of codes, ids and labels: .npy, .npz, .parquet and .csv."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, BinaryIO

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
    rows.writerow([ID, *([LABEL] if found.labels is not None else []), CODE])
    rows.writerows(zip(*columns, (code.hex() for code in _rows(found)), strict=True))
    text.detach()


def _rows(found: Codes) -> list[bytes]:
    return [row.tobytes() for row in found.codes]


def _write_parquet(file: BinaryIO, found: Codes) -> None:
    from skhash.cli._input.parquet import import_pyarrow

    pyarrow, parquet = import_pyarrow()
    n, width = found.codes.shape
    data = pyarrow.py_buffer(np.ascontiguousarray(found.codes))
    codes = pyarrow.FixedSizeBinaryArray.from_buffers(
        pyarrow.binary(width), n, [None, data]
    )
    columns = {ID: pyarrow.array(found.names())}
    if found.labels is not None:
        labels = found.labels if found.labels.ndim == 1 else found.labels.tolist()
        columns[LABEL] = pyarrow.array(labels)
    told = {"n_bits": str(found.n_bits or 8 * width)}
    told["ids"] = "rows" if found.ids is None else "given"
    table = pyarrow.table({**columns, CODE: codes}).replace_schema_metadata(told)
    parquet.write_table(table, file)


_WRITE: dict[str, Callable[[BinaryIO, Codes], None]] = {
    ".npy": _write_npy,
    ".npz": _write_npz,
    ".csv": _write_csv,
    ".parquet": _write_parquet,
}


def read_codes(path: Path, may_be_bare: bool) -> Codes | None:
    """The codes of a file that says it holds some; None if it holds something else.

    A .npy file says nothing; ``may_be_bare`` takes it for codes if it can hold them.
    """
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES or not path.is_file():
        return None
    if suffix == ".npy":
        return _read_npy(path) if may_be_bare else None
    read = {".npz": _read_npz, ".csv": _read_csv, ".parquet": _read_parquet}
    return read[suffix](path)


def _read_npy(path: Path) -> Codes:
    from skhash.cli._input.arrays import open_npy

    return _checked(path, open_npy(path))


def _checked(path: Path, codes: Any, *columns: Any) -> Codes:
    if codes.dtype != np.uint8 or codes.ndim != 2 or 0 in codes.shape:
        raise ValueError(
            f"{path} holds {codes.dtype} of shape {codes.shape}; codes are packed "
            "bytes, uint8 of shape (n, n_bytes). If these are items, give the model "
            "that encodes them, --model model.skhash."
        )
    return Codes(str(path), codes, *columns)


def _read_npz(path: Path) -> Codes | None:
    from skhash.datasets import load_npz

    arrays = load_npz(path)
    if "codes" not in arrays:
        return None
    codes, n_bits = arrays["codes"], arrays.get("n_bits")
    for name in ("ids", "labels"):
        if name in arrays and len(arrays[name]) != len(codes):
            raise ValueError(
                f"{path} has {len(arrays[name])} {name} for {len(codes)} codes."
            )
    columns = arrays.get("ids"), arrays.get("labels")
    return _checked(path, codes, *columns, None if n_bits is None else int(n_bits))


def _read_csv(path: Path) -> Codes | None:
    from skhash.cli._input.tables import read_rows

    with path.open(encoding="utf-8-sig", newline="") as file:
        names, rows = read_rows(path, file)
        if CODE not in names:
            return None
        columns = dict(zip(names, zip(*rows, strict=True), strict=False))
    try:
        codes = [bytes.fromhex(code) for code in columns.get(CODE, ())]
        found = np.array([list(code) for code in codes], np.uint8)
    except ValueError as error:
        raise ValueError(
            f"{path}: column {CODE!r} must hold codes as hexadecimal digits, all of "
            "one length."
        ) from error
    ids, labels = (
        np.array(columns[name]) if name in columns else None for name in (ID, LABEL)
    )
    return _checked(path, found, ids, labels)


def _read_parquet(path: Path) -> Codes | None:
    from skhash.cli._input.parquet import import_pyarrow, open_parquet

    types = import_pyarrow()[0].types
    with open_parquet(path) as file:
        schema = file.schema_arrow
        told = schema.metadata or {}
        binary = [f.name for f in schema if types.is_fixed_size_binary(f.type)]
        if len(binary) != 1:
            return None
        ids, labels = (name if name in schema.names else None for name in (ID, LABEL))
        if told.get(b"ids") == b"rows":
            ids = None
        names = [name for name in (binary[0], ids, labels) if name]
        table = file.read(columns=names)
    column = table.column(binary[0]).combine_chunks()
    if any(table.column(name).null_count for name in names):
        raise ValueError(f"{path} has missing values among its codes, ids or labels.")
    width = column.type.byte_width
    codes = np.frombuffer(column.buffers()[1], np.uint8)
    codes = codes[column.offset * width :][: len(column) * width].reshape(-1, width)
    columns = (
        None if name is None else _as_numpy(table.column(name))
        for name in (ids, labels)
    )
    n_bits = told.get(b"n_bits", b"")
    return _checked(path, codes, *columns, int(n_bits) if n_bits.isdigit() else None)


def _as_numpy(column: Any) -> np.ndarray:
    values = column.to_numpy(zero_copy_only=False)
    return values.astype(str) if values.dtype == object else values
