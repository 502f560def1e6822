"""What was read: items, their ids and labels."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Items:
    """Vectors or images in order, with what the file says of them.

    Attributes
    ----------
    name : str
        Where they come from.
    X : ndarray of shape (n, ...)
        The items.
    ids : ndarray of shape (n,) or None
        Their names; None where they have none, and are known by their rows.
    labels : ndarray of shape (n,) or None
        Their labels.
    kept : ndarray of bool or None
        Which of the items that were found were read; None where all were.
    columns : tuple of str
        Names of the columns that make the vectors, where a table has them.
    """

    name: str
    X: np.ndarray
    ids: np.ndarray | None = None
    labels: np.ndarray | None = None
    kept: np.ndarray | None = None
    columns: tuple[str, ...] = ()

    def names(self) -> np.ndarray:
        """Ids, or numbers of rows."""
        return np.arange(len(self.X)) if self.ids is None else self.ids


def note(text: str, quiet: bool) -> None:
    """Say on standard error what was understood."""
    if not quiet:
        print(text, file=sys.stderr)


def check_array(X: Any, name: str) -> np.ndarray:
    """Vectors (2-D) or images (3-D, 4-D) of numbers, none of them NaN or infinite."""
    if X.dtype.kind not in "iuf":
        raise ValueError(f"{name} holds values of type {X.dtype}, not numbers.")
    if X.ndim not in (2, 3, 4) or 0 in X.shape:
        raise ValueError(
            f"{name} has shape {X.shape}; vectors are rows of a table, (n, d), and "
            "images (n, height, width) or (n, height, width, channels)."
        )
    refuse_not_finite(X, name)
    return X


def refuse_not_finite(
    X: np.ndarray, name: str, columns: list[str] | None = None
) -> None:
    """Refuse NaN and infinity, by the row and the column that have the first."""
    if X.dtype.kind != "f":
        return
    rows = max(1, (1 << 20) // max(1, X[:1].size))
    for start in range(0, len(X), rows):
        part = X[start : start + rows].reshape(len(X[start : start + rows]), -1)
        bad = ~np.isfinite(part)
        if bad.any():
            row, column = np.argwhere(bad)[0]
            where = repr(columns[column]) if columns else str(column)
            value = "missing (NaN)" if np.isnan(part[row, column]) else "infinite"
            raise ValueError(
                f"{name}: a value is {value}, first in row {start + row}, column "
                f"{where} (counted from 0). Fill it in, or leave its row out."
            )
