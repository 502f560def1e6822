"""A lock that outlives a fork."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from threading import RLock


class ForkedLock:
    """A reentrant lock that nobody holds in a process that was forked.

    The thread that held it does not survive the fork, and would never give it back.
    """

    def __init__(self) -> None:
        self._renew()
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._renew)

    def _renew(self) -> None:
        self._lock = RLock()

    @contextmanager
    def held(self) -> Iterator[None]:
        """Wait until no other thread holds the lock, and hold it meanwhile."""
        with self._lock:  # a fork in the block: the child leaves the lock it entered
            yield
