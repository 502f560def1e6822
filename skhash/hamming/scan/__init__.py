"""Searches that compare a query with every code, as kernels.

The doors are the functions that `skhash.hamming.engine.compiled` lists.
"""

__all__: list[str] = []
