"""Where commands get codes from: databases, files of codes, or items encoded now."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from skhash.cli._codes import Codes, of_bits
from skhash.cli._codes_read import read_codes
from skhash.cli._input.items import Items
from skhash.cli._input.labels import with_labels
from skhash.cli._input.options import Reading
from skhash.cli._input.read import read_items
from skhash.cli._models import Model, encode, open_model


def codes_of(path: str, reading: Reading, model: Model | None) -> Codes:
    """The codes at a path: those of a database or a file, or of items encoded now.

    Parameters
    ----------
    path : str
        A .skhash database, a file of codes, or a file or folder of items.
    reading : Reading
        How items are read.
    model : Model or None
        What encodes items; with None only codes are taken.
    """
    if path.lower().endswith(".skhash"):
        opened = open_model(path)
        if opened.database is None:
            raise ValueError(
                f"{path} is an encoder without a database: `skhash encode {path} ITEMS "
                "-o database.skhash` makes one."
            )
        return with_labels_of(of_bits(of_database(opened), reading.bits), reading)
    if (found := read_codes(Path(path), reading, model is None)) is not None:
        return with_labels_of(found, reading)
    if model is None:
        raise ValueError(
            f"{path} holds no codes: give what encodes it, --model model.skhash."
        )
    return encoded(path, reading, model)


def encoded(path: str, reading: Reading, model: Model) -> Codes:
    """The codes of items that are read and encoded now."""
    return of_items(read_items(path, reading, model.shape), reading, model)


def of_items(items: Items, reading: Reading, model: Model) -> Codes:
    """The codes of items that were read."""
    codes = encode(model, items.X, reading.quiet)
    found = Codes(items.name, codes, items.ids, items.labels, model.n_bits)
    return of_bits(found, reading.bits)


def of_database(model: Model) -> Codes:
    """The codes in a database."""
    database = model.database
    return Codes(
        model.path,
        database.codes_,
        database.ids_,
        database.labels_,
        model.n_bits if model.encoder is not None else None,
    )


def with_labels_of(codes: Codes, reading: Reading) -> Codes:
    """Codes with the labels of a file apart, where there is one."""
    if not reading.labels:
        return codes
    items = with_labels(Items(codes.name, codes.codes, codes.ids), Path(reading.labels))
    return replace(codes, labels=items.labels)
