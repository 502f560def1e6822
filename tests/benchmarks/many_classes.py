"""Many classes of unequal size: shuffled against class-balanced batches.

A synthetic long tail (100 Gaussian classes in 64 dimensions, 1200 down to 30 training
items) is hashed to 32 bits; 10 queries of every class are ranked against the training
items. Results go to docs/results/many-classes.json::

    python tests/benchmarks/many_classes.py
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Any

import numpy as np
from _harness import Results, table

from skhash import DeepHashEncoder
from skhash.losses import LOSSES
from skhash.metrics import mean_average_precision

N_CLASSES, N_BITS, N_FEATURES, NOISE = 100, 32, 64, 1.6
COLUMNS = ("loss", "batches", "normalize_z", "seed", "mAP", "seconds")


def long_tail(seed: int) -> tuple[np.ndarray, ...]:
    """X, y of the training items and of 10 queries a class."""
    rng = np.random.default_rng(seed)
    centers = rng.normal(size=(N_CLASSES, N_FEATURES))
    sizes = (1200 * np.arange(1, N_CLASSES + 1) ** -0.8).astype(int)
    y = np.repeat(np.arange(N_CLASSES), sizes)
    y_query = np.repeat(np.arange(N_CLASSES), 10)
    X, X_query = (
        (centers[labels] + NOISE * rng.normal(size=(len(labels), N_FEATURES))).astype(
            np.float32
        )
        for labels in (y, y_query)
    )
    return X, y, X_query, y_query


def run(
    loss: str, params: dict[str, Any], batches: str, normalize: Any, seed: int
) -> dict[str, Any]:
    """Train one encoder for about 1500 steps and measure it."""
    X, y, X_query, y_query = long_tail(seed)
    start = time.perf_counter()
    encoder = DeepHashEncoder(
        N_BITS,
        loss=LOSSES[loss](**params),
        max_epochs=round(1500 * 128 / len(X)),
        balanced_batches=False if batches == "shuffled" else int(batches),
        normalize_z=normalize,
        random_state=seed,
        n_jobs=1,
    ).fit(X, y)
    score = mean_average_precision(
        encoder.transform(X_query), encoder.transform(X), y_query, y
    )
    return {"mAP": score, "seconds": round(time.perf_counter() - start, 1)}


def main() -> None:
    """Run what is asked for and print the table."""
    of_labels = sorted(k for k, loss in LOSSES.items() if loss.supervision == "labels")
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--losses", nargs="+", default=of_labels)
    parser.add_argument("--params", default="", help="e.g. ema=0.9,cube=10")
    parser.add_argument("--batches", nargs="+", default=["shuffled", "4"])
    parser.add_argument("--normalize-z", default="auto", choices=["auto", "yes", "no"])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--results", type=Path, default=Path("docs/results"))
    options = parser.parse_args()

    normalize = {"auto": "auto", "yes": True, "no": False}[options.normalize_z]
    pairs = (pair.split("=") for pair in options.params.split(",") if pair)
    params = {name: _value(text) for name, text in pairs}
    keys = ("loss", "params", "batches", "normalize_z", "seed")
    results = Results(options.results / "many-classes.json", keys)
    for loss in options.losses:
        for batches in options.batches:
            for seed in options.seeds:
                identity = {
                    "loss": loss,
                    "params": options.params,
                    "batches": batches,
                    "normalize_z": options.normalize_z,
                    "seed": seed,
                }
                if not results.done(**identity):
                    row = run(loss, params, batches, normalize, seed)
                    results.add({**identity, **row})
                    print(table([{**identity, **row}], COLUMNS))
    print(table(results.rows, (*COLUMNS, "params")))


def _value(text: str) -> Any:
    try:
        return float(text)
    except ValueError:
        return text


if __name__ == "__main__":
    main()
