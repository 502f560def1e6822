"""The column of codes in Arrow and Parquet, which all readers and writers share."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from skhash.export._engines import engine


def code_array(codes: NDArray[np.uint8]) -> Any:
    """Packed codes as a FixedSizeBinaryArray; contiguous bytes are not copied."""
    pa = engine("pyarrow")
    n, width = codes.shape
    data = pa.py_buffer(np.ascontiguousarray(codes))
    return pa.FixedSizeBinaryArray.from_buffers(pa.binary(width), n, [None, data])


def codes_in(array: Any) -> NDArray[np.uint8]:
    """The packed codes of such an array, without a copy."""
    width = array.type.byte_width
    data = np.frombuffer(array.buffers()[1], np.uint8)
    return data[array.offset * width :][: len(array) * width].reshape(-1, width)


def notes(n_bits: int, ids_given: bool) -> dict[str, str]:
    """Metadata of a schema: bits of a code, and whether ids are more than rows."""
    return {"n_bits": str(n_bits), "ids": "given" if ids_given else "rows"}
