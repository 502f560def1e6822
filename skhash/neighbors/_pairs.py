"""Pairs of codes near each other, a part at a time."""

import numpy as np

from skhash.progress import followed

# Rows of the database that are compared with all later ones at a time, at most; and
# how many pairs there may be, of more rows than one.
ROWS, MOST = 1024, 1 << 21


def pairs_within(database, radius, n_jobs, verbose=0):
    """Yield names of the left and the right codes, and their distances, in parts."""
    codes, row = database.codes, 0
    searcher = database.searcher_within(radius, len(codes), n_jobs)
    starts = range(0, len(codes), ROWS)
    for first in followed(
        starts, "comparing", len(starts), size=lambda _: 1, verbose=verbose
    ):
        rows = codes[first : first + ROWS]
        # Rows before the first have met these already.
        part, start = searcher.from_row(first)
        for found in part.parts_within(rows, radius, MOST, n_jobs=n_jobs):
            indptr, distances, right = found
            n_rows = len(indptr) - 1
            left = row + np.repeat(np.arange(n_rows), np.diff(indptr))
            right += start
            once = right > left
            if once.any():
                left, right = left[once], right[once]
                yield database.named(left), database.named(right), distances[once]
            row += n_rows
