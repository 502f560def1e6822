"""What the batches of an epoch add up to."""

from __future__ import annotations

import math
from collections import deque
from typing import Any

import torch
from torch import Tensor

# Enough rows to judge the health of the codes of an epoch.
_WATCHED_ROWS = 1024


class Epoch:
    """Sums of the losses of the batches so far, and the outputs of the last ones.

    Nothing is read from the device before `means` is called, so that no training step
    waits for one.
    """

    def __init__(self) -> None:
        self._rows = 0
        self._sums: dict[str, Tensor] = {}
        self._outputs: deque[Tensor] = deque()

    def add(self, losses: dict[str, Tensor], rows: int) -> None:
        """Add means over the items of a batch."""
        self._rows += rows
        for name, loss in losses.items():
            self._sums[name] = self._sums.get(name, 0) + loss * rows

    def watch(self, z: Tensor) -> None:
        """Keep the outputs of a batch, and forget those needed no longer."""
        self._outputs.append(z.detach())
        if (len(self._outputs) - 1) * len(z) > _WATCHED_ROWS:
            self._outputs.popleft()

    @property
    def means(self) -> dict[str, float]:
        """Means over all items."""
        return {name: float(total) / self._rows for name, total in self._sums.items()}

    @property
    def z(self) -> Tensor | None:
        """Outputs of the last batches, if there are any."""
        return torch.cat(list(self._outputs)) if self._outputs else None


def record_means(history: Any, epoch: Epoch, prefix: str) -> None:
    """Note the means of an epoch, and whether its loss is the least so far."""
    name = f"{prefix}_loss"
    best = best_so_far(history, name, math.inf)
    for term, mean in epoch.means.items():
        history.record(term, mean)
    history.record(f"{name}_best", history[-1, name] < best)


def best_so_far(history: Any, name: str, default: float) -> float:
    """The best of a column: the greatest if the default is negative, else the least."""
    values = [row[name] for row in history if name in row]
    return (max if default < 0 else min)(values, default=default)
