"""Random codes, for tests, examples and benchmarks."""

from typing import Any

import numpy as np

from skhash.datasets._sampling import new_generator


def make_hash_blobs(
    n_samples: int = 1000,
    n_bits: int = 32,
    *,
    n_classes: int = 10,
    flip: float = 0.1,
    output: str = "packed",
    random_state: Any = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Make codes in clusters: a random centre for each class, its bits flipped.

    Parameters
    ----------
    n_samples : int, default=1000
        Number of codes.
    n_bits : int, default=32
        Number of bits of each.
    n_classes : int, default=10
        Number of centres; classes are equally likely.
    flip : float, default=0.1
        Probability that a bit differs from the centre's: 0 gives equal codes, 0.5
        codes that say nothing about their class.
    output : {"packed", "bits"}, default="packed"
        uint8 codes, or bool bits.
    random_state : int, RandomState instance or None, default=None
        Seeds the draw.

    Returns
    -------
    codes : ndarray of shape (n_samples, ceil(n_bits / 8)), uint8, \
            or (n_samples, n_bits), bool
        Zero padded when packed.
    y : ndarray of shape (n_samples,), int64
        Classes.

    Raises
    ------
    ValueError
        If a number is out of its range or `output` is unknown.

    Examples
    --------
    >>> from skhash.datasets import make_hash_blobs
    >>> codes, y = make_hash_blobs(6, 16, n_classes=2, random_state=0)
    >>> codes.shape, codes.dtype, y.shape
    ((6, 2), dtype('uint8'), (6,))
    """
    _check_sizes(n_samples=n_samples, n_bits=n_bits, n_classes=n_classes)
    _check_flip_and_output(flip, output)
    rng = new_generator(random_state)
    centers = rng.random((n_classes, n_bits)) < 0.5
    y = rng.integers(n_classes, size=n_samples)
    bits = centers[y] ^ (rng.random((n_samples, n_bits)) < flip)
    return _as_output(bits, output), y


def make_multilabel_codes(
    n_samples: int = 1000,
    n_bits: int = 32,
    *,
    n_classes: int = 10,
    n_labels: float = 2.0,
    flip: float = 0.1,
    output: str = "packed",
    random_state: Any = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Make codes of items with several labels.

    Each class has a random centre. The bit of an item is the majority among the
    centres of its labels (even votes are decided at random), flipped with some
    probability: items that share more labels are nearer on average.

    Parameters
    ----------
    n_samples : int, default=1000
        Number of codes.
    n_bits : int, default=32
        Number of bits of each.
    n_classes : int, default=10
        Number of classes.
    n_labels : float, default=2.0
        Mean number of labels of an item, at least 1. Each item has one label and a
        binomial number of others.
    flip : float, default=0.1
        Probability that a bit is flipped.
    output : {"packed", "bits"}, default="packed"
        uint8 codes, or bool bits.
    random_state : int, RandomState instance or None, default=None
        Seeds the draw.

    Returns
    -------
    codes : ndarray of shape (n_samples, ceil(n_bits / 8)), uint8, \
            or (n_samples, n_bits), bool
        Zero padded when packed.
    Y : ndarray of shape (n_samples, n_classes), int64
        Multi-hot labels.

    Raises
    ------
    ValueError
        If a number is out of its range or `output` is unknown.

    Examples
    --------
    >>> from skhash.datasets import make_multilabel_codes
    >>> codes, Y = make_multilabel_codes(6, 16, n_classes=4, random_state=0)
    >>> codes.shape, Y.shape, int(Y.sum(axis=1).min())
    ((6, 2), (6, 4), 1)
    """
    _check_sizes(n_samples=n_samples, n_bits=n_bits, n_classes=n_classes)
    _check_flip_and_output(flip, output)
    if not 1 <= n_labels <= n_classes:
        raise ValueError(
            f"n_labels must be from 1 to n_classes={n_classes}, got {n_labels!r}."
        )
    rng = new_generator(random_state)
    others = (n_labels - 1) / max(1, n_classes - 1)
    Y = rng.random((n_samples, n_classes)) < others
    Y[np.arange(n_samples), rng.integers(n_classes, size=n_samples)] = True
    centers = np.where(rng.random((n_classes, n_bits)) < 0.5, 1.0, -1.0)
    votes = Y @ centers + rng.uniform(-0.5, 0.5, (n_samples, n_bits))
    bits = (votes > 0) ^ (rng.random((n_samples, n_bits)) < flip)
    return _as_output(bits, output), Y.astype(np.int64)


def _check_sizes(**sizes: int) -> None:
    for name, size in sizes.items():
        if size < 1:
            raise ValueError(f"{name} must be at least 1, got {size!r}.")


def _check_flip_and_output(flip: float, output: str) -> None:
    if not 0 <= flip <= 1:
        raise ValueError(f"flip must be a probability from 0 to 1, got {flip!r}.")
    if output not in ("packed", "bits"):
        raise ValueError(f"output must be 'packed' or 'bits', got {output!r}.")


def _as_output(bits: np.ndarray, output: str) -> np.ndarray:
    return np.packbits(bits, axis=1) if output == "packed" else bits
