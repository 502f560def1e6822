"""Packed codes: made from bits, turned back into bits, and checked."""

from __future__ import annotations

from collections.abc import Callable
from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skhash.hamming import advice

MAX_BITS = 4096


def pack(bits: ArrayLike) -> NDArray[np.uint8]:
    """Pack bits into bytes, eight bits to a byte, the first bit highest.

    Parameters
    ----------
    bits : array-like of shape (n_samples, n_bits), bool or 0/1
        One row per item, 1 to 4096 bits.

    Returns
    -------
    codes : ndarray of shape (n_samples, ceil(n_bits / 8)), uint8
        C-contiguous. The last byte is padded with zeros, which never changes a
        distance.

    Raises
    ------
    ValueError
        If `bits` is not two-dimensional, holds anything but 0 and 1, or is not 1
        to 4096 bits wide.

    Examples
    --------
    >>> from skhash.hamming import pack
    >>> pack([[1, 0, 0, 0, 0, 0, 0, 0, 1], [0, 0, 0, 0, 0, 0, 0, 1, 0]])
    array([[128, 128],
           [  1,   0]], dtype=uint8)
    """
    array = advice.as_matrix(bits, "bits")
    if not 1 <= array.shape[1] <= MAX_BITS:
        raise ValueError(
            f"Codes have 1 to {MAX_BITS} bits, got an array of shape {array.shape}."
        )
    if array.dtype != bool:
        if array.dtype.kind not in "iuf" or not np.isin(array, (0, 1)).all():
            raise ValueError(
                f"Bits must be bool or 0/1, got other values (dtype {array.dtype}). "
                + (
                    "Bytes are packed codes already: use them as they are."
                    if array.dtype == np.uint8
                    else "Real outputs or ±1 signs become bits by `X > 0`."
                )
            )
        array = array != 0
    if array.shape[1] % 8 == 0 and array.flags.c_contiguous:  # many times quicker
        return np.packbits(array.ravel()).reshape(len(array), array.shape[1] // 8)
    return np.packbits(array, axis=1)


def unpack(codes: ArrayLike, n_bits: int) -> NDArray[np.bool_]:
    """Unpack codes into bits, dropping the padding.

    Parameters
    ----------
    codes : array-like of shape (n_samples, ceil(n_bits / 8)), uint8
        Packed codes, as made by :func:`pack`.
    n_bits : int
        The number of bits of each code.

    Returns
    -------
    bits : ndarray of shape (n_samples, n_bits), bool

    Raises
    ------
    TypeError
        If `n_bits` is no integer.
    ValueError
        If `codes` are no codes, or not ``ceil(n_bits / 8)`` bytes wide, or `n_bits` is
        not 1 to 4096.

    Examples
    --------
    >>> from skhash.hamming import pack, unpack
    >>> unpack(pack([[1, 0, 1]]), 3)
    array([[ True, False,  True]])
    """
    codes = check_codes(codes)
    n_bytes = -(-check_n_bits(n_bits) // 8)
    if codes.shape[1] != n_bytes:
        most = 8 * codes.shape[1]
        raise ValueError(
            f"{n_bits} bits take {n_bytes} bytes, got codes of {codes.shape[1]} bytes "
            f"(shape {codes.shape}), which hold {most - 7} to {most} bits."
        )
    return np.unpackbits(codes, axis=1, count=n_bits).view(bool)


def check_n_bits(n_bits: Any) -> int:
    """Return a number of bits as an int, or say what is wrong with it."""
    if isinstance(n_bits, bool) or not isinstance(n_bits, Integral):
        raise TypeError(f"n_bits must be an integer, got {n_bits!r}.")
    number = int(n_bits)
    if not 1 <= number <= MAX_BITS:
        raise ValueError(f"Codes have 1 to {MAX_BITS} bits, got n_bits={number}.")
    return number


def check_padding(codes: NDArray[np.uint8], n_bits: int, name: str) -> None:
    """Refuse packed codes that are not of `n_bits`: in width, or with ones beyond."""
    width = codes.shape[1]
    said = f"{name} is said to have codes of"
    if -(-n_bits // 8) != width:
        n_bytes = "1 byte" if width == 1 else f"{width} bytes"
        raise ValueError(
            f"{said} {n_bits} bits, but they are of {n_bytes}, which hold "
            f"{8 * width - 7} to {8 * width}."
        )
    if n_bits % 8 and (codes[:, -1] & (0xFF >> n_bits % 8)).any():
        raise ValueError(
            f"{said} {n_bits} bits, but there are ones beyond the first {n_bits} bits, "
            "where zeros pad them: give the number of bits that they were packed from."
        )


def check_codes(
    codes: ArrayLike, *, n_bytes: int | None = None, name: str = "codes"
) -> NDArray[np.uint8]:
    """Check that an array holds binary codes, and return them packed.

    One rule says what counts as codes: bool values are bits and get packed; uint8
    values are packed codes and are taken as they are, without a copy when they are
    C-contiguous; any other real dtype is accepted if every value is an integer from
    0 to 255, and cast.

    Parameters
    ----------
    codes : array-like of shape (n_samples, n_columns)
        Bits or packed codes. There may be no rows.
    n_bytes : int, default=None
        The width in bytes that the packed codes must have; any when None.
    name : str, default="codes"
        What to call the array in error messages.

    Returns
    -------
    codes : ndarray of shape (n_samples, n_bytes), uint8
        C-contiguous packed codes.

    Raises
    ------
    ValueError
        If the array is not two-dimensional, has no column or more than 4096 bits,
        holds values that are no bytes, or has another width than `n_bytes`.

    Examples
    --------
    >>> import numpy as np
    >>> from skhash.hamming import check_codes
    >>> check_codes([[3.0, 255.0]])
    array([[  3, 255]], dtype=uint8)
    >>> check_codes(np.array([[True, False, True]]))
    array([[160]], dtype=uint8)
    >>> check_codes([[0.5, -1.2]])
    Traceback (most recent call last):
        ...
    ValueError: Negative values in data passed to codes, such as -1.2 ...
    """
    return as_codes(advice.as_matrix(codes, name), codes, n_bytes=n_bytes, name=name)


def as_codes(
    array: NDArray, given: Any, *, n_bytes: int | None = None, name: str = "codes"
) -> NDArray[np.uint8]:
    """Codes from a two-dimensional array; `given` is what the user has, for advice."""
    checked = array
    if array.dtype == bool:
        checked = pack(array)
    elif array.dtype != np.uint8:
        checked = _bytes_of_numbers(array, given, name)
    width = checked.shape[1]
    if not 1 <= width <= MAX_BITS // 8:
        raise ValueError(
            f"Codes are 1 to {MAX_BITS // 8} bytes wide, {name} has {width} feature(s) "
            f"(shape={array.shape}). {advice.of_width(array)}"
        )
    if n_bytes is not None and width != n_bytes:
        bits = 8 * n_bytes - 7 <= width <= 8 * n_bytes and checked.max(initial=0) <= 1
        hint = advice.BITS if bits else "Are they codes of another number of bits?"
        raise ValueError(
            f"{name} must be {n_bytes} bytes wide, got {width} bytes "
            f"(shape={checked.shape}). {hint}"
        )
    return np.ascontiguousarray(checked)


def _bytes_of_numbers(array: NDArray, given: Any, name: str) -> NDArray[np.uint8]:
    """Codes from numbers that are bytes by value, or say what is wrong with them."""
    if array.dtype.kind == "O":
        try:
            array = array.astype(np.float64)
        except (TypeError, ValueError):
            raise ValueError(
                f"{name} of dtype object hold values that are no numbers. "
                f"{advice.SIGNS}"
            ) from None
    if array.dtype.kind not in "iuf":
        remedy = advice.advice(array, name) or advice.SIGNS
        raise ValueError(f"{name} of dtype {array.dtype} are no codes. {remedy}")
    if array.size == 0:
        return array.astype(np.uint8)
    low = array.min()
    if low < 0:
        fault = f"Negative values in data passed to {name}, such as {low!s}"
    # NaN fails this comparison, too.
    elif not array.max() <= 255:
        fault = f"Found values in {name} that are NaN or above 255, which are no bytes"
    else:
        packed = array.astype(np.uint8)
        if np.array_equal(packed, array):
            return packed
        fault = f"Found values in {name} that are no integers"
    remedy = advice.of_numbers(array, given) or advice.SIGNS
    raise ValueError(f"{fault} (dtype {array.dtype}). {remedy}")


# What a transformer makes of real outputs z, by its parameter `output`: one rule for a
# bit, z > 0, everywhere.
MADE_OF_Z: dict[str, Callable[[NDArray], NDArray]] = {
    "packed": lambda z: pack(z > 0),
    "bits": lambda z: z > 0,
    "signs": lambda z: np.where(z > 0, np.int8(1), np.int8(-1)),
    "embedding": lambda z: z,
}
