"""Checks of the options that the metrics share."""

from numbers import Integral, Real
from typing import Any

import numpy as np
from sklearn.utils.validation import _check_sample_weight, _num_samples

from skhash.hamming.labels import check_labels

TIES = ("expected", "optimistic", "pessimistic", "index")
NORMALIZERS = ("min_k_r", "hits", "relevant")
ZERO_RELEVANT = ("drop", 0, 1, "raise")
AVERAGES = ("macro", "macro_class", None)
EMPTY_BALL = (0, "drop")
GAINS = ("exponential", "linear")


def check_option(name: str, value: Any, allowed: tuple[Any, ...]) -> None:
    """Raise unless `value` is one of those allowed."""
    # 0 == False and 1 == True, but a bool here is a misunderstanding.
    if isinstance(value, bool) or value not in allowed:
        listed = ", ".join(repr(option) for option in allowed)
        raise ValueError(
            f"The {name!r} parameter must be one of {listed}. Got {value!r} instead."
        )


def check_rank(name: str, value: Any) -> int:
    """Return a number of ranks as an int of at least 1."""
    if isinstance(value, bool) or not isinstance(value, Integral):
        raise TypeError(f"{name} must be an integer, got {value!r}.")
    if value < 1:
        raise ValueError(f"{name} must be at least 1, got {value!r}.")
    return int(value)


def check_confidence(value: Any) -> float:
    """Return the coverage of an interval as a float between 0 and 1."""
    if isinstance(value, bool) or not isinstance(value, Real):
        raise TypeError(
            f"confidence must be a number between 0 and 1 such as 0.95, got {value!r}."
        )
    coverage = float(value)
    if not 0 < coverage < 1:
        raise ValueError(
            f"confidence must be between 0 and 1, such as 0.95, got {value!r}."
        )
    return coverage


def check_averaging(
    zero_relevant: Any, average: Any, query_labels: Any, queries: Any, weight: Any
) -> np.ndarray | None:
    """Check how values of queries are to become one; returns their weights."""
    check_option("zero_relevant", zero_relevant, ZERO_RELEVANT)
    check_option("average", average, AVERAGES)
    if average == "macro_class":
        if query_labels is None:
            raise ValueError("average='macro_class' needs query_labels.")
        check_labels(query_labels, name="query_labels", n=_num_samples(queries))
    return check_weight(weight, queries)


def check_weight(weight: Any, queries: Any) -> np.ndarray | None:
    """Return weights of queries as float64, 0 or more and not all 0; None for none."""
    if weight is None:
        return None
    checked: np.ndarray = _check_sample_weight(
        weight, queries, dtype=np.float64, ensure_non_negative=True
    )
    if len(checked) and not checked.any():
        # As newer versions of scikit-learn say by themselves.
        raise ValueError("Sample weights must contain at least one non-zero number.")
    return checked


def check_average_precision(
    k: Any, ties: Any, normalizer: Any, zero_relevant: Any
) -> int | None:
    """Check the options of average precision; returns k."""
    check_option("ties", ties, TIES)
    check_option("normalizer", normalizer, NORMALIZERS)
    check_option("zero_relevant", zero_relevant, ZERO_RELEVANT)
    return None if k is None else check_rank("k", k)
