"""Time of mean average precision: tie-aware histograms against the argsort loop.

The loop is what deep-hashing code usually runs: for each query a float32 product with
all codes of ±1, an argsort, and the precision at each relevant rank. It is timed on
some queries and scaled up. Both run in one process and in turn::

    python tests/benchmarks/ranking.py
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

import numpy as np
from _harness import command, environment
from threadpoolctl import threadpool_limits

from skhash.datasets import make_hash_blobs
from skhash.metrics import from_histograms, mean_average_precision

N_CLASSES = 10


def argsort_loop(
    queries: np.ndarray,
    database: np.ndarray,
    query_labels: np.ndarray,
    database_labels: np.ndarray,
) -> float:
    """The usual loop; codes are float32 ±1, labels one-hot float32."""
    total = 0.0
    for query, label in zip(queries, query_labels, strict=True):
        relevant = (label @ database_labels.T > 0).astype(np.float32)
        distance = 0.5 * (len(query) - query @ database.T)
        ranks = np.flatnonzero(relevant[np.argsort(distance)]) + 1.0
        total += np.mean(np.arange(1, len(ranks) + 1) / ranks)
    return total / len(queries)


def measure(n_bits: int, options: argparse.Namespace) -> dict[str, Any]:
    """Seconds of both for codes of one length, and what they found."""
    n = options.queries
    bits, y = make_hash_blobs(
        n + options.items,
        n_bits,
        n_classes=N_CLASSES,
        flip=0.25,
        output="bits",
        random_state=0,
    )
    codes = np.packbits(bits, axis=1)
    task = codes[:n], codes[n:], y[:n], y[n:]
    signs = np.where(bits, 1, -1).astype(np.float32)
    one_hot = np.eye(N_CLASSES, dtype=np.float32)[y]
    few = slice(options.loop_queries)
    usual = signs[:n][few], signs[n:], one_hot[:n][few], one_hot[n:]
    histograms = np.full((n, n_bits + 1), options.items // (n_bits + 1))
    part = [
        lambda: mean_average_precision(*task, n_jobs=options.n_jobs),
        lambda: argsort_loop(*usual),
        lambda: from_histograms.average_precision(histograms, histograms // 2),
    ]
    found = [run() for run in part]  # compile, and touch all memory
    seconds = np.empty((options.rounds, len(part)))
    for round_ in range(options.rounds):
        for column, run in enumerate(part):
            start = time.perf_counter()
            run()
            seconds[round_, column] = time.perf_counter() - start
    seconds[:, 1] *= n / options.loop_queries
    ours, loop, closed_form = np.median(seconds, axis=0).tolist()
    return {
        "n_bits": n_bits,
        "histograms": ours,
        "loop": loop,
        "speed-up": float(np.median(seconds[:, 1] / seconds[:, 0])),
        "closed form alone": closed_form,
        "mAP": found[0],
        "mAP of the loop's queries": found[1],
    }


def main() -> None:
    """Measure all lengths, print a table, write JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--queries", type=int, default=10_000)
    parser.add_argument("--items", type=int, default=60_000)
    parser.add_argument("--bits", type=int, nargs="+", default=[12, 16, 32, 48, 64])
    parser.add_argument("--loop-queries", type=int, default=40)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--n-jobs", type=int, default=2)
    parser.add_argument("--results", type=Path, default=Path("docs/results"))
    options = parser.parse_args()
    with threadpool_limits(options.n_jobs):
        rows = [measure(n_bits, options) for n_bits in options.bits]
    for row in rows:
        print(
            f"{row['n_bits']:3d} bits  {row['histograms']:.3f} s  "
            f"loop {row['loop']:.1f} s  {row['speed-up']:.0f} x  "
            f"(closed form {row['closed form alone']:.3f} s)",
            flush=True,
        )
    options.results.mkdir(parents=True, exist_ok=True)
    figures = ("histograms", "loop", "speed-up")
    table = [
        {"n_bits": row["n_bits"], "what": name, "value": row[name]}
        for row in rows
        for name in figures
    ]
    content = {"command": command(), **environment(), "rows": table}
    path = options.results / "ranking.json"
    path.write_text(json.dumps(content, indent=1) + "\n")


if __name__ == "__main__":
    main()
