"""Features that are taken for codes, since they are whole numbers from 0 to 255.

In a code no bit of a byte is like the others of its place: which bits are set often,
and which agree with their neighbours, does not depend on whether they stand for 128 or
for 1. In numbers it does. Each test below asks whether columns agree on such a rule,
by a sum of one term per column over the root of the sum of its squares. If the order of
the bits in each byte means nothing, every term is as likely to have the other sign, and
the sum exceeds t with a probability of at most ``exp(-t ** 2 / 2)``, however bits
depend on each other.
"""

import numpy as np

from skhash.warn import warn

# Rows that are looked at, and how many rows and columns there must be. Codes of up to
# 184 bits, which most are, have too few columns to tell.
ROWS, FEWEST_ROWS, FEWEST_COLUMNS = 256, 32, 24
# Each byte with its bits in reverse.
MIRRORED = np.packbits(
    np.unpackbits(np.arange(256, dtype=np.uint8)[:, None], axis=1)[:, ::-1], axis=1
)[:, 0].astype(np.float64)
# Rows that are no copies. Features hardly repeat; codes that were designed do.
DISTINCT = 0.9


def warn_of_features(codes, name):
    """Warn where what is taken for packed codes behaves like features."""
    if not look_like_features(codes):
        return
    warn(
        f"X looks like features, not codes: its columns behave like numbers. {name} "
        "counts differing bits, and 127 differs from 128 in all eight. Make codes of "
        "features first, e.g. by `DeepHashEncoder().fit(X, y).transform(X)`. If these "
        "are codes, all is well: `warnings.filterwarnings('ignore', message='X looks "
        "like features')` silences this."
    )


def look_like_features(codes):
    """Whether columns of bytes behave like numbers; in doubt they do not."""
    n = len(codes)
    if n < FEWEST_ROWS or codes.shape[1] < FEWEST_COLUMNS:
        return False
    some = np.asarray(codes[:: -(-n // ROWS)])
    some = np.ascontiguousarray(some[:, (some != some[0]).any(axis=0)])
    if some.shape[1] < FEWEST_COLUMNS or share_of_distinct(some) < DISTINCT:
        return False
    # Highest bit first: shape (rows, columns, 8).
    bits = np.unpackbits(some[:, :, None], axis=2).astype(np.float32)
    return (
        are_small_numbers(some, bits)
        or are_around_the_middle(bits)
        or are_like_their_neighbours(some)
    )


def share_of_distinct(codes):
    """Share of the rows that are no copies of others."""
    rows = codes.view(np.dtype((np.void, codes.shape[1])))[:, 0]
    return len(set(rows.tolist())) / len(codes)


def agreement(terms):
    """How far columns agree on a sign: at most the root of their number."""
    return terms.sum() / np.sqrt((terms**2).sum() + 1e-12)


def are_small_numbers(some, bits):
    """Whether all columns have the larger bits the more rarely: counts, or 0 to 16."""
    often = bits.mean(axis=0)
    share = often.mean(axis=0)
    low = share[6:].mean()
    z = agreement(often @ (np.arange(8) - 3.5))
    # Bits that are only there or not, as those of 4 to a byte are, have no slope.
    slope = share[1] <= 0.7 * low and ((share > 0.03 * low) & (share < 0.7 * low)).any()
    # 0, 1, 3, 7, ...: numbers written as that number of ones are codes.
    unary = ((some & (some + np.uint8(1))) == 0).mean() > 0.9
    return bool(
        z > max(4.5, 0.8 * np.sqrt(len(often)))
        and share[0] <= 0.1
        and (np.diff(share) > -0.05).all()
        and slope
        and not unary
    )


def are_around_the_middle(bits):
    """Whether columns lie around 128: either 128 is set in them, or 64."""
    all_rows = np.ones((len(bits), 1), np.float32)
    high, low = (
        correlations(bits[:, :, at], bits[:, :, at + 1], all_rows) for at in (0, 6)
    )
    return bool(np.quantile(high, 0.9) < -0.5 and np.abs(low).mean() < 0.1)


def are_like_their_neighbours(some):
    """Whether columns agree with the next ones as numbers, not as bits: images.

    As bits, they would agree as well with the bits of each byte in reverse. Bytes
    without a bit, or with all, are left out: they are the same either way.
    """
    plain = ((some != 0) & (some != 255)).astype(np.float32)
    both = plain[:, :-1] * plain[:, 1:]
    enough = both.sum(axis=0) >= 24
    if enough.sum() < FEWEST_COLUMNS:
        return False
    numbers, mirrored = (
        correlations(each[:, :-1][:, enough], each[:, 1:][:, enough], both[:, enough])
        ** 2
        for each in (some.astype(np.float64), MIRRORED[some])
    )
    alike, by_chance = numbers.mean(), mirrored.mean()
    return bool(
        agreement(numbers - mirrored) > 4.5 and alike > 0.03 and alike > 2.5 * by_chance
    )


def correlations(left, right, weights):
    """Correlations over the rows, where `weights` is 1; 0 for what does not vary."""
    n = weights.sum(axis=0)
    a, b = ((each * weights).sum(axis=0) / n for each in (left, right))
    left, right = (left - a) * weights, (right - b) * weights
    spread = np.sqrt((left**2).sum(axis=0) * (right**2).sum(axis=0))
    varies = spread > 1e-3
    return np.where(varies, (left * right).sum(axis=0), 0) / np.where(varies, spread, 1)
