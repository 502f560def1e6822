"""Codes as machine words, and the vector instructions that compare them.

The doors are `words`, `vectors` and `jit`; `ir` is for `vectors` alone.
"""

__all__: list[str] = []
