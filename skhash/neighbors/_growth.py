"""Arrays that grow at their end: many small additions cost no more than few large."""

from dataclasses import dataclass

import numpy as np


@dataclass
class Reserve:
    """Memory for more rows than there are yet, and how many of them are taken."""

    rows: np.ndarray
    taken: int


def grown(old, new, reserve):
    """The rows of `old` with `new` ones behind them, and the memory they lie in.

    Readers of the old rows see no change.
    """
    n, total = len(old), len(old) + len(new)
    # Another array that grew from the same rows may have taken those after ours.
    if reserve is None or reserve.taken != n or len(reserve.rows) < total:
        rows = np.empty((max(total, 2 * n), *old.shape[1:]), old.dtype)
        reserve = Reserve(rows, total)
        reserve.rows[:n] = old
    # Whoever reads `old` does not look beyond its n rows.
    reserve.rows[n:total] = new
    reserve.taken = total
    return reserve.rows[:total], reserve
