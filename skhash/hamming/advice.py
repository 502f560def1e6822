"""What to say of arrays that hold no codes: the line that makes codes of them."""

from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import NDArray

SIGNS = (
    "Codes are bool bits or uint8 bytes; real outputs and ±1 signs become codes by "
    "`skhash.hamming.pack(X > 0)`."
)
BITS = (
    "0 and 1 are bits: `X.astype(bool)` says so, `skhash.hamming.pack(X)` packs them."
)
SIGNED = (
    "Packed codes as signed bytes, such as those of sentence-transformers' "
    '"binary" precision, become codes by `(X.astype(int) + 128).astype(np.uint8)`.'
)
RAGGED = (
    "The rows of {name} have different lengths, but all codes of an array have the "
    "same number of bits or bytes."
)
WORDS = "Words of packed bits become codes by `{}`."
BYTES = (
    "Byte strings of one length become codes by "
    '`np.frombuffer(b"".join(X), np.uint8).reshape(len(X), -1)`.'
)
ONE_ROW_PER_ITEM = (
    "Codes have one row per item; reshape a single code by `code.reshape(1, -1)`."
)
HEX = (
    "Strings are no codes; hexadecimal ones become codes by "
    '`np.frombuffer(bytes.fromhex("".join(X)), np.uint8).reshape(len(X), -1)`.'
)
TEXT_BITS = (
    "Strings are no codes; those of 0 and 1 become codes by "
    '`np.array([list(x) for x in X]) == "1"`.'
)


def as_matrix(codes: Any, name: str) -> NDArray:
    """A container of rows as a two-dimensional array, or say what is wrong with it."""
    try:
        array: NDArray = np.asarray(codes)
    except ValueError:
        raise ValueError(RAGGED.format(name=name)) from None
    if array.ndim == 2:
        return array
    raise ValueError(
        f"Expected 2D array as {name}, got {array.ndim}D array instead. "
        f"{_of_shape(array, codes, name) or ONE_ROW_PER_ITEM}"
    )


def advice(given: Any, name: str) -> str:
    """The sentence that helps with what was given; empty for what may be codes."""
    try:
        array = np.asarray(given)
    except ValueError:
        return RAGGED.format(name=name)
    if array.dtype.kind in "SUT":
        return _of_strings(array)
    if array.ndim != 2:
        return _of_shape(array, given, name)
    if array.dtype == bool:
        return ""
    return BITS if _zeros_and_ones(array) else of_numbers(array, given)


def of_numbers(array: NDArray, given: Any) -> str:
    """The sentence for numbers of which some are no bytes; empty if all are."""
    array = _exact(array, given)
    if array.dtype.kind not in "iu":
        return SIGNS
    low, high = (int(array.min()), int(array.max())) if array.size else (0, 0)
    if low >= 0 and high <= 255:
        return ""
    if low >= -1 and high <= 1:
        return SIGNS
    if low >= -128 and high <= 127:
        return SIGNED
    return WORDS.format(_viewed(array, given))


def of_width(array: NDArray) -> str:
    """The sentence for codes of a width that cannot be."""
    if array.dtype != bool and _zeros_and_ones(array):
        return BITS
    return "Features become codes by an encoder, such as `DeepHashEncoder().fit(X, y)`."


def is_ragged(given: Any) -> bool:
    """Whether rows differ in length."""
    try:
        array = np.asarray(given)
    except ValueError:
        return True
    return array.dtype == object and array.ndim == 1 and _rows_differ(array)


def _viewed(array: NDArray, given: Any) -> str:
    """The expression that views words as bytes, in the machine's byte order."""
    plain = isinstance(given, np.ndarray) and given.dtype.kind in "iu"
    if not plain or not given.dtype.isnative:
        return f"np.ascontiguousarray(X, dtype=np.{array.dtype.name}).view(np.uint8)"
    if not given.flags.c_contiguous:
        return "np.ascontiguousarray(X).view(np.uint8)"
    return "X.view(np.uint8)"


def _of_shape(array: NDArray, given: Any, name: str) -> str:
    """The sentence for an array that is no matrix; empty if none helps."""
    if hasattr(given, "toarray"):
        return "A sparse matrix becomes one of bits by `X.toarray().astype(bool)`."
    if array.ndim == 1 and array.dtype.kind in "SUTO" and array.size:
        if array.dtype != object or isinstance(array[0], str | bytes):
            return _of_strings(array)
        if hasattr(array[0], "__len__"):
            ragged = RAGGED.format(name=name)
            return ragged if _rows_differ(array) else "Stack rows by `np.stack(X)`."
    exact = _exact(array, given)
    if array.ndim == 1 and exact.dtype.kind in "iu" and _beyond_bytes(exact):
        return WORDS.format(
            "np.asarray(X, dtype=np.uint64).reshape(-1, 1).view(np.uint8)"
        )
    if array.ndim > 2:
        return "Codes have one row per item: `X.reshape(len(X), -1)`."
    return ""


def _of_strings(array: NDArray) -> str:
    """The sentence for strings or bytes."""
    values = array.ravel().tolist()
    if any(isinstance(value, bytes) for value in values):
        return BYTES
    letters = set("".join(map(str, values)))
    return TEXT_BITS if letters and letters <= set("01") else HEX


def _zeros_and_ones(array: NDArray) -> bool:
    """Whether there are numbers, and all are 0 or 1."""
    numbers = array.size > 0 and array.dtype.kind in "iuf"
    return bool(numbers and np.isin(array, (0, 1)).all())


def _exact(array: NDArray, given: Any) -> NDArray:
    """Integers as such, where lists and objects of them became floats."""
    listed = isinstance(given, list | tuple)
    if not listed and getattr(given, "dtype", None) != np.dtype(object):
        return array
    values = np.array(given, dtype=object)
    integers = [int(v) for v in values.flat if isinstance(v, Integral)]
    if not integers or len(integers) < values.size:
        return array
    for dtype in (np.int64, np.uint64):
        limits = np.iinfo(dtype)
        if limits.min <= min(integers) and max(integers) <= limits.max:
            return np.array(integers, dtype=dtype).reshape(values.shape)
    return array


def _rows_differ(array: NDArray) -> bool:
    """Whether rows have different lengths."""
    lengths = {len(row) if hasattr(row, "__len__") else -1 for row in array}
    return len(lengths) > 1


def _beyond_bytes(array: NDArray) -> bool:
    """Whether some integer is beyond both signed and unsigned bytes."""
    return array.size > 0 and (int(array.max()) > 255 or int(array.min()) < -128)
