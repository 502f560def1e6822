"""What a fitted database holds, as columns, for `skhash.export`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skhash.neighbors._database import Database
from skhash.neighbors._embedding_database import EmbeddingDatabase
from skhash.neighbors._encoding import real_outputs
from skhash.neighbors._vector_input import checked

# Weight of a query's squared norm in a value.
_OF_NORMS = {"euclidean": 1.0, "cosine": 0.5, "inner_product": 0.0}
# The rows of a slice, made when they are asked for.
Part = Callable[[slice], NDArray]


@dataclass(frozen=True)
class Columns:
    """One snapshot of a database: all have a row for each item, in the same order."""

    codes: NDArray[np.uint8]
    n_bits: int
    ids: NDArray | None
    labels: Any  # (n,), or label sets of shape (n, n_classes), dense or sparse; or None
    factors: Part | None = None  # slope and intercept, float32 (m, 2)
    vectors: Part | None = None  # float32 or float64 (m, n_features)
    metric: str | None = None


def columns(estimator: Any) -> Columns:
    """The columns of a fitted HammingNeighbors, of a relative, or EmbeddingNeighbors.

    Raises
    ------
    TypeError
        If it is another estimator.
    NotFittedError
        If it is not fitted.
    """
    database = _database(estimator)
    if isinstance(database, EmbeddingDatabase):
        return _of_vectors(database)
    n_bits = 8 * database.codes.shape[1]
    if estimator._fit_on_bits:
        n_bits = estimator.n_features_in_
    return Columns(database.codes, n_bits, database.ids, database.labels)


class Asked(NamedTuple):
    """Queries for the factors in `Columns`.

    The value of an item, a squared distance for "euclidean", is estimated by
    ``slope * (<s, outputs> + shift) + intercept + constant``, with its signs s.
    """

    outputs: NDArray[np.float64]  # (n_queries, n_bits)
    shifts: NDArray[np.float64]  # (n_queries,)
    constants: NDArray[np.float64]  # (n_queries,)


def queries_of(estimator: Any, X: Any) -> Asked:
    """Vectors as queries.

    Raises
    ------
    TypeError
        If the estimator has no factors.
    NotFittedError
        If it is not fitted.
    ValueError
        If X does not hold vectors of the fitted width.
    """
    database = _database(estimator)
    if not isinstance(database, EmbeddingDatabase):
        raise TypeError(
            "Estimates take the factors of an EmbeddingNeighbors, got "
            f"{type(estimator).__name__}: search its codes by Hamming distance."
        )
    X = checked(estimator, X)
    queries = database.queries(X, estimator.epsilon, estimator.query_bits)
    scale, slope = np.float64(database.bounds.scale), database.bounds.calibration.slope
    # A shift counts in errors of items, which are in proportion to their slopes.
    shifts = queries.shifts / slope if slope else np.zeros(len(X))
    outputs = queries.outputs / scale
    # Searches of codes add the queries' own norms where the metric has them.
    norms = _OF_NORMS[database.bounds.metric] * (outputs**2).sum(axis=1)
    return Asked(outputs, shifts / scale, queries.constants + norms)


def _database(estimator: Any) -> Database | EmbeddingDatabase:
    """The snapshot that a search would take now."""
    if not hasattr(type(estimator), "codes_"):
        raise TypeError(
            "Codes are exported from a fitted HammingNeighbors, "
            "HammingNeighborsClassifier or EmbeddingNeighbors, or from an array of "
            f"packed codes; got {type(estimator).__name__}."
        )
    database: Database | EmbeddingDatabase = estimator._fitted()
    return database


def _of_vectors(database: EmbeddingDatabase) -> Columns:
    """Columns with factors for vectors as they are: those in use are of scaled ones."""
    bounds, kept = database.bounds, database.vectors
    scale = np.float64(bounds.scale)

    def factors(rows: slice) -> NDArray[np.float32]:
        scaled = database.table[rows, :2] / np.array([scale, scale * scale])
        with np.errstate(over="ignore", under="ignore"):
            narrow = scaled.astype(np.float32)
        if not np.isfinite(narrow).all():
            raise ValueError(
                "The squared norms of the vectors are beyond float32, which engines "
                "keep factors in: fit on vectors that are scaled down."
            )
        return narrow

    def vectors(rows: slice) -> NDArray:
        assert kept is not None
        return kept.rows(np.arange(*rows.indices(len(database))))

    n_bits = real_outputs(database.encoder, bounds.center[None]).shape[1]
    return Columns(
        database.codes,
        n_bits,
        database.ids,
        database.labels,
        factors,
        None if kept is None else vectors,
        bounds.metric,
    )
