"""Many items with a few of many tags: time and memory of a training and a score.

Tags follow Zipf's law, about five an item; as a matrix of bool, a million items of
50 000 tags would take 50 GB. The memory is the highest that was resident at any time,
less what was resident before the training::

    python tests/benchmarks/many_tags.py --items 1000000 --tags 50000 --queries 10000
"""

from __future__ import annotations

import argparse
import threading
import time
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.sparse as sp

from skhash import DeepHashEncoder
from skhash.hamming import warm_up
from skhash.metrics import mean_average_precision

N_FEATURES = 16
# Megabytes of label rows that are drawn at a time.
DRAWN = 1 << 20


def resident() -> int:
    """Bytes of this process in memory, by Linux's own count."""
    with open("/proc/self/statm") as counts:  # noqa: PTH123 - a thousand times a second
        return int(counts.read().split()[1]) * 4096


class Peak:
    """The most memory that is resident while the context lasts, in megabytes."""

    def __enter__(self) -> Peak:
        self._before = self._most = resident()
        self._done = threading.Event()
        self._watcher = threading.Thread(target=self._watch)
        self._watcher.start()
        return self

    def __exit__(self, *error: Any) -> None:
        self._done.set()
        self._watcher.join()
        self.megabytes = (self._most - self._before) / 1e6

    def _watch(self) -> None:
        while not self._done.wait(0.002):
            self._most = max(self._most, resident())


def tagged_items(
    n: int, n_tags: int, rng: np.random.Generator
) -> tuple[np.ndarray, sp.csr_array]:
    """Features of items, and their tags: 1 to 9 draws by Zipf's law, each kept once."""
    shares = 1 / np.arange(1, n_tags + 1)
    ends = np.cumsum(shares / shares.sum())
    counts = rng.integers(1, 10, n)
    tags = np.searchsorted(ends, rng.random(counts.sum())).clip(max=n_tags - 1)
    rows = np.repeat(np.arange(n), counts)
    sets = sp.csr_array((np.ones(len(tags), bool), (rows, tags)), shape=(n, n_tags))
    sets.sum_duplicates()
    # Features speak of the tags, so that there is something to learn.
    X = sets.astype(np.float32) @ rng.normal(size=(n_tags, N_FEATURES))
    X += 0.1 * rng.normal(size=X.shape)
    return X.astype(np.float32), sets


def measured(name: str, call: Callable[[], Any]) -> Any:
    """What a call returns; its time and memory are printed."""
    start = time.perf_counter()
    with Peak() as peak:
        result = call()
    seconds = time.perf_counter() - start
    print(f"{name:8s} {seconds:8.1f} s {peak.megabytes:10.0f} MB", flush=True)
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--items", type=int, default=1_000_000)
    parser.add_argument("--tags", type=int, default=50_000)
    parser.add_argument("--queries", type=int, default=10_000)
    parser.add_argument("--loss", default="hashnet")
    parser.add_argument("--bits", type=int, default=32)
    parser.add_argument("--n-jobs", type=int, default=None)
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    rng = np.random.default_rng(0)
    X, Y = tagged_items(options.items + options.queries, options.tags, rng)
    queries, X = X[options.items :].copy(), X[: options.items].copy()
    Y_queries, Y = Y[options.items :], Y[: options.items]
    encoder = DeepHashEncoder(
        options.bits,
        loss=options.loss,
        max_epochs=1,
        random_state=0,
        n_jobs=options.n_jobs,
    )
    # What is loaded and compiled once is not of these sizes.
    encoder.fit(X[:1000], Y[:1000])
    warm_up(options.bits)
    print(f"{options.items} items, {options.tags} tags, {Y.nnz / len(X):.1f} an item")
    with Peak() as peak:
        measured("fit", lambda: encoder.fit(X, Y))
        codes = measured("encode", lambda: encoder.transform(X))
        asked = encoder.transform(queries)
        score = measured(
            "score",
            lambda: mean_average_precision(
                asked, codes, Y_queries, Y, n_jobs=options.n_jobs
            ),
        )
    print(f"mAP {score:.4f}; in all {peak.megabytes:.0f} MB beyond X and y")


if __name__ == "__main__":
    main()
