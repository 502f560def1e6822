"""Numbers that are the same for equal values on every worker, unlike Python's hash."""

from numbers import Integral

import numpy as np

_ODD = np.uint64(0x9E3779B97F4A7C15)
_BITS = (1 << 64) - 1


def hashes(column):
    """A number for each value of a checked column, uint64 of shape (n,).

    Equal values of one kind have equal numbers, whatever dtype holds them.
    """
    kind = column.dtype.kind
    if kind == "O":
        return _of_objects(column)
    if kind in "biu":
        return mixed(column.astype(np.uint64, casting="unsafe"))
    if kind == "f":  # adding zero makes -0.0 what it equals
        return mixed((column.astype(np.float64) + 0.0).view(np.uint64))
    if kind in "Mm":  # in one unit, which may put neighbours together
        unit = "M8[D]" if kind == "M" else "m8[s]"
        return mixed(column.astype(unit).view(np.int64).astype(np.uint64))
    if kind == "T":
        column = np.array(column.tolist(), dtype=np.str_)
    if kind == "S":
        return _of_characters(column, np.uint8)
    return _of_characters(column, np.uint32)


def hashes_of_rows(rows):
    """The same for the rows of a matrix of 0 and 1, dense or sparse."""
    weights = mixed(np.arange(1, rows.shape[1] + 1, dtype=np.uint64))
    if hasattr(rows, "indptr"):
        sums = np.concatenate(
            [np.zeros(1, np.uint64), np.cumsum(weights[rows.indices])]
        )
        return mixed(sums[rows.indptr[1:]] - sums[rows.indptr[:-1]])
    return mixed(rows.astype(np.uint64) @ weights)


def mixed(numbers):
    """Numbers spread over all 64 bits, so that the lowest ones are fit to choose by."""
    numbers = numbers * _ODD
    numbers = (numbers ^ (numbers >> np.uint64(29))) * _ODD
    return numbers ^ (numbers >> np.uint64(32))


def _of_objects(column):
    values = column.tolist()
    if all(isinstance(value, str) for value in values):
        return _of_characters(np.array(values, dtype=np.str_), np.uint32)
    if all(isinstance(value, bytes) for value in values):
        return _of_characters(np.array(values, dtype=np.bytes_), np.uint8)
    if all(isinstance(value, Integral) for value in values):
        return mixed(np.array([int(v) & _BITS for v in values], dtype=np.uint64))
    # Of others no more is known than that they can be equal.
    return np.zeros(len(column), dtype=np.uint64)


def _of_characters(column, dtype):
    """Of fixed width: zeros at the end add nothing."""
    if not len(column) or not column.dtype.itemsize:
        return mixed(np.zeros(len(column), dtype=np.uint64))
    return hashes_of_table(
        np.ascontiguousarray(column).view(dtype).reshape(len(column), -1)
    )


def hashes_of_table(table):
    """The same for the rows of a matrix of small numbers."""
    total = np.zeros(len(table), dtype=np.uint64)
    for i, weight in enumerate(
        mixed(np.arange(1, table.shape[1] + 1, dtype=np.uint64))
    ):
        total += table[:, i] * weight
    return mixed(total)
