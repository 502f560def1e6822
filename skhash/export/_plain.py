"""Rows as plain values of Python, for clients that take nothing else."""

from __future__ import annotations

from typing import Any


def plain(block: dict[str, Any]) -> dict[str, list[Any]]:
    """The columns of a block as lists, without the code."""
    return {
        name: values if isinstance(values, list) else values.tolist()
        for name, values in block.items()
        if name != "code"
    }


def documents(block: dict[str, Any]) -> list[dict[str, Any]]:
    """A dict for each row of a block, without its code."""
    columns = plain(block)
    rows = zip(*columns.values(), strict=True)
    return [dict(zip(columns, row, strict=True)) for row in rows]
