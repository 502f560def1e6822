"""Neighbours of a million vectors that lie on disk: time and memory.

Random clusters are written to a file, and mapped; the graph is that which label-free
training draws its batches from, then a whole ``fit`` follows. Results go to
``docs/results/neighbor-graph.json``: seconds, and the most memory of the process's own
(pages of the file that Linux keeps cached, and takes back as it likes, are apart)::

    python tests/benchmarks/neighbor_graph.py --items 1000000 --features 768
"""

from __future__ import annotations

import argparse
import tempfile
import threading
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from _harness import Results, table

from skhash import DeepHashEncoder
from skhash.encoder._data.neighbors import neighbor_graph
from skhash.encoder._data.vectors import Vectors

RESULTS = Path(__file__).parents[2] / "docs" / "results"
# Rows that are drawn and written at a time.
ROWS = 8192
KEYS = ("step", "items", "features", "dtype")
COLUMNS = (*KEYS, "seconds", "cpu_seconds", "peak_mb", "mapped_mb")


def memory() -> tuple[int, int]:
    """Bytes of this process's own, and of files that it has mapped, by Linux."""
    status = Path("/proc/self/status").read_text().splitlines()
    fields = dict(line.split(":", 1) for line in status)
    return tuple(1024 * int(fields[name].split()[0]) for name in ("RssAnon", "RssFile"))


class Peak:
    """The most memory beyond that of before while the context lasts, in megabytes."""

    def __enter__(self) -> Peak:
        self._before = self._most = memory()
        self._done = threading.Event()
        self._watcher = threading.Thread(target=self._watch)
        self._watcher.start()
        return self

    def __exit__(self, *error: Any) -> None:
        self._done.set()
        self._watcher.join()
        pairs = zip(self._most, self._before, strict=True)
        self.own, self.mapped = (round((most - was) / 1e6) for most, was in pairs)

    def _watch(self) -> None:
        while not self._done.wait(0.02):
            self._most = tuple(map(max, self._most, memory()))


def write_clusters(path: Path, n: int, d: int, dtype: str) -> None:
    """A file of n rows around n / 100 centres."""
    rng = np.random.default_rng(0)
    centers = rng.standard_normal((max(1, n // 100), d), dtype=np.float32)
    X = np.lib.format.open_memmap(path, "w+", dtype=dtype, shape=(n, d))
    for start in range(0, n, ROWS):
        some = X[start : start + ROWS]
        noise = rng.standard_normal(some.shape, dtype=np.float32)
        some[:] = centers[rng.integers(len(centers), size=len(some))] + noise
    X.flush()


def measured(call: Callable[[], Any]) -> dict[str, float]:
    """Seconds, processor seconds and memory of a call."""
    wall, cpu = time.perf_counter(), time.process_time()
    with Peak() as peak:
        call()
    return {
        "seconds": round(time.perf_counter() - wall, 1),
        "cpu_seconds": round(time.process_time() - cpu, 1),
        "peak_mb": peak.own,
        "mapped_mb": peak.mapped,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--items", type=int, default=1_000_000)
    parser.add_argument("--features", type=int, default=768)
    parser.add_argument("--dtype", default="float32", choices=["float16", "float32"])
    parser.add_argument("--steps", nargs="+", default=["graph", "fit"])
    parser.add_argument("--results", type=Path, default=RESULTS)
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    identity = {"items": options.items, "features": options.features}
    identity["dtype"] = options.dtype
    results = Results(options.results / "neighbor-graph.json", KEYS)

    def encoder(n_epochs: Any = "auto") -> DeepHashEncoder:
        loss = "neighbor_distillation"
        return DeepHashEncoder(
            64, loss=loss, max_epochs=n_epochs, random_state=0, verbose=1
        )

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "vectors.npy"
        write_clusters(path, options.items, options.features, options.dtype)
        X = np.load(path, mmap_mode="r")
        calls = {
            "graph": lambda: neighbor_graph(Vectors.of(X), seed=0, verbose=1),
            "fit": lambda: encoder().fit(X),
        }
        some = np.asarray(X[:2000], np.float32)
        encoder(1).fit(some)  # what is loaded and compiled once is not of this size
        for step in options.steps:
            if not results.done(step=step, **identity):
                results.add({"step": step, **identity, **measured(calls[step])})
    print(table(results.rows, COLUMNS))


if __name__ == "__main__":
    main()
