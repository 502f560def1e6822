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


def with_chunk(fold: Fold, take, rows: np.ndarray, step: int) -> Fold:
    """Go on with a chunk: ``made = take(made, block)`` for each whole block."""
    made, left = fold
    if left is not None and len(left):
        missing = step - len(left)
        left, rows = np.concatenate([left, rows[:missing]]), rows[missing:]
        if len(left) < step:
            return Fold(made, left)
        made = take(made, left)
    whole = len(rows) // step * step
    for start in range(0, whole, step):
        made = take(made, rows[start : start + step])
    return Fold(made, rows[whole:].copy())


def ended(fold: Fold, take) -> Any:
    """What all blocks made, with the last one, which may be short."""
    made, left = fold
    return made if left is None or not len(left) else take(made, left)
