"""Linear algebra on one thread: the same sums however many threads there are.

How a BLAS divides a product among threads changes the last place of its sums; and
products as narrow as a code are slower on several threads where these are busy.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import cache

import scipy.linalg  # noqa: F401 (so that its library is loaded)
from threadpoolctl import ThreadpoolController

from skhash.locks import ForkedLock

_lock = ForkedLock()
_inside = 0  # how many threads of Python are in the block
_limit = ExitStack()


@contextmanager
def one_thread() -> Iterator[None]:
    """BLAS has one thread in the block. The last to leave it gives the others back."""
    global _inside
    with _lock.held():
        if _inside == 0:
            _limit.enter_context(_controller().limit(limits=1, user_api="blas"))
        _inside += 1
    try:
        yield
    finally:
        with _lock.held():
            _inside -= 1
            if _inside == 0:
                _limit.close()


@cache
def _controller() -> ThreadpoolController:
    """What holds the libraries of linear algebra; numpy's and scipy's are loaded."""
    return ThreadpoolController()
