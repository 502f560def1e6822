"""Arrays of Python's objects, one value each: text, whole numbers, dates and the like.

Each is written as text, and read by the one constructor of its kind.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from typing import Any
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

# What makes a CSR array.
SPARSE_PARTS = ("data", "indices", "indptr")
# How each kind of object is written, and read.
_KINDS: dict[str, tuple[type, Callable[[Any], str], Callable[[str], Any]]] = {
    "str": (str, str, str),
    "int": (int, str, int),
    "bytes": (bytes, bytes.hex, bytes.fromhex),
    "float": (float, repr, float),
    "UUID": (UUID, str, UUID),
    "date": (date, date.isoformat, date.fromisoformat),
    "datetime": (datetime, datetime.isoformat, datetime.fromisoformat),
}
# Text of numpy's own kind without a fixed width.
_STRING_DTYPE = "StringDType"


def told(column: NDArray, *, apart: bool) -> dict[str, Any]:
    """A column as plain values: text in a list or, `apart`, as bytes and their ends."""
    values = column.ravel().tolist()
    write: Callable[[Any], str]
    if column.dtype.kind == "T":
        if column.dtype != np.dtypes.StringDType():
            raise TypeError(f"an array of dtype {column.dtype}")
        kind, write = _STRING_DTYPE, str
    else:
        kind, write = _kind_of(values)
    texts = [write(value) for value in values]
    content: dict[str, Any] = {"kind": kind, "shape": list(column.shape)}
    if not apart:
        return {**content, "values": texts}
    parts = [text.encode("utf-8", "surrogatepass") for text in texts]
    ends = np.cumsum([len(part) for part in parts], dtype=np.int64)
    return {**content, "text": np.frombuffer(b"".join(parts), np.uint8), "ends": ends}


def _kind_of(values: list[Any]) -> tuple[str, Callable[[Any], str]]:
    """The kind that all values are of, and what writes them; a TypeError if none is."""
    types = set(map(type, values))
    if not types:
        return "str", str
    for kind, (of_type, write, read) in _KINDS.items():
        if types == {of_type}:
            # A time zone may have a name, which no text tells.
            if kind == "datetime" and any(
                repr(read(write(value))) != repr(value) for value in values
            ):
                break
            return kind, write
    names = ", ".join(sorted(each.__name__ for each in types))
    raise TypeError(f"an array of objects of type {names}")


def made(content: dict[str, Any]) -> NDArray:
    """The column that the content describes; a ValueError if there is none."""
    shape = tuple(content["shape"])
    texts = content["values"] if "values" in content else _texts(content)
    if content["kind"] == _STRING_DTYPE:
        column = np.array(texts, dtype=np.dtypes.StringDType())
        return column.reshape(shape)
    read = _KINDS[content["kind"]][2]
    column = np.empty(len(texts), dtype=object)
    for row, text in enumerate(texts):
        if type(text) is not str:
            raise TypeError(f"{text!r} is no text")
        column[row] = read(text)
    return column.reshape(shape)


def _texts(content: dict[str, Any]) -> list[str]:
    whole, ends = content["text"].tobytes(), content["ends"].tolist()
    starts = [0, *ends]
    if sorted(ends) != ends or (ends[-1] if ends else 0) != len(whole):
        raise ValueError("The ends of the texts are not in order")
    return [
        whole[start:end].decode("utf-8", "surrogatepass")
        for start, end in zip(starts, ends, strict=False)
    ]
