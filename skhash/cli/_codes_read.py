"""Codes, ids and labels of .npy, .npz, .parquet and .csv files."""

from __future__ import annotations

import re
from collections.abc import Collection
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import numpy as np

from skhash.cli._codes import Codes, of_bits
from skhash.cli._codes_files import CODE, ID, LABEL, SUFFIXES
from skhash.cli._input.items import note
from skhash.cli._input.options import Reading


def read_codes(path: Path, reading: Reading, may_be_bare: bool) -> Codes | None:
    """The codes of a file that says it holds some; None if it holds something else.

    A .npy file says nothing; ``may_be_bare`` takes it for codes if it can hold them.
    """
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES or not path.is_file():
        return None
    if suffix == ".npy" and not may_be_bare:
        return None
    read = {".npy": _read_npy, ".npz": _read_npz}
    read |= {".csv": _read_csv, ".parquet": _read_parquet}
    found = read[suffix](path, reading)
    return None if found is None else of_bits(found, reading.bits)


def _codes(path: Path, codes: Any, *columns: Any) -> Codes:
    if codes.dtype != np.uint8 or codes.ndim != 2 or 0 in codes.shape:
        raise ValueError(
            f"{path} holds {codes.dtype} of shape {codes.shape}; codes are packed "
            "bytes, uint8 of shape (n, n_bytes). If these are items, give the model "
            "that encodes them, --model model.skhash."
        )
    return Codes(str(path), codes, *columns)


def _column(
    path: Path, option: str, names: Collection[str], reading: Reading, *usual: str
) -> str | None:
    """The name of the ids or the labels: what the user says, or what is usual."""
    wanted = getattr(reading, option)
    if wanted in names:
        return str(wanted)
    found = next((name for name in usual if name in names), None)
    if wanted is not None:
        instead = f"{found!r} is taken" if found else f"no {option} is known"
        note(f"{path} has no {wanted!r} for --{option}: {instead}", reading.quiet)
    return found


def _read_npy(path: Path, reading: Reading) -> Codes:
    from skhash.cli._input.arrays import open_npy

    for option in ("id", "label"):
        _column(path, option, (), reading)  # has none, and says so
    return _codes(path, open_npy(path))


def _read_npz(path: Path, reading: Reading) -> Codes | None:
    """Arrays under the names of `skhash encode`, or of `skhash export`."""
    from skhash.datasets import load_npz

    arrays = load_npz(path)
    name = "codes" if "codes" in arrays else CODE
    if name not in arrays or (reading.key in arrays and reading.key != name):
        return None
    codes = arrays[name]
    if name == CODE and (codes.dtype != np.uint8 or codes.ndim != 2):
        return None
    columns = []
    for option, usual in (("id", ("ids", ID)), ("label", ("labels", LABEL))):
        one = _column(path, option, arrays, reading, *usual)
        if one is not None and len(arrays[one]) != len(codes):
            raise ValueError(
                f"{path} has {len(arrays[one])} {one} for {len(codes)} codes."
            )
        columns.append(None if one is None else arrays[one])
    n_bits = arrays.get("n_bits")
    if n_bits is not None and (n_bits.size != 1 or n_bits.dtype.kind not in "iu"):
        raise ValueError(
            f"{path}: n_bits is one whole number, got {n_bits.dtype} of shape "
            f"{n_bits.shape}."
        )
    return _codes(path, codes, *columns, None if n_bits is None else n_bits.item())


def _read_csv(path: Path, reading: Reading) -> Codes | None:
    from skhash.cli._input.tables import open_table, read_rows

    # Names of files need not be text, and are written as they are.
    with open_table(path, "surrogateescape") as file:
        names, rows = read_rows(path, file)
        code = next((n for n in names if re.fullmatch(rf"{CODE}(:\d+)?", n)), None)
        known = {code, ID, LABEL, reading.id, reading.label}
        if code is None or not known.issuperset(names):
            return None
        columns = dict(zip(names, zip(*rows, strict=True), strict=False))
    try:
        packed = [bytes.fromhex(text) for text in columns.get(code, ())]
        found = np.array([list(one) for one in packed], np.uint8)
    except ValueError as error:
        raise ValueError(
            f"{path}: column {code!r} must hold codes as hexadecimal digits, all of "
            "one length."
        ) from error
    ids, labels = (
        None if name is None else np.array(columns[name])
        for name in (
            _column(path, option, columns, reading, option) for option in (ID, LABEL)
        )
    )
    n_bits = code.partition(":")[2]
    return _codes(path, found, ids, labels, int(n_bits) if n_bits else None)


def _read_parquet(path: Path, reading: Reading) -> Codes | None:
    from skhash.cli._input.parquet import column_values, import_pyarrow, open_parquet
    from skhash.export.code_columns import codes_in

    types = import_pyarrow()[0].types
    with open_parquet(path) as file:
        schema = file.schema_arrow
        told = schema.metadata or {}
        if schema.names.count(CODE) != 1 or _asks_for_others(schema.names, reading):
            return None
        if not types.is_fixed_size_binary(schema.field(CODE).type):
            return None
        usual = () if told.get(b"ids") == b"rows" else (ID,)
        chosen = {
            ID: _column(path, "id", schema.names, reading, *usual),
            LABEL: _column(path, "label", schema.names, reading, LABEL),
        }
        table = file.read(columns=[CODE, *filter(None, chosen.values())])
    column = table.column(CODE).combine_chunks()
    if column.null_count:
        raise ValueError(f"{path} has missing values among its codes.")
    columns = (
        None if name is None else column_values(path, table.column(name), option, name)
        for option, name in chosen.items()
    )
    n_bits = told.get(b"n_bits", b"")
    found = codes_in(column)
    return _codes(path, found, *columns, int(n_bits) if n_bits.isdigit() else None)


def _asks_for_others(names: list[str], reading: Reading) -> bool:
    """Whether --columns asks for some of these as vectors."""
    patterns = reading.columns or ()
    return any(fnmatchcase(name, each) for each in patterns for name in names)
