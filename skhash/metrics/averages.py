"""From one value per query to what is reported."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import numpy as np
from sklearn.exceptions import UndefinedMetricWarning
from sklearn.utils import check_random_state

from skhash.hamming.labels import Labels
from skhash.warn import warn

# What to do about queries without relevant items; a scorer knows better than a metric.
_advice: ContextVar[str] = ContextVar(
    "advice", default="Does the database lack some labels of the queries?"
)


@contextmanager
def advice_on_folds(y: Any) -> Iterator[None]:
    """Name folds that suit the labels, in what metrics say meanwhile."""
    if _several_labels(y):
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


def _several_labels(y: Any) -> bool:
    """Whether labels of any container, not checked yet, look like label sets."""
    if hasattr(y, "shape"):
        return len(y.shape) == 2 and y.shape[1] > 1
    first = next(iter(y), None) if hasattr(y, "__len__") else None
    return isinstance(first, list | tuple) and len(first) > 1


def nothing_relevant(n_relevant: np.ndarray) -> np.ndarray:
    """Queries without any relevant item, as a bool vector."""
    return np.asarray(n_relevant.sum(axis=1) == 0)


def settle_zero_relevant(
    values: np.ndarray, undefined: np.ndarray, rule: Any
) -> np.ndarray:
    """Give queries without any relevant item, a mask, the value that the rule says.

    `values` are changed in place; the rule is an option `zero_relevant`.
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
    values: np.ndarray,
    query_labels: Any,
    average: str | None,
    weight: np.ndarray | None = None,
) -> float | np.ndarray:
    """Mean over the queries that have a value, NaN when none has; or all values.

    "macro_class" is the mean of the means of classes, so that rare classes weigh as
    much as frequent ones; a query of several classes counts in each. Only there are
    the labels looked at.
    """
    if average is None:
        return values
    kept = ~np.isnan(values) & (True if weight is None else weight > 0)
    if not kept.any():
        return float("nan")
    if average == "macro":
        return float(
            np.average(values[kept], weights=None if weight is None else weight[kept])
        )
    weights = np.ones(len(values)) if weight is None else weight
    labels = Labels.of(query_labels).subset(kept)
    sums = labels.sums(values[kept] * weights[kept])
    counts = labels.sums(weights[kept])
    present = counts > 0
    if not present.any():
        return float("nan")
    return float((sums[present] / counts[present]).mean())


def bootstrap_means(
    values: np.ndarray,
    n_resamples: int,
    random_state: Any,
    weight: np.ndarray | None = None,
) -> np.ndarray:
    """Weighted means of resampled rows, the same resamples for all columns.

    Shape (n_resamples, n_columns). Queries are drawn alike, whatever their weights.
    """
    n = len(values)
    means = np.full((n_resamples, values.shape[1]), np.nan)
    if n == 0:
        return means
    seed = check_random_state(random_state).randint(np.iinfo(np.int32).max)
    rng = np.random.default_rng(seed)
    for i in range(n_resamples):
        drawn = np.bincount(rng.integers(n, size=n), minlength=n)
        if weight is not None:
            drawn = drawn * weight
        means[i] = (drawn @ values) / (n if weight is None else drawn.sum())
    return means


def interval(means: np.ndarray, confidence: float) -> tuple[np.ndarray, np.ndarray]:
    """Percentile interval of each column."""
    tail = (1 - confidence) / 2
    low, high = np.quantile(means, [tail, 1 - tail], axis=0)
    return low, high
