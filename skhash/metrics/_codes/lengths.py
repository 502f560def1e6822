"""Shorter codes from longer ones: how good they are, and which bits to keep first."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils import check_random_state

from skhash.hamming import check_codes, pack, unpack
from skhash.hamming.labels import check_labels
from skhash.metrics._rankings import mean_average_precision
from skhash.metrics.bits import counted_bits
from skhash.metrics.elsewhere import located
from skhash.metrics.options import check_bits, check_rank
from skhash.metrics.relevance import as_rows


def score_by_length(
    queries: ArrayLike,
    database: ArrayLike,
    query_labels: ArrayLike | None = None,
    database_labels: ArrayLike | None = None,
    *,
    n_bits: int | None = None,
    lengths: ArrayLike | None = None,
    metric: Callable[..., Any] = mean_average_precision,
    **options: Any,
) -> tuple[np.ndarray, np.ndarray]:
    """Score codes cut to their first bits, for several lengths.

    One encoder of many bits thus shows how short its codes may be, without another
    training. Bits are not sorted by usefulness by themselves; see :func:`order_bits`.
    All else is as in :func:`average_precision` and :func:`code_health`.

    Parameters
    ----------
    lengths : array-like of shape (n_lengths,), int, default=None
        Numbers of first bits. None means powers of two and the full length.
    metric : callable, default=mean_average_precision
        Any metric of :mod:`skhash.metrics` of codes that returns a number.
    **options
        Passed on to `metric`.

    Returns
    -------
    lengths : ndarray of shape (n_lengths,), int64
    scores : ndarray of shape (n_lengths,), float64

    Raises
    ------
    ValueError
        If a length is not from 1 to n_bits, or the metric refuses its input.

    Examples
    --------
    >>> import numpy as np
    >>> from skhash.metrics import score_by_length
    >>> codes = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], dtype=bool)
    >>> labels = ["cat", "cat", "dog", "dog"]
    >>> score_by_length(codes, codes, labels, labels, exclude_self=True)
    (array([1, 2]), array([1.   , 0.75]))
    """
    first, n_bits = check_bits(queries, n_bits)
    database, database_labels = located(database, database_labels)
    cut = _cutter(database, n_bits)
    if lengths is None:
        powers = 2 ** np.arange(n_bits.bit_length())
        chosen = np.unique(np.append(powers, n_bits))
    else:
        chosen = np.array([check_rank("lengths", n) for n in np.atleast_1d(lengths)])
        if chosen.max() > n_bits:
            raise ValueError(f"lengths must be at most n_bits={n_bits}, got {chosen}.")
    bits = unpack(first, n_bits)
    scores = [
        metric(
            pack(bits[:, :length]),
            cut(length),
            query_labels,
            database_labels,
            **options,
        )
        for length in chosen
    ]
    return chosen.astype(np.int64), np.array(scores, dtype=np.float64)


def _sampler(codes: Any, labels: Any, by_labels: bool) -> Callable[[Any], Any]:
    """A function that brings codes and labels of ascending rows."""
    if hasattr(type(codes), "__skhash_sample__"):
        return lambda rows: codes.__skhash_sample__(rows, labels)
    packed = check_codes(codes)
    if by_labels:
        given = check_labels(labels, n=len(packed))
    else:
        given = as_rows(labels, "labels", len(packed))
    return lambda rows: (packed[rows], given[rows])


def _cutter(database: Any, n_bits: int) -> Callable[[int], Any]:
    """A function that cuts codes to a number of first bits, where they are."""
    if hasattr(type(database), "__skhash_first_bits__"):
        database.__skhash_bits__(n_bits)  # raises unless it fits
        return lambda length: database.__skhash_first_bits__(int(length))
    bits = unpack(check_bits(database, n_bits)[0], n_bits)
    return lambda length: pack(bits[:, :length])


def order_bits(
    codes: ArrayLike,
    labels: Any,
    *,
    n_bits: int | None = None,
    n_samples: int = 400,
    metric: Callable[..., Any] = mean_average_precision,
    random_state: Any = None,
    **options: Any,
) -> np.ndarray:
    """Order bits by usefulness, so that the first ones make good short codes.

    Greedy: each next bit is the one with which the bits so far retrieve best, by
    leave-one-out on a sample. Bits that repeat what others tell come last. It takes
    about ``n_bits ** 2 / 2`` evaluations of the sample. All else is as in
    :func:`score_by_length` and :func:`code_health`.

    Parameters
    ----------
    codes : array-like of shape (n_samples, n_bytes)
        Codes of training data: packed uint8, or bool bits.
    labels : array-like of shape (n_samples,) or (n_samples, n_classes), or None
        Their labels; None where codes in shards have their own.
    n_samples : int, default=400
        How many of the codes to draw for the evaluations, at most.
    random_state : int, RandomState instance or None, default=None
        Seeds the draw.

    Returns
    -------
    order : ndarray of shape (n_bits,), int64
        Bit numbers, the most useful first. ``pack(unpack(codes, n_bits)[:, order])``
        are the reordered codes; full-length distances stay the same.

    Examples
    --------
    >>> import numpy as np
    >>> from skhash.metrics import order_bits
    >>> codes = np.array([[0, 0], [1, 0], [0, 1], [1, 1]], dtype=bool)
    >>> order_bits(codes, ["cat", "cat", "dog", "dog"])
    array([1, 0])
    """
    codes, labels = located(codes, labels)
    counted = counted_bits(codes, n_bits)
    n_bits, n_samples = counted.n_bits, check_rank("n_samples", n_samples)
    take = _sampler(codes, labels, options.get("relevance") is None)
    rows = np.arange(counted.n_items)
    if len(rows) > n_samples:
        rng = check_random_state(random_state)
        rows = np.sort(rng.choice(len(rows), n_samples, replace=False))
    packed, sample_labels = take(rows)
    bits = unpack(packed, n_bits)
    options = {"zero_relevant": 0, **options, "exclude_self": True}
    order: list[int] = []
    left = list(range(n_bits))
    while left:
        trials = [pack(bits[:, [*order, bit]]) for bit in left]
        scores = [
            metric(trial, trial, sample_labels, sample_labels, **options)
            for trial in trials
        ]
        order.append(left.pop(int(np.argmax(scores))))
    return np.array(order, dtype=np.int64)
