"""Codes of real text embeddings without labels: shallow methods and the deep one.

The database are vectors of length 1, the queries others; the truth are the ten of
greatest cosine. Each code is read in two ways: by Hamming distance, and by the real
outputs of the query against the signs of the items. "10x" is the recall after the first
100 were re-ranked by cosine. Labels only score: `precision` is the share of the first
ten by Hamming distance that have the label of the query. In `recall` and
`precision` ties count by expectation, elsewhere by index. Results go to
docs/results/label-free.json after each run, and a second call goes on where the first
one ended::

    python tests/benchmarks/label_free.py --data FOLDER --bits 64 128
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Any

import numpy as np
from _harness import Results, table

import skhash.baselines
from skhash import DeepHashEncoder
from skhash.hamming import nearest, pack
from skhash.metrics import neighbor_recall, precision_at_k
from skhash.vectors import nearest_vectors

# Those that use labels, or take no number of bits.
LEFT_OUT = {"ITQCCA", "SignThreshold"}
SHALLOW = sorted(set(skhash.baselines.__all__) - LEFT_OUT)
METHODS = (*SHALLOW, "neighbor_distillation")
COLUMNS = (
    *("method", "bits", "seed", "recall", "recall_10x", "precision"),
    *("real_recall", "real_recall_10x", "seconds", "cpu_seconds"),
)
K, CANDIDATES = 10, 100


def load(folder: Path, held_out: int) -> tuple[np.ndarray, ...]:
    """Vectors of length 1 and labels: X, y, X_queries, y_queries.

    With `held_out`, this many items of the database are the queries: for choosing.
    """
    path = folder / "debian_embeddings.npz"
    if not path.exists():
        raise SystemExit(
            f"{path} does not exist. --data FOLDER must hold debian_embeddings.npz "
            "with the arrays X, y, X_queries and y_queries."
        )
    with np.load(path) as arrays:
        X, y, Q, yq = (arrays[n] for n in ("X", "y", "X_queries", "y_queries"))
    X, Q = X.astype(np.float32), Q.astype(np.float32)
    if held_out:
        order = np.random.default_rng(0).permutation(len(X))
        rest, some = order[held_out:], order[:held_out]
        X, y, Q, yq = X[rest], y[rest], X[some], y[some]
    X, Q = (V / np.linalg.norm(V, axis=1, keepdims=True) for V in (X, Q))
    return X, y, Q, yq


def make(method: str, bits: int, seed: int, n_jobs: int | None) -> Any:
    """An encoder that is to be fitted."""
    if method == "neighbor_distillation":
        return DeepHashEncoder(
            bits, loss=method, random_state=seed, n_jobs=n_jobs, verbose=1
        )
    cls = getattr(skhash.baselines, method)
    random = "random_state" in cls().get_params()
    return cls(bits, **({"random_state": seed} if random else {}))


def recall(candidates: np.ndarray, truth: np.ndarray) -> float:
    """Share of the true neighbours among the candidates."""
    pairs = zip(candidates, truth, strict=True)
    return float(np.mean([len(set(a) & set(b)) / K for a, b in pairs]))


def by_real_queries(z: np.ndarray, signs: np.ndarray) -> np.ndarray:
    """The first items of each query by the products of its outputs with signs."""
    found = []
    for start in range(0, len(z), 250):
        scores = z[start : start + 250] @ signs.T
        some = np.sort(np.argpartition(-scores, CANDIDATES, axis=1)[:, :CANDIDATES])
        order = np.argsort(-np.take_along_axis(scores, some, axis=1), kind="stable")
        found.append(np.take_along_axis(some, order, axis=1))
    return np.concatenate(found)


def run(data: tuple[np.ndarray, ...], truth: np.ndarray, encoder: Any) -> dict:
    """Fit, encode and measure."""
    X, y, Q, yq = data
    start, cpu = time.perf_counter(), time.process_time()
    encoder.fit(X)
    seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
    z, z_queries = encoder.embed(X), encoder.embed(Q)
    codes, queries = pack(z > 0), pack(z_queries > 0)
    first = nearest(queries, codes, CANDIDATES)[1]
    real = by_real_queries(z_queries, np.where(z > 0, np.float32(1), np.float32(-1)))
    return {
        "recall": neighbor_recall(queries, codes, Q, X, k=K),
        "recall_10x": recall(first, truth),
        "precision": precision_at_k(queries, codes, yq, y, k=K),
        "real_recall": recall(real[:, :K], truth),
        "real_recall_10x": recall(real, truth),
        "seconds": round(seconds, 1),
        "cpu_seconds": round(cpu, 1),
    }


def main() -> None:
    """Run what is asked for and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--bits", type=int, nargs="+", default=[64, 128])
    parser.add_argument("--methods", nargs="+", default=METHODS, choices=METHODS)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--held-out", type=int, default=0)
    parser.add_argument("--n-jobs", type=int, default=None)
    parser.add_argument("--results", type=Path, default=Path("docs/results"))
    options = parser.parse_args()

    data = load(options.data, options.held_out)
    truth = np.concatenate([*nearest_vectors(data[2], data[0], K)])
    path = options.results / "label-free.json"
    results = Results(path, ("method", "bits", "seed"))
    for bits in options.bits:
        for method in options.methods:
            for seed in options.seeds:
                identity = {"method": method, "bits": bits, "seed": seed}
                if results.done(**identity):
                    continue
                row = run(data, truth, make(method, bits, seed, options.n_jobs))
                results.add({**identity, **row})
                print(table([{**identity, **row}], COLUMNS), flush=True)
    print(table(results.rows, COLUMNS))


if __name__ == "__main__":
    main()
