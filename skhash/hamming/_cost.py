"""What searches cost on this machine: measured, since processors differ widely."""

from collections.abc import Callable
from time import perf_counter
from typing import Any


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
