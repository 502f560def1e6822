"""Codes with their ids and labels."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from skhash.hamming.codes import check_padding


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


def of_bits(found: Codes, bits: int | None) -> Codes:
    """The same codes, checked against the bits that they, or else the user, state."""
    if bits is not None and found.n_bits not in (None, bits):
        raise ValueError(
            f"{found.name} has codes of {found.n_bits} bits: leave --bits {bits} out."
        )
    n_bits = found.n_bits if bits is None else bits
    if n_bits is None:
        return found
    check_padding(found.codes, n_bits, found.name)
    return replace(found, n_bits=n_bits)


def counted(n: int, what: str) -> str:
    """A number of things, in the singular where it is one."""
    return f"{n} {what}" if n == 1 else f"{n} {what}s"
