"""Sums over blocks of rows, whatever chunks the rows come in.

A sum of floats hangs on its order. So rows are taken in the blocks in which one process
takes them, which begin in one chunk and may end in another.
"""

from typing import Any, NamedTuple

import numpy as np


class Fold(NamedTuple):
    """What blocks so far made, and the rows of a block that is not whole yet."""

    made: Any
    left: np.ndarray | None = None


def with_chunk(fold: Fold, take, rows, step: int) -> Fold:
    """Go on with a chunk: ``made = take(made, block)`` for each whole block.

    The rows are an array, or what has a length and makes an array of each slice.
    """
    made, left = fold
    start = 0
    if left is not None and len(left):
        start = min(step - len(left), len(rows))
        left = np.concatenate([left, rows[:start]])
        if len(left) < step:
            return Fold(made, left)
        made = take(made, left)
    stop = start + (len(rows) - start) // step * step
    for first in range(start, stop, step):
        made = take(made, rows[first : first + step])
    return Fold(made, rows[stop : len(rows)].copy())


def ended(fold: Fold, take) -> Any:
    """What all blocks made, with the last one, which may be short."""
    made, left = fold
    return made if left is None or not len(left) else take(made, left)
