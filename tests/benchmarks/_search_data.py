"""Codes to search, a stopwatch, and what the machine can do at all."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from _harness import load
from numba import njit

from skhash.hamming.simd.vectors import popcount

CENTRES = 1000


def timed(call: Callable[[], object], budget: float = 0.05) -> float:
    """Seconds of one call, repeated until they are worth measuring."""
    start, calls = time.perf_counter(), 0
    while True:
        call()
        calls += 1
        seconds = time.perf_counter() - start
        if seconds > budget:
            return seconds / calls


def interleaved(
    calls: dict[str, Callable[[], object]], rounds: int, budget: float = 0.02
) -> dict[str, float]:
    """Median seconds of each call, all run in turn."""
    seconds: dict[str, list[float]] = {name: [] for name in calls}
    for call in calls.values():
        call()  # compile, and touch all memory
    for _ in range(rounds):
        for name, call in calls.items():
            seconds[name].append(timed(call, budget))
    return {name: float(np.median(each)) for name, each in seconds.items()}


@njit(nogil=True)
def _count_ones(words: np.ndarray, times: int) -> int:
    """Four queries for each word that is read, as a scan of a batch has it."""
    a, b, c, d = np.uint64(0), np.uint64(0), np.uint64(0), np.uint64(0)
    for turn in range(times):
        q = np.uint64(turn)
        for i in range(np.uint64(words.size)):
            a += popcount(words[i] ^ q)
            b += popcount(words[i] ^ (q + np.uint64(1)))
            c += popcount(words[i] ^ (q + np.uint64(2)))
            d += popcount(words[i] ^ (q + np.uint64(3)))
    return a + b + c + d


def limits() -> dict[str, float]:
    """What one thread reaches: words compared in its cache, bytes read per second.

    A scan of a batch of queries compares words that lie in the first-level cache; a
    single query reads the database once, from the cache or from memory.
    """
    near = np.arange(1 << 11, dtype=np.uint64)
    _count_ones(near, 1)
    best = min(timed(lambda: _count_ones(near, 1000)) for _ in range(5))
    found = {"words_per_s": 4 * 1000 * len(near) / best}
    for name, size in (("8_mb", 8_000_000), ("32_mb", 32_000_000), ("1_gb", 1 << 30)):
        words = np.ones(size // 8, np.uint64)  # zeros would share one page
        best = min(timed(words.max) for _ in range(5))
        found[f"bytes_per_s_{name}"] = size / best
    return found


def random_codes(rng: np.random.Generator, n: int, n_bits: int) -> np.ndarray:
    return rng.integers(0, 256, (n, n_bits // 8), dtype=np.uint8)


def clustered(
    rng: np.random.Generator, centres: np.ndarray, n: int, flips: float
) -> np.ndarray:
    """Centres drawn anew, each bit flipped with a probability."""
    codes = centres[rng.integers(0, len(centres), n)]
    for first in range(0, n, 1 << 17):
        part = codes[first : first + (1 << 17)]
        noise = rng.random((len(part), 8 * part.shape[1]), dtype=np.float32)
        part ^= np.packbits(noise < flips, axis=1)
    return codes


def codes_of(kind: str, n: int, n_bits: int, seed: int = 0) -> np.ndarray:
    """Codes of a kind: "random", "clustered P", "equal" or "repeated"."""
    rng = np.random.default_rng(seed)
    name, *flips = kind.split()
    if name == "random":
        return random_codes(rng, n, n_bits)
    if name == "equal":
        return np.repeat(random_codes(rng, 1, n_bits), n, axis=0)
    if name == "repeated":
        return random_codes(rng, 500, n_bits)[rng.integers(0, 500, n)]
    return clustered(rng, random_codes(rng, CENTRES, n_bits), n, float(flips[0]))


def learned(folder: Path, name: str, n_bits: int) -> tuple[np.ndarray, np.ndarray]:
    """Codes of training and test images; the encoder learns from 10 000 of them."""
    from skhash import DeepHashEncoder

    X, y, X_test, _ = load(folder, name)
    encoder = DeepHashEncoder(n_bits, network="mlp", random_state=0)
    encoder.fit(X[:10_000], y[:10_000])
    return encoder.transform(X), encoder.transform(X_test)
