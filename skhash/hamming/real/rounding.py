"""Rounding of queries to their grid, as a kernel: many numpy calls take longer."""

import numpy as np
from numpy.typing import NDArray

from skhash.hamming.real.queries import RADII, GridQueries
from skhash.hamming.simd.jit import kernel


def on_grid(queries: NDArray[np.float64], n_planes: int) -> GridQueries:
    """Round queries to 2**n_planes levels around zero; see `queries.on_grid`."""
    levels = np.empty(queries.shape, np.uint8)
    steps, squares = np.empty(len(queries)), np.empty(len(queries))
    radius = RADII[n_planes - 1] if n_planes <= len(RADII) else np.inf
    round_rows(queries, (1 << n_planes) - 1, radius, levels, steps, squares)
    return GridQueries(levels, steps, squares, n_planes)


@kernel
def round_rows(
    queries: NDArray,
    most: int,
    cut: float,
    levels: NDArray,
    steps: NDArray,
    squares: NDArray,
) -> None:
    """Fill levels, steps and squares, each line as in the plain twin."""
    n_queries, n_bits = queries.shape
    for q in range(n_queries):
        row, square, radius = queries[q], 0.0, 0.0
        for i in range(n_bits):
            square += row[i] * row[i]
            radius = max(radius, abs(row[i]))
        if cut < np.inf:
            radius = min(radius, cut * np.sqrt(square / n_bits))
        width = radius / most * 2
        if width <= 0:
            width = 1.0
        product = 0.0
        for i in range(n_bits):
            level = np.rint(row[i] / width + most / 2)
            level = min(max(level, 0.0), float(most))
            levels[q, i] = np.uint8(level)
            product += row[i] * (level - most / 2)
        squares[q] = square
        steps[q] = square / product if product > 0 else 0.0
