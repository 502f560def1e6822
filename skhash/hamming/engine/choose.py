"""Which engine searches: the compiled kernels, or their plain twin in numpy."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib import import_module
from types import ModuleType

_forced: str | None = None


def engine() -> ModuleType:
    """Return the module that searches.

    The numba kernels, unless the environment says ``SKHASH_ENGINE=numpy``, numba's
    compiler is switched off (``NUMBA_DISABLE_JIT=1``), or numba cannot be imported.
    """
    return _module(_forced or os.environ.get("SKHASH_ENGINE", "numba"))


@cache
def _module(name: str) -> ModuleType:
    """The module of an engine; the plain twin where numba cannot compile."""
    if name not in ("numba", "numpy"):
        raise ValueError(f"SKHASH_ENGINE must be 'numba' or 'numpy', got {name!r}.")
    if name == "numba":
        try:
            from numba import config

            if not vars(config)["DISABLE_JIT"]:
                return import_module("skhash.hamming.engine.compiled")
        except ImportError:
            pass
    return import_module("skhash.hamming.engine.plain")


def compiled() -> bool:
    """Whether kernels search, not their plain twin."""
    return engine().__name__ == "skhash.hamming.engine.compiled"


@contextmanager
def forced_engine(name: str) -> Iterator[None]:
    """Use the named engine inside a ``with`` block, in all threads. For tests."""
    global _forced
    before, _forced = _forced, name
    try:
        yield
    finally:
        _forced = before
