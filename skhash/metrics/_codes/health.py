"""How well codes use their bits."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from skhash.metrics.bits import counted_bits

# More bits would make every epoch of a training wait for their pairs.
_CORRELATED = 512


def code_health(codes: ArrayLike, n_bits: int | None = None) -> dict[str, float]:
    """Numbers that tell collapsed, dead and duplicated bits from healthy ones.

    A bit tells most when half of the items have it and the other bits do not predict
    it. Codes of few distinct values, dead bits and strong correlations are the usual
    signs of training that went wrong.

    Parameters
    ----------
    codes : array-like of shape (n_samples, n_bytes)
        Codes: packed uint8, or bool bits.
    n_bits : int, default=None
        Number of bits of packed codes. None means all columns of bool bits, or eight
        bits a byte; padding would then pass for dead bits.

    Returns
    -------
    health : dict of str to float
        dead_bits
            Share of bits that are the same for all items; 0 is best.
        mean_balance
            Mean over bits of ``|2 p - 1|``, p being the share of items that have the
            bit: 0 for even bits, 1 for dead ones.
        bit_entropy
            Mean entropy of a bit, from 0 to 1 bits; 1 is best.
        mean_correlation, max_correlation
            Mean and maximum absolute correlation of two different bits, 0 to 1, among
            the bits that are not dead; 0 when there are no two of them. A maximum of
            1 means that a bit repeats another or its opposite. Of codes longer than
            512 bits, 512 bits spread evenly are looked at.
        n_distinct
            Number of distinct codes.

    Raises
    ------
    ValueError
        If there are no codes, or `n_bits` does not fit their width.

    See Also
    --------
    bit_balance, bit_correlation : The same bit by bit.

    References
    ----------
    Y. Weiss, A. Torralba and R. Fergus, "Spectral hashing", NIPS 2008: bits should be
    even and uncorrelated.

    Examples
    --------
    >>> from skhash.hamming import pack
    >>> from skhash.metrics import code_health
    >>> health = code_health(pack([[0, 1, 1], [0, 1, 0], [0, 0, 1], [0, 0, 0]]), 3)
    >>> {name: round(value, 3) for name, value in health.items()}
    {'dead_bits': 0.333, 'mean_balance': 0.333, 'bit_entropy': 0.667,
     'mean_correlation': 0.0, 'max_correlation': 0.0, 'n_distinct': 4}
    """
    bits = counted_bits(codes, n_bits)
    n, ones = bits.n_items, bits.ones()
    share = ones / n
    chosen = np.unique(
        np.linspace(0, bits.n_bits - 1, min(bits.n_bits, _CORRELATED), dtype=int)
    )
    correlation = _correlation(ones[chosen], bits.both(chosen), n)
    pairs = np.abs(correlation[np.triu_indices(len(chosen), 1)])
    pairs = pairs[~np.isnan(pairs)]
    return {
        "dead_bits": float(np.mean((ones == 0) | (ones == n))),
        "mean_balance": float(np.abs(2 * share - 1).mean()),
        "bit_entropy": float(_entropy(share).mean()),
        "mean_correlation": float(pairs.mean()) if pairs.size else 0.0,
        "max_correlation": float(pairs.max()) if pairs.size else 0.0,
        "n_distinct": bits.n_distinct(),
    }


def bit_balance(codes: ArrayLike, n_bits: int | None = None) -> np.ndarray:
    """Share of items that have each bit.

    All else is as in :func:`code_health`.

    Returns
    -------
    share : ndarray of shape (n_bits,), float64
        From 0 to 1; 0 and 1 are dead bits.

    Examples
    --------
    >>> from skhash.hamming import pack
    >>> from skhash.metrics import bit_balance
    >>> bit_balance(pack([[0, 1, 1], [0, 1, 0]]), 3)
    array([0. , 1. , 0.5])
    """
    bits = counted_bits(codes, n_bits)
    return np.asarray(bits.ones() / bits.n_items)


def bit_correlation(codes: ArrayLike, n_bits: int | None = None) -> np.ndarray:
    """Correlation of every two bits.

    All else is as in :func:`code_health`.

    Returns
    -------
    correlation : ndarray of shape (n_bits, n_bits), float64
        From -1 to 1; NaN in the rows and columns of dead bits.

    Examples
    --------
    >>> from skhash.hamming import pack
    >>> from skhash.metrics import bit_correlation
    >>> bit_correlation(pack([[0, 1, 1], [1, 0, 1], [1, 0, 1]]), 3)
    array([[ 1., -1., nan],
           [-1.,  1., nan],
           [nan, nan, nan]])
    """
    bits = counted_bits(codes, n_bits)
    both = bits.both(np.arange(bits.n_bits))
    return _correlation(both.diagonal().copy(), both, bits.n_items)


def _correlation(ones: np.ndarray, both: np.ndarray, n: int) -> np.ndarray:
    """From whole numbers, so that equal bits correlate by exactly 1."""
    covariance = n * both - np.outer(ones, ones)
    spread = np.sqrt(covariance.diagonal())
    with np.errstate(invalid="ignore", divide="ignore"):
        correlation = covariance / np.outer(spread, spread)
    np.fill_diagonal(correlation, np.where(spread > 0, 1.0, np.nan))
    return np.clip(correlation, -1.0, 1.0)


def _entropy(share: np.ndarray) -> np.ndarray:
    """Bits of information of each bit, by the share of items that have it."""
    with np.errstate(divide="ignore", invalid="ignore"):
        nats = -share * np.log2(share) - (1 - share) * np.log2(1 - share)
    return np.nan_to_num(nats, nan=0.0)
