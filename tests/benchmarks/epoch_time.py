"""Time of a training epoch: the encoder, a tight torch loop, skorch's defaults.

All three train the same network with the same loss, optimiser and batch size, in one
process and in turn; the table gives medians and ratios::

    python tests/benchmarks/epoch_time.py --data FOLDER --networks mlp-512-256
"""

from __future__ import annotations

import argparse
import functools
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import skorch
import torch
from _harness import command, environment, load
from torch import nn

from skhash import DeepHashEncoder
from skhash.losses import LOSSES, HashLoss
from skhash.networks import NETWORKS, Standardize, mlp

N_BITS, BATCH_SIZE, N_EPOCHS = 16, 128, 3


class Criterion(nn.Module):
    """The loss as skorch wants it: called with outputs and labels alone."""

    def __init__(self, loss: HashLoss) -> None:
        super().__init__()
        self.loss = loss

    def forward(self, z: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        return self.loss(z, y)


def network(build: Callable, X: np.ndarray) -> nn.Module:
    """The library's network with its first layer, as the encoder builds it."""
    shape = (1, *X.shape[1:]) if X.ndim == 3 else X.shape[1:]
    generator = torch.Generator().manual_seed(0)
    made = build(shape, N_BITS, normalize_z=True, generator=generator)
    made.standardize = Standardize(shape)
    made.standardize.mean += float(X.mean())
    made.standardize.scale *= float(X.std())
    return made


def encoder(
    build: Callable, loss: str, X: np.ndarray, y: np.ndarray, n_jobs: int
) -> float:
    """Seconds of an epoch of `DeepHashEncoder`."""
    made = DeepHashEncoder(
        N_BITS, loss=loss, network=build, max_epochs=N_EPOCHS, n_jobs=n_jobs
    )
    made.fit(X, y)
    return float(np.median([row["dur"] for row in made.history_]))


def tight(
    build: Callable, loss: str, X: np.ndarray, y: np.ndarray, n_jobs: int
) -> float:
    """Seconds of an epoch of the loop one writes by hand, tensors in memory."""
    torch.set_num_threads(n_jobs)
    items, labels = torch.from_numpy(X), torch.from_numpy(y)
    net = network(build, X).train()
    criterion = LOSSES[loss]().setup(N_BITS, labels)
    optimizer = torch.optim.AdamW(net.parameters(), 3e-3, weight_decay=1e-3, fused=True)
    n_steps = N_EPOCHS * -(-len(X) // BATCH_SIZE)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 3e-3, total_steps=n_steps)
    seconds = []
    for _ in range(N_EPOCHS):
        start = time.perf_counter()
        for rows in torch.randperm(len(X)).split(BATCH_SIZE):
            cost = criterion(net(items[rows]), labels[rows])
            optimizer.zero_grad()
            cost.backward()
            optimizer.step()
            schedule.step()
        seconds.append(time.perf_counter() - start)
    return float(np.median(seconds))


def plain_skorch(
    build: Callable, loss: str, X: np.ndarray, y: np.ndarray, n_jobs: int
) -> float:
    """Seconds of an epoch of `skorch.NeuralNet` with its default DataLoader."""
    torch.set_num_threads(n_jobs)
    net = skorch.NeuralNet(
        network(build, X),
        Criterion(LOSSES[loss]().setup(N_BITS, torch.from_numpy(y))),
        optimizer=torch.optim.AdamW,
        lr=3e-3,
        max_epochs=N_EPOCHS,
        batch_size=BATCH_SIZE,
        iterator_train__shuffle=True,
        train_split=None,
        verbose=0,
    )
    net.fit(X.astype(np.float32), y)
    return float(np.median([row["dur"] for row in net.history]))


CONTENDERS = {"encoder": encoder, "tight": tight, "skorch": plain_skorch}


def built(name: str) -> Callable:
    """A network by its name: "convnet", "linear", or "mlp-512-256" by its widths."""
    kind, *widths = name.split("-")
    if widths:
        return functools.partial(mlp, hidden=tuple(map(int, widths)))
    return NETWORKS[kind]


def main() -> None:
    """Measure in turn, print medians and ratios, write JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--dataset", default="mnist")
    parser.add_argument("--networks", nargs="+", default=["mlp-256-128", "mlp-512-256"])
    parser.add_argument("--loss", default="dual_hinge", choices=sorted(LOSSES))
    parser.add_argument("--rows", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--n-jobs", type=int, default=2)
    parser.add_argument("--results", type=Path, default=Path("docs/results"))
    options = parser.parse_args()

    X, y, *_ = load(options.data, options.dataset)
    X, y = X[: options.rows], y[: options.rows].astype(np.int64)
    rows: list[dict[str, Any]] = []
    for name in options.networks:
        items = X if name == "convnet" else X.reshape(len(X), -1)
        seconds: dict[str, list[float]] = {loop: [] for loop in CONTENDERS}
        for _ in range(options.rounds):
            for loop, contender in CONTENDERS.items():
                args = built(name), options.loss, items, y, options.n_jobs
                seconds[loop].append(contender(*args))
        for loop, values in seconds.items():
            figures = {"seconds": float(np.median(values))}
            for peer in ("tight", "skorch"):
                pairs = zip(values, seconds[peer], strict=True)
                figures[f"x {peer}"] = float(np.median([a / b for a, b in pairs]))
            row = {"network": name, "loop": loop}
            rows += [{**row, "figure": f, "value": v} for f, v in figures.items()]
            print(f"{name:>12} {loop:>8}", {f: f"{v:.3f}" for f, v in figures.items()})
    options.results.mkdir(parents=True, exist_ok=True)
    content = {"command": command(), **environment(), "rows": rows}
    path = options.results / "epoch-times.json"
    path.write_text(json.dumps(content, indent=1) + "\n")


if __name__ == "__main__":
    main()
