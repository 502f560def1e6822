"""Optimisers by name, and the course of their learning rate."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import torch


def one_cycle(share: float) -> float:
    """Factor on the learning rate after a `share` of all steps: up, then down.

    Cosine from 1/25 to 1 over the first 30 % of the steps, then to almost 0
    (L. N. Smith, N. Topin, "Super-Convergence", arXiv:1708.07120).
    """
    if share < 0.3:
        low, climbed = 1 / 25, share / 0.3
    else:
        low, climbed = 1 / 25e4, (1 - share) / 0.7
    return low + (1 - low) * (1 - math.cos(math.pi * climbed)) / 2


def cosine(share: float) -> float:
    """Factor on the learning rate after a `share` of all steps: from 1 down to 0."""
    return (1 + math.cos(math.pi * share)) / 2


def constant(share: float) -> float:
    """Factor on the learning rate: always 1."""
    return 1.0


LR_SCHEDULES: dict[str, Callable[[float], float]] = {
    "one_cycle": one_cycle,
    "cosine": cosine,
    "constant": constant,
}


class Course(NamedTuple):
    """Which share of a schedule is over at each step of a training.

    Attributes
    ----------
    n_steps : int
        Steps from `first` to the end.
    first : int
        Step at which the share is `start`.
    start : float
    """

    n_steps: int
    first: int = 0
    start: float = 0.0

    def share(self, step: int) -> float:
        """The share at a step, from 0 to 1."""
        share = (step - self.first) / max(self.n_steps - 1, 1)
        return min(self.start + share * (1 - self.start), 1.0)

    def shortened(self, step: int, n_steps: int) -> Course:
        """The course that comes to its end so many steps after this one."""
        return Course(n_steps, step, self.share(step))


def set_lr(
    optimizer: torch.optim.Optimizer, lr: float, factor: float, *, cycle_betas: bool
) -> None:
    """Set the rate of all parts; momentum falls while it rises, if it cycles."""
    for group in optimizer.param_groups:
        group["lr"] = lr * factor * group["lr_scale"]
        if cycle_betas and "betas" in group:
            group["betas"] = (0.95 - 0.1 * factor, group["betas"][1])


OPTIMIZERS: dict[str, tuple[type[torch.optim.Optimizer], dict[str, Any]]] = {
    "adamw": (torch.optim.AdamW, {"fused": True}),
    "adam": (torch.optim.Adam, {"fused": True}),
    "sgd": (torch.optim.SGD, {"momentum": 0.9, "nesterov": True}),
}
