"""One change of a database at a time."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from threading import RLock

# One for all estimators: changes are rare and short, and estimators stay plain to
# copy and pickle.
_lock = RLock()


@contextmanager
def changing() -> Iterator[None]:
    """Wait until no other thread changes a database, and let none do so meanwhile."""
    with _lock:
        yield


def _after_fork() -> None:
    """The thread that held the lock does not survive a fork."""
    global _lock
    _lock = RLock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
