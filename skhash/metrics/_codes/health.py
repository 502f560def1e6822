"""How well codes use their bits."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import ArrayLike

from skhash.hamming import unpack
from skhash.hamming.simd.words import as_words
from skhash.metrics.options import check_bits

# Cells of unpacked float32 bits held at a time; counts up to here are exact in float32.
_CELLS = 1 << 22
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
    packed, n_bits = check_bits(codes, n_bits)
    share = bit_balance(packed, n_bits)
    ones = np.rint(share * len(packed))
    chosen = np.unique(np.linspace(0, n_bits - 1, min(n_bits, _CORRELATED), dtype=int))
    correlation = _correlation(
        ones[chosen], _counts(packed, n_bits, chosen), len(packed)
    )
    pairs = np.abs(correlation[np.triu_indices(len(chosen), 1)])
    pairs = pairs[~np.isnan(pairs)]
    return {
        "dead_bits": float(np.mean((ones == 0) | (ones == len(packed)))),
        "mean_balance": float(np.abs(2 * share - 1).mean()),
        "bit_entropy": float(_entropy(share).mean()),
        "mean_correlation": float(pairs.mean()) if pairs.size else 0.0,
        "max_correlation": float(pairs.max()) if pairs.size else 0.0,
        "n_distinct": n_distinct(packed),
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
    packed, n_bits = check_bits(codes, n_bits)
    ones = sum(bits.sum(axis=0, dtype=np.float64) for bits in _unpacked(packed, n_bits))
    return np.asarray(ones / len(packed))


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
    packed, n_bits = check_bits(codes, n_bits)
    both = _counts(packed, n_bits, np.arange(n_bits))
    return _correlation(both.diagonal().copy(), both, len(packed))


def n_distinct(packed: np.ndarray) -> int:
    """Number of different rows of packed codes."""
    if packed.shape[1] <= 8:
        return len(np.unique(as_words(packed)))
    rows = np.ascontiguousarray(packed).view(np.dtype((np.void, packed.shape[1])))
    return len(np.unique(rows))


def _unpacked(packed: np.ndarray, n_bits: int) -> Iterator[np.ndarray]:
    """Bits of some codes at a time, as float32."""
    step = max(1, _CELLS // n_bits)
    for start in range(0, len(packed), step):
        yield unpack(packed[start : start + step], n_bits).astype(np.float32)


def _counts(packed: np.ndarray, n_bits: int, chosen: np.ndarray) -> np.ndarray:
    """Items that have each two of the chosen bits."""
    both = np.zeros((len(chosen), len(chosen)))
    for bits in _unpacked(packed, n_bits):
        some = bits if len(chosen) == n_bits else bits[:, chosen]
        both += some.T @ some
    return both


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
