"""Lower bounds of blocks of items, query by query: the inner loops as kernels."""

import numpy as np
from numpy.typing import NDArray

from skhash.hamming.real.queries import GridQueries
from skhash.hamming.real.tables import PART_BITS, fill_tables
from skhash.hamming.simd.bytes import (
    DIGITS,
    GROUP,
    ROWS,
    columns_of_4,
    columns_of_8,
    columns_of_16,
    digit_sums,
)
from skhash.hamming.simd.jit import kernel

# Bytes of codes that are laid out in columns at a time: they stay in the first cache.
BLOCK_BYTES = 1 << 14
# Items at most. Longer columns would get into each other's way in that cache.
BLOCK_ITEMS = 512


# Plain tuples travel: a cache of kernels that names a class of ours would not load
# where the class has gone.
Items = tuple[NDArray, NDArray, NDArray, NDArray]
Queries = tuple[NDArray, int, NDArray, NDArray, NDArray]
Room = tuple[NDArray, NDArray, NDArray, NDArray]


def as_queries(
    queries: GridQueries, constants: NDArray[np.float64], widths: NDArray[np.float64]
) -> Queries:
    """Levels, the highest level, steps, constants and widths, for kernels."""
    return queries.levels, queries.most, queries.steps, constants, widths


def as_items(codes: NDArray[np.uint8], factors: NDArray[np.float32]) -> Items:
    """Codes, slopes, offsets and errors, each in one piece, for kernels.

    Read-only always, so that kernels meet one type.
    """
    codes, columns = codes.view(), np.ascontiguousarray(factors.T).view()
    codes.setflags(write=False)
    columns.setflags(write=False)
    slopes, offsets, errors = columns
    return codes, slopes, offsets, errors


@kernel
def make_room(items: Items, queries: Queries, first: int, last: int) -> Room:
    """Where a task works: columns, tables of its queries, sums, bounds of a block."""
    n_bytes, levels, most = items[0].shape[1], queries[0], queries[1]
    step = max(GROUP, min(BLOCK_ITEMS, BLOCK_BYTES // n_bytes // GROUP * GROUP))
    n_columns = (n_bytes + 1) // 2 * 2
    n_parts = 1 if most < 1 << PART_BITS else 2
    tables = np.empty((last - first, n_parts, n_columns, 2 * DIGITS), np.uint8)
    for q in range(first, last):
        fill_tables(levels[q], most, tables[q - first])
    columns = np.zeros((n_columns, step), np.uint8)
    sums = np.empty((n_parts, step), np.uint16)
    return columns, tables, sums, np.empty(step)


@kernel
def lay_out(codes: NDArray, first: int, last: int, columns: NDArray) -> None:
    """Copy ``codes[first:last]`` to columns, ``columns[byte, item]``.

    What stands behind the last item and the last byte does not matter.
    """
    n, n_bytes = last - first, codes.shape[1]
    width = 16 if n_bytes >= 16 else 8 if n_bytes >= 8 else 4
    whole = n // ROWS * ROWS if n_bytes >= width else 0
    for item in range(0, whole, ROWS):
        for start in range(0, n_bytes, width):
            # The last bytes may be copied twice.
            at = min(start, n_bytes - width)
            if width == 16:
                columns_of_16(codes, first + item, at, columns, item)
            elif width == 8:
                columns_of_8(codes, first + item, at, columns, item)
            else:
                columns_of_4(codes, first + item, at, columns, item)
    for j in range(n_bytes):
        for i in range(whole, n):
            columns[j, i] = codes[first + i, j]


@kernel
def lower_bounds(
    items: Items, first: int, last: int, queries: Queries, q: int, at: int, room: Room
) -> None:
    """Write the bounds of the items laid out in a room for query `q`, its `at`-th."""
    columns, all_tables, all_sums, all_bounds = room
    levels, most, steps, constants, widths = queries
    n, n_parts = last - first, all_sums.shape[0]
    for part in range(n_parts):
        tables, sums = all_tables[at, part], all_sums[part]
        for item in range(0, n, GROUP):
            digit_sums(columns, item, tables, sums)
    # Slices, so that LLVM sees loops over memory in one piece.
    slopes, offsets = items[1][first:last], items[2][first:last]
    errors, bounds = items[3][first:last], all_bounds[:n]
    low, high = all_sums[0, :n], all_sums[n_parts - 1, :n]
    step, constant, width = steps[q], constants[q], widths[q]
    middle = most * levels.shape[1] / 2
    # Each line as in the plain twin, and in its order.
    if n_parts == 1:
        for i in range(n):
            product = step * (np.float64(low[i]) - middle)
            value = np.float64(slopes[i]) * product + np.float64(offsets[i]) + constant
            bounds[i] = value - width * np.float64(errors[i])
    else:
        for i in range(n):
            total = np.int32(low[i]) + (np.int32(high[i]) << np.int32(PART_BITS))
            product = step * (np.float64(total) - middle)
            value = np.float64(slopes[i]) * product + np.float64(offsets[i]) + constant
            bounds[i] = value - width * np.float64(errors[i])
