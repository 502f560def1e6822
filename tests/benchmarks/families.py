"""Retrieval of every loss family on real images: same network, same epochs.

The training images are the database, the test images the queries; the score is the
tie-aware mean average precision over the whole ranking. Results go to
docs/results/families-DATASET.json after each run, and a second call goes on where the
first one ended::

    python tests/benchmarks/families.py --data FOLDER --dataset mnist --bits 12
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np
from _harness import Results, load, table

from skhash import DeepHashEncoder
from skhash.losses import LOSSES
from skhash.metrics import mean_average_precision, precision_at_radius

SIX = (
    "exponentiated",
    "dcwh",
    "hashnet",
    "dhn",
    "dual_hinge",
    "von_mises_fisher",
)
COLUMNS = (
    "loss",
    "n_bits",
    "seed",
    "epochs",
    "mAP",
    "precision_at_2",
    "seconds",
    "cpu_seconds",
)


def main() -> None:
    """Run what is asked for and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--dataset", default="mnist")
    parser.add_argument("--bits", type=int, nargs="+", default=[12])
    parser.add_argument("--losses", nargs="+", default=SIX, choices=sorted(LOSSES))
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--n-jobs", type=int, default=None)
    parser.add_argument("--results", type=Path, default=Path("docs/results"))
    options = parser.parse_args()

    X, y, X_query, y_query = load(options.data, options.dataset)
    path = options.results / f"families-{options.dataset}.json"
    results = Results(path, ("loss", "n_bits", "seed", "epochs"))
    for seed in options.seeds:
        for n_bits in options.bits:
            for loss in options.losses:
                identity = {
                    "loss": loss,
                    "n_bits": n_bits,
                    "seed": seed,
                    "epochs": options.epochs,
                }
                if results.done(**identity):
                    continue
                row = run(X, y, X_query, y_query, options.n_jobs, **identity)
                results.add({**identity, **row})
                print(table([{**identity, **row}], COLUMNS), flush=True)
    print(table(results.rows, COLUMNS))


def run(
    X: np.ndarray,
    y: np.ndarray,
    X_query: np.ndarray,
    y_query: np.ndarray,
    n_jobs: int | None,
    *,
    loss: str,
    n_bits: int,
    seed: int,
    epochs: int,
) -> dict[str, float]:
    """Train one encoder with its defaults and measure it."""
    encoder = DeepHashEncoder(
        n_bits, loss=loss, max_epochs=epochs, random_state=seed, n_jobs=n_jobs
    )
    start, start_cpu = time.perf_counter(), time.process_time()
    encoder.fit(X, y)
    seconds = time.perf_counter() - start
    cpu_seconds = time.process_time() - start_cpu
    database, queries = encoder.transform(X), encoder.transform(X_query)
    return {
        "mAP": mean_average_precision(queries, database, y_query, y),
        "precision_at_2": precision_at_radius(queries, database, y_query, y, 2),
        "accuracy": encoder.score(X_query, y_query),
        "seconds": round(seconds, 1),
        "cpu_seconds": round(cpu_seconds, 1),
        "n_jobs": n_jobs,
        "distinct_codes": len(np.unique(database, axis=0)),
        "dead_bits": encoder.history_[-1]["dead_bits"],
    }


if __name__ == "__main__":
    main()
