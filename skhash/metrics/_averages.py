"""From one value per query to what is reported."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import numpy as np
from sklearn.exceptions import UndefinedMetricWarning

from skhash.warn import warn

# What to do about queries without relevant items; a scorer knows better than a metric.
_advice: ContextVar[str] = ContextVar(
    "advice", default="Does the database lack some labels of the queries?"
)


@contextmanager
def advice_on_folds(y: Any) -> Iterator[None]:
    """Name folds that suit the labels, in what metrics say meanwhile."""
    shape = getattr(y, "shape", None) or np.shape(y)
    if len(shape) == 2 and shape[1] > 1:
        # Stratified folds refuse several labels an item.
        folds = (
            "have fewer and so larger folds, shuffled, e.g. cv=KFold(2, shuffle=True, "
            "random_state=0), or a splitter that stratifies several labels an item"
        )
    else:
        folds = (
            "shuffle and stratify the folds, e.g. cv=StratifiedKFold(5, shuffle=True, "
            "random_state=0)"
        )
    token = _advice.set(f"In cross-validation, {folds}.")
    try:
        yield
    finally:
        _advice.reset(token)


def nothing_relevant(n_relevant: np.ndarray) -> np.ndarray:
    """Queries without any relevant item, as a bool vector."""
    return np.asarray(n_relevant.sum(axis=1) == 0)


def settle_zero_relevant(
    values: np.ndarray, undefined: np.ndarray, rule: Any
) -> np.ndarray:
    """Give queries without any relevant item the value that the rule says.

    Parameters
    ----------
    values : ndarray of shape (n_queries,), float64
        Changed in place.
    undefined : ndarray of shape (n_queries,), bool
        Queries without any relevant item in the database.
    rule : {"drop", 0, 1, "raise"}
    """
    count = int(np.count_nonzero(undefined))
    if count == 0:
        return values
    who = f"{count} of {len(values)} queries have no relevant item in the database"
    if rule == "raise":
        raise ValueError(
            f"{who}. Leave them out, or pass zero_relevant='drop', 0 or 1. "
            f"{_advice.get()}"
        )
    if rule == "drop":
        values[undefined] = np.nan
        warn(
            f"{who}: they are left out, their value is NaN (zero_relevant='drop'). "
            f"{_advice.get()}",
            UndefinedMetricWarning,
        )
    else:
        values[undefined] = rule
    return values


def average_queries(
    values: np.ndarray, query_labels: Any, average: str | None
) -> float | np.ndarray:
    """Average over the queries that have a value; NaN when none has.

    Parameters
    ----------
    values : ndarray of shape (n_queries,), float64
        NaN for queries left out.
    query_labels : array-like of shape (n_queries,) or (n_queries, n_classes)
        Used by "macro_class" only.
    average : {"macro", "macro_class", None}
        Mean over queries; mean of the means of classes, so that rare classes weigh as
        much as frequent ones (a query of several classes counts in each); or the
        values themselves.
    """
    if average is None:
        return values
    kept = ~np.isnan(values)
    if not kept.any():
        return float("nan")
    if average == "macro":
        return float(values[kept].mean())
    member = _membership(query_labels)[kept]
    count = member.sum(axis=0)
    present = count > 0
    if not present.any():
        return float("nan")
    means = (values[kept] @ member)[present] / count[present]
    return float(means.mean())


def _membership(labels: Any) -> np.ndarray:
    """Queries by classes, float64 0/1."""
    if hasattr(labels, "toarray"):
        labels = labels.toarray()
    labels = np.asarray(labels)
    if labels.ndim == 2 and labels.shape[1] > 1:
        return (labels != 0).astype(np.float64)
    classes, index = np.unique(labels.reshape(-1), return_inverse=True)
    return np.eye(len(classes))[index]
