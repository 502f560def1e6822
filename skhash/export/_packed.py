"""Rows as the bytes that database servers load, one field after another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain, repeat

from numpy.typing import NDArray


def text_first(kinds: Mapping[str, str]) -> list[str]:
    """Columns in the order of the bytes: those of text before all of fixed width."""
    return sorted(kinds, key=lambda name: kinds[name] != "text")


def packed(head: bytes, texts: Sequence[Sequence[bytes]], fixed: NDArray) -> bytes:
    """Rows of a head, fields of text, and a record of fields of fixed width.

    Each field of text comes with its length before it; `fixed` is a structured array
    without gaps, with a record for each row.
    """
    if not (head or texts):
        return fixed.tobytes()
    data, width = fixed.tobytes(), fixed.dtype.itemsize
    records = (data[at : at + width] for at in range(0, len(data), width))
    return b"".join(
        chain.from_iterable(zip(repeat(head), *texts, records, strict=False))
    )
