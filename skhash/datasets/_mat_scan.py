"""A check of what a MATLAB file claims, before scipy believes it.

A compressed variable of three numbers may have gigabytes behind them, a cell array may
claim more cells than there are bytes, and cells may be nested deeper than scipy's
recursion goes. The file is followed as scipy follows it: tag by tag, whatever it says
about the lengths of matrices that hold others.
"""

import math
import struct
import zlib
from collections.abc import Callable, Container
from contextlib import suppress
from typing import IO

import numpy as np

from skhash.datasets._files import MOST_INFLATED, describe_size

# Types of elements, and classes of matrices, as the format numbers them.
_MATRIX, _COMPRESSED = 14, 15
_CELL, _STRUCT, _OBJECT, _CHAR, _SPARSE, _FUNCTION, _OPAQUE = 1, 2, 3, 4, 5, 16, 17
_FULL = range(6, 16)
# Types that elements may have; scipy looks others up beyond the end of its table.
_LETTERS = (1, 2, 4, 16, 17, 18)
_WHOLE = (5, 6)
_NUMBERS = (1, 2, 3, 4, 5, 6, 7, 9, 12, 13)
# Flag of a matrix that has imaginary parts.
_COMPLEX = 0x800
# Axes of a matrix, and levels of nested cells, that are followed.
_SCIPY_AXES = 32
_DEEPEST = 50
# Bytes of the widest number, and of the tag that even an empty matrix in a cell has.
_WIDEST = 8
# Matrices inside others: to follow this many takes seconds.
_MOST_INNER = 4 * 10**6
# Bytes that the name of a variable, or the names of a struct's fields, may take.
_MOST_NAMES = 2**20
# This many values without any bytes of their own do no harm.
_FREE = 10**4
# Bytes that are read at a time.
_PIECE = 2**16
# Bytes of a number in files of version 4, by the tens digit of its type.
_OLD_WIDTHS = (8, 4, 4, 2, 2, 1)


class _End(Exception):
    """The file ends, or goes on with something else; scipy will stop here, too."""


def check_claims(file: IO[bytes], n_bytes: int, version: int) -> None:
    """Raise a ValueError if a file of `n_bytes` cannot be what it claims to be."""
    if version == 0:
        _check_old(file, n_bytes)
    else:
        _check_variables(file, n_bytes)


class _Source:
    """Bytes of a file, unpacked if need be, of which at most `left` remain."""

    def __init__(self, read: Callable[[int], bytes], left: int, order: str) -> None:
        self._read = read
        self.left = left
        self.order = order
        self.n_inner = 0

    def take(self, count: int) -> bytes:
        content = b""
        while len(content) < count:
            piece = self._read(min(count - len(content), _PIECE))
            if not piece:
                raise _End
            content += piece
        self.left -= count
        return content

    def skip(self, count: int) -> None:
        while count > 0:
            count -= len(self.take(min(count, _PIECE)))

    def numbers(self, count: int, code: str = "I") -> tuple[int, ...]:
        return struct.unpack(f"{self.order}{count}{code}", self.take(4 * count))

    def tag(self, most: int, kinds: Container[int], what: str) -> tuple[int, bytes]:
        """Number of bytes that follow, or the bytes of a short element, in its tag."""
        kind, size = self.numbers(2)
        short = b""
        if kind >> 16:
            short = struct.pack(f"{self.order}I", size)[: kind >> 16]
            kind, size = kind & 0xFFFF, len(short)
        if kind not in kinds:
            raise ValueError(f"{what} is of type {kind}, which it cannot be")
        if size > min(most, self.left + len(short)):
            raise ValueError(
                f"{what} claims {describe_size(size)}, but {min(most, self.left)} are "
                "the most it can have"
            )
        return (0, short) if short else (size, b"")

    def skip_element(self, most: int, kinds: Container[int], what: str) -> int:
        """Go to the next element, and say how many bytes this one has."""
        size, short = self.tag(most, kinds, what)
        self.skip(size + -size % 8)
        return size + len(short)

    def integers(self, most: int, what: str) -> np.ndarray:
        size, content = self.tag(4 * most, _WHOLE, what)
        content = content or self.take(size)
        self.skip(-size % 8)
        if len(content) % 4:
            raise ValueError(f"{what} has {len(content)} bytes")
        return np.frombuffer(content, f"{self.order}i4").astype(np.int64)


def _inflated(file: IO[bytes], left: int) -> Callable[[int], bytes]:
    unpacker = zlib.decompressobj()

    def read(count: int) -> bytes:
        nonlocal left
        while not unpacker.eof:
            packed = unpacker.unconsumed_tail
            if not packed:
                packed = file.read(min(left, _PIECE))
                left -= len(packed)
            if content := unpacker.decompress(packed, count):
                return content
            if not packed:
                break
        return b""

    return read


def _check_variables(file: IO[bytes], n_bytes: int) -> None:
    file.seek(126)
    order = "<" if file.read(2) == b"IM" else ">"
    position = 128
    while position + 8 <= n_bytes:
        file.seek(position)
        kind, size = struct.unpack(f"{order}2I", file.read(8))
        position += 8 + size
        left = min(size, n_bytes - position + size)
        # What cannot be followed cannot be read, and scipy says why.
        with suppress(_End, zlib.error):
            source = _Source(file.read, left, order)
            if kind == _COMPRESSED:
                unpack = _inflated(file, left)
                source = _Source(unpack, MOST_INFLATED * left, order)
                kind, _ = source.numbers(2)
            if kind == _MATRIX:
                _check_matrix(source, 0, is_last=True)


