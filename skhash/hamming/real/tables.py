"""What each digit of a code adds to its product with a query, as tables.

Where a code's bit is one it adds the query's level, where it is zero what the level
lacks to the highest. A digit is four bits of a code and has sixteen values: the sums
for all of them are its table.
"""

import numpy as np
from numpy.typing import NDArray

from skhash.hamming.simd.bytes import DIGITS
from skhash.hamming.simd.jit import kernel

# Bits of a level that one table holds, since four of them must fit an entry; a level of
# more bits has two tables, of its low bits and of the others.
PART_BITS = 4


@kernel
def fill_tables(levels: NDArray, most: int, tables: NDArray) -> None:
    """Fill tables of one query, of shape (n_parts, n_columns, 32).

    A row holds the tables of the high and of the low digit of a byte. Bits behind the
    last add nothing.
    """
    mask = (1 << PART_BITS) - 1
    for part in range(tables.shape[0]):
        shift = part * PART_BITS
        for column in range(tables.shape[1]):
            for digit in range(2):
                table = tables[part, column, digit * DIGITS : (digit + 1) * DIGITS]
                table[:] = 0
                for bit in range(4):
                    # The first bit of a digit is the highest of its value.
                    at = 8 * column + 4 * digit + 3 - bit
                    if at < levels.size:
                        level = np.int64(levels[at])
                        one = (level >> shift) & mask
                        zero = ((most - level) >> shift) & mask
                        for value in range(DIGITS):
                            table[value] += one if (value >> bit) & 1 else zero
