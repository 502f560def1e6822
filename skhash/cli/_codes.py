"""Codes with their ids and labels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Codes:
    """Packed codes and what is known of them.

    Attributes
    ----------
    name : str
        Where they come from.
    codes : ndarray of shape (n, n_bytes), uint8
        Eight bits a byte, the most significant first.
    ids, labels : ndarray of shape (n,) or None
        Names and labels of the items.
    n_bits : int or None
        Bits of a code; None where the file does not say.
    """

    name: str
    codes: np.ndarray
    ids: np.ndarray | None = None
    labels: np.ndarray | None = None
    n_bits: int | None = None

    def names(self) -> np.ndarray:
        """Ids, or numbers of rows."""
        return np.arange(len(self.codes)) if self.ids is None else self.ids
