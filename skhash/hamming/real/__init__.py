"""Real queries against codes: factors of items, queries on a grid, kernels.

The door is `skhash.hamming.asymmetric`.
"""

__all__: list[str] = []
