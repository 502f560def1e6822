"""Seconds of training until retrieval reaches a goal, on images.

The learning rate ends where the training does, so a goal is reached by a training that
is as long as it needs to be: the table names its epochs. Training images are the
database, test images the queries; the score is the tie-aware mean average precision of
12 bits over the whole ranking. "loop" is the short loop that one writes by hand: a
plain network, no batch-normalised z::

    python tests/benchmarks/time_to_quality.py --data FOLDER --dataset mnist

Wall time is that of an idle machine; the processor's seconds over `n_jobs` tell how far
it was from that.
"""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from _harness import Results, load, table
from torch import nn

from skhash import DeepHashEncoder
from skhash.hamming import pack
from skhash.metrics import mean_average_precision

N_BITS, BATCH_SIZE = 12, 128
COLUMNS = ("dataset", "run", "goal", "epochs", "seed", "mAP", "seconds", "cpu_seconds")


class Run(NamedTuple):
    """What trains towards a goal, and for how many epochs."""

    goal: float
    epochs: int
    params: dict[str, Any] | None  # of the encoder; None is the loop


RUNS = {
    "mnist": {
        "encoder": Run(0.99, 3, {}),
        "loop": Run(0.99, 6, None),
    },
    "cifar10": {
        "encoder, .74": Run(0.74, 9, {"augment": "crop_flip"}),
        "encoder, .80": Run(0.80, 22, {"augment": "crop_flip"}),
    },
}


def encoder(
    X: np.ndarray, y: np.ndarray, run: Run, seed: int, n_jobs: int
) -> Callable[[np.ndarray], np.ndarray]:
    """Train `DeepHashEncoder`; what makes codes."""
    made = DeepHashEncoder(
        N_BITS,
        loss="exponentiated",
        max_epochs=run.epochs,
        n_jobs=n_jobs,
        random_state=seed,
        **(run.params or {}),
    )
    return made.fit(X, y).transform


def plain_network(channels: int, side: int) -> nn.Sequential:
    """Four convolutions and a dense layer, as one writes them first."""
    layers: list[nn.Module] = []
    for n_in, n_out, pool in [
        (channels, 16, True),
        (16, 32, False),
        (32, 32, True),
        (32, 64, True),
    ]:
        layers += [nn.Conv2d(n_in, n_out, 3, padding=1, bias=False)]
        layers += [nn.BatchNorm2d(n_out), nn.ReLU()]
        layers += [nn.MaxPool2d(2)] if pool else []
    layers += [nn.Flatten(), nn.Linear(64 * (side // 8) ** 2, 128), nn.ReLU()]
    return nn.Sequential(*layers, nn.Linear(128, N_BITS))


def plain_loss(z: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """The exponentiated loss, a bit at a time."""
    h, gamma = z.tanh(), 4 / N_BITS
    same = y[:, None] == y
    sign = torch.where(same, 1.0, -1.0)
    log = torch.zeros_like(sign)
    for bit in h.T:
        product = sign * torch.outer(bit, bit)
        log = log + math.log(math.cosh(gamma))
        log = log + torch.log1p(-product * math.tanh(gamma))
    loss, other = log.exp(), ~torch.eye(len(y), dtype=torch.bool)
    return loss[same & other].mean() + loss[~same].mean()


def loop(
    X: np.ndarray, y: np.ndarray, run: Run, seed: int, n_jobs: int
) -> Callable[[np.ndarray], np.ndarray]:
    """Train the loop that one writes by hand; what makes codes."""
    torch.set_num_threads(n_jobs)
    torch.manual_seed(seed)

    def tensor(images: np.ndarray) -> torch.Tensor:
        items = torch.from_numpy(images.astype(np.float32) / 255)
        return items[:, None] if items.ndim == 3 else items.permute(0, 3, 1, 2)

    items, labels = tensor(X).contiguous(), torch.from_numpy(y.astype(np.int64))
    mean, scale = items.mean(), items.std()
    items = (items - mean) / scale
    net = plain_network(items.shape[1], items.shape[2])
    optimizer = torch.optim.AdamW(net.parameters(), 3e-3, weight_decay=1e-3)
    n_batches = len(items) // BATCH_SIZE
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, 3e-3, total_steps=run.epochs * n_batches
    )
    for _ in range(run.epochs):
        order = torch.randperm(len(items))
        for rows in order.split(BATCH_SIZE)[:n_batches]:
            cost = plain_loss(net(items[rows]), labels[rows])
            optimizer.zero_grad()
            cost.backward()
            optimizer.step()
            schedule.step()
    net.eval()

    def codes(images: np.ndarray) -> np.ndarray:
        parts = []
        with torch.no_grad():
            for part in np.array_split(images, max(1, len(images) // 1000)):
                z = net((tensor(part) - mean) / scale)
                parts.append(pack((z > 0).numpy()))
        return np.concatenate(parts)

    return codes


def main() -> None:
    """Train what is asked for, print the table, write JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--dataset", default="mnist", choices=sorted(RUNS))
    parser.add_argument("--runs", nargs="+", help="some of the runs, all by default")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--n-jobs", type=int, default=2)
    parser.add_argument("--results", type=Path, default=Path("docs/results"))
    options = parser.parse_args()

    X, y, X_query, y_query = load(options.data, options.dataset)
    keys = ("dataset", "run", "epochs", "seed")
    results = Results(options.results / "time-to-quality.json", keys)
    for name in options.runs or RUNS[options.dataset]:
        run = RUNS[options.dataset][name]
        for seed in options.seeds:
            start, cpu = time.perf_counter(), time.process_time()
            train = loop if run.params is None else encoder
            codes = train(X, y, run, seed, options.n_jobs)
            seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
            score = mean_average_precision(codes(X_query), codes(X), y_query, y)
            identity = dict(
                zip(keys, (options.dataset, name, run.epochs, seed), strict=True)
            )
            results.rows = [
                row for row in results.rows if any(row[k] != identity[k] for k in keys)
            ]
            row = {"goal": run.goal, "mAP": score, "reached": score >= run.goal}
            row |= {"seconds": round(seconds, 1), "cpu_seconds": round(cpu, 1)}
            results.add({**identity, **row, "n_jobs": options.n_jobs})
            print(table([{**identity, **row}], COLUMNS), flush=True)
    print(table(results.rows, COLUMNS))


if __name__ == "__main__":
    main()
