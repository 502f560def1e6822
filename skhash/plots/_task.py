"""What an estimator's display is computed from: codes on both sides, and labels."""

from typing import Any, NamedTuple

from sklearn.pipeline import Pipeline
from sklearn.utils import check_consistent_length

from skhash.metrics.scorer import rank_against


class Task(NamedTuple):
    """Arguments of a metric, in its order."""

    queries: Any
    database: Any
    query_labels: Any
    database_labels: Any
    exclude_self: bool


def retrieval_task(estimator, X, y, X_database=None, y_database=None):
    """Codes and labels of a retrieval, as the scorers understand an estimator.

    A database of its own, or `X_database`, is searched; without either, each item
    queries all others.
    """
    if y is None:
        raise ValueError("y is None: the labels of X are needed to know what is right.")
    check_consistent_length(X, y)
    if X_database is None and y_database is not None:
        raise ValueError(
            "y_database is given without X_database. Give both, or neither: then the "
            "estimator's own database is searched, or each item queries all others."
        )
    if X_database is not None:
        if y_database is None:
            raise ValueError("X_database is given without its labels: add y_database.")
        check_consistent_length(X_database, y_database)
    queries, database, labels = rank_against(estimator, X)
    if X_database is None:
        if database is None:
            return Task(queries, queries, y, y, True)
        return Task(queries, database, y, labels, False)
    if database is not None:
        raise ValueError(
            f"This {type(estimator).__name__} holds a database of its own, which is "
            "searched. Leave X_database and y_database out, or give the encoder alone."
        )
    return Task(queries, codes_of(estimator, X_database), y, y_database, False)


def check_database(database):
    """Refuse a missing database, and say what it is for."""
    if database is None:
        raise ValueError(
            "database is None: give the codes that are searched. For each item to "
            "query all others, give the queries again with exclude_self=True."
        )


def codes_of(estimator, X):
    """Codes of items, by any estimator that encodes or ends in a database of codes."""
    return rank_against(estimator, X)[0]


def n_bits_of(estimator):
    """Number of bits that an estimator says its codes have, or None."""
    if hasattr(estimator, "best_estimator_"):
        return n_bits_of(estimator.best_estimator_)
    if isinstance(estimator, Pipeline):
        found = (n_bits_of(step) for _, step in reversed(estimator.steps))
        return next((n_bits for n_bits in found if n_bits is not None), None)
    return getattr(estimator, "n_bits", None)


def n_bits_for(estimator, codes, n_bits):
    """The given number of bits; else the estimator's, if the codes have room for it."""
    if n_bits is not None:
        return n_bits
    found = n_bits_of(estimator)
    fits = found is not None and -(-found // 8) == codes.shape[1]
    return found if fits else None
