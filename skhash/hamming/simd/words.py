"""Codes seen as machine words, which the kernels read."""

import numpy as np
from numpy.typing import NDArray

# Widths, in words, that get a kernel of their own; others share one.
UNROLLED = (1, 2, 4)
# A vector that kernels work on: 512 bits.
VECTOR_BYTES = 64
_HALF, _WHOLE = np.dtype(np.uint32), np.dtype(np.uint64)


def as_words(codes: NDArray[np.uint8]) -> NDArray:
    """View codes as 64-bit words, or 32-bit ones up to 32 bits.

    The caller's memory when it is aligned and a whole number of words wide, a copy
    padded with zeros otherwise. Read-only always, so that kernels meet one type.
    """
    word = _word(codes.shape[1])
    if codes.shape[1] % word.itemsize:
        words = padded(codes).view(word)
    else:
        words = np.asarray(codes).view(word)
        if not words.flags.aligned:
            words = padded(codes).view(word)
    words.setflags(write=False)
    return words


def padded(codes: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Pad codes with zeros to whole, aligned words; the same array if they are."""
    n, n_bytes = codes.shape
    word = _word(n_bytes)
    width = -(-n_bytes // word.itemsize) * word.itemsize
    if n_bytes == width and codes.view(word).flags.aligned:
        return codes
    whole = np.zeros((n, width), np.uint8)
    whole[:, :n_bytes] = codes
    return whole


def _word(n_bytes: int) -> np.dtype:
    """The kind of word for codes of a width."""
    return _HALF if n_bytes <= _HALF.itemsize else _WHOLE


def width_tag(words: NDArray) -> tuple[int, ...]:
    """Return a tuple whose type tells a kernel how many words a code has."""
    n_words = words.shape[1]
    return (0,) * n_words if n_words in UNROLLED else ()


def lanes(words: NDArray) -> int:
    """Return how many words of this width fill a vector."""
    return VECTOR_BYTES // words.itemsize
