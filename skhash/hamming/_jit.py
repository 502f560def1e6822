"""How kernels are compiled: without the GIL, and cached where that can be."""

from collections.abc import Callable
from typing import Any

from numba import njit


def kernel(function: Callable) -> Any:
    """Compile a module-level function on its first call.

    numba caches beside the source or, where that is read-only, in the user's cache
    directory. Where neither can be written, every process compiles anew.
    """
    options: dict[str, Any] = {"nogil": True, "error_model": "numpy"}
    try:
        return njit(cache=True, **options)(function)
    except RuntimeError:
        return njit(**options)(function)