def _check_matrix(source: _Source, depth: int, is_last: bool) -> None:
    """Check the matrix whose tag was read; skip its numbers if something follows."""
    if depth > _DEEPEST:
        raise ValueError(f"its cells are nested more than {_DEEPEST} deep")
    _, _, flags, most_nonzero = source.numbers(4)
    kind = flags & 0xFF
    if kind == _OPAQUE:
        for _ in range(3):
            source.skip_element(_MOST_NAMES, _LETTERS, "a name")
        _check_inner(source, 1, depth)
        return
    dims = source.integers(_SCIPY_AXES, "a shape").tolist()
    source.skip_element(_MOST_NAMES, _LETTERS, "a name")
    if len(dims) < 2 or min(dims) < 0:
        raise ValueError(f"a variable claims the shape {tuple(dims)}")
    count, n_parts = math.prod(dims), 2 if flags & _COMPLEX else 1
    if kind == _FUNCTION:
        _check_inner(source, 1, depth)
    elif kind == _CELL:
        _check_inner(source, count, depth)
    elif kind in (_STRUCT, _OBJECT):
        _check_inner(source, count * _n_fields(source, kind), depth, count)
    elif kind == _SPARSE:
        _check_sparse(source, dims, max(most_nonzero, 1))
        _check_numbers(source, most_nonzero, _NUMBERS, n_parts, is_last)
    elif kind == _CHAR:
        _check_numbers(source, count, _LETTERS, 1, is_last)
    elif kind in _FULL:
        _check_numbers(source, count, _NUMBERS, n_parts, is_last)
    else:
        raise ValueError(f"a variable is of class {kind}, which does not exist")


def _check_numbers(
    source: _Source, count: int, kinds: Container[int], n_parts: int, is_last: bool
) -> None:
    """Check `n_parts` parts of `count` numbers each, of at least a byte."""
    what = f"a variable of {count} values"
    for part in range(n_parts):
        most = _WIDEST * max(count, 1)
        if is_last and part == n_parts - 1:
            size, short = source.tag(most, kinds, what)
            size += len(short)
        else:
            size = source.skip_element(most, kinds, what)
        if size < count and count > _FREE:
            raise ValueError(f"{what} claims to have them in {size} bytes")


def _check_sparse(source: _Source, dims: list[int], most_nonzero: int) -> None:
    """Check the positions in a sparse matrix, which scipy takes on trust."""
    rows = source.integers(most_nonzero, "rows of a sparse variable")
    starts = source.integers(dims[1] + 1, "columns of a sparse variable")
    is_whole = (
        len(dims) == 2
        and len(starts) == dims[1] + 1
        and starts[0] == 0
        and (np.diff(starts) >= 0).all()
        and starts[-1] <= len(rows)
        and ((rows >= 0) & (rows < max(dims[0], 1))).all()
    )
    if not is_whole:
        raise ValueError(f"a sparse variable claims places beyond its shape {dims}")


def _n_fields(source: _Source, kind: int) -> int:
    if kind == _OBJECT:
        source.skip_element(_MOST_NAMES, _LETTERS, "a name")
    lengths = source.integers(1, "the length of names")
    size = source.skip_element(_MOST_NAMES, _LETTERS, "a list of names")
    if len(lengths) != 1 or lengths[0] <= 0:
        raise ValueError("a variable claims names of no length")
    return size // int(lengths[0])


def _check_inner(source: _Source, count: int, depth: int, n_values: int = 0) -> None:
    """Check the matrices that a cell array or another variable holds."""
    count_held = max(count, n_values)
    source.n_inner += count_held
    if count_held > source.left // _WIDEST + _FREE or source.n_inner > _MOST_INNER:
        raise ValueError(
            f"a variable claims to hold {count_held} others; at most {_MOST_INNER} are "
            f"read, and its {source.left} bytes may be too few"
        )
    for _ in range(count):
        kind, size = source.numbers(2)
        if kind != _MATRIX:
            raise _End
        if size:
            _check_matrix(source, depth + 1, is_last=False)


def _check_old(file: IO[bytes], n_bytes: int) -> None:
    """Check the matrices of a file of version 4: each a header, a name and numbers."""
    position = 0
    file.seek(0)
    order = "<"
    while position + 20 <= n_bytes:
        file.seek(position)
        header = file.read(20)
        if position == 0 and not 0 <= struct.unpack("<i", header[:4])[0] <= 5000:
            order = ">"
        kind, n_rows, n_columns, is_complex, n_name = struct.unpack(
            f"{order}5i", header
        )
        width = _OLD_WIDTHS[kind // 10 % 10] if kind // 10 % 10 < 6 else _WIDEST
        size = n_rows * n_columns * width * (2 if is_complex == 1 else 1)
        left = n_bytes - position - 20 - n_name
        if min(n_rows, n_columns, n_name) < 0 or size > left:
            raise ValueError(
                f"a variable of shape ({n_rows}, {n_columns}) claims "
                f"{describe_size(size)}, of which {left} are there"
            )
        position += 20 + n_name + size
