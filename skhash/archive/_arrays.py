"""Arrays as bytes: dtypes that there may be, and the headers of npy and safetensors."""

from __future__ import annotations

import json
import math
import re
import struct
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

# Booleans, numbers, text, bytes, dates and durations; no objects, no records.
_DTYPES = re.compile(
    r"\|b1|\|[iu]1|[<>][iu][248]|[<>]f[248]|[<>]c(8|16)|[<>]U[1-9]\d{0,8}|"
    r"\|S[1-9]\d{0,8}|[<>][mM]8(\[\d{0,9}(Y|M|W|D|h|m|s|ms|us|ns|ps|fs|as)\])?"
)
# What safetensors calls those that it knows.
_NAMES = {
    "|b1": "BOOL",
    "|u1": "U8",
    "|i1": "I8",
    "<u2": "U16",
    "<i2": "I16",
    "<u4": "U32",
    "<i4": "I32",
    "<u8": "U64",
    "<i8": "I64",
    "<f2": "F16",
    "<f4": "F32",
    "<f8": "F64",
}
# An array has no more axes than this, and none longer.
_MOST_AXES, _LONGEST = 16, 1 << 48


@dataclass(frozen=True)
class Layout:
    """How an array lies: its dtype as numpy writes it, its shape, and "C" or "F"."""

    dtype: str
    shape: tuple[int, ...]
    order: str = "C"

    @classmethod
    def of(cls, array: NDArray) -> Layout:
        """The layout that an array has, or will have once it is contiguous."""
        fortran = array.flags.f_contiguous and not array.flags.c_contiguous
        return cls(dtype_name(array.dtype), array.shape, "F" if fortran else "C")

    @classmethod
    def checked(cls, dtype: Any, shape: Any, order: Any) -> Layout:
        """The layout that a manifest tells; a ValueError if there is no such."""
        shape = tuple(shape)
        sides = all(type(side) is int and 0 <= side <= _LONGEST for side in shape)
        if not sides or len(shape) > _MOST_AXES or order not in ("C", "F"):
            raise ValueError(f"There is no array of shape {shape} and order {order!r}")
        return cls(dtype_name(known_dtype(dtype)), shape, order)

    @property
    def n_bytes(self) -> int:
        """Bytes that the values take."""
        return math.prod(self.shape) * np.dtype(self.dtype).itemsize

    def entry(self, member: str) -> dict[str, Any]:
        """What the manifest says of the array."""
        told: dict[str, Any] = {"member": member, "dtype": self.dtype}
        told["shape"] = list(self.shape)
        return told if self.order == "C" else {**told, "order": self.order}


def dtype_name(dtype: np.dtype) -> str:
    """A dtype as the manifest has it; a TypeError if it is none of those known."""
    if dtype.hasobject or dtype.names or _DTYPES.fullmatch(dtype.str) is None:
        raise TypeError(f"an array of dtype {dtype}")
    return dtype.str


def known_dtype(name: Any) -> np.dtype:
    """The dtype of a name in a manifest; a ValueError if it is none of those known."""
    if not isinstance(name, str) or _DTYPES.fullmatch(name) is None:
        raise ValueError(f"There is no dtype {name!r}")
    dtype = np.dtype(name)
    if dtype.str != name:
        raise ValueError(f"The dtype {name!r} is written {dtype.str!r}")
    return dtype


def is_tensor(array: NDArray) -> bool:
    """Whether safetensors knows such arrays."""
    return array.dtype.str in _NAMES


def as_bytes(array: NDArray) -> memoryview:
    """The values as they are written, without a copy where they lie so."""
    fortran = array.flags.f_contiguous and not array.flags.c_contiguous
    flat = np.ascontiguousarray(array.T if fortran else array).reshape(-1)
    return flat.view(np.uint8).data if flat.size else memoryview(b"")


def npy_header(layout: Layout) -> bytes:
    """What an npy of version 1.0 begins with, filled up to a multiple of 64 bytes."""
    text = (
        f"{{'descr': {layout.dtype!r}, 'fortran_order': {layout.order == 'F'}, "
        f"'shape': {layout.shape}, }}"
    )
    text += " " * (-(10 + len(text) + 1) % 64) + "\n"
    return b"\x93NUMPY\1\0" + struct.pack("<H", len(text)) + text.encode("ascii")


def safetensors_header(arrays: Iterable[tuple[str, Layout]]) -> bytes:
    """What a safetensors file begins with, filled up to a multiple of 64 bytes.

    One that lies in Fortran's order is told, and written, as its transpose.
    """
    table: dict[str, Any] = {}
    start = 0
    for name, layout in arrays:
        shape = layout.shape[::-1] if layout.order == "F" else layout.shape
        end = start + layout.n_bytes
        table[name] = {
            "dtype": _NAMES[layout.dtype],
            "shape": list(shape),
            "data_offsets": [start, end],
        }
        start = end
    text = json.dumps(table, separators=(",", ":")).encode("ascii")
    text += b" " * (-(8 + len(text)) % 64)
    return struct.pack("<Q", len(text)) + text
