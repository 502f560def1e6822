"""What the parameters of an encoder may be, as scikit-learn checks them."""

from __future__ import annotations

from numbers import Integral, Real
from os import PathLike
from typing import Any

import torch
from sklearn.utils._param_validation import Interval, StrOptions
from torch import nn

from skhash.encoder._augment import AUGMENTATIONS
from skhash.encoder._schedules import LR_SCHEDULES, OPTIMIZERS
from skhash.losses import LOSSES, HashLoss
from skhash.networks import NETWORKS

CONSTRAINTS: dict[str, list[Any]] = {
    "n_bits": [Interval(Integral, 1, 4096, closed="both")],
    "loss": [StrOptions(set(LOSSES)), HashLoss],
    "network": [StrOptions({"auto", *NETWORKS}), nn.Module, callable],
    "input_shape": ["array-like", None],
    "optimizer": [StrOptions(set(OPTIMIZERS)), callable],
    "lr": [Interval(Real, 0, None, closed="neither")],
    "lr_schedule": [StrOptions(set(LR_SCHEDULES))],
    "weight_decay": [Interval(Real, 0, None, closed="left")],
    "max_epochs": [
        Interval(Integral, 1, None, closed="left"),
        StrOptions({"auto"}),
    ],
    "batch_size": [
        Interval(Integral, 2, None, closed="left"),
        StrOptions({"auto"}),
    ],
    "balanced_batches": [
        "boolean",
        Interval(Integral, 2, None, closed="left"),
        StrOptions({"auto"}),
    ],
    "augment": [StrOptions(set(AUGMENTATIONS)), callable, None],
    "normalize_z": ["boolean", StrOptions({"auto"})],
    "early_stopping": ["boolean"],
    "validation_fraction": [Interval(Real, 0, 1, closed="neither")],
    "n_iter_no_change": [Interval(Integral, 1, None, closed="left")],
    "output": [StrOptions({"packed", "bits", "signs", "embedding"})],
    "device": [str, torch.device],
    "n_jobs": [
        Interval(Integral, 1, None, closed="left"),
        Interval(Integral, None, -1, closed="right"),
        None,
    ],
    "warm_start": ["boolean"],
    "random_state": ["random_state"],
    "callbacks": [list, None],
    "net_params": [dict, None],
    "checkpoint": [str, PathLike, None],
    "verbose": ["verbose"],
}
