"""Codes as machine words, and the vector instructions that compare them.

The doors are `words`, `vectors`, `bytes` and `jit`; `ir` is for `vectors` and `bytes`.
"""

__all__: list[str] = []
