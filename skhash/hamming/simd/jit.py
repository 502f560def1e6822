"""How kernels are compiled: without the GIL, and cached where that can be."""

from collections.abc import Callable
from typing import Any

from numba import njit


def kernel(function: Callable) -> Any:
    """Compile a module-level function on its first call.

    numba caches beside the source or, where that is read-only, in the user's cache
    directory. Where neither can be written, every process compiles anew.
    """
    return _compiled(function)


def inlined(function: Callable) -> Any:
    """Compile a function into its callers.

    A call costs tens of nanoseconds, for counting references to its arrays: more than
    the functions of the inner loops take for their work.
    """
    return _compiled(function, inline="always")


def _compiled(function: Callable, **options: Any) -> Any:
    """Compile with a cache where one can be written."""
    options |= {"nogil": True, "error_model": "numpy"}
    try:
        return njit(cache=True, **options)(function)
    except RuntimeError:
        return njit(**options)(function)
