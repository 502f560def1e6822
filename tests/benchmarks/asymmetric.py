"""Time and recall of real queries against codes, against faiss.

All search the same rotated vectors with 4 bits a value of a query, are timed in one
process and in turn, on one thread, by that thread's processor time; figures are
medians, and the least of the repeats. A peer that is not installed is named and left
out. Run it on an idle machine::

    python tests/benchmarks/asymmetric.py --data FOLDER

FOLDER holds ``debian_embeddings.npz`` with the arrays ``X`` and ``X_queries``; without
``--data``, only clusters made up here are searched. Results go to
``docs/results/asymmetric.json``.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from _harness import command, environment
from threadpoolctl import threadpool_limits

from skhash.hamming import estimate_factors, nearest_real, pack

RESULTS = Path(__file__).parents[2] / "docs" / "results"
QUERY_BITS = 4
Search = Callable[[np.ndarray, int], np.ndarray]


def skhash(z: np.ndarray) -> Search:
    """Codes as they lie, with their factors."""
    factors = estimate_factors(z, z, "euclidean", center=np.zeros(z.shape[1]))
    codes = pack(z > 0)
    options: dict[str, Any] = {"query_bits": QUERY_BITS, "n_jobs": 1}
    return lambda w, k: nearest_real(w, codes, factors, k, **options)[1]


def faiss_rabitq(z: np.ndarray) -> Search:
    """IndexRaBitQ."""
    import faiss

    return _faiss(faiss.IndexRaBitQ(z.shape[1], faiss.METRIC_L2), z)


def faiss_fast_scan(z: np.ndarray) -> Search:
    """IndexRaBitQFastScan, which keeps codes in blocks of 32."""
    import faiss

    return _faiss(faiss.IndexRaBitQFastScan(z.shape[1], faiss.METRIC_L2), z)


def _faiss(index: Any, z: np.ndarray) -> Search:
    """Search by an index of faiss on one thread."""
    import faiss

    faiss.omp_set_num_threads(1)
    index.qb = QUERY_BITS
    index.train(z)
    index.add(z)
    return lambda w, k: index.search(w, k)[1]


SEARCHES = {
    "skhash": skhash,
    "faiss IndexRaBitQ": faiss_rabitq,
    "faiss IndexRaBitQFastScan": faiss_fast_scan,
}


def cases(args: argparse.Namespace) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    """Name of a set, vectors and queries, of length 1."""
    if args.data:
        with np.load(args.data / "debian_embeddings.npz") as arrays:
            yield "debian", arrays["X"], arrays["X_queries"]
    rng = np.random.default_rng(0)
    for n_features in args.features:
        centres = rng.normal(size=(1000, n_features))
        places = rng.integers(0, 1000, args.n + 1000)
        X = centres[places] + rng.normal(size=(args.n + 1000, n_features))
        yield f"clusters, {n_features} features", X[1000:], X[:1000]


def rotated(X: np.ndarray, queries: np.ndarray) -> tuple[np.ndarray, ...]:
    """Vectors of length 1, and the outputs of both after a random rotation."""
    X, queries = (
        (each / np.linalg.norm(each, axis=1, keepdims=True)).astype(np.float32)
        for each in (X, queries)
    )
    rng = np.random.default_rng(0)
    rotation = np.linalg.qr(rng.normal(size=(X.shape[1],) * 2))[0].astype(np.float32)
    center = X.mean(axis=0)
    return X, queries, (X - center) @ rotation, (queries - center) @ rotation


def timed(call: Callable[[], object], budget: float = 0.02) -> float:
    """Seconds of this thread's processor time for one call, of several in a row."""
    start, calls = time.thread_time(), 0
    while True:
        call()
        calls += 1
        seconds = time.thread_time() - start
        if seconds > budget:
            return seconds / calls


def recall(found: np.ndarray, truth: np.ndarray) -> float:
    """Share of true neighbours that were found."""
    k = truth.shape[1]
    pairs = zip(found[:, :k], truth, strict=True)
    return float(np.mean([len(set(a) & set(b)) / k for a, b in pairs]))


def measure(
    args: argparse.Namespace, X: np.ndarray, queries: np.ndarray
) -> Iterator[dict[str, Any]]:
    """A row for each batch size and search: ns an item and query, and recall@k."""
    X, queries, z, w = rotated(X, queries)
    truth = np.argsort(-(queries[:500] @ X.T), axis=1, kind="stable")[:, : args.k]
    searches = {}
    for name, build in SEARCHES.items():
        try:
            searches[name] = build(z)
        except ImportError:
            print(f"{name} is not installed: left out")
    recalls = {name: recall(s(w[:500], args.k), truth) for name, s in searches.items()}
    for batch in args.batches:
        times: dict[str, list[float]] = {name: [] for name in searches}
        for turn in range(args.repeats):
            at = turn * batch % (len(w) - batch + 1)
            for name, search in searches.items():
                rows = w[at : at + batch]
                took = timed(lambda s=search, q=rows: s(q, args.k))
                times[name].append(1e9 * took / batch / len(z))
        for name, each in times.items():
            yield {
                "n": len(z),
                "bits": z.shape[1],
                "batch": batch,
                "k": args.k,
                "search": name,
                "ns": round(float(np.median(each)), 2),
                "least ns": round(min(each), 2),
                "recall": round(recalls[name], 4),
            }


def arguments() -> argparse.Namespace:
    numbers = lambda text: [int(each) for each in text.split(",")]
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, help="folder of data sets")
    parser.add_argument("--n", type=int, default=200_000)
    parser.add_argument("--features", type=numbers, default=[256])
    parser.add_argument("--batches", type=numbers, default=[1, 64])
    parser.add_argument("--k", type=int, default=10)
    parser.add_argument("--repeats", type=int, default=21)
    parser.add_argument("--out", type=Path, default=RESULTS / "asymmetric.json")
    return parser.parse_args()


def main() -> None:
    args, rows = arguments(), []
    with threadpool_limits(1):
        for name, X, queries in cases(args):
            for row in measure(args, X, queries):
                rows.append({"data": name, "query_bits": QUERY_BITS, **row})
                print(json.dumps(rows[-1]), flush=True)
    content = {"command": command(), **environment(), "threads": 1, "rows": rows}
    args.out.parent.mkdir(parents=True, exist_ok=True)
    args.out.write_text(json.dumps(content, indent=1) + "\n")


if __name__ == "__main__":
    main()
