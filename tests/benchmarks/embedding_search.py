"""Recall, speed and memory of searching float vectors, against other libraries.

One thread, the queries of a data set in one call, median of three. A peer that is not
installed is named and left out. Run it on an idle machine::

    python tests/benchmarks/embedding_search.py --data FOLDER

FOLDER holds ``debian_embeddings.npz`` (arrays X and X_queries) and
``fashion_mnist.npz``. Results go to ``docs/results/embedding-search.json``: recall@10,
queries a second, bytes a vector in memory, of the codes and with floats, build time,
and what `EmbeddingNeighbors.explain` tells. Searches with floats read them from memory,
and skhash's have no number of candidates to choose: its options are confidences.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

import numpy as np
from _embedding_peers import PEERS, NoSuchSize
from _harness import Results, table
from threadpoolctl import threadpool_limits

from skhash import EmbeddingNeighbors
from skhash.baselines import RotatedSigns

RESULTS = Path(__file__).parents[2] / "docs" / "results" / "embedding-search.json"
K = 10
BITS = (1, 2, 4)
EPSILONS = (1.5, 1.9, 2.5)
COLUMNS = ("data", "method", "bits", "option", "recall", "per_second", "code_bytes")
COLUMNS += ("bytes", "build_seconds", "vectors_read")


def debian(folder: Path) -> tuple[np.ndarray, np.ndarray, str]:
    """Embeddings of texts, of length 1: database, queries, metric."""
    with np.load(folder / "debian_embeddings.npz") as arrays:
        both = (arrays[name].astype(np.float32) for name in ("X", "X_queries"))
        X, Q = (each / np.linalg.norm(each, axis=1, keepdims=True) for each in both)
    return X, Q, "cosine"


def fashion(folder: Path) -> tuple[np.ndarray, np.ndarray, str]:
    """Images as vectors of pixels."""
    with np.load(folder / "fashion_mnist.npz") as arrays:
        X, Q = (arrays[name].reshape(-1, 784) for name in ("X_train", "X_test"))
    return X.astype(np.float32), Q.astype(np.float32), "euclidean"


DATA = {"Debian texts": debian, "Fashion-MNIST": fashion}


def truth(X: np.ndarray, Q: np.ndarray, metric: str) -> np.ndarray:
    """Indices of the true nearest neighbours, by float64."""
    found = []
    squares = (X.astype(np.float64) ** 2).sum(axis=1)
    for start in range(0, len(Q), 100):
        products = Q[start : start + 100].astype(np.float64) @ X.T
        values = -products if metric == "cosine" else squares - 2 * products
        best = np.argpartition(values, K, axis=1)[:, :K]
        found.append(best)
    return np.concatenate(found)


def recall(found: np.ndarray, true: np.ndarray) -> float:
    """Share of the true neighbours among those found."""
    pairs = zip(found, true, strict=True)
    return float(np.mean([len(set(a) & set(b)) / K for a, b in pairs]))


def timed(search: Callable[[], np.ndarray]) -> tuple[np.ndarray, float]:
    """What a search finds, and its median time."""
    search()
    seconds = []
    for _ in range(3):
        start = perf_counter()
        found = search()
        seconds.append(perf_counter() - start)
    return found, median(seconds)


def ours(X: np.ndarray, Q: np.ndarray, metric: str) -> Iterator[dict[str, Any]]:
    """Rows of EmbeddingNeighbors."""
    for bits in BITS:
        encoder = RotatedSigns(bits * X.shape[1], random_state=0)
        for vectors in (None, "int8", "keep"):
            if bits > 1 and vectors == "int8":
                continue
            neighbors = EmbeddingNeighbors(
                encoder, n_neighbors=K, metric=metric, vectors=vectors, n_jobs=1
            ).fit(X)
            info = neighbors.info()
            codes = (info["codes_bytes"] + info["factors_bytes"]) / len(X)
            row = {
                "method": "skhash EmbeddingNeighbors",
                "bits": bits,
                "code_bytes": round(codes, 1),
                "bytes": round(codes + info["vectors_bytes"] / len(X), 1),
                "build_seconds": info["build_seconds"],
            }
            search = partial(neighbors.kneighbors, return_distance=False)
            if vectors is None:
                yield {**row, "option": "codes alone", "search": search}
                continue
            for epsilon in EPSILONS:
                neighbors.set_params(epsilon=epsilon)
                told = neighbors.explain(Q)
                told = {each: round(value, 4) for each, value in told.items()}
                option = f"{vectors}, epsilon {epsilon}"
                row["vectors_read"] = told["vectors_read"]
                yield {**row, "option": option, "explain": told, "search": search}


def theirs(X: np.ndarray, metric: str, names: list[str]) -> Iterator[dict[str, Any]]:
    """Rows of the peers that are there."""
    for name in names:
        for bits in BITS:
            start = perf_counter()
            try:
                n_bytes, searches = PEERS[name](X, metric, bits)
            except ImportError as error:
                print(f"{name} is left out: {error}")
                break
            except NoSuchSize:  # it has one size
                continue
            row = {
                "method": name,
                "bits": bits,
                "code_bytes": round(n_bytes / len(X), 1),
                "build_seconds": perf_counter() - start,
            }
            for option, search in searches:
                n_bytes = row["code_bytes"] + 4 * X.shape[1] * ("floats" in option)
                find = partial(search, k=K)
                yield {**row, "option": option, "bytes": n_bytes, "search": find}


def main() -> None:
    """Measure all, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", type=Path, required=True, metavar="FOLDER")
    parser.add_argument("--sets", nargs="*", default=list(DATA), choices=list(DATA))
    parser.add_argument("--peers", nargs="*", default=list(PEERS), choices=list(PEERS))
    parser.add_argument("--queries", type=int, default=1000)
    parser.add_argument("--results", type=Path, default=RESULTS)
    args = parser.parse_args()
    results = Results(args.results, ("data", "method", "bits", "option"))
    with threadpool_limits(1):
        for name in args.sets:
            X, Q, metric = DATA[name](args.data)
            Q = Q[: args.queries]
            true = truth(X, Q, metric)
            for rows in (ours(X, Q, metric), theirs(X, metric, args.peers)):
                for row in rows:
                    search = row.pop("search")
                    identity = {key: row[key] for key in ("method", "bits", "option")}
                    if results.done(data=name, **identity):
                        continue
                    found, seconds = timed(partial(search, Q))
                    row["recall"] = round(recall(found, true), 4)
                    row["per_second"] = round(len(Q) / seconds, 1)
                    row["build_seconds"] = round(row["build_seconds"], 2)
                    results.add({"data": name, **row})
                    line = table([{"data": name, **row}], COLUMNS)
                    print(line.splitlines()[-1], flush=True)
    print(table(results.rows, COLUMNS))


if __name__ == "__main__":
    main()
