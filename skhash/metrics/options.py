"""Checks of what the metrics and their pictures share."""

from __future__ import annotations

from numbers import Integral, Real
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils.validation import _check_sample_weight

from skhash.hamming import check_codes
from skhash.hints import hint

# What the options may be.
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
            + hint(value, allowed)
        )


def check_rank(name: str, value: Any) -> int:
    """Return a number of ranks as an int of at least 1."""
    if isinstance(value, bool) or not isinstance(value, Integral):
        raise TypeError(f"{name} must be an integer, got {value!r}.")
    if value < 1:
        raise ValueError(f"{name} must be at least 1, got {value!r}.")
    return int(value)


def check_ranks(ranks: ArrayLike | None, n_items: int = 0) -> np.ndarray:
    """Numbers of ranks as int64; about fifty up to `n_items` when none are given."""
    if ranks is None:
        grid = np.geomspace(1, max(1, n_items), 50)
        return np.unique(np.round(grid).astype(np.int64))
    given = np.atleast_1d(np.asarray(ranks))
    if given.ndim != 1 or given.size == 0:
        raise ValueError(f"ranks must be a list of integers, got shape {given.shape}.")
    return np.array([check_rank("ranks", rank) for rank in given], dtype=np.int64)


def check_confidence(value: Any) -> float:
    """Return the coverage of an interval as a float between 0 and 1."""
    wanted = f"confidence must be a number between 0 and 1 such as 0.95, got {value!r}."
    if isinstance(value, bool) or not isinstance(value, Real):
        raise TypeError(wanted)
    if not 0 < float(value) < 1:
        raise ValueError(wanted)
    return float(value)


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


def check_bits(codes: ArrayLike, n_bits: int | None) -> tuple[np.ndarray, int]:
    """Packed codes, of which there must be some, and their number of bits."""
    given = np.asarray(codes)
    packed = check_codes(given)
    if len(packed) == 0:
        raise ValueError(f"Found array with 0 sample(s) (shape={packed.shape}).")
    if n_bits is None:
        n_bits = given.shape[1] if given.dtype == bool else 8 * packed.shape[1]
    if not 1 <= n_bits <= 8 * packed.shape[1] or (n_bits + 7) // 8 != packed.shape[1]:
        raise ValueError(
            f"n_bits={n_bits} does not fit codes of {packed.shape[1]} bytes."
        )
    return packed, n_bits


def check_histograms(
    n_total: ArrayLike,
    n_relevant: ArrayLike,
    ties: str = "expected",
    zero_relevant: Any = "drop",
) -> tuple[np.ndarray, np.ndarray]:
    """Two histograms as arrays, and the options that metrics of them share."""
    if ties == "index":
        raise ValueError(
            "The 'ties' parameter cannot be 'index' here, because histograms do not "
            "hold the order of the database: use the metric of codes in "
            "skhash.metrics, or 'expected'."
        )
    check_option("ties", ties, TIES[:3])
    check_option("zero_relevant", zero_relevant, ZERO_RELEVANT)
    totals, relevants = np.asarray(n_total), np.asarray(n_relevant)
    if totals.ndim != 2 or totals.shape != relevants.shape or totals.shape[1] == 0:
        raise ValueError(
            "n_total and n_relevant must both be of shape (n_queries, n_bins), got "
            f"shapes {totals.shape} and {relevants.shape}."
        )
    for name, counts in (("n_total", totals), ("n_relevant", relevants)):
        if not _are_whole(counts):
            raise ValueError(f"{name} must hold counts, i.e. whole numbers.")
    if (relevants < 0).any() or (relevants > totals).any():
        raise ValueError(
            "Expected 0 <= n_relevant <= n_total at every distance; are the two "
            "histograms swapped?"
        )
    return totals, relevants


def _are_whole(counts: np.ndarray) -> bool:
    """Whether all are whole numbers, whatever their dtype."""
    if counts.dtype.kind == "f":
        return np.array_equal(counts, counts // 1)
    return counts.dtype.kind in "iu"
