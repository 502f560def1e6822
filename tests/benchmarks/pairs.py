"""Codes learnt from pairs of similar items, against codes learnt from their labels.

Each training item gets ten partners of its class, drawn at random; a share of the pairs
is wrong, with an item of another class. Queries are ranked against the training items,
by the true labels. "components" take all items that pairs connect for one class, which
a few wrong pairs make useless. Results go to docs/results/pairs.json::

    python tests/benchmarks/pairs.py --data FOLDER

``FOLDER`` holds ``mnist.npz`` (X_train, y_train, X_test, y_test) and
``debian_embeddings.npz`` (X, y, X_queries, y_queries: embeddings of texts).
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Any

import numpy as np
from _harness import Results, load, table
from scipy.sparse.csgraph import connected_components

from skhash import DeepHashEncoder
from skhash.datasets import label_sets_from_pairs
from skhash.metrics import mean_average_precision

PARTNERS = 10
# What is learnt from, the share of wrong pairs, and the parameters of the encoder.
WAYS: dict[str, tuple[str, float, dict[str, Any]]] = {
    "labels": ("labels", 0.0, {}),
    "pairs": ("pairs", 0.0, {}),
    "pairs, 5 % wrong": ("pairs", 0.05, {}),
    "pairs, shuffled batches": ("pairs", 0.0, {"balanced_batches": False}),
    "components": ("components", 0.0, {}),
    "components, 5 % wrong": ("components", 0.05, {}),
}
COLUMNS = ("dataset", "loss", "seed", "way", "classes", "mAP", "seconds")


def drawn_pairs(y: np.ndarray, wrong: float, rng: np.random.Generator) -> np.ndarray:
    """Partners of each item in its class, a share of them from other classes."""
    order = np.argsort(y, kind="stable")
    sizes = np.bincount(y)
    starts = np.cumsum(sizes) - sizes
    first = np.repeat(np.arange(len(y)), PARTNERS)
    inside = (rng.random(len(first)) * sizes[y[first]]).astype(int)
    second = order[starts[y[first]] + inside]
    # Another class: the rest of the order, cut open behind the class.
    rest = len(y) - sizes[y[first]]
    outside = starts[y[first]] + sizes[y[first]] + (rng.random(len(first)) * rest)
    other = order[outside.astype(int) % len(y)]
    second = np.where(rng.random(len(first)) < wrong, other, second)
    return np.stack([first, second], axis=1)[first != second]


def data_set(folder: Path, name: str, n_items: int) -> tuple[np.ndarray, ...]:
    """X, y, X_queries, y_queries: `n_items` to train on, 1000 queries."""
    if name == "debian_embeddings":
        with np.load(folder / f"{name}.npz") as file:
            arrays = [file[each] for each in ("X", "y", "X_queries", "y_queries")]
    else:
        arrays = list(load(folder, name))
    rng = np.random.default_rng(0)
    chosen = []
    for at, count in ((0, n_items), (2, 1000)):
        rows = rng.permutation(len(arrays[at]))[:count]
        X = arrays[at][rows].reshape(len(rows), -1).astype(np.float32)
        chosen += [X, arrays[at + 1][rows]]
    classes, chosen[1] = np.unique(chosen[1], return_inverse=True)
    chosen[3] = np.searchsorted(classes, chosen[3])
    return tuple(chosen)


def run(
    data: tuple[np.ndarray, ...], loss: str, way: str, seed: int, n_bits: int
) -> dict[str, Any]:
    """Train one encoder and score the ranking of its codes."""
    X, y, X_queries, y_queries = data
    kind, wrong, params = WAYS[way]
    pairs = drawn_pairs(y, wrong, np.random.default_rng(seed + 1))
    sets = label_sets_from_pairs(pairs, len(y))
    found = connected_components(sets @ sets.T, directed=False)
    targets = {"labels": y, "pairs": sets, "components": found[1]}[kind]
    row = {"classes": found[0] if kind == "components" else int(y.max()) + 1}
    start = time.perf_counter()
    if kind == "components" and found[0] == 1:  # nothing to tell apart: equal codes
        codes = [np.zeros((len(each), 1), np.uint8) for each in (X_queries, X)]
    else:
        encoder = DeepHashEncoder(
            n_bits, loss=loss, random_state=seed, n_jobs=1, **params
        ).fit(X, targets)
        codes = [encoder.transform(each) for each in (X_queries, X)]
    seconds = round(time.perf_counter() - start, 1)
    score = mean_average_precision(*codes, y_queries, y)
    return row | {"mAP": score, "seconds": seconds}


def main() -> None:
    """Run what is asked for and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--datasets", nargs="+", default=["mnist", "debian_embeddings"])
    parser.add_argument("--items", type=int, default=5000)
    parser.add_argument("--bits", type=int, default=32)
    parser.add_argument("--losses", nargs="+", default=["dual_hinge", "hashnet"])
    parser.add_argument("--ways", nargs="+", default=list(WAYS), choices=list(WAYS))
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--results", type=Path, default=Path("docs/results"))
    options = parser.parse_args()
    keys = ("dataset", "loss", "bits", "way", "seed")
    results = Results(options.results / "pairs.json", keys)
    for name in options.datasets:
        data = data_set(options.data, name, options.items)
        for seed in options.seeds:
            for loss in options.losses:
                for way in options.ways:
                    row: dict[str, Any] = {
                        "dataset": f"{name}, {len(data[0])} items",
                        "loss": loss,
                        "bits": options.bits,
                        "way": way,
                        "seed": seed,
                    }
                    if not results.done(**row):
                        found = run(data, loss, way, seed, options.bits)
                        results.add(row | found)
                        print(row | found, flush=True)
    print(table(results.rows, COLUMNS))


if __name__ == "__main__":
    main()
