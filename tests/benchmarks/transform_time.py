"""Time of `transform`, `embed` and `predict`, beside a check and a bare torch call.

The bare call is the fitted network alone, in evaluation and inference mode, with the
threads of the encoder; the check is scikit-learn's `check_array`. All are called in
turn, in one process; the table gives medians, and the time of the encoder beyond the
check in bare calls::

    python tests/benchmarks/transform_time.py --rows 1 100 5000
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from _harness import command, environment, table
from sklearn.utils import check_array

from skhash import DeepHashEncoder

N_BITS = 32
CLOCKS = {"wall": time.perf_counter, "cpu": time.process_time}
SHAPES = {"linear": (64,), "mlp": (64,), "convnet": (28, 28)}


def fitted(network: str) -> DeepHashEncoder:
    """A small training: what it has learnt does not matter here."""
    rng = np.random.default_rng(0)
    y = np.arange(256) % 4
    X = rng.normal(size=(4, *SHAPES[network]))[y] + rng.normal(
        size=(256, *SHAPES[network])
    )
    model = DeepHashEncoder(N_BITS, network=network, max_epochs=2, random_state=0)
    return model.fit(X.astype(np.float32), y)


def bare(model: DeepHashEncoder, X: np.ndarray) -> np.ndarray:
    """Outputs of the network, as one writes it by hand."""
    with torch.inference_mode():
        return model.net_.module_(torch.from_numpy(X)).numpy()


def medians(
    tasks: dict[str, Callable[[], Any]], seconds: float, clock: Callable[[], float]
) -> dict[str, float]:
    """Median milliseconds of tasks that are called in turn for a number of seconds."""
    times: dict[str, list[float]] = {name: [] for name in tasks}
    end = time.perf_counter() + seconds
    while time.perf_counter() < end or len(times["check"]) < 5:
        for name, task in tasks.items():
            start = clock()
            task()
            times[name].append(clock() - start)
    return {name: 1e3 * float(np.median(values)) for name, values in times.items()}


def measure(
    model: DeepHashEncoder, n_rows: int, seconds: float, clock: Callable[[], float]
) -> dict[str, Any]:
    """A row of the table."""
    shape = SHAPES[model.network]
    X = np.random.default_rng(1).normal(size=(n_rows, *shape)).astype(np.float32)
    y = model.predict(X)
    flat = X.reshape(n_rows, -1)
    tasks = {
        "check": lambda: check_array(flat),
        "bare": lambda: bare(model, X),
        "transform": lambda: model.transform(X),
        "embed": lambda: model.embed(X),
        "predict": lambda: model.predict(X),
        "decision": lambda: model.decision_function(X),
        "score": lambda: model.score(X, y),
    }
    model.net_.module_.eval()
    torch.set_num_threads(model._n_threads)
    found = medians(tasks, seconds, clock)
    return {
        "network": model.network,
        "rows": n_rows,
        **found,
        "beyond check / bare": (found["transform"] - found["check"]) / found["bare"],
        "transform / both": found["transform"] / (found["check"] + found["bare"]),
    }


def main() -> None:
    """Print a table; write JSON where asked to."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--networks", nargs="+", choices=SHAPES, default=list(SHAPES))
    parser.add_argument("--rows", nargs="+", type=int, default=[1, 100, 5000])
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--results", type=Path)
    parser.add_argument(
        "--clock",
        choices=CLOCKS,
        default="wall",
        help="cpu: processor time of all threads, for a machine that does other work",
    )
    args = parser.parse_args()
    clock = CLOCKS[args.clock]
    found = []
    for network in args.networks:
        model = fitted(network)
        found += [measure(model, n, args.seconds, clock) for n in args.rows]
    print(table(found, tuple(found[0])))
    if args.results:
        content = {"command": command(), **environment(), "rows": found}
        args.results.write_text(json.dumps(content, indent=1) + "\n")


if __name__ == "__main__":
    main()
