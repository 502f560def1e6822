"""Latency of one item at a time: encoded, and looked up in a database that may grow.

Each client is a thread that asks as soon as it has an answer. An item is encoded by
`DeepHashEncoder.transform`, by its ONNX file in onnxruntime, or by the bare torch
network and `numpy.packbits`, and then searched for among codes (`HammingNeighbors`) or
among the real outputs z (`EmbeddingNeighbors`). While they ask, another thread may add
an item every five milliseconds. All ways are measured in turn, in one process. The
processor time of a request ("cpu", that of the additions with it) says what it costs on
a machine that does other work::

    python tests/benchmarks/serving.py --results docs/results/serving.json
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import threading
import time
from collections.abc import Callable
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import torch
from _harness import command, environment, table

from skhash import DeepHashEncoder, EmbeddingNeighbors, HammingNeighbors
from skhash.export import to_onnx

N_BITS, N_FEATURES, N_CLASSES, K = 64, 128, 50, 10
PAUSE = 0.005
LOADS = {
    "1 thread": (1, False),
    "1 thread, adding": (1, True),
    "8 threads": (8, False),
    "8 threads, adding": (8, True),
}
Function = Callable[[np.ndarray], Any]


def made(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Items around the centres of their classes, and the classes."""
    centers = np.random.default_rng(0).normal(size=(N_CLASSES, N_FEATURES))
    rng = np.random.default_rng(seed)
    y = rng.integers(N_CLASSES, size=n)
    X = centers[y] + 2 * rng.normal(size=(n, N_FEATURES))
    return X.astype(np.float32), y


def encoders(model: DeepHashEncoder) -> dict[str, tuple[Function, Function]]:
    """By name: an item to its code, and to its code and its z."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.onnx"
        to_onnx(model, path, embedding=True)
        options = onnxruntime.SessionOptions()
        # A thread a request: more would wait for each other.
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        session = onnxruntime.InferenceSession(path, options)
    network = model.net_.module_.eval()

    def bare(X: np.ndarray) -> np.ndarray:
        with torch.inference_mode():
            return network(torch.from_numpy(X)).numpy()

    return {
        "DeepHashEncoder.transform": (model.transform, model.embed),
        "its ONNX file, onnxruntime": (
            lambda X: session.run(["codes"], {"X": X})[0],
            lambda X: session.run(["z"], {"X": X})[0],
        ),
        "its network, bare torch": (lambda X: np.packbits(bare(X) > 0, axis=1), bare),
    }


def asked(
    ask: Function, X: np.ndarray, n_threads: int, seconds: float
) -> tuple[list[float], float]:
    """Seconds of each request of some clients, and processor seconds of all."""
    found: list[list[float]] = [[] for _ in range(n_threads)]
    start = threading.Barrier(n_threads)

    def client(number: int) -> None:
        own, row = found[number], number
        for _ in range(5):
            ask(X[row : row + 1])
        start.wait()
        end = time.perf_counter() + seconds
        while (before := time.perf_counter()) < end:
            row = (row + n_threads) % len(X)
            ask(X[row : row + 1])
            own.append(time.perf_counter() - before)

    threads = [threading.Thread(target=client, args=(i,)) for i in range(n_threads)]
    before = time.process_time()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return [each for own in found for each in own], time.process_time() - before


def while_adding(add: Callable[[], Any] | None, work: Callable[[], Any]) -> Any:
    """What `work` returns, while an item is added every few milliseconds."""
    if add is None:
        return work()
    stop = threading.Event()

    def writer() -> None:
        while not stop.wait(PAUSE):
            add()

    thread = threading.Thread(target=writer)
    thread.start()
    try:
        return work()
    finally:
        stop.set()
        thread.join()


def databases(model: DeepHashEncoder, n_items: int) -> dict[str, Any]:
    """By name: a function that makes a database of codes, or of z."""
    z = model.embed(made(n_items, seed=2)[0])
    codes = np.packbits(z > 0, axis=1)
    return {
        "nothing": None,
        "HammingNeighbors": lambda: HammingNeighbors(n_neighbors=K, n_jobs=1).fit(
            codes
        ),
        "EmbeddingNeighbors": lambda: EmbeddingNeighbors(
            n_neighbors=K, metric="cosine", n_jobs=1
        ).fit(z),
    }


def measured(
    first: Function, make: Callable[[], Any] | None, load: str, seconds: float
) -> dict[str, float]:
    """Figures of requests that are encoded and, where there is a database, answered."""
    X, _ = made(10_000, seed=3)
    neighbors = make() if make else None
    n_threads, adding = LOADS[load]

    def answer(x: np.ndarray) -> Any:
        return first(x) if neighbors is None else neighbors.kneighbors(first(x))

    add = partial(neighbors.add, first(X[:1])) if adding else None
    times, cpu = while_adding(add, partial(asked, answer, X, n_threads, seconds))
    p50, p99 = np.percentile(times, [50, 99]) * 1e6
    return {
        "p50": round(float(p50), 1),
        "p99": round(float(p99), 1),
        "cpu": round(cpu / len(times) * 1e6, 1),
        "per second": round(len(times) / seconds),
    }


def rows_of(model: DeepHashEncoder, n_items: int, seconds: float) -> list[dict]:
    """The rows of the table."""
    rows, ways = [], encoders(model)
    for search, make in databases(model, n_items).items():
        for load, (_, adding) in LOADS.items():
            if make is None and adding:
                continue
            for way, (code, z) in ways.items():
                first = z if search == "EmbeddingNeighbors" else code
                row = {"encoder": way, "search": search, "load": load}
                rows.append({**row, **measured(first, make, load, seconds)})
                print(*rows[-1].values(), sep="  ", flush=True)
    return rows


def main() -> None:
    """Print a table; write JSON where asked to."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--items", type=int, default=100_000)
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--results", type=Path)
    args = parser.parse_args()
    torch.set_num_threads(1)
    before = os.getloadavg()[0]
    model = DeepHashEncoder(N_BITS, max_epochs=2, n_jobs=1, random_state=0)
    model.fit(*made(20_000, seed=1))
    rows = rows_of(model, args.items, args.seconds)
    print(table(rows, tuple(rows[0])))
    if args.results:
        content = {
            "command": command(),
            **environment(),
            "onnxruntime": version("onnxruntime"),
            "load average before": round(before, 2),
            "unit": "microseconds a request",
            "items": args.items,
            "rows": rows,
        }
        args.results.write_text(json.dumps(content, indent=1) + "\n")


if __name__ == "__main__":
    main()
