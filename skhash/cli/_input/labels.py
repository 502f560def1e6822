"""Labels in a file of their own."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np

from skhash.cli._input.arrays import open_npy
from skhash.cli._input.items import Items
from skhash.cli._input.tables import open_table, read_rows


def with_labels(items: Items, path: Path) -> Items:
    """The items with the labels of a file: by id from .csv, else in their order."""
    suffix = path.suffix.lower()
    if suffix == ".csv":
        labels = _by_id(items, path)
    elif suffix in (".npy", ".txt"):
        labels = _in_order(items, path)
    else:
        raise ValueError(
            f"--labels {path}: labels are in .npy or .txt, in the order of the items, "
            "or in .csv with two columns, id and label."
        )
    return dataclasses.replace(items, labels=labels)


def _in_order(items: Items, path: Path) -> np.ndarray:
    if path.suffix.lower() == ".npy":
        labels = np.array(open_npy(path))
        if labels.ndim not in (1, 2):
            raise ValueError(
                f"--labels {path} has shape {labels.shape}; labels are one value an "
                "item, (n,), or 0/1 for each class, (n, n_classes)."
            )
    else:
        with open_table(path) as file:
            labels = np.array(file.read().splitlines())
    n = len(items.X) if items.kept is None else len(items.kept)
    if len(labels) != n:
        raise ValueError(
            f"--labels {path} holds {len(labels)} labels, but {items.name} {n} items."
        )
    return labels if items.kept is None else labels[items.kept]


def _by_id(items: Items, path: Path) -> np.ndarray:
    with open_table(path) as file:
        names, rows = read_rows(path, file)
        if len(names) != 2:
            raise ValueError(
                f"--labels {path} has {len(names)} columns; it needs two, id and label."
            )
        found: dict[str, str] = {}
        for name, label in rows:
            if found.setdefault(name, label) != label:
                raise ValueError(f"--labels {path} has two labels for {name!r}.")
    ids = [str(name) for name in items.names().tolist()]
    if names[0] in ids and names[0] not in found:
        raise ValueError(
            f"--labels {path} begins with the item {names[0]!r}; its first line must "
            "be names, such as id,label."
        )
    if lost := [name for name in ids if name not in found]:
        raise ValueError(
            f"--labels {path} has no label for {lost[0]!r} ({len(lost)} of {len(ids)} "
            f"items of {items.name} have none)."
        )
    return np.array([found[name] for name in ids])
