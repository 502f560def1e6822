"""Random rotations: a fast one whose every sum has a fixed order, and an even one."""

from __future__ import annotations

from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

# Rounds of random signs and transforms: one for powers of two; fewer for other sizes,
# where a round has two transforms. Measured on texts and images, errors are then those
# of an evenly drawn rotation, and more rounds change nothing.
_ROUNDS, _ROUNDS_OF_TWO = 3, 2
# Values that are transformed at a time: they stay in the cache of a core.
_TOGETHER = 1 << 17


class Rotation(Protocol):
    """An orthogonal map of vectors."""

    def __call__(self, rows: NDArray[np.float64]) -> NDArray:
        """The images of the rows, shape (n, d)."""


class HadamardRotation(NamedTuple):
    """Random signs, then a Hadamard transform, some times over: ``d log d`` sums a row.

    Where d is no power of two, each round transforms the first 2^m entries and then the
    last, so that it is orthogonal in d dimensions, without padding. A row's result
    depends on that row alone: every entry is a float32 sum in one order, whatever the
    number of rows, the threads or the processor.
    """

    signs: NDArray[np.float32]  # (rounds, d)

    def __call__(self, rows: NDArray[np.float64]) -> NDArray[np.float32]:
        n, d = rows.shape
        out = np.empty((n, d), np.float32)
        step = max(1, _TOGETHER // d)
        for start in range(0, n, step):
            # A column a row, so that sums run along memory.
            x = np.ascontiguousarray(rows[start : start + step].T, dtype=np.float32)
            out[start : start + step] = _rounds(x, self.signs).T
        return out


class MatrixRotation(NamedTuple):
    """A product with an orthogonal matrix, in float64 by BLAS."""

    matrix: NDArray[np.float64]  # (d, d)

    def __call__(self, rows: NDArray[np.float64]) -> NDArray[np.float64]:
        return rows @ self.matrix


def draw_hadamard(d: int, random_state: np.random.RandomState) -> HadamardRotation:
    """A Hadamard rotation of d dimensions."""
    rounds = _ROUNDS if d & (d - 1) == 0 else _ROUNDS_OF_TWO
    bits = random_state.randint(0, 2, size=(rounds, d), dtype=np.int8)
    return HadamardRotation(np.where(bits, 1, -1).astype(np.float32))


def draw_matrix(d: int, random_state: np.random.RandomState) -> MatrixRotation:
    """A rotation drawn evenly from all of them (Haar)."""
    q, r = np.linalg.qr(random_state.standard_normal((d, d)))
    # QR alone prefers some.
    return MatrixRotation(q * np.where(np.diag(r) < 0, -1.0, 1.0))


def _rounds(x: NDArray[np.float32], signs: NDArray[np.float32]) -> NDArray[np.float32]:
    """Rotate the columns of x (d, n) in place."""
    d = len(x)
    size = 1 << (d.bit_length() - 1)
    for sign in signs:
        x *= sign[:, None]
        x[:size] = _hadamard(x[:size])
        if size < d:
            x[d - size :] = _hadamard(x[d - size :])
    return x


def _hadamard(x: NDArray[np.float32]) -> NDArray[np.float32]:
    """The orthonormal Walsh-Hadamard transform of columns of a power of two.

    Every pass adds and subtracts neighbours and puts the sums first: after log2 of the
    size passes, each entry is back in its place.
    """
    size = len(x)
    half = size // 2
    for _ in range(size.bit_length() - 1):
        y = np.empty_like(x)
        np.add(x[0::2], x[1::2], out=y[:half])
        np.subtract(x[0::2], x[1::2], out=y[half:])
        x = y
    return x * np.float32(size**-0.5)
