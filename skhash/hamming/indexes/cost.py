"""What searches cost on this machine: measured, since processors differ widely."""

from collections.abc import Callable
from time import perf_counter
from typing import Any

# Queries that are tried before the rest is taken to be like them.
TRIED = 32
# Share of tries answered below which an index is passed over, and how often in a row.
RARELY, PASSED = 1 / 8, 15
# Tries, in units of `TRIED`, after which half of them are forgotten.
FADING = 4


def least_seconds(*calls: Callable[[], Any], repeats: int = 3) -> list[float]:
    """Time calls in turn, and return the least time of each.

    Whatever else the machine does can only add to a time, so the least is the truest.
    """
    least = [float("inf")] * len(calls)
    for _ in range(repeats):
        for i, call in enumerate(calls):
            start = perf_counter()
            call()
            least[i] = min(least[i], perf_counter() - start)
    return least


class Record:
    """How often an index has answered sooner than a scan, by number of neighbours.

    Where it hardly ever did, few calls try it again: enough to notice when later
    queries are of another kind. Threads may write at once; a count lost is no matter.
    """

    def __init__(self) -> None:
        # For k of 1, 2 to 3, 4 to 7 and so on: tried, answered, calls not tried since.
        self._counts = [[0, 0, 0] for _ in range(65)]

    def promises(self, k: int) -> bool:
        """Whether to try the index for k neighbours."""
        counts = self._counts[k.bit_length()]
        tried, answered, passed = counts
        if tried < TRIED or answered > RARELY * tried or passed >= PASSED:
            counts[2] = 0
            return True
        counts[2] += 1
        return False

    def note(self, k: int, tried: int, answered: int) -> None:
        """Remember a try; former ones fade."""
        counts = self._counts[k.bit_length()]
        if counts[0] > FADING * TRIED:
            counts[0] //= 2
            counts[1] //= 2
        counts[0] += tried
        counts[1] += answered
