"""Real queries rounded to a grid of few levels, each on its own."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

# Radius of a grid of 1, 2, ... bits with the least squared error for normal values, in
# standard deviations. What is beyond is cut off; with more bits that gains nothing.
RADII = (0.797, 1.494, 2.051, 2.509, 2.913, 3.264)


class GridQueries(NamedTuple):
    """Queries as ``steps * (levels - most / 2)``, where most = 2**n_planes - 1.

    `levels` are uint8 of shape (n_queries, n_bits), `steps` and the squared norms
    `squares` float64 of shape (n_queries,).
    """

    levels: NDArray[np.uint8]
    steps: NDArray[np.float64]
    squares: NDArray[np.float64]
    n_planes: int

    @property
    def most(self) -> int:
        """The highest level."""
        return (1 << self.n_planes) - 1


@np.errstate(over="ignore", invalid="ignore")
def on_grid(queries: NDArray[np.float64], n_planes: int) -> GridQueries:
    """Round queries of shape (n_queries, n_bits) to 2**n_planes levels around zero.

    The step keeps a query's product with itself: ``<rounded, query> = <query, query>``.
    Squares of large queries are infinite.
    """
    most = (1 << n_planes) - 1
    squares = _sums(queries * queries)
    radii = np.abs(queries).max(axis=1, initial=0)
    if n_planes <= len(RADII):
        deviations = np.sqrt(squares / queries.shape[1])
        radii = np.minimum(radii, RADII[n_planes - 1] * deviations)
    width = radii[:, None] / most * 2
    flat = width <= 0  # zeros, or numbers too small for a grid
    scaled = queries / np.where(flat, 1, width) + most / 2
    levels = np.clip(np.rint(scaled), 0, most)
    products = _sums(queries * (levels - most / 2))
    steps = np.divide(squares, products, out=np.zeros(len(queries)), where=products > 0)
    return GridQueries(levels.astype(np.uint8), steps, squares, n_planes)


def _sums(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """Sums of rows from left to right, so that they hang on nothing else."""
    return np.add.accumulate(rows, axis=1)[:, -1]
